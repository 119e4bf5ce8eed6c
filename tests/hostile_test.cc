// A whole server among people who mean harm: paths that climb, servers that redirect us into our
// own network, pointers to anywhere, names that would be markup, pages of other sites that use a
// visitor's browser, and rights that a proxy must not lend. Uploads: upload_hostile_test; framing:
// smuggling_test.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/child.h"
#include "base/file.h"
#include "base/text.h"
#include "net/percent.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/peer_process.h"
#include "testing/raw_http.h"
#include "testing/scripted_server.h"
#include "testing/server_process.h"
#include "upload_dialects.h"

namespace {

using testing_support::have_command;
using testing_support::Nginx;
using testing_support::RawAnswer;
using testing_support::ScriptedServer;
using testing_support::ServerProcess;

constexpr std::string_view kCanary = "canary-that-nobody-may-see";

class Hostile : public testing::Test {
 protected:
  void start(std::vector<std::string> environment = {}, const std::string& tables = "") {
    std::vector<std::string> arguments;
    if (!tables.empty()) {
      const std::string config = root_ + "/faultline.toml";
      ASSERT_TRUE(base::write_file_durably(config, base::bytes_of(tables)).ok());
      arguments = {"--config", config};
    }
    server_.emplace(ServerProcess::start({data(), arguments, {}, std::move(environment)}));
    ASSERT_NE(server_->url(), "");
  }
  void write(const std::string& name, std::string_view text) const {
    ASSERT_TRUE(base::write_file_durably(root_ + "/" + name, base::bytes_of(text)).ok());
  }
  std::string data() const { return root_ + "/a/b/data"; }
  std::string address() const { return server_->url().substr(std::string("http://").size()); }
  net::ClientAnswer send(const std::string& method, const std::string& path,
                         const std::string& body = "", const uploads::Fields& headers = {}) const {
    return uploads::send(server_->url(), method, path, body, headers);
  }
  // The target goes out as it stands.
  RawAnswer raw(const std::string& method, const std::string& target, const std::string& body) {
    testing_support::RawClient client(address());
    client.send(method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.read_answer();
  }

  base::TemporaryDirectory directory_ = base::TemporaryDirectory::create("hostile-paths").value();
  const std::string root_ = directory_.path();
  std::optional<ServerProcess> server_;
};

// ---- paths ----

// One step up, or somewhere else altogether, in every spelling.
const std::vector<std::string>& climbs() {
  static const std::vector<std::string> all{"..",
                                            "%2e%2e",
                                            ".%2E",
                                            "..%2f..",
                                            "..%5c..",
                                            "..\\..",
                                            "%2e%2e%2f",
                                            "%252e%252e",
                                            "..%00",
                                            "%00..",
                                            "%c0%ae%c0%ae",
                                            "..;",
                                            "/etc",
                                            "%2fetc",
                                            "C:",
                                            "C%3a%5cetc",
                                            "c:\\etc",
                                            "\\\\server\\share",
                                            "//server",
                                            "%5c%5cserver%5cshare",
                                            "%5C%5C%3F%5CC",
                                            "....//....",
                                            "..%u2216.."};
  return all;
}

std::vector<std::string> targets_with(const std::string& up) {
  const std::string id = "0123456789abcdef0123456789abcdef01234567";
  const std::string far = fmt::format("{0}/{0}/{0}", up);
  std::vector<std::string> targets;
  for (const char* prefix : {"", "/symbols", "/try", "/p/game"}) {
    for (const std::string& rest : std::vector<std::string>{
             fmt::format("{}/secret.txt", far), fmt::format("{0}/{0}/secret.txt", up),
             fmt::format("secret.txt/{}/secret.txt", far),
             fmt::format("secret.txt/1/{}/secret.txt", far),
             fmt::format("buildid/{}/secret.txt", far),
             fmt::format("buildid/{}/source/{}/secret.txt", id, far),
             fmt::format("buildid/{}/section/{}/secret.txt", id, far)}) {
      targets.push_back(fmt::format("{}/{}", prefix, rest));
    }
  }
  for (const char* route :
       {"/static/", "/tools/", "/crashes/", "/api/v1/reports/", "/artifacts/src/",
        "/artifacts/file/", "/api/v1/files/", "/api/v1/uploads/", "/v1/uploads/",
        "/upload/v2/session/", "/000Admin/", "/symbols/000Admin/", "/.build-id/", "/test/"}) {
    targets.push_back(route + far + "/secret.txt");
    targets.push_back(route + far + "/data/admin.key");
  }
  return targets;
}

TEST_F(Hostile, NoPathLeadsOut) {
  write("secret.txt", kCanary);
  write("a/secret.txt", kCanary);
  write("a/b/secret.txt", kCanary);
  write("store/here", "");
  start({"FAULTLINE_SOURCES_DIRECTORIES=/src=" + root_ + "/store"},
        "[[upstream]]\nurl = \"" + root_ + "/store\"\n");
  const auto before = base::list_files(root_);
  const std::string key(base::trim(base::read_file(data() + "/admin.key").value_or("")));
  ASSERT_NE(key, "");
  for (const std::string& up : climbs()) {
    for (const std::string& target : targets_with(up)) {
      for (const char* method : {"GET", "PUT"}) {
        const RawAnswer answer = raw(method, target, *method == 'P' ? "brought" : "");
        EXPECT_GE(answer.status, 200) << method << " " << target;
        EXPECT_LT(answer.status, 500) << method << " " << target << answer.body;
        for (const std::string_view secret : {kCanary, std::string_view(key)}) {
          EXPECT_EQ(answer.body.find(secret), std::string::npos) << method << " " << target;
        }
      }
    }
  }
  const auto after = base::list_files(root_);
  ASSERT_TRUE(before.ok() && after.ok());
  for (const std::string& path : *after) {
    const bool is_ours = path.starts_with(data());
    EXPECT_TRUE(is_ours || std::find(before->begin(), before->end(), path) != before->end())
        << path << " was made";
    if (path.ends_with("secret.txt")) EXPECT_EQ(base::read_file(path).value_or(""), kCanary);
  }
  const uploads::File file = uploads::sym_file("good.so", 1000);
  EXPECT_TRUE(uploads::dialects().front().upload(server_->url(), file).acknowledged);
  EXPECT_EQ(send("GET", file.path).body, file.content);
}

// ---- servers that send us elsewhere ----

// By a name that leads to a private address, by every spelling of such an address, by another
// scheme: an upstream server's redirect reads nothing in our own network, and no file of ours.
TEST_F(Hostile, NoRedirectReadsOurOwnNetwork) {
  ScriptedServer inner(root_, [](net::Request&) { return net::Answer::text(200, "a secret"); });
  const std::string port = inner.url().substr(inner.url().rfind(':'));
  const std::vector<std::string> elsewhere{"http://localhost" + port + "/x",
                                           "http://LOCALHOST." + port + "/x",
                                           "http://127.1" + port + "/x",
                                           "http://2130706433" + port + "/x",
                                           "http://0x7f000001" + port + "/x",
                                           "http://0177.0.0.1" + port + "/x",
                                           "http://0.0.0.0" + port + "/x",
                                           "http://[::1]" + port + "/x",
                                           "http://[::ffff:127.0.0.1]" + port + "/x",
                                           "http://somebody@127.0.0.1" + port + "/x",
                                           "//127.0.0.1" + port + "/x",
                                           "https://localhost" + port + "/x",
                                           "ftp://127.0.0.1" + port + "/x",
                                           "gopher://127.0.0.1" + port + "/_GET%20/x",
                                           "file:///etc/passwd",
                                           "file://localhost/etc/passwd",
                                           "dict://127.0.0.1" + port + "/x"};
  ScriptedServer outer(root_, [&](net::Request& request) {
    const auto number = base::parse_decimal(request.path.substr(request.path.rfind('-') + 1));
    if (!number || *number >= 2 * elsewhere.size()) return net::Answer::text(404, "no");
    // Some by a step on the server itself.
    if (*number >= elsewhere.size() && request.path.find("/step/") == std::string::npos) {
      return net::Answer::redirect(302, "/step/x-" + std::to_string(*number));
    }
    return net::Answer::redirect(307, elsewhere[*number % elsewhere.size()]);
  });
  start({}, outer.table("failures_max = 0\nretry_seconds = 1\ncabinets = 0\n"));
  for (std::size_t i = 0; i < 2 * elsewhere.size(); ++i) {
    const auto answer = send("GET", fmt::format("/x-{0}/0123456789ABCDEF0/x-{0}", i));
    EXPECT_NE(answer.status, 200) << elsewhere[i % elsewhere.size()];
    EXPECT_EQ(answer.body.find("secret"), std::string::npos);
    EXPECT_EQ(answer.body.find("root:"), std::string::npos);
  }
  EXPECT_EQ(inner.asked, 0);
  EXPECT_GE(outer.asked, static_cast<int>(2 * elsewhere.size()));
  // The control: the operator may say that such an address is good.
  EXPECT_EQ(server_->stop(), 0);
  start({}, outer.table("retry_seconds = 0\nprivate_addresses = [\"127.0.0.0/8\"]\n"));
  for (const std::size_t i : {std::size_t{0}, elsewhere.size()}) {
    EXPECT_EQ(send("GET", fmt::format("/y-{0}/0123456789ABCDEF0/y-{0}", i)).body, "a secret");
  }
}

// What somebody uploads as file.ptr is never a way to a file or a server of ours.
TEST_F(Hostile, AnUploadedPointerReadsNothing) {
  ScriptedServer inner(root_, [](net::Request&) { return net::Answer::text(200, "a secret"); });
  const uploads::File elf = uploads::elf_file("real.so", 3000);
  write("share/inside.txt", "nothing");
  write("outside/real.so", elf.content);
  start({"FAULTLINE_STORE_POINTERS=\\\\files\\drop=" + root_ + "/share"});
  int number = 0;
  for (const std::string& text : std::vector<std::string>{
           "file:///etc/passwd", "PATH:file://" + root_ + "/outside/real.so",
           "PATH:" + root_ + "/outside/real.so", inner.url() + "/real.so",
           "PATH:" + inner.url() + "/real.so", "\\\\server\\share\\real.so",
           "PATH:\\\\files\\drop\\..\\outside\\real.so", "PATH:\\\\files\\drop/../outside/real.so",
           "PATH:\\\\?\\UNC\\files\\drop\\..\\outside\\real.so", "PATH:/proc/self/environ",
           "PATH:C:\\real.so", "PATH:", std::string("PATH:\\\\files\\drop\0\\x", 20)}) {
    const std::string name = fmt::format("real{}.so", ++number);
    const std::string folder = "/" + name + "/elf-buildid-" + elf.id + "/";
    ASSERT_LT(send("PUT", folder + "file.ptr", text).status, 300) << text;
    const auto answer = send("GET", folder + name);
    EXPECT_EQ(answer.status, 404) << text;
    EXPECT_EQ(send("GET", folder + "file.ptr").body, text) << "a file like any other";
  }
  EXPECT_EQ(inner.asked, 0);
}

// ---- names that would be markup ----

constexpr std::string_view kScripts[] = {
    "<script>alert(7)</script>", "\"onload=\"alert(7)", "'onload='alert(7)",
    "</title><img src=x onerror=alert(7)>", "javascript:alert(7)"};

TEST_F(Hostile, NoPageShowsTheirMarkupAsOurs) {
  start();
  // As modules, as what somebody asked for, as annotations of a report.
  std::string first_report;
  for (const std::string_view script : kScripts) {
    const std::string coded = net::percent_encode(script, "");
    send("PUT", fmt::format("/{0}/AB12/{0}", coded), "opaque");
    send("GET", fmt::format("/{0}/AB12/{0}", coded));
    send("GET", fmt::format("/symbols/{0}/0123456789ABCDEF0/{0}.sym", coded));
    std::string form;
    for (const char* field : {"prod", "ver", "ProductName", "Version", "comment", "url"}) {
      form += uploads::form_part("name=\"" + std::string(field) + "\"", std::string(script));
    }
    form += uploads::form_part("name=\"x" + net::percent_encode(script, "<>'= ()/") + "\"", "y");
    form += uploads::form_part("name=\"upload_file_minidump\"; filename=\"a.dmp\"", "MDMP no dump");
    const auto sent = send("POST", "/submit", form + uploads::form_end(), uploads::form_header());
    ASSERT_EQ(sent.status, 200) << sent.body;
    first_report = std::string(base::trim(sent.body)).substr(std::string("CrashID=bp-").size());
  }
  std::vector<std::string> pages{"/",
                                 "/crashes",
                                 "/crashes/" + first_report,
                                 "/status",
                                 "/status/symbols",
                                 "/missingsymbols/",
                                 "/missingsymbols"};
  for (const std::string_view script : kScripts) {
    const std::string coded = net::percent_encode(script, "");
    for (const char* query : {"/crashes?product=", "/crashes?q=", "/crashes/",
                              "/status/symbols?name=", "/status/symbols?sort=",
                              "/missingsymbols/?asked=", "/missingsymbols/?symbol=", "/nothing/"}) {
      pages.push_back(query + coded);
    }
  }
  int html = 0;
  for (const std::string& page : pages) {
    const auto answer = send("GET", page, "", {{"Accept", "text/html"}});
    EXPECT_LT(answer.status, 500) << page;
    const std::string type(answer.headers.find("Content-Type").value_or(""));
    if (type.find("html") == std::string::npos) continue;
    ++html;
    for (const char* raw : {"<script>alert", "\"onload=\"", "'onload='", "<img src=x",
                            "href=\"javascript:", "src=\"javascript:"}) {
      EXPECT_EQ(answer.body.find(raw), std::string::npos) << page << " shows " << raw;
    }
    EXPECT_NE(answer.headers.find("Content-Security-Policy").value_or(""), "") << page;
  }
  EXPECT_GE(html, 8);
  // They were shown at all, as text.
  const auto report = send("GET", "/crashes/" + first_report, "", {{"Accept", "text/html"}});
  EXPECT_NE(report.body.find("javascript:alert(7)"), std::string::npos) << report.body;
}

// ---- other sites' pages ----

struct Post {
  std::string method, path, body;
  bool is_open_here = true;  // to a request of this machine without a token
};

std::vector<Post> changing_routes() {
  const std::string hash(64, 'a');
  return {{"POST", "/upload/", "no zip"},
          {"POST", "/upload/v2/", "{}"},
          {"POST", "/api/v1/store/known", "{\"sha256\":[]}"},
          {"POST", "/api/v1/store/transactions", "{}"},
          {"DELETE", "/api/v1/store/transactions/9", ""},
          {"PUT", "/api/v1/store/lastid", "{\"next\":1}"},
          {"POST", "/api/v1/uploads/" + hash, ""},
          {"PUT", "/api/v1/uploads/" + hash + "?offset=0", "x"},
          {"PUT", "/api/v1/files/x.bin", "x"},
          {"PUT", "/x.bin/AB12/x.bin", "x"},
          {"PUT", "/artifacts/src/" + hash + "/x.c", "x"},
          {"POST", "/v1/uploads:create", ""},
          {"POST", "/api/0/organizations/o/chunk-upload/", "x"},
          {"POST", "/api/0/projects/o/p/files/difs/assemble/", "{}"},
          {"PUT", "/api/v2/symbolpackage", "no package"},
          {"POST", "/api/v1/projects", "{\"name\":\"more\"}", false},
          {"POST", "/api/v1/tokens", "{\"label\":\"x\"}", false},
          {"POST", "/api/v1/tokens/1/revoke", "", false},
          {"POST", "/api/v1/upkeep/fsck", "{}", false},
          {"POST", "/api/v1/upkeep/purge", "{\"what\":\"a/1/a\"}", false},
          {"POST", "/api/v1/upkeep/backup", "{}", false},
          {"POST", "/api/v1/reports/00000000-0000-0000-0000-000000000000/reprocess", ""},
          {"POST", "/api/v1/missing/fetch", "{}"},
          {"POST", "/missingsymbols/", "symbol=a&debugid=1&filename=a"},
          {"POST", "/api/v1/misses/clear", ""},
          {"POST", "/status/symbols", ""}};
}

bool is_refused(int status) { return status == 401 || status == 403; }

// A server without tokens on somebody's own machine takes files from that machine; not from every
// page which its owner looks at.
TEST_F(Hostile, PagesOfOtherSitesChangeNothing) {
  start();
  const std::string own_host = address();
  const std::vector<uploads::Fields> pages{
      {{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}},
      {{"Origin", "https://evil.example"}},
      {{"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"}},
      {{"Sec-Fetch-Site", "cross-site"}},
      {{"Sec-Fetch-Site", "same-site"}},
      {{"Origin", "http://localhost:1"}},
      {{"Origin", "https://" + own_host + ".evil.example"}},
      // A name of theirs that leads to this machine: then it is their own site, as browsers see it.
      {{"Host", "evil.example"}, {"Origin", "http://evil.example"}},
      {{"Host", "evil.example"}, {"Sec-Fetch-Site", "same-origin"}}};
  for (const Post& post : changing_routes()) {
    SCOPED_TRACE(post.method + " " + post.path);
    for (const uploads::Fields& page : pages) {
      const auto answer = send(post.method, post.path, post.body, page);
      std::string said;
      for (const auto& [name, value] : page) said += fmt::format("{}: {}; ", name, value);
      EXPECT_TRUE(is_refused(answer.status)) << said << answer.status << " " << answer.body;
    }
    // The control: it was the page that was refused.
    const auto own = send(post.method, post.path, post.body);
    EXPECT_EQ(!is_refused(own.status), post.is_open_here) << own.status << " " << own.body;
  }
}

// ---- behind a proxy on the same machine ----

// The proxy's peer is loopback for everybody; whoever comes through it has the rights of a
// stranger, whatever he says of himself, and whether the proxy is trusted or not.
TEST_F(Hostile, AProxyLendsNobodyTheRightsOfThisMachine) {
  REQUIRE_OR_SKIP(have_command("nginx"), "nginx is not installed");
  int number = 0;
  for (const std::string& trusted : std::vector<std::string>{"", "127.0.0.1", "127.0.0.0/8"}) {
    SCOPED_TRACE("trusted: " + trusted);
    start({"FAULTLINE_TRUSTED_PROXIES=" + trusted});
    const Nginx nginx(root_ + "/nginx" + std::to_string(++number),
                      "location / {\nproxy_pass " + server_->url() +
                          ";\nproxy_http_version 1.1;\nproxy_set_header Host $http_host;\n"
                          "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n"
                          "proxy_set_header X-Forwarded-Proto $scheme;\n}\n");
    ASSERT_TRUE(nginx.is_up());
    const std::vector<uploads::Fields> claims{{},
                                              {{"Host", "localhost"}},
                                              {{"X-Forwarded-For", "127.0.0.1"}},
                                              {{"X-Forwarded-For", "127.0.0.1, 127.0.0.1"}},
                                              {{"X-Forwarded-For", "::1"}},
                                              {{"X-Forwarded-For", ""}},
                                              {{"Forwarded", "for=127.0.0.1"}},
                                              {{"X-Real-IP", "127.0.0.1"}},
                                              {{"Connection", "close, X-Forwarded-For"}}};
    for (const Post& post : changing_routes()) {
      for (const uploads::Fields& claim : claims) {
        const auto answer = uploads::send(nginx.url(), post.method, post.path, post.body, claim);
        EXPECT_TRUE(is_refused(answer.status))
            << post.method << " " << post.path << ": " << answer.status << " " << answer.body;
      }
    }
    // Reading is for everybody, and on this machine itself nothing has changed.
    EXPECT_EQ(uploads::send(nginx.url(), "GET", "/healthz").status, 200);
    const std::string own = "own" + std::to_string(number);
    EXPECT_EQ(send("PUT", fmt::format("/{0}/AB12/{0}", own), own).status, 201);
    EXPECT_EQ(server_->stop(), 0);
  }
}

}  // namespace
