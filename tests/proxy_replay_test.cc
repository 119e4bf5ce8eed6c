// The requests of Windows' debuggers and of .NET's tools, replayed over one connection as they send
// them, against a server that has nothing and asks a static symbol store behind a real nginx. Its
// access log says what came of it: each thing once, nothing the second time, and with nginx gone
// the same answers.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "formats/archive/cab.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/peer_process.h"
#include "testing/raw_http.h"
#include "testing/server_process.h"

namespace {

using testing_support::have_command;
using testing_support::must_run;
using testing_support::Nginx;
using testing_support::RawAnswer;
using testing_support::RawClient;
using testing_support::ServerProcess;

constexpr std::string_view kSymsrv =
    "Host: symbols.example\r\nUser-Agent: Microsoft-Symbol-Server/10.0.22621.1\r\n"
    "Connection: Keep-Alive\r\nCache-Control: no-cache\r\n"
    "Symbol-Agent-Receive-Timeout: 30000\r\n";
constexpr std::string_view kDotnet =
    "Host: symbols.example\r\nX-TFS-FedAuthRedirect: Suppress\r\n"
    "Authorization: Basic OnBlcnNvbmFsLXRva2Vu\r\n";

std::string must_read(const std::string& path) {
  const auto text = base::read_file(path);
  EXPECT_TRUE(text.ok()) << path;
  return text.ok() ? *text : "";
}

std::string expanded(const std::string& cabinet) {
  std::string plain;
  const std::string packed = must_read(cabinet);
  const auto member = archive::expand_cab(base::bytes_of(packed), {}, [&](base::Bytes piece) {
    plain += base::text_of(piece);
    return base::Result<void>();
  });
  EXPECT_TRUE(member.ok()) << cabinet;
  return plain;
}

struct Row {
  std::string target;
  int status;
  std::string body;          // of a 200; kAny: whatever
  std::string headers = "";  // of this request
  std::string method = "GET";
};
constexpr const char* kAny = "?";

class ProxyReplay : public testing::Test {
 protected:
  void SetUp() override { REQUIRE_OR_SKIP(have_command("nginx"), "nginx is not installed"); }

  // Below the root of nginx.
  void put(const std::string& path, std::string_view bytes) const {
    ASSERT_TRUE(base::write_file_durably(root_ + "/store/" + path, base::bytes_of(bytes)).ok());
  }
  void copy(const std::string& from, const std::string& to) const { put(to, must_read(from)); }
  void start_nginx(const std::string& more = "") {
    nginx_.emplace(root_ + "/nginx", "root " + root_ + "/store;\n" + more);
    ASSERT_TRUE(nginx_->is_up());
    url_ = nginx_->url();
  }
  void start(const std::string& table, std::vector<std::string> environment = {}) {
    table_ = table;
    environment_ = std::move(environment);
    const std::string config = root_ + "/faultline.toml";
    const std::string text =
        "[[upstream]]\nurl = \"" + url_ + "/\"\nretry_seconds = 3600\n" + table;
    ASSERT_TRUE(base::write_file_durably(config, base::bytes_of(text)).ok());
    server_.emplace(
        ServerProcess::start({root_ + "/data", {"--config", config}, {}, environment_}));
    ASSERT_NE(server_->url(), "");
  }
  void restart() {
    ASSERT_EQ(server_->stop(), 0);
    start(table_, environment_);
  }
  std::string address() const { return server_->url().substr(std::string("http://").size()); }

  // In their order, over one connection.
  void replay(std::string_view head, const std::vector<Row>& rows, const std::string& when) {
    SCOPED_TRACE(when);
    RawClient client(address());
    for (const Row& row : rows) {
      SCOPED_TRACE(row.method + " " + row.target);
      ASSERT_TRUE(client.send(row.method + " " + row.target + " HTTP/1.1\r\n" + std::string(head) +
                              row.headers + "\r\n"));
      const RawAnswer answer = client.read_answer(row.method == "HEAD");
      ASSERT_TRUE(answer.complete);
      EXPECT_EQ(answer.status, row.status) << answer.body.substr(0, 300) << server_->log();
      if (answer.status != 200) EXPECT_EQ(answer.header("Cache-Control"), "no-store");
      EXPECT_EQ(answer.header("Symbol-Agent-Status"), "");
      if (row.method == "HEAD") {
        EXPECT_EQ(answer.header("Content-Length"), std::to_string(row.body.size()));
      } else if (row.status == 200 && row.body != kAny) {
        EXPECT_TRUE(answer.body == row.body) << answer.body.size();
      }
    }
  }
  // What nginx was asked for so far; it notes a request a moment after its end.
  std::vector<std::string> settled_log() const {
    std::vector<std::string> before = nginx_->asked();
    for (int i = 0; i < 50; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      std::vector<std::string> now = nginx_->asked();
      if (now == before) break;
      before = std::move(now);
    }
    return before;
  }
  static std::set<std::string> with_status(const std::vector<std::string>& log,
                                           const std::string& status) {
    std::set<std::string> targets;
    for (const std::string& line : log) {
      const auto parts = base::split(line, ' ');
      if (parts.size() == 3 && parts[2] == status) targets.emplace(parts[1]);
    }
    return targets;
  }
  // First run, second run, with nginx gone, and after a restart of ours: the same answers.
  void replay_every_time(std::string_view head, const std::vector<Row>& rows,
                         const std::set<std::string>& fetched) {
    replay(head, rows, "the first time");
    const std::vector<std::string> log = settled_log();
    EXPECT_EQ(with_status(log, "200"), fetched);
    EXPECT_EQ(std::set<std::string>(log.begin(), log.end()).size(), log.size())
        << "something was asked for twice:\n"
        << fmt::format("{}", fmt::join(log, "\n"));
    for (const std::string& line : log) EXPECT_TRUE(line.starts_with("GET ")) << line;
    for (const char* own : {"index2.txt", "pingme.txt", "file.ptr", "msfz0"}) {
      for (const std::string& line : log) EXPECT_EQ(line.find(own), std::string::npos) << line;
    }
    replay(head, rows, "the second time");
    EXPECT_EQ(settled_log(), log);
    nginx_->stop();
    replay(head, rows, "with nginx gone");
    restart();
    replay(head, rows, "after a restart");
  }

  base::TemporaryDirectory directory_ = base::TemporaryDirectory::create("replay").value();
  const std::string root_ = directory_.path();
  std::string url_, table_;
  std::vector<std::string> environment_;
  std::optional<Nginx> nginx_;
  std::optional<ServerProcess> server_;
};

// ---- symsrv ----

class SymsrvReplay : public ProxyReplay {
 protected:
  // A store of one tier: plain files, one that is there as a cabinet only, and a pointer.
  void make_store(const std::string& corpus) {
    const std::string store = corpus + "/symbols/store/";
    must_run("mkdir -p " + root_ + "/store && cp -r " + store + "single-tier/. " + root_ +
             "/store && chmod -R u+w " + root_ + "/store");
    copy(store + "two-tier/la/lantern.dll/69A555155000/lantern.dl_",
         "lantern.dll/69A555155000/lantern.dl_");
    put("pointed.pdb/946967C36ED4F5254C4C44205044422E1/file.ptr", "PATH:\\\\files\\drop\\x.pdb");
  }
  static constexpr const char* kPdb =
      "/dummyprog.pdb/F6301B4562FE4B4DB691192733ECE6B71/dummyprog.pdb";
  static constexpr const char* kDll = "/lantern.dll/69A555155000/lantern.dl_";
};

TEST_F(SymsrvReplay, AStoreOfOneTier) {
  REQUIRE_CORPUS(corpus);
  make_store(corpus);
  start_nginx();
  start("");
  const std::string pdb = must_read(root_ + "/store" + kPdb);
  const std::string exe = must_read(root_ + "/store/dummyprog.exe/5617D4FE8000/dummyprog.exe");
  const std::string aged = "/bigage.pdb/C9A61DDDD7E44353A668E39AC614A7EAa/bigage.pdb";
  const std::string big = must_read(root_ + "/store" + aged);
  const std::string dll = expanded(root_ + "/store" + kDll);
  const std::string lost = "/kernel32.pdb/B07C97792B439ABC0DF83499536C7AE51/";
  const std::string pointed = "/pointed.pdb/946967C36ED4F5254C4C44205044422E1/";
  const std::vector<Row> rows{
      {"/index2.txt", 404, ""},
      {"/pingme.txt", 200, ""},
      {kPdb, 200, pdb},
      {"/" + std::string(kPdb), 200, pdb},  // a base that ends in a slash
      {"/symbols/DUMMYPROG.PDB/f6301b4562fe4b4db691192733ece6b71/DUMMYPROG.PDB", 200, pdb},
      {kPdb, 200, pdb, "", "HEAD"},
      {"/dummyprog.exe/5617d4fe8000/dummyprog.exe", 200, exe},
      {"/dummyprog.exe/5617D4FE8001/dummyprog.exe", 404, ""},
      // The store tells case apart; an agent that wrote the id in lower case finds it all the same.
      {"/bigage.pdb/c9a61dddd7e44353a668e39ac614a7eaa/bigage.pdb", 200, big},
      {aged, 200, big},
      // There as a cabinet alone.
      {"/lantern.dll/69A555155000/lantern.dll", 200, dll},
      {kDll, 200, kAny},
      {"/la/lantern.dll/69A555155000/lantern.dll", 200, dll},
      // The whole order of an agent that finds nothing.
      {lost + "kernel32.pdb", 404, ""},
      {lost + "kernel32.pd_", 404, ""},
      {lost + "file.ptr", 404, ""},
      {lost + "msfz0/kernel32.pdb", 404, ""},
      // A pointer on somebody's web server leads nowhere, and is not asked for.
      {pointed + "pointed.pdb", 404, ""},
      {pointed + "pointed.pd_", 404, ""},
      {pointed + "file.ptr", 404, ""}};
  replay_every_time(kSymsrv, rows, {kPdb, "/dummyprog.exe/5617D4FE8000/dummyprog.exe", aged, kDll});
}

// Agents that saw index2.txt write two letters before each name; the store upstream does, too.
TEST_F(SymsrvReplay, TwoTiersOnBothSides) {
  REQUIRE_CORPUS(corpus);
  must_run("mkdir -p " + root_ + "/store && cp -r " + corpus + "/symbols/store/two-tier/. " +
           root_ + "/store && chmod -R u+w " + root_ + "/store");
  start_nginx();
  start("layout = \"symstore-two-tier\"\n", {"FAULTLINE_STORE_TWO_TIER=1"});
  const std::string path = "/lantern.pdb/5D40C491D35BA6CC4C4C44205044422E1/lantern.pdb";
  const std::string packed = "/lantern.pdb/FC87DEC9E9E597F64C4C44205044422E1/lantern.pd_";
  const std::string pdb = must_read(root_ + "/store/la" + path);
  const std::string plain = expanded(root_ + "/store/la" + packed);
  const std::string lost = "/nt/ntdll.pdb/1EB9FACB04C73C5DEA7160764CD333D01/";
  const std::vector<Row> rows{
      {"/index2.txt", 200, ""},
      {"/la" + path, 200, pdb},
      {path, 200, pdb},  // LLDB and others know one tier
      {"/la/lantern.pdb/FC87DEC9E9E597F64C4C44205044422E1/lantern.pdb", 200, plain},
      {lost + "ntdll.pdb", 404, ""},
      {lost + "ntdll.pd_", 404, ""},
      {lost + "file.ptr", 404, ""}};
  replay_every_time(kSymsrv, rows, {"/la" + path, "/la" + packed});
}

// How many tiers it has is asked once; who is not there to say it has said what it has not.
TEST_F(SymsrvReplay, AStoreWhoseTiersAreFoundOut) {
  const std::string there = "/there.bin/0123456789ABCDEF0123456789ABCDEF1/there.bin";
  const std::string lost = "/lost.bin/0123456789ABCDEF0123456789ABCDEF1/lost.bin";
  put(there.substr(1), "content");
  start_nginx();
  start("layout = \"symstore-any\"\ncabinets = 0\n");
  const std::vector<Row> rows{{there, 200, "content"}, {lost, 404, ""}};
  replay(kSymsrv, rows, "the first time");
  const std::vector<std::string> log = settled_log();
  EXPECT_EQ(log.at(0), "GET /index2.txt 404");
  EXPECT_EQ(std::count(log.begin(), log.end(), log.at(0)), 1);
  EXPECT_EQ(with_status(log, "200"), std::set<std::string>{there});
  nginx_->stop();
  restart();
  replay(kSymsrv, rows, "after a restart, with nginx gone");
}

// The operator says where the shares are that pointers name; nobody else's pointer reads our disk.
TEST_F(SymsrvReplay, PointersLeadWhereTheOperatorSays) {
  REQUIRE_CORPUS(corpus);
  const std::string pdb = must_read(corpus + "/symbols/store/pointer-target/lantern.pdb");
  ASSERT_TRUE(base::write_file_durably(root_ + "/share/x.pdb", base::bytes_of(pdb)).ok());
  ASSERT_TRUE(base::write_file_durably(root_ + "/outside/x.pdb", base::bytes_of(pdb)).ok());
  const std::string good = "lantern.pdb/946967C36ED4F5254C4C44205044422E1/";
  put(good + "file.ptr", "PATH:\\\\files\\drop\\x.pdb");
  const std::vector<std::string> bad{"PATH:\\\\files\\drop\\..\\outside\\x.pdb",
                                     "PATH:" + root_ + "/outside/x.pdb",
                                     "PATH:\\\\169.254.169.254\\drop\\x.pdb",
                                     "file:///etc/passwd",
                                     "http://169.254.169.254/latest/meta-data",
                                     "PATH:C:\\Windows\\win.ini",
                                     "MSG: withdrawn",
                                     ""};
  // Each would lead to the very file that is wanted, were it followed.
  std::vector<Row> rows;
  for (std::size_t i = 0; i < bad.size(); ++i) {
    const std::string name = fmt::format("lantern{}.pdb", i);
    const std::string place = name + "/946967C36ED4F5254C4C44205044422E1/";
    put(place + "file.ptr", bad[i]);
    rows.push_back({fmt::format("/{}{}", place, name), 404, ""});
  }
  start_nginx();
  start("pointers = 1\n", {"FAULTLINE_STORE_POINTERS=\\\\files\\drop=" + root_ + "/share"});
  replay(kSymsrv, rows, "pointers that lead out");
  replay(kSymsrv, rows, "remembered");
  const std::vector<std::string> log = settled_log();
  EXPECT_EQ(std::set<std::string>(log.begin(), log.end()).size(), log.size());
  EXPECT_EQ(with_status(log, "200").size(), bad.size()) << "each pointer was read, once";
  replay(kSymsrv, {{"/" + good + "lantern.pdb", 200, pdb}}, "a pointer that leads to a share");
}

// A server that sends a file slowly: the agent reads it while it comes, well within the time-out
// that it says it has, and the server sends it once however many ask.
TEST_F(SymsrvReplay, ASlowServersFileIsReadWhileItComes) {
  const std::string path = "/slow.bin/0123456789ABCDEF0123456789ABCDEF1/slow.bin";
  std::string content;
  while (content.size() < 600'000) content += fmt::format("{}\n", content.size() * 7919);
  put(path.substr(1), content);
  start_nginx("limit_rate 150k;\n");
  start("cabinets = 0\n");
  std::vector<std::thread> agents;
  agents.reserve(3);
  for (int i = 0; i < 3; ++i) {
    agents.emplace_back([&] { replay(kSymsrv, {{path, 200, content}}, "at once"); });
  }
  for (std::thread& agent : agents) agent.join();
  EXPECT_EQ(settled_log(), std::vector<std::string>{"GET " + path + " 200"});
}

// ---- .NET ----

TEST_F(ProxyReplay, DotnetsKeysAgainstAStoreInLowerCase) {
  REQUIRE_CORPUS(corpus);
  const std::string objects = corpus + "/symbols/objects/";
  const std::string id = "126ba1461caf6644cfdd124bfcceeffa81b18897";
  const std::string portable =
      "/system.threading.thread.pdb/a43b38726e6a4b3cb1691f35f0d6cc48FFFFFFFF/"
      "system.threading.thread.pdb";
  const std::string exe = "/helloworld.exe/577F59198000/helloworld.exe";
  const std::string pdb = "/helloworld.pdb/99891b3ed7ae4c3babff8a2b4a9b0c431/helloworld.pdb";
  const std::string elf = "/stripped_executable/elf-buildid-" + id + "/stripped_executable";
  const std::string debug = "/_.debug/elf-buildid-sym-" + id + "/_.debug";
  const std::vector<std::pair<std::string, std::string>> files{
      {portable, "portable-pdb/threading-dir1/System.Threading.Thread.pdb"},
      {exe, "pe-pdb/dotnet-helloworld/HelloWorld.exe"},
      {pdb, "pe-pdb/dotnet-helloworld/HelloWorld.pdb"},
      {elf, "elf/dotnet-stripped/stripped_executable"},
      {debug, "elf/dotnet-stripped/symbolized_executable"}};
  std::set<std::string> fetched;
  std::vector<Row> rows;
  for (const auto& [key, object] : files) {
    copy(objects + object, key.substr(1));
    rows.push_back({key, 200, must_read(objects + object)});
    fetched.insert(key);
  }
  rows.push_back({portable, 200, must_read(objects + files[0].second),
                  "SymbolChecksum: "
                  "SHA256:de0766d608c433b8f457e4bb91388afb480ea14747a31ff9d72f7938083bffbc\r\n"});
  rows.push_back({base::upper_ascii(pdb), 200, must_read(objects + files[2].second)});
  for (const std::string& absent : std::vector<std::string>{
           "/libcoreclr.dylib/mach-uuid-fad93e41f2e23d11aab75e98d7fe66d6/libcoreclr.dylib",
           "/_.dwarf/mach-uuid-sym-fad93e41f2e23d11aab75e98d7fe66d6/_.dwarf",
           "/mscordaccore_x86_x86_1.2.3.45.dll/4D4F434B434c52/mscordaccore_x86_x86_1.2.3.45.dll",
           "/absent.pdb/a43b38726e6a4b3cb1691f35f0d6cc49FFFFFFFF/absent.pdb"}) {
    rows.push_back({absent, 404, ""});
  }
  start_nginx();
  start("layout = \"ssqp\"\n");
  // The image says which content its portable PDB must have; another is no answer, and does not
  // spoil it for who asks for the right one.
  const Row misfit{portable, 404, "", "SymbolChecksum: SHA256:" + std::string(64, '0') + "\r\n"};
  replay(kDotnet, {misfit, misfit}, "another content");
  replay_every_time(kDotnet, rows, fetched);
}

}  // namespace
