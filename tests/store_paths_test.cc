// Every file by every name that it has: what the clients of symsrv, SSQP, Breakpad, debuginfod
// and the trees of ids ask for, against a real server with the corpus' files in it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/child.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "formats/archive/cab.h"
#include "formats/elf/elf.h"
#include "net/client.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/server_process.h"

namespace {

using testing_support::have_command;
using testing_support::ServerProcess;

std::string must_read(const std::string& path) {
  const auto text = base::read_file(path);
  EXPECT_TRUE(text.ok()) << path;
  return text.ok() ? *text : "";
}

std::string hash_of(std::string_view bytes) { return base::sha256_of(base::bytes_of(bytes)).hex(); }

class StorePaths : public testing::Test {
 protected:
  void start(std::vector<std::string> environment = {}) {
    server_.emplace(ServerProcess::start({root_.path() + "/data", {}, {}, std::move(environment)}));
    ASSERT_NE(server_->url(), "");
  }
  net::ClientAnswer send(const std::string& method, const std::string& path,
                         const std::string& body = "", const net::Headers& headers = {}) {
    net::ClientRequest request;
    request.method = method;
    request.url = server_->url() + path;
    request.headers = headers;
    request.body = body;
    net::ClientOptions options;
    options.redirects_max = 0;
    options.accept_compressed = false;
    const auto answer = net::Client(options).send(request);
    EXPECT_TRUE(answer.ok()) << method << " " << path;
    return answer.ok() ? *answer : net::ClientAnswer{};
  }
  net::ClientAnswer get(const std::string& path, const net::Headers& headers = {}) {
    return send("GET", path, "", headers);
  }
  void must_put(const std::string& path, const std::string& body) {
    const int status = send("PUT", path, body).status;
    EXPECT_TRUE(status == 200 || status == 201) << path << " " << status;
  }
  static std::string header(const net::ClientAnswer& answer, std::string_view name) {
    return std::string(answer.headers.find(name).value_or(""));
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("store-paths").value();
  std::optional<ServerProcess> server_;
};

// The files of a symstore tree that clients can ask for; those that pointers lead to are stored
// by the importer, not by us.
std::vector<std::string> files_below(const std::string& root) {
  const auto listed = base::list_files(root);
  std::vector<std::string> files;
  for (const std::string& path : listed.ok() ? *listed : std::vector<std::string>{}) {
    const std::string name = path.substr(root.size() + 1);
    const auto slashes = std::count(name.begin(), name.end(), '/');
    if (slashes < 2 || name.starts_with("000Admin/") || name.ends_with("refs.ptr")) continue;
    files.push_back(name);
  }
  return files;
}

TEST_F(StorePaths, TreesOfSymstoreAnswerAsTheirFilesDo) {
  REQUIRE_CORPUS(corpus);
  const std::string store = corpus + "/symbols/store";
  const auto expected = base::JsonValue::parse(must_read(store + "/expected.json"));
  ASSERT_TRUE(expected.ok());
  for (const std::string& tree :
       std::vector<std::string>{"two-tier", "single-tier", "single-tier-compressed"}) {
    start();
    const std::string top = fmt::format("{}/{}", store, tree);
    for (const std::string& name : files_below(top)) {
      must_put(fmt::format("/{}", name), must_read(fmt::format("{}/{}", top, name)));
    }
    for (const base::JsonValue& row : *(*expected)[tree]["gets"].array()) {
      const std::string path(row["path"].text_or(""));
      const std::string note(row["note"].text_or(""));
      if (note.find("followed") != std::string::npos) continue;  // the importer's
      const auto answer = get("/" + path);
      EXPECT_EQ(answer.status, static_cast<int>(row["status"].integer_or(0)))
          << tree << " " << path;
      const std::string sha256(row["sha256"].text_or(""));
      // The packed form is unpacked on arrival and packed anew.
      const bool repacked = path.ends_with("_");
      if (!sha256.empty() && !repacked) EXPECT_EQ(hash_of(answer.body), sha256) << path;
      if (tree == std::string("two-tier") && answer.status == 200) {
        EXPECT_EQ(get("/" + path.substr(0, 2) + "/" + path).body, answer.body) << path;
      }
    }
    server_.reset();
    ASSERT_TRUE(base::remove_tree(root_.path() + "/data").ok());
  }
}

TEST_F(StorePaths, KeysOfSsqpFindTheirFiles) {
  REQUIRE_CORPUS(corpus);
  start();
  const auto vectors =
      base::JsonValue::parse(must_read(corpus + "/symbols/store/ssqp-vectors.json"));
  ASSERT_TRUE(vectors.ok());
  for (const base::JsonValue& row : *(*vectors)["vectors"].array()) {
    const std::string object =
        must_read(corpus + "/symbols/" + std::string(row["object"].text_or("")));
    for (const base::JsonValue& key : *row["identity_keys"].array()) {
      const std::string path = "/" + std::string(key.text_or(""));
      must_put(path, object);
      for (const std::string& asked : {path, base::lower_ascii(path), base::upper_ascii(path)}) {
        EXPECT_TRUE(get(asked).body == object) << asked;
      }
    }
  }
}

TEST_F(StorePaths, ElfKeysOfSsqpNeedNoPath) {
  REQUIRE_CORPUS(corpus);
  start();
  const std::string objects = corpus + "/symbols/objects/elf/";
  const std::string md5 = must_read(objects + "dotnet-md5-build-id/md5_build_id");
  must_put("/md5_build_id/1/md5_build_id", md5);
  EXPECT_TRUE(
      get("/md5_build_id/elf-buildid-001ba81f23966cf77e40bcbb0701cd3400000000/md5_build_id").body ==
      md5)
      << "ids shorter than 20 bytes are padded with zeros";
  const std::string stripped = must_read(objects + "dotnet-stripped/stripped_executable");
  const std::string whole = must_read(objects + "dotnet-stripped/symbolized_executable");
  must_put("/stripped_executable/1/stripped_executable", stripped);
  must_put("/symbolized_executable/1/symbolized_executable", whole);
  const std::string id = "126ba1461caf6644cfdd124bfcceeffa81b18897";
  EXPECT_TRUE(get("/stripped_executable/elf-buildid-" + id + "/stripped_executable").body ==
              stripped);
  EXPECT_TRUE(get("/_.debug/elf-buildid-sym-" + id + "/_.debug").body == whole);
  for (const std::string& path :
       {"/12/" + id.substr(2) + "/debuginfo", "/12/" + id.substr(2) + ".debug",
        "/.build-id/12/" + id.substr(2) + ".debug", "/artifacts/debug/" + id + "/x",
        "/symbols/_.debug/elf-buildid-sym-" + id + "/_.debug"}) {
    EXPECT_TRUE(get(path).body == whole) << path;
  }
  for (const std::string& path : {"/12/" + id.substr(2) + "/executable", "/12/" + id.substr(2),
                                  "/artifacts/elf/" + id + "/x"}) {
    EXPECT_EQ(get(path).status, 200) << path;
  }
  EXPECT_EQ(get("/artifacts/pdb/" + id + "/x").status, 404);
  for (const std::string& path :
       {"/artifacts/sym/" + id + "/x", "/12/" + id.substr(2) + "/breakpad"}) {
    const auto moved = get(path);
    EXPECT_EQ(moved.status, 302) << path << ": its place is its debug id's";
    const auto there = get(header(moved, "Location"));
    EXPECT_EQ(there.status, 200) << path << " -> " << header(moved, "Location");
    EXPECT_TRUE(there.body.starts_with("MODULE ")) << path;
    EXPECT_NE(header(there, "Last-Modified"), "") << "of what was made";
  }
}

TEST_F(StorePaths, SectionsAreServedAsTheyLie) {
  REQUIRE_CORPUS(corpus);
  start();
  const std::string whole =
      must_read(corpus + "/symbols/objects/elf/dotnet-stripped/symbolized_executable");
  must_put("/x/1/x", whole);
  const auto elf = elf::File::parse(base::bytes_of(whole));
  ASSERT_TRUE(elf.ok());
  const std::string base_path = "/buildid/" + base::hex_of(elf->build_id()) + "/section/";
  for (const elf::Section& section : elf->sections()) {
    if (section.name.empty() || elf->find_section(section.name) != &section) continue;
    const auto answer = get(base_path + std::string(section.name));
    const base::Bytes raw = elf->raw(section);
    EXPECT_EQ(answer.status, raw.empty() ? 404 : 200) << section.name;
    if (raw.empty()) continue;
    EXPECT_TRUE(answer.body == base::text_of(raw)) << section.name;
    EXPECT_EQ(header(answer, "X-DEBUGINFOD-SIZE"), std::to_string(raw.size()));
  }
  net::Headers range;
  range.add("Range", "bytes=-4");
  const auto tail = get(base_path + ".text", range);
  EXPECT_EQ(tail.status, 206);
  EXPECT_EQ(tail.body, base::text_of(elf->raw(*elf->find_section(".text")).last(4)));
  EXPECT_EQ(get(base_path + ".nothing").status, 404);
}

TEST_F(StorePaths, APlainFileIsPackedForWhoAsksForTheCabinet) {
  start();
  const std::string plain(100'000, 'x');
  must_put("/foo.dll/5A2B3C4D1f000/foo.dll", plain);
  const auto packed = get("/foo.dll/5a2b3c4d1F000/foo.dl_");
  ASSERT_EQ(packed.status, 200);
  std::string expanded;
  const auto member = archive::expand_cab(base::bytes_of(packed.body), {}, [&](base::Bytes piece) {
    expanded += base::text_of(piece);
    return base::Result<void>();
  });
  ASSERT_TRUE(member.ok());
  EXPECT_EQ(member->name, "foo.dll");
  EXPECT_TRUE(expanded == plain);
  EXPECT_EQ(get("/foo.dll/5a2b3c4d1F001/foo.dl_").status, 404);
}

constexpr const char* kSym =
    "MODULE windows x86_64 5D40C491D35BA6CC4C4C44205044422Ea Lantern.pdb\n"
    "INFO CODE_ID 69A555155000 lantern.dll\nFUNC 1000 10 0 glow\n1000 10 1 0\n";

TEST_F(StorePaths, ACodeIdLeadsToTheDebugId) {
  start();
  must_put("/lantern.pdb/5D40C491D35BA6CC4C4C44205044422Ea/lantern.sym", kSym);
  const auto moved = get("/lantern.dll/69A555155000/lantern.sym?code_file=lantern.dll&code_id=1");
  EXPECT_EQ(moved.status, 302);
  EXPECT_EQ(header(moved, "Location"),
            "/Lantern.pdb/5D40C491D35BA6CC4C4C44205044422Ea/lantern.sym"
            "?code_file=lantern.dll&code_id=1");
  EXPECT_EQ(get(header(moved, "Location")).body, kSym);
  EXPECT_EQ(get("/try/lantern.dll/69A555155000/lantern.sym").headers.find("Location"),
            "/try/Lantern.pdb/5D40C491D35BA6CC4C4C44205044422Ea/lantern.sym");
  EXPECT_EQ(get("/lantern.dll/69A555155001/lantern.sym").status, 404);
}

TEST_F(StorePaths, TeckensFactsAboutAFile) {
  start();
  must_put("/lantern.pdb/5D40C491D35BA6CC4C4C44205044422Ea/lantern.sym", kSym);
  for (const char* path : {"/api/syminfo/lantern.dll/69A555155000",
                           "/api/syminfo/Lantern.pdb/5D40C491D35BA6CC4C4C44205044422EA"}) {
    const auto answer = get(path);
    ASSERT_EQ(answer.status, 200) << path << answer.body;
    EXPECT_EQ(header(answer, "Access-Control-Allow-Origin"), "*");
    const auto facts = base::JsonValue::parse(answer.body).value();
    EXPECT_EQ(facts["debug_id"].text_or(""), "5D40C491D35BA6CC4C4C44205044422Ea");
    EXPECT_EQ(facts["debug_filename"].text_or(""), "Lantern.pdb");
    EXPECT_EQ(facts["code_file"].text_or(""), "lantern.dll");
    EXPECT_EQ(facts["code_id"].text_or(""), "69A555155000");
    EXPECT_TRUE(facts["generator"].is_null());
    EXPECT_EQ(facts["url"].text_or(""),
              server_->url() + "/Lantern.pdb/5D40C491D35BA6CC4C4C44205044422Ea/Lantern.sym");
  }
  const auto miss = get("/api/syminfo/lantern.dll/69A555155001");
  EXPECT_EQ(miss.status, 404);
  EXPECT_NE(miss.body.find("Code file / id Not Found"), std::string::npos) << miss.body;
  EXPECT_EQ(get("/api/syminfo/a%2F..%2Fb/1").status, 404);
}

TEST_F(StorePaths, AgesAreReadInHexAndInDecimal) {
  start();
  must_put("/lantern.pdb/5D40C491D35BA6CC4C4C44205044422Ea/lantern.sym", kSym);
  for (const char* age : {"a", "A", "10", "0a"}) {
    const std::string path =
        std::string("/lantern.pdb/5d40c491d35ba6cc4c4c44205044422e") + age + "/lantern.sym";
    EXPECT_EQ(get(path).status, 200) << path;
  }
  EXPECT_EQ(get("/lantern.pdb/5d40c491d35ba6cc4c4c44205044422e11/lantern.sym").status, 404);
}

TEST_F(StorePaths, WhatSymsrvAsksForInItsOrder) {
  start();
  const std::string id = "5D40C491D35BA6CC4C4C44205044422E1";
  must_put("/foo%20bar+(1).pdb/" + id + "/foo%20bar+(1).pdb", "Microsoft");
  net::Headers agent;
  agent.add("User-Agent", "Microsoft-Symbol-Server/10.0.22621.1");
  const auto status = [&](const std::string& path) { return get(path, agent).status; };
  EXPECT_EQ(status("/index2.txt"), 404);
  EXPECT_EQ(status("/symbols/index2.txt"), 404);
  EXPECT_EQ(status("/pingme.txt"), 200);
  EXPECT_EQ(status("/symbols/pingme.txt"), 200);
  EXPECT_EQ(status("//foo%20bar%2b(1).pdb/" + id + "/foo%20bar%2B(1).pdb"), 200);
  EXPECT_EQ(status("/symbols/fo/foo%20bar+(1).pdb/" + id + "/foo%20bar+(1).pdb"), 200);
  EXPECT_EQ(status("/foo.pdb/" + id + "/foo.pdb"), 404);
  EXPECT_EQ(status("/foo.pdb/" + id + "/msfz0/foo.pdb"), 404);
  EXPECT_EQ(status("/foo.pdb/" + id + "/foo.pd_"), 404);
  EXPECT_EQ(status("/foo.pdb/" + id + "/file.ptr"), 404);
  // What a client that writes blanks as plus signs asks for.
  must_put("/a%20b.pdb/" + id + "/a%20b.pdb", "Microsoft");
  EXPECT_EQ(status("/a+b.pdb/" + id + "/a+b.pdb"), 200);
}

TEST_F(StorePaths, UnverifiedNeverBeatsVerified) {
  REQUIRE_CORPUS(corpus);
  start();
  const std::string right =
      must_read(corpus + "/symbols/objects/elf/dotnet-stripped/symbolized_executable");
  const std::string path = "/x/elf-buildid-126ba1461caf6644cfdd124bfcceeffa81b18897/x";
  must_put(path, "no ELF file at all");
  EXPECT_EQ(get(path).body, "no ELF file at all");
  must_put("/symbolized_executable/1/symbolized_executable", right);
  EXPECT_TRUE(get(path).body == right);
}

// Two modules with debug information, each whole, stripped and as a separate debug file.
std::string must_build_modules(const std::string& directory) {
  const std::string script = "cd " + directory +
                             " && echo 'int lamp(int n) { return n + 1; }' >lamp.c"
                             " && for i in 01 02; do"
                             " cc -g -shared -fPIC -o full-$i.so lamp.c "
                             "-Wl,--build-id=0x${i}23456789abcdef0123456789abcdef01234567"
                             " && strip -o stripped-$i.so full-$i.so"
                             " && objcopy --only-keep-debug full-$i.so debug-$i.so || exit 1; done";
  const auto end = base::run_child("/bin/sh", {"sh", "-c", script});
  EXPECT_TRUE(end.ok() && end->ok()) << (end.ok() ? end->errors : end.error().what);
  return directory;
}

TEST_F(StorePaths, AFullerFileNeverLosesToTheStrippedOneUnderThePath) {
  REQUIRE_OR_SKIP(have_command("cc") && have_command("objcopy"), "no compiler");
  const std::string built = must_build_modules(root_.path());
  const std::string full = must_read(built + "/full-01.so");
  const std::string stripped = must_read(built + "/stripped-01.so");
  start();
  const std::string path = "/liblamp.so/0123456789abcdef0123456789abcdef01234567/liblamp.so";
  must_put(path, stripped);
  EXPECT_TRUE(get(path).body == stripped);
  EXPECT_EQ(send("PUT", "/api/v1/files/liblamp.so", full).status, 201);
  EXPECT_TRUE(get(path).body == full);
  EXPECT_TRUE(get("/buildid/0123456789abcdef0123456789abcdef01234567/executable").body == full);

  // A separate debug file has more debug information, but it is not that file.
  const std::string image = "/liblamp.so/0223456789abcdef0123456789abcdef01234567/liblamp.so";
  const std::string only_code = must_read(built + "/stripped-02.so");
  must_put(image, only_code);
  EXPECT_EQ(send("PUT", "/api/v1/files/liblamp.so", must_read(built + "/debug-02.so")).status, 201);
  EXPECT_TRUE(get(image).body == only_code);

  // Bytes under a path whose id they do not bear are nobody's stripped module.
  const std::string foreign = "/notes.so/0123456789abcdef0123456789abcdef01234567/notes.txt";
  must_put(foreign, "notes of the build");
  EXPECT_EQ(get(foreign).body, "notes of the build");
}

TEST_F(StorePaths, ASymWithoutFunctionsGivesWayToDebugInformation) {
  REQUIRE_OR_SKIP(have_command("cc") && have_command("objcopy"), "no compiler");
  const std::string built = must_build_modules(root_.path());
  start();
  const std::string id = "67452301AB89EFCD0123456789ABCDEF0";
  const std::string path = "/liblamp.so/" + id + "/liblamp.so.sym";
  const std::string head = "MODULE Linux x86_64 " + id + " liblamp.so\n";
  const std::string names = head + "PUBLIC 1000 0 lamp\n";
  must_put(path, names);
  EXPECT_EQ(get(path).body, names);  // nobody has more
  EXPECT_EQ(send("PUT", "/api/v1/files/liblamp.so", must_read(built + "/stripped-01.so")).status,
            201);
  EXPECT_EQ(get(path).body, names);
  EXPECT_EQ(send("PUT", "/api/v1/files/full.so", must_read(built + "/full-01.so")).status, 201);
  EXPECT_NE(get(path).body.find("\nFUNC "), std::string::npos);

  // With functions it is what its uploader wants.
  const std::string chosen = head + "FUNC 1000 10 0 chosen\n1000 10 1 0\n";
  must_put(path, chosen);
  EXPECT_EQ(get(path).body, chosen);
}

TEST_F(StorePaths, PagesOfOtherSitesMayRead) {
  start();
  must_put("/a/1/a", "x");
  EXPECT_EQ(header(get("/a/1/a"), "Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(header(get("/a/1/b"), "Access-Control-Allow-Origin"), "*");
  const auto preflight = send("OPTIONS", "/a/1/a");
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(header(preflight, "Access-Control-Allow-Methods"), "GET, HEAD, OPTIONS");
}

TEST_F(StorePaths, EveryEncodingForEveryClient) {
  start();
  std::string plain;
  while (plain.size() < 3'000'000) plain += std::to_string(plain.size() * 7919) + "\n";
  must_put("/a.bin/1/a.bin", plain);
  std::set<std::string> tags{header(get("/a.bin/1/a.bin"), "ETag")};
  for (const std::string coding : {"gzip", "br", "zstd"}) {
    net::Headers headers;
    headers.add("Accept-Encoding", coding);
    const auto head = send("HEAD", "/a.bin/1/a.bin", "", headers);
    EXPECT_EQ(header(head, "Content-Encoding"), coding);
    EXPECT_EQ(header(head, "Vary"), "Accept-Encoding");
    EXPECT_TRUE(tags.insert(header(head, "ETag")).second) << "a tag of its own: " << coding;
    net::Headers known = headers;
    known.add("If-None-Match", header(head, "ETag"));
    EXPECT_EQ(get("/a.bin/1/a.bin", known).status, 304);
    const auto end =
        base::run_child("/bin/sh", {"sh", "-c",
                                    "curl -sf --compressed -H 'Accept-Encoding: " + coding + "' " +
                                        server_->url() + "/a.bin/1/a.bin | sha256sum"});
    ASSERT_TRUE(end.ok() && end->ok());
    EXPECT_EQ(end->output.substr(0, 64), hash_of(plain)) << coding;
    headers.add("Range", "bytes=5-9");
    const auto range = get("/a.bin/1/a.bin", headers);
    EXPECT_EQ(range.status, 206);
    EXPECT_EQ(range.body, plain.substr(5, 5)) << "ranges are of the plain bytes";
  }
}

TEST_F(StorePaths, ConditionsAndRangesAsNginxAnswersThem) {
  start();
  must_put("/a.bin/1/a.bin", "0123456789");
  const auto whole = get("/a.bin/1/a.bin");
  const std::string tag = header(whole, "ETag");
  const std::string modified = header(whole, "Last-Modified");
  EXPECT_NE(modified, "");
  struct Row {
    const char* name;
    std::string value;
    const char* other_name;
    std::string other_value;
    int status;
    const char* body;
  };
  for (const Row& row : {
           Row{"Range", "bytes=2-4", "", "", 206, "234"},
           Row{"Range", "bytes=-3", "", "", 206, "789"},
           Row{"Range", "bytes=8-", "", "", 206, "89"},
           Row{"Range", "bytes=8-99", "", "", 206, "89"},
           Row{"Range", "bytes=10-", "", "", 416, ""},
           Row{"Range", "bytes=nonsense", "", "", 200, "0123456789"},
           Row{"Range", "bytes=2-4", "If-Range", tag, 206, "234"},
           Row{"Range", "bytes=2-4", "If-Range", "\"other\"", 200, "0123456789"},
           Row{"If-None-Match", tag, "", "", 304, ""},
           Row{"If-None-Match", "*", "", "", 304, ""},
           Row{"If-None-Match", "\"other\"", "", "", 200, "0123456789"},
           Row{"If-None-Match", "\"other\"", "If-Modified-Since", modified, 200, "0123456789"},
           Row{"If-Modified-Since", modified, "", "", 304, ""},
           Row{"If-Modified-Since", "Fri, 31 Dec 2100 23:59:59 GMT", "", "", 304, ""},
           Row{"If-Modified-Since", "Sat, 01 Jan 2000 00:00:00 GMT", "", "", 200, "0123456789"},
           Row{"If-Modified-Since", "yesterday", "", "", 200, "0123456789"},
       }) {
    net::Headers headers;
    headers.add(row.name, row.value);
    if (*row.other_name != 0) headers.add(row.other_name, row.other_value);
    const auto answer = get("/a.bin/1/a.bin", headers);
    EXPECT_EQ(answer.status, row.status) << row.name << ": " << row.value;
    EXPECT_EQ(answer.body, row.body) << row.name << ": " << row.value;
  }
}

TEST_F(StorePaths, TeckensDebugHeaderIsAnswered) {
  start();
  net::Headers debug;
  debug.add("Debug", "true");
  EXPECT_NE(header(get("/a/1/a.sym", debug), "Debug-Time"), "");
  EXPECT_EQ(header(get("/a/1/a.sym"), "Debug-Time"), "");
}

}  // namespace
