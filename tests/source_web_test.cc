// Sources that symbols say are on a web server: fetched from a real nginx by a real server, for
// clients who have no way in there themselves; sources in portable PDBs; and who may read them.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "base/child.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "extract/identify.h"
#include "net/client.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/free_port.h"
#include "testing/pe_image.h"
#include "testing/server_process.h"

namespace {

using testing_support::have_command;
using testing_support::ServerProcess;

constexpr const char* kSource = "int glow(int a) { return a * 3; }\n";
constexpr const char* kSecret = "Private-Token: s3cret-of-the-server";

std::string must_read(const std::string& path) {
  const auto text = base::read_file(path);
  EXPECT_TRUE(text.ok()) << path;
  return text.ok() ? *text : "";
}

void must_run(const std::string& command) {
  base::ChildLimits limits;
  limits.data_bytes_max = 64ull << 30;
  limits.wall = std::chrono::seconds(60);
  const auto end = base::run_child("/bin/sh", {"sh", "-c", command}, limits);
  ASSERT_TRUE(end.ok()) << command;
  ASSERT_TRUE(end->ok()) << command << "\n" << end->describe() << end->output << end->errors;
}

// A port that was free a moment ago.
// nginx with a repository behind a token, on loopback; gone with the object.
class Nginx {
 public:
  explicit Nginx(const std::string& root) : root_(root) {
    EXPECT_TRUE(base::make_directories(root_ + "/repo").ok());
    // Our temporary directories are for one user.
    const std::string config = std::string(::geteuid() == 0 ? "user root;" : "") + R"(
      worker_processes 1; daemon on; pid )" +
                               root_ + R"(/nginx.pid; error_log )" + root_ +
                               R"(/error.log;
      events { worker_connections 64; }
      http {
        client_body_temp_path )" +
                               root_ + R"(/t1; proxy_temp_path )" + root_ +
                               R"(/t2; fastcgi_temp_path )" + root_ + R"(/t3;
        uwsgi_temp_path )" + root_ +
                               R"(/t4; scgi_temp_path )" + root_ + R"(/t5;
        log_format asked '$request_uri $status'; access_log )" +
                               root_ + R"(/access.log asked;
        server {
          listen 127.0.0.1:)" + std::to_string(port_) +
                               R"(; root )" + root_ + R"(/repo;
          location /open/ { }
          location /private/ {
            if ($http_private_token != "s3cret-of-the-server") { return 403; }
          }
          location /moved/ { rewrite ^/moved/(.*)$ /private/$1 redirect; }
          location /away/ { return 302 http://127.0.0.1:)" +
                               std::to_string(other_port_) + R"(/x; }
          location /metadata/ { return 302 http://169.254.169.254/latest/; }
          location /slow/ { limit_rate 1; }
        }
        server { listen 127.0.0.1:)" +
                               std::to_string(other_port_) + R"(; return 200 "stolen"; }
      })";
    EXPECT_TRUE(base::write_file_durably(root_ + "/nginx.conf", base::bytes_of(config)).ok());
    must_run("nginx -p " + root_ + " -c " + root_ + "/nginx.conf");
  }
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;
  ~Nginx() {
    const auto pid = base::parse_decimal(base::trim(must_read(root_ + "/nginx.pid")));
    if (pid && *pid > 1) ::kill(static_cast<pid_t>(*pid), SIGTERM);
    // nginx removes its files as it goes.
    for (int i = 0; i < 200 && base::file_exists(root_ + "/nginx.pid"); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  void serve(const std::string& path, std::string_view text) const {
    ASSERT_TRUE(base::write_file_durably(root_ + "/repo" + path, base::bytes_of(text)).ok());
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::string asked() const { return must_read(root_ + "/access.log"); }

 private:
  const std::string root_;
  const std::uint16_t port_ = testing_support::free_port();
  const std::uint16_t other_port_ = testing_support::free_port();
};

class SourceWebServer : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_OR_SKIP(have_command("nginx"), "no nginx");
    REQUIRE_OR_SKIP(have_command("clang-22") && have_command("lld-link-22"),
                    "no clang-22 or lld-link-22");
    nginx_.emplace(root_ + "/nginx");
  }
  // A PDB from a real linker whose Source Link says that its sources are below `folder`.
  void build(const std::string& folder) {
    ASSERT_TRUE(base::write_file_durably(root_ + "/a.c", base::bytes_of(kSource)).ok());
    const std::string json = R"({"documents":{"C:\\work\\*":")" + nginx_->url() + folder + "*\"}}";
    ASSERT_TRUE(base::write_file_durably(root_ + "/link.json", base::bytes_of(json)).ok());
    must_run("cd " + root_ +
             " && clang-22 --target=x86_64-pc-windows-msvc -g -gcodeview -c ./a.c -o a.obj "
             "-ffile-prefix-map=./='C:\\work\\' -fdebug-compilation-dir='C:\\work' && "
             "lld-link-22 /dll /noentry /nodefaultlib /debug /pdbstream:sourcelink=link.json "
             "/out:a.dll a.obj");
    pdb_ = must_read(root_ + "/a.pdb");
    id_ = extract::identify(base::bytes_of(pdb_)).debug_id.breakpad();
  }
  void start(std::vector<std::string> environment = {}, bool with_credentials = true) {
    environment.push_back("FAULTLINE_SOURCES_HOSTS=" + nginx_->url());
    if (with_credentials) {
      const std::string line = nginx_->url() + " " + kSecret + "\n";
      ASSERT_TRUE(base::write_file_durably(root_ + "/credentials", base::bytes_of(line)).ok());
      environment.push_back("FAULTLINE_SOURCES_CREDENTIALS=" + root_ + "/credentials");
    }
    server_.emplace(ServerProcess::start({root_ + "/data", {}, {}, std::move(environment)}));
    ASSERT_NE(server_->url(), "");
  }
  net::ClientAnswer send(const std::string& method, const std::string& path,
                         const std::string& body = "", const net::Headers& headers = {}) {
    net::ClientRequest request;
    request.method = method;
    request.url = server_->url() + path;
    request.body = body;
    request.headers = headers;
    const auto answer = net::Client().send(request);
    if (!answer.ok()) return {};
    return *answer;
  }
  void must_upload(const std::string& prefix = "") {
    const int status = send("PUT", prefix + "/a.pdb/" + id_ + "/a.pdb", pdb_).status;
    ASSERT_TRUE(status == 200 || status == 201) << status;
  }
  // LLDB's form of a PDB's id: the age has eight digits.
  std::string source_path(const std::string& file = "C:%5Cwork%5Ca.c") const {
    const std::string age = id_.substr(32);
    return "/buildid/" + base::lower_ascii(id_.substr(0, 32)) + std::string(8 - age.size(), '0') +
           age + "/source/" + file;
  }
  net::Headers admin() const {
    net::Headers headers;
    headers.add("Authorization",
                "Bearer " + std::string(base::trim(must_read(root_ + "/data/admin.key"))));
    return headers;
  }
  std::string must_make_token(const std::string& json) {
    const auto answer = send("POST", "/api/v1/tokens", json, admin());
    EXPECT_EQ(answer.status, 201) << answer.body;
    const auto parsed = base::JsonValue::parse(answer.body);
    return parsed.ok() ? std::string((*parsed)["token"].text_or("")) : "";
  }
  // Of somebody behind a proxy: not this very machine.
  static net::Headers stranger(const std::string& token = "") {
    net::Headers headers;
    headers.add("X-Forwarded-For", "192.0.2.1");
    if (!token.empty()) headers.add("Authorization", "Bearer " + token);
    return headers;
  }

  base::TemporaryDirectory directory_ = base::TemporaryDirectory::create("source-web").value();
  const std::string root_ = directory_.path();
  std::optional<Nginx> nginx_;
  std::string pdb_, id_;
  std::optional<ServerProcess> server_;
};

TEST_F(SourceWebServer, CredentialsStayOnTheServer) {
  build("/private/");
  nginx_->serve("/private/a.c", kSource);
  start();
  must_upload();
  const auto answer = send("GET", source_path());
  ASSERT_EQ(answer.status, 200) << answer.body << server_->log();
  EXPECT_EQ(answer.body, kSource);
  EXPECT_EQ(answer.headers.find("X-Faultline-Source"), "web; checksum fits");
  EXPECT_EQ(send("GET", source_path("C:%5Cwork%5Cb.c")).status, 404) << "not named";
  EXPECT_EQ(server_->log().find("s3cret"), std::string::npos);
  // Kept: the repository is asked once.
  EXPECT_EQ(send("GET", source_path()).body, kSource);
  const std::string asked = nginx_->asked();
  EXPECT_EQ(std::count(asked.begin(), asked.end(), '\n'), 1) << asked;
}

TEST_F(SourceWebServer, OnAFillingDiskNothingIsKept) {
  build("/private/");
  nginx_->serve("/private/a.c", kSource);
  start({"FAULTLINE_DISK_STOP_CACHING=1000000 GiB"});
  must_upload();
  EXPECT_EQ(send("GET", source_path()).body, kSource);
  EXPECT_EQ(send("GET", source_path()).body, kSource);
  const std::string asked = nginx_->asked();
  EXPECT_EQ(std::count(asked.begin(), asked.end(), '\n'), 2) << asked;
}

TEST_F(SourceWebServer, WithoutCredentialsItIsAMissThatSaysWhy) {
  build("/private/");
  nginx_->serve("/private/a.c", kSource);
  start({}, false);
  must_upload();
  const auto answer = send("GET", source_path());
  EXPECT_EQ(answer.status, 404);
  EXPECT_NE(answer.body.find("answered 403"), std::string::npos) << answer.body;
}

TEST_F(SourceWebServer, RedirectsLeadNowhereButToTheList) {
  build("/moved/");
  nginx_->serve("/private/a.c", kSource);
  start();
  must_upload();
  EXPECT_EQ(send("GET", source_path()).body, kSource) << "to the same server, with its token";
  for (const std::string& folder : std::vector<std::string>{"/away/", "/metadata/"}) {
    build(folder);
    must_upload();
    const auto answer = send("GET", source_path());
    EXPECT_EQ(answer.status, 404) << folder;
    EXPECT_NE(answer.body.find("is not in the list sources.hosts"), std::string::npos)
        << answer.body;
    EXPECT_EQ(answer.body.find("stolen"), std::string::npos);
  }
}

TEST_F(SourceWebServer, AFileThatIsNotTheOneIsNotGiven) {
  build("/open/");
  nginx_->serve("/open/a.c", "int glow(int a) { return a * 4; }\n");
  start();
  must_upload();
  const auto answer = send("GET", source_path());
  EXPECT_EQ(answer.status, 404);
  EXPECT_NE(answer.body.find("checksum differs"), std::string::npos) << answer.body;
}

// debuginfod's clients give up after a while: the fetch ends when we do.
TEST_F(SourceWebServer, TheClientsPatienceIsTheFetchs) {
  build("/slow/");
  nginx_->serve("/slow/a.c", std::string(kSource) + std::string(2000, ' '));
  start({"FAULTLINE_SOURCES_SECONDS=60"});
  must_upload();
  const auto begun = std::chrono::steady_clock::now();
  net::Headers headers;
  headers.add("User-Agent", "elfutils/0.196,Linux/x86_64,debian,12");
  const auto answer = send("GET", source_path(), "", headers);
  const auto took = std::chrono::steady_clock::now() - begun;
  EXPECT_NE(answer.status, 200);
  EXPECT_LT(took, std::chrono::seconds(20)) << "far less than the 60 s of the configuration";
  EXPECT_GT(took, std::chrono::seconds(2));
}

TEST_F(SourceWebServer, ProjectsHaveTheirOwnReaders) {
  build("/private/");
  nginx_->serve("/private/a.c", kSource);
  start();
  ASSERT_EQ(send("POST", "/api/v1/projects", R"({"name":"games"})", admin()).status, 201);
  ASSERT_EQ(send("POST", "/api/v1/projects", R"({"name":"tools"})", admin()).status, 201);
  must_upload("/p/games");
  const std::string reader =
      must_make_token(R"({"label":"debuggers","rights":"read","project":"games"})");
  const std::string other =
      must_make_token(R"({"label":"others","rights":"read","project":"tools"})");
  const std::string path = "/p/games" + source_path();
  EXPECT_EQ(send("GET", path, "", stranger()).status, 404);
  EXPECT_EQ(send("GET", path, "", stranger(other)).status, 404);
  EXPECT_EQ(send("GET", path, "", stranger(reader)).body, kSource);
  EXPECT_EQ(send("GET", "/p/games/t/" + reader + source_path(), "", stranger()).body, kSource);
  EXPECT_EQ(send("GET", "/p/games/t/" + other + source_path(), "", stranger()).status, 404);
  // The symbols are that project's alone.
  EXPECT_EQ(send("GET", source_path(), "", stranger(reader)).status, 404);
  EXPECT_EQ(send("GET", "/p/tools" + source_path(), "", stranger(other)).status, 404);
  EXPECT_EQ(send("POST", "/p/games/source/v1", "{}", stranger(other)).status, 403);
  EXPECT_EQ(send("POST", "/p/games/source/v1", "{}", stranger(reader)).status, 400);

  const auto audit = send("GET", "/api/v1/audit", "", admin());
  ASSERT_EQ(audit.status, 200);
  EXPECT_NE(audit.body.find("source read"), std::string::npos) << audit.body;
  EXPECT_NE(audit.body.find("debuggers"), std::string::npos);
  EXPECT_NE(audit.body.find("in games from web"), std::string::npos);
  EXPECT_EQ(server_->log().find(reader), std::string::npos) << "tokens are in no log";
}

TEST_F(SourceWebServer, TheDefaultProjectMayAskForAToken) {
  build("/private/");
  nginx_->serve("/private/a.c", kSource);
  start({"FAULTLINE_SOURCES_TOKEN=open-sesame", "FAULTLINE_SOURCES_AUDIT=0"});
  must_upload();
  const std::string reader = must_make_token(R"({"label":"r","rights":"read","project":""})");
  const std::string uploader = must_make_token(R"({"label":"u","rights":"upload"})");
  EXPECT_EQ(send("GET", source_path(), "", stranger()).status, 404);
  EXPECT_EQ(send("GET", source_path(), "", stranger(uploader)).status, 404);
  EXPECT_EQ(send("GET", source_path(), "", stranger("open-sesame")).body, kSource);
  EXPECT_EQ(send("GET", source_path(), "", stranger(reader)).body, kSource);
  EXPECT_EQ(send("GET", "/api/v1/audit", "", admin()).body.find("source read"), std::string::npos);
}

// A srcsrv stream says the place with variables.
TEST_F(SourceWebServer, SrcsrvLeadsToTheWebServer) {
  REQUIRE_CORPUS(corpus);
  std::string pdb = must_read(corpus + "/symbols/objects/pe-pdb/lantern-win-extra/lantern-8k.pdb");
  const std::string theirs = "https://src.example.invalid/";
  const auto at = pdb.find(theirs);
  ASSERT_NE(at, std::string::npos);
  std::string ours = nginx_->url() + "/open/";
  ASSERT_LE(ours.size(), theirs.size());
  ours.insert(ours.size() - 1, theirs.size() - ours.size(), '_');
  pdb.replace(at, ours.size(), ours);
  start();
  id_ = extract::identify(base::bytes_of(pdb)).debug_id.breakpad();
  ASSERT_LT(send("PUT", "/lantern-8k.pdb/" + id_ + "/lantern-8k.pdb", pdb).status, 300);
  const auto answer = send("GET", source_path("C:%5Cbuild%5Clantern%5Clantern.cpp"));
  // nginx writes its log after it has answered.
  const std::string wanted = ours.substr(nginx_->url().size()) + "lantern/lantern.cpp 404";
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (nginx_->asked().find(wanted) == std::string::npos &&
         std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const std::string asked = nginx_->asked();
  EXPECT_NE(asked.find(wanted), std::string::npos) << asked << answer.body;
  EXPECT_EQ(answer.status, 404);
  EXPECT_NE(answer.body.find("answered 404"), std::string::npos) << answer.body;
}

class PortablePdbServer : public testing::Test {};

TEST_F(PortablePdbServer, AnEmbeddedSourceComesOutOfThePdb) {
  REQUIRE_CORPUS(corpus);
  const auto root = base::TemporaryDirectory::create("embedded").value();
  auto server = ServerProcess::start({root.path() + "/data", {}, {}, {}});
  ASSERT_NE(server.url(), "");
  const std::string pdb = must_read(
      corpus + "/symbols/objects/portable-pdb/sourcelink-sample/ppdb-sourcelink-sample.pdb");
  const auto send = [&](const std::string& method, const std::string& path,
                        const std::string& body = "") {
    net::ClientRequest request;
    request.method = method;
    request.url = server.url() + path;
    request.body = body;
    const auto answer = net::Client().send(request);
    EXPECT_TRUE(answer.ok()) << path;
    return answer.ok() ? *answer : net::ClientAnswer{};
  };
  ASSERT_EQ(send("PUT", "/ppdb-sourcelink-sample.pdb/1/ppdb-sourcelink-sample.pdb", pdb).status,
            201);
  const std::string guid =
      base::lower_ascii(extract::identify(base::bytes_of(pdb)).debug_id.breakpad().substr(0, 32));
  const std::string base = "/buildid/" + guid + "ffffffff/";
  EXPECT_EQ(send("GET", base + "debuginfo").body, pdb);
  const auto miss = send("GET", base + "source/C:%5Cetc%5Cpasswd");
  EXPECT_EQ(miss.status, 404);
  EXPECT_NE(miss.body.find("do not name this file"), std::string::npos) << miss.body;
  const std::string folder =
      "source/"
      "C:%5Cdev%5Csymbolic%5Csymbolic-testutils%5Cfixtures%5Cppdb-sourcelink-sample%5Csrc%5C";
  const auto answer = send("GET", base + folder +
                                      "obj%5CRelease%5Cnetstandard2.0%5C"
                                      "ppdb-sourcelink-sample.AssemblyInfo.cs");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.headers.find("X-Faultline-Source"), "embedded; checksum fits");
  EXPECT_NE(answer.body.find("System.Reflection.AssemblyTitle"), std::string::npos);
  // Not embedded; Source Link says where it is, and nobody may be asked there.
  const auto linked = send("GET", base + folder + "Class1.cs");
  EXPECT_EQ(linked.status, 404);
  EXPECT_NE(linked.body.find("the symbols name a source server"), std::string::npos) << linked.body;
}

TEST_F(PortablePdbServer, AndOutOfTheOneThatIsInsideAnImage) {
  REQUIRE_CORPUS(corpus);
  const auto root = base::TemporaryDirectory::create("embedded").value();
  auto server = ServerProcess::start({root.path() + "/data", {}, {}, {}});
  ASSERT_NE(server.url(), "");
  const std::string pdb = must_read(
      corpus + "/symbols/objects/portable-pdb/sourcelink-sample/ppdb-sourcelink-sample.pdb");
  using testing_support::PeDebug;
  constexpr std::uint16_t kPortable = 0x504d;
  const auto image = testing_support::make_pe(
      {PeDebug{2, 7, 0x100, kPortable, testing_support::rsds(9, 1, "s.pdb")},
       PeDebug{17, 0, 0x100, 0x100, testing_support::mpdb(pdb)}});
  net::ClientRequest put;
  put.method = "PUT";
  put.url = server.url() + "/s.dll/0A0B0C0D1a000/s.dll";
  put.body = std::string(image.begin(), image.end());
  const auto kept = net::Client().send(put);
  ASSERT_TRUE(kept.ok());
  ASSERT_EQ(kept->status, 201) << kept->body;
  const auto identity = extract::identify(image);
  net::ClientRequest get;
  get.url = server.url() + "/buildid/" + base::lower_ascii(identity.debug_id.breakpad()) +
            "/source/C:%5Cdev%5Csymbolic%5Csymbolic-testutils%5Cfixtures%5C"
            "ppdb-sourcelink-sample%5Csrc%5Cobj%5CRelease%5Cnetstandard2.0%5C"
            "ppdb-sourcelink-sample.AssemblyInfo.cs";
  const auto answer = net::Client().send(get);
  ASSERT_TRUE(answer.ok());
  ASSERT_EQ(answer->status, 200) << answer->body;
  EXPECT_EQ(answer->headers.find("X-Faultline-Source"), "embedded; checksum fits");
}

}  // namespace
