#include "store/access.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "store/access_json.h"
#include "store/catalog.h"
#include "testing/corpus.h"
#include "testing/on_each_engine.h"

namespace store {
namespace {

using base::Fault;

class AccessOn : public testing_support::OnEachEngine {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(open({Catalog::migrations()}));
    if (IsSkipped()) return;
    access_ = std::make_unique<Access>(*database_);
    ASSERT_TRUE(access_->reload().ok());
  }
  static Token token_for(const std::string& label, std::string_view rights,
                         const std::string& project = "*") {
    Token token;
    token.label = label;
    token.rights = Rights::parse(rights).value();
    token.project = project;
    return token;
  }

  std::unique_ptr<Access> access_;
};

INSTANTIATE_TEST_SUITE_P(Engines, AccessOn, testing_support::engines());

TEST(Rights, AreASetOfWords) {
  EXPECT_EQ(Rights::parse(" read , upload,")->text(), "upload,read");
  for (const char* text : {"", ",", "write", "upload,upload-try", "Upload"}) {
    EXPECT_EQ(Rights::parse(text).error().fault, Fault::malformed) << text;
  }
}

TEST_P(AccessOn, KeepsTheHashOfASecretAndNotTheSecret) {
  const auto made = access_->create_token(token_for("ci", "upload,read"), {}).value();
  EXPECT_EQ(made.secret.size(), 32u);
  const auto found = access_->find_token(made.secret);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->label, "ci");
  EXPECT_EQ(found->rights.text(), "upload,read");
  EXPECT_FALSE(access_->find_token("").has_value());
  std::string rows;
  ASSERT_TRUE(database_
                  ->read([&](db::Session& session) -> base::Result<void> {
                    const db::Rows found_rows = TRY(session.query("SELECT hash, label FROM token"));
                    for (const db::Row& row : found_rows) rows += row.text(0) + row.text(1);
                    return {};
                  })
                  .ok());
  EXPECT_EQ(rows.find(made.secret), std::string::npos);
  EXPECT_NE(rows.find("ci"), std::string::npos);
}

TEST_P(AccessOn, ARevokedTokenIsNotFoundAndAnEndedOneSaysSo) {
  const auto made = access_->create_token(token_for("ci", "upload"), {}).value();
  Token late = token_for("late", "upload");
  late.expires_at = {1};
  const auto ended = access_->create_token(late, {}).value();
  EXPECT_TRUE(access_->find_token(ended.secret)->is_expired(base::now()));
  EXPECT_FALSE(access_->find_token(made.secret)->is_expired(base::now())) << "it has no end";
  ASSERT_TRUE(access_->revoke_token(made.token.id, {}).ok());
  EXPECT_FALSE(access_->find_token(made.secret).has_value());
  EXPECT_EQ(access_->revoke_token(made.token.id, {}).error().fault, Fault::not_found);
  EXPECT_EQ(access_->token_list().size(), 2u);
  EXPECT_TRUE(access_->has_upload_tokens()) << "once made, even if all are gone";
}

TEST_P(AccessOn, ATokenIsExtendedUnlessItWasRevoked) {
  Token late = token_for("late", "upload");
  late.expires_at = {1};
  const auto made = access_->create_token(late, {}).value();
  EXPECT_TRUE(access_->find_token(made.secret)->is_expired(base::now()));
  const base::Time end{base::now().us + 1'000'000'000};
  EXPECT_EQ(access_->extend_token(made.token.id, end, {})->expires_at, end);
  EXPECT_FALSE(access_->find_token(made.secret)->is_expired(base::now()));
  EXPECT_EQ(access_->find_token(made.secret)->expires_at, end);
  const std::string id = std::to_string(made.token.id);
  EXPECT_TRUE(post_extend(*access_, id, R"({"days": 0})", {}).ok());
  EXPECT_EQ(access_->find_token(made.secret)->expires_at.us, 0) << "for ever";
  EXPECT_EQ(post_extend(*access_, id, R"({"days": -1})", {}).error().fault, Fault::malformed);
  EXPECT_EQ(post_extend(*access_, "x", "{}", {}).error().fault, Fault::not_found);
  ASSERT_TRUE(access_->revoke_token(made.token.id, {}).ok());
  EXPECT_EQ(access_->extend_token(made.token.id, end, {}).error().fault, Fault::not_found);
}

TEST_P(AccessOn, RemembersWhenATokenWasLastUsed) {
  const auto used_at = [](const Access& access) { return access.token_list().at(0).used_at.us; };
  const std::int64_t id = access_->create_token(token_for("ci", "read"), {})->token.id;
  access_->create_token(token_for("idle", "read"), {}).value();
  EXPECT_EQ(used_at(*access_), 0);
  access_->note_use(id, {2'000});
  access_->note_use(id, {1'000});  // another thread was slower
  EXPECT_EQ(used_at(*access_), 2'000);
  Access other(*database_);
  ASSERT_TRUE(other.reload().ok());
  EXPECT_EQ(used_at(other), 0) << "nothing is written until somebody says so";
  ASSERT_TRUE(access_->save_uses().ok());
  ASSERT_TRUE(other.reload().ok());
  EXPECT_EQ(used_at(other), 2'000);
  // A server that heard of it later, and one that did earlier.
  other.note_use(id, {3'000});
  ASSERT_TRUE(other.save_uses().ok());
  access_->note_use(id, {2'500});
  ASSERT_TRUE(access_->save_uses().ok());
  ASSERT_TRUE(access_->reload().ok());
  EXPECT_EQ(used_at(*access_), 3'000);
  EXPECT_EQ(access_->token_list().at(1).used_at.us, 0);
  EXPECT_NE(tokens_json(*access_).find("\"used_at\":null"), std::string::npos);
}

TEST_P(AccessOn, AnotherProcessSeesChangesAfterReloading) {
  Access other(*database_);
  const auto made = access_->create_token(token_for("ci", "read"), {}).value();
  EXPECT_FALSE(other.find_token(made.secret).has_value());
  ASSERT_TRUE(other.reload().ok());
  EXPECT_TRUE(other.find_token(made.secret).has_value());
  EXPECT_FALSE(other.has_upload_tokens());
}

TEST_P(AccessOn, ProjectsHaveOneSpelling) {
  Project game;
  game.name = "Game";
  game.strict = true;
  EXPECT_EQ(access_->keep_project(game, {})->name, "game");
  EXPECT_TRUE(access_->find_project("GAME")->strict);
  EXPECT_EQ(access_->find_project("")->name, "");
  EXPECT_FALSE(access_->find_project("none").has_value());
  game.strict = false;
  ASSERT_TRUE(access_->keep_project(game, {}).ok());
  EXPECT_FALSE(access_->find_project("game")->strict);
  EXPECT_EQ(access_->project_list().size(), 1u);
  for (const char* name : {"", ".x", "a/b", "a b"}) {
    Project bad;
    bad.name = name;
    EXPECT_EQ(access_->keep_project(bad, {}).error().fault, Fault::malformed) << name;
  }
  EXPECT_EQ(access_->create_token(token_for("x", "read", "Game"), {})->token.project, "game");
  EXPECT_EQ(access_->create_token(token_for("x", "read", "none"), {}).error().fault,
            Fault::not_found);
}

TEST_P(AccessOn, AListIsWholeWhileOthersChangeIt) {
  constexpr int kProjects = 40;
  for (int i = 0; i < kProjects; ++i) {
    Project project;
    project.name = "p" + std::to_string(i);
    ASSERT_TRUE(access_->keep_project(project, {}).ok());
  }
  std::atomic<bool> done = false;
  std::thread changes([&] {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(access_->reload().ok());
    done = true;
  });
  do {
    EXPECT_EQ(access_->project_list().size(), static_cast<std::size_t>(kProjects));
    EXPECT_TRUE(access_->token_list().empty());
  } while (!done);
  changes.join();
}

TEST_P(AccessOn, ALabelIsPlainText) {
  for (const std::string& label :
       std::vector<std::string>{"", "two\nlines", "\xff", std::string(201, 'a')}) {
    EXPECT_EQ(access_->create_token(token_for(label, "read"), {}).error().fault, Fault::malformed);
  }
}

// Days are counted from now; 0 is for ever; a year when nothing is said.
TEST_P(AccessOn, DaysBecomeAnEnd) {
  constexpr std::int64_t kDay = 86'400'000'000;
  const auto days_of = [&](const std::string& more) {
    const auto made = post_token(*access_, R"({"label":"x","rights":"read")" + more + "}", {});
    EXPECT_TRUE(made.ok()) << more;
    const std::int64_t end = access_->token_list().back().expires_at.us;
    return end == 0 ? 0 : (end - base::now().us + kDay / 2) / kDay;
  };
  EXPECT_EQ(days_of(""), 365);
  EXPECT_EQ(days_of(",\"days\":7"), 7);
  EXPECT_EQ(days_of(",\"days\":0"), 0);
  for (const char* days : {"-1", "36501"}) {
    EXPECT_FALSE(post_token(*access_,
                            std::string(R"({"label":"x","rights":"read","days":)") + days + "}", {})
                     .ok())
        << days;
  }
}

TEST_P(AccessOn, EveryChangeIsInTheAuditLog) {
  const Actor actor{"boss", "192.0.2.1:5"};
  Project game;
  game.name = "game";
  game.strict = true;
  ASSERT_TRUE(access_->keep_project(game, actor).ok());
  const auto made = access_->create_token(token_for("ci", "upload", "game"), actor).value();
  ASSERT_TRUE(access_->revoke_token(made.token.id, actor).ok());
  ASSERT_TRUE(access_->note(actor, "source read", "a.c").ok());
  const auto log = access_->audit_log(10).value();
  ASSERT_EQ(log.size(), 4u);
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"source read", "a.c"},
      {"token revoke", std::to_string(made.token.id)},
      {"token create", std::to_string(made.token.id) + " ci (upload) for game"},
      {"project", "game strict"}};
  for (std::size_t i = 0; i < log.size(); ++i) {
    EXPECT_EQ(log[i].action, expected[i].first);
    EXPECT_EQ(log[i].detail, expected[i].second);
    EXPECT_EQ(log[i].actor, "boss");
    EXPECT_EQ(log[i].peer, "192.0.2.1:5");
    EXPECT_EQ(log[i].detail.find(made.secret), std::string::npos);
  }
  EXPECT_EQ(access_->audit_log(1)->size(), 1u);
}

}  // namespace
}  // namespace store
