// A package or archive read from memory, member by member, in its own order: Debian packages
// (.deb, .ddeb), rpm, tar and cpio in any compression, zip, 7-zip. What it is, is read from its
// bytes; a name decides nothing.
// Not an unpacker onto disk: the caller says where a member's bytes go. Names are as the archive
// spells them: maybe absolute, climbing, not UTF-8. Links have no bytes here; a hard link has
// those that the archive stores with it, often none.
// Views nothing but the bytes given to open(); keep those alive.
// An ArchiveReader belongs to one thread and is read once from front to back.
// Fails with unsupported (no archive that we read), malformed (damaged, encrypted) or too_large
// (a limit). Members given before the failure are good.
// Format: docs/formats/archives.md; libarchive reads it, behind archive_reader.cc
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace archive {

struct Limits {
  std::uint64_t members_max = 1'000'000;
  std::uint64_t member_size_max = 16ull << 30;
  std::uint64_t plain_size_max = 256ull << 30;  // of all members together
  // Once this much has come out, the whole may not be larger than `ratio_max` times the archive.
  std::uint64_t ratio_free_size = 64ull << 20;
  std::uint64_t ratio_max = 200;
};

struct Member {
  enum class Kind : std::uint8_t { file, link, directory, other };  // other: devices, pipes
  Kind kind = Kind::file;
  std::string name;             // "" of a compressed file that is no archive
  std::uint64_t ordinal = 0;    // place among all members, from 0
  std::int64_t modified_s = 0;  // since 1970; 0 when it does not say
};

// What else counts as an archive: a compressed file (gzip, bzip2, xz, zstd) of something that is
// none, as one member without a name.
enum class Reads : std::uint8_t { archives, single_files_too };

class ArchiveReader {
 public:
  static base::Result<ArchiveReader> open(base::Bytes bytes, const Limits& limits = {},
                                          Reads reads = Reads::archives);
  ArchiveReader(ArchiveReader&&) noexcept;
  ArchiveReader& operator=(ArchiveReader&&) noexcept;
  ~ArchiveReader();

  // The next member, or nothing at the end.
  base::Result<std::optional<Member>> next();
  // The bytes of the member that next() gave, in pieces; holes come as zeros. Once, or not at
  // all. An error of the sink ends the reading and is returned.
  using Sink = std::function<base::Result<void>(base::Bytes piece)>;
  base::Result<void> read(const Sink& sink);

 private:
  struct State;
  explicit ArchiveReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Whether these first bytes are of a compression that single files come in.
bool is_compressed(base::Bytes head);

// Whether these first bytes may begin an archive that ArchiveReader reads. Compressed bytes may
// hold something else; 512 bytes are enough.
bool may_be_archive(base::Bytes head);

// The data.tar of a Debian package, still compressed: nothing when this is no ar archive.
// malformed when it is one, but no package.
base::Result<std::optional<base::Bytes>> find_package_data(base::Bytes bytes);

// The file `control` of a Debian package; nothing when this is none, or a damaged one, or the file
// is larger than any is.
std::optional<std::string> find_package_control(base::Bytes bytes, const Limits& limits = {});

}  // namespace archive
