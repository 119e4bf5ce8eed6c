// A tar archive of plain files, written and read in one go: through a pipe, or to and from a disk.
// Not for archives of strangers (formats/archive): directories are passed over, and any other kind
// of entry is refused. Other programs read what is written (ustar; sizes from 8 GiB on as GNU tar
// writes them), and what GNU tar packs again from it is read.
// One thread. Fails as the sink or the source does; the reader with malformed, also where the
// archive ends before its end.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace upkeep {

constexpr std::size_t kTarBlock = 512;
constexpr std::size_t kTarNameMax = 100;

class TarWriter {
 public:
  using Sink = std::function<base::Result<void>(base::Bytes bytes)>;
  explicit TarWriter(Sink sink) : sink_(std::move(sink)) {}

  // REQUIRES: a name of at most kTarNameMax bytes; then `size` bytes by append(), in any pieces.
  base::Result<void> begin(std::string_view name, std::uint64_t size, std::int64_t modified_s);
  base::Result<void> append(base::Bytes bytes);
  // After the last byte of the last file.
  base::Result<void> finish();

 private:
  base::Result<void> pad();

  const Sink sink_;
  std::uint64_t size_ = 0;  // of the entry
  std::uint64_t left_ = 0;  // of it
};

class TarReader {
 public:
  // Fills what it is given from the front; 0 bytes are the end.
  using Source = std::function<base::Result<std::size_t>(std::span<std::uint8_t> room)>;
  explicit TarReader(Source source) : source_(std::move(source)) {}

  struct Entry {
    std::string name;
    std::uint64_t size = 0;
  };
  // The next file, past what was not read of the one before; nothing at the archive's end.
  base::Result<std::optional<Entry>> next();
  // The next bytes of the file; 0 at its end.
  base::Result<std::size_t> read(std::span<std::uint8_t> room);

 private:
  using Block = std::array<std::uint8_t, kTarBlock>;
  base::Result<void> fill(std::span<std::uint8_t> room);
  base::Result<void> skip_rest();

  const Source source_;
  std::uint64_t left_ = 0;  // of the entry
  std::size_t pad_ = 0;     // after it
};

}  // namespace upkeep
