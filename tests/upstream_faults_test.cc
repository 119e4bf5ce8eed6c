// Every way in which an upstream server fails, seen by every kind of client: none is told what it
// would remember wrongly, and when the server is well again each gets the file.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/file.h"
#include "extract/identify.h"
#include "net/growing_file.h"
#include "testing/commands.h"
#include "testing/raw_http.h"
#include "testing/scripted_server.h"
#include "testing/server_process.h"

namespace {

using testing_support::RawAnswer;
using testing_support::ScriptedServer;
using testing_support::ServerProcess;

struct ClientRow {
  std::string name;
  std::string headers;
  bool by_build_id;
  int on_trouble;  // 0: the connection is reset
};

const std::vector<ClientRow>& clients() {
  static const std::vector<ClientRow> rows{
      {"symsrv", "User-Agent: Microsoft-Symbol-Server/10.0.10036.206\r\n", false, 503},
      {"dotnet", "X-TFS-FedAuthRedirect: Suppress\r\n", false, 503},
      {"breakpad", "", false, 503},
      {"lldb", "User-Agent: LLVM-HTTPClient/22.1.0\r\n", true, 503},
      {"debuginfod", "User-Agent: elfutils/0.188,Linux/x86_64,debian/12\r\n", true, 0},
      {"symbolicator", "User-Agent: symbolicator/25.3.0\r\n", false, 503},
      {"browser", "User-Agent: Mozilla/5.0\r\n", false, 503},
  };
  return rows;
}

// A body that ends before its declared end.
net::Answer cut_short(const std::string& directory) {
  auto file = base::PendingFile::create(directory).value();
  const auto growing = net::GrowingFile::create(file, 1 << 20).value();
  EXPECT_TRUE(growing->append(file, base::bytes_of("the first half")).ok());
  growing->fail();
  net::Answer answer;
  answer.body = growing;
  return answer;
}

struct FaultRow {
  std::string name;
  bool is_miss;  // it says something about the file: 404 for everybody
  std::function<net::Answer(const net::Request&, const std::string& directory)> answer;
};

net::Answer with_coding(std::string_view coding) {
  net::Answer answer = net::Answer::text(200, "not packed at all");
  answer.headers.add("Content-Encoding", coding);
  return answer;
}

const std::vector<FaultRow>& faults() {
  static const std::vector<FaultRow> rows{
      {"500", false, [](const auto&, const auto&) { return net::Answer::text(500, "no"); }},
      {"503", false, [](const auto&, const auto&) { return net::Answer::text(503, "later"); }},
      {"429", false, [](const auto&, const auto&) { return net::Answer::text(429, "too many"); }},
      {"reset", false,
       [](const auto&, const auto&) {
         net::Answer answer;
         answer.reset = true;
         return answer;
       }},
      {"cut", false, [](const auto&, const auto& directory) { return cut_short(directory); }},
      {"stall", false,
       [](const auto&, const auto&) {
         std::this_thread::sleep_for(std::chrono::milliseconds(2500));
         return net::Answer::text(200, "too late");
       }},
      {"404", true, [](const auto&, const auto&) { return net::Answer::text(404, "no"); }},
      {"403", true, [](const auto&, const auto&) { return net::Answer::text(403, "no"); }},
      {"loop", false,
       [](const net::Request& request, const auto&) {
         return net::Answer::redirect(302, request.target);
       }},
      {"private", true,
       [](const auto&, const auto&) {
         return net::Answer::redirect(302, "http://169.254.169.254/latest/meta-data");
       }},
      {"gzip", true, [](const auto&, const auto&) { return with_coding("gzip"); }},
      {"zstd", true, [](const auto&, const auto&) { return with_coding("zstd"); }},
      {"page", true,
       [](const auto&, const auto&) { return net::Answer::html(200, "<!DOCTYPE html>no"); }},
  };
  return rows;
}

class UpstreamFaultsTest : public testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    const std::string made = root_.path() + "/libone.so";
    testing_support::must_run("echo 'int f(void) { return 1; }' | cc -x c -shared -g -o '" + made +
                              "' - -Wl,--build-id=sha1");
    library_ = base::read_file(made).value();
    id_ = extract::identify(base::bytes_of(library_)).build_id;
    upstream_.emplace(root_.path(), [this](net::Request& request) {
      const FaultRow* fault = fault_;
      if (fault != nullptr) return fault->answer(request, root_.path());
      const bool is_there = request.path.find(id_) != std::string::npos ||
                            request.path.find(".bin") != std::string::npos;
      return is_there ? net::Answer::text(200, library_) : net::Answer::text(404, "no");
    });
  }
  void start() {
    const std::string config = root_.path() + "/faultline.toml";
    const std::string more =
        "retry_seconds = 1\nfailures_max = 0\nstall_seconds = 1\ncabinets = 0\n";
    const std::string tables =
        upstream_->table(more) + upstream_->table(more + "layout = \"debuginfod\"\n");
    ASSERT_TRUE(base::write_file_durably(config, base::bytes_of(tables)).ok());
    server_.emplace(ServerProcess::start({root_.path() + "/data", {"--config", config}, {}, {}}));
    ASSERT_NE(server_->url(), "");
  }
  std::string path_for(const ClientRow& client) const {
    if (client.by_build_id) return "/buildid/" + id_ + "/executable";
    const std::string name = client.name + ".bin";
    return fmt::format("/{0}/elf-buildid-{1}/{0}", name, id_);
  }
  RawAnswer get(const ClientRow& client) const {
    return testing_support::raw_get(server_->url().substr(7), path_for(client), client.headers);
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("faults").value();
  std::string library_, id_;
  std::atomic<const FaultRow*> fault_ = nullptr;
  std::optional<ScriptedServer> upstream_;
  std::optional<ServerProcess> server_;
};

TEST_P(UpstreamFaultsTest, NobodyRemembersItWrongly) {
  const FaultRow& fault = faults().at(GetParam());
  start();
  fault_ = &fault;
  for (const ClientRow& client : clients()) {
    SCOPED_TRACE(client.name);
    const RawAnswer answer = get(client);
    EXPECT_EQ(answer.status, fault.is_miss ? 404 : client.on_trouble);
    if (client.name == "symsrv" && !fault.is_miss) {
      EXPECT_EQ(answer.header("Symbol-Agent-Status"), "0x80070512");
    }
    if (answer.status != 0) EXPECT_EQ(answer.header("Cache-Control"), "no-store");
  }
  fault_ = nullptr;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (const ClientRow& client : clients()) {
    SCOPED_TRACE(client.name);
    while (get(client).status != 200 && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    EXPECT_TRUE(get(client).body == library_);
  }
}

INSTANTIATE_TEST_SUITE_P(All, UpstreamFaultsTest, testing::Range(std::size_t{0}, faults().size()),
                         [](const auto& row) { return "Fault" + faults().at(row.param).name; });

}  // namespace
