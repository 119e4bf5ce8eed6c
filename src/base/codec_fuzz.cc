// Packed bytes expand within the cap or are refused.
#include "base/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t kCap = 1 << 20;
  if (size == 0) return 0;
  const base::Bytes packed(data + 1, size - 1);
  const auto plain = data[0] % 3 == 0   ? base::gunzip(packed, kCap)
                     : data[0] % 3 == 1 ? base::inflate_raw(packed, kCap)
                                        : base::decompress_zstd(packed, kCap);
  if (plain.ok()) ASSERT(plain->size() <= kCap);
  return 0;
}
