// .sym text → Model → symbol index: FAULTLINE_BENCH_SYM names the text. One thread, CPU time.
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "base/file.h"
#include "extract/symbols_from_breakpad.h"
#include "formats/breakpad/sym_reader.h"
#include "symbols/index_writer.h"

namespace {

std::shared_ptr<const base::MappedFile> input() {
  const char* const path = std::getenv("FAULTLINE_BENCH_SYM");
  if (path == nullptr) return nullptr;
  auto file = base::MappedFile::open(path);
  return file.ok() ? *file : nullptr;
}

template <class Body>
void run(benchmark::State& state, const Body& body) {
  const auto file = input();
  if (file == nullptr) {
    state.SkipWithError("FAULTLINE_BENCH_SYM must name a .sym text");
    return;
  }
  while (state.KeepRunning()) body(file, static_cast<unsigned>(state.range(0)));
  const auto bytes =
      static_cast<double>(state.iterations()) * static_cast<double>(file->bytes().size());
  state.counters["bytes"] = benchmark::Counter(bytes, benchmark::Counter::kIsRate);
}

void read_text(benchmark::State& state) {
  run(state, [](const auto& file, unsigned threads) {
    benchmark::DoNotOptimize(
        breakpad::read(file->bytes(), breakpad::Reading::kStrict, threads).parts.data());
  });
}
BENCHMARK(read_text)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);

void to_model(benchmark::State& state) {
  run(state, [](const auto& file, unsigned threads) {
    extract::BreakpadReading reading;
    reading.threads = threads;
    benchmark::DoNotOptimize(extract::symbols_from_breakpad(file, reading).lines.data());
  });
}
BENCHMARK(to_model)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);

void to_index(benchmark::State& state) {
  std::size_t size = 0;
  run(state, [&](const auto& file, unsigned threads) {
    extract::BreakpadReading reading;
    reading.threads = threads;
    symbols::IndexOptions options;
    options.threads = threads;
    auto bytes = symbols::write_index(extract::symbols_from_breakpad(file, reading), options);
    size = bytes.value().size();
  });
  state.counters["index_size"] = static_cast<double>(size);
}
BENCHMARK(to_index)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
