// Symbol stores that lie beside the server: pointers that lead into them, and files that a watch
// holds when the store lets go of them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "base/codec.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "extract/identify.h"
#include "formats/archive/cab.h"
#include "net/client.h"
#include "testing/corpus.h"
#include "testing/server_process.h"

namespace {

using testing_support::ServerProcess;

constexpr const char* kPointed = "/lantern.pdb/946967C36ED4F5254C4C44205044422E1/";
constexpr std::chrono::seconds kPatience{20};

std::string must_read(const std::string& path) {
  const auto text = base::read_file(path);
  EXPECT_TRUE(text.ok()) << path;
  return text.ok() ? *text : "";
}

std::string expanded(const std::string& path) {
  const std::string packed = must_read(path);
  std::string plain;
  const auto member = archive::expand_cab(base::bytes_of(packed), {}, [&](base::Bytes piece) {
    plain += base::text_of(piece);
    return base::Result<void>();
  });
  EXPECT_TRUE(member.ok()) << path;
  return plain;
}

class WatchedStores : public testing::Test {
 protected:
  void start(std::vector<std::string> environment) {
    server_.emplace(ServerProcess::start({root_ + "/data", {}, {}, std::move(environment)}));
    ASSERT_NE(server_->url(), "");
  }
  net::ClientAnswer send(const std::string& method, const std::string& path,
                         const std::string& body = "") {
    net::ClientRequest request;
    request.method = method;
    request.url = server_->url() + path;
    request.body = body;
    const auto answer = net::Client().send(request);
    EXPECT_TRUE(answer.ok()) << path;
    return answer.ok() ? *answer : net::ClientAnswer{};
  }
  net::ClientAnswer get(const std::string& path) { return send("GET", path); }
  void must_put(const std::string& path, const std::string& body) {
    const int status = send("PUT", path, body).status;
    EXPECT_TRUE(status == 200 || status == 201) << path << " " << status;
  }
  void write(const std::string& path, std::string_view text) const {
    ASSERT_TRUE(base::write_file_durably(root_ + "/" + path, base::bytes_of(text)).ok());
  }
  bool comes_to(const std::string& path, int status) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (get(path).status != status) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return true;
  }

  base::TemporaryDirectory directory_ = base::TemporaryDirectory::create("watched").value();
  const std::string root_ = directory_.path();
  std::optional<ServerProcess> server_;
};

TEST_F(WatchedStores, CompressedFilesAreServedPlain) {
  REQUIRE_CORPUS(corpus);
  const std::string objects = corpus + "/symbols/objects/";
  write("watched/basic32.pdb/X/basic32.pd_", must_read(objects + "cab/basic32-cab/basic32.pd_"));
  write("watched/ssltunnel.dbg.gz", must_read(objects + "elf/tecken-ssltunnel/ssltunnel.dbg.gz"));
  write("watched/doc/changelog.gz",
        std::string(base::text_of(base::gzip(base::bytes_of("words")))));
  const std::string plain = must_read(objects + "elf/tecken-ssltunnel/ssltunnel.dbg");
  const auto elf = extract::identify(base::bytes_of(plain));
  start({"FAULTLINE_SCAN_PATHS=" + root_ + "/watched", "FAULTLINE_SCAN_PACKAGES="});
  const std::string debuginfo = "/buildid/" + elf.build_id + "/debuginfo";
  ASSERT_TRUE(comes_to(debuginfo, 200)) << server_->log();
  EXPECT_TRUE(get(debuginfo).body == plain);
  const std::string pdb = expanded(objects + "cab/basic32-cab/basic32.pd_");
  const std::string id = extract::identify(base::bytes_of(pdb)).debug_id.breakpad();
  ASSERT_TRUE(comes_to("/basic32.pdb/" + id + "/basic32.pdb", 200)) << server_->log();
  EXPECT_TRUE(get("/basic32.pdb/" + id + "/basic32.pdb").body == pdb);
  EXPECT_EQ(get("/basic32.pdb/" + id + "/basic32.pd_").status, 200);
  ASSERT_TRUE(base::remove_file(root_ + "/watched/ssltunnel.dbg.gz").ok());
}

// Nothing is kept extracted: the packed file is read again when somebody asks.
TEST_F(WatchedStores, CompressedFilesComeAgainOnDemand) {
  REQUIRE_CORPUS(corpus);
  const std::string objects = corpus + "/symbols/objects/";
  write("watched/b.pdb/X/basic32.pd_", must_read(objects + "cab/basic32-cab/basic32.pd_"));
  const std::string pdb = expanded(objects + "cab/basic32-cab/basic32.pd_");
  const std::string id = extract::identify(base::bytes_of(pdb)).debug_id.breakpad();
  start({"FAULTLINE_SCAN_PATHS=" + root_ + "/watched", "FAULTLINE_SCAN_EXTRACTED=1"});
  ASSERT_TRUE(comes_to("/basic32.pdb/" + id + "/basic32.pdb", 200)) << server_->log();
  EXPECT_TRUE(get("/basic32.pdb/" + id + "/basic32.pdb").body == pdb);
}

TEST_F(WatchedStores, AnUploadedCompressedFileGivesItsSym) {
  REQUIRE_CORPUS(corpus);
  const std::string objects = corpus + "/symbols/objects/elf/tecken-ssltunnel/";
  const std::string packed = must_read(objects + "ssltunnel.dbg.gz");
  const std::string plain = must_read(objects + "ssltunnel.dbg");
  const auto elf = extract::identify(base::bytes_of(plain));
  const std::string folder = "/ssltunnel/" + elf.debug_id.breakpad() + "/";
  start({});
  must_put(folder + "ssltunnel.dbg.gz", packed);
  EXPECT_TRUE(get(folder + "ssltunnel.dbg.gz").body == packed);
  EXPECT_TRUE(get("/buildid/" + elf.build_id + "/debuginfo").body == plain);
  const auto sym = get(folder + "ssltunnel.sym");
  EXPECT_EQ(sym.status, 200);
  EXPECT_TRUE(sym.body.starts_with("MODULE Linux ")) << sym.body.substr(0, 100);
}

TEST_F(WatchedStores, APointerLeadsIntoTheStoreThatItCameFrom) {
  REQUIRE_CORPUS(corpus);
  const std::string pdb = must_read(corpus + "/symbols/store/pointer-target/lantern.pdb");
  const std::string pointer =
      must_read(corpus + "/symbols/store/two-tier/la" + kPointed + "file.ptr");
  write("stores/pointer-target/lantern.pdb", pdb);
  write("stores/two-tier/la" + std::string(kPointed) + "file.ptr", pointer);
  start({"FAULTLINE_STORE_POINTERS=" + root_ + "/stores/two-tier;" + root_ + "/stores"});
  EXPECT_EQ(get(std::string(kPointed) + "lantern.pdb").status, 404);
  must_put(std::string(kPointed) + "file.ptr", pointer);
  for (const std::string& path : std::vector<std::string>{
           std::string(kPointed) + "lantern.pdb", "/la" + std::string(kPointed) + "lantern.pdb",
           "/LANTERN.PDB/946967c36ed4f5254c4c44205044422e1/LANTERN.PDB"}) {
    const auto answer = get(path);
    EXPECT_EQ(answer.status, 200) << path << ": " << answer.body.substr(0, 200);
    EXPECT_TRUE(answer.body == pdb) << path;
  }
  EXPECT_EQ(get(std::string(kPointed) + "file.ptr").body, pointer) << "itself as it stands";
}

TEST_F(WatchedStores, NoPointerLeadsOut) {
  REQUIRE_CORPUS(corpus);
  const std::string pdb = must_read(corpus + "/symbols/store/pointer-target/lantern.pdb");
  write("watched/lantern.bin", pdb);
  write("watched/notes.txt", "secret");
  write("outside/lantern.pdb", pdb);
  ASSERT_EQ(::symlink("../outside/lantern.pdb", (root_ + "/watched/link.pdb").c_str()), 0);
  start({"FAULTLINE_STORE_POINTERS=\\\\files\\drop=" + root_ + "/watched",
         "FAULTLINE_SCAN_PATHS=" + root_ + "/empty"});
  struct Row {
    std::string text;
    const char* why;
  };
  int age = 1;
  for (const Row& row : std::vector<Row>{{"/etc/passwd", "leads out"},
                                         {root_ + "/outside/lantern.pdb", "leads out"},
                                         {root_ + "/watched/../outside/lantern.pdb", "leads out"},
                                         {root_ + "/watched/link.pdb", "leads out"},
                                         {"\\\\files\\drop\\..\\outside\\lantern.pdb", "leads out"},
                                         {"\\\\files\\drop\\notes.txt", "does not bear this id"},
                                         {"\\\\other\\drop\\lantern.bin", "no directory is mapped"},
                                         {"C:\\symbols\\lantern.pdb", "drive of another machine"},
                                         {"MSG: NoLongerIndexed", "NoLongerIndexed"}}) {
    const std::string directory =
        "/lantern.pdb/946967C36ED4F5254C4C44205044422E" + std::to_string(++age) + "/";
    must_put(directory + "file.ptr", row.text);
    const auto answer = get(directory + "lantern.pdb");
    EXPECT_EQ(answer.status, 404) << row.text;
    EXPECT_EQ(answer.body.find("secret"), std::string::npos);
    EXPECT_NE(answer.body.find(row.why), std::string::npos) << row.text << ": " << answer.body;
  }
  must_put(std::string(kPointed) + "file.ptr", "PATH:\\\\FILES\\drop\\lantern.bin");
  EXPECT_TRUE(get(std::string(kPointed) + "lantern.pdb").body == pdb) << "this one is allowed";
}

// As a share of pointers lies there: nothing was uploaded.
TEST_F(WatchedStores, APointerInAWatchedTreeIsFollowed) {
  REQUIRE_CORPUS(corpus);
  const std::string pdb = must_read(corpus + "/symbols/store/pointer-target/lantern.pdb");
  const std::string pointer =
      must_read(corpus + "/symbols/store/two-tier/la" + kPointed + "file.ptr");
  write("watched/stores/pointer-target/lantern.pdb", pdb);
  write("watched/stores/two-tier/la" + std::string(kPointed) + "file.ptr", pointer);
  // The file itself is not found by the watch: only the pointer can lead to it.
  start({"FAULTLINE_SCAN_PATHS=" + root_ + "/watched", "FAULTLINE_SCAN_EXCLUDE=pointer-target"});
  const std::string asked = std::string(kPointed) + "lantern.pdb";
  ASSERT_TRUE(comes_to(asked, 200)) << server_->log();
  for (const std::string& path : std::vector<std::string>{
           asked, "/la" + asked, "/LANTERN.PDB/946967c36ed4f5254c4c44205044422e1/LANTERN.PDB"}) {
    EXPECT_TRUE(get(path).body == pdb) << path;
  }
  EXPECT_EQ(get(std::string(kPointed) + "file.ptr").body, pointer) << "itself as it stands";

  // Withdrawn, as the share's owner does it; then taken away.
  write("watched/stores/two-tier/la" + std::string(kPointed) + "file.ptr", "MSG: withdrawn");
  ASSERT_TRUE(comes_to(asked, 404)) << server_->log();
  EXPECT_NE(get(asked).body.find("withdrawn"), std::string::npos);
  ASSERT_TRUE(
      base::remove_file(root_ + "/watched/stores/two-tier/la" + kPointed + "file.ptr").ok());
  EXPECT_TRUE(comes_to(std::string(kPointed) + "file.ptr", 404));
}

TEST_F(WatchedStores, NoPointerInAWatchedTreeLeadsOut) {
  REQUIRE_CORPUS(corpus);
  const std::string pdb = must_read(corpus + "/symbols/store/pointer-target/lantern.pdb");
  const auto place = [](unsigned age) {
    return "lantern.pdb/946967C36ED4F5254C4C44205044422E" + std::to_string(age) + "/";
  };
  write("watched/target/lantern.pdb", pdb);
  write("watched/target/notes.txt", "secret");
  write("outside/lantern.pdb", pdb);
  write("outside/file.ptr", root_ + "/watched/target/lantern.pdb");
  ASSERT_EQ(::symlink("../../outside/lantern.pdb", (root_ + "/watched/target/link.pdb").c_str()),
            0);
  ASSERT_EQ(::symlink("round", (root_ + "/watched/target/round").c_str()), 0);
  struct Row {
    std::string text;
    const char* why;
  };
  const std::vector<Row> rows = {{"/etc/passwd", "leads out"},
                                 {root_ + "/outside/lantern.pdb", "leads out"},
                                 {"..\\..\\..\\outside\\lantern.pdb", "leads out"},
                                 {root_ + "/watched/target/link.pdb", "leads out"},
                                 {root_ + "/watched/target/round", "leads out"},
                                 {root_ + "/watched/target/notes.txt", "does not bear this id"},
                                 {"file.ptr", "does not bear this id"},  // itself
                                 {"\\\\files\\drop\\lantern.pdb", "no directory is mapped"},
                                 {"MSG: NoLongerIndexed", "NoLongerIndexed"}};
  for (unsigned i = 0; i < rows.size(); ++i)
    write("watched/" + place(i + 2) + "file.ptr", rows[i].text);
  // One byte too long, and one that is a link to a pointer which would be good.
  const std::string good = root_ + "/watched/target/lantern.pdb";
  write("watched/big/" + place(1) + "file.ptr",
        good + std::string(64 * 1024 + 1 - good.size(), '\n'));
  const std::string linked =
      root_ + "/watched/linked/lantern.pdb/946967C36ED4F5254C4C44205044422E1";
  ASSERT_TRUE(base::make_directories(linked).ok());
  ASSERT_EQ(::symlink((root_ + "/outside/file.ptr").c_str(), (linked + "/file.ptr").c_str()), 0);
  start({"FAULTLINE_SCAN_PATHS=" + root_ + "/watched", "FAULTLINE_SCAN_EXCLUDE=/target/"});
  const auto last = static_cast<unsigned>(rows.size() + 1);
  ASSERT_TRUE(comes_to("/" + place(last) + "file.ptr", 200)) << server_->log();
  for (unsigned i = 0; i < rows.size(); ++i) {
    const auto answer = get("/" + place(i + 2) + "lantern.pdb");
    EXPECT_EQ(answer.status, 404) << rows[i].text;
    EXPECT_EQ(answer.body.find("secret"), std::string::npos);
    EXPECT_NE(answer.body.find(rows[i].why), std::string::npos) << rows[i].text << answer.body;
  }
  EXPECT_EQ(get("/" + place(1) + "lantern.pdb").status, 404);
  EXPECT_EQ(get("/" + place(1) + "file.ptr").status, 404);
  EXPECT_TRUE(server_->log_comes_to_say("larger than a pointer can be"));
  // The limit itself is allowed.
  write("watched/big/" + place(1) + "file.ptr", good + std::string(64 * 1024 - good.size(), '\n'));
  ASSERT_TRUE(comes_to("/" + place(1) + "lantern.pdb", 200)) << server_->log();
  EXPECT_TRUE(get("/" + place(1) + "lantern.pdb").body == pdb);
}

TEST_F(WatchedStores, WithoutRootsPointersAreFilesOnly) {
  REQUIRE_CORPUS(corpus);
  write("lantern.pdb", must_read(corpus + "/symbols/store/pointer-target/lantern.pdb"));
  start({});
  must_put(std::string(kPointed) + "file.ptr", root_ + "/lantern.pdb");
  EXPECT_EQ(get(std::string(kPointed) + "lantern.pdb").status, 404);
  EXPECT_EQ(get(std::string(kPointed) + "file.ptr").status, 200);
}

TEST_F(WatchedStores, WhatAWatchHoldsOutlivesItsTransaction) {
  REQUIRE_CORPUS(corpus);
  const std::string pdb = must_read(corpus + "/symbols/store/pointer-target/lantern.pdb");
  const std::string path = std::string(kPointed) + "lantern.pdb";
  write("watched/lantern.pdb", pdb);
  start({"FAULTLINE_SCAN_PATHS=" + root_ + "/watched"});
  ASSERT_TRUE(comes_to(path, 200)) << server_->log();
  const std::string hash = base::sha256_of(base::bytes_of(pdb)).hex();
  const std::string record =
      R"({"kind":"file","product":"p","version":"1","files":[{"name":"lantern.pdb","id":")"
      R"(946967C36ED4F5254C4C44205044422E1","file":"lantern.pdb","source":"x","form":"pri",)"
      R"("sha256":")" +
      hash + "\"}]}";
  // What lies in the watched directory alone is not the store's: it wants a copy of its own.
  const auto wanted = send("POST", "/api/v1/store/transactions", record);
  EXPECT_EQ(wanted.status, 409) << wanted.body;
  EXPECT_NE(wanted.body.find(hash), std::string::npos);
  const int sent = send("PUT", "/symbols" + path + "?for=store", pdb).status;
  EXPECT_TRUE(sent == 200 || sent == 201) << sent;
  const auto added = send("POST", "/api/v1/store/transactions", record);
  ASSERT_EQ(added.status, 201) << added.body;
  const auto transaction = base::JsonValue::parse(added.body);
  ASSERT_TRUE(transaction.ok());
  const std::string id = std::to_string((*transaction)["id"].integer_or(0));
  EXPECT_EQ(send("DELETE", "/api/v1/store/transactions/" + id).status, 200);
  const auto answer = get(path + "?_refresh=1");
  EXPECT_EQ(answer.status, 200) << answer.body.substr(0, 200);
  EXPECT_TRUE(answer.body == pdb);
}

}  // namespace
