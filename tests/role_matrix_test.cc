// Who may do what: every kind of asker against every route, as one table. A route without a row
// fails the test: the server tells what it has at its start (--log-level debug).
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
  // Below /p/game, for who shows his token in the path: one of the project, one of another.
  std::string in_path = "";
};
using Rows = std::vector<Row>;

//                               remote, page, local, upload, try,
//                               read, view, admin, game, revoked
constexpr const char* kAll = "++++++++++";
constexpr const char* kNobody = "----------";     // also: what is asked for is not there
constexpr const char* kReaders = "--+-----+-";    // of the project game
constexpr const char* kUploaders = "---++---+-";  // a token's uploads go to its project
constexpr const char* kStorers = "---+------";    // no try builds, the default project alone
constexpr const char* kGame = "--------+-";       // who may upload to it
constexpr const char* kViewers = "---++-+++-";    // of uploads, if only of their own
constexpr const char* kAdmins = "-------+--";
constexpr const char* kOperators = "--+----+--";  // what the old configuration shows
constexpr const char* kActors = "--+++--+--";     // buttons: who may ask upstream servers again
constexpr const char* kNoPages = "+-++++++++";    // sources and code: no page of another site

void append(Rows& rows, Rows more) {
  for (Row& row : more) rows.push_back(std::move(row));
}

// Whether a route's pattern is one of this path, as net/http.h says.
bool fits(std::string_view pattern, std::string_view path) {
  while (!pattern.empty()) {
    if (pattern == "/**") return path.starts_with('/');
    if (!path.starts_with('/')) return false;
    pattern.remove_prefix(1);
    path.remove_prefix(1);
    const std::string_view wanted = pattern.substr(0, pattern.find('/'));
    const std::string_view part = path.substr(0, path.find('/'));
    const std::size_t open = wanted.find('{');
    if (open == std::string_view::npos) {
      if (part != wanted) return false;
    } else {
      const std::string_view before = wanted.substr(0, open);
      const std::string_view after = wanted.substr(wanted.find('}') + 1);
      if (part.size() <= before.size() + after.size() || !part.starts_with(before) ||
          !part.ends_with(after)) {
        return false;
      }
    }
    pattern.remove_prefix(wanted.size());
    path.remove_prefix(part.size());
  }
  return path.empty();
}

struct KnownRoute {
  std::string method, pattern;
  bool has_row = false;
};

class RoleMatrix : public testing::Test {
 protected:
  void SetUp() override {
    write_old_config();
    server_.emplace(ServerProcess::start({data(),
                                          {"--log-level", "debug", "--config", old_config()},
                                          {},
                                          {"FAULTLINE_LOG_FILE=" + root_.path() + "/log.txt"}}));
    ASSERT_NE(server_->url(), "");
  }
  void make_roles() {
    // While nobody has made a token.
    ASSERT_EQ(send({"", "", false}, "PUT", file_.path, file_.content).status, 201);
    admin("project create game");
    const std::string revoked = admin("token create old");
    admin("token revoke 1");
    game_ = admin("token create game --project game");
    ASSERT_EQ(send({"", game_}, "PUT", theirs_.path, theirs_.content).status, 201);
    stray_ = admin("token create read --rights read --project ''");
    const std::string upload = admin("token create upload --project ''");
    roles_ = {{"remote", ""},
              {"page", "", false, "http://evil.example"},
              {"local", "", false},
              {"upload", upload},
              {"try", admin("token create try --rights upload-try --project ''")},
              {"read", stray_},
              {"view", admin("token create view --rights view-uploads --project ''")},
              {"admin", admin("token create admin --rights admin --project ''")},
              {"game", game_},
              {"revoked", revoked}};
    ASSERT_EQ(send({"", upload}, "PUT", source_path(), kSource).status, 200);
    ASSERT_EQ(send({"", upload}, "PUT", "/api/v1/store/lastid", "{\"lastid\":7}").status, 200);
    report_ = submit();
    ASSERT_EQ(report_.size(), 36u);
  }
  std::string data() const { return root_.path() + "/data"; }
  // Its routes are there for a server with pySymProxy's configuration alone.
  std::string old_config() const { return root_.path() + "/pysymproxy.json"; }
  void write_old_config() const {
    const std::string text =
        R"({"identity": {"name": "n", "host": "h", "administrator": "a",
            "default_sympath": "srv*http://h/symbols"},
            "general": {"cacheLocation": ")" +
        root_.path() + R"(/cache", "blacklist": []}, "servers": []})";
    ASSERT_TRUE(base::write_file_durably(old_config(), base::bytes_of(text)).ok());
  }
  std::string admin(const std::string& arguments) const {
    const auto end = base::run_child("/bin/sh", {"sh", "-c",
                                                 "exec " + testing_support::faultline_program() +
                                                     " admin " + arguments + " --data " + data()});
    EXPECT_TRUE(end.ok() && end->ok()) << arguments << (end.ok() ? end->describe() : "");
    return end.ok() ? std::string(base::trim(end->output)) : "";
  }
  // A crash report's id.
  std::string submit() const {
    const std::string form =
        uploads::form_part("name=\"prod\"", "Demo") +
        uploads::form_part("name=\"upload_file_minidump\"; filename=\"a.dmp\"", "MDMP no more") +
        uploads::form_end();
    const auto answer =
        uploads::send(server_->url(), "POST", "/submit", form, uploads::form_header());
    const std::size_t at = answer.body.find("bp-");
    EXPECT_NE(at, std::string::npos) << answer.status << answer.body;
    return at == std::string::npos ? "" : answer.body.substr(at + 3, 36);
  }
  static std::string source_path() {
    return "/artifacts/src/" + base::sha256_of(base::bytes_of(std::string(kSource))).hex() + "/a.c";
  }
  net::ClientAnswer send(const Role& role, const std::string& method, const std::string& path,
                         const std::string& body) const {
    uploads::Fields headers;
    if (!role.token.empty()) headers["Auth-Token"] = role.token;
    if (role.is_remote) headers["X-Forwarded-For"] = "203.0.113.9";
    if (!role.origin.empty()) headers["Origin"] = role.origin;
    return uploads::send(server_->url(), method, path, body, headers);
  }
  char outcome_of(const Role& role, const Row& row, const std::string& path) const {
    const int status = send(role, row.method, path, row.body).status;
    // What is not for somebody may look as if it were not there; 405 is no more of an answer.
    return status == 401 || status == 403 || status == 404 || status == 405 ? '-' : '+';
  }
  std::string outcome(const Row& row) const {
    std::string all;
    for (const Role& role : roles_) all += outcome_of(role, row, row.path);
    return all;
  }
  static std::string with_token(const Row& row, const std::string& token) {
    return "/p/game/t/" + token + row.path.substr(std::string("/p/game").size());
  }
  std::string outcome_in_path(const Row& row) const {
    if (row.in_path.empty()) return "";
    std::string all;
    for (const std::string& token : {game_, stray_}) {
      all += outcome_of({"path", ""}, row, with_token(row, token));
    }
    return all;
  }
  void expect(const Rows& rows) const {
    for (const Row& row : rows) {
      EXPECT_EQ(outcome(row), row.expected) << row.method << " " << row.path;
      EXPECT_EQ(outcome_in_path(row), row.in_path) << row.method << " " << row.path;
    }
  }

  // As the server tells of them at its start.
  std::vector<KnownRoute> routes() const {
    std::vector<KnownRoute> known;
    const std::string log = server_->log();
    for (const std::string_view line : base::split(log, '\n')) {
      const std::size_t at = line.find(" route ");
      if (at == std::string_view::npos) continue;
      const std::string_view route = line.substr(at + 7);
      const std::size_t space = route.find(' ');
      if (space == std::string_view::npos) continue;
      known.push_back(
          {std::string(route.substr(0, space)), std::string(base::trim(route.substr(space + 1)))});
    }
    return known;
  }
  static void mark(std::vector<KnownRoute>& routes, const std::string& method,
                   const std::string& target) {
    const std::string path = target.substr(0, target.find('?'));
    for (KnownRoute& route : routes) {
      if ((route.method != "*" && route.method != method) || !fits(route.pattern, path)) continue;
      route.has_row = true;
      return;  // the first that fits
    }
  }

  Rows reading() const;
  Rows symbolicating() const;
  Rows crashes() const;
  Rows pages() const;
  Rows uploading() const;
  Rows uploading_to_game() const;
  Rows viewing_uploads() const;
  Rows keeping_a_store() const;
  Rows operating() const;
  Rows all() const {
    Rows rows = reading();
    for (Rows more : {symbolicating(), crashes(), pages(), uploading(), uploading_to_game(),
                      viewing_uploads(), keeping_a_store(), operating()}) {
      append(rows, std::move(more));
    }
    return rows;
  }

  static constexpr const char* kSource = "int main() {}\n";
  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("role-matrix").value();
  const uploads::File file_ = uploads::sym_file("libours.so", 500);
  const uploads::File theirs_ = uploads::sym_file("libtheirs.so", 500);
  const uploads::File fresh_ = uploads::sym_file("libnew.so", 500);
  const std::string hash_ = base::sha256_of(base::bytes_of(fresh_.content)).hex();
  std::optional<ServerProcess> server_;
  std::vector<Role> roles_;
  std::string game_, stray_;  // secrets: of the project game, of the default one
  std::string report_ = "none";
};

// What clients of a symbol server ask for, and what tells of such files.
Rows RoleMatrix::reading() const {
  const std::string question = "/metadata?key=file&value=/a";
  const std::string code = "{\"debugFile\":\"a\"}";
  Rows rows{
      {"GET", file_.path, "", kAll},
      {"GET", file_.path + "?_refresh", "", kAll},
      {"GET", "/p/game" + theirs_.path, "", kReaders, "+-"},
      {"GET", "/p/game" + theirs_.path + "?_refresh", "", kReaders, "+-"},
      {"GET", "/p/game" + file_.path, "", kNobody, "--"},
      {"GET", theirs_.path, "", kNobody},
      {"OPTIONS", file_.path, "", kAll},
      {"GET", question, "", kAll},
      {"GET", "/p/game" + question, "", kReaders, "+-"},
      {"GET", "/api/syminfo/libours.so/" + file_.id, "", kAll},
      {"GET", "/p/game/api/syminfo/libtheirs.so/" + theirs_.id, "", kReaders, "+-"},
      {"GET", source_path(), "", kAll},
      {"GET", "/buildid/0123456789abcdef/source/a.c", "", kNobody},
      {"GET", "/p/game/buildid/0123456789abcdef/source/a.c", "", kNobody, "--"},
      {"POST", "/source/v1", code, kNoPages},
      {"OPTIONS", "/source/v1", "", kAll},
      {"POST", "/p/game/source/v1", code, kReaders, "+-"},
      {"OPTIONS", "/p/game/source/v1", "", kAll, "++"},
      {"POST", "/asm/v1", code, kNoPages},
      {"OPTIONS", "/asm/v1", "", kAll},
      {"POST", "/p/game/asm/v1", code, kReaders, "+-"},
      {"OPTIONS", "/p/game/asm/v1", "", kAll, "++"},
      {"GET", "/statistics.json", "", kAll},
      {"GET", "/symbols.json", "", kAll},
      {"GET", "/missingsymbols.csv", "", kAll},
      {"GET", "/api/v1/missing", "", kAll},
      {"GET", "/nuget/v3/index.json", "", kAll},
      {"GET", "/p/game/nuget/v3/index.json", "", kAll},
  };
  for (const char* folder :
       {"/000Admin/", "/000admin/", "/symbols/000Admin/", "/symbols/000admin/"}) {
    const std::string file = folder + std::string("lastid.txt");
    append(rows, {{"GET", file, "", kAll}, {"GET", "/p/game" + file, "", kNobody, "--"}});
  }
  return rows;
}

Rows RoleMatrix::symbolicating() const {
  Rows rows{{"POST", "/", "{\"version\":4,\"stacks\":[],\"memoryMap\":[]}", kAll},
            {"PUT", "/", "", kNobody},
            {"PATCH", "/", "", kNobody},
            {"DELETE", "/", "", kNobody},
            {"GET", "/healthcheck", "", kAll},
            {"PATCH", "/healthcheck", "", kNobody}};
  const auto add = [&](const std::string& method, const std::string& path, const std::string& body,
                       const char* expected, const char* for_readers, const char* in_path) {
    rows.push_back({method, path, body, expected});
    rows.push_back({method, "/try" + path, body, expected});
    rows.push_back({method, "/p/game" + path, body, for_readers, in_path});
  };
  for (const std::string& version : std::vector<std::string>{"v4", "v5"}) {
    const std::string path = "/symbolicate/" + version;
    add("POST", path, "{\"jobs\":[]}", kAll, kReaders, "+-");
    add("OPTIONS", path, "", kAll, kAll, "++");
    add("PATCH", path, "", kNobody, kNobody, "--");
    rows.push_back({"GET", path + "/schema/request.json", "", kAll});
    rows.push_back({"GET", path + "/schema/answer.json", "", kAll});
  }
  for (const char* path : {"/symbolicate", "/minidump", "/applecrashreport"}) {
    add("POST", path, "{}", kAll, kReaders, "+-");
    add("PATCH", path, "", kNobody, kNobody, "--");
  }
  add("GET", "/requests/00000000-0000-0000-0000-000000000000", "", kNobody, kNobody, "--");
  add("PATCH", "/requests/1", "", kNobody, kNobody, "--");
  return rows;
}

// Whoever reaches the server sees its crash reports: docs/protocols/reports-api.md.
Rows RoleMatrix::crashes() const {
  const std::string report = "/api/v1/reports/" + report_;
  return {
      {"POST", "/submit", "no form", kAll},
      {"PATCH", "/submit", "", kNobody},
      {"GET", "/api/v1/reports", "", kAll},
      {"GET", report, "", kAll},
      {"GET", report + "/processed", "", kNobody},  // of such a dump nothing can be made
      {"GET", report + "/dump", "", kAll},
      {"GET", report + "/files/0", "", kAll},
      {"POST", report + "/reprocess", "", "--+-------"},
      {"GET", "/crashes", "", kAll},
      {"GET", "/crashes/" + report_, "", kAll},
  };
}

Rows RoleMatrix::pages() const {
  Rows rows{
      {"GET", "/", "", kAll},
      {"GET", "/status", "", kAll},
      {"GET", "/status/symbols", "", kAll},
      {"GET", "/missingsymbols/", "", kAll},
      {"GET", "/missingsymbols", "", kAll},
      {"GET", "/static/none.css", "", kNobody},
      {"GET", "/healthz", "", kAll},
      {"GET", "/__lbheartbeat__", "", kAll},
      {"GET", "/readyz", "", kAll},
      {"GET", "/__heartbeat__", "", kAll},
      {"GET", "/__version__", "", kAll},
      {"GET", "/__broken__", "", kAll},
      {"GET", "/metrics", "", kAll},
  };
  for (const char* tool :
       {"upload-symbols", "upload-symbols.sh", "upload-symbols.ps1", "dsymForUUID",
        "dsymForUUID.sh", "dsymForUUID.ps1", "faultline_lldb.py"}) {
    rows.push_back({"GET", "/tools/" + std::string(tool), "", kAll});
  }
  return rows;
}

// One table for the default project, where a token for game brings to game, and one for game.
Rows uploads_below(const std::string& before, const std::string& hash, const char* expected) {
  const std::string difs = "{\"" + hash.substr(0, 40) + "\":{\"name\":\"x\",\"chunks\":[]}}";
  const std::string assemble = "/api/0/projects/o/p/files/difs/assemble/";
  Rows rows{
      {"POST", "/upload/", "no zip", expected},
      {"GET", "/upload/", "", kNobody},
      {"POST", "/upload", "no zip", expected},
      {"GET", "/upload", "", kNobody},
      {"POST", "/upload/v2/", "{}", expected},
      {"POST", "/upload/v2", "{}", expected},
      {"POST", "/upload/auth_info/", "", expected},
      {"POST", "/upload/auth_info", "", expected},
      {"POST", "/api/v1/store/known", "{\"sha256\":[]}", expected},
      {"PUT", "/api/v1/uploads/" + hash + "?offset=0", "x", expected},
      {"GET", "/api/v1/uploads/" + hash, "", expected},
      {"POST", "/api/v1/uploads/" + hash, "", expected},
      {"PUT", "/api/v1/files/x.bin", "x", expected},
      {"GET", "/v1/symbols/a.so/" + hash.substr(0, 33) + ":checkStatus", "", expected},
      {"POST", "/v1/uploads:create", "", expected},
      {"POST", "/v1/uploads/none:complete", "{}", expected},
      {"GET", "/api/0/organizations/o/chunk-upload/", "", expected},
      {"POST", "/api/0/organizations/o/chunk-upload/", "no form", expected},
      {"POST", assemble, difs, expected},
      {"PUT", "/api/v2/symbolpackage", "no package", expected},
      {"PUT", "/api/v2/symbolpackage/", "no package", expected},
      {"PUT", "/api/v2/package", "no package", expected},
      {"PUT", "/api/v2/package/", "no package", expected},
  };
  for (Row& row : rows) row.path.insert(0, before);
  return rows;
}

Rows RoleMatrix::uploading() const {
  Rows rows = uploads_below("", hash_, kUploaders);
  append(rows, {{"PUT", fresh_.path, fresh_.content, kUploaders},
                {"PUT", source_path(), kSource, kStorers},
                // The id, which only who began the upload was told, is the right.
                {"PUT", "/upload/v2/session/none", "x", kNobody},
                {"PUT", "/v1/uploads/none", "x", kNobody}});
  return rows;
}

Rows RoleMatrix::uploading_to_game() const {
  Rows rows = uploads_below("/p/game", hash_, kGame);
  rows.push_back({"PUT", "/p/game" + fresh_.path, fresh_.content, kGame, "+-"});
  return rows;
}

Rows RoleMatrix::viewing_uploads() const {
  Rows rows;
  // The default project's first upload was made without a token, game's is the second.
  struct View {
    const char *path, *of_default, *of_game;
  };
  for (const View& view :
       {View{"/api/v1/uploads", kViewers, kGame}, View{"/api/_auth/", kAll, kAll},
        View{"/api/stats/", kViewers, kGame}, View{"/api/uploads/", kViewers, kGame},
        View{"/api/uploads/_possible_upload_urls/", kViewers, kGame},
        View{"/api/uploads/files/", "------++--", kNobody}}) {
    append(rows, {{"GET", view.path, "", view.of_default},
                  {"GET", "/p/game" + std::string(view.path), "", view.of_game}});
  }
  for (const std::string& one :
       std::vector<std::string>{"/upload/", "/api/uploads/upload/", "/api/v1/uploads/{}/files"}) {
    const std::size_t hole = one.find("{}");
    const auto at = [&](const char* id) {
      return hole == std::string::npos ? one + id : one.substr(0, hole) + id + one.substr(hole + 2);
    };
    append(rows, {{"GET", at("1"), "", "------++--"},
                  {"GET", at("2"), "", kGame},
                  {"GET", "/p/game" + at("1"), "", kNobody},
                  {"GET", "/p/game" + at("2"), "", kGame}});
  }
  // An upload and a place in it.
  append(rows, {{"GET", "/api/uploads/files/file/1048576", "", "------++--"},
                {"GET", "/p/game/api/uploads/files/file/2097152", "", kGame}});
  return rows;
}

Rows RoleMatrix::keeping_a_store() const {
  return {
      {"GET", "/api/v1/store/transactions", "", kStorers},
      {"GET", "/api/v1/store/transactions/9", "", kNobody},
      {"POST", "/api/v1/store/transactions", "{}", kStorers},
      {"DELETE", "/api/v1/store/transactions/9", "", kNobody},
      {"GET", "/api/v1/store/lastid", "", kStorers},
      {"PUT", "/api/v1/store/lastid", "{\"lastid\":8}", kStorers},
      {"GET", "/api/v1/store/files", "", "---+----+-"},
      {"GET", "/p/game/api/v1/store/files", "", kGame},
  };
}

// What changes what others see, or shows what is the operator's.
Rows RoleMatrix::operating() const {
  return {
      {"GET", "/pysymproxy.json", "", kOperators},
      {"GET", "/1.log", "", kOperators},
      {"POST", "/api/v1/missing/fetch", R"({"symbol":"a.so","debugid":"12","filename":"a.so"})",
       kActors},
      {"POST", "/missingsymbols/", "symbol=a.so&debugid=12&filename=a.so", kActors},
      {"POST", "/api/v1/misses/clear", "", kActors},
      {"POST", "/status/symbols", "", kActors},
      {"GET", "/api/tokens/", "", kAdmins},
      {"POST", "/api/tokens/", "permissions=1&expires=1", kAdmins},
      {"POST", "/api/tokens/token/99/extend", "days=1", kNobody},
      {"GET", "/api/tokens/token/99/extend", "", kNobody},
      {"DELETE", "/api/tokens/token/99", "", kNobody},
      {"GET", "/api/tokens/token/99", "", kNobody},
      {"GET", "/api/v1/projects", "", kAdmins},
      {"POST", "/api/v1/projects", "{\"name\":\"more\"}", kAdmins},
      {"GET", "/api/v1/tokens", "", kAdmins},
      {"POST", "/api/v1/tokens", "{\"label\":\"x\"}", kAdmins},
      {"POST", "/api/v1/tokens/99/revoke", "", kNobody},
      {"POST", "/api/v1/tokens/99/extend", "{}", kNobody},
      {"POST", "/api/v1/tokens/99/quota", "{}", kNobody},
      {"GET", "/api/v1/audit", "", kAdmins},
      {"GET", "/settings", "", kAdmins},
      {"GET", "/settings/projects", "", kAdmins},
      {"GET", "/settings/tokens", "", kAdmins},
      {"GET", "/settings/uploads", "", kAdmins},
      {"GET", "/settings/uploads/1", "", kAdmins},
      {"GET", "/settings/files", "", kAdmins},
      {"GET", "/settings/upstreams", "", kAdmins},
      {"GET", "/settings/storage", "", kAdmins},
      {"POST", "/settings/tokens", "label=more&right=read&project=game&days=1", kAdmins},
      {"POST", "/settings/tokens/revoke", "id=99", kNobody},
      {"POST", "/settings/tokens/extend", "id=99&days=1", kNobody},
      {"POST", "/settings/uploads", "no form", kAdmins},
      {"POST", "/settings/upstreams", "server=all", kAdmins},
      {"GET", "/api/v1/purged", "", kAdmins},
      {"GET", "/api/v1/upkeep/work/1", "", kNobody},
      {"POST", "/api/v1/upkeep/fsck", "{}", kAdmins},
      {"POST", "/api/v1/upkeep/purge", "{\"what\":\"a.so/12/a.so\",\"dry_run\":true}", kAdmins},
      {"POST", "/api/v1/upkeep/backup", "{}", kNobody},
  };
}

TEST_F(RoleMatrix, EveryRouteHasARow) {
  std::vector<KnownRoute> known = routes();
  ASSERT_GT(known.size(), 150u) << "the server does not tell what it has";
  for (const Row& row : all()) {
    mark(known, row.method, row.path);
    if (!row.in_path.empty()) mark(known, row.method, with_token(row, "secret"));
  }
  for (const KnownRoute& route : known) {
    EXPECT_TRUE(route.has_row) << route.method << " " << route.pattern;
  }
}

TEST_F(RoleMatrix, WhoMayReadAndAsk) {
  ASSERT_NO_FATAL_FAILURE(make_roles());
  for (const Rows& rows : {reading(), symbolicating(), crashes(), pages()}) expect(rows);
}

TEST_F(RoleMatrix, WhoMayUploadAndSeeUploads) {
  ASSERT_NO_FATAL_FAILURE(make_roles());
  for (const Rows& rows :
       {uploading(), uploading_to_game(), viewing_uploads(), keeping_a_store()}) {
    expect(rows);
  }
}

TEST_F(RoleMatrix, WhoMayOperate) {
  ASSERT_NO_FATAL_FAILURE(make_roles());
  expect(operating());
}

}  // namespace
