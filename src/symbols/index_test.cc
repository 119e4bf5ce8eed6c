#include <gtest/gtest.h>

#include <array>

#include "base/pool.h"
#include "symbols/index_damage.h"
#include "symbols/index_writer.h"
#include "symbols/map.h"

namespace symbols {
namespace {

std::vector<std::uint8_t> must_write(const Model& model, unsigned threads = 1) {
  IndexOptions options;
  options.threads = threads;
  auto bytes = write_index(model, options);
  EXPECT_TRUE(bytes.ok());
  return std::move(bytes).value();
}

base::Result<std::shared_ptr<const Map>> open(std::vector<std::uint8_t> bytes) {
  return Map::open(base::MappedFile::from_bytes(std::move(bytes)));
}

TEST(SymbolIndex, NoticesEveryFlippedByte) {
  const auto good = must_write(damage::sample_model());
  const auto sound = open(good);
  ASSERT_TRUE(sound.ok());
  const std::size_t whole = damage::ask_everything(**sound, damage::kSampleReach);
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto bytes = good;
    bytes[at] ^= 0x10;
    const auto map = open(bytes);
    // Padding between sections is the only place where a change may do nothing.
    if (map.ok()) {
      EXPECT_LE(damage::ask_everything(**map, damage::kSampleReach), whole) << at;
    }
  }
}

TEST(SymbolIndex, DamageBehindTheChecksumsIsNoCrash) {
  const auto good = must_write(damage::sample_model());
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const unsigned value : {0x00u, 0x7fu, 0xffu}) {
      auto bytes = good;
      bytes[at] = static_cast<std::uint8_t>(value);
      damage::reseal(bytes);
      const auto map = open(std::move(bytes));
      if (map.ok()) damage::ask_everything(**map, 0x80);
    }
  }
}

TEST(SymbolIndex, EveryPrefixIsRefused) {
  const auto good = must_write(damage::sample_model());
  for (std::size_t size = 0; size < good.size(); ++size) {
    std::vector<std::uint8_t> prefix(good.begin(), good.begin() + static_cast<long>(size));
    const auto plain = open(prefix);
    ASSERT_FALSE(plain.ok()) << size;
    EXPECT_EQ(plain.error().fault, base::Fault::malformed);
    damage::reseal(prefix);
    const auto map = open(std::move(prefix));
    if (map.ok()) damage::ask_everything(**map, 0x80);
  }
}

TEST(SymbolIndex, AppearsWholeInADirectoryOfItsOwn) {
  const auto folder = base::TemporaryDirectory::create("symbol-index-");
  ASSERT_TRUE(folder.ok());
  for (const bool durable : {true, false}) {
    IndexOptions options;
    options.durable = durable;
    const std::string path = folder->path() + (durable ? "/a/b/sound.fidx" : "/c/d/quick.fidx");
    ASSERT_TRUE(write_index_file(damage::sample_model(), path, options).ok());
    const auto file = base::MappedFile::open(path);
    ASSERT_TRUE(file.ok());
    EXPECT_TRUE(Map::open(*file).ok());
  }
  EXPECT_EQ(base::list_files(folder->path()).value().size(), 2u);  // nothing unfinished is left
}

TEST(SymbolIndex, ManyThreadsMayAskAColdMap) {
  const auto bytes = must_write(damage::sample_model());
  const auto map = open(bytes);
  ASSERT_TRUE(map.ok());
  std::array<std::size_t, 8> seen{};
  base::parallel_for(seen.size(), 4, [&](std::size_t i) {
    seen[i] = damage::ask_everything(**map, damage::kSampleReach);
  });
  for (const std::size_t one : seen) EXPECT_EQ(one, seen[0]);
}

TEST(SymbolIndex, AnotherVersionIsUnsupported) {
  auto bytes = must_write(damage::sample_model());
  bytes[8] = 99;
  const auto map = open(bytes);
  ASSERT_FALSE(map.ok());
  EXPECT_EQ(map.error().fault, base::Fault::unsupported);
}

TEST(SymbolIndex, UnknownSectionsAreSkipped) {
  auto bytes = must_write(damage::sample_model());
  // Rename the section of mangled names: an older reader that does not know it.
  for (std::size_t at = index::kHeadSize; at < 1024; at += index::kSectionEntrySize) {
    if (damage::load<std::uint32_t>(bytes, at) != index::kFunctionNames) continue;
    damage::store<std::uint32_t>(bytes, at, index::tag("NEWS"));
    break;
  }
  damage::reseal(bytes);
  const auto map = open(bytes);
  ASSERT_TRUE(map.ok());
  Hit hit;
  ASSERT_TRUE((*map)->find(base::Rva{0x10}, hit));
  EXPECT_EQ(hit.physical.function, "function0");
  EXPECT_EQ(hit.mangled, "");
}

// Records that find() knows all of cost nothing more.
TEST(SymbolIndex, OnlyModulesWithOddRecordsHaveASectionForThem) {
  const auto has_section = [](const Model& model) {
    const auto bytes = must_write(model);
    const auto count = damage::load<std::uint32_t>(bytes, 36);
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::size_t at = index::kHeadSize + i * index::kSectionEntrySize;
      if (damage::load<std::uint32_t>(bytes, at) == index::kNearest) return true;
    }
    return false;
  };
  Model model = damage::sample_model();
  EXPECT_TRUE(has_section(model));
  model.functions.resize(3);
  model.publics.push_back({0x10, 0, model.strings.intern("beside function0"), 0, false});
  EXPECT_FALSE(has_section(model));
}

TEST(SymbolIndex, TheNumberOfThreadsChangesNothing) {
  Model model;
  model.files.push_back(model.strings.intern("a.cc"));
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    Function f;
    f.rva = std::uint64_t{i} * 32;
    f.size = 32;
    f.name = model.strings.intern("function number " + std::to_string(i * 7919 % 20'000));
    f.first_line = static_cast<std::uint32_t>(model.lines.size());
    f.line_count = 4;
    for (std::uint32_t l = 0; l < 4; ++l) model.lines.push_back({f.rva + l * 8, 8, l * i, 0});
    f.first_inline = static_cast<std::uint32_t>(model.inlines.size());
    f.inline_count = 1;
    InlineSite site;
    site.name = model.strings.intern("inlined " + std::to_string(i % 100));
    site.call_file = 0;
    site.call_line = i;
    site.first_range = static_cast<std::uint32_t>(model.inline_ranges.size());
    site.range_count = 1;
    model.inline_ranges.push_back({f.rva + 4, 9});
    model.inlines.push_back(site);
    model.functions.push_back(f);
  }
  const auto one = must_write(model, 1);
  EXPECT_EQ(one, must_write(model, 2));
  EXPECT_EQ(one, must_write(model, 7));
}

TEST(SymbolIndex, TextsTooLongForOneBlockAreKept) {
  Model model;
  const std::string sizes[] = {std::string(100, 'a'), std::string(20'000, 'b'),
                               std::string(16'384, 'c'), std::string(70'000, 'd'), "e"};
  for (std::uint32_t i = 0; i < std::size(sizes); ++i) {
    Function f;
    f.rva = i * 16;
    f.size = 16;
    f.name = model.strings.intern(sizes[i]);
    model.functions.push_back(f);
  }
  const auto map = open(must_write(model));
  ASSERT_TRUE(map.ok());
  for (int round = 0; round < 2; ++round) {
    for (std::uint32_t i = 0; i < std::size(sizes); ++i) {
      Hit hit;
      ASSERT_TRUE((*map)->find(base::Rva{i * 16}, hit)) << i;
      EXPECT_EQ(hit.physical.function, sizes[i]) << i;
    }
  }
}

TEST(SymbolIndex, TooLongATextIsTooLarge) {
  Model model;
  Function f;
  f.size = 16;
  f.name = model.strings.intern(std::string(5 * 1024 * 1024, 'x'));
  model.functions.push_back(f);
  const auto bytes = write_index(model);
  ASSERT_FALSE(bytes.ok());
  EXPECT_EQ(bytes.error().fault, base::Fault::too_large);
}

TEST(SymbolIndex, DeepAndWideInlineTreesEnd) {
  // A thousand outer calls that cover all, under one that comes and goes: each of its returns
  // makes all depths be looked at again.
  Model model;
  Function f;
  f.size = 0x100000;
  f.name = model.strings.intern("f");
  const auto add = [&](std::uint32_t depth, std::uint32_t ranges, std::uint32_t step) {
    InlineSite site;
    site.name = model.strings.intern("i" + std::to_string(depth));
    site.depth = depth;
    site.first_range = static_cast<std::uint32_t>(model.inline_ranges.size());
    site.range_count = ranges;
    for (std::uint32_t i = 0; i < ranges; ++i) model.inline_ranges.push_back({i * step, step - 1});
    model.inlines.push_back(site);
    ++f.inline_count;
  };
  add(0, 20'000, 32);
  for (std::uint32_t depth = 1; depth < 1200; ++depth) add(depth, 1, 0x100000);
  model.functions.push_back(f);
  const auto map = open(must_write(model));
  ASSERT_TRUE(map.ok());
  Hit hit;
  ASSERT_TRUE((*map)->find(base::Rva{5}, hit));
  EXPECT_EQ(hit.inlines.size(), 1024u);
}

}  // namespace
}  // namespace symbols
