// Which library inflates: libdeflate, which we take for whole buffers, against zlib.
#include <benchmark/benchmark.h>
#include <zlib.h>
#include <zstd.h>

#include "base/codec.h"
#include "base/file.h"

namespace {

// Code and its symbols, as compressed debug sections hold them: this program itself.
base::Bytes sample() {
  static const auto file = base::MappedFile::open("/proc/self/exe").value();
  return file->bytes();
}

std::vector<std::uint8_t> zlib_packed() {
  std::vector<std::uint8_t> packed(compressBound(sample().size()));
  uLongf size = packed.size();
  compress2(packed.data(), &size, sample().data(), sample().size(), 6);
  packed.resize(size);
  return packed;
}

void count_bytes(benchmark::State& state) {
  state.SetBytesProcessed(static_cast<std::int64_t>(sample().size()) *
                          static_cast<std::int64_t>(state.iterations()));
}

void inflate_with_libdeflate(benchmark::State& state) {
  const auto packed = zlib_packed();
  while (state.KeepRunning()) {
    benchmark::DoNotOptimize(base::inflate_zlib_exactly(packed, sample().size()));
  }
  count_bytes(state);
}
BENCHMARK(inflate_with_libdeflate);

void inflate_with_zlib(benchmark::State& state) {
  const auto packed = zlib_packed();
  std::vector<std::uint8_t> plain(sample().size());
  while (state.KeepRunning()) {
    uLongf size = plain.size();
    benchmark::DoNotOptimize(uncompress(plain.data(), &size, packed.data(), packed.size()));
  }
  count_bytes(state);
}
BENCHMARK(inflate_with_zlib);

void decompress_with_zstd(benchmark::State& state) {
  const auto packed = base::compress_zstd(sample());
  while (state.KeepRunning()) {
    benchmark::DoNotOptimize(base::decompress_zstd_exactly(packed, sample().size()));
  }
  count_bytes(state);
}
BENCHMARK(decompress_with_zstd);

}  // namespace

BENCHMARK_MAIN();
