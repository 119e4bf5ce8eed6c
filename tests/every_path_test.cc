// Every spelling under which clients ask for a file, when it was uploaded under none of them; and
// every route from its 404 to its 200.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/child.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "net/client.h"
#include "testing/corpus.h"
#include "testing/server_process.h"

namespace {

using testing_support::ServerProcess;

std::string must_read(const std::string& path) {
  const auto text = base::read_file(path);
  EXPECT_TRUE(text.ok()) << path;
  return text.ok() ? *text : "";
}

struct Ids {
  std::string debug_id, code_id;
};

// "abcd…" → "ab/cd…".
std::string unified(const std::string& id) { return "/" + id.substr(0, 2) + "/" + id.substr(2); }

// LLDB's tree of UUIDs.
std::string uuid_tree(const std::string& uuid) {
  std::string path;
  for (std::size_t i = 0; i < 5; ++i) path += "/" + uuid.substr(i * 4, 4);
  return path + "/" + uuid.substr(20);
}

using Paths = std::vector<std::string>;

class EveryPath : public testing::Test {
 protected:
  void SetUp() override {
    server_.emplace(ServerProcess::start({root_.path() + "/data", {}, {}, {}}));
    ASSERT_NE(server_->url(), "");
  }
  net::ClientAnswer send(const std::string& method, const std::string& path,
                         const std::string& body = "") {
    net::ClientRequest request;
    request.method = method;
    request.url = server_->url() + path;
    request.body = body;
    net::ClientOptions options;
    options.redirects_max = 0;
    options.accept_compressed = false;
    const auto answer = net::Client(options).send(request);
    EXPECT_TRUE(answer.ok()) << method << " " << path;
    return answer.ok() ? *answer : net::ClientAnswer{};
  }
  net::ClientAnswer get(const std::string& path) { return send("GET", path); }
  // By its bytes alone: no path that says what it is.
  Ids must_upload(const std::string& name, const std::string& content) {
    const auto answer = send("PUT", "/api/v1/files/" + name, content);
    EXPECT_EQ(answer.status, 201) << name << " " << answer.body;
    const auto kept = base::JsonValue::parse(answer.body);
    if (!kept.ok()) return {};
    return {std::string((*kept)["debug_id"].text_or("")),
            std::string((*kept)["code_id"].text_or(""))};
  }
  // Under each path, also with the prefixes of everybody's files; those need three parts behind
  // them.
  void expect_all(const Paths& paths, const std::string& content, const char* what) {
    ASSERT_FALSE(content.empty());
    for (const std::string& path : paths) {
      const bool is_short = std::count(path.begin(), path.end(), '/') < 3;
      for (const std::string& prefix : is_short ? Paths{""} : Paths{"", "/symbols", "/try"}) {
        const std::string asked = prefix + path;
        const auto answer = get(asked);
        EXPECT_EQ(answer.status, 200) << what << ": " << asked;
        EXPECT_TRUE(answer.body == content) << what << ": " << asked << " has other bytes";
        ++asked_;
      }
    }
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("every-path").value();
  std::optional<ServerProcess> server_;
  std::size_t asked_ = 0;
};

// NAME/ID/NAME in the spellings of a store: one tier, two tiers, and any case.
Paths store_paths(const std::string& name, const std::string& id) {
  const std::string path = fmt::format("/{0}/{1}/{0}", name, id);
  return {path, base::lower_ascii(path), base::upper_ascii(path), "/" + name.substr(0, 2) + path};
}

Paths joined(std::initializer_list<Paths> lists) {
  Paths all;
  for (const Paths& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

TEST_F(EveryPath, OfAnElfPair) {
  REQUIRE_CORPUS(corpus);
  const std::string objects = corpus + "/symbols/objects/elf/lantern-debuglink/";
  const std::string image = must_read(objects + "liblantern.so");
  const std::string debug = must_read(objects + "liblantern.debug");
  const Ids ids = must_upload("liblantern.so", image);
  EXPECT_EQ(must_upload("liblantern.debug", debug).debug_id, ids.debug_id);
  const std::string id = base::lower_ascii(ids.code_id);
  ASSERT_EQ(id.size(), 40u);
  expect_all(joined({store_paths("liblantern.so", "elf-buildid-" + id),
                     store_paths("liblantern.so", id),
                     {"/buildid/" + id + "/executable",
                      "/buildid/" + base::upper_ascii(id) + "/executable",
                      unified(id) + "/executable", unified(id), "/.build-id" + unified(id),
                      "/artifacts/elf/" + id + "/x", "/artifacts/executable/" + id + "/x",
                      "/artifacts/executable/" + ids.debug_id + "/x"}}),
             image, "image");
  expect_all(joined({store_paths("_.debug", "elf-buildid-sym-" + id),
                     store_paths("liblantern.debug", id),
                     {"/buildid/" + id + "/debuginfo", unified(id) + "/debuginfo",
                      unified(id) + ".debug", "/.build-id" + unified(id) + ".debug",
                      "/artifacts/debug/" + id + "/x", "/artifacts/debuginfo/" + id + "/x",
                      "/artifacts/debuginfo/" + ids.debug_id + "/x"}}),
             debug, "debug file");
  const std::string sym = get("/liblantern.so/" + ids.debug_id + "/liblantern.so.sym").body;
  EXPECT_TRUE(sym.starts_with("MODULE Linux ")) << sym.substr(0, 80);
  expect_all({"/liblantern.so/" + ids.debug_id + "/liblantern.so.sym",
              "/liblantern.so/" + base::lower_ascii(ids.debug_id) + "/liblantern.so.sym",
              "/li/liblantern.so/" + ids.debug_id + "/liblantern.so.sym",
              unified(base::lower_ascii(ids.debug_id)) + "/breakpad",
              "/artifacts/sym/" + ids.debug_id + "/x"},
             sym, "Breakpad text");
  EXPECT_GE(asked_, 60u);
}

TEST_F(EveryPath, OfAnImageAndItsPdb) {
  REQUIRE_CORPUS(corpus);
  const std::string objects = corpus + "/symbols/objects/pe-pdb/lantern-win-x64/";
  const std::string image = must_read(objects + "lantern.dll");
  const std::string pdb = must_read(objects + "lantern.pdb");
  const Ids ids = must_upload("lantern.dll", image);
  EXPECT_EQ(must_upload("lantern.pdb", pdb).debug_id, ids.debug_id);
  ASSERT_GE(ids.debug_id.size(), 33u);
  const std::string age8 = fmt::format("{:0>8}", ids.debug_id.substr(32));
  const std::string guid_age = base::lower_ascii(ids.debug_id.substr(0, 32)) + age8;
  const std::string tree = unified(base::lower_ascii(ids.debug_id));
  expect_all(joined({store_paths("lantern.dll", ids.code_id),
                     {"/buildid/" + guid_age + "/executable", tree + "/executable",
                      "/artifacts/pe/" + ids.code_id + "/lantern.dll",
                      "/artifacts/pe/" + ids.debug_id + "/x",
                      "/artifacts/executable/" + ids.code_id + "/lantern.dll",
                      "/artifacts/executable/" + ids.debug_id + "/x"}}),
             image, "image");
  expect_all(
      joined({store_paths("lantern.pdb", ids.debug_id),
              store_paths("renamed.pdb", ids.debug_id),
              {"/buildid/" + guid_age + "/debuginfo", tree + "/debuginfo",
               "/artifacts/pdb/" + ids.debug_id + "/x", "/artifacts/debug/" + ids.debug_id + "/x",
               "/artifacts/debuginfo/" + ids.debug_id + "/x"}}),
      pdb, "PDB");
  EXPECT_GE(asked_, 60u);
}

TEST_F(EveryPath, OfADsym) {
  REQUIRE_CORPUS(corpus);
  const std::string objects = corpus + "/symbols/objects/macho/simple-dsym/";
  const std::string image = must_read(objects + "main");
  const std::string dsym = must_read(objects + "main.dSYM/Contents/Resources/DWARF/main");
  const Ids ids = must_upload("main", image);
  EXPECT_EQ(must_upload("main", dsym).debug_id, ids.debug_id);
  ASSERT_GE(ids.debug_id.size(), 33u);
  const std::string id = base::lower_ascii(ids.debug_id.substr(0, 32));
  const std::string tree = uuid_tree(base::upper_ascii(id));
  expect_all(joined({store_paths("main", "mach-uuid-" + id),
                     {"/buildid/" + id + "/executable", unified(id) + "/executable", tree + ".app",
                      "/artifacts/macho/" + id + "/x", "/artifacts/executable/" + id + "/x"}}),
             image, "image");
  expect_all(joined({store_paths("_.dwarf", "mach-uuid-sym-" + id),
                     {"/buildid/" + id + "/debuginfo", unified(id) + "/debuginfo", tree,
                      base::lower_ascii(tree), "/artifacts/dsym/" + id + "/x",
                      "/artifacts/debug/" + id + "/x", "/artifacts/debuginfo/" + id + "/x"}}),
             dsym, "dSYM");
  EXPECT_GE(asked_, 50u);
}

// What nobody has is asked for, uploaded, and asked for again: no memory of the miss stays.
class FromMissToHit : public EveryPath {
 protected:
  void expect_missing(const Paths& paths) {
    for (const std::string& path : paths) EXPECT_EQ(get(path).status, 404) << path;
  }
  void expect_within_a_second(const Paths& paths, int status = 200) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    for (const std::string& path : paths) {
      int seen = get(path).status;
      while (seen != status && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        seen = get(path).status;
      }
      EXPECT_EQ(seen, status) << path;
    }
  }
};

TEST_F(FromMissToHit, OnTheRoutesOfAPdbAndItsImage) {
  REQUIRE_CORPUS(corpus);
  const std::string objects = corpus + "/symbols/objects/pe-pdb/lantern-win-x64/";
  const std::string pdb = "5D40C491D35BA6CC4C4C44205044422E1";
  const Paths paths{
      "/lantern.pdb/" + pdb + "/lantern.pdb",         "/la/lantern.pdb/" + pdb + "/lantern.pdb",
      "/symbols/lantern.pdb/" + pdb + "/lantern.pdb", "/try/lantern.pdb/" + pdb + "/lantern.pdb",
      "/lantern.pdb/" + pdb + "/lantern.pd_",         "/artifacts/pdb/" + pdb + "/lantern.pdb",
      unified(base::lower_ascii(pdb)) + "/debuginfo"};
  expect_missing(paths);
  EXPECT_EQ(must_upload("lantern.pdb", must_read(objects + "lantern.pdb")).debug_id, pdb);
  expect_within_a_second(paths);
}

TEST_F(FromMissToHit, OnTheRoutesOfAnElf) {
  REQUIRE_CORPUS(corpus);
  const std::string elf = corpus + "/symbols/objects/elf/dotnet-stripped/symbolized_executable";
  const std::string id = "126ba1461caf6644cfdd124bfcceeffa81b18897";
  const Paths paths{"/buildid/" + id + "/debuginfo",
                    "/buildid/" + id + "/executable",
                    "/buildid/" + id + "/section/.text",
                    "/_.debug/elf-buildid-sym-" + id + "/_.debug",
                    unified(id) + "/debuginfo",
                    unified(id) + ".debug",
                    "/.build-id" + unified(id) + ".debug",
                    unified(id),
                    "/artifacts/elf/" + id + "/x",
                    "/artifacts/debug/" + id + "/x",
                    "/try/artifacts/debug/" + id + "/x"};
  expect_missing(paths);
  EXPECT_EQ(base::lower_ascii(must_upload("symbolized_executable", must_read(elf)).code_id), id);
  expect_within_a_second(paths);
}

constexpr const char* kSymId = "5D40C491D35BA6CC4C4C44205044422Ea";
constexpr const char* kSym =
    "MODULE windows x86_64 5D40C491D35BA6CC4C4C44205044422Ea Lantern.pdb\n"
    "INFO CODE_ID 69A555155000 lantern.dll\nFUNC 1000 10 0 glow\n1000 10 1 0\n";

TEST_F(FromMissToHit, OnTheRoutesOfABreakpadText) {
  const std::string id = kSymId;
  const Paths files{"/Lantern.pdb/" + id + "/Lantern.sym", "/artifacts/sym/" + id + "/x",
                    "/api/syminfo/Lantern.pdb/" + id, "/api/syminfo/lantern.dll/69A555155000"};
  const Paths moved{"/lantern.dll/69A555155000/lantern.sym",
                    "/try/lantern.dll/69A555155000/lantern.sym"};
  expect_missing(files);
  expect_missing(moved);
  must_upload("Lantern.sym", kSym);
  expect_within_a_second(files);
  expect_within_a_second(moved, 302);
}

TEST_F(FromMissToHit, OfATryBuild) {
  const std::string path = std::string("/Lantern.pdb/") + kSymId + "/Lantern.sym";
  expect_missing({path, "/try" + path});
  EXPECT_EQ(send("PUT", "/try" + path, kSym).status, 201);
  expect_within_a_second({"/try" + path});
  EXPECT_EQ(get(path).status, 404);
}

TEST_F(FromMissToHit, OfAProject) {
  const auto created = base::run_child(
      testing_support::faultline_program(),
      {"faultline", "admin", "project", "create", "game", "--data", root_.path() + "/data"});
  ASSERT_TRUE(created.ok() && created->ok());
  const Paths paths{std::string("/p/game/Lantern.pdb/") + kSymId + "/Lantern.sym",
                    std::string("/p/game/artifacts/sym/") + kSymId + "/x",
                    std::string("/p/game/api/syminfo/Lantern.pdb/") + kSymId};
  expect_missing(paths);
  EXPECT_EQ(send("PUT", "/p/game/unasked/1/Lantern.sym", kSym).status, 201);
  expect_within_a_second(paths);
  EXPECT_EQ(get(std::string("/Lantern.pdb/") + kSymId + "/Lantern.sym").status, 404);
}

TEST_F(FromMissToHit, OfASource) {
  const std::string text = "int glow(void) { return 1; }\n";
  const std::string path =
      "/artifacts/src/" + base::sha256_of(base::bytes_of(text)).hex() + "/glow.c";
  expect_missing({path});
  const auto kept =
      send("PUT", path + "?module=00112233445566778899aabbccddeeff00112233&path=/src/glow.c", text);
  EXPECT_EQ(kept.status, 200) << kept.body;
  expect_within_a_second({path});
  EXPECT_EQ(get(path).body, text);
}

}  // namespace
