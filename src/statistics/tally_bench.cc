// What counting one answered request costs on the thread that answers: of a name that was counted
// lately, and of a miss.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "statistics/tally.h"

namespace {

using statistics::Asked;
using statistics::Outcome;
using statistics::Tally;

std::vector<std::string> thousand_names() {
  std::vector<std::string> names;
  names.reserve(1000);
  for (int i = 0; i < 1000; ++i) names.push_back("some_module_" + std::to_string(i) + ".pdb");
  return names;
}

void count_hits(benchmark::State& state) {
  static Tally tally;
  const std::vector<std::string> names = thousand_names();
  std::size_t at = 0;
  while (state.KeepRunning()) {
    Asked asked;
    asked.name = names[at++ % names.size()];
    asked.from_memory = true;
    tally.answered(asked);
  }
}
BENCHMARK(count_hits)->Threads(1)->Threads(2);

void count_misses(benchmark::State& state) {
  static Tally tally;
  const std::vector<std::string> names = thousand_names();
  std::size_t at = 0;
  while (state.KeepRunning()) {
    Asked asked;
    asked.name = asked.path_name = asked.file = names[at++ % names.size()];
    asked.id = "0123456789ABCDEF0123456789ABCDEF1";
    asked.outcome = Outcome::missing;
    asked.is_told = true;
    tally.answered(asked);
  }
}
BENCHMARK(count_misses)->Threads(1)->Threads(2);

}  // namespace

BENCHMARK_MAIN();
