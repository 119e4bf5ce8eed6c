#include "api/rights.h"

#include <gtest/gtest.h>

#include "api/rate_limits.h"
#include "base/file.h"
#include "store/catalog.h"

namespace api {
namespace {

using store::Right;

constexpr std::int64_t kDay = 86'400'000'000;

// A gate over real tables, asked as routes ask it.
class GateTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(database_->migrate(store::Catalog::migrations()).ok());
    ASSERT_TRUE(access_.reload().ok());
    for (const char* name : {"game", "tools", "open"}) {
      store::Project project;
      project.name = name;
      ASSERT_TRUE(access_.keep_project(project, {}).ok());
    }
  }
  std::string must_create(const std::string& label, std::string_view rights,
                          const std::string& project, std::int64_t expires_in_us = kDay) {
    store::Token wanted;
    wanted.label = label;
    wanted.rights = store::Rights::parse(rights).value();
    wanted.project = project;
    wanted.expires_at = {base::now().us + expires_in_us};
    return access_.create_token(wanted, {}).value().secret;
  }
  static net::Request request_with(const std::string& token, const std::string& peer) {
    net::Request request = net::Request::of("PUT", "/x");
    request.peer = peer;
    request.headers.set("Host", "localhost");
    if (!token.empty()) request.headers.set("Auth-Token", token);
    return request;
  }
  // "game", "denied: lacks_right"…
  static std::string text_of(const Admission& admission) {
    if (const auto* who = std::get_if<Who>(&admission)) {
      return (who->project.name.empty() ? "default" : who->project.name) +
             (who->only_try ? " try" : "");
    }
    switch (std::get<Denial>(admission).why) {
      case Denial::Why::no_token:
        return "no token";
      case Denial::Why::unknown_token:
        return "unknown token";
      case Denial::Why::expired:
        return "expired";
      case Denial::Why::lacks_right:
        return "lacks right";
      case Denial::Why::no_project:
        return "no project";
    }
    return "";
  }
  std::string upload_as(const std::string& token,
                        const std::optional<std::string>& project = std::nullopt,
                        const std::string& peer = "192.0.2.1:5") const {
    return text_of(gate_.admit_upload(request_with(token, peer), project));
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("gate").value();
  std::unique_ptr<db::Database> database_ =
      db::Database::open("sqlite:" + root_.path() + "/a.db").value();
  store::Access access_{*database_};
  Gate gate_{access_, {"of-the-configuration", "", {"open"}}};
};

TEST_F(GateTest, ATokenActsInItsProjectAlone) {
  const std::string ours = must_create("ours", "upload", "");
  const std::string theirs = must_create("theirs", "upload", "game");
  const std::string everywhere = must_create("everywhere", "upload", "*");
  struct Case {
    std::string token;
    std::optional<std::string> project;
    const char* expected;
  };
  const std::vector<Case> cases = {
      {ours, {}, "default"},          {ours, "game", "lacks right"},
      {theirs, {}, "game"},           {theirs, "game", "game"},
      {theirs, "GAME", "game"},       {theirs, "tools", "lacks right"},
      {theirs, "none", "no project"}, {everywhere, {}, "default"},
      {everywhere, "tools", "tools"}, {everywhere, "none", "no project"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(upload_as(one.token, one.project), one.expected) << one.project.value_or("-");
  }
}

TEST_F(GateTest, RightsAreWhatTheTokenSays) {
  const std::string attempts = must_create("attempts", "upload-try", "game");
  const std::string reader = must_create("reader", "read,view-uploads", "game");
  EXPECT_EQ(upload_as(attempts), "game try");
  EXPECT_EQ(upload_as(reader), "lacks right");
  const auto admit = [&](const std::string& token, Right right) {
    return text_of(gate_.admit(request_with(token, "192.0.2.1:5"), right));
  };
  EXPECT_EQ(admit(reader, Right::view_uploads), "game");
  EXPECT_EQ(admit(reader, Right::admin), "lacks right");
  EXPECT_EQ(admit(attempts, Right::view_uploads), "lacks right");
  EXPECT_EQ(admit(attempts, Right::upload), "lacks right") << "for try builds only";
}

TEST_F(GateTest, AnEndedOrRevokedTokenIsNone) {
  EXPECT_EQ(upload_as(must_create("late", "upload", "*", -1)), "expired");
  const std::string good = must_create("good", "upload", "*");
  EXPECT_EQ(upload_as(good), "default");
  const std::int64_t id = access_.find_token(good)->id;
  ASSERT_TRUE(access_.revoke_token(id, {}).ok());
  EXPECT_EQ(upload_as(good), "unknown token");
  EXPECT_EQ(upload_as(""), "no token");
  EXPECT_EQ(upload_as("0123456789abcdef0123456789abcdef"), "unknown token");
}

TEST_F(GateTest, WhoIsLetInHasUsedTheToken) {
  const std::string token = must_create("gamer", "upload", "game");
  const auto used_at = [&] { return access_.token_list().at(0).used_at; };
  const auto upload_to = [&](const std::string& project) {
    return text_of(gate_.admit_upload(request_with(token, "192.0.2.1:5"), project));
  };
  EXPECT_EQ(upload_to("tools"), "lacks right");
  EXPECT_EQ(used_at(), base::Time());
  const base::Time before = base::now();
  EXPECT_EQ(upload_to("game"), "game");
  EXPECT_GE(used_at(), before);
}

// Tecken's custom: what follows the dash is for the reader of logs.
TEST_F(GateTest, ALabelBehindADashIsNotPartOfTheSecret) {
  const std::string token = must_create("ci", "upload", "*");
  EXPECT_EQ(upload_as(token + "-nightly"), "default");
  EXPECT_EQ(upload_as("of-the-configuration"), "default");
  EXPECT_EQ(upload_as("of-the-configuration-nightly"), "default");
  EXPECT_EQ(upload_as("of-the-configurationnightly"), "unknown token");
  EXPECT_EQ(upload_as("of-the"), "unknown token");
  const Admission admission =
      gate_.admit_upload(request_with(token + "-nightly", "192.0.2.1:5"), {});
  EXPECT_EQ(std::get<Who>(admission).name, "ci");
}

TEST_F(GateTest, LocalRequestsUploadUntilTheFirstToken) {
  const Gate open(access_, {});
  const auto local = [&] {
    return text_of(open.admit_upload(request_with("", "127.0.0.1:5"), std::nullopt));
  };
  EXPECT_EQ(local(), "default");
  must_create("reader", "read", "*");
  EXPECT_EQ(local(), "default") << "a reader's token closes nothing";
  const std::string token = must_create("ci", "upload", "*");
  EXPECT_EQ(local(), "no token");
  ASSERT_TRUE(access_.revoke_token(access_.find_token(token)->id, {}).ok());
  EXPECT_EQ(local(), "no token") << "revoking all does not open the door";
}

TEST_F(GateTest, TheKeyOfTheDataDirectoryIsNoToken) {
  const Gate gate(access_, {"of-the-configuration", "key-of-the-directory", {}});
  const auto shows_key = [&](const std::string& secret) {
    return gate.shows_admin_key(request_with(secret, "192.0.2.1:5"));
  };
  EXPECT_TRUE(shows_key("key-of-the-directory"));
  net::Request bearer = request_with("", "192.0.2.1:5");
  bearer.headers.set("Authorization", "Bearer key-of-the-directory");
  EXPECT_TRUE(gate.shows_admin_key(bearer)) << "as the command line sends it";
  EXPECT_EQ(text_of(gate.admit(bearer, Right::admin)), "default");
  for (const std::string& other :
       {must_create("command line", "admin", "*"), std::string("of-the-configuration"),
        std::string("key-of-the-director"), std::string()}) {
    EXPECT_FALSE(shows_key(other)) << other;
  }
  EXPECT_FALSE(gate_.shows_admin_key(request_with("", "127.0.0.1:5"))) << "there is none";
}

TEST_F(GateTest, WhoMayReadAProject) {
  const std::string reader = must_create("reader", "read", "game");
  const auto read = [&](const std::string& path, const std::string& token,
                        const std::string& peer) {
    net::Request request = request_with(token, peer);
    request.path = path;
    return text_of(gate_.admit_read(request));
  };
  EXPECT_EQ(read("/a/1/a", "", "192.0.2.1:5"), "default");
  EXPECT_EQ(read("/p/game/a/1/a", "", "192.0.2.1:5"), "no token");
  EXPECT_EQ(read("/p/game/a/1/a", "", "127.0.0.1:5"), "game");
  EXPECT_EQ(read("/p/game/a/1/a", reader, "192.0.2.1:5"), "game");
  EXPECT_EQ(read("/p/game/t/" + reader + "/a/1/a", "", "192.0.2.1:5"), "game");
  EXPECT_EQ(read("/p/tools/a/1/a", reader, "192.0.2.1:5"), "lacks right");
  EXPECT_TRUE(gate_.is_open("") && gate_.is_open("open"));
  EXPECT_FALSE(gate_.is_open("game"));
  EXPECT_EQ(read("/p/open/a/1/a", "", "192.0.2.1:5"), "open");
  EXPECT_EQ(read("/p/open/a/1/a", reader, "192.0.2.1:5"), "open");
  EXPECT_EQ(read("/p/none/a/1/a", reader, "192.0.2.1:5"), "no project");
}

// Strangers must not use up what a project's own people may ask.
TEST_F(GateTest, AProjectIsUsedByThoseWhoAreLetIn) {
  const std::string reader = must_create("reader", "read", "game");
  const std::string uploader = must_create("uploader", "upload", "game");
  struct Case {
    const char* method;
    std::string path, token;
    const char* used;
  };
  const std::vector<Case> cases = {
      {"GET", "/p/game/a/1/a", reader, "game"},
      {"GET", "/p/game/a/1/a", "", ""},
      {"GET", "/p/GAME/a/1/a", "wrong", ""},
      {"GET", "/p/open/a/1/a", "", "open"},
      {"GET", "/p/none/a/1/a", "", ""},
      {"GET", "/a/1/a", reader, ""},
      {"PUT", "/a/1/a", uploader, "game"},
      {"PUT", "/p/game/a/1/a", uploader, "game"},
      {"PUT", "/a/1/a", reader, ""},
      {"POST", "/upload/", uploader, "game"},
  };
  for (const Case& row : cases) {
    net::Request request = request_with(row.token, "192.0.2.1:5");
    request.method = net::find_method(row.method);
    request.path = row.path;
    EXPECT_EQ(project_used(request, gate_), row.used) << row.method << " " << row.path;
  }
}

}  // namespace
}  // namespace api
