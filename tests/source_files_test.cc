// Source files by the path that symbols name them by: a real server, real debuggers, and Debian's
// own debuginfod beside ours.
#include <gtest/gtest.h>

#include <thread>

#include "base/child.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "extract/identify.h"
#include "index_files.h"
#include "net/client.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/scripted_server.h"
#include "testing/server_process.h"
#include "testing/stored_zip.h"

namespace {

using testing_support::have_command;
using testing_support::ScriptedServer;
using testing_support::ServerProcess;

std::string must_read(const std::string& path) {
  const auto text = base::read_file(path);
  EXPECT_TRUE(text.ok()) << path;
  return text.ok() ? *text : "";
}

base::ChildEnd run(const std::string& command) {
  base::ChildLimits limits;
  limits.wall = std::chrono::seconds(120);
  limits.data_bytes_max = 64ull << 30;
  const auto end = base::run_child("/bin/sh", {"sh", "-c", command}, limits);
  EXPECT_TRUE(end.ok()) << command;
  return end.ok() ? *end : base::ChildEnd{};
}

base::ChildEnd must_run(const std::string& command) {
  auto end = run(command);
  EXPECT_TRUE(end.ok()) << command << "\n" << end.describe() << end.errors;
  return end;
}

constexpr const char* kMain =
    "#include \"lamp.h\"\n"
    "int flicker(int a) { return dim(a) - 1; }\n"
    "int main(int c, char** v) { (void)v; return flicker(c) == 77; }\n";
constexpr const char* kHeader = "static inline int dim(int a) { return a * 3 + 1; }\n";

class SourceServer : public testing::Test {
 protected:
  // Compiled in a directory that is then moved away, as on a build machine.
  void build(const std::string& compiler = "cc -O0 -g") {
    REQUIRE_OR_SKIP(have_command("cc"), "no C compiler");
    for (const auto& [name, text] :
         {std::pair{"/build/src/main.c", kMain}, std::pair{"/build/inc/lamp.h", kHeader},
          std::pair{"/build/secret.txt", "not yours\n"}}) {
      const std::string path = root_.path() + name;
      ASSERT_TRUE(base::make_directories(std::string(base::parent_of(path))).ok());
      ASSERT_TRUE(base::write_file_durably(path, base::bytes_of(text)).ok());
    }
    must_run("cd " + build_dir() + "/src && " + compiler +
             " -I../inc -Wl,--build-id -o ../../lantern main.c && cd ../.. && mv build moved && "
             "objcopy --only-keep-debug lantern lantern.debug && strip -o stripped lantern");
    identity_ = extract::identify(base::bytes_of(must_read(root_.path() + "/lantern")));
    ASSERT_NE(identity_.build_id, "");
  }
  std::string build_dir() const { return root_.path() + "/build"; }
  std::string moved_dir() const { return root_.path() + "/moved"; }
  std::string main_path() const { return build_dir() + "/src/main.c"; }
  std::string header_path() const { return build_dir() + "/src/../inc/lamp.h"; }

  void start(std::vector<std::string> environment = {}) {
    server_.emplace(ServerProcess::start({root_.path() + "/data", {}, {}, std::move(environment)}));
    ASSERT_NE(server_->url(), "");
  }
  void start_with_map(const std::string& more = "") {
    start({"FAULTLINE_SOURCES_DIRECTORIES=" + build_dir() + "=" + moved_dir() + more});
  }
  void upload_symbols() {
    for (const char* name : {"lantern.debug", "stripped"}) {
      const auto answer = send("PUT", "/lantern/" + identity_.debug_id.breakpad() + "/" + name,
                               must_read(root_.path() + "/" + name));
      ASSERT_LT(answer.status, 300) << answer.body;
    }
  }

  net::ClientAnswer send(const std::string& method, const std::string& target,
                         const std::string& body = "", const net::Headers& headers = {}) {
    net::ClientRequest request;
    request.method = method;
    request.url = server_->url() + target;
    request.headers = headers;
    request.body = body;
    net::ClientOptions options;
    options.accept_compressed = false;
    const auto answer = net::Client(options).send(request);
    EXPECT_TRUE(answer.ok()) << method << " " << target << ": " << answer.error().what;
    return answer.ok() ? *answer : net::ClientAnswer{};
  }
  net::ClientAnswer get_source(const std::string& path) {
    return send("GET", "/buildid/" + identity_.build_id + "/source" + path);
  }
  std::string header(const net::ClientAnswer& answer, std::string_view name) {
    return std::string(answer.headers.find(name).value_or(""));
  }
  // The environment of a client of ours, with a cache of its own.
  std::string client_environment() const {
    return "DEBUGINFOD_URLS=" + server_->url() + " DEBUGINFOD_CACHE_PATH=" + root_.path() +
           "/cache HOME=" + root_.path() + " ";
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("sources").value();
  extract::Identity identity_;
  std::optional<ServerProcess> server_;
};

TEST_F(SourceServer, ServesAFileThatTheSymbolsName) {
  build();
  start_with_map();
  upload_symbols();
  const auto answer = get_source(main_path());
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.body, kMain);
  EXPECT_EQ(header(answer, "X-DEBUGINFOD-SIZE"), std::to_string(answer.body.size()));
  EXPECT_EQ(header(answer, "X-DEBUGINFOD-FILE"), "main.c");
  EXPECT_NE(header(answer, "Last-Modified"), "");
  EXPECT_NE(header(answer, "ETag"), "");
  EXPECT_EQ(header(answer, "X-Faultline-Source"), "directory");
}

TEST_F(SourceServer, FoldsDotsAsDebuginfodDoes) {
  build();
  start_with_map();
  upload_symbols();
  const std::string escaped = "%2F" + main_path().substr(1);
  for (const std::string& path :
       {header_path(), build_dir() + "/inc/lamp.h", build_dir() + "//inc/./lamp.h"}) {
    EXPECT_EQ(get_source(path).body, kHeader) << path;
  }
  EXPECT_EQ(get_source("/" + escaped).body, kMain);
}

TEST_F(SourceServer, WhatTheSymbolsDoNotNameIsNotThere) {
  build();
  start_with_map(";/");
  upload_symbols();
  ASSERT_EQ(get_source(main_path()).status, 200);
  for (const std::string& path : {build_dir() + "/secret.txt", std::string("/etc/passwd"),
                                  build_dir() + "/src/../../../../../../etc/passwd",
                                  build_dir() + "/src", std::string("/"), std::string("")}) {
    const auto answer = get_source(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_NE(header(answer, "X-Faultline-Reason"), "") << path;
  }
  EXPECT_NE(get_source("/etc/passwd").body.find("do not name this file"), std::string::npos);
  const auto stranger = send("GET", "/buildid/00112233445566778899/source" + main_path());
  EXPECT_EQ(stranger.status, 404);
}

TEST_F(SourceServer, ALinkLeadsNowhereElse) {
  build();
  start_with_map();
  upload_symbols();
  must_run("cd " + moved_dir() + "/src && rm main.c && ln -s /etc/hostname main.c");
  EXPECT_EQ(get_source(main_path()).status, 404);
  must_run("cd " + moved_dir() + "/src && rm main.c && ln -s ../../lantern.debug main.c");
  EXPECT_EQ(get_source(main_path()).status, 404);
}

TEST_F(SourceServer, AFileThatChangedSinceIsNotTheOne) {
  REQUIRE_OR_SKIP(have_command("clang-22"), "no clang-22, which notes checksums");
  build("clang-22 -gdwarf-5");
  start_with_map();
  upload_symbols();
  const auto fits = get_source(main_path());
  EXPECT_EQ(header(fits, "X-Faultline-Source"), "directory; checksum fits");
  must_run("echo '// edited' >> " + moved_dir() + "/src/main.c");
  const auto answer = get_source(main_path());
  EXPECT_EQ(answer.status, 404);
  EXPECT_NE(answer.body.find("checksum differs"), std::string::npos) << answer.body;
}

// A source bundle of this module, as sentry-cli makes them.
std::string bundle_of(const extract::Identity& module,
                      const std::vector<std::pair<std::string, std::string>>& files) {
  testing_support::StoredZip zip;
  base::JsonWriter manifest;
  manifest.begin_object().key("files").begin_object();
  for (const auto& [path, text] : files) {
    zip.add("files" + path, text);
    manifest.key("files" + path).begin_object().key("type").string("source");
    manifest.key("path").string(path).end_object();
  }
  manifest.end_object().key("debug_id").string(module.debug_id.breakpad());
  manifest.key("code_id").string(module.build_id).key("object_name").string("lantern");
  manifest.end_object();
  zip.add("manifest.json", manifest.text());
  return std::string("SYSB\2\0\0\0", 8) + zip.finish();
}

// The bundle's own list of paths proves nothing: the symbols must name them.
TEST_F(SourceServer, ReadsFilesOutOfSourceBundles) {
  build();
  start();
  const std::string id = identity_.debug_id.breakpad();
  const std::string secret = build_dir() + "/secret.txt";
  const std::string bundle =
      bundle_of(identity_, {{main_path(), kMain}, {secret, "x"}, {header_path(), kHeader}});
  const std::string place = "/lantern/" + id + "/lantern.src.zip";
  ASSERT_LT(send("PUT", place, bundle).status, 300);
  EXPECT_EQ(send("GET", place).body, bundle);
  EXPECT_EQ(send("GET", "/lantern/" + id + "/lantern").status, 404) << "a bundle is no image";
  EXPECT_EQ(get_source(main_path()).status, 404) << "nobody has the symbols";
  upload_symbols();
  const auto answer = get_source(main_path());
  EXPECT_EQ(answer.body, kMain);
  EXPECT_EQ(header(answer, "X-Faultline-Source"), "bundle");
  EXPECT_EQ(get_source(build_dir() + "/inc/lamp.h").body, kHeader) << "in another spelling";
  EXPECT_EQ(get_source(secret).status, 404) << "the symbols do not name it";

  // The newer one that has the file wins.
  ASSERT_LT(
      send("PUT", "/lantern/" + id + "/2.src.zip", bundle_of(identity_, {{main_path(), "newer"}}))
          .status,
      300);
  EXPECT_EQ(get_source(main_path()).body, "newer");
  EXPECT_EQ(get_source(header_path()).body, kHeader) << "the newer one does not have it";
}

TEST_F(SourceServer, PassesOverDamagedBundles) {
  build();
  start();
  upload_symbols();
  const std::string id = identity_.debug_id.breakpad();
  const std::string good = bundle_of(identity_, {{main_path(), kMain}});
  ASSERT_LT(send("PUT", "/lantern/" + id + "/1.src.zip", good).status, 300);
  // The member's bytes are not those that its checksum is of.
  std::string wrong = bundle_of(identity_, {{main_path(), kMain}, {header_path(), kHeader}});
  const auto at = wrong.find("flicker");
  ASSERT_NE(at, std::string::npos);
  wrong[at] = 'F';
  ASSERT_LT(send("PUT", "/lantern/" + id + "/2.src.zip", wrong).status, 300);
  ASSERT_LT(send("PUT", "/lantern/" + id + "/3.src.zip", good.substr(0, good.size() / 2)).status,
            300);
  EXPECT_EQ(get_source(main_path()).body, kMain);
  EXPECT_EQ(get_source(header_path()).body, kHeader);
}

TEST_F(SourceServer, KeepsUploadedSourcesByContentAndPlace) {
  build();
  start();
  upload_symbols();
  EXPECT_EQ(get_source(main_path()).status, 404);
  const std::string text = kMain;
  const std::string hash = base::sha256_of(base::bytes_of(text)).hex();
  const std::string path = "/artifacts/src/" + hash + "/main.c";
  EXPECT_EQ(send("PUT", path, "something else").status, 400);
  EXPECT_EQ(send("GET", path).status, 404);
  const std::string place = "?module=" + identity_.build_id + "&path=" + main_path();
  EXPECT_EQ(send("PUT", path + place).status, 404);  // places alone, but no content is here
  EXPECT_EQ(send("PUT", path, text).status, 200);
  EXPECT_EQ(send("GET", path).body, text);
  EXPECT_EQ(get_source(main_path()).status, 404);
  EXPECT_EQ(send("PUT", path + place).status, 200);
  EXPECT_EQ(get_source(main_path()).body, text);
  EXPECT_EQ(header(get_source(main_path()), "X-Faultline-Source"), "upload");
  // It is kept over a restart, and its blob is nobody's orphan.
  EXPECT_EQ(server_->stop(), 0);
  server_.reset();
  start();
  EXPECT_EQ(get_source(main_path()).body, text);
}

TEST_F(SourceServer, AnUploadThatIsLostHidesNoOtherPlace) {
  build();
  start_with_map();
  upload_symbols();
  const std::string hash = base::sha256_of(base::bytes_of(std::string_view(kMain))).hex();
  const std::string place = "?module=" + identity_.build_id + "&path=" + main_path();
  EXPECT_EQ(send("PUT", "/artifacts/src/" + hash + "/main.c" + place, kMain).status, 200);
  EXPECT_EQ(header(get_source(main_path()), "X-Faultline-Source"), "upload");
  const std::string blob = root_.path() + "/data/blobs/" + hash.substr(0, 2) + "/" + hash;
  ASSERT_TRUE(base::remove_file(blob).ok());
  const auto answer = get_source(main_path());
  EXPECT_EQ(answer.body, kMain);
  EXPECT_EQ(header(answer, "X-Faultline-Source"), "directory");
}

TEST_F(SourceServer, StrangersNeedTheToken) {
  build();
  start_with_map();
  upload_symbols();
  server_->stop();
  server_.reset();
  start({"FAULTLINE_SOURCES_DIRECTORIES=" + build_dir() + "=" + moved_dir(),
         "FAULTLINE_SOURCES_TOKEN=open-sesame"});
  EXPECT_EQ(get_source(main_path()).status, 200);  // this very machine
  const std::string target = "/buildid/" + identity_.build_id + "/source" + main_path();
  net::Headers proxied;
  proxied.add("X-Forwarded-For", "192.0.2.1");
  EXPECT_EQ(send("GET", target, "", proxied).status, 404);
  proxied.add("Authorization", "Bearer open-sesame");
  EXPECT_EQ(send("GET", target, "", proxied).status, 200);
}

TEST_F(SourceServer, AnswersTheProfilerForTheAddressAlone) {
  build();
  start_with_map();
  upload_symbols();
  const std::string symbol = must_run("nm " + root_.path() + "/lantern | grep ' T flicker'").output;
  const std::string address = symbol.substr(0, symbol.find(' '));
  const auto ask = [&](const std::string& offset, const std::string& file,
                       const net::Headers& headers = {}) {
    return send("POST", "/source/v1",
                "{\"debugName\":\"lantern\",\"debugId\":\"" + identity_.debug_id.breakpad() +
                    "\",\"moduleOffset\":\"0x" + offset + "\",\"file\":\"" + file + "\"}",
                headers);
  };
  const auto answer = ask(address, main_path());
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto json = base::JsonValue::parse(answer.body);
  ASSERT_TRUE(json.ok());
  EXPECT_EQ((*json)["source"].text_or(""), kMain);
  EXPECT_EQ((*json)["file"].text_or(""), main_path());
  EXPECT_TRUE(json->object()->contains("symbolsLastModified"));
  // Named by the symbols, but not for this address.
  EXPECT_EQ(ask(address, header_path()).status, 404);
  EXPECT_EQ(ask("7fffffff", main_path()).status, 404);
  EXPECT_EQ(ask(address, "/etc/passwd").status, 404);
  EXPECT_EQ(send("POST", "/source/v1", "{}").status, 400);
  EXPECT_EQ(send("POST", "/source/v1", "nonsense").status, 400);
  EXPECT_NE(ask(address, "/etc/passwd").body.find("\"error\""), std::string::npos);
  net::Headers page;
  page.add("Origin", "https://evil.example");
  EXPECT_EQ(ask(address, main_path(), page).status, 403);
}

// The head is looked at when an index is opened, a page when something is looked up in it.
TEST_F(SourceServer, ADamagedIndexIsMadeAgainForTheProfiler) {
  build();
  start_with_map();
  upload_symbols();
  const std::string symbol = must_run("nm " + root_.path() + "/lantern | grep ' T flicker'").output;
  const auto ask = [&] {
    return send("POST", "/source/v1",
                "{\"debugName\":\"lantern\",\"debugId\":\"" + identity_.debug_id.breakpad() +
                    "\",\"moduleOffset\":\"0x" + symbol.substr(0, symbol.find(' ')) +
                    "\",\"file\":\"" + main_path() + "\"}");
  };
  ASSERT_EQ(ask().status, 200);
  ASSERT_EQ(server_->stop(), 0);
  const testing_support::IndexFiles indexes(root_.path() + "/data");
  for (const std::size_t quarters : {0u, 3u}) {
    indexes.damage(quarters);
    start_with_map();
    const auto answer = ask();
    EXPECT_EQ(answer.status, 200) << quarters << answer.body;
    EXPECT_EQ(answer.body.find("/index/"), std::string::npos) << answer.body;
    EXPECT_EQ(indexes.count_sound(), 1) << quarters;
    EXPECT_EQ(server_->stop(), 0);
  }
}

// ---- real clients ----

TEST_F(SourceServer, DebuginfodFindGetsTheSource) {
  REQUIRE_OR_SKIP(have_command("debuginfod-find"), "no debuginfod-find");
  build();
  start_with_map();
  upload_symbols();
  const auto end = must_run(client_environment() + "debuginfod-find source " + identity_.build_id +
                            " " + header_path());
  EXPECT_EQ(must_read(std::string(base::trim(end.output))), kHeader);
  EXPECT_FALSE(
      run(client_environment() + "debuginfod-find source " + identity_.build_id + " /etc/passwd")
          .ok());
}

TEST_F(SourceServer, GdbListsASourceThatItDoesNotHave) {
  REQUIRE_OR_SKIP(have_command("gdb"), "no gdb");
  build();
  start_with_map();
  upload_symbols();
  const auto end =
      run(client_environment() +
          "gdb -nx -batch -iex 'set debuginfod enabled on' -ex 'list flicker' -ex 'list dim' " +
          root_.path() + "/stripped 2>&1");
  EXPECT_NE(end.output.find("int flicker(int a) { return dim(a) - 1; }"), std::string::npos)
      << end.output;
  EXPECT_NE(end.output.find("return a * 3 + 1;"), std::string::npos) << end.output;
}

// Others wait for the upstream server's only turn, as many as may.
TEST_F(SourceServer, ACrowdAtTheUpstreamServerMakesNoMissOfASource) {
  build();
  std::atomic<bool> may_go{false};
  ScriptedServer slow(root_.path(), [&](net::Request& request) {
    if (request.path.find("/source/") != std::string::npos) return net::Answer::text(200, kMain);
    while (!may_go) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return net::Answer::text(404, "no");
  });
  const std::string config = root_.path() + "/faultline.toml";
  ASSERT_TRUE(base::write_file_durably(
                  config, base::bytes_of(slow.table("layout = \"debuginfod\"\nrequests_max = 1\n")))
                  .ok());
  server_.emplace(ServerProcess::start({root_.path() + "/data", {"--config", config}, {}, {}}));
  upload_symbols();
  std::vector<std::thread> crowd;
  crowd.reserve(6);
  for (int i = 0; i < 6; ++i) {
    crowd.emplace_back([&, id = std::string(40, static_cast<char>('1' + i))] {
      EXPECT_EQ(send("GET", "/buildid/" + id + "/debuginfo").status, 404);
    });
  }
  std::thread opener([&] {
    std::this_thread::sleep_for(std::chrono::seconds(2));
    may_go = true;
  });
  std::this_thread::sleep_for(std::chrono::seconds(1));  // three have gone there, the others wait
  const auto answer = get_source(main_path());
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.body, kMain);
  for (std::thread& one : crowd) one.join();
  opener.join();
}

// Debian's debuginfod on the same files, with the same questions.
TEST_F(SourceServer, AnswersAsDebiansDebuginfodDoes) {
  REQUIRE_OR_SKIP(have_command("debuginfod") && have_command("debuginfod-find"), "no debuginfod");
  build();
  start({"FAULTLINE_SOURCES_DIRECTORIES=/"});
  upload_symbols();
  must_run("cp -r " + moved_dir() + " " + build_dir());  // debuginfod knows no prefix maps
  const std::string port = "17802";
  const std::string script =
      "debuginfod -d " + root_.path() + "/theirs.db -p " + port + " -t0 -g0 -F " + root_.path() +
      "/lantern " + root_.path() + "/lantern.debug >" + root_.path() +
      "/theirs.log 2>&1 & pid=$!; for i in $(seq 100); do curl -sf http://127.0.0.1:" + port +
      "/metrics | grep -q 'thread_work_total{role=\"traverse\"} 1' && break; sleep 0.1; done; "
      "sleep 0.5; for p in " +
      main_path() + " " + header_path() + " " + build_dir() + "/inc/lamp.h " + build_dir() +
      "/secret.txt /etc/passwd; do curl -s -o " + root_.path() +
      "/body -w '%{http_code} ' http://127.0.0.1:" + port + "/buildid/" + identity_.build_id +
      "/source$p; sha256sum < " + root_.path() + "/body | cut -c1-64; done; kill $pid; wait $pid";
  const std::string output = must_run(script + " || true").output;
  const auto theirs = base::split(output, '\n');
  const std::string paths[] = {main_path(), header_path(), build_dir() + "/inc/lamp.h",
                               build_dir() + "/secret.txt", "/etc/passwd"};
  ASSERT_GE(theirs.size(), std::size(paths));
  for (std::size_t i = 0; i < std::size(paths); ++i) {
    const auto ours = get_source(paths[i]);
    const std::string status = std::string(theirs[i].substr(0, 3));
    EXPECT_EQ(std::to_string(ours.status), status) << paths[i] << ": " << theirs[i];
    if (ours.status == 200) {
      EXPECT_EQ(base::sha256_of(base::bytes_of(ours.body)).hex(), theirs[i].substr(4)) << paths[i];
    }
  }
}

}  // namespace
