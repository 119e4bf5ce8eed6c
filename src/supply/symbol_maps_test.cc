#include "supply/symbol_maps.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/lost_pages.h"
#include "base/text.h"
#include "ingest/ingest.h"
#include "store/data_directory.h"
#include "supply/derived_sizes.h"
#include "supply/extract_job.h"
#include "testing/heap_in_use.h"

namespace supply {
namespace {

using State = SymbolMaps::Answer::State;

std::string id_of(unsigned number) { return fmt::format("{:032X}0", number); }

// A store, and indexes made in this process.
struct Place {
  base::TemporaryDirectory root = base::TemporaryDirectory::create("symbol-maps-test").value();
  store::DataDirectory data = store::DataDirectory::open(root.path(), "test").value();
  store::Blobs blobs = store::Blobs::open(data.blobs(), data.tmp()).value();
  std::unique_ptr<db::Database> database = db::Database::open(data.database_url()).value();
  store::Catalog catalog{*database};
  ingest::Ingest ingest{blobs, catalog, {}};
  std::unique_ptr<Supply> supply;

  Place() {
    EXPECT_TRUE(database->migrate(store::Catalog::migrations()).ok());
    supply = std::make_unique<Supply>(
        blobs, catalog,
        Supply::Options{
            {}, {data.index(), data.tmp(), 1, [](const ExtractJob& job, const std::atomic<bool>&) {
                   return run_extract_job(job);
                 }}});
  }

  // A .sym with `count` functions, put to the path of its name and `id`.
  void must_put(const std::string& name, const std::string& id, unsigned count = 1,
                const std::string& id_inside = "") {
    std::string text =
        fmt::format("MODULE Linux x86_64 {} {}\n", id_inside.empty() ? id : id_inside, name);
    for (unsigned i = 0; i < count; ++i) {
      text += fmt::format("FUNC {:x} 10 0 {}_{:032}\n", 0x1000 + i * 16, name, i * 7919 % count);
    }
    base::PendingFile file = blobs.create().value();
    ASSERT_TRUE(file.append(base::bytes_of(text)).ok());
    const ident::StorePath path{name, id, ident::sym_file_name(name)};
    ASSERT_TRUE(ingest.keep_file({}, {std::move(file), path, ""}).ok());
  }

  // As a server does: asks, waits, opens.
  SymbolMaps::Answer open(SymbolMaps& maps, const std::string& name, const std::string& id) {
    for (int round = 0; round < 8; ++round) {
      SymbolMaps::Answer answer = maps.open(name, id, {});
      if (answer.state != State::unknown) return answer;
      (void)supply->wait_for(SymbolMaps::request_for(name, id, {}),
                             Supply::Clock::now() + std::chrono::seconds(20));
    }
    return {};
  }
};

TEST(SymbolMaps, OpensOnceWhatIsAskedOften) {
  Place place;
  place.must_put("a.so", id_of(1));
  SymbolMaps maps(*place.supply, {});
  EXPECT_EQ(maps.local("a.so", id_of(1), {}).state, State::unknown);
  const auto first = place.open(maps, "a.so", id_of(1));
  ASSERT_EQ(first.state, State::open);
  for (const std::string& id : {id_of(1), base::lower_ascii(id_of(1))}) {
    const auto again = maps.local("A.SO", id, {});
    ASSERT_EQ(again.state, State::open) << "names and ids know no case";
    EXPECT_EQ(again.map, first.map);
  }
  EXPECT_EQ(maps.counts().opened, 1u);
  EXPECT_EQ(place.open(maps, "a.so", id_of(2)).state, State::missing);
}

TEST(SymbolMaps, WhatNamesNoModuleIsMissingAtOnce) {
  Place place;
  SymbolMaps maps(*place.supply, {});
  for (const auto& [name, id] :
       {std::pair{"", "000102030405060708090A0B0C0D0E0F0"}, std::pair{"a.so", ""},
        std::pair{"../x", "AB"}, std::pair{"[vdso]", "xyz"}, std::pair{"a.so", "x/y"}}) {
    EXPECT_EQ(maps.local(name, id, {}).state, State::missing) << name << " " << id;
  }
  EXPECT_EQ(maps.local("[vdso]", id_of(1), {}).state, State::unknown)
      << "an id that is one is looked for under any name";
}

TEST(SymbolMaps, ATextWithAnOddIdIsFoundByItsPath) {
  Place place;
  place.must_put("odd.pdb", "AABB1");
  SymbolMaps maps(*place.supply, {});
  EXPECT_EQ(place.open(maps, "odd.pdb", "AABB1").state, State::open);
  EXPECT_EQ(place.open(maps, "odd.pdb", "AABB2").state, State::missing);
}

TEST(SymbolMaps, ATextOfAnotherModuleIsNotFoundByItsPath) {
  Place place;
  place.must_put("a.so", id_of(1), 1, id_of(2));
  SymbolMaps maps(*place.supply, {});
  EXPECT_EQ(place.open(maps, "a.so", id_of(1)).state, State::missing);
  EXPECT_EQ(place.open(maps, "a.so", id_of(2)).state, State::open);
}

// Two modules may have the same id by a mistake of their makers.
TEST(SymbolMaps, ATextIsOfTheModuleThatItNames) {
  Place place;
  place.must_put("a.so", id_of(1));
  SymbolMaps maps(*place.supply, {});
  EXPECT_EQ(place.open(maps, "b.so", id_of(1)).state, State::missing);
  EXPECT_EQ(place.open(maps, "A.so", id_of(1)).state, State::open);
}

TEST(SymbolMaps, LetsGoOfTheLeastUsedWhenTextsTakeTooMuchMemory) {
  Place place;
  constexpr unsigned kModules = 12;
  for (unsigned i = 1; i <= kModules; ++i) place.must_put("a.so", id_of(i), 500);
  SymbolMaps::Options options;
  options.memory_max = 100'000;
  SymbolMaps maps(*place.supply, options);
  symbols::Hit hit;
  for (int round = 0; round < 3; ++round) {
    for (unsigned i = 1; i <= kModules; ++i) {
      const auto answer = place.open(maps, "a.so", id_of(i));
      ASSERT_EQ(answer.state, State::open);
      for (unsigned k = 0; k < 500; ++k) {
        ASSERT_TRUE(answer.map->find(base::Rva{0x1000 + k * 16}, hit));
      }
      EXPECT_GT(answer.map->memory_size(), 500u * 20);
      // The first is used all the time, so it stays.
      ASSERT_EQ(place.open(maps, "a.so", id_of(1)).state, State::open);
    }
  }
  const auto counts = maps.counts();
  EXPECT_GT(counts.let_go, 0u);
  EXPECT_LT(counts.open, kModules);
  EXPECT_LE(counts.memory, options.memory_max);
  EXPECT_GT(counts.memory, options.memory_max / 4) << "what was used is measured";
  EXPECT_EQ(maps.local("a.so", id_of(1), {}).state, State::open);
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

void find_all(const symbols::Map& map, unsigned functions) {
  symbols::Hit hit;
  for (unsigned i = 0; i < functions; ++i) {
    ASSERT_TRUE(map.find(base::Rva{0x1000 + i * 16}, hit));
  }
}

// All that hundred modules more take of the heap is counted: as open maps, or as answers of Supply.
TEST(SymbolMaps, CountWhatTheHeapGrowsByAndTakeNoDescriptors) {
  constexpr unsigned kModules = 120, kFunctions = 200, kWarm = 20;
  Place place;
  for (unsigned i = 1; i <= kModules; ++i) place.must_put("a.so", id_of(i), kFunctions);
  {
    SymbolMaps warm(*place.supply, {});  // all indexes are made, and the database has its pages
    for (unsigned i = 1; i <= kModules; ++i) (void)place.open(warm, "a.so", id_of(i));
  }
  for (unsigned i = 1; i <= kModules; ++i) {
    place.supply->refresh(SymbolMaps::request_for("a.so", id_of(i), {}));
  }
  SymbolMaps maps(*place.supply, {});
  std::int64_t heap = 0;
  std::uint64_t counted = 0;
  std::size_t descriptors = 0;
  const auto all_counted = [&] {
    return maps.counts().memory + place.supply->counts().remembered.bytes;
  };
  for (unsigned i = 1; i <= kModules; ++i) {
    if (i == kWarm) {
      heap = testing_support::find_heap_in_use().value_or(0);
      counted = all_counted();
      descriptors = open_descriptors();
    }
    // The texts of a map are often needed when others were asked for after it.
    const auto answer = place.open(maps, "a.so", id_of(i));
    ASSERT_EQ(answer.state, State::open);
    ASSERT_EQ(place.open(maps, "a.so", id_of(1)).state, State::open);
    find_all(*answer.map, kFunctions);
  }
  EXPECT_LE(open_descriptors(), descriptors + 2);
  EXPECT_EQ(place.supply->counts().remembered.open, 0u);
  if (heap == 0) GTEST_SKIP() << "this allocator does not tell";
  const auto grown = static_cast<double>(testing_support::find_heap_in_use().value() - heap);
  EXPECT_GT(grown, (kModules - kWarm) * 10'000.0);
  EXPECT_NEAR(static_cast<double>(all_counted() - counted), grown, grown * 0.1);
}

TEST(SymbolMaps, ALetGoMapServesItsHolderAndIsCountedApart) {
  Place place;
  for (unsigned i = 1; i <= 3; ++i) place.must_put("a.so", id_of(i), 100);
  SymbolMaps::Options options;
  options.memory_max = 1;
  SymbolMaps maps(*place.supply, options);
  auto held = place.open(maps, "a.so", id_of(1)).map;
  ASSERT_EQ(place.open(maps, "a.so", id_of(2)).state, State::open);
  EXPECT_EQ(maps.counts().open, 1u);
  EXPECT_EQ(maps.counts().lent, held->memory_size());
  find_all(*held, 100);
  EXPECT_EQ(maps.counts().lent, held->memory_size());
  const auto again = place.open(maps, "a.so", id_of(1));
  ASSERT_EQ(again.state, State::open);
  EXPECT_NE(again.map, held);
  held = nullptr;
  EXPECT_EQ(maps.counts().lent, 0u);
  EXPECT_EQ(maps.counts().open, 1u);
}

// What was looked up after others were asked for counts at once, not when it is asked for again.
TEST(SymbolMaps, TheLeastRecentlyUsedGoesFirst) {
  Place place;
  for (unsigned i = 1; i <= 4; ++i) place.must_put("a.so", id_of(i), 500);
  std::uint64_t cost = 0;  // of one with all of its texts
  {
    SymbolMaps maps(*place.supply, {});
    const auto map = place.open(maps, "a.so", id_of(1)).map;
    find_all(*map, 500);
    cost = maps.counts().memory;
  }
  SymbolMaps::Options options;
  options.memory_max = cost * 3;
  SymbolMaps maps(*place.supply, options);
  std::vector<std::shared_ptr<const symbols::Map>> used;
  used.reserve(3);
  for (unsigned i = 1; i <= 3; ++i) used.push_back(place.open(maps, "a.so", id_of(i)).map);
  for (const auto& map : used) find_all(*map, 500);
  used.clear();
  EXPECT_EQ(maps.counts().memory, cost * 3);
  ASSERT_EQ(maps.local("a.so", id_of(1), {}).state, State::open);
  ASSERT_EQ(place.open(maps, "a.so", id_of(4)).state, State::open);
  EXPECT_EQ(maps.local("a.so", id_of(2), {}).state, State::closed);
  EXPECT_EQ(maps.local("a.so", id_of(3), {}).state, State::open);
  EXPECT_EQ(maps.local("a.so", id_of(1), {}).state, State::open);
  EXPECT_LE(maps.counts().memory, options.memory_max);
}

TEST(SymbolMaps, HoldsNoMoreThanItsNumber) {
  Place place;
  for (unsigned i = 1; i <= 5; ++i) place.must_put("a.so", id_of(i));
  SymbolMaps::Options options;
  options.count_max = 2;
  SymbolMaps maps(*place.supply, options);
  for (unsigned i = 1; i <= 5; ++i) {
    EXPECT_EQ(place.open(maps, "a.so", id_of(i)).state, State::open);
  }
  EXPECT_EQ(maps.counts().open, 2u);
  EXPECT_EQ(maps.local("a.so", id_of(5), {}).state, State::open);
  EXPECT_EQ(maps.local("a.so", id_of(1), {}).state, State::closed);
}

TEST(SymbolMaps, AnUploadThatSaysMoreIsUsedAtOnce) {
  Place place;
  place.must_put("a.so", id_of(1), 1);
  SymbolMaps maps(*place.supply, {});
  symbols::Hit hit;
  EXPECT_FALSE(place.open(maps, "a.so", id_of(1)).map->find(base::Rva{0x1010}, hit));
  EXPECT_EQ(place.open(maps, "a.so", id_of(2)).state, State::missing);
  place.must_put("a.so", id_of(2), 2);
  EXPECT_TRUE(place.open(maps, "a.so", id_of(2)).map->find(base::Rva{0x1010}, hit));
}

TEST(SymbolMaps, ADamagedOrLostIndexIsMadeAgain) {
  Place place;
  place.must_put("a.so", id_of(1));
  const auto request = SymbolMaps::request_for("a.so", id_of(1), {});
  for (const std::optional<std::uint64_t> size :
       std::vector<std::optional<std::uint64_t>>{100, {}, 0}) {
    const auto found =
        place.supply->wait_for(request, Supply::Clock::now() + std::chrono::seconds(20));
    ASSERT_TRUE(found.here());
    const std::string path = found.file()->path;
    ASSERT_EQ(size ? ::truncate(path.c_str(), static_cast<off_t>(*size)) : ::unlink(path.c_str()),
              0);
    SymbolMaps maps(*place.supply, {});
    EXPECT_EQ(place.open(maps, "a.so", id_of(1)).state, State::open) << size.value_or(999);
  }
}

// A request without a name is another question to Supply, but the file is the same.
TEST(SymbolMaps, WhoWaitsGetsADamagedIndexMadeAgain) {
  Place place;
  place.must_put("a.so", id_of(1), 200);
  const auto request = ident::module_request(ident::Artifact::index, "",
                                             ident::DebugId::parse(id_of(1)).value(), {});
  const auto soon = [] { return Supply::Clock::now() + std::chrono::seconds(20); };
  SymbolMaps maps(*place.supply, {});
  const auto first = maps.wait_for(request, soon());
  ASSERT_TRUE(first.ok()) << first.error().what;
  EXPECT_EQ(place.open(maps, "a.so", id_of(1)).map, *first);
  const std::string path = (*first)->path();
  const std::string sound = base::read_file(path).value();
  int made_again = 0;
  for (const std::size_t quarters : {0u, 2u, 3u}) {
    std::string bytes = sound;
    char& byte = bytes.at(sound.size() * quarters / 4);
    byte = static_cast<char>(byte ^ 0x10);
    ASSERT_EQ(::unlink(path.c_str()), 0);
    ASSERT_TRUE(base::write_file_durably(path, base::bytes_of(bytes)).ok());
    SymbolMaps others(*place.supply, {});
    auto map = others.wait_for(request, soon());
    ASSERT_TRUE(map.ok()) << map.error().what;
    symbols::Hit hit;
    for (unsigned i = 0; i < 200; ++i) (void)(*map)->find(base::Rva{0x1000 + i * 16}, hit);
    map = others.wait_for(request, soon());
    ASSERT_TRUE(map.ok()) << map.error().what;
    find_all(**map, 200);
    made_again += base::read_file(path).value() == sound;
  }
  EXPECT_EQ(made_again, 3);
  const auto missing = ident::module_request(ident::Artifact::index, "",
                                             ident::DebugId::parse(id_of(2)).value(), {});
  EXPECT_EQ(maps.wait_for(missing, soon()).error().fault, base::Fault::not_found);
}

TEST(SymbolMaps, WhatWasRemovedIsNotKeptMapped) {
  Place place;
  place.must_put("a.so", id_of(1));
  place.must_put("a.so", id_of(2));
  SymbolMaps maps(*place.supply, {});
  std::weak_ptr<const symbols::Map> first = place.open(maps, "a.so", id_of(1)).map;
  const auto second = place.open(maps, "a.so", id_of(2)).map;
  ASSERT_FALSE(first.expired());
  const auto sizes = DerivedSizes::open(place.data.index()).value();
  sizes->on_removed([&](const std::string& path) { maps.removed(path); });
  sizes->shrink_to(0);
  EXPECT_TRUE(first.expired());
  EXPECT_EQ(maps.counts().open, 0u);
  symbols::Hit hit;
  EXPECT_TRUE(second->find(base::Rva{0x1000}, hit)) << "who holds one may use it";
  EXPECT_EQ(place.open(maps, "a.so", id_of(1)).state, State::open) << "it is made again";
  EXPECT_EQ(maps.counts().open, 1u);
  sizes->on_removed(nullptr);
}

// An index of 200 functions, which is damaged while nobody or somebody has it open.
class DamagedIndex : public testing::Test {
 protected:
  void SetUp() override {
    place_.must_put("a.so", id_of(1), kFunctions);
    maps_.emplace(*place_.supply, SymbolMaps::Options{});
    ASSERT_EQ(find_all(open(*maps_)), kFunctions);
    sound_ = base::read_file(path()).value();
    ASSERT_GT(sound_.size(), 4096u);
  }
  std::shared_ptr<const symbols::Map> open(SymbolMaps& maps) {
    return place_.open(maps, "a.so", id_of(1)).map;
  }
  std::string path() {
    const auto found = place_.supply->wait_for(SymbolMaps::request_for("a.so", id_of(1), {}),
                                               Supply::Clock::now() + std::chrono::seconds(20));
    EXPECT_TRUE(found.here());
    return found.here() ? found.file()->path : "";
  }
  static unsigned find_all(const std::shared_ptr<const symbols::Map>& map) {
    symbols::Hit hit;
    unsigned found = 0;
    for (unsigned i = 0; i < kFunctions && map != nullptr; ++i) {
      found += map->find(base::Rva{0x1000 + i * 16}, hit) && hit.physical.function.size() > 32;
    }
    return found;
  }
  // What is asked next, or after that, is whole again.
  void expect_made_again(SymbolMaps& maps, std::size_t at) {
    const unsigned first = find_all(open(maps));
    EXPECT_LE(first, kFunctions) << at;
    if (first != kFunctions) {
      EXPECT_EQ(find_all(open(maps)), kFunctions) << at;
    }
    EXPECT_TRUE(base::read_file(path()).value() == sound_) << at;
  }
  void write(std::string_view bytes) {
    ASSERT_EQ(::unlink(path().c_str()), 0);
    ASSERT_TRUE(base::write_file_durably(path(), base::bytes_of(bytes)).ok());
  }

  static constexpr unsigned kFunctions = 200;
  Place place_;
  std::optional<SymbolMaps> maps_;
  std::string sound_;  // the file's bytes
};

TEST_F(DamagedIndex, CutAtEvery64BytesIsMadeAgain) {
  for (std::size_t size = 0; size < sound_.size(); size += 64) {
    ASSERT_EQ(::truncate(path().c_str(), static_cast<off_t>(size)), 0);
    SymbolMaps maps(*place_.supply, {});
    expect_made_again(maps, size);
  }
}

TEST_F(DamagedIndex, WithAFlippedByteIsMadeAgain) {
  for (std::size_t at = 0; at < sound_.size(); at += 61) {
    std::string bytes = sound_;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    write(bytes);
    SymbolMaps maps(*place_.supply, {});
    // A page is verified when a lookup touches it; padding is never looked at.
    if (const unsigned first = find_all(open(maps)); first == kFunctions) {
      EXPECT_FALSE(open(maps)->is_damaged()) << at;
      write(sound_);
      continue;
    }
    expect_made_again(maps, at);
  }
}

// What is lost with whole pages is told at once; of the last page's rest, its zeros, a look at the
// file's size tells.
TEST_F(DamagedIndex, CutWhileItIsOpenIsMadeAgainSoon) {
  base::read_lost_pages_as_zeros();
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{64}, std::size_t{4096}, sound_.size() - 10}) {
    const auto held = open(*maps_);
    ASSERT_EQ(find_all(held), kFunctions);
    ASSERT_EQ(::truncate(path().c_str(), static_cast<off_t>(size)), 0);
    EXPECT_LE(find_all(held), kFunctions);
    const auto deadline = Supply::Clock::now() + std::chrono::seconds(20);
    while (base::read_file(path()).value() != sound_) {
      ASSERT_LT(Supply::Clock::now(), deadline) << size;
      EXPECT_LE(find_all(open(*maps_)), kFunctions);
    }
    EXPECT_EQ(find_all(open(*maps_)), kFunctions) << size;
  }
}

}  // namespace
}  // namespace supply
