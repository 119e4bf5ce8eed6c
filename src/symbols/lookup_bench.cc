// Lookups a second in a symbol index: FAULTLINE_BENCH_INDEX names the file.
// Addresses are drawn from all bytes of functions; every answer has all its inline frames.
// Block decompression happens in the warm-up, as in a server that has run for a minute.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <vector>

#include "symbols/map.h"

namespace {

struct Input {
  std::shared_ptr<const symbols::Map> map;
  std::vector<base::Rva> random;
  std::vector<base::Rva> sorted;
};

// Any address up to the last function; those that nothing covers are drawn again.
std::vector<base::Rva> draw(const symbols::Map& map, std::size_t count) {
  std::mt19937_64 random(1);
  std::uint64_t reach = 1;
  symbols::Hit hit;
  for (std::uint64_t at = 1; at != 0; at <<= 1) {
    for (int i = 0; i < 4000; ++i) {
      const std::uint64_t rva = at + random() % at;
      if (map.find(base::Rva{rva}, hit) && !hit.is_public) reach = at * 2;
    }
  }
  std::vector<base::Rva> rvas;
  while (rvas.size() < count) {
    const base::Rva rva{random() % reach};
    if (map.find(rva, hit) && !hit.is_public) rvas.push_back(rva);
  }
  return rvas;
}

const Input* input() {
  static const std::unique_ptr<Input> made = [] {
    std::unique_ptr<Input> in;
    const char* const path = std::getenv("FAULTLINE_BENCH_INDEX");
    if (path == nullptr) return in;
    auto file = base::MappedFile::open(path);
    if (!file.ok()) return in;
    auto map = symbols::Map::open(std::move(file).value());
    if (!map.ok()) return in;
    in = std::make_unique<Input>();
    in->map = std::move(map).value();
    in->random = draw(*in->map, 1'000'000);
    in->sorted = in->random;
    std::sort(in->sorted.begin(), in->sorted.end());
    return in;
  }();
  return made.get();
}

void look_up(benchmark::State& state, std::vector<base::Rva> Input::* rvas) {
  const Input* const in = input();
  if (in == nullptr) {
    state.SkipWithError("FAULTLINE_BENCH_INDEX must name a symbol index");
    return;
  }
  std::uint64_t frames = 0;
  while (state.KeepRunning()) {
    in->map->find_many(in->*rvas, [&](std::size_t, const symbols::Hit* hit) {
      frames += hit->inlines.size() + 1;
    });
  }
  const auto lookups = static_cast<double>(state.iterations()) * 1'000'000.0;
  state.counters["lookups"] = benchmark::Counter(lookups, benchmark::Counter::kIsRate);
  state.counters["frames"] = static_cast<double>(frames) / lookups;
}

void random_addresses(benchmark::State& state) { look_up(state, &Input::random); }
void sorted_addresses(benchmark::State& state) { look_up(state, &Input::sorted); }
BENCHMARK(random_addresses)->Unit(benchmark::kMillisecond);
BENCHMARK(sorted_addresses)->Unit(benchmark::kMillisecond);

void open_and_find_one(benchmark::State& state) {
  const Input* const in = input();
  const char* const path = std::getenv("FAULTLINE_BENCH_INDEX");
  if (in == nullptr) {
    state.SkipWithError("FAULTLINE_BENCH_INDEX must name a symbol index");
    return;
  }
  symbols::Hit hit;
  std::size_t next = 0;
  while (state.KeepRunning()) {
    auto file = base::MappedFile::open(path);
    auto map = symbols::Map::open(std::move(file).value());
    benchmark::DoNotOptimize(map.value()->find(in->random[next++ % in->random.size()], hit));
  }
}
BENCHMARK(open_and_find_one)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
