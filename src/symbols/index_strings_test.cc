#include "symbols/index_strings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace symbols {
namespace {

using namespace std::string_literals;

// Each text once per copy, in an order by chance, then a number that nobody uses.
void expect_in_order(const std::vector<std::string>& texts) {
  std::vector<std::string> all;
  for (int copy = 0; copy < 3; ++copy) all.insert(all.end(), texts.begin(), texts.end());
  std::shuffle(all.begin(), all.end(), std::minstd_rand(1));
  StringTable table;
  std::vector<StringId> ids;
  ids.reserve(all.size());
  for (const std::string& text : all) ids.push_back(table.add_view(text));
  table.add_view("unused");
  std::vector<std::string> sorted = texts;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  for (const unsigned threads : {1u, 4u}) {
    IndexStrings strings(table);
    for (const StringId id : ids) strings.use(id);
    strings.build(threads, 3);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::uint32_t number = strings.id_of(ids[i]);
      ASSERT_LT(number, sorted.size());
      EXPECT_EQ(sorted[number], all[i]);
    }
  }
}

TEST(IndexStrings, TextsAreNumberedInOrder) {
  std::vector<std::string> texts;
  texts.reserve(1000);
  for (int i = 0; i < 500; ++i) texts.push_back("std::__1::vector<int>::" + std::to_string(i));
  for (std::size_t size = 0; size < 70; ++size)
    texts.emplace_back(size, 'a');  // each begins others
  for (int i = 0; i < 40; ++i) texts.push_back(std::string(300, 'b') + std::to_string(i));
  for (int i = 128; i < 256; ++i) texts.push_back("caf" + std::string(1, static_cast<char>(i)));
  expect_in_order(texts);
}

TEST(IndexStrings, ZeroBytesAreTextToo) {
  std::vector<std::string> texts;
  for (std::size_t before = 0; before < 20; ++before) {
    for (std::size_t zeros = 0; zeros < 20; ++zeros) {
      texts.push_back(std::string(before, 'a') + std::string(zeros, '\0'));
      texts.push_back(texts.back() + "b"s);
    }
  }
  expect_in_order(texts);
}

TEST(IndexStrings, TextsByChanceAreNumberedInOrder) {
  std::minstd_rand chance(7);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 5000; ++i) {
    std::string text(chance() % 40, 'x');
    for (char& c : text) c = "ab\0\xff"[chance() % (i % 4 + 1)];
    texts.push_back(std::move(text));
  }
  expect_in_order(texts);
}

}  // namespace
}  // namespace symbols
