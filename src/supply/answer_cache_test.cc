#include "supply/answer_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "supply/spellings.h"
#include "testing/heap_in_use.h"

namespace supply {
namespace {

using namespace std::chrono_literals;

TEST(AnswerCache, DropsTheLongestUnusedAndWhatHasExpired) {
  AnswerCache cache({2, 2, 2}, 1);
  const auto now = AnswerCache::Clock::now();
  const Found miss = Found::miss({base::Fault::not_found, "x"});
  cache.put(AnswerKey("a"), {"1"}, miss, now + 1h);
  cache.put(AnswerKey("b"), {"2"}, miss, now + 1h);
  EXPECT_TRUE(cache.find(AnswerKey("a")).settled());
  cache.put(AnswerKey("c"), {"3", "1"}, miss, now + 1h);
  EXPECT_FALSE(cache.find(AnswerKey("b")).settled());
  EXPECT_TRUE(cache.find(AnswerKey("c")).settled());
  EXPECT_FALSE(cache.find(AnswerKey("c"), now + 2h).settled());
  cache.put(AnswerKey("c"), {"3", "1"}, miss, now + 1h);
  cache.forget("1");
  EXPECT_FALSE(cache.find(AnswerKey("a")).settled());
  EXPECT_FALSE(cache.find(AnswerKey("c")).settled());
  EXPECT_EQ(cache.sizes().misses, 0u);
}

// A remembered answer about a real file of that content.
Found file_in(const base::TemporaryDirectory& directory, const std::string& content) {
  Supplied supplied;
  supplied.path = base::join_path(directory.path(), content);
  EXPECT_TRUE(base::write_file_durably(supplied.path, base::bytes_of(content)).ok());
  const int fd = ::open(supplied.path.c_str(), O_RDONLY | O_CLOEXEC);
  supplied.fd = std::make_shared<const base::Fd>(fd);
  supplied.size = content.size();
  return Found::file(std::move(supplied));
}

TEST(AnswerCache, TellsOnceWhatWasAskedFor) {
  const auto directory = base::TemporaryDirectory::create("answers").value();
  AnswerCache cache({2, 2, 2}, 1);
  using Ids = std::vector<std::string>;
  cache.put(AnswerKey("a"), {"a1", "a2"}, file_in(directory, "x"));
  cache.put(AnswerKey("none"), {"n1"}, Found::miss({}));
  EXPECT_EQ(cache.take_asked(), (Ids{"a1", "a2"})) << "somebody waited for it";
  EXPECT_EQ(cache.take_asked(), Ids{});
  EXPECT_TRUE(cache.find(AnswerKey("a")).here());
  EXPECT_EQ(cache.take_asked(), (Ids{"a1", "a2"}));
  cache.find(AnswerKey("none"));
  EXPECT_EQ(cache.take_asked(), Ids{}) << "nobody was given anything";
  cache.find(AnswerKey("a"));
  cache.forget("a1");
  EXPECT_EQ(cache.take_asked(), (Ids{"a1", "a2"})) << "though it is not remembered any more";
}

TEST(AnswerCache, TellsWhatSomebodyReads) {
  const auto directory = base::TemporaryDirectory::create("answers").value();
  AnswerCache cache({2, 2, 2, 0}, 1);
  cache.put(AnswerKey("a"), {"a"}, file_in(directory, "a"));
  const std::string path = directory.path() + "/a";
  EXPECT_TRUE(cache.is_read(path)) << "somebody waited for it, and will ask";
  EXPECT_FALSE(cache.is_read(path));
  {
    const Found reader = cache.find(AnswerKey("a"));
    ASSERT_NE(reader.fd(), nullptr);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(cache.is_read(path));
    EXPECT_FALSE(cache.is_read(directory.path() + "/b"));
  }
  EXPECT_FALSE(cache.is_read(path));
  static_cast<void>(cache.find(AnswerKey("a")));
  EXPECT_TRUE(cache.is_read(path)) << "it was told since";
  EXPECT_FALSE(cache.is_read(path));
}

TEST(AnswerCache, AFileThatWasClosedIsOpenedAgain) {
  const auto directory = base::TemporaryDirectory::create("answers").value();
  AnswerCache cache({3, 1, 2, 0}, 1);
  for (const std::string& name : std::vector<std::string>{"a", "b", "c"}) {
    cache.put(AnswerKey(name), {name}, file_in(directory, name));
  }
  EXPECT_EQ(cache.sizes().files, 3u);
  EXPECT_EQ(cache.sizes().open, 1u);
  for (const std::string& name : std::vector<std::string>{"a", "b", "c", "c"}) {
    const Found found = cache.find(AnswerKey(name));
    ASSERT_TRUE(found.here()) << name;
    ASSERT_NE(found.fd(), nullptr) << name;
    char read = 0;
    EXPECT_EQ(::pread(found.fd()->get(), &read, 1, 0), 1);
    EXPECT_EQ(std::string(1, read), name);
    EXPECT_EQ(cache.sizes().open, 1u);
  }
}

TEST(AnswerCache, ASmallContentIsInMemoryWhileThereIsRoom) {
  const auto directory = base::TemporaryDirectory::create("answers").value();
  AnswerCache cache({9, 9, 2, 10}, 1);
  const auto put = [&](const std::string& content) {
    cache.put(AnswerKey(content), {content}, file_in(directory, content));
    return cache.find(AnswerKey(content));
  };
  const Found small = put("sixsix");
  ASSERT_NE(small.content(), nullptr);
  EXPECT_EQ(*small.content(), "sixsix");
  EXPECT_EQ(small.fd(), nullptr);
  const Found late = put("fives");  // together they are more than ten
  EXPECT_EQ(late.content(), nullptr);
  EXPECT_NE(late.fd(), nullptr);
  EXPECT_EQ(cache.sizes().content_bytes, 6u);
  EXPECT_EQ(cache.sizes().open, 1u);
  cache.forget("sixsix");
  EXPECT_EQ(cache.sizes().content_bytes, 0u);
  EXPECT_NE(put("sevenxx").content(), nullptr);
  cache.clear();
  EXPECT_EQ(cache.sizes().content_bytes, 0u);
}

TEST(AnswerCache, OfASectionOnlyThatIsKept) {
  const auto directory = base::TemporaryDirectory::create("answers").value();
  AnswerCache cache({2, 2, 2}, 1);
  const Found whole = file_in(directory, "[section]");
  Supplied section = *whole.file();
  section.fd = whole.fd();
  section.offset = 1;
  section.size = 7;
  cache.put(AnswerKey("a"), {"1"}, Found::file(section));
  EXPECT_EQ(*cache.find(AnswerKey("a")).content(), "section");
  section.size = 70;  // more than there is: as it is, the sender will see
  cache.put(AnswerKey("b"), {"1"}, Found::file(section));
  EXPECT_EQ(cache.find(AnswerKey("b")).content(), nullptr);
}

TEST(AnswerCache, FindsAgainByTheKeyItKeeps) {
  AnswerCache cache({2, 2, 2});
  EXPECT_EQ(cache.key_like(AnswerKey("a")), nullptr);
  cache.put(AnswerKey("a"), {"1"}, Found::miss({base::Fault::not_found, "x"}));
  const SharedKey key = cache.key_like(AnswerKey("a"));
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(cache.key_like(AnswerKey("a")), key);
  EXPECT_TRUE(cache.find(*key).settled());
  cache.forget("1");
  EXPECT_FALSE(cache.find(*key).settled());
}

TEST(Spellings, KeepWhatTheyStandForWhileThereIsRoom) {
  Spellings spellings;
  EXPECT_EQ(spellings.find("/a"), nullptr);
  const auto key_of = [](const std::string& text) {
    return std::make_shared<const AnswerKey>(text);
  };
  spellings.put("/a", key_of("a"));
  spellings.put("/a", key_of("b"));
  EXPECT_EQ(spellings.find("/a")->text, "b");
  EXPECT_EQ(spellings.find("/A"), nullptr);
  spellings.put("/" + std::string(10'000, 'x'), key_of("x"));
  EXPECT_EQ(spellings.find("/" + std::string(10'000, 'x')), nullptr);
  std::size_t known = 0;
  const int count = 200'000;
  for (int i = 0; i < count; ++i) spellings.put("/" + std::to_string(i), key_of("k"));
  for (int i = 0; i < count; ++i) known += spellings.find("/" + std::to_string(i)) ? 1u : 0u;
  EXPECT_GT(known, 60'000u);
  EXPECT_LE(known, 65'536u);
}

TEST(Spellings, OfAnyLengthTakeNoMoreThanTheirBound) {
  Spellings spellings;
  const std::uint64_t empty = spellings.bytes();
  for (int i = 0; i < 100'000; ++i) {
    const std::string text = std::string(450, 'x') + std::to_string(i);
    spellings.put(text, std::make_shared<const AnswerKey>(text));
    ASSERT_LE(spellings.bytes(), Spellings::kBytesMax + (256u << 10)) << "but for empty places";
    ASSERT_NE(spellings.find(text), nullptr) << "the last one has room";
  }
  EXPECT_GT(spellings.bytes(), empty + (16u << 20));
}

// By then another file may stand there, or a link that leads out of where pointers may lead.
TEST(AnswerCache, AForeignFileIsNeverOpenedByItsPath) {
  const auto directory = base::TemporaryDirectory::create("answers").value();
  AnswerCache cache({3, 1, 2, 0}, 1);
  Supplied foreign = *file_in(directory, "a").file();
  foreign.is_foreign = true;
  foreign.fd = std::make_shared<const base::Fd>(::open(foreign.path.c_str(), O_RDONLY | O_CLOEXEC));
  cache.put(AnswerKey("a"), {"a"}, Found::file(std::move(foreign)));
  EXPECT_TRUE(cache.find(AnswerKey("a")).here());
  cache.put(AnswerKey("b"), {"b"}, file_in(directory, "b"));
  cache.put(AnswerKey("c"), {"c"}, file_in(directory, "c"));
  EXPECT_EQ(cache.find(AnswerKey("a")).state(), Found::State::unknown);
  EXPECT_EQ(cache.sizes().files, 2u);
}

TEST(AnswerCache, AFileThatWasRemovedIsClosedWhenAsked) {
  const auto directory = base::TemporaryDirectory::create("answers").value();
  AnswerCache cache({3, 3, 2, 0}, 1);
  cache.put(AnswerKey("a"), {"1"}, file_in(directory, "a"));
  cache.put(AnswerKey("b"), {"2"}, file_in(directory, "b"));
  ASSERT_TRUE(base::remove_file(base::join_path(directory.path(), "a")).ok());
  cache.close_removed();
  EXPECT_EQ(cache.sizes().open, 1u);
  EXPECT_EQ(cache.find(AnswerKey("a")).state(), Found::State::unknown);
  EXPECT_TRUE(cache.find(AnswerKey("b")).here());
}

TEST(AnswerCache, FilesAreClosedWhenOthersNeedTheirDescriptors) {
  const auto directory = base::TemporaryDirectory::create("answers").value();
  std::size_t room = 3;
  AnswerLimits limits{4, 0, 2, 0};
  limits.open_room = [&] { return room; };
  AnswerCache cache(limits, 1);
  for (const std::string name : {"a", "b", "c", "d"}) {
    cache.put(AnswerKey(name), {name}, file_in(directory, name));
  }
  EXPECT_EQ(cache.sizes().open, 3u);
  room = 1;
  cache.close_surplus();
  EXPECT_EQ(cache.sizes().open, 1u);
  EXPECT_EQ(cache.sizes().files, 4u);
  EXPECT_TRUE(cache.find(AnswerKey("b")).fd());
}

TEST(AnswerCache, AClosedFileThatIsGoneIsNotRemembered) {
  const auto directory = base::TemporaryDirectory::create("answers").value();
  AnswerCache cache({3, 1, 2, 0}, 1);
  cache.put(AnswerKey("a"), {"1"}, file_in(directory, "a"));
  cache.put(AnswerKey("b"), {"2"}, file_in(directory, "b"));
  ASSERT_TRUE(base::remove_file(base::join_path(directory.path(), "a")).ok());
  EXPECT_EQ(cache.find(AnswerKey("a")).state(), Found::State::unknown);
  EXPECT_EQ(cache.sizes().files, 1u);
  EXPECT_TRUE(cache.find(AnswerKey("b")).here());
}

std::string number_text(unsigned number) { return fmt::format("{:032X}0", number); }

// As Supply remembers the index of a module.
void put_file(AnswerCache& cache, unsigned number) {
  Supplied supplied;
  supplied.path = "/var/lib/faultline/index/v1/ab/" + number_text(number) + ".idx";
  supplied.content_tag = number_text(number);
  supplied.name = "libfoo.so.idx";
  supplied.is_for_mapping = true;
  const std::string id = number_text(number);
  cache.put(AnswerKey("index|debug_id|" + id + "|libfoo.so"), {id}, Found::file(supplied));
}

void put_miss(AnswerCache& cache, unsigned number) {
  const std::string id = number_text(number);
  cache.put(AnswerKey("index|debug_id|" + id + "|libbar.so"), {id},
            Found::miss({base::Fault::not_found, "nobody has libbar.so with the id " + id}));
}

TEST(AnswerCache, CountsWhatTheHeapGrowsBy) {
  if (!testing_support::find_heap_in_use()) GTEST_SKIP() << "this allocator does not tell";
  constexpr unsigned kCount = 20'000;
  using Put = void (*)(AnswerCache& cache, unsigned number);
  constexpr Put kPuts[] = {put_file, put_miss};
  for (const Put put : kPuts) {
    AnswerCache cache({});
    const std::int64_t before = testing_support::find_heap_in_use().value();
    for (unsigned i = 0; i < kCount; ++i) put(cache, i);
    const auto grown = static_cast<double>(testing_support::find_heap_in_use().value() - before);
    EXPECT_NEAR(static_cast<double>(cache.sizes().bytes), grown, grown * 0.05);
    for (unsigned i = 0; i < kCount; ++i) cache.forget(number_text(i));
    EXPECT_EQ(cache.sizes().bytes, 0u);
  }
}

TEST(AnswerCache, IsBoundedInBytes) {
  AnswerLimits limits;
  limits.file_bytes_max = limits.miss_bytes_max = 100'000;
  AnswerCache cache(limits, 1);
  for (unsigned i = 0; i < 1000; ++i) put_file(cache, i);
  for (unsigned i = 0; i < 1000; ++i) put_miss(cache, i);
  const AnswerSizes sizes = cache.sizes();
  EXPECT_LE(sizes.bytes, 200'000u);
  EXPECT_GT(sizes.bytes, 190'000u);
  EXPECT_GT(sizes.files, 50u);
  EXPECT_GT(sizes.misses, 50u);
  EXPECT_LT(sizes.misses, 1000u);
  cache.forget_misses();
  EXPECT_LE(cache.sizes().bytes, 100'000u);
}

}  // namespace
}  // namespace supply
