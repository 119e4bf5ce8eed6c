// `faultline upload-symbols` and the scripts under /tools/ against real servers: what is sent, what
// is not, what happens when something goes wrong.
#include <gtest/gtest.h>

#include <map>

#include <atomic>
#include <filesystem>

#include "base/child.h"
#include "base/codec.h"
#include "base/file.h"
#include "base/json.h"
#include "base/pool.h"
#include "base/sha256.h"
#include "extract/identify.h"
#include "formats/archive/cab.h"
#include "net/client.h"
#include "net/server.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/old_pdb.h"
#include "testing/server_process.h"
#include "testing/stored_zip.h"

namespace {

using testing_support::faultline_program;
using testing_support::have_command;
using testing_support::ServerProcess;

struct Ran {
  int code = -1;
  std::string out, errors;
};

Ran run(const std::string& program, const std::vector<std::string>& arguments) {
  const auto end = base::run_child(program, arguments);
  EXPECT_TRUE(end.ok());
  return end.ok() ? Ran{end->exit_code, end->output, end->errors} : Ran{};
}

Ran shell(const std::string& command) { return run("/bin/sh", {"sh", "-c", command}); }

class UploadSymbols : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return root_.path() + "/" + name; }

  void start() {
    REQUIRE_OR_SKIP(have_command("cc"), "no C compiler");
    server_.emplace(ServerProcess::start({path("data"), {}, {}, {}}));
    ASSERT_NE(server_->url(), "");
  }
  // A shared library with a build id of its own.
  std::string must_build(const std::string& name) const {
    const Ran built =
        shell("mkdir -p " + path("files") + " && echo 'int f(void) { return " +
              std::to_string(name.size() * 7 + static_cast<unsigned char>(name[3])) +
              "; }' | cc -x c -shared -g -o '" + path("files/" + name) + "' - -Wl,--build-id");
    EXPECT_EQ(built.code, 0) << built.errors;
    return path("files/" + name);
  }
  Ran upload(const std::string& url, std::vector<std::string> more) const {
    more.insert(more.begin(), {"faultline", "upload-symbols", "--url", url});
    return run(faultline_program(), more);
  }
  std::string stored_at(const std::string& file) const {
    const std::string bytes = base::read_file(file).value();
    const auto identity = extract::identify(base::bytes_of(bytes));
    const auto answer =
        net::Client().get(server_->url() + "/buildid/" + identity.build_id + "/executable");
    return answer.ok() && answer->status == 200 ? answer->body : "";
  }
  // What the server calls it.
  std::string name_of(const std::string& file) const {
    const auto identity = extract::identify(base::bytes_of(base::read_file(file).value()));
    const auto answer =
        net::Client().get(server_->url() + "/buildid/" + identity.build_id + "/executable");
    return std::string(answer->headers.find("X-DEBUGINFOD-FILE").value_or(""));
  }
  // `faultline store` with these arguments.
  Ran store(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"faultline", "store"});
    arguments.insert(arguments.end(), {"--store", server_->url()});
    return run(faultline_program(), arguments);
  }
  bool is_stored(const std::string& file) const {
    return stored_at(file) == base::read_file(file).value();
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("upload-symbols").value();
  std::optional<ServerProcess> server_;
};

TEST_F(UploadSymbols, SaysWhatBecameOfEachFile) {
  start();
  const std::string one = must_build("libone.so");
  const std::string two = must_build("libtwo.so");
  ASSERT_TRUE(base::write_file_durably(path("files/notes.txt"), base::bytes_of("text")).ok());
  ASSERT_EQ(upload(server_->url(), {one}).code, 0);
  const Ran done = upload(server_->url(), {"--json", path("files")});
  ASSERT_EQ(done.code, 0) << done.errors;
  const auto json = base::JsonValue::parse(done.out).value();
  EXPECT_EQ(json["sent"].integer_or(-1), 1);
  EXPECT_EQ(json["known"].integer_or(-1), 1);
  EXPECT_EQ(json["skipped"].integer_or(-1), 1);
  const std::vector<std::pair<std::string, std::string>> fates = {
      {one, "known"}, {two, "sent"}, {path("files/notes.txt"), "skipped"}};
  for (const auto& [file, status] : fates) {
    bool found = false;
    for (const base::JsonValue& entry : *json["files"].array()) {
      if (entry["file"].text_or("") != file) continue;
      found = true;
      EXPECT_EQ(entry["status"].text_or(""), status) << file;
      EXPECT_EQ(entry["why"].text_or("").empty(), status != "skipped") << file;
    }
    EXPECT_TRUE(found) << file;
  }
  EXPECT_TRUE(is_stored(one));
  EXPECT_TRUE(is_stored(two));
}

TEST_F(UploadSymbols, ABigFileGoesOnWhereItStopped) {
  start();
  const std::string file =
      must_build("lib++ big.so");  // letters that a URL must not take as they are
  const std::string bytes = base::read_file(file).value();
  const std::string hash = base::sha256_of(base::bytes_of(bytes)).hex();
  net::ClientRequest part;
  part.method = "PUT";
  part.url = server_->url() + "/api/v1/uploads/" + hash + "?offset=0";
  part.body = bytes.substr(0, 5000);
  ASSERT_EQ(net::Client().send(part)->body, "{\"received\":5000}");
  // The server is gone in between.
  EXPECT_EQ(server_->stop(), 0);
  server_.emplace(ServerProcess::start({path("data"), {}, {}, {}}));
  const Ran done = upload(server_->url(), {"--part-size", "1000", file});
  EXPECT_EQ(done.code, 0) << done.errors;
  EXPECT_NE(done.errors.find("goes on after"), std::string::npos) << done.errors;
  EXPECT_TRUE(is_stored(file));
  EXPECT_TRUE(base::list_files(path("data/partial"))->empty());
}

TEST_F(UploadSymbols, PartsThatDoNotFitAreRefused) {
  start();
  const std::string file = must_build("libone.so");
  const std::string bytes = base::read_file(file).value();
  const std::string hash = base::sha256_of(base::bytes_of(bytes)).hex();
  const auto send = [&](const char* method, const std::string& tail, const std::string& body) {
    net::ClientRequest request;
    request.method = method;
    request.url = server_->url() + "/api/v1/uploads/" + tail;
    request.body = body;
    return net::Client().send(request).value();
  };
  EXPECT_EQ(send("GET", hash, "").body, "{\"received\":0}");
  EXPECT_EQ(send("GET", "..%2f..%2fetc", "").status, 404);  // no such page
  EXPECT_EQ(send("GET", "nonsense", "").status, 400);
  EXPECT_EQ(send("PUT", hash, "x").status, 400);  // no offset
  EXPECT_EQ(send("PUT", hash + "?offset=18446744073709551615", "x").status, 413);
  EXPECT_EQ(send("POST", hash + "?name=x", "").status, 404);
  EXPECT_EQ(send("PUT", hash + "?offset=0", "wrong").status, 200);
  const auto hole = send("PUT", hash + "?offset=9", "x");
  EXPECT_EQ(hole.status, 409);
  EXPECT_EQ(hole.body, "{\"received\":5}");
  EXPECT_EQ(send("POST", hash, "").status, 400);                      // no name
  EXPECT_EQ(send("POST", hash + "?name=libone.so", "").status, 400);  // another hash
  EXPECT_EQ(send("GET", hash, "").body, "{\"received\":0}");
  EXPECT_EQ(send("PUT", hash + "?offset=0", bytes).status, 200);
  EXPECT_EQ(send("POST", hash + "?name=libone.so", "").status, 201);
  EXPECT_TRUE(is_stored(file));
}

// The answer to the last request was lost, and it is sent again.
TEST_F(UploadSymbols, TheLastRequestMayBeSentAgain) {
  start();
  const std::string file = must_build("libone.so");
  const std::string bytes = base::read_file(file).value();
  const std::string hash = base::sha256_of(base::bytes_of(bytes)).hex();
  const std::string place = server_->url() + "/api/v1/uploads/" + hash;
  net::ClientRequest part;
  part.method = "PUT";
  part.url = place + "?offset=0";
  part.body = bytes;
  ASSERT_EQ(net::Client().send(part)->status, 200);
  const auto finish = [&](const std::string& query) {
    return net::Client().post(place + query, "text/plain", "").value();
  };
  ASSERT_EQ(finish("?path=libone.so/12/libone.so").status, 201);
  for (int i = 0; i < 2; ++i) {
    const auto again = finish("?path=libone.so/12/libone.so");
    EXPECT_EQ(again.status, 200) << again.body;
    EXPECT_NE(again.body.find("\"sha256\":\"" + hash + "\""), std::string::npos) << again.body;
    EXPECT_NE(again.body.find("\"path\":\"libone.so/12/libone.so\""), std::string::npos);
  }
  EXPECT_EQ(finish("?name=libone.so").status, 200);
  EXPECT_EQ(finish("?path=libone.so/13/libone.so").status, 404) << "nobody finds it there";
  EXPECT_TRUE(is_stored(file));
  EXPECT_TRUE(base::list_files(path("data/partial"))->empty());
  EXPECT_FALSE(base::file_exists(path("data/tmp/" + hash)));
}

// A server that fails before it works, and that knows none of our own questions.
TEST_F(UploadSymbols, TriesAgainWhatMayPass) {
  REQUIRE_OR_SKIP(have_command("cc"), "no C compiler");
  std::atomic<int> puts = 0;
  net::Router router;
  net::Route put;
  put.method = "PUT";
  put.pattern = "/symbols/**";
  put.body = net::BodyPolicy::file(1 << 20);
  put.runs = net::Runs::pool;
  put.handler = [&](net::Request&) -> net::Reply {
    const int count = ++puts;
    if (count == 1) return net::Answer::text(503, "restarting");
    if (count == 2) {
      net::Answer answer = net::Answer::text(429, "slowly");
      answer.headers.set("Retry-After", "1");
      return answer;
    }
    if (count == 3) {
      net::Answer answer;
      answer.reset = true;
      return answer;
    }
    return net::Answer::json(201, "{}");
  };
  router.add(std::move(put));
  base::WorkerPool pool(2);
  net::ServerOptions options;
  options.listen = "127.0.0.1:0";
  options.spool_directory = root_.path();
  auto server = net::Server::start(options, std::move(router), pool).value();
  const std::string url = "http://" + server->address();
  const std::string file = must_build("libone.so");
  const Ran done = upload(url, {file});
  EXPECT_EQ(done.code, 0) << done.errors;
  EXPECT_EQ(puts, 4);
  EXPECT_NE(done.errors.find("the server says 503: restarting; trying again"), std::string::npos)
      << done.errors;

  // And gives up in the end.
  puts = 0;
  const Ran failed = upload(url, {"--attempts", "2", "--json", file});
  EXPECT_EQ(failed.code, 1);
  EXPECT_EQ(puts, 2);
  EXPECT_NE(failed.out.find("\"status\":\"failed\""), std::string::npos) << failed.out;
  server->stop();
}

TEST_F(UploadSymbols, SendsTheFilesOfASymbolStoreTree) {
  start();
  REQUIRE_CORPUS(corpus);
  const Ran done = upload(server_->url(), {"--json", corpus + "/symbols/store/two-tier"});
  ASSERT_EQ(done.code, 0) << done.errors;
  const auto json = base::JsonValue::parse(done.out).value();
  EXPECT_EQ(json["sent"].integer_or(-1), 3) << done.out;
  const auto answer =
      net::Client().get(server_->url() + "/lantern.dll/69A555155000/lantern.dll").value();
  EXPECT_EQ(base::sha256_of(base::bytes_of(answer.body)).hex(),
            "fe22f644d789a5e3d1f4fffee7467f477fb29eefa67e5e724774f68fa28e0a53");
}

TEST_F(UploadSymbols, SendsPackagesThatTheServerUnpacks) {
  start();
  REQUIRE_CORPUS(corpus);
  const std::string archives = corpus + "/symbols/archives";
  const std::string renamed = path("a+b 1.deb");
  std::filesystem::copy_file(archives + "/debs/hithere_1.0-1_amd64.deb", renamed);
  const std::vector<std::string> packages = {
      renamed, archives + "/debs/hithere-dbgsym_1.0-1_amd64.ddeb",
      archives + "/rpms/fedora30/hello2-debuginfo-1.0-2.x86_64.rpm",
      archives + "/tars/hello-debug-1-1-x86_64.pkg.tar.bz2"};
  std::size_t files = 0;
  for (const std::string& package : packages) {
    const Ran done = upload(server_->url(), {"--part-size", "100", "--json", package});
    ASSERT_EQ(done.code, 0) << package << done.out << done.errors;
    const auto json = base::JsonValue::parse(done.out).value();
    EXPECT_EQ(json["sent"].integer_or(-1), 1) << done.out;
    const auto stored = base::JsonValue::parse(
        net::Client().get(server_->url() + "/api/v1/store/files?limit=1000")->body);
    EXPECT_GT((*stored)["files"].size(), files) << package;
    files = (*stored)["files"].size();
    for (const base::JsonValue& file : *(*stored)["files"].array()) {
      EXPECT_EQ(file["format"].text_or(""), "elf") << file["name"].text_or("");
    }
  }
  // In a directory they are somebody's archives until he names them.
  const Ran tree = upload(server_->url(), {archives + "/debs"});
  EXPECT_EQ(tree.code, 1);
  EXPECT_NE(tree.out.find("name it itself"), std::string::npos) << tree.out;
  const Ran damaged = [&] {
    EXPECT_TRUE(base::write_file_durably(path("cut.deb"), base::bytes_of("!<arch>\ncut")).ok());
    return upload(server_->url(), {path("cut.deb")});
  }();
  EXPECT_EQ(damaged.code, 1);
  EXPECT_NE(damaged.errors.find("the server says 400"), std::string::npos) << damaged.errors;
}

TEST_F(UploadSymbols, SendsWhatIsFoundByAnotherIdThanAGuid) {
  start();
  const auto pdb_bytes = testing_support::old_pdb();
  const std::string old_pdb(base::text_of(pdb_bytes));
  const auto write = [&](const std::string& name, const std::string& text) {
    ASSERT_TRUE(base::write_file_durably(path("odd/" + name), base::bytes_of(text)).ok());
  };
  const std::string map =
      "FFFFFFFF 00 734D59D6DE0E96AA3C77B3E2ED498097\nFFFFFFFE 00 1\nFFFFFFFD 00 2\n"
      "FFFFFFFC 00 3\nFFFFFFFB 00 1\n00001000 10 Main\n";
  write("lamp.ni.r2rmap", map);
  write("old.pdb", old_pdb);
  const std::string library = base::read_file(must_build("libone.so")).value();
  auto cab = base::PendingFile::create(root_.path()).value();
  ASSERT_TRUE(archive::write_cab("libone.so", base::bytes_of(library), {}, cab).ok());
  ASSERT_TRUE(cab.commit(path("odd/libone.s_")).ok());
  write("broken.pd_", "MSCF and no more");
  const Ran done = upload(server_->url(), {"--json", path("odd")});
  ASSERT_EQ(done.code, 0) << done.out << done.errors;
  const auto json = base::JsonValue::parse(done.out).value();
  EXPECT_EQ(json["sent"].integer_or(-1), 3) << done.out;
  EXPECT_EQ(json["skipped"].integer_or(-1), 1) << done.out;
  const auto got = [&](const std::string& at) {
    return net::Client().get(server_->url() + at).value().body;
  };
  EXPECT_TRUE(got("/lamp.ni.r2rmap/r2rmap-v1-734d59d6de0e96aa3c77b3e2ed498097/lamp.ni.r2rmap") ==
              map);
  EXPECT_TRUE(got("/old.pdb/3DD60CFB2/old.pdb") == old_pdb);
  EXPECT_TRUE(is_stored(path("files/libone.so")));
  // Without a path, too.
  for (const auto& [name, text] :
       std::map<std::string, std::string>{{"older.pdb", old_pdb}, {"light.ni.r2rmap", map}}) {
    net::ClientRequest put;
    put.method = "PUT";
    put.url = server_->url() + "/api/v1/files/" + name;
    put.body = text;
    const auto kept = net::Client().send(put);
    ASSERT_TRUE(kept.ok());
    EXPECT_LT(kept->status, 300) << name << kept->body;
  }
  EXPECT_TRUE(got("/older.pdb/3DD60CFB2/older.pdb") == old_pdb);
  // The path is one that the bytes themselves say.
  const std::string files = got("/api/v1/uploads/1/files") + got("/api/v1/uploads/2/files") +
                            got("/api/v1/uploads/3/files");
  EXPECT_EQ(files.find("\"verified\":false"), std::string::npos) << files;
  EXPECT_NE(files.find("\"verified\":true"), std::string::npos) << files;
}

TEST_F(UploadSymbols, SendsCompressedDebugFilesForWhatIsInThem) {
  start();
  const std::string library = base::read_file(must_build("libone.so")).value();
  const auto write = [&](const std::string& name, base::Bytes bytes) {
    ASSERT_TRUE(base::write_file_durably(path("packed/" + name), bytes).ok());
  };
  const auto packed = base::gzip(base::bytes_of(library));
  write("libone.so.dbg.gz", packed);
  write("cut.so.dbg.gz", base::Bytes(packed).first(packed.size() / 2));
  write("words.gz", base::gzip(base::bytes_of("a manual")));
  const Ran done = upload(server_->url(), {"--json", path("packed")});
  ASSERT_EQ(done.code, 0) << done.out << done.errors;
  auto json = base::JsonValue::parse(done.out).value();
  EXPECT_EQ(json["sent"].integer_or(-1), 1) << done.out;
  EXPECT_EQ(json["skipped"].integer_or(-1), 2) << done.out;
  EXPECT_TRUE(is_stored(path("files/libone.so")));
  const std::string id = extract::identify(base::bytes_of(library)).debug_id.breakpad();
  EXPECT_EQ(
      net::Client().get(server_->url() + "/libone.so.dbg/" + id + "/libone.so.dbg.gz").value().body,
      base::text_of(packed));
  json = base::JsonValue::parse(upload(server_->url(), {"--json", path("packed")}).out).value();
  EXPECT_EQ(json["sent"].integer_or(-1), 0);
}

// Their ids are in a manifest, in an entry, or only in the name.
TEST_F(UploadSymbols, SendsWhatLiesBesideModules) {
  start();
  const std::string id = "2d10c42f591d3265b14778ba0868073f";
  const std::string dashed = "2D10C42F-591D-3265-B147-78BA0868073F";
  const std::string manifest = R"({"files":{},"object_name":"game","debug_id":")" + dashed + "\"}";
  const std::map<std::string, std::string> files = {
      {"game.src.zip",
       "SYSB" + testing_support::StoredZip().add("manifest.json", manifest).finish()},
      {dashed + ".plist",
       "<plist><dict><key>DBGOriginalUUID</key><string>" + dashed + "</string></dict></plist>"},
      {dashed + ".bcsymbolmap", "BCSymbolMap Version: 2.0\n"},
      {"LineNumberMappings.json",
       R"({"a.cpp":{"A.cs":{"1":2}},"__debug-id__":{")" + dashed + R"(":{}}})"},
      {"nameless.bcsymbolmap", "BCSymbolMap Version: 2.0\n"},
  };
  for (const auto& [name, text] : files) {
    ASSERT_TRUE(base::make_directories(path("files")).ok());
    ASSERT_TRUE(base::write_file_durably(path("files/" + name), base::bytes_of(text)).ok());
  }
  const Ran done = upload(server_->url(), {path("files")});
  ASSERT_EQ(done.code, 0) << done.errors;
  EXPECT_NE(done.out.find("4 files sent"), std::string::npos) << done.out;
  EXPECT_NE(done.out.find("does not say whose it is"), std::string::npos) << done.out;
  const std::map<std::string, std::string> names = {{"sourcebundle", "game.src.zip"},
                                                    {"uuidmap", dashed + ".plist"},
                                                    {"bcsymbolmap", dashed + ".bcsymbolmap"},
                                                    {"il2cpp", "LineNumberMappings.json"}};
  for (const auto& [word, name] : names) {
    const auto answer =
        net::Client().get(server_->url() + "/" + id.substr(0, 2) + "/" + id.substr(2) + "/" + word);
    EXPECT_TRUE(answer.ok() && answer->body == files.at(name)) << word;
  }
  const Ran again = upload(server_->url(), {path("files")});
  EXPECT_NE(again.out.find("0 files sent"), std::string::npos) << again.out;
}

// What was deleted from the store is found by nobody, so it is sent again.
TEST_F(UploadSymbols, SendsAgainWhatNobodyFindsAnyMore) {
  start();
  const std::string one = must_build("libone.so");
  const Ran added = store({"add", "--product", "p", one});
  ASSERT_EQ(added.code, 0) << added.errors;
  EXPECT_TRUE(is_stored(one));
  ASSERT_EQ(store({"del", "--id", "1"}).code, 0);
  EXPECT_FALSE(is_stored(one));
  const Ran again = upload(server_->url(), {one});
  EXPECT_NE(again.out.find("1 files sent"), std::string::npos) << again.out;
  EXPECT_TRUE(is_stored(one));
}

// Else a file would go that an uploader counts on.
TEST_F(UploadSymbols, WhoIsToldThatAFileIsThereKeepsItThere) {
  start();
  const std::string one = must_build("libone.so");
  ASSERT_EQ(store({"add", "--product", "p", one}).code, 0);
  EXPECT_NE(upload(server_->url(), {one}).out.find("1 already there"), std::string::npos);
  ASSERT_EQ(store({"del", "--id", "1"}).code, 0);
  EXPECT_TRUE(is_stored(one));
}

// The time stamp and size of a program find it under its name alone.
TEST_F(UploadSymbols, TheSameProgramUnderASecondNameIsFiledThereToo) {
  start();
  REQUIRE_CORPUS(corpus);
  const std::string dll =
      base::read_file(corpus + "/symbols/store/single-tier/dummylib.dll/5617D5638000/dummylib.dll")
          .value();
  for (const char* name : {"dummylib.dll", "second.dll", "third.dll"}) {
    ASSERT_TRUE(
        base::write_file_durably(path(std::string("dlls/") + name), base::bytes_of(dll)).ok());
  }
  const auto status_of = [&](const std::string& name) {
    return net::Client().get(server_->url() + "/" + name + "/5617D5638000/" + name)->status;
  };
  ASSERT_EQ(upload(server_->url(), {path("dlls/dummylib.dll")}).code, 0);
  EXPECT_EQ(status_of("second.dll"), 404);
  const Ran both =
      upload(server_->url(), {"--json", path("dlls/dummylib.dll"), path("dlls/second.dll")});
  EXPECT_EQ(both.code, 0) << both.errors;
  EXPECT_EQ(status_of("second.dll"), 200) << both.out;
  const Ran again = upload(server_->url(), {path("dlls/dummylib.dll"), path("dlls/second.dll")});
  EXPECT_NE(again.out.find("2 already there"), std::string::npos) << again.out << again.errors;
  // The script asks by name.
  if (!have_command("curl")) return;
  const std::string script =
      "curl -fsS " + server_->url() + "/tools/upload-symbols | sh -s -- " + path("dlls/third.dll");
  EXPECT_EQ(status_of("third.dll"), 404);
  const Ran sent = shell(script);
  EXPECT_EQ(sent.code, 0) << sent.out << sent.errors;
  EXPECT_EQ(status_of("third.dll"), 200) << sent.out;
}

TEST_F(UploadSymbols, TheScriptDoesTheSameWithCurlAlone) {
  start();
  REQUIRE_OR_SKIP(have_command("dash") && have_command("curl"), "no dash, or no curl");
  const std::string one = must_build("libone.so");
  std::filesystem::rename(must_build("libtwo.so"), path("files/li+b %1 \"o'd.so"));
  ASSERT_TRUE(base::write_file_durably(path("files/notes.txt"), base::bytes_of("text")).ok());
  ASSERT_TRUE(base::write_file_durably(path("files/cut.so"), base::bytes_of("\x7f"
                                                                            "ELF"))
                  .ok());
  const std::string fetch = "curl -fsS " + server_->url() + "/tools/upload-symbols";
  // The name with quotes in it is refused by the server, and that is said.
  const Ran first = shell(fetch + " | dash -s -- '" + path("files") + "'");
  EXPECT_EQ(first.code, 0) << first.out << first.errors;
  EXPECT_NE(first.out.find("\n1 files sent, 0 already there, 3 skipped, 0 failed\n"),
            std::string::npos)
      << first.out << first.errors;
  EXPECT_TRUE(is_stored(one));
  std::filesystem::rename(path("files/li+b %1 \"o'd.so"), path("files/li+b 1.so"));
  const Ran second = shell(fetch + " | dash -s -- '" + path("files") + "'");
  EXPECT_NE(second.out.find("1 files sent, 1 already there, 2 skipped, 0 failed\n"),
            std::string::npos)
      << second.out << second.errors;
  EXPECT_TRUE(is_stored(path("files/li+b 1.so")));
  EXPECT_EQ(name_of(path("files/li+b 1.so")), "li+b 1.so");
  EXPECT_EQ(shell(fetch + " | dash -s --").code, 2);
  EXPECT_EQ(shell(fetch + " | dash -s -- /no/such/file").code, 1);
  EXPECT_EQ(shell(fetch + " | dash -s -- --url http://127.0.0.1:1 " + one).code, 1);
}

TEST_F(UploadSymbols, TheScriptsCarryTheirAddress) {
  start();
  for (const char* name : {"upload-symbols", "upload-symbols.sh", "upload-symbols.ps1"}) {
    const auto answer = net::Client().get(server_->url() + "/tools/" + name).value();
    EXPECT_EQ(answer.status, 200) << name;
    EXPECT_NE(answer.body.find("'" + server_->url() + "'"), std::string::npos) << name;
    EXPECT_EQ(answer.body.find("@FAULTLINE_URL@"), std::string::npos) << name;
  }
  // A Host that would end the quotes is left out.
  const Ran odd = shell("curl -fsS -H \"Host: a'b\" " + server_->url() + "/tools/upload-symbols");
  EXPECT_EQ(odd.out.find("a'b"), std::string::npos);
}

}  // namespace
