// The Firefox profiler's own code against a server of ours. Its command line program, as npm has
// it, symbolicates a profile and shows sources and machine code with our answers; and a page of
// another origin in a real browser asks in the way of the profiler's page, and gets what it may
// have.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "browser.h"
#include "client_programs.h"
#include "extract/identify.h"
#include "net/client.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/scripted_server.h"
#include "testing/server_process.h"
#include "upload_dialects.h"

namespace {

using base::JsonValue;
using base::JsonWriter;
using testing_support::have_command;
using testing_support::must_run;
using testing_support::ServerProcess;

constexpr const char* kSource =
    "volatile int oil = 7;\n"
    "static inline __attribute__((always_inline)) int dim(int a) { return a * oil; }\n"
    "__attribute__((noinline)) int flicker(int a) {\n"
    "  return dim(a) - 1;\n"
    "}\n"
    "int main(int c, char** v) {\n"
    "  (void)v;\n"
    "  return flicker(c) + 2;\n"
    "}\n";

struct Instruction {
  std::uint64_t address = 0;
  bool is_inlined = false;  // from dim() into flicker()
  std::int64_t line = 0;    // of the innermost function
};

class FirefoxProfiler : public testing::Test {
 protected:
  // A program, and what binutils say of flicker()'s instructions.
  void build() {
    REQUIRE_OR_SKIP(have_command("cc"), "no C compiler");
    ASSERT_TRUE(base::write_file_durably(source_path(), base::bytes_of(kSource)).ok());
    must_run("cd " + root_.path() + " && cc -O1 -g -fcf-protection=none -Wl,--build-id -o lamp " +
             source_path());
    const std::string bytes = base::read_file(root_.path() + "/lamp").value();
    identity_ = extract::identify(base::bytes_of(bytes));
    ASSERT_NE(identity_.build_id, "");
    flicker_ = instructions_of("flicker");
    ASSERT_GE(flicker_.size(), 3u);
    main_ = instructions_of("main").at(0).address;
  }
  void start(std::vector<std::string> environment) {
    environment.push_back("FAULTLINE_SOURCES_DIRECTORIES=" + root_.path());
    server_.emplace(ServerProcess::start({root_.path() + "/data", {}, {}, std::move(environment)}));
    ASSERT_NE(server_->url(), "");
    const auto answer =
        uploads::send(server_->url(), "PUT", "/lamp/" + identity_.debug_id.breakpad() + "/lamp",
                      base::read_file(root_.path() + "/lamp").value());
    ASSERT_LT(answer.status, 300) << answer.body;
  }
  std::string source_path() const { return root_.path() + "/lamp.c"; }

  std::vector<Instruction> instructions_of(const std::string& function) {
    const std::string lamp = root_.path() + "/lamp";
    const std::string listing =
        must_run("objdump -d --no-show-raw-insn --disassemble=" + function + " " + lamp).output;
    std::vector<Instruction> found;
    for (const std::string_view line : base::split(listing, '\n')) {
      const auto colon = line.find(":\t");
      if (colon == std::string_view::npos) continue;
      const auto address = base::parse_hex(base::trim(line.substr(0, colon)));
      if (address) found.push_back(instruction_at(*address));
    }
    return found;
  }
  Instruction instruction_at(std::uint64_t address) {
    const std::string where = fmt::format("{:x}", address);
    const std::string said =
        must_run("addr2line -f -i -e " + root_.path() + "/lamp " + where).output;
    const auto lines = base::split(base::trim(said), '\n');
    Instruction found{address, lines.size() > 2, 0};
    const std::string_view place = lines.at(1);
    const std::string_view number = place.substr(place.rfind(':') + 1);
    const auto line = base::parse_decimal(number.substr(0, number.find(' ')));
    found.line = static_cast<std::int64_t>(line.value_or(0));
    return found;
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("firefox-profiler").value();
  extract::Identity identity_;
  std::vector<Instruction> flicker_;
  std::uint64_t main_ = 0;
  std::optional<ServerProcess> server_;
};

// ---- a profile, as a sampling profiler saves it before anybody knows names ----

// Columns of a table of the profile.
void put_column(JsonWriter& out, std::string_view name, std::size_t length, std::string_view item) {
  out.key(name).begin_array();
  for (std::size_t i = 0; i < length; ++i) out.raw(item);
  out.end_array();
}
template <class Number>
void put_numbers(JsonWriter& out, std::string_view name, const std::vector<Number>& numbers) {
  out.key(name).begin_array();
  for (const Number number : numbers) out.integer(static_cast<std::int64_t>(number));
  out.end_array();
}
std::vector<std::int64_t> count_up(std::size_t length) {
  std::vector<std::int64_t> numbers(length);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

// Version 47 of the profiler's format, which it brings to its own day's. Frame 0 is where main()
// calls, the last one is in a library that no server knows, and between are flicker()'s. There is a
// sample at each but the first, on a stack with main() below but for the last.
class Profile {
 public:
  Profile(const extract::Identity& lamp, std::uint64_t main_address,
          const std::vector<Instruction>& flicker)
      : lamp_(lamp), addresses_{main_address} {
    addresses_.reserve(flicker.size() + 2);
    for (const Instruction& instruction : flicker) addresses_.push_back(instruction.address);
    addresses_.push_back(0x1234);
    resources_.assign(addresses_.size(), 0);
    resources_.back() = 1;
  }

  std::string text() const {
    JsonWriter out;
    out.begin_object().key("meta").raw(
        R"json({"version":24,"preprocessedProfileVersion":47,"interval":1,"startTime":0,
                "processType":0,"product":"lamp","stackwalk":1,"debug":false,"symbolicated":false,
                "categories":[{"name":"Other","color":"grey","subcategories":["Other"]}],
                "markerSchema":[]})json");
    out.key("libs").begin_array();
    put_library(out, "lamp", lamp_.debug_id.breakpad(), lamp_.build_id);
    put_library(out, "nobodys", "0123456789ABCDEF0123456789ABCDEF0", "abcdef");
    out.end_array().key("threads").begin_array();
    put_thread(out);
    out.end_array().end_object();
    return out.take();
  }

 private:
  static void put_library(JsonWriter& out, std::string_view name, std::string_view debug_id,
                          std::string_view code_id) {
    out.begin_object();
    for (const char* key : {"name", "path", "debugName", "debugPath"}) out.key(key).string(name);
    out.key("breakpadId").string(debug_id).key("codeId").string(code_id).key("arch").null();
    out.end_object();
  }

  void put_thread(JsonWriter& out) const {
    out.begin_object().key("name").string("main").key("isMainThread").boolean(true);
    out.key("processType").string("default").key("processName").string("lamp");
    out.key("processStartupTime").integer(0).key("processShutdownTime").null();
    out.key("registerTime").integer(0).key("unregisterTime").null().key("pausedRanges").raw("[]");
    out.key("pid").string("1").key("tid").integer(1).key("markers").raw(
        R"json({"length":0,"category":[],"data":[],"endTime":[],"name":[],"phase":[],
                "startTime":[]})json");
    out.key("nativeSymbols")
        .raw(R"json({"length":0,"address":[],"functionSize":[],"libIndex":[],"name":[]})json");
    put_frames(out);
    put_functions(out);
    put_stacks(out);
    out.end_object();
  }

  void put_frames(JsonWriter& out) const {
    const std::size_t length = addresses_.size();
    begin_table(out, "frameTable", length);
    put_numbers(out, "address", addresses_);
    put_numbers(out, "func", count_up(length));
    for (const char* name : {"inlineDepth", "category", "subcategory"}) {
      put_column(out, name, length, "0");
    }
    for (const char* name : {"nativeSymbol", "innerWindowID", "implementation", "line", "column"}) {
      put_column(out, name, length, "null");
    }
    out.end_object();
  }

  // One for each address, named like it.
  void put_functions(JsonWriter& out) const {
    const std::size_t length = addresses_.size();
    begin_table(out, "funcTable", length);
    put_numbers(out, "name", count_up(length));
    put_numbers(out, "resource", resources_);
    put_column(out, "isJS", length, "false");
    put_column(out, "relevantForJS", length, "false");
    for (const char* name : {"fileName", "lineNumber", "columnNumber"}) {
      put_column(out, name, length, "null");
    }
    out.end_object();
    begin_table(out, "resourceTable", 2);
    put_numbers(out, "lib", count_up(2));
    put_numbers(out, "name", std::vector<std::size_t>{length, length + 1});
    put_column(out, "host", 2, "null");
    put_column(out, "type", 2, "1");
    out.end_object().key("stringArray").begin_array();
    for (const std::uint64_t address : addresses_) out.string(fmt::format("0x{:x}", address));
    out.string("lamp").string("nobodys").end_array();
  }

  void put_stacks(JsonWriter& out) const {
    const std::size_t length = addresses_.size();
    begin_table(out, "stackTable", length).key("prefix").begin_array().null();
    for (std::size_t i = 1; i + 1 < length; ++i) out.integer(0);
    out.null().end_array();
    put_numbers(out, "frame", count_up(length));
    put_column(out, "category", length, "0");
    put_column(out, "subcategory", length, "0");
    out.end_object();
    auto sampled = count_up(length);
    sampled.erase(sampled.begin());
    begin_table(out, "samples", length - 1).key("weight").null();
    out.key("weightType").string("samples");
    put_numbers(out, "stack", sampled);
    put_numbers(out, "time", sampled);
    out.end_object();
  }

  static JsonWriter& begin_table(JsonWriter& out, std::string_view name, std::size_t length) {
    return out.key(name).begin_object().key("length").unsigned_integer(length);
  }

  const extract::Identity& lamp_;
  std::vector<std::uint64_t> addresses_;
  std::vector<std::int64_t> resources_;
};

// ---- the profiler's command line program ----

// It asks for 24, and was seen to run with 20.
bool has_node() {
  return have_command("node") &&
         testing_support::run(
             "node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'")
             .ok();
}

// Its server of one profile runs in the foreground, for as long as the commands need it, so that
// none stays behind; a command that comes before it is up would remove its traces. What they say
// lies in functions.json and annotated.json of `place`.
std::string questions_for(const std::string& client, const std::string& place,
                          const std::string& url) {
  return fmt::format(
      "set -e; cd {1}; export PROFILER_CLI_SESSION_DIR={1}/sessions\n"
      "timeout 180 node {0} --daemon {1}/profile.json --session lamp --symbol-server {2} & "
      "daemon=$!\n"
      "trap 'kill $daemon' EXIT\n"
      "until grep -qs 'Profile loaded' sessions/lamp.log; do kill -0 $daemon; sleep 0.1; done\n"
      "node {0} thread functions --session lamp --json > functions.json\n"
      "flicker=$(jq -r '.functions[] | select(.name == \"flicker\").functionHandle' "
      "functions.json)\n"
      "node {0} function annotate $flicker --mode all --context file --session lamp --json "
      "> annotated.json\n",
      client, place, url);
}

JsonValue must_parse(const std::string& path) {
  auto json = JsonValue::parse(base::read_file(path).value_or(""));
  EXPECT_TRUE(json.ok()) << path;
  return json.ok() ? std::move(*json) : JsonValue{};
}

// The function of that name among the profile's; null when there is none.
const JsonValue& function_named(const JsonValue& functions, std::string_view name) {
  static const JsonValue none;
  const auto* all = functions["functions"].array();
  if (all == nullptr) return none;
  const auto found = std::find_if(all->begin(), all->end(), [&](const JsonValue& function) {
    return function["name"].text_or("") == name;
  });
  return found == all->end() ? none : *found;
}

void expect_samples(const JsonValue& functions, std::string_view name, std::int64_t self,
                    std::int64_t total) {
  const JsonValue& function = function_named(functions, name);
  EXPECT_EQ(function["selfSamples"].integer_or(-1), self) << name;
  EXPECT_EQ(function["totalSamples"].integer_or(-1), total) << name;
}

// Lines of the whole file count, also those that were inlined.
void expect_source(const JsonValue& source, const std::string& path,
                   const std::vector<Instruction>& flicker) {
  EXPECT_EQ(source["filename"].text_or(""), path);
  const auto lines = base::split(kSource, '\n');
  ASSERT_EQ(source["lines"].size(), lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto hits = std::count_if(flicker.begin(), flicker.end(), [&](const Instruction& at) {
      return at.line == static_cast<std::int64_t>(i + 1);
    });
    const JsonValue& line = source["lines"].at(i);
    EXPECT_EQ(line["sourceText"].text_or("?"), lines[i]);
    EXPECT_EQ(line["selfSamples"].integer_or(-1), hits) << "line " << i + 1;
  }
}

void expect_code(const JsonValue& code, const std::vector<Instruction>& flicker) {
  EXPECT_EQ(code["symbolName"].text_or(""), "flicker");
  EXPECT_TRUE(code["fetchError"].is_null());
  ASSERT_EQ(code["instructions"].size(), flicker.size());
  for (std::size_t i = 0; i < flicker.size(); ++i) {
    const JsonValue& instruction = code["instructions"].at(i);
    EXPECT_EQ(instruction["address"].integer_or(-1), static_cast<std::int64_t>(flicker[i].address));
    EXPECT_EQ(instruction["selfSamples"].integer_or(-1), 1);
    EXPECT_NE(instruction["decodedString"].text_or(""), "");
  }
  EXPECT_EQ(code["instructions"].at(flicker.size() - 1)["decodedString"].text_or(""), "ret");
}

TEST_F(FirefoxProfiler, ItsClientShowsNamesSourcesAndMachineCode) {
  REQUIRE_CLIENT(client, "profiler-cli");
  REQUIRE_OR_SKIP(have_command("jq"), "no jq");
  if (!has_node()) GTEST_SKIP() << "no node, or one before 20";
  build();
  start({});
  const std::string profile = root_.path() + "/profile.json";
  const Profile recorded(identity_, main_, flicker_);
  ASSERT_TRUE(base::write_file_durably(profile, base::bytes_of(recorded.text())).ok());
  const auto ran = testing_support::run(questions_for(client, root_.path(), server_->url()));
  ASSERT_TRUE(ran.ok()) << ran.output << ran.errors
                        << base::read_file(root_.path() + "/sessions/lamp.log").value_or("")
                        << server_->log();

  const JsonValue functions = must_parse(root_.path() + "/functions.json");
  const auto all = static_cast<std::int64_t>(flicker_.size());
  const auto inlined = std::count_if(flicker_.begin(), flicker_.end(),
                                     [](const Instruction& at) { return at.is_inlined; });
  EXPECT_GT(inlined, 0);
  expect_samples(functions, "dim", inlined, inlined);
  expect_samples(functions, "flicker", all - inlined, all);
  expect_samples(functions, "main", 0, all);
  EXPECT_EQ(function_named(functions, "dim")["nameWithLibrary"].text_or(""), "lamp!dim");
  // What no server knows stays as it is, and takes nothing from the rest.
  expect_samples(functions, "0x1234", 1, 1);

  const JsonValue annotated = must_parse(root_.path() + "/annotated.json");
  EXPECT_EQ(annotated["warnings"].size(), 0u)
      << base::read_file(root_.path() + "/annotated.json").value_or("");
  expect_source(annotated["srcAnnotation"], source_path(), flicker_);
  expect_code(annotated["asmAnnotations"].at(0), flicker_);
}

// ---- a page of another origin ----

// Asks the three routes as the profiler's page does, and each once more with a type that makes the
// browser ask before; writes "PATH STATUS TEXT", or "PATH refused", for each.
constexpr const char* kPage = R"html(<!DOCTYPE html><title>page</title><pre id="said"></pre><script>
const simple = {};
const asks_before = {"Content-Type": "application/json"};
const named = new Headers({"User-Agent": `FirefoxProfiler/1.0 (+${location.origin})`});
async function ask(path, body, headers) {
  try {
    const request = {method: "POST", mode: "cors", credentials: "omit", headers, body};
    const answer = await fetch(SERVER + path, request);
    return `${path} ${answer.status} ${await answer.text()}`;
  } catch (error) {
    return `${path} refused`;
  }
}
(async () => {
  const said = [];
  for (const headers of [simple, asks_before, named]) {
    for (const [path, body] of QUESTIONS) said.push(await ask(path, JSON.stringify(body), headers));
  }
  document.getElementById("said").textContent = said.join("\n") + "\nend";
})();
</script>)html";

class FirefoxProfilerPage : public FirefoxProfiler {
 protected:
  // What the page of `origin_` got of a server with these options, a line for each question.
  std::vector<std::string> ask(std::vector<std::string> environment) {
    start(std::move(environment));
    clients::Browser browser(clients::find_browser().value());
    const std::string document = browser.dump_dom(page_.url() + "/");
    const auto from = document.find("<pre id=\"said\">");
    const auto to = document.find("\nend</pre>");
    EXPECT_NE(to, std::string::npos) << document;
    if (from == std::string::npos || to == std::string::npos) return {};
    std::vector<std::string> lines;
    const std::string_view said = std::string_view(document).substr(from + 15, to - from - 15);
    for (const std::string_view line : base::split(said, '\n')) lines.emplace_back(line);
    EXPECT_EQ(lines.size(), 12u) << said;
    return lines;
  }

  std::string text() const {
    const std::string lamp =
        fmt::format(R"("debugName":"lamp","debugId":"{}")", identity_.debug_id.breakpad());
    const std::string address = fmt::format("0x{:x}", flicker_.at(0).address);
    const auto source = [&](const std::string& file) {
      return fmt::format(R"(["/source/v1",{{{},"moduleOffset":"{}","file":"{}"}}])", lamp, address,
                         file);
    };
    const std::string names = fmt::format(
        R"(["/symbolicate/v5",{{"jobs":[{{"memoryMap":[["lamp","{}"]],"stacks":[[[0,{}]]]}}]}}])",
        identity_.debug_id.breakpad(), flicker_.at(0).address);
    const std::string code = fmt::format(
        R"(["/asm/v1",{{{},"startAddress":"{}","size":"0x1","continueUntilFunctionEnd":false}}])",
        lamp, address);
    return fmt::format("<script>const SERVER = \"{}\", QUESTIONS = [{},{},{},{}];</script>{}",
                       server_->url(), names, source(source_path()), source("/etc/passwd"), code,
                       kPage);
  }

  testing_support::ScriptedServer page_{root_.path(), [this](net::Request&) {
                                          net::Answer answer = net::Answer::text(200, text());
                                          answer.headers.set("Content-Type", "text/html");
                                          return answer;
                                        }};
};

void expect_beginning(const std::string& line, std::string_view beginning) {
  EXPECT_TRUE(line.starts_with(beginning)) << line << "\n  should begin with " << beginning;
}

TEST_F(FirefoxProfilerPage, GetsAllWhenItsOriginIsNamed) {
  REQUIRE_OR_SKIP(clients::find_browser().has_value(), "no chromium on this machine");
  build();
  const auto lines = ask({"FAULTLINE_SOURCES_ORIGIN=" + page_.url()});
  for (std::size_t i = 0; i + 3 < lines.size(); i += 4) {
    expect_beginning(lines[i], "/symbolicate/v5 200 {\"results\":[");
    EXPECT_NE(lines[i].find(R"("function":"flicker")"), std::string::npos) << lines[i];
    expect_beginning(lines[i + 1], "/source/v1 200 {");
    EXPECT_NE(lines[i + 1].find("volatile int oil = 7;"), std::string::npos) << lines[i + 1];
    // The page can read why it does not get something.
    expect_beginning(lines[i + 2], "/source/v1 404 {\"error\":");
    expect_beginning(lines[i + 3], "/asm/v1 200 {");
    EXPECT_NE(lines[i + 3].find("\"arch\":"), std::string::npos) << lines[i + 3];
  }
}

TEST_F(FirefoxProfilerPage, GetsNamesAloneWithoutSettings) {
  REQUIRE_OR_SKIP(clients::find_browser().has_value(), "no chromium on this machine");
  build();
  const auto lines = ask({});
  for (std::size_t i = 0; i + 3 < lines.size(); i += 4) {
    expect_beginning(lines[i], "/symbolicate/v5 200 {");
    EXPECT_EQ(lines[i + 1], "/source/v1 refused");
    EXPECT_EQ(lines[i + 2], "/source/v1 refused");
    EXPECT_EQ(lines[i + 3], "/asm/v1 refused");
  }
}

TEST_F(FirefoxProfilerPage, GetsNothingWhenAnotherOriginIsNamed) {
  REQUIRE_OR_SKIP(clients::find_browser().has_value(), "no chromium on this machine");
  build();
  const auto lines = ask({"FAULTLINE_SYMBOLICATION_ORIGIN=https://profiler.firefox.com",
                          "FAULTLINE_SOURCES_ORIGIN=https://profiler.firefox.com"});
  for (const std::string& line : lines) EXPECT_TRUE(line.ends_with(" refused")) << line;
}

// Firefox sends the header that the page sets, and so asks before.
TEST_F(FirefoxProfiler, AnswersThePagesPreflight) {
  build();
  start({"FAULTLINE_SOURCES_ORIGIN=https://profiler.firefox.com"});
  for (const auto& [path, origin] :
       {std::pair{"/symbolicate/v5", "*"}, std::pair{"/symbolicate/v4", "*"},
        std::pair{"/source/v1", "https://profiler.firefox.com"},
        std::pair{"/asm/v1", "https://profiler.firefox.com"}}) {
    const auto answer = uploads::send(server_->url(), "OPTIONS", path, "",
                                      {{"Origin", "https://profiler.firefox.com"},
                                       {"Access-Control-Request-Method", "POST"},
                                       {"Access-Control-Request-Headers", "user-agent"}});
    EXPECT_TRUE(answer.status == 200 || answer.status == 204) << path;
    const auto header = [&](const char* name) { return answer.headers.find(name).value_or(""); };
    EXPECT_EQ(header("Access-Control-Allow-Origin"), origin) << path;
    EXPECT_NE(header("Access-Control-Allow-Methods").find("POST"), std::string::npos) << path;
    EXPECT_EQ(header("Access-Control-Allow-Headers"), "*, user-agent, content-type") << path;
    EXPECT_EQ(header("Access-Control-Max-Age"), "86400") << path;
  }
}

}  // namespace
