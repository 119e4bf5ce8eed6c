// A server that was started with what SymProxy kept in the registry: its clients go on asking below
// the virtual directories that they know.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "net/client.h"
#include "testing/server_process.h"

namespace {

using testing_support::ServerProcess;

constexpr std::string_view kId = "0123456789ABCDEF0123456789ABCDEF1";
constexpr std::string_view kSymbols = "Symbols";
constexpr std::string_view kPartners = "Partners";

std::string store_path(std::string_view name) { return fmt::format("/{0}/{1}/{0}", name, kId); }

class SymProxy : public testing::Test {
 protected:
  void SetUp() override {
    write("drop/ours" + store_path("ours.pdb"), "ours");
    write("drop/theirs" + store_path("theirs.pdb"), "theirs");
    start("");
  }
  void start(std::string_view options) {
    server_.reset();
    write("symproxy.reg", fmt::format("Windows Registry Editor Version 5.00\r\n"
                                      "\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Symbol "
                                      "Server Proxy]\r\n{}",
                                      options) +
                              web_directory(kSymbols, "ours") + web_directory(kPartners, "theirs"));
    server_.emplace(ServerProcess::start({root_.path() + "/data",
                                          {"--config", root_.path() + "/symproxy.reg", "--unc",
                                           "\\\\files\\drop=" + root_.path() + "/drop"},
                                          {},
                                          {}}));
    ASSERT_NE(server_->url(), "");
  }
  void write(const std::string& name, std::string_view text) const {
    ASSERT_TRUE(base::write_file_durably(root_.path() + "/" + name, base::bytes_of(text)).ok());
  }
  static std::string web_directory(std::string_view name, std::string_view store) {
    return fmt::format(
        "\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Symbol Server Proxy\\Web "
        "Directories\\{}]\r\n"
        "\"SymbolPath\"=\"\\\\\\\\files\\\\drop\\\\{}\"\r\n",
        name, store);
  }
  // As somebody elsewhere, whose debugger brings no token.
  net::ClientAnswer get(const std::string& path) const {
    net::ClientRequest request;
    request.url = server_->url() + path;
    request.headers.add("X-Forwarded-For", "192.0.2.7");
    const auto answer = net::Client().send(request);
    EXPECT_TRUE(answer.ok()) << path;
    return answer.ok() ? *answer : net::ClientAnswer{};
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("symproxy").value();
  std::optional<ServerProcess> server_;
};

TEST_F(SymProxy, EachVirtualDirectoryHasItsOwnServers) {
  EXPECT_EQ(get("/Symbols" + store_path("ours.pdb")).body, "ours");
  EXPECT_EQ(get("/symbols" + store_path("ours.pdb")).body, "ours");
  EXPECT_EQ(get("/Partners" + store_path("theirs.pdb")).body, "theirs");
  EXPECT_EQ(get("/PARTNERS" + store_path("theirs.pdb")).body, "theirs");
  EXPECT_EQ(get("/Symbols" + store_path("theirs.pdb")).status, 404);
  EXPECT_EQ(get("/Partners" + store_path("ours.pdb")).status, 404);
}

TEST_F(SymProxy, BelowAVirtualDirectoryThereAreSymbolFilesOnly) {
  EXPECT_EQ(get("/Partners/index2.txt").status, 404);
  EXPECT_EQ(get("/Partners/pingme.txt").status, 200);
  for (const char* path : {"/Symbols/metrics", "/Symbols/api/v1/projects", "/Symbols/crashes",
                           "/Partners/p/other/a.pdb/1/a.pdb"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
}

// Its UriTiers says so for all of them, those that are projects here too.
TEST_F(SymProxy, EachVirtualDirectoryHasTwoTiersWhenToldSo) {
  start("\"UriTiers\"=dword:00000002\r\n");
  EXPECT_EQ(get("/Symbols/index2.txt").status, 200);
  EXPECT_EQ(get("/Partners/index2.txt").status, 200);
  EXPECT_EQ(get("/Partners/th" + store_path("theirs.pdb")).body, "theirs");
}

// Nobody waits for a miss that is not remembered until his time is up.
TEST_F(SymProxy, AMissNeedNotBeRemembered) {
  start("\"MissTimeout\"=dword:00000000\r\n");
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(get("/Symbols" + store_path("late.pdb")).status, 404);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(10));
  write("drop/ours" + store_path("late.pdb"), "late");
  const auto until = before + std::chrono::seconds(30);
  while (get("/Symbols" + store_path("late.pdb")).status != 200 &&
         std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(get("/Symbols" + store_path("late.pdb")).body, "late");
}

TEST_F(SymProxy, ItsProjectsAreSaidToBeOpen) {
  const auto key = base::read_file(root_.path() + "/data/admin.key");
  ASSERT_TRUE(key.ok());
  net::ClientRequest request;
  request.url = server_->url() + "/settings/projects";
  request.headers.add("Authorization", "Bearer " + std::string(base::trim(*key)));
  const auto answer = net::Client().send(request);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->status, 200);
  EXPECT_NE(answer->body.find("partners"), std::string::npos);
  EXPECT_EQ(answer->body.find("private</span>"), std::string::npos) << answer->body;
}

TEST_F(SymProxy, OtherProjectsStayClosed) {
  // The project's own path says no more than the directory's.
  EXPECT_EQ(get("/p/partners" + store_path("theirs.pdb")).body, "theirs");
  EXPECT_EQ(get("/p/other" + store_path("theirs.pdb")).status, 404);
}

}  // namespace
