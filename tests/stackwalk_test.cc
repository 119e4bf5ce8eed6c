// `faultline stackwalk` as its users run it: output byte for byte, exit codes, the log's error
// line, symbol directories, files, caches and servers, and what strangers send.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "base/child.h"
#include "base/file.h"
#include "base/json.h"
#include "net/client.h"
#include "testing/corpus.h"
#include "testing/golden.h"
#include "testing/server_process.h"

namespace {

namespace fs = std::filesystem;
using testing_support::faultline_program;

class Stackwalk : public testing::Test {
 protected:
  void SetUp() override {
    auto directory = base::TemporaryDirectory::create("stackwalk-test");
    ASSERT_TRUE(directory.ok());
    directory_.emplace(std::move(*directory));
  }

  base::ChildEnd run(std::vector<std::string> arguments, const std::string& cache = "cache") {
    std::vector<std::string> all = {"faultline", "stackwalk", "--symbols-cache", path(cache)};
    all.insert(all.end(), arguments.begin(), arguments.end());
    base::ChildLimits limits;
    limits.text_bytes_max = 256 << 20;
    limits.wall = std::chrono::seconds(60);
    auto end = base::run_child(faultline_program(), all, limits);
    EXPECT_TRUE(end.ok());
    return end.ok() ? std::move(*end) : base::ChildEnd{};
  }
  std::string path(std::string_view name) const {
    return base::join_path(directory_->path(), name);
  }
  std::string write(std::string_view name, std::string_view text) const {
    EXPECT_TRUE(base::write_file_durably(path(name), base::bytes_of(text)).ok());
    return path(name);
  }

  std::optional<base::TemporaryDirectory> directory_;
};

struct Answer {
  std::string dump, extra, expected;  // extra: "" when there is none
};

// The reference answers of the corpus that end in `suffix`.
std::vector<Answer> answers(const std::string& corpus, const std::string& suffix) {
  std::vector<Answer> out;
  for (const auto& entry : fs::recursive_directory_iterator(corpus + "/minidumps/expected")) {
    const std::string expected = entry.path().string();
    if (!expected.ends_with(suffix)) continue;
    std::string stem = entry.path().filename().string();
    stem.resize(stem.size() - suffix.size());
    const fs::path folder = entry.path().parent_path().filename();
    const std::string base = fs::path(corpus) / "minidumps/dumps" / folder / stem;
    out.push_back(
        {base + ".dmp", base::file_exists(base + ".extra") ? base + ".extra" : "", expected});
  }
  std::ranges::sort(out, {}, &Answer::expected);
  EXPECT_FALSE(out.empty());
  return out;
}

std::string must_read(const std::string& path) {
  auto text = base::read_file(path);
  EXPECT_TRUE(text.ok()) << path;
  return text.ok() ? std::move(*text) : "";
}

// One key a line, so that a difference can be read.
std::string pretty(const std::string& text) {
  const auto document = base::JsonValue::parse(text);
  if (!document.ok()) return text;
  base::JsonWriter out(base::JsonWriter::Style::pretty);
  document->write(out);
  return out.take();
}

std::string json_difference(const std::string& expected, const std::string& actual) {
  return testing_support::first_difference(pretty(expected), pretty(actual));
}

std::string text_difference(const std::string& expected, const std::string& actual) {
  return testing_support::first_difference(expected, actual);
}

TEST_F(Stackwalk, JsonEqualsTheReference) {
  REQUIRE_CORPUS(corpus);
  for (const Answer& answer : answers(corpus, ".nosymbols.json")) {
    EXPECT_EQ(json_difference(must_read(answer.expected), run({"--json", answer.dump}).output), "")
        << answer.dump;
  }
  for (const Answer& answer : answers(corpus, ".symbols.json")) {
    std::vector<std::string> arguments = {"--json", answer.dump, "--symbols-path",
                                          corpus + "/minidumps/symbols"};
    if (!answer.extra.empty()) arguments.insert(arguments.end(), {"--evil-json", answer.extra});
    const std::string expected = must_read(answer.expected);
    EXPECT_EQ(json_difference(expected, run(arguments).output), "") << answer.dump;
    // From the index that the first run has left.
    EXPECT_EQ(json_difference(expected, run(arguments).output), "") << answer.dump;
  }
}

TEST_F(Stackwalk, TextEqualsTheReference) {
  REQUIRE_CORPUS(corpus);
  for (const Answer& answer : answers(corpus, ".nosymbols.brief.txt")) {
    EXPECT_EQ(text_difference(must_read(answer.expected),
                              run({"--human", "--brief", answer.dump}).output),
              "")
        << answer.dump;
  }
  for (const Answer& answer : answers(corpus, ".symbols.human.txt")) {
    std::vector<std::string> arguments = {answer.dump, corpus + "/minidumps/symbols"};
    if (!answer.extra.empty()) arguments.insert(arguments.end(), {"--evil-json", answer.extra});
    EXPECT_EQ(text_difference(must_read(answer.expected), run(arguments).output), "")
        << answer.dump;
  }
}

TEST_F(Stackwalk, RefusesInTheReferencesWords) {
  REQUIRE_CORPUS(corpus);
  for (const Answer& answer : answers(corpus, ".error.txt")) {
    const auto end = run({"--json", answer.dump, "--output-file", path("out")});
    EXPECT_EQ(end.exit_code, 1);
    EXPECT_EQ(end.errors, must_read(answer.expected)) << answer.dump;
    EXPECT_FALSE(base::file_exists(path("out")));
  }
}

TEST_F(Stackwalk, BadUsageAndBadFilesHaveTheirCodes) {
  const std::string empty = write("empty.dmp", "");
  const std::string garbage = write("garbage.dmp", std::string(100, 'x'));
  struct Row {
    std::vector<std::string> arguments;
    int code;
    const char* words;
  };
  const Row rows[] = {
      {{}, 2, ""},
      {{"--bogus", garbage}, 2, ""},
      {{"--json", "--human", garbage}, 2, ""},
      {{"--verbose", "shout", garbage}, 2, ""},
      {{"--json", "--brief", garbage}, 1, "ERROR Robots cannot be brief!"},
      {{"--pretty", garbage}, 1, "ERROR Humans must be hideous!"},
      {{path("absent.dmp")}, 1, "ERROR FileNotFound - Error reading dump: File not found\n"},
      {{empty}, 1, "ERROR MissingHeader - Error reading dump: "},
      {{garbage}, 1, "ERROR HeaderMismatch - Error reading dump: "},
      {{directory_->path()}, 1, "ERROR "},
      {{"--version"}, 0, ""},
      {{"--help"}, 0, ""},
  };
  for (const Row& row : rows) {
    const auto end = run(row.arguments);
    EXPECT_EQ(end.exit_code, row.code) << testing::PrintToString(row.arguments);
    EXPECT_TRUE(end.errors.starts_with(row.words)) << end.errors;
  }
}

TEST_F(Stackwalk, LogAndOutputGoWhereTheyAreSent) {
  REQUIRE_CORPUS(corpus);
  const std::string dump = corpus + "/minidumps/dumps/rust-minidump/test.dmp";
  const std::string expected =
      must_read(corpus + "/minidumps/expected/rust-minidump/test.nosymbols.json");
  auto end = run({"--json", dump, "--output-file", path("out.json"), "--log-file", path("log")});
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(end.output + end.errors, "");
  EXPECT_EQ(must_read(path("out.json")), expected);
  EXPECT_EQ(must_read(path("log")), "");

  end = run({"--cyborg", path("cyborg.json"), "--brief", dump});
  EXPECT_EQ(must_read(path("cyborg.json")), expected);
  EXPECT_TRUE(end.output.starts_with("Operating system:")) << end.output;

  run({"--log-file", path("log"), path("absent.dmp")});
  EXPECT_EQ(must_read(path("log")), "ERROR FileNotFound - Error reading dump: File not found\n");
}

constexpr const char* kMinidump2Module = "test_app.pdb/5A9832E5287241C1838ED98914E9B7FF1";

std::string function_of_first_frame(const std::string& json) {
  const auto document = base::JsonValue::parse(json);
  if (!document.ok()) return "no JSON";
  return std::string((*document)["crashing_thread"]["frames"].at(0)["function"].text_or("null"));
}

TEST_F(Stackwalk, TakesSingleSymbolFilesByTheirId) {
  REQUIRE_CORPUS(corpus);
  const std::string dump = corpus + "/minidumps/dumps/rust-minidump/test.dmp";
  const std::string symbols = corpus + "/minidumps/symbols/" + kMinidump2Module + "/test_app.sym";
  const std::string text = must_read(symbols);
  const std::string renamed = write("whatever", text);
  EXPECT_NE(function_of_first_frame(run({"--json", dump, "--symbols-path", renamed}).output),
            "null");
  EXPECT_NE(function_of_first_frame(run({"--json", dump, renamed}).output), "null");
  EXPECT_EQ(function_of_first_frame(run({"--json", dump}).output), "null");
}

TEST_F(Stackwalk, NoticesThatASymbolFileHasChanged) {
  REQUIRE_CORPUS(corpus);
  const std::string dump = corpus + "/minidumps/dumps/rust-minidump/test.dmp";
  const std::string text =
      must_read(corpus + "/minidumps/symbols/" + kMinidump2Module + "/test_app.sym");
  fs::create_directories(path("symbols/") + kMinidump2Module);
  const std::string file = std::string("symbols/") + kMinidump2Module + "/test_app.sym";
  write(file, text);
  const auto once = [&] {
    return function_of_first_frame(run({"--json", dump, path("symbols")}).output);
  };
  const std::string before = once();
  ASSERT_NE(before, "null");
  EXPECT_EQ(once(), before);
  write(file, text.substr(0, text.find('\n') + 1));  // only MODULE is left
  EXPECT_EQ(once(), "null");
}

TEST_F(Stackwalk, FetchesFromASymbolServerAndKeepsWhatCame) {
  REQUIRE_CORPUS(corpus);
  auto server = testing_support::ServerProcess::start(
      {.data = path("data"), .arguments = {}, .wrapper = {}, .environment = {}});
  ASSERT_FALSE(server.url().empty()) << server.log();
  const std::string dump = corpus + "/minidumps/dumps/rust-minidump/test.dmp";
  const std::string text =
      must_read(corpus + "/minidumps/symbols/" + kMinidump2Module + "/test_app.sym");
  net::Client client;
  const auto sent = client.send({.method = "PUT",
                                 .url = server.url() + "/" + kMinidump2Module + "/test_app.sym",
                                 .headers = {},
                                 .body = text,
                                 .body_path = "",
                                 .progress = {},
                                 .on_head = {},
                                 .on_body = {}});
  ASSERT_TRUE(sent.ok());
  ASSERT_LT(sent->status, 300) << sent->body;

  const std::vector<std::string> arguments = {
      "--json",        dump,         "--symbols-url", "http://127.0.0.1:1/",
      "--symbols-url", server.url(), "--symbols-tmp", path("tmp")};
  const std::string first = run(arguments).output;
  EXPECT_NE(function_of_first_frame(first), "null");
  const auto document = base::JsonValue::parse(first);
  ASSERT_TRUE(document.ok());
  const std::string url((*document)["modules"].at(0)["symbol_url"].text_or("null"));
  EXPECT_TRUE(url.starts_with(server.url() + "/" + kMinidump2Module + "/test_app.sym")) << url;
  EXPECT_TRUE(base::file_exists(path("cache/") + kMinidump2Module + "/test_app.sym"));
  server.stop();
  EXPECT_EQ(run(arguments).output, first) << "from the cache";
}

// What strangers send must end in two seconds within 256 MB, with valid JSON or an error.
TEST_F(Stackwalk, HostileDumpsEndSoonAndCleanly) {
  REQUIRE_CORPUS(corpus);
  for (const auto& entry : fs::directory_iterator(corpus + "/minidumps/hostile")) {
    if (!entry.is_regular_file()) continue;
    base::ChildLimits limits;
    limits.wall = std::chrono::seconds(20);  // the machine may be busy
    limits.cpu_seconds_max = 2;
    limits.data_bytes_max = 256 << 20;
    limits.text_bytes_max = 64 << 20;
    for (const char* mode : {"--json", "--human"}) {
      const auto end = base::run_child(
          faultline_program(), {"faultline", "stackwalk", mode, entry.path().string()}, limits);
      ASSERT_TRUE(end.ok());
      EXPECT_TRUE(end->exit_code == 0 || end->exit_code == 1)
          << entry.path() << " " << end->describe();
      if (end->exit_code == 0 && std::string_view(mode) == "--json") {
        EXPECT_TRUE(base::JsonValue::parse(end->output).ok()) << entry.path();
      }
    }
  }
}

TEST_F(Stackwalk, EveryPrefixOfADumpGivesAnAnswerOrAnError) {
  REQUIRE_CORPUS(corpus);
  const std::string whole = must_read(corpus + "/minidumps/dumps/rust-minidump/test.dmp");
  for (std::size_t size = 0; size < whole.size(); size += 512) {
    const auto end = run({"--json", write("prefix.dmp", whole.substr(0, size))});
    EXPECT_TRUE(end.exit_code == 0 || end.exit_code == 1) << size << " " << end.describe();
    const bool says_why = end.errors.starts_with("ERROR ");
    EXPECT_EQ(says_why, end.exit_code == 1) << end.errors;
  }
}

}  // namespace
