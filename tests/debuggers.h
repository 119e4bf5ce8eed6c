// A server, a built program and its files, and debuggers in an empty home: for tests of what
// debuggers do with us. Not a test itself.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/child.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/text.h"
#include "extract/identify.h"
#include "net/client.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/server_process.h"

namespace testing_support {

inline constexpr const char* kLampSource =
    "int flicker(int a) { return a * 3; }\n"
    "int main(int c, char** v) { (void)v; return flicker(c) == 77; }\n";
inline constexpr const char* kUuid = "CB63147A-C9DC-308B-8CA1-EE92A5042E8E";  // Electron's dSYM

inline std::string must_read(const std::string& path) {
  const auto text = base::read_file(path);
  EXPECT_TRUE(text.ok()) << path;
  return text.ok() ? *text : "";
}

class Debuggers : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_OR_SKIP(have_command("cc") && have_command("python3"), "no C compiler or python3");
    server_.emplace(ServerProcess::start({root_ + "/data", {}, {}, {}}));
    ASSERT_NE(server_->url(), "");
  }

  // A program built in a directory that is gone, whole, stripped, and its debug file uploaded.
  void build_and_upload() {
    write("/build/src/lamp.c", kLampSource);
    must_run("cd " + root_ + "/build/src && cc -g -O0 -Wl,--build-id -o ../../lamp lamp.c && cd " +
             root_ +
             " && objcopy --only-keep-debug lamp lamp.debug && strip -o stripped lamp && "
             "mkdir run && cp stripped run/lamp && rm -r build");
    identity_ = extract::identify(base::bytes_of(must_read(root_ + "/lamp")));
    const std::string key = "/lamp/" + identity_.debug_id.breakpad() + "/";
    EXPECT_LT(send("PUT", key + "lamp.debug", must_read(root_ + "/lamp.debug")).status, 300);
    EXPECT_LT(send("PUT", key + "lamp", must_read(root_ + "/stripped")).status, 300);
  }
  void upload_source() {
    const std::string hash = base::sha256_of(base::bytes_of(kLampSource)).hex();
    EXPECT_EQ(send("PUT",
                   "/artifacts/src/" + hash + "/lamp.c?module=" + identity_.build_id +
                       "&path=" + source_path(),
                   kLampSource)
                  .status,
              200);
  }
  std::string source_path() const { return root_ + "/build/src/lamp.c"; }

  // Whether the server finds it by its UUID.
  bool upload_dsym(const std::string& corpus) {
    const std::string bytes = must_read(corpus + "/symbols/objects/macho/electron-dsym/Electron");
    EXPECT_LT(send("PUT", "/Electron/CB63147AC9DC308B8CA1EE92A5042E8E0/Electron", bytes).status,
              300);
    return send("GET", "/buildid/cb63147ac9dc308b8ca1ee92a5042e8e/debuginfo").status == 200;
  }

  void write(const std::string& name, std::string_view text) {
    ASSERT_TRUE(base::make_directories(root_ + std::string(base::parent_of(name))).ok());
    ASSERT_TRUE(base::write_file_durably(root_ + name, base::bytes_of(text)).ok());
  }
  net::ClientAnswer send(const std::string& method, const std::string& target,
                         const std::string& body = "") {
    net::ClientRequest request;
    request.method = method;
    request.url = server_->url() + target;
    request.body = body;
    const auto answer = net::Client().send(request);
    EXPECT_TRUE(answer.ok()) << target;
    return answer.ok() ? *answer : net::ClientAnswer{};
  }
  base::ChildEnd run(const std::string& command) const {
    base::ChildLimits limits;
    limits.data_bytes_max = 64ull << 30;
    limits.wall = std::chrono::seconds(200);
    const auto end = base::run_child("/bin/sh", {"sh", "-c", command}, limits);
    EXPECT_TRUE(end.ok()) << command;
    return end.ok() ? *end : base::ChildEnd{};
  }
  base::ChildEnd must_run(const std::string& command) const {
    auto end = run(command);
    EXPECT_TRUE(end.ok()) << command << "\n" << end.describe() << end.errors;
    return end;
  }
  std::string environment() const {
    return "HOME=" + root_ + "/home FAULTLINE_URL=" + server_->url() +
           " FAULTLINE_DSYM_CACHE=" + cache() + " DEBUGINFOD_URLS=" + server_->url() +
           " DEBUGINFOD_CACHE_PATH=" + root_ + "/debuginfod ";
  }
  std::string cache() const { return root_ + "/cache"; }
  std::string dsym(const std::string& arguments) const {
    return must_run(environment() + faultline_program() + " dsym-for-uuid " + arguments).output;
  }
  // A value of a property list, as Python's parser reads it: keys joined by '/'.
  std::string value(const std::string& plist, const std::string& keys) {
    write("/answer.plist", plist);
    return std::string(base::trim(
        must_run(
            "python3 -c 'import plistlib,sys\n"
            "d=plistlib.load(open(\"" +
            root_ +
            "/answer.plist\",\"rb\"))\n"
            "for k in sys.argv[1].split(\"|\"): d=d.get(k,\"\") if isinstance(d,dict) else \"\"\n"
            "print(d if isinstance(d,str) else sorted(d))' '" +
            keys + "'")
            .output));
  }
  // LLDB in its own, empty home.
  std::string lldb(const std::string& arguments) const {
    return run("mkdir -p " + root_ + "/home && cd " + root_ + "/home && " + environment() +
               "lldb-22 --no-lldbinit -b " + arguments + " 2>&1")
        .output;
  }

  base::TemporaryDirectory directory_ = base::TemporaryDirectory::create("wishes").value();
  const std::string root_ = directory_.path();
  extract::Identity identity_;
  std::optional<ServerProcess> server_;
};

}  // namespace testing_support
