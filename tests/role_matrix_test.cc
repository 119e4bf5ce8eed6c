// Who may do what: every kind of asker against every kind of route, as one table. A new route that
// changes or shows something belongs in it.
#include <gtest/gtest.h>

#include "base/child.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/text.h"
#include "testing/server_process.h"
#include "upload_dialects.h"

namespace {

using testing_support::ServerProcess;

struct Role {
  std::string name;
  std::string token;
  bool is_remote = true;    // a proxy says that somebody else asks
  std::string origin = "";  // of a page
};

struct Row {
  std::string method, path, body;
  // A letter for each role, in their order: '+' it is done, '-' it is refused.
  std::string expected;
};

class RoleMatrix : public testing::Test {
 protected:
  void SetUp() override {
    server_.emplace(ServerProcess::start({data(), {}, {}, {}}));
    ASSERT_NE(server_->url(), "");
    // While nobody has made a token.
    ASSERT_EQ(send({"", "", false}, "PUT", file_.path, file_.content).status, 201);
    admin("project create game");
    const std::string revoked = admin("token create old");
    admin("token revoke 1");
    const std::string game = admin("token create game --project game");
    ASSERT_EQ(send({"", game}, "PUT", theirs_.path, theirs_.content).status, 201);
    roles_ = {{"remote", ""},
              {"page", "", false, "http://evil.example"},
              {"local", "", false},
              {"upload", admin("token create upload --project ''")},
              {"try", admin("token create try --rights upload-try --project ''")},
              {"read", admin("token create read --rights read --project ''")},
              {"view", admin("token create view --rights view-uploads --project ''")},
              {"admin", admin("token create admin --rights admin --project ''")},
              {"game", game},
              {"revoked", revoked}};
  }
  std::string data() const { return root_.path() + "/data"; }
  std::string admin(const std::string& arguments) const {
    const auto end = base::run_child("/bin/sh", {"sh", "-c",
                                                 "exec " + testing_support::faultline_program() +
                                                     " admin " + arguments + " --data " + data()});
    EXPECT_TRUE(end.ok() && end->ok()) << arguments << (end.ok() ? end->describe() : "");
    return end.ok() ? std::string(base::trim(end->output)) : "";
  }
  net::ClientAnswer send(const Role& role, const std::string& method, const std::string& path,
                         const std::string& body) const {
    uploads::Fields headers;
    if (!role.token.empty()) headers["Auth-Token"] = role.token;
    if (role.is_remote) headers["X-Forwarded-For"] = "203.0.113.9";
    if (!role.origin.empty()) headers["Origin"] = role.origin;
    return uploads::send(server_->url(), method, path, body, headers);
  }
  std::string outcome(const Row& row) const {
    std::string all;
    for (const Role& role : roles_) {
      const int status = send(role, row.method, row.path, row.body).status;
      // What is not for somebody may look as if it were not there.
      all += status == 401 || status == 403 || status == 404 ? '-' : '+';
    }
    return all;
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("role-matrix").value();
  const uploads::File file_ = uploads::sym_file("libours.so", 500);
  const uploads::File theirs_ = uploads::sym_file("libtheirs.so", 500);
  std::optional<ServerProcess> server_;
  std::vector<Role> roles_;
};

TEST_F(RoleMatrix, EveryRoute) {
  const uploads::File fresh = uploads::sym_file("libnew.so", 500);
  const std::string hash = base::sha256_of(base::bytes_of(fresh.content)).hex();
  const std::string difs = "{\"" + hash.substr(0, 40) + "\":{\"name\":\"x\",\"chunks\":[]}}";
  //                                           remote, page, local, upload, try,
  //                                           read, view, admin, game, revoked
  const std::vector<Row> rows{
      {"GET", file_.path, "", "++++++++++"},
      {"GET", "/healthz", "", "++++++++++"},
      {"GET", "/p/game" + theirs_.path, "", "--+-----+-"},
      {"GET", "/p/game/api/v1/store/files", "", "--------+-"},
      {"POST", "/symbolicate/v5", "{\"jobs\":[]}", "++++++++++"},
      {"GET", "/symbolicate/v5/schema/answer.json", "", "++++++++++"},
      {"POST", "/p/game/symbolicate/v5", "{\"jobs\":[]}", "--+-----+-"},
      {"POST", "/symbolicate", "{}", "++++++++++"},
      {"POST", "/p/game/symbolicate", "{}", "--+-----+-"},
      {"POST", "/p/game/minidump", "x", "--+-----+-"},
      {"POST", "/p/game/applecrashreport", "x", "--+-----+-"},
      {"POST", "/", "{\"version\":4,\"stacks\":[],\"memoryMap\":[]}", "++++++++++"},
      {"PUT", fresh.path, fresh.content, "---++---+-"},
      {"POST", "/upload/", "no zip", "---++---+-"},
      {"POST", "/upload/v2/", "{}", "---++---+-"},
      {"POST", "/api/v1/store/known", "{\"sha256\":[]}", "---++---+-"},
      {"PUT", "/api/v1/uploads/" + hash + "?offset=0", "x", "---++---+-"},
      {"PUT", "/api/v1/files/x.bin", "x", "---++---+-"},
      {"GET", "/api/0/organizations/o/chunk-upload/", "", "---++---+-"},
      {"POST", "/api/0/projects/o/p/files/difs/assemble/", difs, "---++---+-"},
      {"PUT", "/api/v2/symbolpackage", "no package", "---++---+-"},
      {"GET", "/api/v1/store/transactions", "", "---+------"},
      {"POST", "/api/v1/store/transactions", "{}", "---+------"},
      {"DELETE", "/api/v1/store/transactions/9", "", "----------"},
      {"PUT", "/api/v1/store/lastid", "{\"next\":1}", "---+------"},
      {"GET", "/api/v1/store/files", "", "---+----+-"},
      {"GET", "/api/v1/uploads", "", "---++-+++-"},
      {"GET", "/api/_auth/", "", "++++++++++"},
      {"GET", "/api/stats/", "", "---++-+++-"},
      {"GET", "/api/uploads/", "", "---++-+++-"},
      {"GET", "/api/uploads/files/", "", "------++--"},
      {"GET", "/api/tokens/", "", "-------+--"},
      {"POST", "/api/tokens/", "permissions=1&expires=1", "-------+--"},
      {"POST", "/api/tokens/token/99/extend", "days=1", "----------"},
      {"DELETE", "/api/tokens/token/99", "", "----------"},
      {"GET", "/api/v1/projects", "", "-------+--"},
      {"POST", "/api/v1/projects", "{\"name\":\"more\"}", "-------+--"},
      {"GET", "/api/v1/tokens", "", "-------+--"},
      {"POST", "/api/v1/tokens", "{\"label\":\"x\"}", "-------+--"},
      {"POST", "/api/v1/tokens/99/revoke", "", "----------"},
      {"POST", "/api/v1/tokens/99/extend", "{}", "----------"},
      {"GET", "/api/v1/audit", "", "-------+--"},
      {"GET", "/settings", "", "-------+--"},
      {"GET", "/settings/projects", "", "-------+--"},
      {"GET", "/settings/tokens", "", "-------+--"},
      {"GET", "/settings/uploads", "", "-------+--"},
      {"GET", "/settings/uploads/1", "", "-------+--"},
      {"GET", "/settings/files", "", "-------+--"},
      {"GET", "/settings/upstreams", "", "-------+--"},
      {"POST", "/settings/tokens", "label=more&right=read&project=game&days=1", "-------+--"},
      {"POST", "/settings/tokens/revoke", "id=99", "----------"},
      {"POST", "/settings/tokens/extend", "id=99&days=1", "----------"},
      {"POST", "/settings/uploads", "no form", "-------+--"},
      {"POST", "/settings/upstreams", "server=all", "-------+--"},
      {"GET", "/api/v1/purged", "", "-------+--"},
      {"GET", "/api/v1/upkeep/work/1", "", "----------"},
      {"POST", "/api/v1/upkeep/fsck", "{}", "-------+--"},
      {"POST", "/api/v1/upkeep/purge", "{\"what\":\"a.so/12/a.so\",\"dry_run\":true}",
       "-------+--"},
      {"POST", "/api/v1/upkeep/backup", "{}", "----------"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(outcome(row), row.expected) << row.method << " " << row.path;
  }
}

}  // namespace
