// The record of uploads: what each gave, what it skipped and refused, what became of its files, and
// who may see it, against a real server.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <thread>

#include "base/child.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "testing/server_process.h"
#include "upload_dialects.h"

namespace {

using base::DigestKind;
using base::JsonValue;
using testing_support::faultline_program;
using testing_support::ServerProcess;
using uploads::File;

std::string hex_of(const std::string& text, DigestKind kind) {
  return base::hex_digest_of(base::bytes_of(text), kind);
}

std::string announced(const std::string& key, const std::string& content) {
  return R"({"key":")" + key + R"(","size":)" + std::to_string(content.size()) +
         R"(,"md5_hash":")" + hex_of(content, DigestKind::md5) + "\"}";
}

class UploadRecords : public testing::Test {
 protected:
  void SetUp() override {
    server_.emplace(ServerProcess::start({data(), {}, {}, {}}));
    ASSERT_NE(server_->url(), "");
  }
  std::string data() const { return root_.path() + "/data"; }
  net::ClientAnswer send(const std::string& method, const std::string& path,
                         const std::string& body = "", const std::string& token = "") const {
    uploads::Fields headers;
    if (!token.empty()) headers["Auth-Token"] = token;
    return uploads::send(server_->url(), method, path, body, headers);
  }
  JsonValue json(const std::string& method, const std::string& path, const std::string& body = "",
                 const std::string& token = "") const {
    auto parsed = JsonValue::parse(send(method, path, body, token).body);
    return parsed.ok() ? std::move(*parsed) : JsonValue();
  }
  JsonValue record_of(std::int64_t id, const std::string& token = "") const {
    return json("GET", "/upload/" + std::to_string(id), "", token)["upload"];
  }
  std::int64_t newest_id(const std::string& token = "") const {
    return json("GET", "/api/v1/uploads", "", token)["uploads"].at(0)["id"].integer_or(0);
  }
  std::string admin(const std::string& arguments) const {
    const auto end = base::run_child(
        "/bin/sh",
        {"sh", "-c", "exec " + faultline_program() + " admin " + arguments + " --data " + data()});
    EXPECT_TRUE(end.ok() && end->ok()) << arguments << (end.ok() ? end->describe() : "");
    return end.ok() ? std::string(base::trim(end->output)) : "";
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("upload-records").value();
  std::optional<ServerProcess> server_;
};

TEST_F(UploadRecords, OneOfTeckenV2HasAllFilesAndWhatWasSkippedAndRefused) {
  const File known = uploads::sym_file("known.so", 2000);
  const File one = uploads::sym_file("one.so", 2000);
  const File two = uploads::sym_file("two.so", 2000);
  ASSERT_EQ(send("PUT", known.path, known.content).status, 201);
  const auto answer =
      json("POST", "/upload/v2/",
           "{\"files\":[" + announced(known.path.substr(1), known.content) + "," +
               announced("bad key", "x") + "," + announced(one.path.substr(1), one.content) + "," +
               announced(two.path.substr(1), two.content) + "]}");
  const std::int64_t id = answer["id"].integer_or(0);
  ASSERT_GT(id, 0);
  const JsonValue begun = record_of(id);
  ASSERT_EQ(begun["skipped_keys"].size(), 1u);
  EXPECT_EQ(begun["skipped_keys"].at(0).text_or(""), known.path.substr(1));
  ASSERT_EQ(begun["ignored_keys"].size(), 1u);
  EXPECT_EQ(begun["ignored_keys"].at(0).text_or(""), "bad key");
  EXPECT_EQ(begun["way"].text_or(""), "tecken-v2");
  EXPECT_EQ(
      begun["size"].integer_or(0),
      static_cast<std::int64_t>(known.content.size() + one.content.size() + two.content.size()));
  const auto put = [&](std::size_t index, const File& file) {
    const std::string url(answer["files"].at(index)["action"]["url"].text_or(""));
    const auto path = url.find("/upload/v2/session/");
    ASSERT_NE(path, std::string::npos);
    EXPECT_EQ(send("PUT", url.substr(path), file.content).status, 200);
  };
  put(2, one);
  put(3, two);
  const JsonValue done = record_of(id);
  ASSERT_EQ(done["files"].size(), 3u);
  EXPECT_EQ(done["files"].at(0)["path"].text_or(""), known.path.substr(1));
  EXPECT_TRUE(*done["files"].at(0)["was_known"].boolean());
  EXPECT_EQ(done["files"].at(1)["path"].text_or(""), one.path.substr(1));
  EXPECT_FALSE(*done["files"].at(1)["was_known"].boolean());
  EXPECT_EQ(done["files"].at(2)["path"].text_or(""), two.path.substr(1));
  EXPECT_EQ(done["skipped_keys"].size(), 1u);
  EXPECT_EQ(newest_id(), id) << "its files are no uploads of their own";
}

TEST_F(UploadRecords, OneOfTeckenV2IsNotCompleteBeforeItsFirstFile) {
  const File file = uploads::sym_file("one.so", 2000);
  const std::string manifest = "{\"files\":[" + announced(file.path.substr(1), file.content) + "]}";
  const std::int64_t first = json("POST", "/upload/v2/", manifest)["id"].integer_or(0);
  EXPECT_TRUE(record_of(first)["completed_at"].is_null());
  ASSERT_EQ(send("PUT", file.path, file.content).status, 201);
  const std::int64_t second = json("POST", "/upload/v2/", manifest)["id"].integer_or(0);
  EXPECT_NE(second, first);
  EXPECT_NE(record_of(second)["completed_at"].text_or(""), "") << "nothing is to come";
}

TEST_F(UploadRecords, WhatSentryCliNeedNotSendIsRecordedOnce) {
  const File file = uploads::elf_file("libs.so", 3000);
  const std::string sha1 = hex_of(file.content, DigestKind::sha1);
  const std::string assemble = "/api/0/projects/o/p/files/difs/assemble/";
  const std::string wish =
      "{\"" + sha1 + "\":{\"name\":\"libs.so\",\"chunks\":[\"" + sha1 + "\"]}}";
  const std::string chunk =
      uploads::form_part("name=\"file\"; filename=\"" + sha1 + "\"", file.content);
  const std::string ci = admin("token create ci");
  const std::string other = admin("token create other");
  uploads::Fields form = uploads::form_header();
  form["Auth-Token"] = ci;
  ASSERT_EQ(uploads::send(server_->url(), "POST", "/api/0/organizations/o/chunk-upload/",
                          chunk + uploads::form_end(), form)
                .status,
            200);
  ASSERT_EQ(json("POST", assemble, wish, ci)[sha1]["state"].text_or(""), "ok");
  const std::int64_t sent = newest_id(ci);
  EXPECT_FALSE(*record_of(sent, ci)["files"].at(0)["was_known"].boolean());
  ASSERT_EQ(json("POST", assemble, wish, ci)[sha1]["state"].text_or(""), "ok");
  EXPECT_EQ(newest_id(ci), sent) << "the client only asks whether it is done";

  ASSERT_EQ(json("POST", assemble, wish, other)[sha1]["state"].text_or(""), "ok");
  const std::int64_t skipped = newest_id(other);
  ASSERT_GT(skipped, sent);
  const JsonValue record = record_of(skipped, other);
  EXPECT_EQ(record["way"].text_or(""), "sentry");
  ASSERT_EQ(record["skipped_keys"].size(), 1u);
  EXPECT_EQ(record["skipped_keys"].at(0).text_or(""), "libs.so");
  EXPECT_EQ(record["files"].at(0)["sha256"].text_or("").size(), 64u);
  json("POST", assemble, wish, other);
  EXPECT_EQ(newest_id(other), skipped);
}

TEST_F(UploadRecords, SayWhatBecameOfTheSym) {
  const File text = uploads::sym_file("told.so", 2000);
  ASSERT_EQ(send("PUT", text.path, text.content).status, 201);
  EXPECT_EQ(record_of(newest_id())["files"].at(0)["derived"]["sym"].text_or(""), "uploaded");

  const auto content = base::read_file("/proc/self/exe");
  ASSERT_TRUE(content.ok());
  ASSERT_EQ(send("PUT", "/api/v1/files/records", *content).status, 201);
  const std::int64_t id = newest_id();
  std::string sym;
  for (int i = 0; i < 1200; ++i) {
    sym = record_of(id)["files"].at(0)["derived"]["sym"].text_or("");
    if (sym == "ready") break;
    EXPECT_EQ(sym, "working");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(sym, "ready");
  const std::string debug_id(record_of(id)["files"].at(0)["debug_id"].text_or(""));
  EXPECT_EQ(send("GET", "/records/" + debug_id + "/records.sym").status, 200);
}

TEST_F(UploadRecords, AreSeenByWhoBroughtThemAndByWhoMayViewThem) {
  admin("project create game");
  const std::string first = admin("token create first");
  const std::string second = admin("token create second");
  const std::string gamer = admin("token create gamer --project game");
  const std::string viewer = admin("token create viewer --rights view-uploads");
  const std::string game_viewer =
      admin("token create game-viewer --rights view-uploads --project game");
  const std::string reader = admin("token create reader --rights read");
  const File one = uploads::sym_file("one.so", 2000);
  const File two = uploads::sym_file("two.so", 2000);
  const File three = uploads::sym_file("three.so", 2000);
  ASSERT_EQ(send("PUT", one.path, one.content, first).status, 201);
  ASSERT_EQ(send("PUT", two.path, two.content, second).status, 201);
  ASSERT_EQ(send("PUT", "/p/game" + three.path, three.content, gamer).status, 201);
  const std::int64_t ones = newest_id(first), twos = newest_id(second), threes = newest_id(gamer);
  ASSERT_TRUE(ones != twos && twos != threes && ones != threes);
  const auto sees = [&](const std::string& token) {
    std::string seen;
    for (const std::int64_t id : {ones, twos, threes}) {
      const int status = send("GET", "/upload/" + std::to_string(id), "", token).status;
      EXPECT_TRUE(status == 200 || status == 404) << status;
      seen += status == 200 ? 'y' : 'n';
      EXPECT_EQ(send("GET", "/api/v1/uploads/" + std::to_string(id) + "/files", "", token).status,
                status);
    }
    const auto list = json("GET", "/api/v1/uploads", "", token)["uploads"];
    return seen + std::to_string(list.size());
  };
  EXPECT_EQ(sees(first), "ynn1");
  EXPECT_EQ(sees(second), "nyn1");
  EXPECT_EQ(sees(gamer), "nny1");
  EXPECT_EQ(sees(viewer), "yyy3");
  EXPECT_EQ(sees(game_viewer), "nny1");
  EXPECT_EQ(send("GET", "/api/v1/uploads", "", reader).status, 403);
  EXPECT_EQ(send("GET", "/upload/" + std::to_string(ones), "", reader).status, 403);
  EXPECT_EQ(send("GET", "/upload/" + std::to_string(ones)).status, 403);
}

// The words of Tecken's own pages.
class TeckenPages : public UploadRecords {
 protected:
  JsonValue form(const std::string& method, const std::string& path, const std::string& body,
                 const std::string& token, int status) const {
    const auto answer = uploads::send(
        server_->url(), method, path, body,
        {{"Auth-Token", token}, {"Content-Type", "application/x-www-form-urlencoded"}});
    EXPECT_EQ(answer.status, status) << path << " " << answer.body;
    auto parsed = JsonValue::parse(answer.body);
    return parsed.ok() ? std::move(*parsed) : JsonValue();
  }
  static std::string permissions_of(const JsonValue& user) {
    std::string names;
    for (std::size_t i = 0; i < user["permissions"].size(); ++i) {
      names.append(user["permissions"].at(i)["codename"].text_or("")).append(" ");
    }
    return names;
  }
};

TEST_F(TeckenPages, SayWhoIsAsking) {
  const std::string uploader = admin("token create uploader");
  const std::string trier = admin("token create trier --rights upload-try");
  const std::string boss = admin("token create boss --rights upload,admin");
  const JsonValue nobody = json("GET", "/api/_auth/");
  EXPECT_TRUE(nobody["user"].is_null());
  EXPECT_NE(nobody["sign_in_url"].text_or(""), "");
  const JsonValue one = json("GET", "/api/_auth/", "", uploader)["user"];
  EXPECT_EQ(one["email"].text_or(""), "uploader");
  EXPECT_EQ(permissions_of(one), "upload.upload_symbols ");
  EXPECT_FALSE(*one["is_superuser"].boolean());
  EXPECT_EQ(permissions_of(json("GET", "/api/_auth/", "", trier)["user"]),
            "upload.upload_try_symbols ");
  const JsonValue two = json("GET", "/api/_auth/", "", boss)["user"];
  EXPECT_EQ(permissions_of(two),
            "upload.upload_symbols upload.view_all_uploads tokens.manage_tokens ");
  EXPECT_TRUE(*two["is_superuser"].boolean());
}

TEST_F(TeckenPages, ListUploadsAndFilesAndSums) {
  const std::string ci = admin("token create ci");
  const std::string other = admin("token create other");
  const std::string viewer = admin("token create viewer --rights view-uploads");
  const File one = uploads::sym_file("one.so", 2000);
  const File two = uploads::sym_file("two.so", 3000);
  ASSERT_EQ(send("PUT", one.path, one.content, ci).status, 201);
  ASSERT_EQ(send("PUT", two.path, two.content, other).status, 201);
  ASSERT_EQ(send("PUT", one.path, one.content, other).status, 200);

  const JsonValue own = json("GET", "/api/uploads/", "", ci);
  EXPECT_FALSE(*own["can_view_all"].boolean());
  ASSERT_EQ(own["uploads"].size(), 1u);
  EXPECT_EQ(own["total"].integer_or(0), 1);
  EXPECT_EQ(own["batch_size"].integer_or(0), 20);
  EXPECT_FALSE(*own["has_next"].boolean());
  const JsonValue first = own["uploads"].at(0);
  EXPECT_EQ(first["user"]["email"].text_or(""), "ci");
  EXPECT_EQ(first["files_count"].integer_or(0), 1);
  EXPECT_EQ(first["size"].integer_or(0), static_cast<std::int64_t>(one.content.size()));

  const JsonValue all = json("GET", "/api/uploads/?sort=size&reverse=true", "", viewer);
  ASSERT_EQ(all["uploads"].size(), 3u);
  EXPECT_EQ(all["order_by"]["sort"].text_or(""), "size");
  EXPECT_EQ(all["uploads"].at(0)["size"].integer_or(0),
            static_cast<std::int64_t>(two.content.size()));
  EXPECT_EQ(json("GET", "/api/uploads/?user=OTH", "", viewer)["uploads"].size(), 2u);
  EXPECT_EQ(json("GET", "/api/uploads/?user=!other", "", viewer)["uploads"].size(), 1u);
  EXPECT_EQ(json("GET", "/api/uploads/?user=%25", "", viewer)["uploads"].size(), 0u);
  EXPECT_EQ(json("GET", "/api/uploads/?page=2", "", viewer)["uploads"].size(), 0u);
  for (const char* wrong : {"?page=x", "?sort=color", "?created_at=>=2026-01-01", "?size=>1mb"}) {
    const auto answer = send("GET", std::string("/api/uploads/") + wrong, "", viewer);
    EXPECT_EQ(answer.status, 400) << wrong;
    EXPECT_TRUE(answer.body.starts_with("{\"errors\":{")) << answer.body;
  }
  // The second time it was here already.
  const std::string again = std::to_string(newest_id(other));
  const JsonValue skipped = json("GET", "/api/uploads/upload/" + again, "", other)["upload"];
  ASSERT_EQ(skipped["skipped_keys"].size(), 1u);
  EXPECT_EQ(skipped["file_uploads"].size(), 0u);
  EXPECT_EQ(skipped["related"].size(), 0u);
  EXPECT_EQ(send("GET", "/api/uploads/upload/" + again, "", ci).status, 404);

  const JsonValue files = json("GET", "/api/uploads/files/?key=ONE,.so", "", viewer);
  ASSERT_EQ(files["files"].size(), 1u);
  EXPECT_EQ(files["files"].at(0)["key"].text_or(""), one.path.substr(1));
  EXPECT_EQ(files["files"].at(0)["upload"]["user"]["email"].text_or(""), "ci");
  EXPECT_EQ(json("GET", "/api/uploads/files/", "", viewer)["files"].size(), 2u);
  EXPECT_EQ(send("GET", "/api/uploads/files/", "", ci).status, 403);
  const std::string id = std::to_string(files["files"].at(0)["id"].integer_or(0));
  const JsonValue file = json("GET", "/api/uploads/files/file/" + id, "", ci)["file"];
  EXPECT_EQ(file["key"].text_or(""), one.path.substr(1));
  EXPECT_EQ(file["upload"]["user"]["email"].text_or(""), "ci");
  EXPECT_EQ(send("GET", std::string(file["url"].text_or(""))).body, one.content);
  EXPECT_EQ(send("GET", "/api/uploads/files/file/" + id, "", other).status, 404);
  EXPECT_EQ(send("GET", "/api/uploads/files/file/1", "", viewer).status, 404);

  const JsonValue stats = json("GET", "/api/stats/", "", viewer)["stats"]["uploads"];
  EXPECT_TRUE(*stats["all_uploads"].boolean());
  // Not "today", which may end between the two.
  EXPECT_EQ(stats["last_30_days"]["count"].integer_or(0), 3);
  EXPECT_EQ(stats["last_30_days"]["total_size"].integer_or(0),
            static_cast<std::int64_t>(2 * one.content.size() + two.content.size()));
  EXPECT_EQ(
      json("GET", "/api/stats/", "", ci)["stats"]["uploads"]["last_30_days"]["count"].integer_or(0),
      1);
  EXPECT_EQ(json("GET", "/api/uploads/_possible_upload_urls/", "", ci)["urls"].size(), 1u);
  for (const char* path : {"/api/stats/", "/api/uploads/", "/api/uploads/files/"}) {
    const auto refused = send("GET", path);
    EXPECT_EQ(refused.status, 403) << path;
    EXPECT_EQ(refused.body,
              R"({"error":"This requires an Auth-Token to authenticate the request"})");
  }
}

TEST_F(TeckenPages, MakeExtendAndDeleteTokens) {
  const std::string boss = admin("token create boss --rights admin");
  const JsonValue made =
      form("POST", "/api/tokens/", "permissions=1%2C3&expires=10&notes=from+a+page", boss, 201);
  const std::string secret(made["key"].text_or(""));
  ASSERT_NE(secret, "");
  const File one = uploads::sym_file("one.so", 2000);
  EXPECT_EQ(send("PUT", one.path, one.content, secret).status, 201);

  const JsonValue list = json("GET", "/api/tokens/", "", boss);
  ASSERT_EQ(list["tokens"].size(), 2u);
  const JsonValue token = list["tokens"].at(0);
  EXPECT_EQ(token["notes"].text_or(""), "from a page");
  EXPECT_TRUE(token["key"].is_null()) << "nobody knows it any more";
  ASSERT_EQ(token["permissions"].size(), 2u);
  EXPECT_EQ(token["permissions"].at(1)["id"].integer_or(0), 3);
  EXPECT_FALSE(*token["is_expired"].boolean());
  EXPECT_EQ(list["totals"]["active"].integer_or(0), 2);
  EXPECT_EQ(json("GET", "/api/tokens/?state=expired", "", boss)["tokens"].size(), 0u);

  const std::string at = "/api/tokens/token/" + std::to_string(token["id"].integer_or(0));
  EXPECT_EQ(form("POST", at + "/extend", "days=5", boss, 200)["days"].integer_or(0), 5);
  EXPECT_EQ(form("POST", at + "/extend", "", boss, 200)["days"].integer_or(0), 365);
  EXPECT_GT(json("GET", "/api/tokens/", "", boss)["tokens"].at(0)["expires_at"].text_or(""),
            token["expires_at"].text_or(""));
  EXPECT_EQ(send("GET", at, "", boss).status, 405);
  EXPECT_EQ(send("DELETE", at, "", secret).status, 403) << "it may not manage tokens";
  EXPECT_EQ(send("DELETE", at, "", boss).body, R"({"ok":true})");
  EXPECT_EQ(send("DELETE", at, "", boss).status, 404);
  const File two = uploads::sym_file("two.so", 2000);
  EXPECT_EQ(send("PUT", two.path, two.content, secret).status, 403);

  form("POST", "/api/tokens/", "permissions=1,2&expires=10", boss, 400);
  form("POST", "/api/tokens/", "permissions=9&expires=10", boss, 400);
  form("POST", "/api/tokens/", "permissions=1&expires=soon", boss, 400);
  form("POST", "/api/tokens/", "permissions=1&expires=10", "", 403);
  EXPECT_EQ(uploads::send(server_->url(), "POST", "/api/tokens/", "permissions=1&expires=10",
                          {{"Auth-Token", boss}, {"Origin", "https://elsewhere.example"}})
                .status,
            403)
      << "a page of another site";
}

}  // namespace
