// What a token may do and where: projects, rights, ends and labels, against a real server.
#include <gtest/gtest.h>

#include "base/child.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "testing/server_process.h"
#include "testing/wrong_clock.h"
#include "upload_dialects.h"

namespace {

using base::JsonValue;
using testing_support::faultline_program;
using testing_support::ServerProcess;

class TokenRights : public testing::Test {
 protected:
  void SetUp() override {
    server_.emplace(ServerProcess::start({data(), {}, {}, environment()}));
    ASSERT_NE(server_->url(), "");
    admin("project create game");
    ours_ = admin("token create ours --project ''");
    theirs_ = admin("token create theirs --project game");
    ASSERT_EQ(ours_.size(), 32u);
    ASSERT_EQ(theirs_.size(), 32u);
  }
  virtual std::vector<std::string> environment() { return {}; }
  std::string data() const { return root_.path() + "/data"; }
  // What `faultline admin …` prints.
  std::string admin(const std::string& arguments) const {
    const auto end = base::run_child(
        "/bin/sh",
        {"sh", "-c", "exec " + faultline_program() + " admin " + arguments + " --data " + data()});
    EXPECT_TRUE(end.ok() && end->ok()) << arguments << (end.ok() ? end->describe() : "");
    return end.ok() ? std::string(base::trim(end->output)) : "";
  }
  net::ClientAnswer send(const std::string& token, const std::string& method,
                         const std::string& path, const std::string& body = "") const {
    uploads::Fields headers;
    if (!token.empty()) headers["Auth-Token"] = token;
    return uploads::send(server_->url(), method, path, body, headers);
  }
  int status_of(const std::string& token, const std::string& method, const std::string& path,
                const std::string& body = "") const {
    return send(token, method, path, body).status;
  }
  JsonValue json_of(const std::string& token, const std::string& method, const std::string& path,
                    const std::string& body = "") const {
    auto json = JsonValue::parse(send(token, method, path, body).body);
    return json.ok() ? std::move(*json) : JsonValue();
  }
  static std::string hash_of(const std::string& content) {
    return base::sha256_of(base::bytes_of(content)).hex();
  }
  // What a GET finds there, as a local request.
  bool is_at(const std::string& path, const std::string& content) const {
    return send("", "GET", path).body == content;
  }
  std::size_t known_count(const std::string& token, const std::string& prefix,
                          const std::string& content) const {
    return json_of(token, "POST", prefix + "/api/v1/store/known",
                   R"({"sha256":[")" + hash_of(content) + "\"]}")["known"]
        .size();
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("token-rights").value();
  std::optional<ServerProcess> server_;
  std::string ours_, theirs_;  // tokens for the default project and for "game"
};

constexpr const char* kTransactions = "/api/v1/store/transactions";

TEST_F(TokenRights, TransactionsAreOfTheDefaultProject) {
  const uploads::File file = uploads::sym_file("libours.so", 500);
  ASSERT_EQ(status_of(ours_, "PUT", "/symbols" + file.path + "?for=store", file.content), 201);
  const std::string transaction =
      R"({"kind":"file","product":"p","files":[{"name":"a.so","id":"12","file":"a.so","sha256":")" +
      hash_of(file.content) + "\"}]}";
  ASSERT_EQ(status_of(ours_, "POST", kTransactions, transaction), 201);
  const std::string one = std::string(kTransactions) + "/1";
  const std::string attempts = admin("token create attempts --rights upload-try");
  for (const std::string& token : std::vector<std::string>{theirs_, attempts}) {
    EXPECT_EQ(status_of(token, "GET", kTransactions), 403);
    EXPECT_EQ(status_of(token, "GET", one), 403);
    EXPECT_EQ(status_of(token, "POST", kTransactions, transaction), 403);
    EXPECT_EQ(status_of(token, "DELETE", one), 403);
    EXPECT_EQ(status_of(token, "PUT", "/symbols" + file.path + "?for=store", file.content), 403);
  }
  EXPECT_EQ(status_of(ours_, "PUT", "/try" + file.path + "?for=store", file.content), 403);
  EXPECT_EQ(json_of(ours_, "GET", kTransactions)["transactions"].size(), 1u);
  EXPECT_TRUE(is_at("/a.so/12/a.so", file.content));
  EXPECT_EQ(status_of(ours_, "DELETE", one), 200);
}

TEST_F(TokenRights, EachProjectListsAndKnowsItsOwnFiles) {
  const uploads::File ours = uploads::sym_file("libours.so", 500);
  const uploads::File theirs = uploads::sym_file("libtheirs.so", 500);
  EXPECT_EQ(status_of(ours_, "PUT", ours.path, ours.content), 201);
  EXPECT_EQ(status_of(theirs_, "PUT", theirs.path, theirs.content), 201);
  for (const std::string& prefix : std::vector<std::string>{"", "/p/game"}) {
    SCOPED_TRACE(prefix);
    const JsonValue files = json_of(theirs_, "GET", prefix + "/api/v1/store/files")["files"];
    ASSERT_EQ(files.size(), 1u);
    EXPECT_EQ(files.at(0)["sha256"].text_or(""), hash_of(theirs.content));
    EXPECT_EQ(known_count(theirs_, prefix, theirs.content), 1u);
    EXPECT_EQ(known_count(theirs_, prefix, ours.content), 0u);
  }
  const JsonValue files = json_of(ours_, "GET", "/api/v1/store/files")["files"];
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files.at(0)["sha256"].text_or(""), hash_of(ours.content));
  EXPECT_EQ(known_count(ours_, "", ours.content), 1u);
  EXPECT_EQ(known_count(ours_, "", theirs.content), 0u);
  EXPECT_EQ(status_of(ours_, "GET", "/p/game/api/v1/store/files"), 403);
  EXPECT_EQ(status_of(ours_, "POST", "/p/game/api/v1/store/known", "{\"sha256\":[]}"), 403);
  EXPECT_EQ(status_of("", "POST", "/api/v1/store/known", "{\"sha256\":[]}"), 403);
  EXPECT_EQ(status_of(theirs_, "POST", "/p/none/api/v1/store/known", "{\"sha256\":[]}"), 404);
}

TEST_F(TokenRights, PartsGoToTheirProject) {
  const uploads::File file = uploads::sym_file("parts.so", 500);
  const std::string place = "/api/v1/uploads/" + hash_of(file.content);
  const std::string path = "?path=" + file.path.substr(1);
  EXPECT_EQ(status_of(theirs_, "PUT", "/p/game" + place + "?offset=0", file.content), 200);
  EXPECT_EQ(send(ours_, "GET", place).body, "{\"received\":0}");
  EXPECT_EQ(status_of(ours_, "POST", place + path), 404) << "what others sent is theirs";
  EXPECT_EQ(status_of(ours_, "GET", "/p/game" + place), 403);
  EXPECT_EQ(status_of(ours_, "PUT", "/p/game" + place + "?offset=0", "x"), 403);
  EXPECT_EQ(status_of(theirs_, "GET", "/p/none" + place), 404);
  EXPECT_EQ(status_of(theirs_, "POST", place + path), 201) << "without a prefix it is the same";
  EXPECT_TRUE(is_at("/p/game" + file.path, file.content));
  EXPECT_EQ(send("", "GET", file.path).status, 404);
  EXPECT_EQ(status_of(ours_, "POST", place + path), 404);
  const uploads::File named = uploads::elf_file("named.so", 500);
  EXPECT_EQ(status_of(theirs_, "PUT", "/p/game/api/v1/files/named.so", named.content), 201);
  EXPECT_TRUE(is_at("/p/game" + named.path, named.content));
}

TEST_F(TokenRights, TryBuildsComeInPartsToo) {
  const std::string attempts = admin("token create attempts --rights upload-try --project game");
  const uploads::File file = uploads::sym_file("attempt.so", 500);
  const std::string place = "/api/v1/uploads/" + hash_of(file.content);
  const std::string path = "?path=" + file.path.substr(1);
  EXPECT_EQ(status_of(attempts, "PUT", place + "?offset=0", file.content), 200);
  for (const int status : {201, 200}) {  // the second says what is here, as the first did
    const auto done = send(attempts, "POST", place + path);
    EXPECT_EQ(done.status, status);
    EXPECT_NE(done.body.find("\"verified\":true"), std::string::npos) << done.body;
    EXPECT_NE(done.body.find("\"has_debug\":"), std::string::npos) << done.body;
  }
  EXPECT_TRUE(is_at("/p/game/try" + file.path, file.content));
  EXPECT_EQ(send("", "GET", "/p/game" + file.path).status, 404);
  // Try files are sent again by those who ask, and live longer.
  EXPECT_EQ(known_count(attempts, "", file.content), 0u);
  EXPECT_EQ(status_of(theirs_, "PUT", file.path, file.content), 201);
  EXPECT_EQ(known_count(attempts, "", file.content), 1u);
}

// A content that is asked for at two places is known when it is at both.
TEST_F(TokenRights, KnownTakesPathsToo) {
  const uploads::File file = uploads::sym_file("one.so", 500);
  ASSERT_EQ(status_of(ours_, "PUT", file.path, file.content), 201);
  const std::string hash = "\"" + hash_of(file.content) + "\"";
  const auto known = [&](const std::string& body) {
    return json_of(ours_, "POST", "/api/v1/store/known", body)["known"].size();
  };
  const std::string path = "\"" + file.path.substr(1) + "\"";
  EXPECT_EQ(known(R"({"sha256":[)" + hash + "]}"), 1u);
  EXPECT_EQ(known(R"({"sha256":[)" + hash + R"(],"paths":[)" + path + "]}"), 1u);
  EXPECT_EQ(known(R"({"sha256":[)" + hash + R"(],"paths":["other.so/1/other.so"]})"), 0u);
  EXPECT_EQ(known(R"({"sha256":[)" + hash + "," + hash + R"(],"paths":[)" + path +
                  R"(,"other.so/1/other.so"]})"),
            0u);
  EXPECT_EQ(
      status_of(ours_, "POST", "/api/v1/store/known", R"({"sha256":[)" + hash + R"(],"paths":[]})"),
      400);
}

TEST_F(TokenRights, SourcesAreOfTheDefaultProject) {
  const std::string text = "int main() {}\n";
  const std::string place = "/artifacts/src/" + hash_of(text) + "/main.c";
  EXPECT_EQ(status_of(theirs_, "PUT", place, text), 403);
  EXPECT_EQ(send("", "GET", place).status, 404);
  EXPECT_EQ(status_of(ours_, "PUT", place, text), 200);
  EXPECT_TRUE(is_at(place, text));
}

// A token for try builds: its uploads are such, whatever they say, and it does nothing else.
TEST_F(TokenRights, ATokenForTryBuildsBringsNothingElse) {
  const std::string attempts = admin("token create attempts --rights upload-try");
  const uploads::File file = uploads::sym_file("attempt.so", 500);
  EXPECT_EQ(status_of(attempts, "PUT", file.path, file.content), 201);
  EXPECT_EQ(send("", "GET", file.path).status, 404);
  EXPECT_TRUE(is_at("/try" + file.path, file.content));
  const std::string text = "int x;\n";
  EXPECT_EQ(status_of(attempts, "PUT", "/artifacts/src/" + hash_of(text) + "/x.c", text), 403);
  EXPECT_EQ(status_of(attempts, "GET", "/api/v1/store/files"), 403);
  const JsonValue record = json_of(attempts, "GET", "/upload/1")["upload"];
  EXPECT_TRUE(*record["try_symbols"].boolean());
  const auto end =
      base::run_child(faultline_program(), {"faultline", "admin", "token", "create", "both",
                                            "--rights", "upload,upload-try", "--data", data()});
  ASSERT_TRUE(end.ok());
  EXPECT_NE(end->exit_code, 0) << "which of them an upload is would not be known";
}

// Records say by whom: the label that the token was made with. What follows the secret does not
// matter.
TEST_F(TokenRights, RecordsNameTheTokenThatWasShown) {
  const uploads::File file = uploads::sym_file("labelled.so", 500);
  EXPECT_EQ(status_of(ours_ + "-nightly", "PUT", file.path, file.content), 201);
  EXPECT_EQ(status_of(theirs_, "PUT", file.path, file.content), 201);
  const JsonValue own = json_of(ours_, "GET", "/api/v1/uploads")["uploads"];
  ASSERT_EQ(own.size(), 1u) << "a token sees what it brought";
  EXPECT_EQ(own.at(0)["user"].text_or(""), "ours");
  EXPECT_EQ(own.at(0)["project"].text_or(""), "");
  const std::string viewer = admin("token create viewer --rights view-uploads");
  const JsonValue all = json_of(viewer, "GET", "/api/v1/uploads")["uploads"];
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all.at(0)["user"].text_or(""), "theirs");
  EXPECT_EQ(all.at(0)["project"].text_or(""), "game");
  EXPECT_EQ(status_of(theirs_, "GET", "/upload/1"), 404) << "another token's";
  EXPECT_EQ(status_of(viewer, "PUT", file.path, file.content), 403);
}

// A project's token sees that project's uploads, also with a label behind it.
TEST_F(TokenRights, ALabelShowsNoOthersUploads) {
  const uploads::File file = uploads::sym_file("labelled.so", 500);
  EXPECT_EQ(status_of(ours_, "PUT", file.path, file.content), 201);
  EXPECT_EQ(status_of(theirs_, "PUT", file.path, file.content), 201);
  const std::string viewer = admin("token create viewer --rights view-uploads --project game");
  for (const std::string& shown : {viewer, viewer + "-nightly"}) {
    const JsonValue seen = json_of(shown, "GET", "/api/v1/uploads")["uploads"];
    ASSERT_EQ(seen.size(), 1u) << shown;
    EXPECT_EQ(seen.at(0)["project"].text_or(""), "game");
    EXPECT_EQ(status_of(shown, "GET", "/upload/1"), 404) << shown;
  }
  const std::string week = admin("token create week --days 7");
  EXPECT_FALSE(
      json_of(week + "-nightly", "POST", "/upload/auth_info/")["token_expires_at"].is_null());
}

// The administration of all is not a project's: else its tokens could make themselves any other.
TEST_F(TokenRights, AProjectsAdminMakesNoTokens) {
  const std::string boss = admin("token create boss --rights admin");
  const std::string theirs = admin("token create theirs --rights admin --project game");
  const std::string body = R"({"label":"x","rights":"upload"})";
  EXPECT_EQ(status_of(theirs, "POST", "/api/v1/tokens", body), 403);
  EXPECT_EQ(status_of(theirs, "GET", "/api/v1/tokens"), 403);
  EXPECT_EQ(status_of(theirs, "POST", "/api/v1/projects", R"({"name":"mine"})"), 403);
  EXPECT_EQ(status_of(ours_, "POST", "/api/v1/tokens", body), 403);
  EXPECT_EQ(status_of(boss, "POST", "/api/v1/tokens", body), 201);
}

class TokenEnds : public TokenRights {
 protected:
  std::vector<std::string> environment() override { return clock_.environment(); }
  testing_support::WrongClock clock_{root_.path() + "/offset"};
};

TEST_F(TokenEnds, WhenItsDaysAreOver) {
  constexpr std::int64_t kHour = 3600;
  const std::string week = admin("token create week --days 7");
  const std::string always = admin("token create always --days 0");
  const uploads::File file = uploads::sym_file("late.so", 500);
  EXPECT_EQ(status_of(week, "PUT", file.path, file.content), 201);
  clock_.set(7 * 24 * kHour - kHour);
  EXPECT_EQ(status_of(week, "PUT", file.path, file.content), 200);
  clock_.set(7 * 24 * kHour + kHour);
  EXPECT_EQ(status_of(week, "PUT", file.path, file.content), 403);
  EXPECT_EQ(json_of(week, "POST", "/upload/", "x")["error"].text_or(""),
            "API Token found but expired");
  EXPECT_EQ(status_of(week, "GET", "/api/v1/uploads"), 403);
  EXPECT_EQ(status_of(always, "PUT", file.path, file.content), 200);
}

TEST_F(TokenRights, AProjectsTokenActsInItAlone) {
  const uploads::File file = uploads::sym_file("mine.so", 500);
  EXPECT_EQ(status_of(ours_, "PUT", "/p/game" + file.path, file.content), 403);
  EXPECT_EQ(status_of(theirs_, "PUT", "/p/none" + file.path, file.content), 404);
  EXPECT_EQ(status_of(theirs_, "PUT", file.path, file.content), 201) << "goes to its own project";
  EXPECT_TRUE(is_at("/p/game" + file.path, file.content));
  EXPECT_EQ(send("", "GET", file.path).status, 404);
  admin("project create other");
  EXPECT_EQ(status_of(theirs_, "PUT", "/p/other" + file.path, file.content), 403);
  const std::string everywhere = admin("token create everywhere");
  EXPECT_EQ(status_of(everywhere, "PUT", "/p/other" + file.path, file.content), 201);
  EXPECT_EQ(status_of(everywhere, "PUT", file.path, file.content), 201) << "the default project";
  EXPECT_TRUE(is_at(file.path, file.content));
}

}  // namespace
