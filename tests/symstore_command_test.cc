// `faultline store` and `symstore` as their users run them: on trees, on a served data directory,
// and on one that nobody serves; and Microsoft's own trees through a real server.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "formats/archive/cab.h"
#include "net/client.h"
#include "symstore/tree.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/server_process.h"
#include "testing/small_disk.h"

namespace {

using testing_support::faultline_program;
using testing_support::have_command;
using testing_support::ServerProcess;

struct Ran {
  int code = -1;
  std::string out, errors;
};

Ran run(const std::vector<std::string>& arguments) {
  const auto end = base::run_child(faultline_program(), arguments);
  EXPECT_TRUE(end.ok());
  if (!end.ok()) return {};
  return {end->exit_code, end->output, end->errors};
}

Ran store(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"faultline", "store"});
  return run(arguments);
}

// The same program under Microsoft's name.
Ran microsofts(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "symstore");
  return run(arguments);
}

class StoreCommand : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return root_.path() + "/" + name; }
  std::string read(const std::string& name) const {
    return base::read_file(path(name)).value_or("(none)");
  }
  bool has(const std::string& name) const { return base::file_exists(path(name)); }

  void serve() {
    server_.emplace(ServerProcess::start({path("data"), {}, {}, {}}));
    ASSERT_NE(server_->url(), "");
  }
  net::ClientAnswer get(const std::string& asked) {
    const auto answer = net::Client().get(net::join_url(server_->url(), asked));
    EXPECT_TRUE(answer.ok()) << asked;
    return answer.ok() ? *answer : net::ClientAnswer{};
  }
  // A file that every build of this machine can make: an ELF with a build id.
  std::string must_build(const std::string& name, const std::string& salt,
                         const std::string& build_id = "sha1") const {
    const std::string source = path(name + ".c");
    const std::string text = "int f" + salt + "(void) { return 1; }\n";
    EXPECT_TRUE(base::write_file_durably(source, base::bytes_of(text)).ok());
    const std::string command = "mkdir -p " + root_.path() + "/files && cc -shared -g -o " +
                                path("files/" + name) + " " + source +
                                " -Wl,--build-id=" + build_id;
    const auto end = base::run_child("/bin/sh", {"sh", "-c", command});
    EXPECT_TRUE(end.ok() && end->ok()) << (end.ok() ? end->errors : "");
    return path("files/" + name);
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("store-command").value();
  std::optional<ServerProcess> server_;
};

TEST_F(StoreCommand, HelpAndBadUsage) {
  EXPECT_EQ(store({"--help"}).code, 0);
  EXPECT_EQ(store({}).code, 2);
  EXPECT_EQ(store({"frobnicate"}).code, 2);
  EXPECT_EQ(store({"add", "--store", path("s"), "x"}).code, 2);  // no product
  EXPECT_EQ(microsofts({"add", "/f", "x", "/s", path("s")}).code, 2);
  EXPECT_EQ(microsofts({"add", "/f", "x", "/s", path("s"), "/t", "p", "/zz", "1"}).code, 2);
  EXPECT_EQ(store({"query", "--store", path("absent")}).code, 1);
}

TEST_F(StoreCommand, MicrosoftsFlagsOnATree) {
  REQUIRE_OR_SKIP(have_command("cc"), "no C compiler");
  const std::string one = must_build("libone.so", "1");
  must_build("libtwo.so", "2");
  ASSERT_TRUE(base::write_file_durably(path("files/readme.txt"), base::bytes_of("x")).ok());
  const Ran added = microsofts({"add", "/r", "/f", path("files"), "/s", path("store"), "/t", "Prod",
                                "/v", "1.0", "/c", "first", "/compress", "/3", "/o"});
  ASSERT_EQ(added.code, 0) << added.errors;
  EXPECT_NE(added.out.find("Number of files stored = 2\n"), std::string::npos) << added.out;
  EXPECT_NE(added.out.find("Number of files ignored = 1\n"), std::string::npos);
  EXPECT_TRUE(has("store/index2.txt"));
  const auto tree = symstore::Tree::open(path("store")).value();
  const auto transactions = tree.current().value();
  ASSERT_EQ(transactions.size(), 1u);
  EXPECT_EQ(transactions[0].product, "Prod");
  EXPECT_EQ(transactions[0].version, "1.0");
  EXPECT_EQ(transactions[0].comment, "first");
  const auto members = tree.members(1).value();
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(members[0].name, "libone.so");
  EXPECT_TRUE(has("store/li/libone.so/" + members[0].id + "/libone.s_"));

  const Ran known = microsofts({"query", "/f", one, "/s", path("store")});
  EXPECT_EQ(known.code, 0);
  EXPECT_NE(known.out.find("0000000001,file,"), std::string::npos) << known.out;

  // The second transaction holds one of them, as a pointer-free plain file.
  ASSERT_EQ(microsofts({"add", "/f", path("files/*one*"), "/s", path("store"), "/t", "Prod"}).code,
            0);
  EXPECT_EQ(microsofts({"del", "/i", "1", "/s", path("store")}).code, 0);
  EXPECT_TRUE(has("store/li/libone.so/" + members[0].id + "/libone.so"));
  EXPECT_FALSE(has("store/li/libtwo.so"));
  EXPECT_EQ(microsofts({"del", "/i", "1", "/s", path("store")}).code, 1);
  EXPECT_EQ(microsofts({"query", "/f", path("files/libtwo.so"), "/s", path("store")}).code, 1);
}

TEST_F(StoreCommand, IndexFilesAndPointers) {
  REQUIRE_OR_SKIP(have_command("cc"), "no C compiler");
  const std::string one = must_build("libone.so", "1");
  ASSERT_EQ(microsofts({"add", "/f", one, "/g", path("files"), "/x", path("index.txt")}).code, 0);
  const std::string two = must_build("libtwo.so", "2");
  ASSERT_EQ(microsofts({"add", "/f", two, "/g", path("files"), "/x", path("index.txt"), "/a"}).code,
            0);
  const Ran added = microsofts(
      {"add", "/yi", path("index.txt"), "/g", path("files"), "/s", path("store"), "/t", "P", "/p"});
  ASSERT_EQ(added.code, 0) << added.errors;
  EXPECT_TRUE(read("index.txt").ends_with("; transaction 0000000001\r\n")) << read("index.txt");
  const auto tree = symstore::Tree::open(path("store")).value();
  const auto members = tree.members(1).value();
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(read("store/libone.so/" + members[0].id + "/file.ptr"), one);
  EXPECT_EQ(tree.current()->at(0).kind, symstore::Kind::pointer);
}

// The files of a tree of Microsoft's, added again one transaction at a time by the command alone.
TEST_F(StoreCommand, GivesFilesTheKeysThatMicrosoftsToolGaveThem) {
  REQUIRE_CORPUS(corpus);
  const std::string tree = corpus + "/symbols/store/single-tier/";
  const std::vector<std::string> files = {
      "bigage.pdb/C9A61DDDD7E44353A668E39AC614A7EAa/bigage.pdb",
      "dummyprog.pdb/F6301B4562FE4B4DB691192733ECE6B71/dummyprog.pdb",
      "dummyprog.exe/5617D4FE8000/dummyprog.exe"};
  std::vector<std::string> arguments = {"add", "/s", path("store"), "/t", "p"};
  for (const std::string& file : files) arguments.insert(arguments.end(), {"/f", tree + file});
  const Ran added = microsofts(arguments);
  ASSERT_EQ(added.code, 0) << added.errors;
  for (const std::string& file : files) {
    EXPECT_TRUE(read("store/" + file) == base::read_file(tree + file).value()) << file;
  }
}

// symbols/store/expected.json says what each GET must give.
std::string expanded(const std::string& cab) {
  std::string out;
  const auto member =
      archive::expand_cab(base::bytes_of(cab), {}, [&](base::Bytes piece) -> base::Result<void> {
        out += base::text_of(piece);
        return {};
      });
  EXPECT_TRUE(member.ok());
  return out;
}

TEST_F(StoreCommand, ServesMicrosoftsTreesAfterImport) {
  REQUIRE_CORPUS(corpus);
  serve();
  const std::string stores = corpus + "/symbols/store";
  const auto expected =
      base::JsonValue::parse(base::read_file(stores + "/expected.json").value()).value();
  for (const auto& [name, facts] : *expected.object()) {
    const Ran done = store({"import", "--store", path("data"), "--pointers-beneath", stores,
                            "--json", fmt::format("{}/{}", stores, name)});
    ASSERT_EQ(done.code, 0) << name << done.errors;
    for (std::size_t i = 0; i < facts["gets"].size(); ++i) {
      const base::JsonValue& wanted = facts["gets"].at(i);
      // An age in decimal is a matter of reading the request, not of the tree (ident/paths).
      if (wanted["note"].text_or("").starts_with("LLDB")) continue;
      const std::string asked(wanted["path"].text_or(""));
      const auto answer = get("/" + asked);
      EXPECT_EQ(answer.status, wanted["status"].integer_or(0)) << name << " " << asked;
      const std::string_view hash = wanted["sha256"].text_or("");
      if (hash.empty() || answer.status != 200) continue;
      if (asked.ends_with('_')) {
        // Expanded on arrival and packed again on wish: another packer, the same file.
        const std::string plain = asked.substr(0, asked.size() - 1) + "l";
        EXPECT_EQ(expanded(answer.body), get("/" + plain).body) << name << " " << asked;
        continue;
      }
      EXPECT_EQ(base::sha256_of(base::bytes_of(answer.body)).hex(), hash) << name << " " << asked;
    }
  }
  // A second time changes nothing.
  const Ran again = store({"import", "--store", server_->url(), "--json", stores + "/single-tier"});
  EXPECT_NE(again.out.find("\"transactions\":0,\"past_transactions\":0,\"known_transactions\":3"),
            std::string::npos)
      << again.out;

  // Products, versions and comments came along.
  const Ran listed = store({"query", "--store", server_->url(), "--json"});
  EXPECT_NE(listed.out.find("\"product\":\"peprods\",\"version\":\"1.0.1\""), std::string::npos);
  EXPECT_NE(listed.out.find("\"comment\":\"a comment\""), std::string::npos);
}

TEST_F(StoreCommand, AFileOfTheServerGoesWithItsLastTransaction) {
  REQUIRE_CORPUS(corpus);
  serve();
  const std::string tree = corpus + "/symbols/store/single-tier-republished";
  ASSERT_EQ(store({"import", "--store", path("data"), tree}).code, 0);
  const std::string twice = "/dummyprog.pdb/F6301B4562FE4B4DB691192733ECE6B71/dummyprog.pdb";
  const std::string once = "/bigage.pdb/C9A61DDDD7E44353A668E39AC614A7EAa/bigage.pdb";
  EXPECT_EQ(get(twice).status, 200);
  EXPECT_EQ(get(once).status, 200);
  ASSERT_EQ(store({"del", "--store", server_->url(), "--id", "1"}).code, 0);
  EXPECT_EQ(get(twice).status, 200);
  EXPECT_EQ(get(once).status, 404);
  ASSERT_EQ(store({"del", "--store", path("data"), "--id", "2"}).code, 0);
  EXPECT_EQ(get(twice).status, 404);
  EXPECT_EQ(store({"del", "--store", path("data"), "--id", "2"}).code, 1);
}

TEST_F(StoreCommand, OfTwoWithOneKeyTheOlderServesUntilItIsDeleted) {
  REQUIRE_OR_SKIP(have_command("cc"), "no C compiler");
  serve();
  const std::string id = "00112233445566778899aabbccddeeff00112233";
  const std::string asked = "/libone.so/elf-buildid-" + id + "/libone.so";
  std::vector<std::string> contents;
  for (const std::string& salt : std::vector<std::string>{"1", "2"}) {
    const std::string file = must_build("libone.so", salt, "0x" + id);
    contents.push_back(base::read_file(file).value_or(""));
    const Ran added = store({"add", "--store", server_->url(), "--product", "P", file});
    ASSERT_EQ(added.code, 0) << added.errors;
  }
  ASSERT_NE(contents[0], contents[1]);
  EXPECT_TRUE(get(asked).body == contents[0]);
  EXPECT_TRUE(get("/buildid/" + id + "/debuginfo").body == contents[0]);
  ASSERT_EQ(store({"del", "--store", server_->url(), "--id", "1"}).code, 0);
  EXPECT_TRUE(get(asked).body == contents[1]);
  EXPECT_TRUE(get("/buildid/" + id + "/debuginfo").body == contents[1]);
}

TEST_F(StoreCommand, WhatWasUploadedOtherwiseStays) {
  REQUIRE_CORPUS(corpus);
  serve();
  const std::string tree = corpus + "/symbols/store/single-tier-republished";
  const std::string once = "/bigage.pdb/C9A61DDDD7E44353A668E39AC614A7EAa/bigage.pdb";
  net::ClientRequest put;
  put.method = "PUT";
  put.url = net::join_url(server_->url(), once);
  put.body_path = tree + once;
  ASSERT_EQ(net::Client().send(put)->status, 201);
  ASSERT_EQ(store({"import", "--store", path("data"), tree}).code, 0);
  ASSERT_EQ(store({"del", "--store", path("data"), "--id", "1"}).code, 0);
  EXPECT_EQ(get(once).status, 200);
}

TEST_F(StoreCommand, ATreeComesOutOfTheServerAsItWentIn) {
  REQUIRE_CORPUS(corpus);
  // Nobody serves the data directory: the command works on it itself.
  const std::vector<std::string> trees = {"single-tier", "single-tier-republished"};
  for (const std::string& name : trees) {
    const std::string tree = fmt::format("{}/symbols/store/{}", corpus, name);
    const std::string data = path(fmt::format("data-{}", name));
    const Ran in = store({"import", "--store", data, tree});
    ASSERT_EQ(in.code, 0) << in.errors;
    const Ran out = store({"export", "--store", data, path(name)});
    ASSERT_EQ(out.code, 0) << out.errors;
    const auto files = base::list_files(tree).value();
    for (const std::string& file : files) {
      const std::string relative = file.substr(tree.size());
      std::string text = base::read_file(file).value();
      if (relative.ends_with("history.txt")) text.resize(text.size() - 2);  // its last line end
      EXPECT_TRUE(read(name + relative) == text) << name << relative;
    }
    EXPECT_EQ(base::list_files(path(name))->size(), files.size());
  }
}

// The past goes along: what was deleted, by which number, and where the numbers go on.
TEST_F(StoreCommand, AStoresHistoryGoesInAndOut) {
  REQUIRE_CORPUS(corpus);
  const std::string stores = corpus + "/symbols/store/";
  const std::vector<std::string> names = {"two-tier",     "all-deleted", "single-tier-compressed",
                                          "with-comment", "single-tier", "single-tier-republished"};
  for (const std::string& name : names) {
    const std::string data = path("data-" + name);
    const Ran in = store({"import", "--store", data, "--pointers-beneath", stores, stores + name});
    ASSERT_EQ(in.code, 0) << name << in.errors;
    for (const char* verb : {"query", "history"}) {
      const Ran before = store({verb, "--store", stores + name});
      const Ran after = store({verb, "--store", data});
      EXPECT_EQ(after.out, before.out) << name << verb;
      EXPECT_EQ(before.out.empty(), name == "all-deleted" && verb == std::string("query")) << name;
    }
    std::vector<std::string> out_again = {"export", "--store", data, path(name)};
    if (name == "two-tier") out_again.emplace_back("--two-tier");
    ASSERT_EQ(store(out_again).code, 0) << name;
    const auto files = base::list_files(stores + name + "/000Admin").value();
    for (const std::string& file : files) {
      std::string text = base::read_file(file).value();
      const std::string relative = file.substr(stores.size());
      if (relative.ends_with("history.txt") && text.ends_with('\n')) text.resize(text.size() - 2);
      if (name == "with-comment" && !relative.ends_with("history.txt"))
        continue;  // not Microsoft's
      EXPECT_EQ(read(relative), text) << relative;
    }
    EXPECT_EQ(store({"history", "--store", path(name)}).out,
              store({"history", "--store", data}).out);
  }
}

TEST_F(StoreCommand, NumbersGoOnWhereTheTreeEnded) {
  REQUIRE_CORPUS(corpus);
  REQUIRE_OR_SKIP(have_command("cc"), "no C compiler");
  serve();
  const std::string tree = corpus + "/symbols/store/two-tier";
  ASSERT_EQ(store({"import", "--store", path("data"), tree}).code, 0);
  const std::string file = must_build("libone.so", "1");
  const Ran added = store({"add", "--store", server_->url(), "--product", "P", file});
  EXPECT_NE(added.out.find("transaction 6:"), std::string::npos) << added.out;
  const Ran gone = store({"del", "--store", server_->url(), "--id", "2"});
  EXPECT_EQ(gone.out, "transaction 0000000002 deleted by 0000000007\n");
  const Ran told = store({"history", "--store", server_->url()});
  EXPECT_TRUE(told.out.ends_with("\n0000000007,del,0000000002\n")) << told.out;
  EXPECT_NE(told.out.find("0000000005,del,0000000001\n0000000006,add,file,"), std::string::npos);

  // Another tree has its own number 1: it is history here under another.
  const std::string other = corpus + "/symbols/store/with-comment";
  ASSERT_EQ(store({"import", "--store", path("data"), other}).code, 0);
  EXPECT_NE(store({"query", "--store", server_->url()}).out.find("0000000008 file 02/20/2022"),
            std::string::npos);
}

// Deleted in the tree since it was imported: deleted here, under the tree's number.
TEST_F(StoreCommand, ASecondImportBringsTheDeletions) {
  REQUIRE_CORPUS(corpus);
  const std::string original = corpus + "/symbols/store/single-tier-republished";
  const std::string copy = path("tree");
  ASSERT_TRUE(base::run_child("/bin/cp", {"cp", "-r", original, copy})->ok());
  serve();
  ASSERT_EQ(store({"import", "--store", path("data"), copy}).code, 0);
  ASSERT_EQ(store({"del", "--store", copy, "--id", "1"}).code, 0);
  const Ran again = store({"import", "--store", path("data"), "--json", copy});
  EXPECT_NE(again.out.find("\"transactions\":0,\"past_transactions\":1,\"known_transactions\":1"),
            std::string::npos)
      << again.out;
  EXPECT_EQ(get("/bigage.pdb/C9A61DDDD7E44353A668E39AC614A7EAa/bigage.pdb").status, 404);
  EXPECT_EQ(store({"history", "--store", path("data")}).out,
            store({"history", "--store", copy}).out);
  // And a third changes nothing.
  const Ran third = store({"import", "--store", path("data"), "--json", copy});
  EXPECT_NE(third.out.find("\"past_transactions\":0,\"known_transactions\":2"), std::string::npos)
      << third.out;
}

TEST_F(StoreCommand, ExportsWhatCameOtherwiseToo) {
  REQUIRE_CORPUS(corpus);
  serve();
  const std::string tree = corpus + "/symbols/store/single-tier";
  const std::string file = "/bigage.pdb/C9A61DDDD7E44353A668E39AC614A7EAa/bigage.pdb";
  net::ClientRequest put;
  put.method = "PUT";
  put.url = net::join_url(server_->url(), file);
  put.body_path = tree + file;
  ASSERT_EQ(net::Client().send(put)->status, 201);
  for (const std::string& from : {server_->url(), path("data")}) {
    const std::string to = "out" + std::to_string(from.size());
    const Ran out = store({"export", "--all", "--store", from, path(to)});
    ASSERT_EQ(out.code, 0) << out.errors;
    EXPECT_TRUE(read(to + file) == base::read_file(tree + file).value()) << out.errors;
    EXPECT_TRUE(read(to + "/000Admin/server.txt").find("\"faultline\"") != std::string::npos);
  }
  EXPECT_EQ(server_->stop(), 0);
  ASSERT_EQ(
      store({"export", "--all", "--compress", "--two-tier", "--store", path("data"), path("z")})
          .code,
      0);
  EXPECT_TRUE(has("z/bi/bigage.pdb/C9A61DDDD7E44353A668E39AC614A7EAa/bigage.pd_"));
}

TEST_F(StoreCommand, ADirectoryThatWasServedIsOpenedAfterwards) {
  serve();
  EXPECT_EQ(server_->stop(), 0);
  const Ran listed = store({"query", "--store", path("data"), "--json"});
  EXPECT_EQ(listed.code, 0) << listed.errors;
  EXPECT_EQ(listed.out, "{\"transactions\":[]}\n");
}

TEST_F(StoreCommand, AHostileTreeBringsNothingIn) {
  serve();
  ASSERT_TRUE(base::write_file_durably(path("secret.txt"), base::bytes_of("secret")).ok());
  const auto write = [&](const std::string& name, std::string_view text) {
    ASSERT_TRUE(base::write_file_durably(path("tree/" + name), base::bytes_of(text)).ok());
  };
  write("000Admin/server.txt",
        "0000000001,add,file,03/02/2026,09:15:04,\"p\",\"\",\"\",\r\n"
        "0000000002,add,file,03/02/2026,09:15:04,\"cut\",\"\",\"\",\r\n");
  write("000Admin/0000000001",
        "\"..\\..\",\"x\"\r\n\"a.pdb\\1\",\"x\"\r\n\"b.pdb\\1\",\"x\"\r\n\"c.pdb\\1\",\"x\"\r\n");
  write("a.pdb/1/file.ptr", "..\\..\\..\\secret.txt");
  write("b.pdb/1/b.pd_", "MSCF cut");
  write("c.pdb/1/file.ptr", "/etc/passwd");
  const Ran done = store({"import", "--store", path("data"), path("tree")});
  EXPECT_EQ(done.code, 0) << done.errors;
  for (const char* name : {"a.pdb", "b.pdb", "c.pdb"}) {
    EXPECT_NE(done.errors.find(std::string("left out: ") + name), std::string::npos) << done.errors;
    EXPECT_EQ(get(std::string("/") + name + "/1/" + name).status, 404) << name;
  }
  EXPECT_NE(done.errors.find("left out: transaction 0000000002"), std::string::npos);
}

// A transaction of Microsoft's of `count` files without refs.ptr, as some tools write trees.
void write_large_tree(const std::string& tree, unsigned count, bool packed) {
  const auto write = [&](const std::string& name, std::string_view text) {
    ASSERT_TRUE(base::write_file_durably(tree + "/" + name, base::bytes_of(text)).ok());
  };
  write("000Admin/server.txt", "0000000001,add,file,03/02/2026,09:15:04,\"p\",\"\",\"\",\r\n");
  std::string members;
  const auto directory = base::TemporaryDirectory::create("cabinets").value();
  for (unsigned i = 0; i < count; ++i) {
    members += fmt::format("\"f{0}.bin\\{0}\",\"x\"\r\n", i);
    const std::string text = fmt::format("file {} {}", i, std::string(packed ? 65'536 : 10, 'a'));
    if (!packed) {
      write(fmt::format("f{0}.bin/{0}/f{0}.bin", i), text);
      continue;
    }
    auto cab = base::PendingFile::create(directory.path()).value();
    ASSERT_TRUE(archive::write_cab(fmt::format("f{}.bin", i), base::bytes_of(text), {}, cab).ok());
    ASSERT_TRUE(cab.commit(fmt::format("{0}/f{1}.bin/{1}/f{1}.bi_", tree, i)).ok());
  }
  write("000Admin/0000000001", members);
}

// run_child allows 256 open files: a transaction must not need one for each of its files.
TEST_F(StoreCommand, ATransactionMayHaveMoreFilesThanWeMayOpen) {
  constexpr unsigned kFiles = 400;
  write_large_tree(path("tree"), kFiles, false);
  const Ran done = store({"import", "--store", path("data"), path("tree")});
  EXPECT_EQ(done.code, 0) << done.errors;
  EXPECT_EQ(done.errors, "");
  serve();
  for (const unsigned i : {0u, 255u, kFiles - 1}) {
    EXPECT_EQ(get(fmt::format("/f{0}.bin/{0}/f{0}.bin", i)).status, 200) << i;
  }
}

// The cabinets' contents are larger than the disk for temporary files, each of them is not. (Half
// of the disk is for ThreadSanitizer, which keeps a file there, too.)
TEST_F(StoreCommand, CabinetsAreExpandedOneAfterTheOther) {
  const auto disk = testing_support::SmallDisk::mount("1m");
  REQUIRE_OR_SKIP(disk, "mounting a tmpfs");
  write_large_tree(path("tree"), 40, true);
  const auto end =
      base::run_child("/usr/bin/env", {"env", "TMPDIR=" + disk->path(), faultline_program(),
                                       "store", "import", "--store", path("data"), path("tree")});
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->exit_code, 0) << end->errors;
  EXPECT_EQ(end->errors, "");
  serve();
  EXPECT_TRUE(get("/f39.bin/39/f39.bin").body ==
              fmt::format("file 39 {}", std::string(65'536, 'a')));
}

// A file that is there and cannot be read: its transaction is not sent without it.
TEST_F(StoreCommand, WhatCannotBeReadFailsTheImport) {
  write_large_tree(path("tree"), 3, false);
  ASSERT_TRUE(base::write_file_durably(path("tree/000Admin/server.txt"),
                                       base::bytes_of("0000000001,add,file,03/02/2026,09:15:04,"
                                                      "\"p\",\"\",\"\",\r\n"
                                                      "0000000002,add,file,03/02/2026,09:15:04,"
                                                      "\"q\",\"\",\"\",\r\n"))
                  .ok());
  ASSERT_TRUE(base::write_file_durably(path("tree/000Admin/0000000002"),
                                       base::bytes_of("\"g.bin\\1\",\"x\"\r\n"))
                  .ok());
  ASSERT_TRUE(base::write_file_durably(path("tree/g.bin/1/g.bin"), base::bytes_of("g")).ok());
  // What the disk refuses to open, root or not: a link to a name that is too long.
  ASSERT_EQ(::unlink(path("tree/f1.bin/1/f1.bin").c_str()), 0);
  ASSERT_EQ(::symlink(std::string(300, 'n').c_str(), path("tree/f1.bin/1/f1.bin").c_str()), 0);
  const Ran done = store({"import", "--store", path("data"), path("tree")});
  EXPECT_EQ(done.code, 1);
  EXPECT_NE(done.errors.find("not imported: transaction 0000000001: f1.bin/1"), std::string::npos)
      << done.errors;
  EXPECT_NE(done.errors.find("1 transactions were not imported"), std::string::npos) << done.errors;
  EXPECT_NE(done.out.find("1 transactions with 1 files"), std::string::npos) << done.out;

  // Mended, it comes with the next run.
  ASSERT_EQ(::unlink(path("tree/f1.bin/1/f1.bin").c_str()), 0);
  ASSERT_TRUE(base::write_file_durably(path("tree/f1.bin/1/f1.bin"), base::bytes_of("1")).ok());
  const Ran again = store({"import", "--store", path("data"), path("tree")});
  EXPECT_EQ(again.code, 0) << again.errors;
  EXPECT_NE(again.out.find("1 transactions with 3 files, 1 were there"), std::string::npos)
      << again.out;
}

TEST_F(StoreCommand, TheApiRefusesWhatIsNone) {
  serve();
  const std::string url = server_->url() + "/api/v1/store/transactions";
  const auto post = [&](const std::string& body) {
    return net::Client().post(url, "application/json", body)->status;
  };
  EXPECT_EQ(post("nonsense"), 400);
  EXPECT_EQ(post("{\"files\":[]}"), 400);
  EXPECT_EQ(post(R"({"files":[{"name":"..","id":"1","sha256":""}]})"), 400);
  EXPECT_EQ(post(R"({"files":[{"name":"a","id":"1","sha256":"12"}]})"), 400);
  const std::string hash(64, 'a');
  EXPECT_EQ(post(R"({"files":[{"name":"a","id":"1","sha256":")" + hash + "\"}]}"), 409);
  EXPECT_EQ(get("/api/v1/store/transactions/7").status, 404);
  EXPECT_EQ(get("/api/v1/store/transactions/x").status, 404);
  const auto known = net::Client().post(server_->url() + "/api/v1/store/known", "application/json",
                                        "{\"sha256\":[\"" + hash + "\"]}");
  EXPECT_EQ(known->body, "{\"known\":[]}");
}

}  // namespace
