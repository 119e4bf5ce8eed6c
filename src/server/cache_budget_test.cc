#include "server/cache_budget.h"

#include <gtest/gtest.h>

namespace server {
namespace {

class Budget : public testing::Test {
 protected:
  void SetUp() override {
    copies_ = ingest::ExtractedFiles::open(path("extracted"), path("tmp"), {1, 0},
                                           [](const base::Sha256&) { return true; })
                  .value();
    budget_ = CacheBudget::open(1000, *copies_, path("index")).value();
  }
  std::string path(const std::string& name) {
    const std::string full = place_.path() + "/" + name;
    if (name.find('.') == std::string::npos) EXPECT_TRUE(base::make_directories(full).ok());
    return full;
  }
  base::Sha256 copy(char letter, std::size_t size) {
    const std::string text(size, letter);
    const std::string from = path("tmp/copy.txt");
    EXPECT_TRUE(base::write_file_durably(from, base::bytes_of(text)).ok());
    const base::Sha256 content = base::sha256_of(base::bytes_of(text));
    EXPECT_TRUE(copies_->take(from, content, ingest::ExtractedFiles::Why::kAsked).ok());
    return content;
  }
  std::string make(const std::string& name, std::size_t size) {
    const std::string file = path("index/" + name + ".idx");
    budget_->reserve(file, size);
    EXPECT_TRUE(base::write_file_durably(file, base::bytes_of(std::string(size, 'i'))).ok());
    return file;
  }
  std::uint64_t size() const { return copies_->size() + budget_->derived().size(); }

  base::TemporaryDirectory place_ = base::TemporaryDirectory::create("budget").value();
  std::unique_ptr<ingest::ExtractedFiles> copies_;
  std::unique_ptr<CacheBudget> budget_;
};

TEST_F(Budget, CopiesGoBeforeWhatWasMadeOfThem) {
  const base::Sha256 a = copy('a', 400), b = copy('b', 400);
  EXPECT_TRUE(copies_->has(a));
  const std::string index = make("a", 300);
  EXPECT_FALSE(copies_->has(b)) << "a was used last";
  EXPECT_TRUE(copies_->has(a));
  EXPECT_EQ(size(), 700u);
  make("b", 700);
  EXPECT_FALSE(copies_->has(a));
  EXPECT_TRUE(base::file_exists(index));
  EXPECT_EQ(size(), 1000u);
}

TEST_F(Budget, WhatWasUsedLastStays) {
  const std::string a = make("a", 400), b = make("b", 400);
  budget_->derived().used(a);
  const std::string c = make("c", 400);
  EXPECT_TRUE(base::file_exists(a));
  EXPECT_FALSE(base::file_exists(b));
  EXPECT_TRUE(base::file_exists(c));
  const base::Sha256 copied = copy('x', 500);
  EXPECT_TRUE(copies_->has(copied));
  EXPECT_FALSE(base::file_exists(a));
  EXPECT_LE(size(), 1000u);
}

TEST_F(Budget, ACopyLargerThanAllOnlyPasses) {
  const std::string a = make("a", 400);
  const base::Sha256 small = copy('a', 300);
  const base::Sha256 large = copy('x', 5000);
  EXPECT_TRUE(copies_->has(large));
  EXPECT_TRUE(base::file_exists(a));
  EXPECT_TRUE(copies_->has(small));
  EXPECT_EQ(size(), 700u);
  copy('b', 200);
  EXPECT_FALSE(copies_->has(large));
  EXPECT_EQ(size(), 900u);
}

TEST_F(Budget, WhatIsThereAtTheStartIsCounted) {
  const std::string a = make("a", 600);
  ASSERT_TRUE(
      base::write_file_durably(path("index/b.idx"), base::bytes_of(std::string(600, 'i'))).ok());
  budget_ = CacheBudget::open(1000, *copies_, path("index")).value();
  EXPECT_EQ(size(), 600u);
  budget_->derived().removed(a);
  budget_->derived().removed(path("index/b.idx"));
  EXPECT_EQ(size(), 0u);
}

}  // namespace
}  // namespace server
