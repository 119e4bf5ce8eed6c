// `faultline symbolicate` as its users run it: files, indexes and trees, offsets as arguments and
// from standard input, and what it says when something is wrong.
#include <gtest/gtest.h>

#include <optional>

#include "base/child.h"
#include "base/file.h"
#include "base/json.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/server_process.h"

namespace {

constexpr const char* kId = "000102030405060708090A0B0C0D0E0F1";

class Symbolicate : public testing::Test {
 protected:
  void SetUp() override {
    auto directory = base::TemporaryDirectory::create("symbolicate-test");
    ASSERT_TRUE(directory.ok());
    directory_.emplace(std::move(*directory));
    sym_ = write(std::string("tree/app.pdb/") + kId + "/app.sym",
                 std::string("MODULE windows x86_64 ") + kId +
                     " app.pdb\n"
                     "FILE 0 a.cc\nFILE 1 b.h\nINLINE_ORIGIN 0 inner()\n"
                     "FUNC 1000 20 0 main\nINLINE 0 3 0 0 1004 8\n1000 4 1 0\n1004 8 9 1\n"
                     "100c 14 2 0\nPUBLIC 2000 0 thunk\n");
  }

  base::ChildEnd run(std::vector<std::string> arguments, std::string_view input = {}) {
    arguments.insert(arguments.begin(), {"faultline", "symbolicate"});
    auto end = base::run_child(testing_support::faultline_program(), arguments, {}, input);
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
  std::string sym_;
};

TEST_F(Symbolicate, PrintsFramesForPeople) {
  const auto end = run({"--symbols", sym_, "1008", "0x100c", "2010", "10"});
  EXPECT_EQ(end.exit_code, 0) << end.errors;
  EXPECT_EQ(end.output,
            "1008\n  inner() [inlined]  b.h:9\n  main +0x8  a.cc:3\n"
            "0x100c\n  main +0xc  a.cc:2\n2010\n  thunk +0x10\n10\n  ??\n");
}

TEST_F(Symbolicate, FindsAModuleInATreeWhateverTheCaseOfItsId) {
  ASSERT_TRUE(base::make_directories(path("empty")).ok());
  for (const std::string id :
       {"000102030405060708090A0B0C0D0E0F1", "000102030405060708090a0b0c0d0e0f1"}) {
    const auto end =
        run({"--symbols", path("empty"), "--symbols", path("tree"), "app.pdb/" + id, "1000"});
    EXPECT_EQ(end.output, "1000\n  main +0x0  a.cc:1\n") << end.errors;
  }
}

TEST_F(Symbolicate, AnswersStandardInputLineByLine) {
  const auto end = run({"--symbols", sym_, "-"}, "1008\n 0x2000 \n\n10");
  EXPECT_EQ(end.exit_code, 0) << end.errors;
  EXPECT_EQ(end.output,
            "1008\ninner()\tb.h\t9\nmain\ta.cc\t3\n\n0x2000\nthunk\t??\t0\n\n10\n??\t??\t0\n\n");
}

TEST_F(Symbolicate, JsonIsOneObjectALine) {
  const auto end = run({"--symbols", sym_, "--json", "1008", "10"});
  const auto newline = end.output.find('\n');
  ASSERT_NE(newline, std::string::npos);
  const auto first = base::JsonValue::parse(end.output.substr(0, newline));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ((*first)["offset"].text_or(""), "1008");
  ASSERT_EQ((*first)["frames"].size(), 2u);
  EXPECT_EQ((*first)["frames"].at(0)["function"].text_or(""), "inner()");
  EXPECT_EQ((*first)["frames"].at(1)["function_offset"].text_or(""), "0x8");
  EXPECT_EQ(end.output.substr(newline + 1), "{\"offset\":\"10\",\"frames\":[]}\n");
}

TEST_F(Symbolicate, KeepsTheIndexItMade) {
  const auto made = run({"--symbols", sym_, "--save-index", path("app.fidx"), "1008"});
  ASSERT_EQ(made.exit_code, 0) << made.errors;
  EXPECT_EQ(run({"--symbols", path("app.fidx"), "1008"}).output, made.output);
}

TEST_F(Symbolicate, AnswersAServersQuestion) {
  const std::string job = std::string(R"j("memoryMap":[["app.pdb",")j") + kId +
                          R"j("],["gone.so","000102030405060708090A0B0C0D0E0F0"]],)j"
                          R"j("stacks":[[[0,4104],[1,16]]]})j";
  const auto v4 = run({"--symbols", path("tree")}, R"j({"version":4,)j" + job);
  EXPECT_EQ(v4.exit_code, 0) << v4.errors;
  EXPECT_EQ(v4.output,
            "{\"symbolicatedStacks\":[[\"main (in app.pdb)\",\"0x10 (in gone.so)\"]],"
            "\"knownModules\":[true,false]}\n");
  for (const std::string& body : {"{" + job, R"j({"jobs":[{)j" + job + "]}"}) {
    const auto v5 = run({"--symbols", sym_}, body);
    EXPECT_EQ(v5.exit_code, 0) << v5.errors;
    const auto answer = base::JsonValue::parse(v5.output);
    ASSERT_TRUE(answer.ok()) << v5.output;
    const base::JsonValue& frame = (*answer)["results"].at(0)["stacks"].at(0).at(0);
    EXPECT_EQ(frame["function"].text_or(""), "main");
    EXPECT_EQ(frame["line"].integer_or(0), 3);
    EXPECT_EQ(frame["inlines"].at(0)["function"].text_or(""), "inner()");
  }
}

TEST_F(Symbolicate, AnswersAsAddr2line) {
  REQUIRE_OR_SKIP(testing_support::have_command("cc"), "no C compiler");
  REQUIRE_OR_SKIP(testing_support::have_command("addr2line"), "no addr2line");
  write("lamp.c",
        "static inline __attribute__((always_inline)) int dim(int a) { return a * 3 + 1; }\n"
        "static inline __attribute__((always_inline)) int\nflicker(int a) { return dim(a) / 7; }\n"
        "int burn(int a) {\n  return flicker(a) + flicker(a + 1);\n}\n"
        "int main(int c, char** v) {\n  (void)v;\n  return burn(c);\n}\n");
  const auto sh = [&](const std::string& command) {
    const auto end = base::run_child("/bin/sh", {"sh", "-c", "cd " + path("") + " && " + command});
    EXPECT_TRUE(end.ok() && end->ok()) << command << (end.ok() ? end->errors : "");
    return end.ok() ? end->output : "";
  };
  for (const char* kind : {"-no-pie", "-pie -fpie"}) {
    sh(std::string("cc -O1 -g -fno-ipa-icf ") + kind + " -o lamp lamp.c");
    const std::string addresses =
        sh("objdump -d --no-show-raw-insn lamp | awk '/<(burn|main)>:/{on=1} /^$/{on=0} "
           "on && /^ /{sub(\":\",\"\",$1); print $1}'") +
        sh("nm lamp | awk '/ T _start$/{print $1}'") + "1\n";  // without a line; nowhere
    ASSERT_GT(addresses.size(), 20u);
    write("addresses", addresses);
    for (const char* flags : {"-fi", "-f", "-i", "-afi"}) {
      const std::string theirs = sh(std::string("addr2line ") + flags +
                                    " -e lamp < addresses | sed 's/ (discriminator [0-9]*)//'");
      const auto ours = run({"-e", path("lamp"), flags}, addresses);
      EXPECT_EQ(ours.exit_code, 0) << ours.errors;
      EXPECT_EQ(ours.output, theirs) << kind << " " << flags;
    }
  }
}

TEST_F(Symbolicate, SaysWhatIsWrong) {
  const std::string rubbish = write("rubbish", "not symbols\n");
  struct Row {
    std::vector<std::string> arguments;
    int exit_code;
    std::string says;
  };
  const std::string cut = path("app.fidx");
  ASSERT_EQ(run({"--symbols", sym_, "--save-index", cut, "1"}).exit_code, 0);
  const auto whole = base::read_file(cut);
  ASSERT_TRUE(whole.ok());
  write("app.fidx", std::string_view(*whole).substr(0, whole->size() / 2));
  const Row rows[] = {
      {{"1000"}, 2, "--symbols"},
      {{"--symbols", sym_}, 1, "not valid JSON"},
      {{"-e", rubbish, "1"}, 1, "rubbish"},
      {{"-e", sym_, "xyz"}, 1, "'xyz' is no address"},
      {{"--symbols", sym_, "xyz"}, 1, "'xyz' is no offset"},
      {{"--symbols", path("absent"), "1"}, 1, "absent"},
      {{"--symbols", rubbish, "1"}, 1, "rubbish: neither"},
      {{"--symbols", path("tree"), "1"}, 1, "name the module"},
      {{"--symbols", path("tree"), "other/1", "1"}, 1, "no symbols for other/1"},
      {{"--symbols", cut, "1"}, 1, "app.fidx: has"},
  };
  for (const Row& row : rows) {
    const auto end = run(row.arguments);
    EXPECT_EQ(end.exit_code, row.exit_code) << row.says << ": " << end.errors;
    EXPECT_NE(end.errors.find(row.says), std::string::npos) << row.says << ": " << end.errors;
    EXPECT_EQ(end.output, "");
  }
}

TEST_F(Symbolicate, WarnsOfBadLinesAndGoesOn) {
  const std::string odd = write("odd.sym", "FUNC 10 10 0 f\n10 4 1 x\n14 4 2 9\nrubbish\n");
  const auto end = run({"--symbols", odd, "14"});
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(end.output, "14\n  f +0x4\n");
  EXPECT_NE(end.errors.find("2 lines were skipped"), std::string::npos) << end.errors;
}

}  // namespace
