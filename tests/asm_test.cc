// The profiler's assembly view: a real server, real modules, and samply's answers beside ours.
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "extract/identify.h"
#include "ident/paths.h"
#include "index_files.h"
#include "net/client.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/server_process.h"
#include "upload_dialects.h"

namespace {

using base::JsonValue;
using testing_support::have_command;
using testing_support::must_run;
using testing_support::ServerProcess;

std::string must_read(const std::string& path) {
  const auto text = base::read_file(path);
  EXPECT_TRUE(text.ok()) << path;
  return text.ok() ? *text : "";
}

// "0x10 push rbp" for each instruction, in the syntax of that number.
std::vector<std::string> lines_of(const JsonValue& answer, std::size_t syntax = 0) {
  std::vector<std::string> lines;
  const auto* instructions = answer["instructions"].array();
  EXPECT_NE(instructions, nullptr);
  if (instructions == nullptr) return lines;
  lines.reserve(instructions->size());
  for (const JsonValue& instruction : *instructions) {
    lines.push_back(std::to_string(instruction.at(0).integer_or(-1)) + " " +
                    std::string(instruction.at(1 + syntax).text_or("?")));
  }
  return lines;
}

class AsmServer : public testing::Test {
 protected:
  void start(std::vector<std::string> environment = {}) {
    server_.emplace(ServerProcess::start({root_.path() + "/data", {}, {}, std::move(environment)}));
    ASSERT_NE(server_->url(), "");
  }

  net::ClientAnswer send(const std::string& method, const std::string& target,
                         const std::string& body, const uploads::Fields& headers = {}) {
    return uploads::send(server_->url(), method, target, body, headers);
  }
  void put(const std::string& name, const std::string& id, const std::string& file,
           const std::string& body) {
    std::string target = "/";
    target.append(name).append("/").append(id).append("/").append(file);
    const auto answer = send("PUT", target, body);
    ASSERT_LT(answer.status, 300) << target << ": " << answer.body;
  }
  JsonValue must_ask(const std::string& body) {
    const auto answer = send("POST", "/asm/v1", body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    const auto json = JsonValue::parse(answer.body);
    EXPECT_TRUE(json.ok()) << answer.body;
    return json.ok() ? *json : JsonValue{};
  }
  int status_of(const std::string& body, const uploads::Fields& headers = {}) {
    const auto answer = send("POST", "/asm/v1", body, headers);
    if (answer.status != 200) {
      const auto json = JsonValue::parse(answer.body);
      EXPECT_TRUE(json.ok() && !(*json)["error"].text_or("").empty()) << answer.body;
    }
    return answer.status;
  }

  // A program with debug information, and the same in two files.
  void build() {
    REQUIRE_OR_SKIP(have_command("cc"), "no C compiler");
    ASSERT_TRUE(base::write_file_durably(
                    root_.path() + "/lamp.c",
                    base::bytes_of("int dim(int a) { return a * 3 + 1; }\n"
                                   "int flicker(int a) { return dim(a) - 1; }\n"
                                   "int table = 7;\n"
                                   "int main(int c, char** v) { (void)v; return flicker(c); }\n"))
                    .ok());
    must_run("cd " + root_.path() +
             " && cc -O0 -g -fcf-protection=none -Wl,--build-id -o lamp lamp.c && objcopy "
             "--only-keep-debug lamp lamp.debug && strip -o stripped lamp");
    identity_ = extract::identify(base::bytes_of(must_read(root_.path() + "/lamp")));
    ASSERT_NE(identity_.build_id, "");
  }
  // Where a symbol is, and its size, both in hex.
  std::pair<std::string, std::string> place_of(const std::string& name) {
    const std::string line =
        must_run("nm -S " + root_.path() + "/lamp | grep ' " + name + "$'").output;
    const auto parts = base::split(line, ' ');
    EXPECT_GE(parts.size(), 2u) << line;
    if (parts.size() < 2) return {};
    const auto short_hex = [](std::string_view digits) {
      digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
      return "0x" + std::string(digits);
    };
    return {short_hex(parts[0]), short_hex(parts[1])};
  }
  std::string by_debug_id(const std::string& start, const std::string& size,
                          const std::string& more = "") const {
    return R"({"debugName":"lamp","debugId":")" + identity_.debug_id.breakpad() +
           R"(","startAddress":")" + start + R"(","size":")" + size + "\"" + more + "}";
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("asm").value();
  extract::Identity identity_;
  std::optional<ServerProcess> server_;
};

// ---- beside samply ----

TEST_F(AsmServer, SaysWhatSamplySays) {
  REQUIRE_CORPUS(corpus);
  const std::string place = corpus + "/symbols/symbolicate/samply";
  const auto files = base::list_files(place);
  ASSERT_TRUE(files.ok());
  start();
  int compared = 0;
  for (const std::string& file : *files) {
    const auto json = JsonValue::parse(must_read(file));
    ASSERT_TRUE(json.ok()) << file;
    const JsonValue& reference = *json;
    if (reference["route"].text_or("") != "/asm/v1") continue;
    const std::string object(reference["object"].text_or(""));
    const std::string name(base::basename_of(object));
    const std::string id(reference["request"]["debugId"].text_or(""));
    // samply had the file's own symbol table: this is what it says of the places in question.
    std::string symbols = "MODULE mac arm64 ";
    symbols.append(id).append(" ").append(name).append(
        "\nFUNC 973c e8 0 PHCMemoryUsage\n"
        "FUNC f090 100 0 AllocInfo::Get<true>(void const*)\n");
    put(name, id, ident::sym_file_name(name), symbols);
    put(name, id, name, must_read(std::string(corpus).append("/symbols/").append(object)));
    base::JsonWriter question;
    reference["request"].write(question);
    const JsonValue ours = must_ask(question.take());
    const JsonValue& theirs = reference["answer"];
    for (const char* member : {"startAddress", "size", "arch"}) {
      EXPECT_EQ(ours[member].text_or("?"), theirs[member].text_or("")) << member;
    }
    EXPECT_EQ(ours["syntax"].size(), theirs["syntax"].size());
    EXPECT_EQ(ours["syntax"].at(0).text_or("?"), theirs["syntax"].at(0).text_or(""));
    EXPECT_EQ(lines_of(ours), lines_of(theirs)) << file;
    ++compared;
  }
  EXPECT_GE(compared, 1);
}

TEST_F(AsmServer, FindsWindowsCodeByItsCodeId) {
  REQUIRE_CORPUS(corpus);
  start();
  const std::string dll =
      must_read(corpus + "/symbols/objects/pe-pdb/mozglue-win64-local/mozglue.dll");
  const std::string code_id = extract::identify(base::bytes_of(dll)).code_id;
  put("mozglue.dll", code_id, "mozglue.dll", dll);
  const std::string question = R"({"name":"mozglue.dll","codeId":")" + code_id +
                               R"(","startAddress":"0x34670","size":"0x4"})";
  const JsonValue answer = must_ask(question);
  EXPECT_EQ(answer["arch"].text_or(""), "x86_64");
  EXPECT_EQ(lines_of(answer), (std::vector<std::string>{"0 push r15", "2 push r14"}));
  // The same file, by the id of its PDB.
  const JsonValue by_pdb =
      must_ask(R"({"debugName":"mozglue.pdb","debugId":"B3CC644ECC086E044C4C44205044422E1",)"
               R"("startAddress":"0x34670","size":"0x4"})");
  EXPECT_EQ(lines_of(by_pdb), lines_of(answer));
}

TEST_F(AsmServer, TellsArmFromThumb) {
  REQUIRE_CORPUS(corpus);
  start();
  const std::string elf =
      must_read(corpus + "/symbols/objects/elf/eu-arm-flags/testfile-arm-flags");
  const extract::Identity identity = extract::identify(base::bytes_of(elf));
  put("lamp", identity.debug_id.breakpad(), "lamp", elf);
  const auto head_at = [&](const std::string& start) {
    const JsonValue answer = must_ask(R"({"codeId":")" + identity.build_id +
                                      R"(","startAddress":")" + start + R"(","size":"0x4"})");
    EXPECT_EQ(answer["arch"].text_or(""), "arm");
    const auto lines = lines_of(answer);
    return lines.empty() ? "" : lines.front();
  };
  EXPECT_EQ(head_at("0x3d0"), "0 mov.w fp, 0x0");
  EXPECT_EQ(head_at("0x3d1"), "0 mov.w fp, 0x0");
  EXPECT_EQ(head_at("0x418"), "0 ldr r3, [pc, 0x14]");
}

// ---- a module of this machine ----

TEST_F(AsmServer, DisassemblesAFunctionAndNamesWhatItCalls) {
  REQUIRE_OR_SKIP(have_command("nm"), "no binutils");
  build();
  start();
  put("lamp", identity_.debug_id.breakpad(), "lamp", must_read(root_.path() + "/lamp"));
  const auto [start, size] = place_of("flicker");
  const JsonValue answer = must_ask(by_debug_id(start, size));
  EXPECT_EQ(answer["startAddress"].text_or(""), start);
  EXPECT_EQ(answer["size"].text_or(""), size);
  EXPECT_EQ(answer["syntax"].at(0).text_or(""), "Intel");
  EXPECT_EQ(answer["syntax"].at(1).text_or(""), "C style");
  const auto lines = lines_of(answer);
  ASSERT_GE(lines.size(), 4u);
  EXPECT_EQ(lines[0], "0 push rbp");
  EXPECT_EQ(lines[1], "1 mov rbp, rsp");
  EXPECT_EQ(lines.back().substr(lines.back().find(' ')), " ret");
  EXPECT_EQ(lines_of(answer, 1)[1], "1 rbp = rsp");
  const std::string call = "call " + place_of("dim").first + " <dim>";
  EXPECT_TRUE(std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
    return line.substr(line.find(' ') + 1) == call;
  })) << call;
}

TEST_F(AsmServer, GoesOnToTheEndOfTheFunctionWhenAsked) {
  REQUIRE_OR_SKIP(have_command("nm"), "no binutils");
  build();
  start();
  // By its code id alone: which symbols are its, the file says. They are in a file of their own.
  put("lamp", identity_.debug_id.breakpad(), "lamp", must_read(root_.path() + "/stripped"));
  put("lamp", identity_.debug_id.breakpad(), "lamp.debug", must_read(root_.path() + "/lamp.debug"));
  const auto [start, size] = place_of("flicker");
  const auto ask = [&](const std::string& wanted, const std::string& more) {
    return must_ask(R"({"name":"lamp","codeId":")" + identity_.build_id + R"(","startAddress":")" +
                    start + R"(","size":")" + wanted + "\"" + more + "}");
  };
  const std::string on = R"(,"continueUntilFunctionEnd":true)";
  EXPECT_EQ(ask("0x1", on)["size"].text_or(""), size);
  EXPECT_EQ(ask("0x1", "")["size"].text_or(""), "0x1");
  EXPECT_EQ(ask("0x1", R"(,"continueUntilFunctionEnd":false)")["size"].text_or(""), "0x1");
  EXPECT_EQ(ask(size, on)["size"].text_or(""), size);
}

// The head is looked at when an index is opened, a page when something is looked up in it.
TEST_F(AsmServer, ADamagedIndexIsMadeAgainAndCostsNoNames) {
  REQUIRE_OR_SKIP(have_command("nm"), "no binutils");
  build();
  start();
  put("lamp", identity_.debug_id.breakpad(), "lamp", must_read(root_.path() + "/lamp"));
  const auto [start_address, size] = place_of("flicker");
  const auto lines = lines_of(must_ask(by_debug_id(start_address, size)));
  ASSERT_TRUE(std::any_of(lines.begin(), lines.end(),
                          [](const std::string& line) { return line.ends_with("<dim>"); }));
  ASSERT_EQ(server_->stop(), 0);
  const testing_support::IndexFiles indexes(root_.path() + "/data");
  for (const std::size_t quarters : {0u, 3u}) {
    indexes.damage(quarters);
    start();
    EXPECT_EQ(lines_of(must_ask(by_debug_id(start_address, size))), lines) << quarters;
    EXPECT_EQ(indexes.count_sound(), 1) << quarters;
    EXPECT_EQ(server_->stop(), 0);
  }
}

TEST_F(AsmServer, ServesNothingButCode) {
  REQUIRE_OR_SKIP(have_command("nm"), "no binutils");
  build();
  start();
  const auto [start, size] = place_of("flicker");
  EXPECT_EQ(status_of(by_debug_id(start, size)), 404);  // nobody has it
  put("lamp", identity_.debug_id.breakpad(), "lamp.debug", must_read(root_.path() + "/lamp.debug"));
  EXPECT_EQ(status_of(by_debug_id(start, size)), 404);  // its symbols are no code
  put("lamp", identity_.debug_id.breakpad(), "lamp", must_read(root_.path() + "/lamp"));
  EXPECT_EQ(status_of(by_debug_id(start, size)), 200);
  EXPECT_EQ(status_of(by_debug_id(place_of("table").first, "0x4")), 404);  // data
  EXPECT_EQ(status_of(by_debug_id("0x0", "0x10")), 404);                   // the file's head
  EXPECT_EQ(status_of(by_debug_id("0xfffffff0", "0xffffffff")), 404);
  // What is asked for too much is cut at the end of the section.
  EXPECT_EQ(status_of(by_debug_id(start, "0xffffffff")), 200);
}

TEST_F(AsmServer, RefusesWhatIsNoQuestion) {
  start();
  for (const char* body : {"", "nonsense", "[]", "{}",
                           R"({"debugName":"a","debugId":"b","startAddress":"0x1","size":"0x1"})",
                           R"({"codeId":"abcdef0123","startAddress":"1000","size":"0x1"})",
                           R"({"codeId":"abcdef0123","startAddress":"0x1000"})",
                           R"({"codeId":"abcdef0123","startAddress":"0x100000000","size":"0x1"})",
                           R"({"codeId":"nothex","startAddress":"0x1000","size":"0x1"})"}) {
    EXPECT_EQ(status_of(body), 400) << body;
  }
}

TEST_F(AsmServer, AnswersThePagesThatMayAsk) {
  start({"FAULTLINE_SOURCES_ORIGIN=https://profiler.example"});
  const std::string question = R"({"codeId":"abcdef0123","startAddress":"0x1000","size":"0x1"})";
  const uploads::Fields page{{"Origin", "https://profiler.example"}};
  const uploads::Fields stranger{{"Origin", "https://evil.example"}};
  EXPECT_EQ(status_of(question, page), 404);
  EXPECT_EQ(status_of(question, stranger), 403);
  const auto preflight = send("OPTIONS", "/asm/v1", "", page);
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.headers.find("Access-Control-Allow-Origin").value_or(""),
            "https://profiler.example");
  EXPECT_FALSE(send("OPTIONS", "/asm/v1", "", stranger)
                   .headers.find("Access-Control-Allow-Origin")
                   .has_value());
  // Another project's modules are for those who may read them: there is no such project.
  EXPECT_EQ(send("POST", "/p/lamps/asm/v1", question).status, 403);
}

}  // namespace
