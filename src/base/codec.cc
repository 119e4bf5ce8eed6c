#include "base/codec.h"

#include <libdeflate.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <string>

namespace base {
namespace {

struct FreeDecompressor {
  void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
};
using Decompressor = std::unique_ptr<libdeflate_decompressor, FreeDecompressor>;

Error damaged(const char* format) {
  return {Fault::malformed, std::string(format) + " data is damaged or ends early"};
}

Error too_big(const char* format, std::uint64_t size_max) {
  return {Fault::too_large, std::string(format) + " data expands past the limit of " +
                                std::to_string(size_max) + " bytes"};
}

// Room is made at once for what honest data unpacks to, and beyond that while it comes: a claim
// costs its author bytes.
bool is_usual(Bytes packed, std::uint64_t plain_size) {
  constexpr std::uint64_t kUsualRatio = 8;
  constexpr std::uint64_t kSmall = 1u << 20;
  return plain_size <= kSmall + packed.size() * kUsualRatio;
}

// zlib's inflate with its window bits: 31 for gzip, 15 for zlib, -15 for raw deflate.
Result<void> inflate_to(Bytes packed, std::uint64_t size_max, int window_bits, const char* format,
                        const std::function<Result<void>(Bytes)>& sink) {
  z_stream stream{};
  if (inflateInit2(&stream, window_bits) != Z_OK) {
    return Error{Fault::internal, "zlib has no memory"};
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);
  std::vector<std::uint8_t> room(std::min<std::uint64_t>(256 * 1024, size_max + 1));
  std::uint64_t plain = 0;
  std::size_t fed = 0;
  for (;;) {
    if (stream.avail_in == 0 && fed < packed.size()) {
      const std::size_t part = std::min<std::size_t>(packed.size() - fed, 1u << 30);
      stream.next_in = const_cast<Bytef*>(packed.data() + fed);
      stream.avail_in = static_cast<uInt>(part);
      fed += part;
    }
    stream.next_out = room.data();
    stream.avail_out = static_cast<uInt>(room.size());
    const int code = inflate(&stream, Z_NO_FLUSH);
    const std::size_t got = room.size() - stream.avail_out;
    plain += got;
    if (plain > size_max) return too_big(format, size_max);
    if (got != 0) TRY(sink({room.data(), got}));
    const bool input_left = stream.avail_in != 0 || fed < packed.size();
    if (code == Z_STREAM_END) {
      if (window_bits <= 15 || !input_left) return {};
      if (inflateReset(&stream) != Z_OK) return damaged(format);  // the next gzip member
    } else if (code == Z_BUF_ERROR ? !input_left : code != Z_OK) {
      return damaged(format);
    }
  }
}

Result<std::vector<std::uint8_t>> inflate_stream(Bytes packed, std::uint64_t size_max,
                                                 int window_bits, const char* format) {
  std::vector<std::uint8_t> plain;
  TRY(inflate_to(packed, size_max, window_bits, format, [&plain](Bytes piece) -> Result<void> {
    plain.insert(plain.end(), piece.begin(), piece.end());
    return {};
  }));
  return plain;
}

Result<std::vector<std::uint8_t>> of_size(std::uint64_t size, const char* format,
                                          Result<std::vector<std::uint8_t>> plain) {
  const bool differs = plain.ok() ? plain->size() != size : plain.error().fault == Fault::too_large;
  if (differs) return damaged(format);
  return plain;
}

}  // namespace

Result<std::vector<std::uint8_t>> inflate_zlib_exactly(Bytes packed, std::uint64_t plain_size) {
  if (!is_usual(packed, plain_size)) {
    return of_size(plain_size, "zlib", inflate_stream(packed, plain_size, 15, "zlib"));
  }
  const Decompressor decompressor(libdeflate_alloc_decompressor());
  std::vector<std::uint8_t> plain(static_cast<std::size_t>(plain_size));
  const auto code = libdeflate_zlib_decompress(decompressor.get(), packed.data(), packed.size(),
                                               plain.data(), plain.size(), nullptr);
  if (code != LIBDEFLATE_SUCCESS) return damaged("zlib");
  return plain;
}

Result<std::vector<std::uint8_t>> decompress_zstd_exactly(Bytes packed, std::uint64_t plain_size) {
  if (!is_usual(packed, plain_size)) {
    return of_size(plain_size, "zstd", decompress_zstd(packed, plain_size));
  }
  std::vector<std::uint8_t> plain(static_cast<std::size_t>(plain_size));
  const std::size_t size =
      ZSTD_decompress(plain.data(), plain.size(), packed.data(), packed.size());
  if (ZSTD_isError(size) != 0 || size != plain.size()) return damaged("zstd");
  return plain;
}

Result<std::vector<std::uint8_t>> gunzip(Bytes packed, std::uint64_t size_max) {
  return inflate_stream(packed, size_max, 15 + 16, "gzip");
}

Result<void> gunzip_to(Bytes packed, std::uint64_t size_max,
                       const std::function<Result<void>(Bytes piece)>& sink) {
  return inflate_to(packed, size_max, 31, "gzip", sink);
}

Result<std::vector<std::uint8_t>> inflate_raw(Bytes packed, std::uint64_t size_max) {
  return inflate_stream(packed, size_max, -15, "deflate");
}

Result<std::vector<std::uint8_t>> decompress_zstd(Bytes packed, std::uint64_t size_max) {
  const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                        ZSTD_freeDCtx);
  std::vector<std::uint8_t> plain;
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  for (;;) {
    const std::size_t have = plain.size();
    plain.resize(have + ZSTD_DStreamOutSize());
    ZSTD_outBuffer out{plain.data() + have, plain.size() - have, 0};
    const std::size_t hint = ZSTD_decompressStream(context.get(), &out, &in);
    plain.resize(have + out.pos);
    if (ZSTD_isError(hint) != 0) return damaged("zstd");
    if (plain.size() > size_max) return too_big("zstd", size_max);
    if (hint == 0 && in.pos == in.size) return plain;
    if (out.pos == 0 && in.pos == in.size) return damaged("zstd");
  }
}

std::vector<std::uint8_t> gzip(Bytes plain, int level) {
  const std::unique_ptr<libdeflate_compressor, void (*)(libdeflate_compressor*)> compressor(
      libdeflate_alloc_compressor(level), libdeflate_free_compressor);
  std::vector<std::uint8_t> packed(libdeflate_gzip_compress_bound(compressor.get(), plain.size()));
  packed.resize(libdeflate_gzip_compress(compressor.get(), plain.data(), plain.size(),
                                         packed.data(), packed.size()));
  return packed;
}

std::vector<std::uint8_t> compress_zstd(Bytes plain, int level) {
  std::vector<std::uint8_t> packed(ZSTD_compressBound(plain.size()));
  const std::size_t size =
      ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), level);
  ASSERT(ZSTD_isError(size) == 0);
  packed.resize(size);
  return packed;
}

}  // namespace base
