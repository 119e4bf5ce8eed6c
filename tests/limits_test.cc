// What an operator sets bounds to: how much a project keeps, how often somebody asks, how long
// things stay. And what the audit log says of it all.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/clock.h"
#include "base/json.h"
#include "base/sha256.h"
#include "db/database.h"
#include "served_place.h"

namespace {

using namespace std::chrono_literals;
using uploads::Fields;
using uploads::File;

class Limits : public uploads::ServedPlace {
 protected:
  std::size_t blob_count() const {
    const auto paths = base::list_files(data() + "/blobs");
    return paths.ok() ? paths->size() : 0;
  }
  net::ClientAnswer put(const std::string& prefix, const File& file,
                        const std::string& token = "") const {
    Fields headers;
    if (!token.empty()) headers["Auth-Token"] = token;
    return uploads::send(server_->url(), "PUT", prefix + file.path, file.content, headers);
  }
  // As if it had been `days` ago. REQUIRES: nobody serves the directory.
  void must_age(const std::string& sql, int days) const {
    const auto database = db::Database::open("sqlite:" + data() + "/faultline.db");
    ASSERT_TRUE(database.ok()) << database.error().what;
    const std::int64_t then = base::now().us - std::int64_t{86'400'000'000} * days;
    const auto written = (*database)->write([&](db::Session& session) -> base::Result<void> {
      TRY(session.execute(sql, {then}));
      return {};
    });
    ASSERT_TRUE(written.ok()) << written.error().what;
  }
};

TEST_F(Limits, AProjectKeepsNoMoreThanItsQuota) {
  ASSERT_NO_FATAL_FAILURE(start());
  must_admin("project create game --quota 10kB");
  EXPECT_NE(must_admin("project list").find("game  at most"), std::string::npos);
  const File first = uploads::sym_file("first.so", 4000);
  const File second = uploads::sym_file("second.so", 4000);
  const File third = uploads::sym_file("third.so", 4000);
  EXPECT_EQ(put("/p/game", first).status, 201);
  EXPECT_EQ(put("/p/game", second).status, 201);
  const auto refused = put("/p/game", third);
  EXPECT_EQ(refused.status, 413);
  EXPECT_NE(refused.body.find("the project game may keep"), std::string::npos) << refused.body;
  EXPECT_EQ(blob_count(), 2u) << "nothing of it stays on the disk";
  EXPECT_EQ(uploads::send(server_->url(), "GET", "/p/game" + third.path).status, 404);
  EXPECT_EQ(put("/p/game", second).status, 200) << "what is here counts once";
  EXPECT_EQ(put("", third).status, 201) << "another project's quota";
  EXPECT_EQ(put("/p/game", third).status, 413) << "the bytes are here, but not in this project";
  must_admin("project create game --quota '1 MiB'");
  EXPECT_EQ(put("/p/game", third).status, 201);
  EXPECT_EQ(admin("project create game --quota lots").exit_code, 2);
}

TEST_F(Limits, ATokenBringsNoMoreThanItsQuota) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string token = must_admin("token create nightly --quota 10kB");
  EXPECT_NE(must_admin("token list").find("at most 10.0 kB"), std::string::npos)
      << must_admin("token list");
  const std::string other = must_admin("token create builds");
  const File first = uploads::sym_file("first.so", 4000);
  const File second = uploads::sym_file("second.so", 4000);
  const File third = uploads::sym_file("third.so", 4000);
  EXPECT_EQ(put("", first, token).status, 201);
  EXPECT_EQ(put("", second, token).status, 201);
  const auto refused = put("", third, token);
  EXPECT_EQ(refused.status, 413);
  EXPECT_NE(refused.body.find("the token nightly may keep"), std::string::npos) << refused.body;
  EXPECT_EQ(blob_count(), 2u) << "nothing of it stays on the disk";
  EXPECT_EQ(put("", second, token).status, 200) << "what is here counts once";
  EXPECT_EQ(put("", third, other).status, 201) << "another token's";
  EXPECT_EQ(admin("token quota 1 --quota lots").exit_code, 2);
  EXPECT_EQ(admin("token quota 99 --quota 1MB").exit_code, 1);
  must_admin("token quota 1 --quota 1MB");
  EXPECT_EQ(put("", third, token).status, 200);
  must_admin("token quota 1");
  EXPECT_EQ(must_admin("token list").find("at most"), std::string::npos);
}

TEST_F(Limits, TheDefaultProjectKeepsNoMoreThanConfigured) {
  ASSERT_NO_FATAL_FAILURE(start({"FAULTLINE_LIMITS_DEFAULT_PROJECT=10kB"}));
  must_admin("project create game");
  const File first = uploads::sym_file("first.so", 4000);
  const File second = uploads::sym_file("second.so", 4000);
  const File third = uploads::sym_file("third.so", 4000);
  EXPECT_EQ(put("", first).status, 201);
  EXPECT_EQ(put("", second).status, 201);
  const auto refused = put("", third);
  EXPECT_EQ(refused.status, 413);
  EXPECT_NE(refused.body.find("the default project may keep"), std::string::npos) << refused.body;
  EXPECT_EQ(put("/p/game", third).status, 201) << "another project";
  must_admin("purge " + base::sha256_of(base::bytes_of(first.content)).hex());
  // What went counts no more, as soon as it is counted again.
  const auto until = std::chrono::steady_clock::now() + 60s;
  int status = put("", third).status;
  for (; status == 413 && std::chrono::steady_clock::now() < until;
       status = put("", third).status) {
    std::this_thread::sleep_for(50ms);
  }
  EXPECT_EQ(status, 201);
}

TEST_F(Limits, RequestsAreRefusedAsEachClientUnderstands) {
  ASSERT_NO_FATAL_FAILURE(
      start({"FAULTLINE_LIMITS_REQUESTS_PER_ADDRESS=1", "FAULTLINE_LIMITS_REQUESTS_BURST=5"}));
  const auto ask = [&](const std::string& agent) {
    return uploads::send(server_->url(), "GET", "/a.pdb/12/a.pdb", "",
                         {{"Via", "1.1 proxy"}, {"User-Agent", agent}});
  };
  int misses = 0;
  net::ClientAnswer last = ask("curl/8");
  for (; last.status == 404 && misses < 100; last = ask("curl/8")) ++misses;
  EXPECT_GE(misses, 5);
  EXPECT_LT(misses, 20);
  EXPECT_EQ(last.status, 429);
  EXPECT_TRUE(last.headers.find("Retry-After"));
  EXPECT_NE(last.body.find("too many requests"), std::string::npos) << last.body;
  net::ClientAnswer symsrv = ask("Microsoft-Symbol-Server/10.0");
  for (int i = 0; i < 20 && symsrv.status == 404; ++i) symsrv = ask("Microsoft-Symbol-Server/10.0");
  EXPECT_EQ(symsrv.status, 503);
  EXPECT_TRUE(symsrv.headers.find("Symbol-Agent-Status"));
  // Each way in or out is counted. One token may come back meanwhile.
  const auto is_refused = [&](const char* method, const char* path) {
    for (int i = 0; i < 20; ++i) {
      const auto answer = uploads::send(server_->url(), method, path, "",
                                        {{"Via", "1.1 proxy"}, {"User-Agent", "curl/8"}});
      if (answer.status == 429) return true;
    }
    return false;
  };
  EXPECT_TRUE(is_refused("PUT", "/a.pdb/12/a.pdb"));
  EXPECT_TRUE(is_refused("PUT", "/upload/v2/session/1"));
  EXPECT_TRUE(is_refused("PUT", "/v1/uploads/1"));
  EXPECT_TRUE(is_refused("POST", "/v1/uploads:create"));
  EXPECT_TRUE(is_refused("POST", "/api/0/projects/o/p/files/difs/assemble/"));
  EXPECT_TRUE(is_refused("GET", "/buildid/aabb/source/a.c"));
  EXPECT_TRUE(is_refused("GET", "/metadata?key=file&value=a"));
  int elfutils = 404;
  for (int i = 0; i < 20 && elfutils == 404; ++i) elfutils = ask("elfutils/0.196").status;
  EXPECT_EQ(elfutils, 0) << "a reset: nothing is remembered";
  int answered = 0;
  for (; answered < 100; ++answered) {
    last = uploads::send(server_->url(), "POST", "/symbolicate/v5", "{\"jobs\":[]}",
                         {{"Via", "1.1 proxy"}, {"User-Agent", "curl/8"}});
    if (last.status != 200) break;
  }
  EXPECT_LT(answered, 20);
  EXPECT_EQ(last.status, 429) << "a question is a request";
  EXPECT_EQ(get("/a.pdb/12/a.pdb").status, 404) << "this machine is not counted";
  std::this_thread::sleep_for(1500ms);
  EXPECT_EQ(ask("curl/8").status, 404);
}

TEST_F(Limits, AProjectsClientsShareItsRate) {
  ASSERT_NO_FATAL_FAILURE(
      start({"FAULTLINE_LIMITS_REQUESTS_PER_PROJECT=1", "FAULTLINE_LIMITS_REQUESTS_BURST=5"}));
  must_admin("project create game");
  const std::string token = must_admin("token create reader --rights read --project game");
  const auto ask = [&](const std::string& path, const std::string& shown) {
    Fields headers{{"Via", "1.1 proxy"}, {"User-Agent", "curl/8"}};
    if (!shown.empty()) headers["Auth-Token"] = shown;
    return uploads::send(server_->url(), "GET", path, "", headers).status;
  };
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask("/p/game/a.pdb/12/a.pdb", ""), 401);
  int misses = 0;
  int status = ask("/p/game/a.pdb/12/a.pdb", token);
  for (; status == 404 && misses < 100; status = ask("/p/game/a.pdb/12/a.pdb", token)) ++misses;
  EXPECT_EQ(status, 429);
  EXPECT_GE(misses, 4) << "strangers used nothing up";
  EXPECT_EQ(ask("/a.pdb/12/a.pdb", token), 404) << "the default project's files";
}

TEST_F(Limits, OldUploadsGoByProjectAndNothingElse) {
  ASSERT_NO_FATAL_FAILURE(start());
  must_admin("project create game");
  const File old = uploads::sym_file("old.so", 3000);
  const File shared = uploads::sym_file("shared.so", 3000);
  const File again = uploads::sym_file("again.so", 3000);
  for (const File& file : {old, shared, again}) {
    ASSERT_EQ(put("", file).status, 201);
    ASSERT_EQ(put("/p/game", file).status, 201);
  }
  stop();
  ASSERT_NO_FATAL_FAILURE(must_age("UPDATE upload SET created_at = ?", 40));
  ASSERT_NO_FATAL_FAILURE(must_age("UPDATE symbol_file SET added_at = ?", 40));
  ASSERT_NO_FATAL_FAILURE(start());
  const File young = must_upload("young.so");
  ASSERT_EQ(put("", again).status, 200) << "brought again: young again";

  const std::string shown = must_admin("retention --dry-run --uploads 30 --project game=365");
  EXPECT_NE(shown.find("uploads older than 30 days: 2 ("), std::string::npos) << shown;
  EXPECT_NE(shown.find("uploads of game older than 365 days: 0 ("), std::string::npos) << shown;
  EXPECT_EQ(get(old.path).status, 200);

  must_admin("retention --uploads 30 --project game=365");
  EXPECT_EQ(get(old.path).status, 404);
  EXPECT_EQ(get(again.path).status, 200);
  EXPECT_EQ(get(young.path).status, 200);
  EXPECT_EQ(uploads::send(server_->url(), "GET", "/p/game" + old.path).status, 200)
      << "the other project's";
  EXPECT_EQ(blob_count(), 4u) << "a blob stays while anybody names it";
  must_admin("retention --project game=30");
  EXPECT_EQ(uploads::send(server_->url(), "GET", "/p/game" + old.path).status, 404);
  EXPECT_EQ(blob_count(), 2u);
  EXPECT_NE(must_admin("fsck").find("all is well"), std::string::npos);
  EXPECT_NE(must_admin("audit").find("uploads of game: 3 files"), std::string::npos)
      << must_admin("audit");
  EXPECT_EQ(put("", old).status, 201) << "and may come again";
}

TEST_F(Limits, WhatNobodyAsksForGoesAndWhatSomebodyAsksForStays) {
  ASSERT_NO_FATAL_FAILURE(start());
  const File asked = must_upload("asked.so");
  const File unasked = must_upload("unasked.so");
  stop();
  ASSERT_NO_FATAL_FAILURE(must_age("UPDATE upload SET created_at = ?", 40));
  ASSERT_NO_FATAL_FAILURE(must_age("UPDATE symbol_file SET added_at = ?", 40));
  ASSERT_NO_FATAL_FAILURE(must_age("UPDATE symbol_file SET asked_at = ?", 40));
  ASSERT_NO_FATAL_FAILURE(start());
  EXPECT_EQ(get(asked.path).status, 200);
  stop();  // writes down what was asked for
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string shown = must_admin("retention --dry-run --unasked 30");
  EXPECT_NE(shown.find("unasked uploads older than 30 days: 1 ("), std::string::npos) << shown;
  EXPECT_NE(must_admin("retention --dry-run --unasked 30 --project =0").find("no rules"),
            std::string::npos)
      << "said to stay";
  must_admin("retention --unasked 30");
  EXPECT_EQ(get(unasked.path).status, 404);
  EXPECT_EQ(get(asked.path).status, 200);
  EXPECT_NE(must_admin("fsck").find("all is well"), std::string::npos);
}

TEST_F(Limits, TheHousekeeperFollowsTheConfiguration) {
  ASSERT_NO_FATAL_FAILURE(start());
  const File old = must_upload("old.so");
  const auto reported = uploads::send(
      server_->url(), "POST", "/submit",
      uploads::form_part("name=\"prod\"", "Test") + uploads::form_part("name=\"ver\"", "1") +
          uploads::form_part("name=\"upload_file_minidump\"; filename=\"a.dmp\"", "no dump") +
          uploads::form_end(),
      uploads::form_header());
  ASSERT_EQ(reported.status, 200) << reported.body;
  const std::string id(base::trim(reported.body).substr(std::string("CrashID=bp-").size()));
  const auto is_settled = [&] {
    const auto report = base::JsonValue::parse(get("/api/v1/reports/" + id).body);
    const std::string state(report.ok() ? (*report)["state"].text_or("") : "");
    return state == "done" || state == "failed";
  };
  const auto settled_until = std::chrono::steady_clock::now() + 60s;
  while (!is_settled() && std::chrono::steady_clock::now() < settled_until) {
    std::this_thread::sleep_for(50ms);
  }
  ASSERT_TRUE(is_settled());
  stop();
  ASSERT_NO_FATAL_FAILURE(must_age("UPDATE upload SET created_at = ?", 40));
  ASSERT_NO_FATAL_FAILURE(must_age("UPDATE symbol_file SET added_at = ?", 40));
  ASSERT_NO_FATAL_FAILURE(must_age("UPDATE crash_report SET received_at = ?", 40));
  ASSERT_NO_FATAL_FAILURE(
      start({"FAULTLINE_RETENTION_UPLOADS_DAYS=30", "FAULTLINE_RETENTION_REPORTS_DAYS=30"}));
  const auto until = std::chrono::steady_clock::now() + 30s;
  while (blob_count() != 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(50ms);
  }
  EXPECT_EQ(get(old.path).status, 404);
  EXPECT_EQ(get("/api/v1/reports/" + id).status, 404);
  EXPECT_EQ(blob_count(), 0u);
  EXPECT_NE(must_admin("fsck").find("all is well"), std::string::npos);
}

TEST_F(Limits, ThePageOfStorageHasEachDirectoryWithItsBound) {
  const std::string tree = root_.path() + "/tree";
  ASSERT_TRUE(base::write_file_durably(tree + "/a.pdb/12/a.pdb", base::bytes_of("12345")).ok());
  ASSERT_TRUE(base::write_file_durably(root_.path() + "/store/here", {}).ok());
  ASSERT_NO_FATAL_FAILURE(
      start({"FAULTLINE_UPSTREAM_0_URL=" + root_.path() + "/store",
             "FAULTLINE_UPSTREAMS_CACHE=" + tree, "FAULTLINE_UPSTREAMS_CACHE_SIZE=3 MB"}));
  const File file = must_upload("ours.so", 50'000);
  const auto key = base::read_file(data() + "/admin.key", 4096);
  ASSERT_TRUE(key.ok());
  const auto page = uploads::send(server_->url(), "GET", "/settings/storage", "",
                                  {{"Auth-Token", std::string(base::trim(*key))}});
  ASSERT_EQ(page.status, 200) << page.body;
  const auto has = [&](const std::string& text) {
    return page.body.find(text) != std::string::npos;
  };
  for (const char* name : {"/blobs", "/faultline.db", "/index", "/extracted", "/tmp"}) {
    EXPECT_TRUE(has("<bdi>" + data() + name + "</bdi>")) << name;
  }
  EXPECT_TRUE(has("<td class=\"number\">" + base::human_size(file.content.size()))) << page.body;
  EXPECT_TRUE(has("Tree of copies: cache"));
  EXPECT_TRUE(has("<bdi>" + tree + "</bdi>"));
  EXPECT_TRUE(has("<td class=\"number\">5 B</td><td class=\"number\"><bdi>3.0 MB</bdi></td>"))
      << page.body;
}

TEST_F(Limits, TheAuditLogHasUploadsAndDeletions) {
  ASSERT_NO_FATAL_FAILURE(start());
  must_admin("project create game");
  const std::string token = must_admin("token create builds --project game");
  const File file = uploads::sym_file("mine.so", 1000);
  ASSERT_EQ(put("", file, token).status, 201);
  const std::string log = must_admin("audit");
  EXPECT_NE(log.find("token create"), std::string::npos) << log;
  EXPECT_NE(log.find("1 file for game"), std::string::npos) << log;
  EXPECT_NE(log.find("builds"), std::string::npos) << log;
  EXPECT_EQ(log.find(token), std::string::npos);
  EXPECT_EQ(must_admin("audit --limit 1").find("token create"), std::string::npos);
}

}  // namespace
