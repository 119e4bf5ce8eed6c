// MSFZ, the container of PDZ files: each stream is a list of fragments, and a fragment lies
// plain in the file or in the run of bytes that all chunks make when they are expanded one after
// another.
//
//   stream 5:  [0x1a0 bytes at file offset 0x50] [0x6ac84 bytes in chunk 0xe5 from 0x10e0]
//                                                    └── goes on into chunk 0xe6
//
// Chunks are expanded when they are read, and kept only while one call lasts: identity needs one
// or two small ones. A hostile list of fragments may jump between large chunks byte by byte, so
// one call expands so much and no more.
#include <algorithm>
#include <string>

#include "base/codec.h"
#include "formats/pdb/container.h"

namespace pdb {
namespace {

using base::Bytes;
using base::Error;
using base::Fault;
using base::Result;

constexpr std::uint32_t kNilStream = 0xffffffff;
constexpr std::uint64_t kInChunks = 1ull << 63;
constexpr std::uint64_t kMaxDirectorySize = 64ull << 20;
constexpr std::uint64_t kMaxFragments = 1u << 22;
constexpr std::uint64_t kMaxExpandedBeyond = 256ull << 20;  // by one read(), beside its answer

Error malformed(std::string what) { return {Fault::malformed, "MSFZ: " + std::move(what)}; }

enum class Packing : std::uint32_t { none = 0, zstd = 1, deflate = 2 };

Result<std::vector<std::uint8_t>> expand(Bytes packed, std::uint32_t packing,
                                         std::uint64_t plain_size) {
  std::vector<std::uint8_t> plain;
  switch (static_cast<Packing>(packing)) {
    case Packing::none:
      plain.assign(packed.begin(), packed.end());
      break;
    case Packing::zstd:
      plain = TRY(base::decompress_zstd(packed, plain_size));
      break;
    case Packing::deflate:
      plain = TRY(base::inflate_raw(packed, plain_size));
      break;
    default:
      return Error{Fault::unsupported, "MSFZ: compression " + std::to_string(packing)};
  }
  if (plain.size() != plain_size) {
    return malformed("expanded to " + std::to_string(plain.size()) + " bytes instead of " +
                     std::to_string(plain_size));
  }
  return plain;
}

class Msfz final : public Container {
 public:
  static Result<std::unique_ptr<Container>> open(Bytes file);

  Kind kind() const override { return Kind::msfz; }
  std::uint32_t stream_count() const override {
    return static_cast<std::uint32_t>(streams_.size());
  }
  std::uint64_t size_of(std::uint32_t stream) const override {
    return stream < streams_.size() ? streams_[stream].size : 0;
  }
  Result<StreamBytes> read(std::uint32_t stream, std::uint64_t offset,
                           std::uint64_t size) const override;

 private:
  struct Fragment {
    std::uint64_t size = 0;
    std::uint64_t location = 0;
  };
  struct Stream {
    bool here = false;
    std::uint64_t size = 0;
    std::vector<Fragment> fragments;
  };
  // What one call of read() has expanded.
  struct Expanded {
    std::uint64_t index = ~0ull;
    std::vector<std::uint8_t> plain;
    std::uint64_t total = 0;
    std::uint64_t total_max = 0;
  };
  struct Chunk {
    std::uint64_t offset = 0;
    std::uint32_t packing = 0;
    std::uint64_t packed_size = 0;
    std::uint64_t plain_size = 0;
  };
  Result<void> read_directory(Bytes directory, std::uint32_t count);
  Result<void> read_chunk_table(Bytes table, std::uint32_t count);
  Result<void> append(const Fragment& fragment, std::uint64_t skip, std::uint64_t size,
                      Expanded& expanded, std::vector<std::uint8_t>& out) const;
  Result<void> append_from_chunks(std::uint64_t index, std::uint64_t skip, std::uint64_t size,
                                  Expanded& expanded, std::vector<std::uint8_t>& out) const;
  Result<void> expand_chunk(std::uint64_t index, Expanded& expanded) const;

  Bytes file_;
  std::vector<Stream> streams_;
  std::vector<Chunk> chunks_;
};

Result<std::unique_ptr<Container>> Msfz::open(Bytes file) {
  auto msfz = std::make_unique<Msfz>();
  msfz->file_ = file;
  base::Reader r(file);
  r.seek(32);
  const std::uint64_t version = r.u64();
  const std::uint64_t directory_at = r.u64();
  const std::uint64_t chunk_table_at = r.u64();
  const std::uint32_t stream_count = r.u32();
  const std::uint32_t directory_packing = r.u32();
  const std::uint32_t directory_packed = r.u32();
  const std::uint32_t directory_plain = r.u32();
  const std::uint32_t chunk_count = r.u32();
  const std::uint32_t chunk_table_size = r.u32();
  TRY(r.check("MSFZ header"));
  if (version != 0) {
    return Error{Fault::unsupported, "MSFZ: version " + std::to_string(version)};
  }
  if (directory_plain > kMaxDirectorySize || stream_count > kMaxStreams) {
    return malformed("directory of " + std::to_string(directory_plain) + " bytes, " +
                     std::to_string(stream_count) + " streams");
  }
  const auto packed = base::find_slice(file, directory_at, directory_packed);
  if (!packed) return malformed("the directory lies outside the file");
  const std::vector<std::uint8_t> directory =
      TRY(expand(*packed, directory_packing, directory_plain));
  TRY(msfz->read_directory(directory, stream_count));
  const auto table = base::find_slice(file, chunk_table_at, chunk_table_size);
  if (!table) return malformed("the chunk table lies outside the file");
  TRY(msfz->read_chunk_table(*table, chunk_count));
  return std::unique_ptr<Container>(std::move(msfz));
}

Result<void> Msfz::read_directory(Bytes directory, std::uint32_t count) {
  base::Reader r(directory);
  if (count > r.remaining() / 4) return malformed("directory too short for its streams");
  streams_.resize(count);
  std::uint64_t fragments = 0;
  for (Stream& stream : streams_) {
    std::uint32_t size = r.u32();
    if (size == kNilStream) continue;
    stream.here = true;
    for (; size != 0 && r.ok(); size = r.u32()) {
      if (++fragments > kMaxFragments) return malformed("too many fragments");
      stream.fragments.push_back({size, r.u64()});
      stream.size += size;
    }
    TRY(r.check("MSFZ stream directory"));
  }
  return {};
}

Result<void> Msfz::read_chunk_table(Bytes table, std::uint32_t count) {
  base::Reader r(table);
  if (count > kMaxChunks || count > r.remaining() / 20) {
    return malformed("chunk table of " + std::to_string(table.size()) + " bytes cannot hold " +
                     std::to_string(count) + " chunks");
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    Chunk chunk;
    chunk.offset = r.u64();
    chunk.packing = r.u32();
    chunk.packed_size = r.u32();
    chunk.plain_size = r.u32();
    chunks_.push_back(chunk);
  }
  return r.check("MSFZ chunk table");
}

Result<StreamBytes> Msfz::read(std::uint32_t stream, std::uint64_t offset,
                               std::uint64_t size) const {
  if (stream >= streams_.size() || !streams_[stream].here) {
    return Error{Fault::not_found, "MSFZ: there is no stream " + std::to_string(stream)};
  }
  const Stream& found = streams_[stream];
  if (offset > found.size || size > found.size - offset) {
    return malformed("stream " + std::to_string(stream) + " has " + std::to_string(found.size) +
                     " bytes, wanted are " + std::to_string(size) + " from " +
                     std::to_string(offset));
  }
  std::vector<std::uint8_t> out;
  Expanded expanded;
  expanded.total_max = size + kMaxExpandedBeyond;
  for (const Fragment& fragment : found.fragments) {
    if (offset >= fragment.size) {
      offset -= fragment.size;
      continue;
    }
    const std::uint64_t part = std::min(fragment.size - offset, size - out.size());
    if (part == 0) break;
    const bool whole = out.empty() && part == size;
    if (whole && (fragment.location & kInChunks) == 0) {
      const auto view = base::find_slice(file_, fragment.location + offset, size);
      if (!view) return malformed("a fragment lies outside the file");
      return StreamBytes(*view);
    }
    TRY(append(fragment, offset, part, expanded, out));
    offset = 0;
  }
  return StreamBytes(std::move(out));
}

Result<void> Msfz::append(const Fragment& fragment, std::uint64_t skip, std::uint64_t size,
                          Expanded& expanded, std::vector<std::uint8_t>& out) const {
  if ((fragment.location & kInChunks) == 0) {
    const auto plain = base::find_slice(file_, fragment.location + skip, size);
    if (!plain) return malformed("a fragment lies outside the file");
    out.insert(out.end(), plain->begin(), plain->end());
    return {};
  }
  const std::uint64_t chunk = (fragment.location & ~kInChunks) >> 32;
  return append_from_chunks(chunk, (fragment.location & 0xffffffff) + skip, size, expanded, out);
}

Result<void> Msfz::append_from_chunks(std::uint64_t index, std::uint64_t skip, std::uint64_t size,
                                      Expanded& expanded, std::vector<std::uint8_t>& out) const {
  for (; size != 0; ++index) {
    if (index >= chunks_.size()) return malformed("a fragment goes on behind the last chunk");
    const std::uint64_t chunk_size = chunks_[static_cast<std::size_t>(index)].plain_size;
    if (skip >= chunk_size) {
      skip -= chunk_size;
      continue;
    }
    TRY(expand_chunk(index, expanded));
    const std::uint64_t part = std::min(chunk_size - skip, size);
    const auto from = expanded.plain.begin() + static_cast<std::ptrdiff_t>(skip);
    out.insert(out.end(), from, from + static_cast<std::ptrdiff_t>(part));
    size -= part;
    skip = 0;
  }
  return {};
}

Result<void> Msfz::expand_chunk(std::uint64_t index, Expanded& expanded) const {
  if (expanded.index == index) return {};
  const Chunk& chunk = chunks_[static_cast<std::size_t>(index)];
  expanded.total += chunk.plain_size;
  if (chunk.plain_size > kMaxChunkSize || expanded.total > expanded.total_max) {
    return Error{Fault::too_large, "MSFZ: too much to expand at chunk " + std::to_string(index)};
  }
  const auto packed = base::find_slice(file_, chunk.offset, chunk.packed_size);
  if (!packed) return malformed("chunk " + std::to_string(index) + " lies outside the file");
  expanded.plain = TRY(expand(*packed, chunk.packing, chunk.plain_size));
  expanded.index = index;
  return {};
}

}  // namespace

Result<std::unique_ptr<Container>> open_msfz(Bytes file) { return Msfz::open(file); }

}  // namespace pdb
