// Files that others have: a server with upstream servers, which are a symbol store in a directory,
// another server of ours, and one that does whatever a test wants.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "base/child.h"
#include "base/file.h"
#include "base/text.h"
#include "extract/identify.h"
#include "formats/archive/cab.h"
#include "net/client.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/free_port.h"
#include "testing/raw_http.h"
#include "testing/scripted_server.h"
#include "testing/server_process.h"
#include "testing/small_disk.h"

namespace {

using testing_support::ScriptedServer;
using testing_support::ServerProcess;

constexpr std::string_view kId = "0123456789ABCDEF0123456789ABCDEF1";

class UpstreamTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return root_.path() + "/" + name; }

  void write(const std::string& name, std::string_view text) const {
    ASSERT_TRUE(base::write_file_durably(path(name), base::bytes_of(text)).ok());
  }
  // A server that asks others, as `tables` of its configuration say.
  void start(const std::string& tables) {
    write("faultline.toml", tables);
    server_.emplace(
        ServerProcess::start({path("data"), {"--config", path("faultline.toml")}, {}, {}}));
    ASSERT_NE(server_->url(), "");
  }
  void start_with_directory(const std::string& more = "") {
    start("[[upstream]]\nname = \"store\"\nurl = \"" + path("store") + "\"\n" + more);
  }
  static net::ClientAnswer get(const ServerProcess& server, const std::string& at) {
    const auto answer = net::Client().get(server.url() + at);
    EXPECT_TRUE(answer.ok()) << at;
    return answer.ok() ? *answer : net::ClientAnswer{};
  }
  net::ClientAnswer get(const std::string& at) const { return get(*server_, at); }
  // A program with a build id.
  std::string must_build() const {
    const auto built =
        base::run_child("/bin/sh", {"sh", "-c",
                                    "echo 'int f(void) { return 1; }' | cc -x c -shared -g -o '" +
                                        path("libone.so") + "' - -Wl,--build-id=sha1"});
    EXPECT_TRUE(built.ok() && built->exit_code == 0);
    return base::read_file(path("libone.so")).value();
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("upstream").value();
  std::optional<ServerProcess> server_;
};

std::string store_path(const std::string& file) { return fmt::format("/app.bin/{}/{}", kId, file); }

std::size_t times_in(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST_F(UpstreamTest, AFileOfADirectoryIsServedAndKept) {
  write("store" + store_path("app.bin"), "the file");
  start_with_directory();
  EXPECT_EQ(get(store_path("app.bin")).body, "the file");
  // Kept: the directory may go, and so may we.
  ASSERT_TRUE(base::remove_tree(path("store")).ok());
  EXPECT_EQ(get(store_path("app.bin")).body, "the file");
  server_->kill();
  start_with_directory();
  EXPECT_EQ(get(store_path("app.bin")).body, "the file");
}

TEST_F(UpstreamTest, ACabinetIsExpanded) {
  auto cab = base::PendingFile::create(root_.path()).value();
  ASSERT_TRUE(archive::write_cab("app.bin", base::bytes_of("the plain file"), {}, cab).ok());
  ASSERT_TRUE(cab.commit(path("store") + store_path("app.bi_")).ok());
  start_with_directory();
  EXPECT_EQ(get(store_path("app.bin")).body, "the plain file");
  EXPECT_EQ(get(store_path("app.bi_")).status, 200);  // packed again, by us
}

// Names and ids are one thing to our clients, and may be another to the server's file system.
TEST_F(UpstreamTest, TheLayoutsOwnSpellingIsTriedToo) {
  write("store" + store_path("app.bin"), "the file");
  start_with_directory();
  EXPECT_EQ(get("/app.bin/" + base::lower_ascii(kId) + "/app.bin").body, "the file");
}

TEST_F(UpstreamTest, AMissIsRememberedForAWhile) {
  write("store/here", "");
  start_with_directory("retry_seconds = 2\n");
  EXPECT_EQ(get(store_path("app.bin")).status, 404);
  write("store" + store_path("app.bin"), "the file");
  EXPECT_EQ(get(store_path("app.bin")).status, 404);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (get(store_path("app.bin")).status != 200 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  EXPECT_EQ(get(store_path("app.bin")).body, "the file");
}

TEST_F(UpstreamTest, ARememberedMissIsAskedForAgainWhenSomebodySaysSo) {
  write("store/here", "");
  start_with_directory("retry_seconds = 3600\n");
  EXPECT_EQ(get(store_path("app.bin")).status, 404);
  write("store" + store_path("app.bin"), "the file");
  EXPECT_EQ(get(store_path("app.bin")).status, 404);
  EXPECT_EQ(get(store_path("app.bin") + "?_refresh").body, "the file");
}

// Whoever has another content may say so, which hides nothing from who takes any.
TEST_F(UpstreamTest, TheContentThatIsWantedIsTold) {
  std::mutex mutex;
  std::vector<std::string> told;
  ScriptedServer upstream(root_.path(), [&](net::Request& request) {
    const std::lock_guard lock(mutex);
    told.emplace_back(request.header("SymbolChecksum"));
    return told.back().empty() ? net::Answer::text(200, "the file") : net::Answer::text(404, "no");
  });
  start(upstream.table("cabinets = 0\nlayout = \"ssqp\"\n"));
  const std::string checksum = "SHA256:" + std::string(64, 'a');
  const std::string address = server_->url().substr(7);
  const auto demanding =
      testing_support::raw_get(address, "/f/1/f", "SymbolChecksum: " + checksum + "\r\n");
  EXPECT_EQ(demanding.status, 404);
  EXPECT_EQ(get("/f/1/f").body, "the file");
  EXPECT_EQ(told, (std::vector<std::string>{checksum, ""}));
}

// Over a restart, too: nobody is asked again for what was not there a minute ago.
TEST_F(UpstreamTest, AMissIsRememberedOverARestart) {
  ScriptedServer upstream(root_.path(), [](net::Request&) { return net::Answer::text(404, "no"); });
  start(upstream.table("retry_seconds = 3600\n"));
  EXPECT_EQ(get(store_path("app.bin")).status, 404);
  const int asked = upstream.asked;
  EXPECT_EQ(asked, 2);  // the file, the cabinet
  EXPECT_EQ(server_->stop(), 0);
  start(upstream.table("retry_seconds = 3600\n"));
  EXPECT_EQ(get(store_path("app.bin")).status, 404);
  EXPECT_EQ(upstream.asked, asked);
  // Another server may have it.
  EXPECT_EQ(server_->stop(), 0);
  ScriptedServer other(root_.path(), [](net::Request&) { return net::Answer::text(200, "here"); });
  start(other.table());
  EXPECT_EQ(get(store_path("app.bin")).body, "here");
}

// Each project has servers of its own, and what came for one is not the others'.
TEST_F(UpstreamTest, AProjectAsksItsOwnServers) {
  ASSERT_TRUE(base::make_directories(path("data")).ok());
  testing_support::must_run(testing_support::faultline_program() +
                            " admin project create games --data '" + path("data") + "'");
  ScriptedServer upstream(root_.path(),
                          [](net::Request&) { return net::Answer::text(200, "a game"); });
  start(upstream.table("projects = [\"games\"]\n"));
  EXPECT_EQ(get(store_path("app.bin")).status, 404);
  EXPECT_EQ(upstream.asked, 0);
  EXPECT_EQ(get("/p/games" + store_path("app.bin")).body, "a game");
  EXPECT_EQ(get(store_path("app.bin")).status, 404);
  EXPECT_EQ(upstream.asked, 1);
  // A copy that went is fetched again, for whom it was.
  server_->kill();
  ASSERT_TRUE(base::remove_tree(path("data/extracted")).ok());
  start(upstream.table("projects = [\"games\"]\n"));
  EXPECT_EQ(get("/p/games" + store_path("app.bin")).body, "a game");
  EXPECT_EQ(get(store_path("app.bin")).status, 404);
}

TEST_F(UpstreamTest, AnotherKindOfFileIsNotAskedFor) {
  ScriptedServer upstream(root_.path(),
                          [](net::Request&) { return net::Answer::text(200, "a file"); });
  start(upstream.table("kinds = [\"pdb\"]\n"));
  EXPECT_EQ(get("/app.dll/1/app.dll").status, 404);
  EXPECT_EQ(upstream.asked, 0);
  EXPECT_EQ(get("/app.pdb/1/app.pdb").body, "a file");
}

// A file.ptr in an upstream directory leads to a file in it that bears the id, or nowhere; then the
// next server is asked.
TEST_F(UpstreamTest, AFilePtrIsFollowedInItsDirectory) {
  const std::string library = must_build();
  const std::string at =
      "/libone.so/elf-buildid-" + extract::identify(base::bytes_of(library)).build_id + "/";
  write("store/builds/7/libone.so", library);
  write("store" + at + "file.ptr", "PATH:" + path("store/builds/7/libone.so"));
  write("store" + store_path("file.ptr"), "PATH:" + path("libone.so"));
  write("second" + store_path("app.bin"), "the file");
  start("[[upstream]]\nurl = \"" + path("store") + "\"\n[[upstream]]\nurl = \"" + path("second") +
        "\"\n");
  EXPECT_TRUE(get(at + "libone.so").body == library);
  EXPECT_EQ(get(store_path("app.bin")).body, "the file");
}

// As where somebody is still copying it, or a server ends before the file does and does not say so.
TEST_F(UpstreamTest, AFileThatEndsTooEarlyIsNotKept) {
  std::string pdb =
      "Microsoft C/C++ MSF 7.00\r\n\x1a"
      "DS";
  pdb.resize(32);
  for (const std::uint32_t number : {4096u, 1u, 1000u, 100u, 0u, 999u}) {
    for (int shift = 0; shift < 32; shift += 8) pdb += static_cast<char>(number >> shift & 0xff);
  }
  pdb.resize(8192);
  const auto at = [](const std::string& name) {
    return fmt::format("/{0}/{1}/{0}", name, "946967C36ED4F5254C4C44205044422E1");
  };
  write("store" + at("cut.pdb"), pdb);
  write("store" + at("empty.pdb"), "");
  start_with_directory();
  EXPECT_EQ(get(at("cut.pdb")).status, 404);
  EXPECT_EQ(get(at("empty.pdb")).status, 404);
  write("store" + at("empty.pdb"), "no longer");
  EXPECT_EQ(get(at("empty.pdb") + "?_refresh").body, "no longer");
}

// Whoever may upload somewhere could read there what other projects' servers have.
TEST_F(UpstreamTest, AnUploadedFilePtrLeadsIntoNoUpstreamDirectory) {
  const std::string library = must_build();
  const std::string at =
      "/libone.so/elf-buildid-" + extract::identify(base::bytes_of(library)).build_id + "/";
  write("theirs/libone.so", library);
  start("[[upstream]]\nurl = \"" + path("theirs") + "\"\nprojects = [\"theirs\"]\n");
  for (const std::string& text : {std::string("..\\..\\libone.so"), path("theirs/libone.so")}) {
    net::ClientRequest put;
    put.method = "PUT";
    put.url = server_->url() + at + "file.ptr";
    put.body = text;
    const auto kept = net::Client().send(put);
    ASSERT_TRUE(kept.ok() && kept->status < 300) << text;
    EXPECT_EQ(get(at + "libone.so?_refresh").status, 404) << text;
  }
}

TEST_F(UpstreamTest, AFileThatIsAnotherIsNotServed) {
  const std::string library = must_build();
  write("store/libone.so/elf-buildid-" + std::string(40, 'a') + "/libone.so", library);
  start_with_directory("layout = \"ssqp\"\n");
  EXPECT_EQ(get("/libone.so/elf-buildid-" + std::string(40, 'a') + "/libone.so").status, 404);
  const std::string id = extract::identify(base::bytes_of(library)).build_id;
  EXPECT_EQ(get("/buildid/" + id + "/executable").status, 404);
}

TEST_F(UpstreamTest, WhatTheFilterRefusesIsNotAskedFor) {
  write("store" + store_path("app.bin"), "the file");
  write("store/other.bin/1/other.bin", "another file");
  start_with_directory("deny = [\"app\"]\n");
  EXPECT_EQ(get(store_path("app.bin")).status, 404);
  EXPECT_EQ(get("/other.bin/1/other.bin").body, "another file");
}

TEST_F(UpstreamTest, ALinkOutOfTheDirectoryIsNotFollowed) {
  write("secret", "a secret");
  write("store/here", "");
  ASSERT_TRUE(base::make_directories(path("store") + store_path("")).ok());
  ASSERT_EQ(::symlink(path("secret").c_str(), (path("store") + store_path("app.bin")).c_str()), 0);
  start_with_directory();
  EXPECT_EQ(get(store_path("app.bin")).status, 404);
}

// Another server of ours knows every layout; a build id finds the file there, and all names here.
TEST_F(UpstreamTest, ABuildIdIsFoundThroughDebuginfod) {
  const std::string library = must_build();
  const auto other = ServerProcess::start({path("other"), {}, {}, {}});
  const auto identity = extract::identify(base::bytes_of(library));
  net::ClientRequest put;
  put.method = "PUT";
  put.url = other.url() + "/libone.so/" + identity.debug_id.breakpad() + "/libone.so";
  put.body = library;
  ASSERT_LT(net::Client().send(put).value().status, 300);
  start("[[upstream]]\nlayout = \"debuginfod\"\nurl = \"" + other.url() + "\"\n");
  const std::string at = "/buildid/" + identity.build_id;
  EXPECT_TRUE(get(at + "/executable").body == library);
  EXPECT_TRUE(get(at + "/debuginfo").body == library);
  EXPECT_TRUE(get("/x/elf-buildid-" + identity.build_id + "/x").body == library);
  EXPECT_EQ(get("/libone.so/" + identity.debug_id.breakpad() + "/libone.so.sym").status, 200);
}

TEST_F(UpstreamTest, AServerThatFailsIsLeftAloneAndTheNextOneIsAsked) {
  ScriptedServer broken(root_.path(), [](net::Request&) { return net::Answer::text(500, "no"); });
  write("store" + store_path("app.bin"), "the file");
  for (int i = 0; i < 9; ++i) write(fmt::format("store/f{0}/1/f{0}", i), "another");
  start(broken.table("failures_max = 3\n") + "[[upstream]]\nurl = \"" + path("store") + "\"\n");
  EXPECT_EQ(get(store_path("app.bin")).body, "the file");
  for (int i = 0; i < 9; ++i) EXPECT_EQ(get(fmt::format("/f{0}/1/f{0}", i)).body, "another");
  EXPECT_EQ(broken.asked, 3);
}

// A debugger is not kept waiting for who is down, and a client that remembers misses is told of
// none.
TEST_F(UpstreamTest, WhatAServerMayHaveThatIsDownIsNotWaitedFor) {
  ScriptedServer broken(root_.path(), [](net::Request&) { return net::Answer::text(500, "no"); });
  start(broken.table("failures_max = 2\nrest_seconds = 3600\n"));
  const std::string symsrv = "User-Agent: Microsoft-Symbol-Server/10.0.10036.206\r\n";
  const std::string address = server_->url().substr(7);
  const auto first = testing_support::raw_get(address, "/a/1/a", symsrv);
  EXPECT_EQ(first.status, 503);
  EXPECT_EQ(first.header("Symbol-Agent-Status"), "0x80070512");
  EXPECT_EQ(testing_support::raw_get(address, "/b/1/b", symsrv).status, 404);  // it rests by now
  const auto third = testing_support::raw_get(address, "/c/1/c", symsrv);
  EXPECT_EQ(third.status, 404);
  EXPECT_EQ(third.header("Symbol-Agent-Status"), "");
  EXPECT_EQ(third.header("X-Faultline-Reason").find("unavailable: "), 0u);
  EXPECT_EQ(broken.asked, 2);
  const std::string elfutils = "User-Agent: elfutils/0.188,Linux/x86_64,debian/12\r\n";
  EXPECT_EQ(testing_support::raw_get(address, "/c/1/c", elfutils).status, 0) << "a reset";
  EXPECT_EQ(get("/c/1/c").status, 503);
}

// Neither for ever, nor behind more than may wait.
TEST_F(UpstreamTest, NobodyWaitsForATurnWithoutEnd) {
  std::atomic<bool> may_go{false};
  ScriptedServer slow(root_.path(), [&](net::Request&) {
    while (!may_go) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return net::Answer::text(200, "the file");
  });
  start(slow.table("requests_max = 1\nwait_seconds = 1\ncabinets = 0\n"));
  std::thread first([&] { EXPECT_EQ(get("/a/1/a").body, "the file"); });
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (slow.asked == 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(get("/b/1/b").status, 503);
  may_go = true;
  first.join();
  EXPECT_EQ(slow.asked, 1);
}

// As with a profile of many modules that nobody has yet.
TEST_F(UpstreamTest, ACrowdIsServedOneAfterTheOther) {
  ScriptedServer slow(root_.path(), [&](net::Request& request) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return net::Answer::text(200, "file of " + request.path);
  });
  start(slow.table("requests_max = 1\ncabinets = 0\n"));
  std::vector<std::thread> clients;
  clients.reserve(60);
  for (int i = 0; i < 60; ++i) {
    clients.emplace_back([&, path = "/f" + std::to_string(i) + "/1/f" + std::to_string(i)] {
      EXPECT_EQ(get(path).body, "file of /store" + path);
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(slow.asked, 60);
}

// Asked one after the other, the first would let nobody else have a turn.
TEST_F(UpstreamTest, OfAGroupTheFastestGivesTheFile) {
  std::atomic<bool> may_go{false};
  ScriptedServer slow(root_.path(), [&](net::Request&) {
    while (!may_go) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return net::Answer::text(404, "no");
  });
  std::atomic<int> times{0};
  ScriptedServer quick(root_.path(), [&](net::Request&) {
    ++times;
    for (int i = 0; i < 500 && slow.asked < times; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return net::Answer::text(200, "the file");
  });
  const std::string group = "group = \"all\"\ncabinets = 0\nfailures_max = 1\n";
  start(slow.table(group) + quick.table(group));
  EXPECT_EQ(get("/a/1/a").body, "the file");
  EXPECT_EQ(get("/b/1/b").body, "the file");
  EXPECT_EQ(slow.asked, 2) << "who lost has not failed, and is asked again";
  may_go = true;
}

TEST_F(UpstreamTest, OfAGroupTheOthersAreAskedAgainWhenTheFastestGaveSomethingElse) {
  ScriptedServer wrong(root_.path(), [](net::Request&) {
    return net::Answer::html(200, "<!DOCTYPE html><html>log in first</html>");
  });
  ScriptedServer right(root_.path(), [](net::Request&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    return net::Answer::text(200, "the file");
  });
  const std::string group = "group = \"all\"\ncabinets = 0\n";
  start(wrong.table(group) + right.table(group));
  EXPECT_EQ(get("/a/1/a").body, "the file");
}

// One that lets us in nowhere does not make a miss of what another one may have.
TEST_F(UpstreamTest, ARefusalHidesNoServerThatIsDown) {
  ScriptedServer closed(root_.path(), [](net::Request&) { return net::Answer::text(401, "who?"); });
  ScriptedServer broken(root_.path(), [](net::Request&) { return net::Answer::text(500, "no"); });
  start(closed.table() + broken.table("failures_max = 0\n"));
  EXPECT_EQ(get("/a/1/a").status, 503);
}

// It asks us back before it answers.
TEST_F(UpstreamTest, ServersThatAskOneAnotherDoNotWaitForOneAnother) {
  std::atomic<int> told{0};
  ScriptedServer other(root_.path(), [&](net::Request& request) {
    net::ClientRequest back;
    back.url = server_->url() + request.path.substr(std::string_view("/store").size());
    back.headers.add("X-Faultline-Asked-By",
                     std::string(request.header("X-Faultline-Asked-By")) + ", other");
    const auto answer = net::Client().send(back);
    told = answer.ok() ? answer->status : -1;
    return net::Answer::text(404, "no");
  });
  start(other.table("cabinets = 0\n"));
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(get("/f/1/f").status, 404);
  EXPECT_EQ(told, 404);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
}

TEST_F(UpstreamTest, HoweverManyAskItIsFetchedOnce) {
  ScriptedServer slow(root_.path(), [](net::Request&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return net::Answer::text(200, "the file");
  });
  start(slow.table());
  std::vector<std::thread> clients;
  std::atomic<int> served{0};
  clients.reserve(20);
  for (int i = 0; i < 20; ++i) {
    const std::string asked =
        i % 2 == 0 ? store_path("app.bin") : "/APP.bin/" + base::lower_ascii(kId) + "/App.Bin";
    clients.emplace_back([&, asked] { served += get(asked).body == "the file" ? 1 : 0; });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(served, 20);
  EXPECT_EQ(slow.asked, 1);
}

// The operator named the server, and not where it sends us.
TEST_F(UpstreamTest, ARedirectIntoOurOwnNetworkIsNotFollowed) {
  ScriptedServer inner(root_.path(),
                       [](net::Request&) { return net::Answer::text(200, "a secret"); });
  ScriptedServer outer(root_.path(), [&](net::Request& request) {
    const bool is_inside = request.path.find("inside") != std::string::npos;
    return is_inside ? net::Answer::text(200, "the file")
                     : net::Answer::redirect(302, request.path.find("own.bin") == std::string::npos
                                                      ? inner.url() + "/secret"
                                                      : "/inside");
  });
  const std::string table = outer.table("retry_seconds = 3600\ncabinets = 0\n");
  start(table);
  EXPECT_EQ(get(store_path("app.bin")).status, 404);
  EXPECT_EQ(get("/more.bin/1/more.bin").status, 404);
  EXPECT_EQ(inner.asked, 0);
  EXPECT_GT(outer.asked, 0);
  const std::string why = "127.0.0.1 may not be connected to; it counts as having no file there";
  EXPECT_EQ(times_in(server_->log(), why), 1u) << server_->log();
  EXPECT_EQ(get("/own.bin/1/own.bin").body, "the file");  // on the server itself it may lead on
  // Unless the operator says that this address is good: no miss of before stands in the way.
  ASSERT_EQ(server_->stop(), 0);
  start(table + "private_addresses = [\"127.0.0.0/8\"]\n");
  EXPECT_EQ(get(store_path("app.bin")).body, "a secret");
}

// Who set it up reads what is wrong, and when it is right there is no miss that would last.
TEST_F(UpstreamTest, ACertificateThatNobodyVouchesForIsNoMiss) {
  REQUIRE_OR_SKIP(testing_support::have_command("openssl"), "openssl is not installed");
  testing_support::must_run(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
      "/CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout " +
      path("key.pem") + " -out " + path("cert.pem") + " 2>/dev/null");
  const std::string tls = "127.0.0.1:" + std::to_string(testing_support::free_port());
  write("theirs/store" + store_path("app.bin"), "the file");
  write("theirs.toml", "[[upstream]]\nurl = \"" + path("theirs/store") + "\"\n");
  const auto theirs = ServerProcess::start(
      {path("theirs/data"),
       {"--config", path("theirs.toml")},
       {},
       {"FAULTLINE_TLS_LISTEN=" + tls, "FAULTLINE_TLS_CERTIFICATE=" + path("cert.pem"),
        "FAULTLINE_TLS_KEY=" + path("key.pem")}});
  ASSERT_NE(theirs.url(), "");
  const std::string table = "[[upstream]]\nurl = \"https://" + tls + "\"\nretry_seconds = 3600\n";
  start(table);
  EXPECT_EQ(get(store_path("app.bin")).status, 503);
  EXPECT_NE(times_in(server_->log(), "warning upstream https://" + tls), 0u) << server_->log();
  EXPECT_NE(times_in(server_->log(), "certificate"), 0u) << server_->log();
  ASSERT_EQ(server_->stop(), 0);
  start(table + "ca_bundle = \"" + path("cert.pem") + "\"\n");
  EXPECT_EQ(get(store_path("app.bin")).body, "the file") << server_->log();
}

// A few bytes a second are no download: its turn is the next one's.
TEST_F(UpstreamTest, WhoDripsGivesItsTurnBack) {
  ScriptedServer dripping(root_.path(), [](net::Request& request) {
    if (request.path.find("slow") == std::string::npos) return net::Answer::text(200, "the file");
    net::Answer answer;
    answer.body = net::Producer([until = std::chrono::steady_clock::now() +
                                         std::chrono::seconds(60)]() -> base::Result<std::string> {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      return std::chrono::steady_clock::now() < until ? std::string("x") : std::string();
    });
    return answer;
  });
  const std::string more = "cabinets = 0\nrequests_max = 1\nwait_seconds = 20\nstall_seconds = 1\n";
  start(dripping.table(more));
  std::thread slow([&] {
    const auto answer = net::Client().get(server_->url() + "/slow/1/slow");
    EXPECT_TRUE(!answer.ok() || answer->status != 200);
  });
  while (dripping.asked == 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(get(store_path("app.bin")).body, "the file");
  slow.join();
  EXPECT_NE(times_in(server_->log(), "Less than 1024 bytes/sec"), 0u) << server_->log();
}

TEST_F(UpstreamTest, WhatEndsEarlyIsNotServed) {
  ScriptedServer cut(root_.path(), [](net::Request&) {
    net::Answer answer;
    answer.body = net::Producer([sent = false]() mutable -> base::Result<std::string> {
      if (std::exchange(sent, true)) return base::Error{base::Fault::unavailable, "cut"};
      return std::string("half of the ");
    });
    return answer;
  });
  start(cut.table());
  EXPECT_NE(get(store_path("app.bin")).status, 200);
}

TEST_F(UpstreamTest, AWebPageIsNoFile) {
  ScriptedServer web(root_.path(), [](net::Request&) {
    return net::Answer::html(200, "\n<!DOCTYPE html><title>Not found</title>");
  });
  start(web.table());
  EXPECT_EQ(get(store_path("app.bin")).status, 404);
}

// Whose server it is, and where, is not for everybody.
TEST_F(UpstreamTest, AnAnswerDoesNotSayWhichServerFailed) {
  ScriptedServer broken(root_.path(), [](net::Request&) { return net::Answer::text(500, "no"); });
  start(broken.table());
  const auto answer = get(store_path("app.bin"));
  EXPECT_NE(answer.status, 200);
  const std::string said =
      answer.body + std::string(answer.headers.find("X-Faultline-Reason").value_or(""));
  EXPECT_EQ(said.find(broken.url().substr(7)), std::string::npos) << said;
  EXPECT_TRUE(server_->log_comes_to_say(broken.url())) << server_->log();
}

// A copy that had to go is fetched again; when its server has it no more, it is a miss.
TEST_F(UpstreamTest, WhatWasEvictedIsFetchedAgain) {
  write("store" + store_path("app.bin"), "the file");
  start_with_directory("retry_seconds = 1\n");
  EXPECT_EQ(get(store_path("app.bin")).body, "the file");
  const auto evict = [&] {
    server_->kill();
    ASSERT_TRUE(base::remove_tree(path("data/extracted")).ok());
    start_with_directory("retry_seconds = 1\n");
  };
  evict();
  EXPECT_EQ(get(store_path("app.bin")).body, "the file");
  write("store" + store_path("app.bin"), "another file");
  evict();
  EXPECT_EQ(get(store_path("app.bin")).body, "another file");
  ASSERT_TRUE(base::remove_tree(path("store/app.bin")).ok());
  evict();
  EXPECT_EQ(get(store_path("app.bin")).status, 404);
}

TEST_F(UpstreamTest, WhatIsLargerThanTheCacheIsServedAndNotKept) {
  const std::string large(3'000'000, 'x');
  write("store" + store_path("app.bin"), large);
  write("store/small.bin/1/small.bin", "small");
  start("[[upstream]]\nurl = \"" + path("store") + "\"\n[cache]\nsize = \"1 MiB\"\n");
  const auto kept = [&] {
    const auto files = base::list_files(path("data/extracted"));
    return files.ok() ? files->size() : 0;
  };
  EXPECT_EQ(get("/small.bin/1/small.bin").body, "small");
  EXPECT_EQ(kept(), 1u);
  EXPECT_TRUE(get(store_path("app.bin")).body == large);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (kept() != 1 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(kept(), 1u) << "nothing went for it, and it goes by itself";
  EXPECT_EQ(get("/small.bin/1/small.bin").body, "small");
  EXPECT_TRUE(get(store_path("app.bin")).body == large);
}

TEST_F(UpstreamTest, ALowerBoundOfTheCacheHoldsFromTheStartOn) {
  const std::string table = "[[upstream]]\nurl = \"" + path("store") + "\"\n";
  for (const char* name : {"a", "b", "c"}) {
    write(fmt::format("store/{0}/1/{0}", name), std::string(1000, *name));
  }
  start(table);
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_EQ(get(fmt::format("/{0}/1/{0}", name)).status, 200);
  }
  server_->kill();
  start(table + "[scan]\nextracted = 2500\n");
  EXPECT_EQ(base::list_files(path("data/extracted")).value().size(), 2u);
  server_->kill();
  start(table + "[cache]\nsize = 1500\n");
  EXPECT_EQ(base::list_files(path("data/extracted")).value().size(), 1u);
}

// …and the next server is asked when its own does not answer.
TEST_F(UpstreamTest, WhatWasEvictedMayComeFromAnotherServer) {
  std::atomic<bool> is_down = false;
  ScriptedServer first(root_.path(), [&](net::Request&) {
    return is_down ? net::Answer::text(500, "down") : net::Answer::text(200, "the file");
  });
  write("store/here", "");
  const auto start_both = [&] {
    start(first.table() + "[[upstream]]\nurl = \"" + path("store") + "\"\nretry_seconds = 1\n");
  };
  start_both();
  EXPECT_EQ(get(store_path("app.bin")).body, "the file");
  server_->kill();
  ASSERT_TRUE(base::remove_tree(path("data/extracted")).ok());
  is_down = true;
  start_both();
  EXPECT_EQ(get(store_path("app.bin")).status, 503);  // somebody has it
  write("store" + store_path("app.bin"), "the file");
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (get(store_path("app.bin")).status != 200 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  EXPECT_EQ(get(store_path("app.bin")).body, "the file");
}

// It lets us in no more: asking again later does not help, and what we know of the file stays.
TEST_F(UpstreamTest, WhatWasEvictedAndIsRefusedNowIsAMissThatSaysSo) {
  std::atomic<int> status = 200;
  ScriptedServer upstream(root_.path(),
                          [&](net::Request&) { return net::Answer::text(status, "the file"); });
  start(upstream.table("retry_seconds = 1\n"));
  EXPECT_EQ(get(store_path("app.bin")).body, "the file");
  for (const int refusal : {401, 403}) {
    server_->kill();
    ASSERT_TRUE(base::remove_tree(path("data/extracted")).ok());
    status = refusal;
    start(upstream.table("retry_seconds = 1\n"));
    const auto refused = get(store_path("app.bin"));
    EXPECT_EQ(refused.status, 404) << refusal;
    const auto reason = refused.headers.find("X-Faultline-Reason");
    EXPECT_NE(reason.value_or("").find("refuses it to us"), std::string::npos) << refusal;
    status = 200;
    server_->kill();
    start(upstream.table("retry_seconds = 1\n"));
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (get(store_path("app.bin")).status != 200 && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    EXPECT_EQ(get(store_path("app.bin")).body, "the file") << refusal;
  }
}

TEST_F(UpstreamTest, ACabinetThatWasEvictedIsFetchedOnceMore) {
  auto cab = base::PendingFile::create(root_.path()).value();
  ASSERT_TRUE(archive::write_cab("app.bin", base::bytes_of("the plain file"), {}, cab).ok());
  const std::string packed = base::read_file(cab.path()).value();
  ScriptedServer upstream(root_.path(), [&](net::Request& request) {
    return request.path.ends_with('_') ? net::Answer::text(200, packed)
                                       : net::Answer::text(404, "no");
  });
  start(upstream.table());
  EXPECT_EQ(get(store_path("app.bin")).body, "the plain file");
  EXPECT_EQ(upstream.asked, 2);  // the file, the cabinet
  server_->kill();
  ASSERT_TRUE(base::remove_tree(path("data/extracted")).ok());
  start(upstream.table());
  EXPECT_EQ(get(store_path("app.bin")).body, "the plain file");
  EXPECT_EQ(upstream.asked, 3);
}

// Files that have to be fetched again from a slow server hold up nobody's else.
TEST_F(UpstreamTest, ASlowServerDoesNotHoldUpWhatOthersHave) {
  std::atomic<bool> is_slow = false;
  ScriptedServer slow(root_.path(), [&](net::Request& request) {
    if (request.path.find("slow") == std::string::npos) return net::Answer::text(404, "no");
    while (is_slow) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return net::Answer::text(200, "late");
  });
  write("store" + store_path("app.bin"), "the file");
  const std::string tables = slow.table() + "[[upstream]]\nurl = \"" + path("store") + "\"\n";
  start(tables);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(get(fmt::format("/slow{0}/1/slow{0}", i)).body, "late");
  EXPECT_EQ(get(store_path("app.bin")).body, "the file");
  server_->kill();
  ASSERT_TRUE(base::remove_tree(path("data/extracted")).ok());
  start(tables);
  is_slow = true;
  const int before = slow.asked;
  std::vector<std::thread> clients;
  clients.reserve(4);
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&, i] { get(fmt::format("/slow{0}/1/slow{0}", i)); });
  }
  while (slow.asked < before + 4) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(get(store_path("app.bin")).body, "the file");
  is_slow = false;
  for (std::thread& client : clients) client.join();
}

TEST_F(UpstreamTest, SecretsDoNotStandInAUrl) {
  write("faultline.toml", "[[upstream]]\nurl = \"http://me:secret@127.0.0.1:1/\"\n");
  const auto end = base::run_child(
      testing_support::faultline_program(),
      {"faultline", "serve", "--data", path("data"), "--config", path("faultline.toml")});
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->exit_code, 2);
  EXPECT_NE(end->errors.find("no user or password in the url"), std::string::npos) << end->errors;
  EXPECT_EQ(end->errors.find("secret"), std::string::npos) << end->errors;
}

// Nobody is left waiting for a server that never answers.
TEST_F(UpstreamTest, AStopDoesNotWaitForASlowServer) {
  std::atomic<bool> go = false;
  ScriptedServer slow(root_.path(), [&](net::Request&) {
    while (!go) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return net::Answer::text(200, "late");
  });
  start(slow.table());
  std::thread client(
      [&] { static_cast<void>(net::Client().get(server_->url() + store_path("app.bin"))); });
  while (slow.asked == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(server_->stop(), 0);
  EXPECT_FALSE(go);
  go = true;
  client.join();
}

// A file may be missing, or what lets us in may have ended: who set it up is told, once.
TEST_F(UpstreamTest, ARefusalInSpiteOfCredentialsIsLoggedOnce) {
  ScriptedServer refusing(root_.path(), [](net::Request&) { return net::Answer::text(403, "no"); });
  start(refusing.table("headers = [\"Authorization: Bearer a-secret\"]\n"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get(fmt::format("/f{0}/1/f{0}", i)).status, 404);
  EXPECT_EQ(times_in(server_->log(), "they let us in no more"), 1u) << server_->log();
  EXPECT_EQ(times_in(server_->log(), "a-secret"), 0u);
  server_->kill();
  start(refusing.table());
  EXPECT_EQ(get("/g/1/g").status, 404);
  EXPECT_EQ(times_in(server_->log(), "they let us in no more"), 0u) << server_->log();
}

TEST_F(UpstreamTest, AProxyThatAsksWhoWeAreIsAFailure) {
  for (const int status : {407, 511}) {
    ScriptedServer proxy(root_.path(),
                         [&](net::Request&) { return net::Answer::text(status, "who?"); });
    start(proxy.table("failures_max = 1\n"));
    EXPECT_NE(get("/f/1/f").status, 404) << status;
    EXPECT_NE(get("/g/1/g").status, 404) << status;
    EXPECT_EQ(proxy.asked, 1);
    server_->kill();
  }
}

// A full disk of ours is not the server's failure: it is asked again as soon as there is room.
TEST_F(UpstreamTest, OurFullDiskIsNotTheServersFailure) {
  auto disk = testing_support::SmallDisk::mount("6m");
  REQUIRE_OR_SKIP(disk.has_value(), "may not mount a tmpfs");
  const std::string large(8'000'000, 'x');
  ScriptedServer sending(root_.path(),
                         [&](net::Request&) { return net::Answer::text(200, large); });
  write("faultline.toml", sending.table("failures_max = 1\nrest_seconds = 3600\n"));
  server_.emplace(
      ServerProcess::start({disk->path() + "/data",
                            {"--config", path("faultline.toml")},
                            {},
                            {"FAULTLINE_LIMITS_DISK_FREE=0", "FAULTLINE_DISK_STOP_CACHING=0",
                             "FAULTLINE_DISK_STOP_EXTRACTING=0"}}));
  ASSERT_NE(server_->url(), "");
  // What had begun to be sent on is reset.
  const auto cut = net::Client().get(server_->url() + "/f/1/f");
  EXPECT_TRUE(!cut.ok() || cut->status != 200);
  EXPECT_GT(sending.asked, 0);
  EXPECT_NE(times_in(server_->log(), "cannot be kept"), 0u) << server_->log();
  disk->resize("60m");
  EXPECT_TRUE(get("/g/1/g").body == large) << server_->log();
}

TEST_F(UpstreamTest, AWrongTableIsAnErrorThatNamesIt) {
  write("faultline.toml", "[[upstream]]\nurl = \"http://127.0.0.1:1/\"\nlayuot = \"ssqp\"\n");
  const auto end = base::run_child(
      testing_support::faultline_program(),
      {"faultline", "serve", "--data", path("data"), "--config", path("faultline.toml")});
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->exit_code, 2) << end->errors;
  EXPECT_NE(end->errors.find("faultline.toml:3: [[upstream]] has no key layuot"), std::string::npos)
      << end->errors;
}

}  // namespace
