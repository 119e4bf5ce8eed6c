// A .sym text, the index made from it, and the text that we write of the same symbols: whoever asks
// for an address gets the same answer by each way, and a text that was written once is written the
// same again. Texts are random, the seed is printed; and those of the corpus.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "base/text.h"
#include "extract/breakpad_from_symbols.h"
#include "extract/symbols_from_breakpad.h"
#include "symbols/index_writer.h"
#include "symbols/map.h"
#include "testing/corpus.h"
#include "testing/sanitized.h"

namespace extract {
namespace {

using symbols::Hit;
using symbols::Map;
using symbols::Model;

using Random = std::mt19937_64;

std::shared_ptr<const Map> must_map(const Model& model) {
  auto bytes = symbols::write_index(model);
  EXPECT_TRUE(bytes.ok());
  auto map = Map::open(base::MappedFile::from_bytes(std::move(bytes).value()));
  EXPECT_TRUE(map.ok());
  return std::move(map).value();
}

std::string text_of(const symbols::SourceFrame& frame) {
  return fmt::format("{} {} {}\n", frame.function, frame.has_file ? frame.file : "?",
                     frame.has_line ? std::to_string(frame.line) : "?");
}

std::string text_of(const symbols::CfiRules& rules) {
  std::vector<std::string> texts;
  texts.reserve(rules.rules.size());
  for (const symbols::CfiRule& rule : rules.rules) {
    std::string text(rule.target);
    for (const symbols::CfiOp& op : rule.program) {
      text += fmt::format(" {}/{}/{}", static_cast<int>(op.kind), op.value, op.name);
    }
    texts.push_back(std::move(text));
  }
  std::sort(texts.begin(), texts.end());
  return fmt::format("CFI {:x} {:x} {}\n", rules.range_start, rules.range_size,
                     fmt::join(texts, ", "));
}

// All that a Map says of one address.
std::string said_of(const Map& map, std::uint64_t rva, Hit& hit) {
  std::string said;
  if (map.find(base::Rva{rva}, hit)) {
    said = fmt::format("{:x} {:x} {:x} {}\n", hit.start.value, hit.size, hit.parameter_size,
                       hit.is_public);
    for (const symbols::SourceFrame& frame : hit.inlines) said += text_of(frame);
    said += text_of(hit.physical);
  }
  said += map.find_nearest_name(base::Rva{rva}).value_or("nothing before");
  if (const auto cfi = map.find_cfi(base::Rva{rva})) said += text_of(*cfi);
  if (const auto win = map.find_stack_win(base::Rva{rva})) {
    said += fmt::format("WIN {} {:x} {:x} {:x} {:x} {:x} {} {}\n", win->type, win->start, win->size,
                        win->parameter_size, win->saved_register_size, win->local_size,
                        win->program, win->allocates_base_pointer);
  }
  return said;
}

std::string text_of(const symbols::ModuleInfo& info) {
  return fmt::format("{} {} {} {} {} {} {} {}", info.os, info.arch, info.debug_id.breakpad(),
                     info.code_id, info.code_file, info.name, info.symbol_url,
                     fmt::join(info.extra_info, "|"));
}

// Disjoint functions with nested calls and lines that need not cover them; publics, unwind rules.
class TextMaker {
 public:
  explicit TextMaker(Random& random) : random_(random) {}

  std::string make() {
    text_ =
        "MODULE windows x86 000102030405060708090A0B0C0D0E0F1 a b.pdb\n"
        "INFO CODE_ID 5F0C1234a000 a.dll\nINFO GENERATOR by hand\n";
    for (unsigned i = 0; i < kFiles; ++i) text_ += fmt::format("FILE {} d:\\src\\{}.cc\n", i, i);
    for (unsigned i = 0; i < kOrigins; ++i) {
      text_ += fmt::format("INLINE_ORIGIN {} inlined<{}, int>(x y)\n", i, i);
    }
    for (std::uint64_t i = below(12); i > 0; --i) add_function();
    for (std::uint64_t i = below(8); i > 0; --i) {
      text_ += fmt::format("PUBLIC {}{:x} {:x} _public{}@4\n", below(4) == 0 ? "m " : "",
                           below(end_ + 40), 4 * below(3), below(9));
    }
    add_unwind_rules();
    return std::move(text_);
  }
  std::uint64_t end() const { return end_; }

 private:
  static constexpr unsigned kFiles = 5;
  static constexpr unsigned kOrigins = 6;
  static constexpr unsigned kDepthMax = 4;

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  void add_function() {
    const std::uint64_t start = end_ + below(24);
    const std::uint64_t size = 1 + below(80);
    end_ = start + size;
    text_ += fmt::format("FUNC {}{:x} {:x} {:x} f{}(int, char const*)\n", below(4) == 0 ? "m " : "",
                         start, size, 4 * below(3), below(30));
    add_calls(start, end_, 0);
    for (std::uint64_t at = start + below(4); at < end_;) {
      const std::uint64_t length = std::min(1 + below(9), end_ - at);
      text_ += fmt::format("{:x} {:x} {} {}\n", at, length, below(6), below(kFiles));
      at += length + (below(4) == 0 ? below(5) : 0);
    }
  }

  // Calls side by side, the ranges of one never in another's; and in each, further calls.
  void add_calls(std::uint64_t begin, std::uint64_t end, unsigned depth) {
    if (depth == kDepthMax) return;
    std::uint64_t at = begin;
    while (at < end && below(3) != 0) {
      const std::uint64_t first = at + below(6);
      const std::uint64_t first_end = first + 1 + below(20);
      const std::uint64_t second = first_end + 1 + below(4);
      const std::uint64_t second_end = second + 1 + below(6);
      if (first_end > end) return;
      const bool has_two = second_end <= end && below(3) == 0;
      text_ += fmt::format("INLINE {} {} {} {} {:x} {:x}", depth, 1 + below(9), below(kFiles),
                           below(kOrigins), first, first_end - first);
      if (has_two) text_ += fmt::format(" {:x} {:x}", second, second_end - second);
      text_ += '\n';
      add_calls(first, first_end, depth + 1);
      at = has_two ? second_end : first_end;
    }
  }

  void add_unwind_rules() {
    for (std::uint64_t at = below(16); at < end_; at += below(16)) {
      const std::uint64_t size = 1 + below(30);
      text_ += fmt::format("STACK CFI INIT {:x} {:x} .cfa: $rsp 8 + .ra: .cfa -8 + ^\n", at, size);
      for (std::uint64_t row = at + below(8); row < at + size; row += 1 + below(8)) {
        text_ += fmt::format("STACK CFI {:x} .cfa: $rsp {} + $rbx: .cfa -{} + ^\n", row,
                             8 * below(5), 8 * below(5));
      }
      at += size;
    }
    for (std::uint64_t at = below(16); at < end_; at += below(16)) {
      const std::uint64_t size = 1 + below(30);
      const bool has_program = below(2) == 0;
      text_ += fmt::format("STACK WIN {} {:x} {:x} 1 2 {:x} {:x} {:x} 0 {} {}\n",
                           has_program ? 4 : 0, at, size, 4 * below(4), 4 * below(4), 4 * below(9),
                           has_program ? 1 : 0, has_program ? "$T0 $ebp = $eip $T0 4 + ^ =" : "1");
      at += size;
    }
  }

  Random& random_;
  std::string text_;
  std::uint64_t end_ = 0x10;
};

void expect_same_by_each_way(const Model& model, std::uint64_t from, std::uint64_t to,
                             std::uint64_t step) {
  const std::string written = breakpad_text(model);
  const Model read = symbols_from_breakpad(base::bytes_of(written), nullptr);
  EXPECT_FALSE(read.info.corrupt) << written;
  EXPECT_EQ(text_of(read.info), text_of(model.info));
  const auto map = must_map(model);
  const auto again = must_map(read);
  Hit hit;
  for (std::uint64_t rva = from; rva < to; rva += step) {
    ASSERT_EQ(said_of(*again, rva, hit), said_of(*map, rva, hit)) << std::hex << rva;
  }
  EXPECT_EQ(breakpad_text(read), written);
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string_view::npos; ++at) ++count;
  return count;
}

TEST(SymRoundTrip, RandomTextsKeepTheirMeaning) {
  const char* const given = std::getenv("FAULTLINE_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 20261129;
  for (unsigned i = 0; i < testing_support::rounds(300); ++i) {
    Random random(seed + i);
    TextMaker maker(random);
    const std::string text = maker.make();
    SCOPED_TRACE(fmt::format("FAULTLINE_SEED={}\n{}", seed + i, text));
    const Model model = symbols_from_breakpad(base::bytes_of(text), nullptr);
    ASSERT_FALSE(model.info.corrupt);
    expect_same_by_each_way(model, 0, maker.end() + 60, 1);
    if (HasFailure()) return;
    const std::string written = breakpad_text(model);
    for (const char* record : {"FUNC ", "FUNC m ", "PUBLIC m ", "STACK WIN ", "STACK CFI INIT "}) {
      EXPECT_EQ(count_of(written, record), count_of(text, record)) << record;
    }
  }
}

TEST(SymRoundTrip, TheCorpusKeepsItsMeaning) {
  REQUIRE_CORPUS(corpus);
  std::size_t texts = 0;
  for (const char* folder : {"/symbols/sym", "/symbols/symbolicate/symbols"}) {
    const auto paths = base::list_files(corpus + folder);
    ASSERT_TRUE(paths.ok());
    for (const std::string& path : *paths) {
      if (!path.ends_with(".sym")) continue;
      SCOPED_TRACE(path);
      const auto file = base::MappedFile::open(path);
      ASSERT_TRUE(file.ok());
      if ((*file)->bytes().size() > 500'000) continue;
      const Model model = symbols_from_breakpad(*file);
      if (model.info.corrupt || model.functions.empty()) continue;
      const auto [first, last] =
          std::minmax_element(model.functions.begin(), model.functions.end(),
                              [](const auto& a, const auto& b) { return a.rva < b.rva; });
      const std::uint64_t to = last->rva + last->size + 32;
      const std::uint64_t step = 1 + (to - first->rva) / testing_support::rounds(1000);
      expect_same_by_each_way(model, first->rva, to, step);
      ++texts;
    }
  }
  EXPECT_GE(texts, 10u);
}

}  // namespace
}  // namespace extract
