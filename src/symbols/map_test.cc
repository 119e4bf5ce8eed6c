#include "symbols/map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>

#include "symbols/index_writer.h"
#include "symbols/reference_lookup.h"
#include "testing/heap_in_use.h"
#include "testing/sanitized.h"

namespace symbols {
namespace {

std::shared_ptr<const Map> must_map(const Model& model, unsigned threads = 1) {
  IndexOptions options;
  options.threads = threads;
  auto bytes = write_index(model, options);
  EXPECT_TRUE(bytes.ok());
  auto map = Map::open(base::MappedFile::from_bytes(std::move(bytes).value()));
  EXPECT_TRUE(map.ok()) << (map.ok() ? "" : map.error().what);
  return std::move(map).value();
}

reference::Frame plain(const SourceFrame& frame) {
  reference::Frame out{std::string(frame.function), {}, {}};
  if (frame.has_file) out.file = std::string(frame.file);
  if (frame.has_line) out.line = frame.line;
  return out;
}

reference::Answer plain(const Hit& hit) {
  reference::Answer answer{
      plain(hit.physical), hit.start.value, hit.parameter_size, hit.is_public, {}};
  for (const SourceFrame& frame : hit.inlines) answer.inlines.push_back(plain(frame));
  return answer;
}

std::string text_of(const reference::Answer& answer) {
  std::string out = answer.physical.function + "+" + std::to_string(answer.start) + " " +
                    answer.physical.file.value_or("?") + ":" +
                    std::to_string(answer.physical.line.value_or(99999));
  for (const auto& frame : answer.inlines) {
    out += " | " + frame.function + " " + frame.file.value_or("?") + ":" +
           std::to_string(frame.line.value_or(99999));
  }
  return out;
}

using Random = std::mt19937_64;

std::uint64_t below(Random& random, std::uint64_t limit) { return random() % limit; }

class ModelMaker {
 public:
  ModelMaker(Random& random, std::uint64_t base, std::uint64_t reach)
      : random_(random), base_(base), reach_(reach) {}

  Model make() {
    for (std::uint64_t i = below(random_, 6); i > 0; --i) {
      model_.files.push_back(name("file"));
    }
    for (std::uint64_t i = below(random_, 12); i > 0; --i) add_function();
    for (std::uint64_t i = below(random_, 6); i > 0; --i) {
      model_.publics.push_back({place(), small(), name("public"), name("_P"), false});
    }
    for (std::uint64_t i = below(random_, 6); i > 0; --i) add_cfi();
    for (std::uint64_t i = below(random_, 6); i > 0; --i) add_stack_win();
    return std::move(model_);
  }

 private:
  std::uint32_t small() { return static_cast<std::uint32_t>(below(random_, 5)); }
  std::uint64_t place() { return base_ + below(random_, reach_); }
  std::uint32_t extent() { return static_cast<std::uint32_t>(below(random_, reach_ / 3)); }
  // Texts may make names that have no letter.
  StringId name(const char* stem) {
    if (below(random_, 16) == 0) return model_.strings.intern("");
    return model_.strings.intern(stem + std::to_string(below(random_, 20)));
  }
  FileId file() {
    if (model_.files.empty() || below(random_, 8) == 0) return kNoFile;
    return static_cast<FileId>(below(random_, model_.files.size()));
  }

  void add_function() {
    Function f;
    f.rva = place();
    f.size = extent();
    f.parameter_size = small();
    f.name = name("f");
    f.mangled = below(random_, 2) == 0 ? 0 : name("_Z");
    f.first_line = static_cast<std::uint32_t>(model_.lines.size());
    f.line_count = static_cast<std::uint32_t>(below(random_, 60));
    for (std::uint32_t i = 0; i < f.line_count; ++i) {
      const std::uint64_t at = f.rva + below(random_, std::uint64_t{f.size} + 4) - 2;
      model_.lines.push_back({at, static_cast<std::uint32_t>(below(random_, 9)), small(), file()});
    }
    f.first_inline = static_cast<std::uint32_t>(model_.inlines.size());
    f.inline_count = static_cast<std::uint32_t>(below(random_, 10));
    for (std::uint32_t i = 0; i < f.inline_count; ++i) add_site(f);
    model_.functions.push_back(f);
  }

  void add_site(const Function& f) {
    InlineSite site;
    site.name = below(random_, 8) == 0 ? kNoName : name("i");
    site.call_file = file();
    site.call_line = small();
    site.depth = small();
    site.first_range = static_cast<std::uint32_t>(model_.inline_ranges.size());
    site.range_count = 1 + small();
    for (std::uint32_t i = 0; i < site.range_count; ++i) {
      const std::uint64_t at = f.rva + below(random_, std::uint64_t{f.size} + 4) - 2;
      model_.inline_ranges.push_back(
          {at, static_cast<std::uint32_t>(below(random_, std::uint64_t{f.size} + 2))});
    }
    model_.inlines.push_back(site);
  }

  StringId rules() {
    static const char* const kTexts[] = {".cfa: $rsp 8 + .ra: .cfa -8 + ^",
                                         ".cfa: $rsp 16 +",
                                         "$rbx: .cfa -16 + ^",
                                         "$rbp: .cfa -24 + ^ $rbx: .undef",
                                         ".cfa: $rbp 16 +",
                                         "broken",
                                         "",
                                         ".ra: $xyz$lr"};
    return model_.strings.intern(kTexts[below(random_, std::size(kTexts))]);
  }
  void add_cfi() {
    CfiRange range;
    range.rva = place();
    range.size = extent();
    range.rules = below(random_, 3) == 0 ? rules() : model_.strings.intern(".cfa: $rsp 8 +");
    range.first_row = static_cast<std::uint32_t>(model_.cfi_rows.size());
    range.row_count = static_cast<std::uint32_t>(below(random_, 50));
    for (std::uint32_t i = 0; i < range.row_count; ++i) {
      const std::uint64_t at = range.rva + below(random_, std::uint64_t{range.size} + 4) - 2;
      model_.cfi_rows.push_back({at, rules()});
    }
    model_.cfi_ranges.push_back(range);
  }
  void add_stack_win() {
    StackWin record;
    record.type = below(random_, 2) == 0 ? 4 : 0;
    record.rva = place();
    record.size = extent();
    record.local_size = small();
    record.program = name("$T0 ");
    model_.stack_win.push_back(record);
  }

  Random& random_;
  std::uint64_t base_;
  std::uint64_t reach_;
  Model model_;
};

bool same_rules(const std::optional<CfiRules>& a, const std::optional<CfiRules>& b) {
  if (!a || !b) return !a && !b;
  if (a->range_start != b->range_start || a->range_size != b->range_size ||
      a->rules.size() != b->rules.size()) {
    return false;
  }
  for (const CfiRule& rule : a->rules) {
    const auto same = [&](const CfiRule& other) {
      if (other.target != rule.target || other.program.size() != rule.program.size()) return false;
      for (std::size_t i = 0; i < rule.program.size(); ++i) {
        const CfiOp& x = rule.program[i];
        const CfiOp& y = other.program[i];
        if (x.kind != y.kind || x.value != y.value || x.name != y.name) return false;
      }
      return true;
    };
    if (std::none_of(b->rules.begin(), b->rules.end(), same)) return false;
  }
  return true;
}

void expect_equal_everywhere(const Model& model, const Map& map, std::uint64_t base,
                             std::uint64_t reach) {
  Hit hit;
  std::vector<base::Rva> all;
  all.reserve(reach * 2);
  for (std::uint64_t i = 0; i < reach * 2; ++i) all.push_back(base::Rva{base - reach / 2 + i});
  for (const base::Rva rva : all) {
    const auto expected = reference::find(model, rva.value);
    const bool found = map.find(rva, hit);
    ASSERT_EQ(found, expected.has_value()) << "at " << rva.value - base;
    EXPECT_EQ(map.has_name_at(rva), found);
    ASSERT_EQ(map.find_nearest_name(rva), reference::find_nearest_name(model, rva.value))
        << "nearest at " << rva.value - base;
    if (found) {
      ASSERT_EQ(plain(hit), *expected) << "at " << rva.value - base << "\n  " << text_of(plain(hit))
                                       << "\n  " << text_of(*expected);
    }
    ASSERT_TRUE(same_rules(map.find_cfi(rva), reference::find_cfi(model, rva.value)))
        << "CFI at " << rva.value - base;
  }
  std::size_t next = 0;
  map.find_many(all, [&](std::size_t index, const Hit* many) {
    ASSERT_EQ(index, next++);
    const auto expected = reference::find(model, all[index].value);
    ASSERT_EQ(many != nullptr, expected.has_value());
    if (many != nullptr) {
      ASSERT_EQ(plain(*many), *expected);
    }
  });
  EXPECT_EQ(next, all.size());
  const auto without_mangled = [&](std::size_t index, const Hit* many) {
    const bool was_found = map.find(all[index], hit);
    ASSERT_EQ(many != nullptr, was_found);
    if (!was_found) return;
    EXPECT_EQ(many->mangled, "");
    ASSERT_EQ(plain(*many), plain(hit));
  };
  map.find_many(all, without_mangled, Map::Mangled::unwanted);
}

TEST(Map, FindsWhatALinearSearchFinds) {
  const char* const given = std::getenv("FAULTLINE_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 0) : std::random_device{}();
  std::printf("FAULTLINE_SEED=%llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  const std::uint64_t bases[] = {0, 0x1000, 0xffffffffull - 100, 1ull << 40, 0ull - 450};
  for (unsigned round = 0; round < testing_support::rounds(400); ++round) {
    const std::uint64_t base = bases[below(random, std::size(bases))];
    const std::uint64_t reach = 30 + below(random, 300);
    const Model model = ModelMaker(random, base, reach).make();
    SCOPED_TRACE("round " + std::to_string(round) + " base " + std::to_string(base));
    expect_equal_everywhere(model, *must_map(model), base, reach);
    if (HasFatalFailure()) return;
  }
}

// A byte of each page in turn is not as it was written: the other table still knows names, but
// those are of other places.
TEST(Map, ADamagedIndexNamesNothingElse) {
  Model model;
  constexpr std::uint64_t kCount = 5000;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    Function f;
    f.rva = 0x1000 + i * 0x20;
    f.size = 0x10;
    f.name = model.strings.intern("function" + std::to_string(i));
    model.functions.push_back(f);
    model.publics.push_back(
        {f.rva + 0x10, 0, model.strings.intern("public" + std::to_string(i)), 0, false});
  }
  const std::vector<std::uint8_t> sound = write_index(model, {}).value();
  unsigned silent = 0;
  for (std::size_t at = sound.size() - 1; at > 4096; at -= std::min<std::size_t>(at, 4096)) {
    std::vector<std::uint8_t> bytes = sound;
    bytes[at] ^= 0x10;
    const auto map = Map::open(base::MappedFile::from_bytes(std::move(bytes)));
    if (!map.ok()) continue;
    for (std::uint64_t i = 0; i < kCount; i += 97) {
      const std::uint64_t place = 0x1000 + i * 0x20;
      const auto function = (*map)->find_nearest_name(base::Rva{place});
      const auto named = (*map)->find_nearest_name(base::Rva{place + 0x10});
      EXPECT_EQ(function.value_or("function" + std::to_string(i)), "function" + std::to_string(i));
      EXPECT_EQ(named.value_or("public" + std::to_string(i)), "public" + std::to_string(i));
      silent += function ? 0 : 1;
    }
  }
  EXPECT_GT(silent, 0u);
}

TEST(Map, AddressesFarApartAreFound) {
  Model model;
  for (const std::uint64_t at : {0ull, 0x10ull, 1ull << 33, 1ull << 62, 0xfffffffffffffff0ull}) {
    Function f;
    f.rva = at;
    f.size = 0x10;
    f.name = model.strings.intern("at" + std::to_string(at));
    model.functions.push_back(f);
  }
  const auto map = must_map(model);
  Hit hit;
  for (const Function& f : model.functions) {
    for (const std::uint64_t delta : {0u, 15u}) {
      ASSERT_TRUE(map->find(base::Rva{f.rva + delta}, hit)) << f.rva;
      EXPECT_EQ(hit.physical.function, model.strings[f.name]);
      EXPECT_EQ(hit.start.value, f.rva);
    }
  }
  EXPECT_FALSE(map->find(base::Rva{0x20}, hit));
  EXPECT_FALSE(map->find(base::Rva{(1ull << 62) + 0x10}, hit));
  EXPECT_FALSE(map->find(base::Rva{0xffffffffffffffefull}, hit));
}

TEST(Map, KeepsWhatIsKnownOfTheModule) {
  Model model;
  model.info.os = "Linux";
  model.info.arch = "x86_64";
  model.info.name = "libexample.so";
  model.info.code_id = "0102";
  model.info.code_file = "example.bin";
  model.info.symbol_url = "http://example/";
  model.info.extra_info = {"GENERATOR x", "VENDOR y"};
  model.info.debug_id = *ident::DebugId::parse("000102030405060708090A0B0C0D0E0F1a");
  const auto map = must_map(model);
  EXPECT_EQ(map->info().os, "Linux");
  EXPECT_EQ(map->info().arch, "x86_64");
  EXPECT_EQ(map->info().name, "libexample.so");
  EXPECT_EQ(map->info().code_id, "0102");
  EXPECT_EQ(map->info().code_file, "example.bin");
  EXPECT_EQ(map->info().symbol_url, "http://example/");
  EXPECT_EQ(map->info().extra_info, model.info.extra_info);
  EXPECT_EQ(map->info().debug_id, model.info.debug_id);
  EXPECT_FALSE(map->info().corrupt);
}

TEST(Map, SaysWhichKindsOfSymbolsThereAre) {
  const auto text_of = [](const Model& model) {
    const Map::Contents contents = must_map(model)->contents();
    return std::string(contents.functions ? "functions " : "") +
           (contents.publics ? "publics " : "") + (contents.places ? "places " : "") +
           (contents.unwind ? "unwind " : "");
  };
  Model model;
  EXPECT_EQ(text_of(model), "");
  Public symbol;
  symbol.name = model.strings.intern("p");
  model.publics.push_back(symbol);
  EXPECT_EQ(text_of(model), "publics ");
  Function f;
  f.rva = 0x10;
  f.size = 0x10;
  f.name = model.strings.intern("f");
  f.line_count = 1;
  model.functions.push_back(f);
  model.files.push_back(model.strings.intern("a.c"));
  model.lines.push_back({0x10, 0x10, 3, 0});
  EXPECT_EQ(text_of(model), "functions publics places ");
  StackWin win;
  win.type = 4;
  win.size = 0x10;
  win.program = model.strings.intern("$eip .raSearch = ");
  model.stack_win.push_back(win);
  EXPECT_EQ(text_of(model), "functions publics places unwind ");
}

TEST(Map, TheStrictVerdictIsKeptBesideWhatCouldBeRead) {
  Model model;
  model.info.corrupt = true;
  Function f;
  f.rva = 0x10;
  f.size = 0x10;
  f.name = model.strings.intern("f");
  model.functions.push_back(f);
  const auto map = must_map(model);
  EXPECT_TRUE(map->info().corrupt);
  Hit hit;
  EXPECT_TRUE(map->find(base::Rva{0x10}, hit));
}

TEST(Map, TheNearestNameHasNoEndAndPrefersPublics) {
  Model model;
  const auto add_function = [&](std::uint64_t rva, const char* name) {
    Function f;
    f.rva = rva;
    f.size = 0x10;
    f.name = model.strings.intern(name);
    model.functions.push_back(f);
  };
  const auto add_public = [&](std::uint64_t rva, const char* name) {
    Public p;
    p.rva = rva;
    p.name = model.strings.intern(name);
    model.publics.push_back(p);
  };
  add_function(0x1000, "f");
  add_function(0x1020, "both_function");
  add_public(0x1020, "both_public");
  add_public(0x1100, "p");
  add_function(0x1200, "");
  add_function(0x1300, "last");
  const auto map = must_map(model);
  const auto name_at = [&](std::uint64_t rva) {
    return std::string(map->find_nearest_name(base::Rva{rva}).value_or("-"));
  };
  EXPECT_EQ(name_at(0xfff), "-");
  EXPECT_EQ(name_at(0x1000), "f");
  EXPECT_EQ(name_at(0x101f), "f");
  EXPECT_EQ(name_at(0x1020), "both_public");
  EXPECT_EQ(name_at(0x1050), "both_public");
  EXPECT_EQ(name_at(0x1100), "p");
  EXPECT_EQ(name_at(0x1205), "p") << "a function without a name is passed over";
  EXPECT_EQ(name_at(0x500000), "last");
  Hit hit;
  ASSERT_TRUE(map->find(base::Rva{0x1020}, hit));
  EXPECT_EQ(hit.physical.function, "both_function");
  EXPECT_FALSE(map->find(base::Rva{0x1050}, hit)) << "the function before starts at the public";
}

// The records that find() has no use for: without size, inside another, the later of two.
TEST(Map, TheNearestNameIsThatOfAnyRecord) {
  Model model;
  const auto add_function = [&](std::uint64_t rva, std::uint32_t size, const char* name) {
    Function f;
    f.rva = rva;
    f.size = size;
    f.name = model.strings.intern(name);
    model.functions.push_back(f);
  };
  const auto add_public = [&](std::uint64_t rva, const char* name) {
    model.publics.push_back({rva, 0, model.strings.intern(name), 0, false});
  };
  add_function(0x1000, 0x100, "outer");
  add_function(0x1040, 0x10, "inner");
  add_function(0x1500, 0, "zero");
  add_function(0x1600, 0x10, "earlier");
  add_function(0x1600, 0x20, "later");
  add_public(0x1700, "z");
  add_public(0x1700, "a");
  add_public(0x1800, "");
  add_function(0x1900, 0x10, "named");
  add_public(0x1900, "");
  for (std::uint64_t i = 0; i < 200; ++i) add_function(0x2000 + i * 0x10, 0x10, "");
  const auto map = must_map(model);
  const auto name_at = [&](std::uint64_t rva) {
    return std::string(map->find_nearest_name(base::Rva{rva}).value_or("-"));
  };
  EXPECT_EQ(name_at(0x103f), "outer");
  EXPECT_EQ(name_at(0x1040), "inner");
  EXPECT_EQ(name_at(0x1060), "inner") << "no name has an end";
  EXPECT_EQ(name_at(0x1500), "zero");
  EXPECT_EQ(name_at(0x1605), "later");
  EXPECT_EQ(name_at(0x1700), "a");
  EXPECT_EQ(name_at(0x1800), "a") << "a public without a name is passed over";
  EXPECT_EQ(name_at(0x1900), "named");
  EXPECT_EQ(name_at(0x5000), "named") << "however many have none";
  Hit hit;
  ASSERT_TRUE(map->find(base::Rva{0x1040}, hit));
  EXPECT_EQ(hit.physical.function, "outer");
  EXPECT_FALSE(map->find(base::Rva{0x1500}, hit));
}

TEST(Map, StackWinShortensTheRecordBefore) {
  Model model;
  const auto add = [&](std::uint32_t type, std::uint64_t rva, std::uint32_t size,
                       std::uint32_t local) {
    StackWin record;
    record.type = type;
    record.rva = rva;
    record.size = size;
    record.local_size = local;
    model.stack_win.push_back(record);
  };
  add(4, 0, 10, 1);
  add(4, 1, 9, 2);
  add(4, 4, 6, 3);
  add(4, 4, 6, 4);  // same range: the first stays
  add(4, 2, 6, 5);  // meets the one before and does not start later: dropped
  add(0, 0, 40, 6);
  const auto map = must_map(model);
  const auto local_at = [&](std::uint64_t rva) {
    const auto rule = map->find_stack_win(base::Rva{rva});
    return rule ? rule->local_size : 0;
  };
  EXPECT_EQ(local_at(0), 1u);
  EXPECT_EQ(local_at(1), 2u);
  EXPECT_EQ(local_at(3), 2u);
  EXPECT_EQ(local_at(4), 3u);
  EXPECT_EQ(local_at(9), 3u);
  EXPECT_EQ(local_at(10), 6u);  // frame data wins where there is some
  EXPECT_EQ(local_at(40), 0u);
}

// With long names, and a directory and several blocks of texts.
Model model_of_size(std::uint64_t functions) {
  Model model;
  model.info.name = "a_module_with_a_rather_long_name.so";
  for (std::uint64_t i = 0; i < functions; ++i) {
    Function f;
    f.rva = 0x1000 + i * 0x20;
    f.size = 0x10;
    f.name = model.strings.intern("space::Class" + std::to_string(i * 7919 % functions) +
                                  "::method_with_a_long_name(int, char const*)");
    model.functions.push_back(f);
  }
  return model;
}

void find_all(const Map& map, std::uint64_t functions) {
  Hit hit;
  for (std::uint64_t i = 0; i < functions; ++i) {
    ASSERT_TRUE(map.find(base::Rva{0x1000 + i * 0x20}, hit));
  }
}

// What maps say that they take is what the heap grows by: when they are opened, when all of their
// texts were needed, and with a dictionary for these.
TEST(MapMemory, IsWhatTheHeapGrowsBy) {
  if (!testing_support::find_heap_in_use()) GTEST_SKIP() << "this allocator does not tell";
  const auto directory = base::TemporaryDirectory::create("map-memory").value();
  for (const std::uint64_t functions : {1u, 200u, 8000u}) {
    const std::string path = base::join_path(directory.path(), std::to_string(functions));
    const auto bytes = write_index(model_of_size(functions)).value();
    ASSERT_TRUE(base::write_file_durably(path, bytes).ok());
    find_all(*Map::open(base::MappedFile::open(path).value()).value(), functions);  // zstd's own
    const auto memory = std::make_shared<MapMemory>();
    std::vector<std::shared_ptr<const Map>> maps;
    maps.reserve(100);
    const std::int64_t before = testing_support::find_heap_in_use().value();
    const auto expect_right = [&](const char* when) {
      const auto grown = static_cast<double>(testing_support::find_heap_in_use().value() - before);
      EXPECT_NEAR(static_cast<double>(memory->kept()), grown, grown * 0.02)
          << functions << " functions, " << when;
    };
    while (maps.size() < 100) {
      maps.push_back(Map::open(base::MappedFile::open(path).value(), memory).value());
    }
    expect_right("opened");
    for (const auto& map : maps) find_all(*map, functions);
    expect_right("used");
    EXPECT_EQ(maps.front()->memory_size() * 100, memory->kept());
    maps.clear();
    EXPECT_EQ(memory->kept(), 0u);
  }
}

TEST(MapMemory, OfAMapThatWasLetGoOfIsLent) {
  const auto memory = std::make_shared<MapMemory>();
  const auto bytes = write_index(model_of_size(200)).value();
  auto map = Map::open(base::MappedFile::from_bytes(bytes), memory).value();
  const std::uint64_t opened = memory->kept();
  EXPECT_GT(opened, 0u);
  map->lend();
  map->lend();
  EXPECT_EQ(memory->kept(), 0u);
  EXPECT_EQ(memory->lent(), opened);
  find_all(*map, 200);
  EXPECT_GT(memory->lent(), opened) << "it may still grow";
  EXPECT_EQ(memory->lent(), map->memory_size());
  map = nullptr;
  EXPECT_EQ(memory->lent(), 0u);
}

}  // namespace
}  // namespace symbols
