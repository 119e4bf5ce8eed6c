// A package that was uploaded (.deb, .rpm, tar and the like): unpacked as a watched one is, by a
// child process with limits, and then kept file by file and its sources together, all or none.
// Unlike a watched package it is not kept itself, so nothing of it is made again later.
// Any thread; blocks as long as the child works.
// Fails with malformed (damaged, or no archive), too_large (a limit of size or time),
// unavailable (disk) or internal.
// Format: docs/protocols/upload.md
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/ingest.h"
#include "ingest/unpack_in_child.h"

namespace ingest {

// By its extension, a zip not among them: that is planned member by member (zip_members.h).
bool is_package_name(std::string_view name);

struct UnpackedPackage {
  base::TemporaryDirectory directory;  // holds the files; outlives them
  std::vector<Received> files;
  std::vector<std::string> ignored;  // debug files without an id
  std::optional<PackedSources> sources;
};
// `tmp` is on the file system of the blobs; `file_name` as the uploader calls the package.
base::Result<UnpackedPackage> unpack_uploaded(const Packages& packages, const std::string& tmp,
                                              const std::string& archive,
                                              std::string_view file_name);

// The sources among a zip's members, which were planned (zip_members.h). Those that are larger than
// kSourceSizeMax are left out.
base::Result<std::optional<PackedSources>> pack_zip_sources(
    base::Bytes zip, const archive::ZipLimits& limits, std::set<std::string, std::less<>> members,
    const std::string& tmp);

}  // namespace ingest
