#include "api/actions.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "store/catalog.h"

namespace api {
namespace {

net::Request post(std::initializer_list<std::pair<const char*, std::string>> headers,
                  const std::string& peer = "127.0.0.1:1") {
  net::Request request = net::Request::of("POST", "/api/v1/misses/clear");
  request.peer = peer;
  request.headers.set("Host", "localhost:7070");
  for (const auto& [name, value] : headers) request.headers.set(name, value);
  return request;
}

class Actions : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(database_->migrate(store::Catalog::migrations()).ok());
    ASSERT_TRUE(access_.reload().ok());
    store::Project game;
    game.name = "game";
    ASSERT_TRUE(access_.keep_project(game, {}).ok());
  }
  std::string must_create(std::string_view rights, const std::string& project) {
    store::Token wanted;
    wanted.label = std::string(rights) + project;
    wanted.rights = store::Rights::parse(rights).value();
    wanted.project = project;
    wanted.expires_at = {base::now().us + 86'400'000'000};
    return access_.create_token(wanted, {}).value().secret;
  }
  int status_of(const net::Request& request) {
    const auto refused = refuse_action(request, gate_);
    return refused ? refused->status : 200;
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("actions").value();
  std::unique_ptr<db::Database> database_ =
      db::Database::open("sqlite:" + root_.path() + "/test.db").value();
  store::Access access_{*database_};
  Gate gate_{access_, {}};
};

TEST_F(Actions, AreForThisMachineAlsoFromOurOwnPage) {
  EXPECT_EQ(status_of(post({})), 200);
  EXPECT_EQ(status_of(post({{"Origin", "http://localhost:7070"}})), 200);
  EXPECT_EQ(
      status_of(post({{"Origin", "http://localhost:7070"}, {"Sec-Fetch-Site", "same-origin"}})),
      200);
}

TEST_F(Actions, AreNotForPagesOfOthers) {
  EXPECT_EQ(status_of(post({{"Origin", "http://evil.example"}})), 403);
  EXPECT_EQ(status_of(post({{"Origin", "null"}})), 403);
  EXPECT_EQ(status_of(post({{"Sec-Fetch-Site", "cross-site"}})), 403);
  EXPECT_EQ(status_of(post({{"Sec-Fetch-Site", "same-site"}})), 403);
  // A name of theirs that leads to this machine.
  EXPECT_EQ(status_of(post({{"Host", "evil.example"}, {"Origin", "http://evil.example"}})), 401);
  // Not even with a token, which a browser may remember.
  const std::string token = must_create("upload", "*");
  EXPECT_EQ(status_of(post({{"Origin", "http://evil.example"}, {"Auth-Token", token}})), 403);
}

TEST_F(Actions, AreForTokensThatMayUploadOrAdminister) {
  const std::string far = "10.0.0.9:5";
  EXPECT_EQ(status_of(post({}, far)), 401);
  EXPECT_EQ(status_of(post({{"Auth-Token", "nonsense"}}, far)), 403);
  EXPECT_EQ(status_of(post({{"Auth-Token", must_create("upload", "*")}}, far)), 200);
  EXPECT_EQ(status_of(post({{"Auth-Token", must_create("admin", "*")}}, far)), 200);
  EXPECT_EQ(status_of(post({{"Auth-Token", must_create("read", "*")}}, far)), 403);
  EXPECT_EQ(status_of(post({{"Auth-Token", must_create("upload", "game")}}, far)), 403);
}

TEST_F(Actions, ThroughAProxyNobodyIsLocal) {
  EXPECT_EQ(status_of(post({{"X-Forwarded-For", "10.0.0.9"}})), 401);
}

}  // namespace
}  // namespace api
