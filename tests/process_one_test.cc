// Dumps processed in a child with limits, by the real program: what it lacks is fetched, and a
// child that misbehaves is a clean error.
#include <gtest/gtest.h>

#include <filesystem>

#include "analyze/process_in_child.h"
#include "base/child.h"
#include "base/file.h"
#include "base/json.h"
#include "corpus_symbols.h"
#include "testing/corpus.h"
#include "testing/server_process.h"

namespace {

using analyze::ChildOptions;
using analyze::ModuleKey;
using analyze::Supplied;
using testing_support::faultline_program;

ChildOptions child_options() {
  ChildOptions options;
  options.program = faultline_program();
  return options;
}

std::vector<Supplied> nobody_has_it(const std::vector<ModuleKey>& lacking) {
  return std::vector<Supplied>(lacking.size());
}

std::string path_of(const base::TemporaryDirectory& directory, std::string_view name,
                    std::string_view content) {
  const std::string path = base::join_path(directory.path(), name);
  EXPECT_TRUE(base::write_file_durably(path, base::bytes_of(content)).ok());
  return path;
}

base::TemporaryDirectory must_make_directory() {
  auto directory = base::TemporaryDirectory::create("process-one-test");
  EXPECT_TRUE(directory.ok());
  return std::move(*directory);
}

// Makes an index of each symbol file that the corpus has.
class CorpusSupplier {
 public:
  CorpusSupplier(std::string symbols, std::string directory)
      : symbols_(std::move(symbols)), directory_(std::move(directory)) {}

  std::vector<Supplied> operator()(const std::vector<ModuleKey>& lacking) {
    ++rounds_;
    std::vector<Supplied> answer;
    for (const ModuleKey& key : lacking) {
      EXPECT_TRUE(asked_.insert(key).second) << key.debug_file << " asked twice";
      answer.push_back({make_index(key)});
    }
    return answer;
  }
  unsigned rounds() const { return rounds_; }

 private:
  std::string make_index(const ModuleKey& key) {
    const std::string text = symbols_ + "/" + key.debug_file + "/" + key.debug_id + "/" +
                             corpus_symbols::leaf_of(key.debug_file);
    const auto file = base::MappedFile::open(text);
    if (!file.ok()) return "";
    const std::string index = directory_ + "/" + key.debug_file + key.debug_id;
    EXPECT_TRUE(symbols::write_index_file(extract::symbols_from_breakpad(*file), index).ok());
    return index;
  }

  const std::string symbols_, directory_;
  std::set<ModuleKey> asked_;
  unsigned rounds_ = 0;
};

TEST(ProcessOne, FetchesAllThatIsLackingAndEqualsStackwalk) {
  REQUIRE_CORPUS(corpus);
  const std::string dumps = corpus + "/minidumps/dumps/";
  for (const char* name : {"breakpad/linux_null_read_av", "firefox/linux-x86_64"}) {
    const auto directory = must_make_directory();
    CorpusSupplier supplier(corpus + "/minidumps/symbols", directory.path());
    const auto processed = analyze::process_in_child(
        dumps + name + ".dmp", [&](const auto& lacking) { return supplier(lacking); },
        child_options());
    ASSERT_TRUE(processed.ok()) << processed.error().what;
    EXPECT_EQ(processed->rounds, supplier.rounds() + 1);
    base::ChildLimits limits;
    limits.text_bytes_max = 64 << 20;
    const auto stackwalk = base::run_child(
        faultline_program(),
        {"faultline", "stackwalk", "--json", "--symbols-cache", directory.path() + "/cache",
         "--symbols-path", corpus + "/minidumps/symbols", dumps + name + ".dmp"},
        limits);
    ASSERT_TRUE(stackwalk.ok());
    EXPECT_EQ(processed->json, stackwalk->output);
    EXPECT_NE(processed->text.find("Crash reason:"), std::string::npos);
  }
}

TEST(ProcessOne, WhatNobodyHasIsMissingInTheReport) {
  REQUIRE_CORPUS(corpus);
  const auto processed = analyze::process_in_child(
      corpus + "/minidumps/dumps/rust-minidump/linux-mini.dmp", nobody_has_it, child_options());
  ASSERT_TRUE(processed.ok()) << processed.error().what;
  EXPECT_FALSE(processed->missing.empty());
  const auto json = base::JsonValue::parse(processed->json);
  ASSERT_TRUE(json.ok());
  EXPECT_EQ((*json)["status"].text_or(""), "OK");
}

TEST(ProcessOne, TheLastRoundTakesWhatThereIs) {
  REQUIRE_CORPUS(corpus);
  ChildOptions options = child_options();
  options.rounds_max = 1;
  const auto processed = analyze::process_in_child(
      corpus + "/minidumps/dumps/rust-minidump/linux-mini.dmp",
      [](const auto&) -> std::vector<Supplied> {
        ADD_FAILURE() << "asked";
        return {};
      },
      options);
  ASSERT_TRUE(processed.ok());
  EXPECT_EQ(processed->rounds, 1u);
}

TEST(ProcessOne, ADumpThatCannotBeReadIsTheChildsError) {
  const auto directory = must_make_directory();
  const auto garbage = analyze::process_in_child(path_of(directory, "x.dmp", "no dump at all"),
                                                 nobody_has_it, child_options());
  ASSERT_FALSE(garbage.ok());
  EXPECT_EQ(garbage.error().fault, base::Fault::malformed) << garbage.error().what;
  const auto absent =
      analyze::process_in_child(directory.path() + "/absent.dmp", nobody_has_it, child_options());
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().fault, base::Fault::not_found) << absent.error().what;
}

TEST(ProcessOne, AnIndexThatCannotBeReadOnlyMakesTheReportPoorer) {
  REQUIRE_CORPUS(corpus);
  const auto directory = must_make_directory();
  const std::string broken = path_of(directory, "broken", "FLTSYMIX and then nothing");
  const auto processed = analyze::process_in_child(
      corpus + "/minidumps/dumps/rust-minidump/linux-mini.dmp",
      [&](const auto& lacking) { return std::vector<Supplied>(lacking.size(), {broken}); },
      child_options());
  EXPECT_TRUE(processed.ok());
}

// Ends of the child that are not its own: a shell in its place.
TEST(ProcessOne, AChildThatMisbehavesIsACleanError) {
  const auto directory = must_make_directory();
  struct Row {
    const char* script;
    base::Fault fault;
  };
  for (const Row& row :
       {Row{"exec sleep 60", base::Fault::timed_out},
        Row{"while :; do :; done", base::Fault::timed_out},
        Row{"kill -9 $$", base::Fault::too_large}, Row{"exit 77", base::Fault::too_large},
        Row{"kill -SEGV $$", base::Fault::internal}, Row{"exit 5", base::Fault::internal},
        Row{"echo nonsense", base::Fault::malformed}, Row{"true", base::Fault::malformed}}) {
    const std::string path = path_of(directory, "child", std::string("#!/bin/sh\n") + row.script);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    ChildOptions options;
    options.program = path;
    options.timeout = std::chrono::milliseconds(300);
    const auto processed = analyze::process_in_child("x.dmp", nobody_has_it, options);
    ASSERT_FALSE(processed.ok()) << row.script;
    EXPECT_EQ(processed.error().fault, row.fault) << row.script << ": " << processed.error().what;
  }
}

TEST(ProcessOne, RunningOutOfMemoryIsTooLarge) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "no limits of memory under a sanitizer";
#endif
#endif
  REQUIRE_CORPUS(corpus);
  ChildOptions options = child_options();
  options.memory_bytes_max = 4 << 20;
  const auto processed = analyze::process_in_child(
      corpus + "/minidumps/dumps/firefox/linux-x86_64.dmp", nobody_has_it, options);
  ASSERT_FALSE(processed.ok());
  EXPECT_EQ(processed.error().fault, base::Fault::too_large) << processed.error().what;
}

}  // namespace
