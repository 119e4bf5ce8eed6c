// The container of a PDB: numbered streams of bytes, whichever of three forms holds them.
//   MSF 7.00  pages of 512 bytes to 64 KiB, 32-bit page numbers: what linkers write today
//   MSF 2.00  the same idea with 16-bit page numbers ("JG"): Visual C++ 6 and before
//   MSFZ      fragments, some of them compressed (zstd, deflate): "PDZ" files
// Not what the streams mean: pdb.h reads those.
// Views point into the bytes given to open_container(); keep those alive.
// Immutable after open; any thread may read.
// open fails with malformed or unsupported. read() fails with malformed where a page or chunk
// lies outside the file, with too_large past the caller's limit, with not_found for a stream
// that is not there. Nothing is allocated beyond the file's size and the caller's limit.
// Format: docs/formats/pdb.md
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace pdb {

constexpr std::uint32_t kPageSizeMin = 512;
constexpr std::uint32_t kPageSizeMax = 64 * 1024;
constexpr std::uint32_t kMaxStreams = 1u << 20;  // modules are numbered in 16 bits
constexpr std::uint32_t kMaxChunks = 1u << 20;
constexpr std::uint64_t kMaxChunkSize = 64ull << 20;  // plain; real ones have 4 MiB

// Bytes of a stream: a view where they lie in a row in the file, else owned.
class StreamBytes {
 public:
  StreamBytes() = default;
  explicit StreamBytes(base::Bytes view) : view_(view) {}
  explicit StreamBytes(std::vector<std::uint8_t> owned) : owned_(std::move(owned)), view_(owned_) {}
  StreamBytes(StreamBytes&&) noexcept = default;
  StreamBytes& operator=(StreamBytes&&) noexcept = default;
  StreamBytes(const StreamBytes&) = delete;
  StreamBytes& operator=(const StreamBytes&) = delete;
  ~StreamBytes() = default;

  base::Bytes bytes() const { return view_; }
  bool is_view() const { return owned_.empty(); }

 private:
  std::vector<std::uint8_t> owned_;
  base::Bytes view_;
};

class Container {
 public:
  enum class Kind : unsigned char { msf7, msf2, msfz };

  virtual ~Container() = default;
  virtual Kind kind() const = 0;
  virtual std::uint32_t stream_count() const = 0;
  // 0 for streams that are deleted or not there.
  virtual std::uint64_t size_of(std::uint32_t stream) const = 0;

  // The part [offset, offset + size) of a stream.
  virtual base::Result<StreamBytes> read(std::uint32_t stream, std::uint64_t offset,
                                         std::uint64_t size) const = 0;
  // The whole stream, if it has at most `size_max` bytes.
  base::Result<StreamBytes> read_all(std::uint32_t stream, std::uint64_t size_max) const;
};

bool has_msf7_magic(base::Bytes file);
bool has_msf2_magic(base::Bytes file);
bool has_msfz_magic(base::Bytes file);

base::Result<std::unique_ptr<Container>> open_container(base::Bytes file);

// One for each form; open_container() chooses.
base::Result<std::unique_ptr<Container>> open_msf7(base::Bytes file);
base::Result<std::unique_ptr<Container>> open_msf2(base::Bytes file);
base::Result<std::unique_ptr<Container>> open_msfz(base::Bytes file);

}  // namespace pdb
