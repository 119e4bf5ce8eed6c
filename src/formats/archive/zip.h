// A zip archive read from memory, member by member, in the order of its directory.
// Not an unpacker onto disk: the caller says where a member's bytes go, and whether its name is
// one it wants. Names are as the archive spells them: maybe hostile, maybe not UTF-8.
// Views nothing but the bytes given to open(); keep those alive.
// A ZipReader belongs to one thread and is read once from front to back.
// Fails with malformed (no zip, damaged, encrypted), too_large (a limit) or unsupported.
// Source: PKWARE APPNOTE; libarchive reads it, behind zip.cc
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace archive {

struct ZipLimits {
  std::uint64_t members_max = 20'000;
  std::uint64_t member_size_max = 8ull << 30;
  // Once this much has come out, the whole may not be larger than `ratio_max` times the archive.
  std::uint64_t ratio_free_size = 64ull << 20;
  std::uint64_t ratio_max = 200;
};

struct ZipMember {
  enum class Kind : std::uint8_t { file, directory, other };  // other: links, devices
  Kind kind = Kind::file;
  std::string name;
  std::optional<std::uint64_t> size;  // as the directory says; nothing when it does not
};

class ZipReader {
 public:
  static base::Result<ZipReader> open(base::Bytes bytes, const ZipLimits& limits = {});
  ZipReader(ZipReader&&) noexcept;
  ZipReader& operator=(ZipReader&&) noexcept;
  ~ZipReader();

  // The next member, or nothing at the end.
  base::Result<std::optional<ZipMember>> next();
  // The bytes of the member that next() gave, in pieces. Once, or not at all.
  using Sink = std::function<base::Result<void>(base::Bytes piece)>;
  base::Result<void> read(const Sink& sink);

 private:
  struct State;
  explicit ZipReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace archive
