// Compressed bytes to plain ones and back: zlib, gzip, raw deflate, zstd.
// Every expansion has a cap: too_large when the plain bytes would pass it. malformed when the
// input is damaged or ends early. The input is always whole; streams live in net.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace base {

// The exact plain size is known, as in ELF's compressed sections: any other size is malformed.
Result<std::vector<std::uint8_t>> inflate_zlib_exactly(Bytes packed, std::uint64_t plain_size);
Result<std::vector<std::uint8_t>> decompress_zstd_exactly(Bytes packed, std::uint64_t plain_size);

// The plain size is not known; at most `size_max` bytes come out.
Result<std::vector<std::uint8_t>> gunzip(Bytes packed, std::uint64_t size_max);  // all members
// The same in pieces, for what is too large for memory; an error of the sink ends it.
Result<void> gunzip_to(Bytes packed, std::uint64_t size_max,
                       const std::function<Result<void>(Bytes piece)>& sink);
Result<std::vector<std::uint8_t>> inflate_raw(Bytes packed, std::uint64_t size_max);
Result<std::vector<std::uint8_t>> decompress_zstd(Bytes packed, std::uint64_t size_max);

std::vector<std::uint8_t> gzip(Bytes plain, int level = 6);
std::vector<std::uint8_t> compress_zstd(Bytes plain, int level = 3);

}  // namespace base
