// A package's members that somebody may ask for (or what a compressed file or a cabinet holds),
// written into a directory: debug files and programs one by one, sources together in a pack; and a
// list of what was found. What `faultline unpack-one` runs; the server runs that, with limits, and
// never this. Nothing is written to a member's name. Damage ends the reading: what came before it
// counts, and `problem` says why the rest is missing. Fails with unsupported (no archive that we
// read), too_large (a limit, before anything came) or unavailable (disk). Format:
// docs/formats/archives.md, docs/formats/source-pack.md
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "formats/archive/archive_reader.h"
#include "store/containers.h"

namespace ingest {

struct UnpackJob {
  std::string archive;                // path
  std::string directory;              // where the files go; exists and is empty
  std::optional<std::uint64_t> only;  // the member with this ordinal, and nothing else
  std::uint64_t disk_free_min = 0;    // unavailable when less is left
};

struct UnpackedMember {
  std::string
      name;  // folded, valid UTF-8: "/usr/bin/x"; "" of a compressed file that is no archive
  std::uint64_t ordinal = 0;
  std::string file;  // in the directory: "17"
};

struct Unpacked {
  std::vector<UnpackedMember> members;
  std::vector<store::PackedSource> sources;  // in the file kPackName; none: no such file
  std::string root;  // "/hello-2.10": the directory that all members are in; "" when there is none
  std::string problem;
};

constexpr std::string_view kPackName = "sources";
constexpr std::string_view kListName = "list.json";

// Such an error is one of this disk, and no try again helps before there is more room: it says so
// in these words, also across the child's border.
constexpr std::string_view kTooFullToUnpack = "the disk is too full to unpack ";
bool is_too_full_to_unpack(const base::Error& error);

base::Result<Unpacked> unpack(const UnpackJob& job, const archive::Limits& limits = {});

// What crosses from the child to the server, as the file kListName.
std::string json_of(const Unpacked& unpacked);
base::Result<Unpacked> unpacked_from_json(std::string_view json);

// By its first 4096 bytes: a file whose kind may have keys.
bool may_be_debug_file(base::Bytes head);

// "/usr/bin/x" of "./usr//bin/./x"; "" when it climbs or is no name.
std::string fold_member_name(std::string_view name);

}  // namespace ingest
