// The published schemas against what is really sent and answered: the vectors of Eliot and of the
// first Mozilla server, real bodies of crash reports and profiles.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "symbolication_fixture.h"
#include "testing/commands.h"
#include "testing/corpus.h"

namespace {

using base::JsonValue;
using symbolication::must_parse;
using symbolication::must_read;
using symbolication::text_of;

bool have_validator() {
  const auto found =
      base::run_child("/usr/bin/python3", {"python3", "-I", "-c", "import jsonschema"});
  return found.ok() && found->ok();
}

class SymbolicationSchemas : public symbolication::Symbolication {
 protected:
  // Keeps what was said for hold(): by protocol ("v4", "v5"), and whether it was answered.
  int ask(const std::string& label, const std::string& path, const std::string& body,
          const uploads::Fields& headers = {}) {
    const auto answer = post(path, body, headers);
    const std::string protocol = path == "/symbolicate/v5" ? "v5" : "v4";
    if (answer.status == 200) {
      keep(protocol + "-request", label, body);
      keep(protocol + "-answer", label, answer.body);
    } else if (JsonValue::parse(body).ok()) {
      keep(protocol + "-refused", label, body);
    }
    return answer.status;
  }

  // How many documents of a kind fit the schema that the server publishes, or with --refuse do not.
  std::size_t hold(const std::string& kind, const std::string& schema, const std::string& flag) {
    const auto published = uploads::send(server_->url(), "GET", "/symbolicate/" + schema);
    EXPECT_EQ(published.status, 200) << schema;
    EXPECT_EQ(published.headers.find("Content-Type").value_or(""), "application/schema+json");
    EXPECT_EQ(published.headers.find("Access-Control-Allow-Origin").value_or(""), "*");
    const std::string schema_path = root_.path() + "/schema.json";
    const std::string documents_path = root_.path() + "/documents";
    EXPECT_TRUE(base::write_file_durably(schema_path, base::bytes_of(published.body)).ok());
    EXPECT_TRUE(base::write_file_durably(documents_path, base::bytes_of(documents_[kind])).ok());
    std::vector<std::string> arguments{"python3", "-I",
                                       testing_support::source_root() + "/tests/validate-json",
                                       schema_path, documents_path};
    if (!flag.empty()) arguments.push_back(flag);
    const auto held = base::run_child("/usr/bin/python3", arguments);
    EXPECT_TRUE(held.ok() && held->ok())
        << kind << (held.ok() ? ": " + held->output + held->errors : ": cannot be run");
    return static_cast<std::size_t>(
        std::count(documents_[kind].begin(), documents_[kind].end(), '\n'));
  }

 private:
  void keep(const std::string& kind, const std::string& label, std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    documents_[kind] += label + "\t" + text + "\n";
  }

  std::map<std::string, std::string> documents_;
};

TEST_F(SymbolicationSchemas, HoldForEliotsVectors) {
  REQUIRE_CORPUS(corpus);
  REQUIRE_OR_SKIP(have_validator(), "no python3-jsonschema: tools/install-deps test");
  const JsonValue cases = start_with_cases(corpus, "eliot-cases.json");
  for (const JsonValue& one : *cases["cases"].array()) {
    const std::string id(one["id"].text_or(""));
    const std::string path(one["route"].text_or(""));
    // That a number of a module is too large is what a schema cannot say.
    if (one["method"].text_or("") != "POST" || one["request"].is_null() || id == "stacks-bad-6") {
      continue;
    }
    ask(id, path, text_of(one["request"]));
    if (path == "/symbolicate/v5")
      ask(id + " debug", path, text_of(one["request"]), {{"Debug", "1"}});
  }
  EXPECT_GE(hold("v5-request", "v5/schema/request.json", ""), 20u);
  EXPECT_GE(hold("v5-answer", "v5/schema/answer.json", "--closed"), 20u);
  EXPECT_GE(hold("v5-refused", "v5/schema/request.json", "--refuse"), 8u);
  EXPECT_GE(hold("v4-request", "v4/schema/request.json", ""), 2u);
  EXPECT_GE(hold("v4-answer", "v4/schema/answer.json", "--closed"), 2u);
  EXPECT_GE(hold("v4-refused", "v4/schema/request.json", "--refuse"), 2u);
}

TEST_F(SymbolicationSchemas, HoldForTheFirstMozillaServersVectors) {
  REQUIRE_CORPUS(corpus);
  REQUIRE_OR_SKIP(have_validator(), "no python3-jsonschema: tools/install-deps test");
  const JsonValue cases = start_with_cases(corpus, "v4-mozilla-server.json");
  for (const JsonValue& one : *cases["cases"].array()) {
    const JsonValue& request = one["request"];
    if (request["version"].integer_or(0) != 4) continue;
    ask(std::string(one["id"].text_or("")), "/", text_of(request));
  }
  EXPECT_GE(hold("v4-answer", "v4/schema/answer.json", "--closed"), 10u);
}

// Symbols whose records lack names, lines or sizes, and offsets that nobody has.
TEST_F(SymbolicationSchemas, HoldForSymbolsWithoutNames) {
  REQUIRE_OR_SKIP(have_validator(), "no python3-jsonschema: tools/install-deps test");
  start();
  const std::string id = "000102030405060708090A0B0C0D0E0F1";
  const auto uploaded =
      uploads::send(server_->url(), "PUT", "/odd.pdb/" + id + "/odd.sym",
                    "MODULE windows x86 " + id + " odd.pdb\n" +
                        "FILE 0 \nFILE 1 a.c\nINLINE_ORIGIN 0 \nINLINE_ORIGIN 1 called\n"
                        "FUNC 1000 10 0 \n1000 10 3 1\n"
                        "FUNC 1100 10 0 in_no_file\n1100 10 3 0\n"
                        "FUNC 1200 20 0 f\nINLINE 0 7 1 0 1200 10\nINLINE 0 7 0 1 1210 10\n"
                        "INLINE 1 8 0 0 1218 4\n1200 20 3 0\n"
                        "FUNC 1300 0 0 empty\nFUNC 1400 10 0 _@8\n"
                        "PUBLIC 2000 0 \nPUBLIC 2100 0 @@8\nPUBLIC 2200 0 _\nPUBLIC 2300 0 _@8\n");
  ASSERT_EQ(uploaded.status / 100, 2) << uploaded.body;
  std::string offsets;
  for (std::uint64_t at = 0x0ff0; at < 0x2400; at += 8) {
    offsets.append("[0,").append(std::to_string(at)).append("],");
  }
  const std::string body = R"j({"version":4,"memoryMap":[["odd.pdb",")j" + id +
                           R"j("],["odd.pdb",")j" + id + R"j("],["",""]],"stacks":[[)j" + offsets +
                           "[0,-1],[0,4294967296],[0,18446744073709551615],[2,1],[-1,1]]]}";
  for (const char* path : {"/symbolicate/v5", "/symbolicate/v4", "/"}) {
    EXPECT_EQ(ask(path, path, body), 200);
  }
  EXPECT_EQ(hold("v5-answer", "v5/schema/answer.json", "--closed"), 1u);
  EXPECT_EQ(hold("v4-answer", "v4/schema/answer.json", "--closed"), 2u);
  // Without a name there is the offset.
  const std::string texts = post("/symbolicate/v4", body).body + post("/", body).body;
  EXPECT_EQ(texts.find("\" (in"), std::string::npos) << texts;
}

TEST_F(SymbolicationSchemas, HoldForRealBodies) {
  REQUIRE_CORPUS(corpus);
  REQUIRE_OR_SKIP(have_validator(), "no python3-jsonschema: tools/install-deps test");
  start();
  upload_tree(corpus + "/symbols/symbolicate/symbols");
  std::ifstream lines(corpus + "/symbols/symbolicate/tecken-loadtests-v4.jsonl");
  for (std::string line; std::getline(lines, line);) {
    const JsonValue one = must_parse(line);
    const std::string name(one["name"].text_or(""));
    const std::string body(one["body"].text_or(""));
    const int status = ask(name, "/symbolicate/v4", body);
    EXPECT_EQ(ask(name, "/symbolicate/v5", body), status) << name;
    if (status == 200) ask(name + " /", "/", body);
  }
  for (const char* name : {"linux64-ci-xul", "macos-ci-nonxul-2", "win64-local-nonxul"}) {
    ask(name, "/symbolicate/v5",
        must_read(corpus + "/symbols/symbolicate/profiler-v5/" + name + ".json"));
  }
  for (const char* protocol : {"v4", "v5"}) {
    const std::string p = protocol;
    const std::size_t answered = hold(p + "-answer", p + "/schema/answer.json", "--closed");
    EXPECT_EQ(hold(p + "-request", p + "/schema/request.json", ""), answered);
    const std::size_t refused = hold(p + "-refused", p + "/schema/request.json", "--refuse");
    EXPECT_GE(answered + refused, 300u) << p;
  }
}

}  // namespace
