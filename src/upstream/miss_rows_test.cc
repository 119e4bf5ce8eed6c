#include "upstream/miss_rows.h"

#include <gtest/gtest.h>

#include "testing/on_each_engine.h"
#include "testing/scripted_server.h"
#include "upstream/options_fixture.h"
#include "upstream/upstreams.h"

namespace upstream {
namespace {

using namespace std::chrono_literals;
using testing_support::ScriptedServer;
using Servers = std::vector<std::unique_ptr<Server>>;

base::Error miss() { return {base::Fault::not_found, "it is not there"}; }

class MissRowsOn : public testing_support::OnEachEngine {
 protected:
  void SetUp() override { ASSERT_NO_FATAL_FAILURE(open({MissRows::migrations()})); }

  static Servers made(const std::vector<ServerOptions>& all) {
    Servers servers;
    for (const ServerOptions& one : all) servers.push_back(Server::make(one).value());
    return servers;
  }
  // Which of them knows the miss of "f" after a restart, when `first` had it from the first one.
  std::string known_by(const std::vector<ServerOptions>& all) {
    MissRows rows(*database_);
    const Servers before = made(all);
    before.front()->misses().remember("f", miss());
    EXPECT_TRUE(rows.save(before).ok());
    const Servers after = made(all);
    EXPECT_TRUE(rows.load(after).ok());
    std::string known;
    for (const auto& server : after) known += server->misses().find("f") ? '+' : '-';
    return known;
  }
};

TEST_P(MissRowsOn, ServersThatAreTheSameShareThem) {
  const ServerOptions one = options_at("https://symbols.example/a");
  ServerOptions other = one;
  other.name = "by another name";
  other.projects = {"games"};
  EXPECT_EQ(known_by({one, other}), "++");
  EXPECT_EQ(known_by({options_at("/srv/a"), options_at("/srv/a/"), options_at("/srv/b")}), "++-");
}

TEST_P(MissRowsOn, WhoLetsUsInAsSomebodyElseDoesNot) {
  std::vector<ServerOptions> all;
  all.push_back(options_at("https://symbols.example/a"));
  all.push_back(all[0]);
  all.back().transport.headers = {{"Authorization", "Bearer a-token"}};
  all.push_back(all[0]);
  all.back().transport.headers = {{"Authorization", "Bearer another-token"}};
  all.push_back(all[0]);
  all.back().transport.client_certificate = "/etc/me.pem";
  EXPECT_EQ(known_by(all), "+---");
  all.clear();
  all.push_back(options_at("s3://bucket"));
  for (const char* endpoint : {"https://one.example", "https://two.example"}) {
    all.push_back(all[0]);
    all.back().transport.s3.endpoint = endpoint;
  }
  all.push_back(all[0]);
  all.back().transport.s3.credentials = {"id", "a-secret", ""};
  all.push_back(all[0]);
  all.back().transport.s3.credentials = {"id", "another-secret", ""};
  EXPECT_EQ(known_by(all), "+----");
  for (const auto& server : made(all)) {
    EXPECT_EQ(server->identity().find("secret"), std::string::npos) << server->identity();
  }
}

TEST_P(MissRowsOn, WhatWasForgottenDoesNotComeBack) {
  MissRows rows(*database_);
  const std::vector<ServerOptions> all{options_at("/srv/a"), options_at("/srv/b")};
  const Servers before = made(all);
  for (const auto& server : before) {
    for (const char* path : {"gone", "again", "kept"}) server->misses().remember(path, miss());
  }
  ASSERT_TRUE(rows.save(before).ok());
  Misses& misses = before.front()->misses();
  misses.forget("gone");
  misses.forget("again");
  misses.remember("again", {base::Fault::denied, "403"});
  ASSERT_TRUE(rows.save(before).ok());
  const Servers after = made(all);
  ASSERT_TRUE(rows.load(after).ok());
  EXPECT_FALSE(after[0]->misses().find("gone").has_value());
  EXPECT_TRUE(after[0]->misses().find("kept").has_value());
  EXPECT_TRUE(after[1]->misses().find("gone").has_value()) << "another server's";
  const auto again = after[0]->misses().find("again");
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again.value().error.fault, base::Fault::denied);
}

// As they were written when the place alone told servers apart.
TEST_P(MissRowsOn, OldRowsAreIgnored) {
  const auto write = [&](db::Session& session) -> base::Result<void> {
    TRY(session.execute(
        "INSERT INTO upstream_miss (server, path, cause, words, until_at) VALUES (?, ?, ?, ?, ?)",
        {std::string("/srv/a"), std::string("f"), std::string("not_found"), std::string("no"),
         base::now().us + 60'000'000}));
    return {};
  };
  ASSERT_TRUE(database_->write(write).ok());
  const Servers servers = made({options_at("/srv/a")});
  EXPECT_TRUE(MissRows(*database_).load(servers).ok());
  EXPECT_FALSE(servers.front()->misses().find("f").has_value());
}

INSTANTIATE_TEST_SUITE_P(Engines, MissRowsOn, testing_support::engines());

// Whoever may read the file there gives it, wherever it stands in the list.
TEST(FetchAgain, EverybodyAtThatPlaceIsAsked) {
  const auto root = base::TemporaryDirectory::create("fetch-again").value();
  for (const int refusal : {401, 404, 500}) {
    const ScriptedServer other(root.path(), [&](net::Request& request) {
      return request.header("Authorization") == "Bearer right" ? net::Answer::text(200, "the file")
                                                               : net::Answer::text(refusal, "no");
    });
    std::vector<std::unique_ptr<Server>> servers;
    for (const char* token : {"Bearer wrong", "Bearer right", "Bearer another"}) {
      ServerOptions options = options_at(other.url());
      options.transport.headers = {{"Authorization", token}};
      servers.push_back(Server::make(options).value());
    }
    Upstreams upstreams(std::move(servers), root.path(), {});
    std::string came;
    const auto take = [&](const Fetched& fetched) -> base::Result<void> {
      came = base::read_file(fetched.file.path()).value_or("");
      return {};
    };
    const auto again = upstreams.fetch_again(other.url() + "/f/1/f", take);
    EXPECT_TRUE(again.ok()) << refusal;
    EXPECT_EQ(came, "the file") << refusal;
    EXPECT_EQ(other.asked, 2) << refusal;
  }
}

// What nobody gives is missing only when all of them say so.
TEST(FetchAgain, TheOneThatMayHaveItSaysWhatIsWrong) {
  const auto root = base::TemporaryDirectory::create("fetch-again").value();
  const ScriptedServer other(root.path(), [](net::Request& request) {
    const bool is_down = request.header("Authorization") == "Bearer down";
    return net::Answer::text(is_down ? 500 : 404, "no");
  });
  const auto fault_of = [&](const std::vector<std::string>& tokens) {
    std::vector<std::unique_ptr<Server>> servers;
    for (const std::string& token : tokens) {
      ServerOptions options = options_at(other.url());
      options.transport.headers = {{"Authorization", "Bearer " + token}};
      servers.push_back(Server::make(options).value());
    }
    Upstreams upstreams(std::move(servers), root.path(), {});
    const auto take = [](const Fetched&) -> base::Result<void> { return {}; };
    const auto again = upstreams.fetch_again(other.url() + "/f/1/f", take);
    return again.ok() ? std::string() : std::string(base::name_of(again.error().fault));
  };
  EXPECT_EQ(fault_of({"up", "other"}), "not_found");
  EXPECT_EQ(fault_of({"up", "down"}), "unavailable");
  EXPECT_EQ(fault_of({"down", "up"}), "unavailable");
  EXPECT_EQ(fault_of({}), "not_found");
}

}  // namespace
}  // namespace upstream
