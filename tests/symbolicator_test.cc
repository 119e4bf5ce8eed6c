// Symbolicator's protocol against a real server with real objects, dumps and reports: what stands
// where, what became of each module, and what is said to those who ask for nonsense.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <map>
#include <mutex>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "served_place.h"
#include "testing/corpus.h"
#include "testing/scripted_server.h"

namespace {

using base::JsonValue;
using testing_support::ScriptedServer;

constexpr std::string_view kLinuxId = "C0BCC3F19827FE653058404B2831D9E60";
constexpr std::string_view kMacId = "67E9247C814E392BA027DBDE6748FCBF0";
const uploads::Fields& json_fields() {
  static const uploads::Fields fields{{"Content-Type", "application/json"}};
  return fields;
}

// The names of a few of its functions.
std::string linux_sym(std::string_view name = "crash") {
  return fmt::format(
      "MODULE Linux x86_64 {} {}\nFILE 0 /src/main.cpp\n"
      "FUNC 1900 40 0 burn\n1900 40 7 0\nFUNC 1d00 100 0 main\n1d00 100 15 0\n",
      kLinuxId, name);
}

std::string must_read(const std::string& path) {
  const auto text = base::read_file(path);
  EXPECT_TRUE(text.ok()) << path;
  return text.ok() ? *text : "";
}

JsonValue must_parse(std::string_view text) {
  auto value = JsonValue::parse(text);
  EXPECT_TRUE(value.ok()) << text.substr(0, 300);
  return value.ok() ? std::move(*value) : JsonValue();
}

std::string text_of(const JsonValue& value) {
  base::JsonWriter out;
  value.write(out);
  return out.take();
}

std::string_view text(const JsonValue& value, std::string_view key) {
  return value[key].text_or("");
}

std::string part(std::string_view name, const std::string& content) {
  return uploads::form_part(fmt::format("name=\"{}\"; filename=\"f\"", name), content);
}

// One module at an address, and frames in it.
std::string question(std::string_view id, std::string_view frames, std::string_view more = "") {
  return fmt::format(
      R"({{"stacktraces":[{{"frames":{}}}],"modules":[{{"type":"elf","code_file":"/bin/crash",)"
      R"("debug_file":"/bin/crash","debug_id":"{}","image_addr":"0x400000","image_size":"0x1a000"}}])"
      R"({}}})",
      frames, id, more);
}

class SymbolicatorTest : public uploads::ServedPlace {
 protected:
  net::ClientAnswer post(const std::string& path, const std::string& body,
                         const uploads::Fields& headers = json_fields()) const {
    return uploads::send(server_->url(), "POST", path, body, headers);
  }
  JsonValue must_post(const std::string& path, const std::string& body,
                      const uploads::Fields& headers = json_fields()) const {
    const auto answer = post(path, body, headers);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.headers.find("Content-Type").value_or(""), "application/json");
    return must_parse(answer.body);
  }
  JsonValue must_post_form(const std::string& path, const std::string& parts) const {
    return must_post(path, parts + uploads::form_end(), uploads::form_header());
  }
  void put(const std::string& path, const std::string& content,
           const uploads::Fields& headers = {}) const {
    const auto answer = uploads::send(server_->url(), "PUT", path, content, headers);
    ASSERT_EQ(answer.status / 100, 2) << path << " " << answer.body;
  }
  void put_linux_symbols(const std::string& corpus) const {
    put(fmt::format("/crash/{}/crash", kLinuxId),
        must_read(corpus + "/symbols/objects/elf/crash-linux/crash.debug-zstd"));
  }
};

TEST_F(SymbolicatorTest, IsHealthy) {
  start();
  const auto answer = get("/healthcheck");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "ok");
}

// The frames that the profilers' protocol gives for the same places; innermost first.
std::vector<std::string> frames_of_v5(const JsonValue& frame) {
  std::vector<std::string> frames;
  const auto add = [&](const JsonValue& one) {
    frames.push_back(fmt::format("{} {}:{}", text(one, "function"), text(one, "file"),
                                 one["line"].integer_or(0)));
  };
  for (std::size_t i = 0; i < frame["inlines"].size(); ++i) add(frame["inlines"].at(i));
  if (!frame["function"].is_null()) add(frame);
  return frames;
}

std::map<std::int64_t, std::vector<std::string>> frames_by_index(const JsonValue& trace) {
  std::map<std::int64_t, std::vector<std::string>> frames;
  for (const JsonValue& frame : *trace["frames"].array()) {
    if (text(frame, "status") != "symbolicated") continue;
    frames[frame["original_index"].integer_or(-1)].push_back(
        fmt::format("{} {}:{}", text(frame, "function"), text(frame, "abs_path"),
                    frame["lineno"].integer_or(0)));
  }
  return frames;
}

TEST_F(SymbolicatorTest, RealObjectsAnswerAsOverTheProfilersProtocol) {
  REQUIRE_CORPUS(corpus);
  start();
  std::ifstream lines(corpus + "/symbols/symbolicate/native-v5.jsonl");
  std::string line;
  std::size_t compared = 0;
  while (std::getline(lines, line)) {
    const JsonValue one = must_parse(line);
    const std::string object(text(one, "object"));
    if (!object.starts_with("elf/lantern-x86_64/") && !object.starts_with("elf/lantern-arm64/") &&
        !object.starts_with("elf/dump_syms-basic/basic.full")) {
      continue;
    }
    SCOPED_TRACE(object);
    const JsonValue& module = one["request"]["memoryMap"].at(0);
    const std::string name(module.at(0).text_or(""));
    const std::string id(module.at(1).text_or(""));
    put(fmt::format("/{}/{}/{}", name, id, name),
        must_read(fmt::format("{}/symbols/objects/{}", corpus, object)));
    const JsonValue v5 = must_post("/symbolicate/v5", text_of(one["request"]));
    std::string frames;
    for (const JsonValue& frame : *one["request"]["stacks"].at(0).array()) {
      if (!frames.empty()) frames += ',';
      frames += fmt::format(R"({{"instruction_addr":"{:#x}","adjust_instruction_addr":false}})",
                            0x7f0000000000 + frame.at(1).integer_or(0));
    }
    const JsonValue answer = must_post(
        "/symbolicate",
        fmt::format(R"({{"stacktraces":[{{"frames":[{}]}}],"modules":[{{"type":"elf",)"
                    R"("debug_file":"/lib/{}","debug_id":"{}","image_addr":"0x7f0000000000"}}]}})",
                    frames, name, id));
    ASSERT_EQ(text(answer, "status"), "completed");
    EXPECT_EQ(text(answer["modules"].at(0), "debug_status"), "found");
    const auto& features = answer["modules"].at(0)["features"];
    EXPECT_TRUE(*features["has_debug_info"].boolean() && *features["has_symbols"].boolean());
    const auto ours = frames_by_index(answer["stacktraces"].at(0));
    const JsonValue& theirs = v5["results"].at(0)["stacks"].at(0);
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      const auto found = ours.find(static_cast<std::int64_t>(i));
      EXPECT_EQ(found == ours.end() ? std::vector<std::string>{} : found->second,
                frames_of_v5(theirs.at(i)))
          << i;
    }
    ++compared;
  }
  EXPECT_GE(compared, 9u);
}

// 0x1900 is line 7 of /src/main.cpp, 0x1d00 line 15; the second frame is a caller.
TEST_F(SymbolicatorTest, LinesOfSourcesStandAroundFramesForWhoMayReadThem) {
  const std::string sources = root_.path() + "/sources";
  std::string text;
  for (int line = 1; line < 17; ++line) text += fmt::format("line {}\n", line);
  ASSERT_TRUE(base::write_file_durably(sources + "/main.cpp", base::bytes_of(text)).ok());
  start({"FAULTLINE_SOURCES_DIRECTORIES=/src=" + sources, "FAULTLINE_SOURCES_TOKEN=open-sesame"});
  put(fmt::format("/crash/{}/crash.sym", kLinuxId), linux_sym());
  constexpr std::string_view kFrames =
      R"([{"instruction_addr":"0x401900"},{"instruction_addr":"0x401d20"},)"
      R"({"instruction_addr":"0x410000"}])";
  const JsonValue answer = must_post("/symbolicate", question(kLinuxId, kFrames));
  const JsonValue& frames = answer["stacktraces"].at(0)["frames"];
  EXPECT_EQ(text_of(frames.at(0)["pre_context"]),
            R"(["line 2","line 3","line 4","line 5","line 6"])");
  EXPECT_EQ(frames.at(0)["context_line"].text_or(""), "line 7");
  EXPECT_EQ(text_of(frames.at(0)["post_context"]),
            R"(["line 8","line 9","line 10","line 11","line 12"])");
  EXPECT_EQ(frames.at(1)["context_line"].text_or(""), "line 15");
  EXPECT_EQ(text_of(frames.at(1)["post_context"]), R"(["line 16"])");
  EXPECT_TRUE(frames.at(2)["context_line"].is_null());
  EXPECT_EQ(text_of(answer["modules"].at(0)["features"]["has_sources"]), "true");

  const auto has_context = [&](std::string_view more, const uploads::Fields& headers) {
    return post("/symbolicate", question(kLinuxId, kFrames, more), headers)
               .body.find("context_line") != std::string::npos;
  };
  EXPECT_FALSE(has_context(R"(,"options":{"apply_source_context":false})", json_fields()));
  uploads::Fields remote = json_fields();
  remote["X-Forwarded-For"] = "192.0.2.1";
  EXPECT_FALSE(has_context("", remote)) << "sources are read with a token here";
  remote["Authorization"] = "Bearer open-sesame";
  EXPECT_TRUE(has_context("", remote));
  stop();
  start({"FAULTLINE_SOURCES_DIRECTORIES=/src=" + sources,
         "FAULTLINE_SYMBOLICATION_SOURCE_CONTEXT=0"});
  EXPECT_FALSE(has_context("", json_fields()));
}

// Each file is in the log; the audit log, which is kept, has a line for the question.
TEST_F(SymbolicatorTest, AQuestionsSourcesAreOneLineOfTheAuditLog) {
  const std::string sources = root_.path() + "/sources";
  for (const char* name : {"/main.cpp", "/burn.cpp"}) {
    ASSERT_TRUE(base::write_file_durably(sources + name, base::bytes_of("line 1\n")).ok());
  }
  start({"FAULTLINE_SOURCES_DIRECTORIES=/src=" + sources});
  put(fmt::format("/crash/{}/crash.sym", kLinuxId),
      fmt::format("MODULE Linux x86_64 {} crash\nFILE 0 /src/main.cpp\nFILE 1 /src/burn.cpp\n"
                  "FUNC 1900 40 0 burn\n1900 40 1 1\nFUNC 1d00 100 0 main\n1d00 100 1 0\n",
                  kLinuxId));
  const JsonValue answer = must_post(
      "/symbolicate",
      question(kLinuxId, R"([{"instruction_addr":"0x401900"},{"instruction_addr":"0x401d20"}])"));
  EXPECT_EQ(text(answer["stacktraces"].at(0)["frames"].at(1), "context_line"), "line 1");
  const std::string audit = must_admin("audit");
  const auto at = audit.find("source read");
  ASSERT_NE(at, std::string::npos) << audit;
  EXPECT_EQ(audit.find("source read", at + 1), std::string::npos) << audit;
  EXPECT_NE(audit.find(".cpp of a stack trace from "), std::string::npos) << audit;
  EXPECT_NE(audit.find(", and 1 more"), std::string::npos) << audit;
}

TEST_F(SymbolicatorTest, ModulesAreFoundByTheirCodeAlone) {
  REQUIRE_CORPUS(corpus);
  start();
  put_linux_symbols(corpus);
  const JsonValue answer = must_post("/symbolicate", R"({"stacktraces":[{"frames":[
    {"instruction_addr":"0x401918"}]}],"modules":[{"type":"elf","image_addr":"0x400000",
    "code_id":"f1c3bcc0279865fe3058404b2831d9e64135386c","code_file":"/work/linux/build/crash"}]})");
  EXPECT_EQ(text(answer["modules"].at(0), "debug_status"), "found");
  EXPECT_EQ(text(answer["modules"].at(0), "arch"), "x86_64");
  EXPECT_EQ(text(answer["stacktraces"].at(0)["frames"].at(0), "status"), "symbolicated");
}

TEST_F(SymbolicatorTest, EachModuleSaysWhatBecameOfItAndWhoWasAsked) {
  start();
  const JsonValue answer = must_post("/symbolicate", R"({"options":{"dif_candidates":true},
    "stacktraces":[{"frames":[{"instruction_addr":"0x10010"},{"instruction_addr":"0x20010"},
      {"instruction_addr":"0x50000"}]}],
    "modules":[
      {"type":"elf","debug_file":"a.so","debug_id":"000000000000000000000000000000AA0",
       "image_addr":"0x10000","image_size":256},
      {"type":"elf","debug_file":"b.so","image_addr":"0x20000","image_size":256},
      {"type":"elf","debug_file":"c.so","debug_id":"000000000000000000000000000000CC0",
       "image_addr":"0x30000","image_size":256}]})");
  const JsonValue& modules = answer["modules"];
  EXPECT_EQ(text(modules.at(0), "debug_status"), "missing");
  EXPECT_EQ(text(modules.at(1), "debug_status"), "missing");  // without an id nobody has it
  EXPECT_EQ(text(modules.at(2), "debug_status"), "unused");
  const JsonValue& frames = answer["stacktraces"].at(0)["frames"];
  EXPECT_EQ(text(frames.at(0), "status"), "missing");
  EXPECT_EQ(text(frames.at(1), "status"), "missing");
  EXPECT_EQ(text(frames.at(2), "status"), "unknown_image");
  ASSERT_EQ(modules.at(0)["candidates"].size(), 1u);
  const JsonValue& asked = modules.at(0)["candidates"].at(0);
  EXPECT_EQ(text(asked, "source"), "faultline");
  EXPECT_EQ(text(asked, "location"), "a.so/000000000000000000000000000000AA0");
  EXPECT_EQ(text(asked["download"], "status"), "notfound");
  EXPECT_TRUE(modules.at(2)["candidates"].is_null());
}

TEST_F(SymbolicatorTest, SourcesThatMayNotBeAskedAreSaidToBeRefused) {
  start({"FAULTLINE_SYMBOLICATION_SOURCES=1"});
  const JsonValue answer =
      must_post("/symbolicate", question("000000000000000000000000000000AA0",
                                         R"([{"instruction_addr":"0x400010"}])",
                                         R"(,"options":{"dif_candidates":true},
                 "sources":[{"id":"disk","type":"filesystem","path":"/etc"}])"));
  const JsonValue& module = answer["modules"].at(0);
  EXPECT_EQ(text(module, "debug_status"), "missing");
  bool is_refused = false;
  for (const JsonValue& candidate : *module["candidates"].array()) {
    if (text(candidate, "source") != "disk") continue;
    is_refused = text(candidate["download"], "status") == "noperm";
  }
  EXPECT_TRUE(is_refused) << text_of(module);
}

// The answer about one module, with one source that is at `url`.
std::string with_source(const std::string& url, std::string_view more = "") {
  return question(kLinuxId, R"([{"instruction_addr":"0x401918"}])",
                  fmt::format(R"(,"options":{{"dif_candidates":true}},"sources":[{{"id":"theirs",)"
                              R"("type":"http","url":"{}"{}}}])",
                              url, more));
}

std::string download_of(const JsonValue& answer, std::string_view source) {
  for (const JsonValue& candidate : *answer["modules"].at(0)["candidates"].array()) {
    if (text(candidate, "source") == source)
      return std::string(text(candidate["download"], "status"));
  }
  return "";
}

TEST_F(SymbolicatorTest, SourcesBringSymbolsForWhoNamesThemAlone) {
  REQUIRE_CORPUS(corpus);
  ScriptedServer theirs(root_.path(), [](net::Request& request) {
    if (request.header("X-Key") != "open" || !request.path.ends_with("/crash.sym")) {
      return net::Answer::text(404, "no");
    }
    return net::Answer::text(200, linux_sym());
  });
  start(
      {"FAULTLINE_SYMBOLICATION_SOURCES=1", "FAULTLINE_SYMBOLICATION_PRIVATE_SOURCES=127.0.0.0/8"});
  const std::string url = theirs.url() + "/store/";
  constexpr std::string_view kOpen = R"(,"layout":{"type":"breakpad"},"headers":{"X-Key":"open"})";
  constexpr std::string_view kShut = R"(,"layout":{"type":"breakpad"},"headers":{"X-Key":"shut"})";
  const auto status_of = [&](const JsonValue& answer) {
    return std::string(text(answer["modules"].at(0), "debug_status"));
  };
  EXPECT_EQ(status_of(must_post("/symbolicate", with_source(url, kShut))), "missing");
  const JsonValue answer = must_post("/symbolicate", with_source(url, kOpen));
  EXPECT_EQ(status_of(answer), "found");
  EXPECT_EQ(download_of(answer, "theirs"), "ok");
  EXPECT_EQ(download_of(answer, "faultline"), "notfound");
  const int asked = theirs.asked;
  EXPECT_EQ(status_of(must_post("/symbolicate", with_source(url, kOpen))), "found");
  EXPECT_EQ(theirs.asked, asked);  // it is here now
  // Others do not see it: without the source, with other credentials, in another scope.
  EXPECT_EQ(status_of(must_post("/symbolicate", question(kLinuxId, "[{\"instruction_addr\":1}]"))),
            "unused");
  const std::string plain = question(kLinuxId, R"([{"instruction_addr":"0x401918"}])");
  EXPECT_EQ(status_of(must_post("/symbolicate", plain)), "missing");
  EXPECT_EQ(status_of(must_post("/symbolicate", with_source(url, kShut))), "missing");
  EXPECT_EQ(get(fmt::format("/crash/{}/crash.sym", kLinuxId)).status, 404);
  EXPECT_EQ(status_of(must_post("/symbolicate?scope=else", with_source(url, kOpen))), "found");
  EXPECT_GT(theirs.asked, asked);  // … which had to be fetched there again
  // Dumps are walked with them, too.
  const JsonValue walked = must_post_form(
      "/minidump",
      part("upload_file_minidump", must_read(corpus + "/minidumps/dumps/symbolicator/linux.dmp")) +
          part("sources",
               fmt::format(R"([{{"id":"theirs","type":"http","url":"{}"{}}}])", url, kOpen)));
  EXPECT_EQ(text(walked["modules"].at(0), "unwind_status"), "found");
}

// Ours are found by their ids; who asks others must know the name.
TEST_F(SymbolicatorTest, TheFirstModuleOfADumpMayHaveItsSymbolsUnderAnotherName) {
  REQUIRE_CORPUS(corpus);
  ScriptedServer theirs(root_.path(), [](net::Request& request) {
    const bool is_there = request.path == fmt::format("/electron/{}/electron.sym", kLinuxId);
    return is_there ? net::Answer::text(200, linux_sym("electron")) : net::Answer::text(404, "no");
  });
  start(
      {"FAULTLINE_SYMBOLICATION_SOURCES=1", "FAULTLINE_SYMBOLICATION_PRIVATE_SOURCES=127.0.0.0/8"});
  const std::string sources =
      part("sources", fmt::format(R"([{{"id":"theirs","type":"http","url":"{}"}}])", theirs.url()));
  const auto first_with = [&](const std::string& more) {
    const JsonValue answer = must_post_form(
        "/minidump", part("upload_file_minidump",
                          must_read(corpus + "/minidumps/dumps/symbolicator/linux.dmp")) +
                         sources + more);
    return JsonValue(answer["modules"].at(0));
  };
  EXPECT_EQ(text(first_with(""), "debug_status"), "missing");
  const JsonValue renamed =
      first_with(part("rewrite_first_module", R"([{"from":"[^/]+$","to":"electron"}])"));
  EXPECT_EQ(text(renamed, "debug_status"), "found");
  EXPECT_EQ(text(renamed, "debug_file").find("electron"), std::string_view::npos);
  const auto refused =
      post("/minidump",
           part("upload_file_minidump", "MDMP") +
               part("rewrite_first_module", R"([{"from":"(","to":""}])") + uploads::form_end(),
           uploads::form_header());
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(refused.body.find("the part rewrite_first_module"), std::string::npos) << refused.body;
}

TEST_F(SymbolicatorTest, SourcesAreNotAskedAboutModulesThatTheyDoNotWant) {
  ScriptedServer theirs(root_.path(), [](net::Request&) { return net::Answer::text(404, "no"); });
  start(
      {"FAULTLINE_SYMBOLICATION_SOURCES=1", "FAULTLINE_SYMBOLICATION_PRIVATE_SOURCES=127.0.0.0/8"});
  const JsonValue elsewhere =
      must_post("/symbolicate",
                with_source(theirs.url(), R"(,"filters":{"path_patterns":["?:/windows/**"]})"));
  EXPECT_EQ(download_of(elsewhere, "theirs"), "");
  EXPECT_EQ(theirs.asked, 0);
  const JsonValue here = must_post(
      "/symbolicate", with_source(theirs.url(), R"(,"layout":{"type":"symstore"},)"
                                                R"("filters":{"path_patterns":["/BIN/*"]})"));
  EXPECT_EQ(download_of(here, "theirs"), "notfound");
  EXPECT_GT(theirs.asked, 0);
}

// The layout that sources have who name none: texts lie as Breakpad's, spelled as the source says.
TEST_F(SymbolicatorTest, ASourcesPathsAreSpelledAsItSays) {
  ScriptedServer theirs(root_.path(), [](net::Request& request) {
    const bool is_there =
        request.path == fmt::format("/crash/{}/crash.sym", base::lower_ascii(kLinuxId));
    return is_there ? net::Answer::text(200, linux_sym()) : net::Answer::text(404, "no");
  });
  start(
      {"FAULTLINE_SYMBOLICATION_SOURCES=1", "FAULTLINE_SYMBOLICATION_PRIVATE_SOURCES=127.0.0.0/8"});
  const auto status_with = [&](std::string_view layout) {
    const JsonValue answer = must_post("/symbolicate", with_source(theirs.url(), layout));
    return std::string(text(answer["modules"].at(0), "debug_status"));
  };
  EXPECT_EQ(status_with(R"(,"layout":{"type":"native","casing":"uppercase"})"), "missing");
  EXPECT_EQ(status_with(R"(,"layout":{"type":"native","casing":"lowercase"})"), "found");
}

TEST_F(SymbolicatorTest, NobodyReachesOurNetworkThroughASource) {
  ScriptedServer inside(root_.path(), [](net::Request&) { return net::Answer::text(200, "in"); });
  start({"FAULTLINE_SYMBOLICATION_SOURCES=1"});
  const auto said_of = [&](const std::string& url) {
    const JsonValue answer =
        must_post("/symbolicate", with_source(url, R"(,"layout":{"type":"breakpad"})"));
    EXPECT_NE(text(answer["modules"].at(0), "debug_status"), "found") << url;
    return download_of(answer, "theirs");
  };
  const std::string port = inside.url().substr(inside.url().rfind(':'));
  for (const std::string& url :
       {inside.url(), std::string("http://169.254.169.254/latest/"), std::string("http://[::1]:1/"),
        "http://[::ffff:127.0.0.1]" + port, std::string("file:///etc/"), std::string("/etc/")}) {
    EXPECT_EQ(said_of(url), "noperm") << url;
  }
  const std::string by_name = said_of("http://user@localhost/");
  EXPECT_TRUE(by_name == "noperm" || by_name == "error") << by_name;
  EXPECT_EQ(inside.asked, 0);
}

// An upstream server that keeps everybody waiting until it is let go.
class SlowUpstream {
 public:
  SlowUpstream(const std::string& spool, std::string file)
      : server_(spool, [this, file = std::move(file)](net::Request& request) {
          std::unique_lock lock(mutex_);
          changed_.wait_for(lock, std::chrono::seconds(120), [this] { return is_let_go_; });
          if (!request.path.ends_with("/crash.sym")) return net::Answer::text(404, "no");
          return net::Answer::text(200, file);
        }) {}
  ~SlowUpstream() { let_go(); }
  void let_go() {
    const std::lock_guard lock(mutex_);
    is_let_go_ = true;
    changed_.notify_all();
  }
  const ScriptedServer& server() const { return server_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_let_go_ = false;  // guarded by mutex_
  ScriptedServer server_;
};

class SlowSymbolicatorTest : public SymbolicatorTest {
 protected:
  void start_slow(std::vector<std::string> environment = {}) {
    upstream_.emplace(root_.path(), linux_sym());
    const std::string config = root_.path() + "/faultline.toml";
    std::ofstream(config) << upstream_->server().table("layout = \"breakpad\"\n");
    server_.emplace(testing_support::ServerProcess::start(
        {data(), {"--config", config}, {}, std::move(environment)}));
    ASSERT_NE(server_->url(), "");
  }
  std::string slow_question() const {
    return question(kLinuxId, R"([{"instruction_addr":"0x401918"}])");
  }

  std::optional<SlowUpstream> upstream_;
};

TEST_F(SlowSymbolicatorTest, WhoseTimeIsUpComesAgainForTheAnswer) {
  start_slow();
  const JsonValue first = must_post("/symbolicate?timeout=0&scope=theirs", slow_question());
  EXPECT_EQ(text(first, "status"), "pending");
  EXPECT_EQ(first["retry_after"].integer_or(0), 30);
  const std::string id(text(first, "request_id"));
  ASSERT_EQ(id.size(), 36u);
  EXPECT_EQ(text_of(must_parse(get("/requests/" + id + "?timeout=0").body)), text_of(first));
  EXPECT_EQ(get("/requests/00000000-0000-4000-8000-000000000000").status, 404);
  EXPECT_EQ(get("/try/requests/" + id + "?timeout=0").status, 404);  // it was asked elsewhere

  upstream_->let_go();
  EXPECT_EQ(uploads::send(server_->url(), "HEAD", "/requests/" + id).status, 200);
  const auto last = get("/requests/" + id);
  ASSERT_EQ(last.status, 200);
  const JsonValue answer = must_parse(last.body);
  EXPECT_EQ(text(answer, "status"), "completed");
  EXPECT_EQ(text(answer["modules"].at(0), "debug_status"), "found");
  EXPECT_EQ(text(answer["stacktraces"].at(0)["frames"].at(0), "status"), "symbolicated");
  EXPECT_EQ(get("/requests/" + id).body, last.body);  // the first may have been lost
}

TEST_F(SlowSymbolicatorTest, SymbolsThatDoNotComeInTimeAreTimedOut) {
  start_slow({"FAULTLINE_SYMBOLICATION_SECONDS=1"});
  const JsonValue answer = must_post("/symbolicate", slow_question());
  EXPECT_EQ(text(answer, "status"), "completed");
  EXPECT_EQ(text(answer["modules"].at(0), "debug_status"), "timeout");
  EXPECT_EQ(text(answer["stacktraces"].at(0)["frames"].at(0), "status"), "missing");
}

TEST_F(SymbolicatorTest, NonsenseIsRefusedInTheProtocolsWords) {
  start();
  struct Row {
    const char* path;
    const char* type;
    std::string body;
    int status;
    const char* begins;
  };
  const char* const json = "application/json";
  const std::string form = uploads::form_header().at("Content-Type");
  const std::string deep = std::string(100'000, '[');
  const Row rows[] = {
      {"/symbolicate", "text/plain", "{}", 415, "Expected request with"},
      {"/symbolicate", "", "{}", 415, "Expected request with"},
      {"/symbolicate", json, "", 400, "Failed to parse the request body as JSON"},
      {"/symbolicate", json, "{\"", 400, "Failed to parse the request body as JSON"},
      {"/symbolicate", json, deep, 400, "Failed to parse the request body as JSON"},
      {"/symbolicate", json, "{\"a\":\"\xff\"}", 400, "Failed to parse the request body as JSON"},
      {"/symbolicate", json, "[]", 422, "Failed to deserialize the JSON body"},
      {"/symbolicate", json, R"({"stacktraces":[{}]})", 422, "Failed to deserialize the JSON body"},
      {"/symbolicate?timeout=soon", json, "{}", 400, "Failed to deserialize query string"},
      {"/minidump", json, "{}", 400, "Invalid `boundary`"},
      {"/minidump", form.c_str(), "no form", 400, "{\"detail\":"},
      {"/minidump", form.c_str(), part("sources", "[]") + uploads::form_end(), 400,
       R"({"detail":"missing minidump"})"},
      {"/minidump", form.c_str(),
       part("upload_file_minidump", "MDMP") + part("options", "{") + uploads::form_end(), 400,
       R"({"detail":"the part options: )"},
      {"/minidump", form.c_str(), part("upload_file_minidump", "--boundary") + uploads::form_end(),
       400, R"({"detail":"minidump contains multipart form data"})"},
      {"/applecrashreport", form.c_str(), uploads::form_end(), 400, "{\"detail\":"},
      {"/applecrashreport", form.c_str(), part("options", "{}") + uploads::form_end(), 400,
       R"({"detail":"missing apple crash report"})"},
  };
  for (const Row& row : rows) {
    uploads::Fields headers;
    if (*row.type != '\0') headers["Content-Type"] = row.type;
    const auto answer = post(row.path, row.body, headers);
    EXPECT_EQ(answer.status, row.status) << row.path << " " << row.body.substr(0, 100);
    EXPECT_TRUE(answer.body.starts_with(row.begins)) << answer.body;
  }
  EXPECT_EQ(uploads::send(server_->url(), "GET", "/symbolicate").status, 405);
  EXPECT_EQ(uploads::send(server_->url(), "PUT", "/minidump").status, 405);
  EXPECT_EQ(post("/requests/x", "{}").status, 405);
  EXPECT_EQ(post("/healthcheck", "{}").status, 405);
  EXPECT_EQ(text(must_post("/symbolicate", "{}"), "status"), "completed");
}

TEST_F(SymbolicatorTest, LargeQuestionsAreAnsweredInPieces) {
  start();
  put(fmt::format("/crash/{}/crash.sym", kLinuxId), linux_sym());
  constexpr std::size_t kFrames = 20'000;
  std::string frames = "[";
  for (std::size_t i = 0; i < kFrames; ++i) {
    frames += i == 0 ? "" : ",";
    frames += R"({"instruction_addr":"0x401918","adjust_instruction_addr":false})";
  }
  const JsonValue answer = must_post("/symbolicate", question(kLinuxId, frames + "]"));
  EXPECT_EQ(frames_by_index(answer["stacktraces"].at(0)).size(), kFrames);
}

const JsonValue* find_module(const JsonValue& answer, std::string_view debug_id) {
  for (const JsonValue& module : *answer["modules"].array()) {
    if (text(module, "debug_id") == debug_id) return &module;
  }
  return nullptr;
}

TEST_F(SymbolicatorTest, DumpsAreWalkedAndNamed) {
  REQUIRE_CORPUS(corpus);
  start();
  put_linux_symbols(corpus);
  const JsonValue answer = must_post_form(
      "/minidump",
      part("upload_file_minidump", must_read(corpus + "/minidumps/dumps/symbolicator/linux.dmp")) +
          part("sources", "[]") + part("options", R"({"dif_candidates":true})") +
          part("unknown", "value"));
  ASSERT_EQ(text(answer, "status"), "completed");
  EXPECT_EQ(answer["timestamp"].integer_or(0), 1522061032);
  EXPECT_EQ(*answer["crashed"].boolean(), true);
  EXPECT_TRUE(text(answer, "crash_reason").starts_with("SIGSEGV"));
  EXPECT_EQ(text_of(answer["system_info"]), text_of(must_parse(R"({"os_name":"Linux",
    "os_version":"4.9.60-linuxkit-aufs","os_build":"#1 SMP Mon Nov 6 16:00:12 UTC 2017",
    "cpu_arch":"x86_64","device_model":""})")));
  const JsonValue& trace = answer["stacktraces"].at(0);
  EXPECT_EQ(trace["thread_id"].integer_or(0), 1304);
  EXPECT_EQ(*trace["is_requesting"].boolean(), true);
  EXPECT_EQ(text(trace["registers"], "rip"), "0x401d72");
  const JsonValue& first = trace["frames"].at(0);
  EXPECT_EQ(text(first, "status"), "symbolicated");
  EXPECT_EQ(text(first, "trust"), "context");
  EXPECT_EQ(text(first, "instruction_addr"), "0x401d72");
  EXPECT_EQ(text(first, "package"), "/work/linux/build/crash");
  EXPECT_EQ(text(first, "function"), "crash");
  EXPECT_EQ(text(first, "filename"), "main.cpp");
  EXPECT_EQ(first["lineno"].integer_or(0), 23);
  EXPECT_EQ(text(trace["frames"].at(1), "function"), "start");  // inlined like the first
  EXPECT_EQ(text(trace["frames"].at(2), "function"), "main");
  EXPECT_EQ(trace["frames"].at(2)["original_index"].integer_or(9), 0);
  const JsonValue* crash = find_module(answer, "c0bcc3f1-9827-fe65-3058-404b2831d9e6");
  ASSERT_NE(crash, nullptr);
  EXPECT_EQ(text(*crash, "debug_status"), "found");
  EXPECT_EQ(text(*crash, "unwind_status"), "found");
  EXPECT_EQ(text(*crash, "code_id"), "f1c3bcc0279865fe3058404b2831d9e64135386c");
  EXPECT_EQ(text((*crash)["candidates"].at(0)["download"], "status"), "ok");
  const JsonValue* math = find_module(answer, "e45db8df-af2d-09fd-640c-8fe377d572de");
  ASSERT_NE(math, nullptr);
  EXPECT_EQ(text(*math, "debug_status"), "unused");
  EXPECT_EQ(text(*math, "unwind_status"), "unused");
}

// Symbolicator's own dump, without symbols: its frames, as it gives them.
TEST_F(SymbolicatorTest, DumpsWithoutSymbolsKeepTheirReturnAddresses) {
  REQUIRE_CORPUS(corpus);
  start();
  const JsonValue answer = must_post_form(
      "/minidump", part("upload_file_minidump",
                        must_read(corpus + "/minidumps/dumps/symbolicator/windows.dmp")));
  ASSERT_EQ(text(answer, "status"), "completed");
  EXPECT_EQ(text(answer["system_info"], "os_name"), "Windows");
  EXPECT_EQ(text(answer["system_info"], "os_version"), "10.0.14393");
  EXPECT_EQ(text(answer["system_info"], "cpu_arch"), "x86");
  ASSERT_EQ(answer["stacktraces"].size(), 4u);
  const JsonValue& waiting = answer["stacktraces"].at(1);
  EXPECT_EQ(waiting["thread_id"].integer_or(0), 3580);
  EXPECT_EQ(*waiting["is_requesting"].boolean(), false);
  std::vector<std::string_view> addresses;
  for (const JsonValue& frame : *waiting["frames"].array()) {
    addresses.push_back(text(frame, "instruction_addr"));
    EXPECT_EQ(text(frame, "status"), "missing");
  }
  EXPECT_EQ(addresses, (std::vector<std::string_view>{"0x771e016c", "0x750662c4", "0x771d0f79",
                                                      "0x771d0f44"}));
  EXPECT_EQ(text(waiting["frames"].at(1), "trust"), "fp");
  const JsonValue* kernel = find_module(answer, "d3474559-96f7-47d6-bf43-c176b2171e68-1");
  ASSERT_NE(kernel, nullptr);
  EXPECT_EQ(text(*kernel, "type"), "pe");
  EXPECT_EQ(text(*kernel, "code_id"), "590285e9e0000");
  EXPECT_EQ(text(*kernel, "debug_status"), "missing");
}

TEST_F(SymbolicatorTest, WhatIsNoDumpFailsAndLeavesNothingBehind) {
  start();
  for (const std::string& dump : {std::string(), std::string("MDMP"), std::string(100'000, '.'),
                                  "MDMP" + std::string(1000, '.')}) {
    const JsonValue answer = must_post_form("/minidump", part("upload_file_minidump", dump));
    EXPECT_EQ(text(answer, "status"), "failed");
    EXPECT_NE(text(answer, "message"), "");
    EXPECT_EQ(text(answer, "message").find(root_.path()), std::string_view::npos);
  }
}

TEST_F(SymbolicatorTest, ApplesReportsAreReadAndNamed) {
  REQUIRE_CORPUS(corpus);
  start();
  put(fmt::format("/crash/{}/crash.sym", kMacId),
      must_read(corpus + "/symbols/sym/crash-macos/"
                         "crash.dSYM_Contents_Resources_DWARF_crash.breakpad-inlines.sym"));
  const std::string report =
      "Process:               crash [4711]\n"
      "Code Type:             X86-64 (Native)\n"
      "Date/Time:             2019-01-09 17:42:22 +0000\n"
      "OS Version:            Mac OS X 10.14.0 (18A391)\n"
      "Hardware Model:        MacBookPro14,3\n"
      "Exception Type:        SIGSEGV\n\n"
      "Thread 0 Crashed:\n"
      "0   crash   0x0000000108001434 0x108000000 + 5172\n"
      "1   crash   0x00000001080021d5 0x108000000 + 8661\n"
      "2   libdyld.dylib   0x00007fff61a8e085 0x7fff61a77000 + 94341\n\n"
      "Thread 0 crashed with X86 Thread State (64-bit):\n"
      "  rax: 0x0000000000000001  rip: 0x0000000108001434\n\n"
      "Binary Images:\n"
      "0x108000000 - 0x10800ffff +crash (0) <67E9247C-814E-392B-A027-DBDE6748FCBF> /Apps/crash\n";
  const JsonValue answer = must_post_form("/applecrashreport", part("apple_crash_report", report));
  ASSERT_EQ(text(answer, "status"), "completed");
  EXPECT_EQ(answer["timestamp"].integer_or(0), 1547055742);
  EXPECT_EQ(text(answer, "crash_reason"), "SIGSEGV");
  EXPECT_EQ(text_of(answer["system_info"]), text_of(must_parse(R"({"os_name":"macOS",
    "os_version":"10.14.0","os_build":"18A391","cpu_arch":"x86_64",
    "device_model":"MacBookPro14,3"})")));
  const JsonValue& trace = answer["stacktraces"].at(0);
  EXPECT_EQ(*trace["is_requesting"].boolean(), true);
  EXPECT_EQ(text(trace["registers"], "rip"), "0x108001434");
  const JsonValue& frames = trace["frames"];
  EXPECT_NE(text(frames.at(0), "function").find("WriteStringCore"), std::string_view::npos);
  EXPECT_EQ(frames.at(0)["lineno"].integer_or(0), 210);
  EXPECT_NE(text(frames.at(1), "function").find("GetDyldAllImageInfosPointer"),
            std::string_view::npos);
  EXPECT_EQ(text(frames.at(1), "instruction_addr"), "0x1080021d4");
  EXPECT_EQ(text(frames.at(2), "status"), "unknown_image");
  EXPECT_EQ(text(frames.at(2), "package"), "libdyld.dylib");
  EXPECT_EQ(text(answer["modules"].at(0), "type"), "macho");
  EXPECT_EQ(text(answer["modules"].at(0), "code_id"), "67e9247c814e392ba027dbde6748fcbf");

  const JsonValue none = must_post_form("/applecrashreport", part("apple_crash_report", "hello"));
  EXPECT_EQ(text(none, "status"), "failed");
}

TEST_F(SymbolicatorTest, AProjectsSymbolsAreForItsReadersAlone) {
  start();
  must_admin("project create game");
  const std::string upload = must_admin("token create up --project game");
  const std::string read = must_admin("token create down --rights read --project game");
  put(fmt::format("/p/game/crash/{}/crash.sym", kLinuxId), linux_sym(),
      {{"Authorization", "Bearer " + upload}});
  const std::string body = question(kLinuxId, R"([{"instruction_addr":"0x401918"}])");
  const auto status_of = [](const JsonValue& answer) {
    return std::string(text(answer["modules"].at(0), "debug_status"));
  };
  EXPECT_EQ(status_of(must_post("/symbolicate", body)), "missing");
  EXPECT_EQ(status_of(must_post("/p/game/t/" + read + "/symbolicate", body)), "found");
  // Whoever is on this machine may read; who comes through a proxy has to say who he is.
  uploads::Fields from_afar = json_fields();
  from_afar["Via"] = "1.1 proxy";
  uploads::Fields with_token = from_afar;
  with_token["Authorization"] = "Bearer " + read;
  EXPECT_EQ(status_of(must_post("/p/game/symbolicate", body, with_token)), "found");
  const int refused = post("/p/game/symbolicate", body, from_afar).status;
  EXPECT_EQ(refused, post("/p/game/symbolicate/v5", "{}", from_afar).status);
  EXPECT_GE(refused, 400);
  uploads::Fields form = uploads::form_header();
  form["Via"] = "1.1 proxy";
  EXPECT_EQ(post("/p/game/minidump", uploads::form_end(), form).status, refused);
  EXPECT_EQ(uploads::send(server_->url(), "GET", "/p/game/requests/x", "", from_afar).status,
            refused);
}

}  // namespace
