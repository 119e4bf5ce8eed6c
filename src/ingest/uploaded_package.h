// A package that was uploaded (.deb, .rpm, tar and the like): unpacked as a watched one is, by a
// child process with limits, and then kept file by file, all or none. Unlike a watched package it
// is not kept itself, so no file of it is made again later; sources in it are not kept.
// Any thread; blocks as long as the child works.
// Fails with malformed (damaged, or no archive), too_large (a limit of size or time),
// unavailable (disk) or internal.
// Format: docs/protocols/upload.md
#pragma once

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
};
// `tmp` is on the file system of the blobs.
base::Result<UnpackedPackage> unpack_uploaded(const Packages& packages, const std::string& tmp,
                                              const std::string& archive);

}  // namespace ingest
