// Sources that packages bring, served by build id: uploaded packages, as their uploader called
// them, and Debian's source tarballs; with the clients that people use.
#include <gtest/gtest.h>

#include <thread>

#include "base/child.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "extract/identify.h"
#include "net/client.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/server_process.h"

namespace {

using testing_support::have_command;
using testing_support::ServerProcess;

constexpr std::string_view kHello = "c36708a78618d597dee15d0dc989f093ca5f9120";
constexpr std::string_view kHelloSource = "/usr/src/debug/hello2-1.0-2.x86_64/hello.c";
constexpr std::string_view kHelloSourceHash =
    "92c7f46f601acb5097c620f397bcdb846ab0cf7557f13bd00ad6a14b95ca4768";

constexpr const char* kMain =
    "#include \"lamp.h\"\nint main(int c, char** v) { (void)v; return dim(c) == 77; }\n";
constexpr const char* kHeader = "static inline int dim(int a) { return a * 3 + 1; }\n";

std::string header(const net::ClientAnswer& answer, std::string_view name) {
  return std::string(answer.headers.find(name).value_or(""));
}

class PackageSources : public testing::Test {
 protected:
  void start(std::vector<std::string> environment = {}) {
    server_.emplace(ServerProcess::start({root_.path() + "/data", {}, {}, std::move(environment)}));
    ASSERT_NE(server_->url(), "");
  }
  net::ClientAnswer get(const std::string& path) {
    auto answer = net::Client().get(server_->url() + path);
    EXPECT_TRUE(answer.ok()) << path;
    return answer.ok() ? std::move(*answer) : net::ClientAnswer{};
  }
  net::ClientAnswer put(const std::string& file, const std::string& base = "/api/v1/files/") {
    net::ClientRequest request;
    request.method = "PUT";
    request.url = server_->url() + base + std::string(base::basename_of(file));
    request.body = base::read_file(file).value_or("");
    auto answer = net::Client().send(request);
    EXPECT_TRUE(answer.ok());
    return answer.ok() ? std::move(*answer) : net::ClientAnswer{};
  }
  std::string path(const std::string& name) const { return root_.path() + "/" + name; }
  void write(const std::string& name, std::string_view text) {
    ASSERT_TRUE(base::make_directories(std::string(base::parent_of(path(name)))).ok());
    ASSERT_TRUE(base::write_file_durably(path(name), base::bytes_of(text)).ok());
  }
  void must_run(const std::string& command) {
    base::ChildLimits limits;
    limits.wall = std::chrono::seconds(120);
    limits.data_bytes_max = 64ull << 30;
    const auto end = base::run_child("/bin/sh", {"sh", "-c", command}, limits);
    ASSERT_TRUE(end.ok());
    ASSERT_TRUE(end->ok()) << command << "\n" << end->describe() << end->errors;
    out_ = end->output;
  }
  std::string must_build_id(const std::string& file) {
    const auto mapped = base::MappedFile::open(file);
    EXPECT_TRUE(mapped.ok()) << file;
    return mapped.ok() ? extract::identify((*mapped)->bytes()).code_id : "";
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("package-sources").value();
  std::optional<ServerProcess> server_;
  std::string out_;  // of must_run()
};

TEST_F(PackageSources, AnUploadedRpmGivesWhatAWatchedOneDoes) {
  REQUIRE_CORPUS(corpus);
  const std::string folder = corpus + "/symbols/archives/rpms/fedora30/";
  start();
  const std::string source = "/buildid/" + std::string(kHello) + "/source";
  const std::string wanted = source + std::string(kHelloSource);
  ASSERT_EQ(put(folder + "hello2-1.0-2.x86_64.rpm").status, 201);
  ASSERT_EQ(put(folder + "hello2-debuginfo-1.0-2.x86_64.rpm").status, 201);
  EXPECT_EQ(get(wanted).status, 404);
  // This one has sources and no debug file.
  const net::ClientAnswer kept = put(folder + "hello2-debugsource-1.0-2.x86_64.rpm");
  ASSERT_EQ(kept.status, 201) << kept.body;
  for (const bool again : {false, true}) {
    const net::ClientAnswer answer = get(wanted);
    ASSERT_EQ(answer.status, 200) << answer.body << again;
    EXPECT_EQ(base::sha256_of(base::bytes_of(answer.body)).hex(), kHelloSourceHash);
    EXPECT_EQ(header(answer, "X-Faultline-Source"), "archive");
    EXPECT_EQ(get(source + "/etc/passwd").status, 404);
    const net::ClientAnswer member = get("/buildid/" + std::string(kHello) + "/executable");
    EXPECT_EQ(header(member, "X-DEBUGINFOD-ARCHIVE"), "hello2-1.0-2.x86_64.rpm");
    EXPECT_EQ(header(member, "X-DEBUGINFOD-FILE"), "hello");
    const net::ClientAnswer section = get("/buildid/" + std::string(kHello) + "/section/.text");
    EXPECT_EQ(header(section, "X-DEBUGINFOD-FILE"), "/usr/local/bin/hello");
    // What a restart sweeps away was nobody's; the sources are somebody's.
    EXPECT_EQ(server_->stop(), 0);
    start();
  }
  const net::ClientAnswer found = get("/metadata?key=file&value=/usr/local/bin/hello");
  EXPECT_NE(found.body.find("\"archive\":\"hello2-1.0-2.x86_64.rpm\""), std::string::npos)
      << found.body;
}

TEST_F(PackageSources, AnUploadedZipBringsSourcesBesideItsSymbols) {
  REQUIRE_OR_SKIP(have_command("cc") && have_command("zip"), "no C compiler, or no zip");
  write("zip/usr/src/lamp/main.c", kMain);
  write("zip/usr/src/lamp/lamp.h", kHeader);
  write("zip/usr/src/lamp/other.c", "int nobody_names_this;\n");
  must_run("cd " + path("zip/usr/src/lamp") +
           " && cc -g -Wl,--build-id -ffile-prefix-map=" + path("zip") +
           "= -o ../../../lamp main.c && cd " + path("zip") + " && zip -qr ../symbols.zip .");
  start();
  must_run("curl -sf -F file=@" + path("symbols.zip") + " " + server_->url() + "/upload/");
  const std::string id = must_build_id(path("zip/lamp"));
  const net::ClientAnswer answer = get("/buildid/" + id + "/source/usr/src/lamp/main.c");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.body, kMain);
  EXPECT_EQ(get("/buildid/" + id + "/source/usr/src/lamp/lamp.h").body, kHeader);
  EXPECT_EQ(get("/buildid/" + id + "/source/usr/src/lamp/other.c").status, 404);
  EXPECT_EQ(header(get("/buildid/" + id + "/executable"), "X-DEBUGINFOD-ARCHIVE"), "symbols.zip");
}

// A source package of format 3.0 (quilt) and what dpkg-buildpackage makes of it: a stripped program
// in a .deb, its debug file in another, paths mapped as `map` says.
class DebianSources : public PackageSources {
 protected:
  void build(const std::string& map) {
    REQUIRE_OR_SKIP(have_command("cc") && have_command("dpkg-deb") && have_command("objcopy"),
                    "no C compiler, dpkg-deb or objcopy");
    write("b/Lamp-v1/src/main.c", kMain);
    write("b/Lamp-v1/src/lamp.h", kHeader);
    write("b/Lamp-v1/src/fixed.c", "int fixed(void) { return 1; }\n");
    write("b/Lamp-v1/README", "A lamp.\n");
    write("b/debian/own.c", "int own(void) { return 2; }\n");
    write("b/debian/patches/series", "fix.patch\n");
    write("b/debian/patches/fix.patch",
          "--- a/src/fixed.c\n+++ b/src/fixed.c\n@@ -1 +1 @@\n-int fixed(void) { return 1; }\n"
          "+int fixed(void) { return 3; }\n");
    const std::string control =
        "Source: lamp (1:1.2-3)\nVersion: 1:1.2-3+b1\nArchitecture: all\nMaintainer: a <a@b.c>\n"
        "Description: a lamp\n";
    write("deb/DEBIAN/control", "Package: lamp-bin\n" + control);
    write("dbg/DEBIAN/control", "Package: lamp-bin-dbgsym\n" + control);
    must_run("cd " + path("b") + " && mkdir -p ../packages ../deb/usr/bin ../dbg/usr/lib/debug &&" +
             " tar -czf ../packages/lamp_1.2.orig.tar.gz Lamp-v1 &&" +
             " tar -cJf ../packages/lamp_1.2-3.debian.tar.xz debian &&" +
             " mv Lamp-v1 lamp-1.2 && mv debian lamp-1.2 && cd lamp-1.2 &&" +
             " sed -i 's/return 1/return 3/' src/fixed.c &&" +
             " cc -O0 -g -Wl,--build-id -ffile-prefix-map=" + map +
             " -o lamp src/main.c src/fixed.c debian/own.c && objcopy --only-keep-debug lamp" +
             " ../../dbg/usr/lib/debug/lamp.debug && strip lamp && cp lamp ../../deb/usr/bin/ &&" +
             " cd ../.. && dpkg-deb -b deb packages/lamp.deb && dpkg-deb -b dbg packages/dbg.deb" +
             " && mv b gone");
    id_ = must_build_id(path("deb/usr/bin/lamp"));
    ASSERT_NE(id_, "");
  }
  std::string source(const std::string& file) { return "/buildid/" + id_ + "/source" + file; }
  // Until it is served; only that it comes is asked.
  bool comes(const std::string& at) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < until) {
      if (get(at).status == 200) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }
  void expect_sources(const std::string& folder) {
    EXPECT_EQ(get(source(folder + "/src/main.c")).body, kMain);
    EXPECT_EQ(get(source(folder + "/src/lamp.h")).body, kHeader);
    EXPECT_EQ(get(source(folder + "/debian/own.c")).body, "int own(void) { return 2; }\n");
    // The one in the tarball is not the one that was compiled.
    const net::ClientAnswer patched = get(source(folder + "/src/fixed.c"));
    EXPECT_EQ(patched.status, 404);
    EXPECT_NE(patched.body.find("patches"), std::string::npos) << patched.body;
    EXPECT_EQ(get(source(folder + "/README")).status, 404);  // the symbols do not name it
  }

  std::string id_;
};

TEST_F(DebianSources, OfWatchedTarballsAreServedToDebuggers) {
  build(path("b") + "=/build/reproducible-path");
  start({"FAULTLINE_SCAN_PATHS=" + path("packages"), "FAULTLINE_SCAN_SECONDS=1"});
  const std::string folder = "/build/reproducible-path/lamp-1.2";
  ASSERT_TRUE(comes(source(folder + "/src/main.c"))) << server_->log();
  expect_sources(folder);
  if (have_command("debuginfod-find")) {
    must_run("HOME=" + root_.path() + " DEBUGINFOD_URLS=" + server_->url() +
             " debuginfod-find source " + id_ + " " + folder + "/src/main.c");
    EXPECT_EQ(base::read_file(out_.substr(0, out_.find('\n'))).value_or(""), kMain);
  }
  if (have_command("gdb")) {
    must_run("HOME=" + root_.path() + " DEBUGINFOD_URLS=" + server_->url() +
             " gdb -nx -batch -iex 'set debuginfod enabled on' -ex 'list main' " +
             path("deb/usr/bin/lamp"));
    EXPECT_NE(out_.find("return dim(c) == 77"), std::string::npos) << out_;
  }
  // Without the tarball there is no source, and the symbols stay.
  ASSERT_TRUE(base::remove_file(path("packages/lamp_1.2.orig.tar.gz")).ok());
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (get(source(folder + "/src/main.c")).status == 200) {
    ASSERT_LT(std::chrono::steady_clock::now(), until);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(get("/buildid/" + id_ + "/debuginfo").status, 200);
}

TEST_F(DebianSources, OfUploadedTarballsAreServedByRelativePaths) {
  build(path("b/lamp-1.2") + "=.");
  start();
  for (const std::string& name : std::vector<std::string>{
           "lamp.deb", "dbg.deb", "lamp_1.2.orig.tar.gz", "lamp_1.2-3.debian.tar.xz"}) {
    const net::ClientAnswer kept = put(path("packages/" + name));
    ASSERT_EQ(kept.status, 201) << name << kept.body;
  }
  expect_sources("");
}

}  // namespace
