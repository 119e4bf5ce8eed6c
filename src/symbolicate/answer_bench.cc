// What a server does with a question about one module: reading it, and the answer's text in the
// pieces that go out. FAULTLINE_BENCH_INDEX names the module's symbol index. CPU is that of all
// threads. Addresses are drawn from all that functions cover.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "symbolicate/answer.h"

namespace {

using Map = std::shared_ptr<const symbols::Map>;

Map open_map() {
  const char* const path = std::getenv("FAULTLINE_BENCH_INDEX");
  if (path == nullptr) return nullptr;
  auto file = base::MappedFile::open(path);
  if (!file.ok()) return nullptr;
  auto map = symbols::Map::open(std::move(file).value());
  return map.ok() ? std::move(map).value() : nullptr;
}

// Drawn again until a function is there; each power of two is tried for how far they reach.
std::vector<std::uint64_t> draw(const symbols::Map& map, std::size_t count) {
  std::mt19937_64 random(1);
  symbols::Hit hit;
  const auto is_function = [&](std::uint64_t rva) {
    return map.find(base::Rva{rva}, hit) && !hit.is_public;
  };
  std::uint64_t reach = 1;
  for (std::uint64_t at = 1; at < 1ull << 40; at <<= 1) {
    for (int i = 0; i < 1000; ++i) {
      if (is_function(at + random() % at)) reach = 2 * at;
    }
  }
  std::vector<std::uint64_t> drawn;
  drawn.reserve(count);
  while (drawn.size() < count) {
    const std::uint64_t rva = random() % reach;
    if (is_function(rva)) drawn.push_back(rva);
  }
  return drawn;
}

std::string body_of(const symbols::Map& map, std::size_t frames) {
  std::string body = R"j({"jobs":[{"memoryMap":[["m","AB1"]],"stacks":[[)j";
  for (const std::uint64_t rva : draw(map, frames)) {
    body.append("[0,").append(std::to_string(rva)).append("],");
  }
  body.back() = ']';
  return body + "]}]}";
}

void question(benchmark::State& state) {
  const Map map = open_map();
  if (map == nullptr) return state.SkipWithError("FAULTLINE_BENCH_INDEX must name a symbol index");
  const std::string body = body_of(*map, static_cast<std::size_t>(state.range(0)));
  while (state.KeepRunning()) {
    benchmark::DoNotOptimize(symbolicate::find_question(body, symbolicate::Dialect::v5).ok());
  }
}
BENCHMARK(question)->Arg(60)->Arg(4800)->Unit(benchmark::kMicrosecond);

void answer(benchmark::State& state) {
  const Map map = open_map();
  if (map == nullptr) return state.SkipWithError("FAULTLINE_BENCH_INDEX must name a symbol index");
  const std::string body = body_of(*map, static_cast<std::size_t>(state.range(0)));
  const auto question = symbolicate::find_question(body, symbolicate::Dialect::v5);
  const std::vector<symbolicate::JobAnswer> answers{
      {{symbolicate::ModuleAnswer::State::found, map, "", ""}}};
  std::size_t size = 0;
  while (state.KeepRunning()) {
    symbolicate::AnswerWriter writer(*question, answers);
    for (size = 0; !writer.is_done();) size += writer.next(1024).size();
  }
  state.counters["bytes"] = static_cast<double>(size);
}
BENCHMARK(answer)->Arg(60)->Arg(4800)->Arg(60000)->MeasureProcessCPUTime()->Unit(
    benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
