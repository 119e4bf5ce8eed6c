// The uploaders that people have, as they are shipped, against a real server: sentry-cli, and
// Breakpad's dump_syms and sym_upload. `tools/install-deps test` brings them where it can; a test
// whose program is not there skips and says so.
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/text.h"
#include "client_programs.h"
#include "extract/identify.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/server_process.h"
#include "upload_dialects.h"

namespace {

using testing_support::faultline_program;
using testing_support::ServerProcess;

struct Ran {
  int exit_code = -1;
  std::string output;  // of both streams
};
Ran run(const std::string& command) {
  base::ChildLimits limits;
  limits.wall = std::chrono::seconds(100);
  const auto end = base::run_child("/bin/sh", {"sh", "-c", "exec 2>&1; " + command}, limits);
  if (!end.ok()) return {};
  return {end->exit_code, end->output + end->errors};
}

class RealUploaders : public testing::Test {
 protected:
  void SetUp() override {
    const std::string source = root_.path() + "/hello.c";
    ASSERT_TRUE(base::write_file_durably(
                    source, base::bytes_of("#include <stdio.h>\n"
                                           "int twice(int n) { return 2 * n; }\n"
                                           "int main(void) { return printf(\"%d\", twice(2)); }\n"))
                    .ok());
    const Ran made = run("cc -g -O0 -Wl,--build-id -o " + hello_ + " " + source +
                         " || clang-22 -g " + "-O0 -Wl,--build-id -o " + hello_ + " " + source);
    ASSERT_EQ(made.exit_code, 0) << made.output;
    const Ran id = run("readelf -n " + hello_ + " | sed -n 's/.*Build ID: //p'");
    build_id_ = base::trim(id.output);
    ASSERT_EQ(build_id_.size(), 40u) << id.output;
  }
  void start(std::vector<std::string> environment = {}) {
    server_.emplace(ServerProcess::start({root_.path() + "/data", {}, {}, std::move(environment)}));
    ASSERT_NE(server_->url(), "");
    token_ = base::trim(
        run(faultline_program() + " admin token create ci --data " + root_.path() + "/data")
            .output);
    ASSERT_EQ(token_.size(), 32u) << token_;
  }
  net::ClientAnswer get(const std::string& path) {
    return uploads::send(server_->url(), "GET", path);
  }
  std::string sentry_upload(const std::string& program, const std::string& token,
                            const std::string& what) {
    return "env -u SENTRY_AUTH_TOKEN HOME=" + root_.path() + " SENTRY_LOAD_DOTENV=0 " + program +
           " --url " + server_->url() + " --auth-token " + token +
           " debug-files upload --org any --project any --wait " + what;
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("real-uploaders").value();
  std::string hello_ = root_.path() + "/hello", build_id_, token_;
  std::optional<ServerProcess> server_;
};

TEST_F(RealUploaders, SentryCliUploads) {
  REQUIRE_CLIENT(sentry, "sentry-cli");
  start();
  const Ran first = run(sentry_upload(sentry, token_, hello_));
  EXPECT_EQ(first.exit_code, 0) << first.output << server_->log();
  EXPECT_EQ(get("/buildid/" + build_id_ + "/debuginfo").body, base::read_file(hello_).value());
  const Ran again = run(sentry_upload(sentry, token_, hello_));
  EXPECT_EQ(again.exit_code, 0) << again.output;
  EXPECT_NE(again.output.find("Nothing to upload"), std::string::npos)
      << "the second time nothing is sent\n"
      << again.output;
  const Ran stranger = run(sentry_upload(sentry, "0123456789abcdef0123456789abcdef", hello_));
  EXPECT_NE(stranger.exit_code, 0) << stranger.output;
}

// `bundle-sources` makes the bundle by hand, `upload --include-sources` on the way; both times the
// file's source is then found by its path, and by no other.
TEST_F(RealUploaders, SentryCliBringsSources) {
  REQUIRE_CLIENT(sentry, "sentry-cli");
  start();
  const std::string source = root_.path() + "/hello.c";
  const std::string text = base::read_file(source).value();
  const std::string route = "/buildid/" + build_id_ + "/source";
  const Ran bundled = run(sentry + " debug-files bundle-sources " + hello_);
  ASSERT_EQ(bundled.exit_code, 0) << bundled.output;
  const std::string bundle = base::read_file(hello_ + ".src.zip").value();
  ASSERT_TRUE(bundle.starts_with("SYSB"));
  ASSERT_EQ(::unlink(source.c_str()), 0);
  ASSERT_EQ(run(sentry_upload(sentry, token_, hello_)).exit_code, 0);
  EXPECT_EQ(get(route + source).status, 404);

  const Ran sent = run(sentry_upload(sentry, token_, hello_ + ".src.zip"));
  EXPECT_EQ(sent.exit_code, 0) << sent.output << server_->log();
  const auto answer = get(route + source);
  EXPECT_EQ(answer.body, text) << answer.status;
  EXPECT_EQ(answer.headers.find("X-Faultline-Source").value_or(""), "bundle");
  EXPECT_EQ(get(route + root_.path() + "/other.c").status, 404);
  const std::string tree = "/" + build_id_.substr(0, 2) + "/" + build_id_.substr(2);
  for (const std::string& path :
       std::vector<std::string>{tree + "/sourcebundle", tree + ".src.zip",
                                "/artifacts/sourcebundle/" + build_id_ + "/hello"}) {
    EXPECT_TRUE(get(path).body == bundle) << path;
  }
  EXPECT_EQ(get("/buildid/" + build_id_ + "/debuginfo").body, base::read_file(hello_).value());
}

TEST_F(RealUploaders, SentryCliIncludesSources) {
  REQUIRE_CLIENT(sentry, "sentry-cli");
  start();
  const std::string source = root_.path() + "/hello.c";
  const Ran sent = run(sentry_upload(sentry, token_, "--include-sources " + hello_));
  EXPECT_EQ(sent.exit_code, 0) << sent.output << server_->log();
  const auto answer = get("/buildid/" + build_id_ + "/source" + source);
  EXPECT_EQ(answer.body, base::read_file(source).value()) << server_->log();
  const Ran again = run(sentry_upload(sentry, token_, "--include-sources " + hello_));
  EXPECT_NE(again.output.find("Nothing to upload"), std::string::npos) << again.output;
}

// What the client finds beside a dSYM, and line mappings, which come under their module's name.
TEST_F(RealUploaders, SentryCliBringsMaps) {
  REQUIRE_CLIENT(sentry, "sentry-cli");
  start();
  const std::string maps = root_.path() + "/maps/";
  const std::string list =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict>"
      "<key>DBGOriginalUUID</key><string>C8374B6D-6E96-34D8-AE38-EFAA5FEC424F</string>"
      "</dict></plist>\n";
  const std::string names = "BCSymbolMap Version: 2.0\n_main\n";
  ASSERT_TRUE(base::make_directories(maps).ok());
  ASSERT_TRUE(base::write_file_durably(maps + "2D10C42F-591D-3265-B147-78BA0868073F.plist",
                                       base::bytes_of(list))
                  .ok());
  ASSERT_TRUE(base::write_file_durably(maps + "C8374B6D-6E96-34D8-AE38-EFAA5FEC424F.bcsymbolmap",
                                       base::bytes_of(names))
                  .ok());
  const Ran sent = run(sentry_upload(sentry, token_, maps));
  EXPECT_EQ(sent.exit_code, 0) << sent.output << server_->log();
  EXPECT_EQ(get("/2d/10c42f591d3265b14778ba0868073f/uuidmap").body, list);
  EXPECT_EQ(get("/c8/374b6d6e9634d8ae38efaa5fec424f/bcsymbolmap").body, names);
  EXPECT_EQ(get("/c8/374b6d6e9634d8ae38efaa5fec424f/uuidmap").status, 404);

  ASSERT_EQ(run("cd " + root_.path() + " && echo '//<source_info:/p/A.cs:17>' > gen.c && " +
                "echo 'int main(void) { return 0; }' >> gen.c && cc -g -Wl,--build-id -o gen gen.c")
                .exit_code,
            0);
  const std::string gen = root_.path() + "/gen";
  const std::string gen_id =
      extract::identify(base::bytes_of(base::read_file(gen).value())).build_id;
  const Ran mapped = run(sentry_upload(sentry, token_, "--il2cpp-mapping " + gen));
  EXPECT_EQ(mapped.exit_code, 0) << mapped.output << server_->log();
  const std::string lines =
      get("/" + gen_id.substr(0, 2) + "/" + gen_id.substr(2) + "/il2cpp").body;
  EXPECT_NE(lines.find("/p/A.cs"), std::string::npos) << lines;
  EXPECT_EQ(get("/buildid/" + gen_id + "/executable").body, base::read_file(gen).value());
}

// A file of many chunks in requests of half a megabyte, as behind a proxy that limits bodies.
TEST_F(RealUploaders, SentryCliUploadsInSmallRequests) {
  REQUIRE_CLIENT(sentry, "sentry-cli");
  start({"FAULTLINE_LIMITS_SENTRY_REQUEST=1 MiB"});
  const Ran padded = run("head -c 5000000 /dev/urandom > " + root_.path() + "/pad && objcopy " +
                         "--add-section .pad=" + root_.path() + "/pad " + hello_);
  ASSERT_EQ(padded.exit_code, 0) << padded.output;
  const Ran sent = run(sentry_upload(sentry, token_, hello_));
  EXPECT_EQ(sent.exit_code, 0) << sent.output << server_->log();
  EXPECT_TRUE(get("/buildid/" + build_id_ + "/debuginfo").body == base::read_file(hello_).value());
}

TEST_F(RealUploaders, BreakpadsToolsUpload) {
  REQUIRE_CLIENT(dump_syms, "dump_syms");
  REQUIRE_CLIENT(sym_upload, "sym_upload");
  start();
  const std::string sym = root_.path() + "/hello.sym";
  const Ran dumped = run(dump_syms + " " + hello_ + " > " + sym);
  const std::string text = base::read_file(sym).value_or("");
  ASSERT_TRUE(text.starts_with("MODULE Linux ")) << dumped.output << text.substr(0, 200);
  const std::string id(base::split(text.substr(0, text.find('\n')), ' ').at(3));
  const std::string path = "/hello/" + id + "/hello.sym";
  // Version 2 knows a key, which is a token of ours; FOUND ends it the second time.
  const std::string v2 =
      sym_upload + " -p sym-upload-v2 -k " + token_ + " " + sym + " " + server_->url();
  const Ran second = run(v2);
  EXPECT_EQ(second.exit_code, 0) << second.output << server_->log();
  EXPECT_EQ(get(path).body, text);
  const Ran again = run(v2);
  EXPECT_NE(again.output.find("already exists"), std::string::npos) << again.output;
  const Ran wrong = run(sym_upload + " -p sym-upload-v2 -k 0123456789abcdef0123456789abcdef " +
                        sym + " " + server_->url());
  EXPECT_NE(wrong.exit_code, 0) << wrong.output;
}

// Version 1 has no place for a token: it is for this machine, until there are tokens.
TEST_F(RealUploaders, BreakpadsFirstProtocolUploads) {
  REQUIRE_CLIENT(dump_syms, "dump_syms");
  REQUIRE_CLIENT(sym_upload, "sym_upload");
  server_.emplace(ServerProcess::start({root_.path() + "/data", {}, {}, {}}));
  ASSERT_NE(server_->url(), "");
  const std::string sym = root_.path() + "/hello.sym";
  ASSERT_EQ(run(dump_syms + " " + hello_ + " > " + sym).exit_code, 0);
  const std::string text = base::read_file(sym).value_or("");
  const std::string id(base::split(text.substr(0, text.find('\n')), ' ').at(3));
  const Ran sent = run(sym_upload + " " + sym + " " + server_->url() + "/upload/");
  EXPECT_EQ(sent.exit_code, 0) << sent.output << server_->log();
  EXPECT_EQ(get("/hello/" + id + "/hello.sym").body, text);
}

}  // namespace
