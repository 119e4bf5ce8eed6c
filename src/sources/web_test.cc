// Fetching from source servers, against a real one on loopback.
#include "sources/web.h"

#include <gtest/gtest.h>

#include <atomic>

#include "base/child.h"
#include "base/file.h"
#include "net/server.h"
#include "sources/checksum.h"
#include "sources/named_files.h"
#include "testing/commands.h"
#include "testing/corpus.h"

namespace sources {
namespace {

using base::Fault;
using net::Answer;

class SourceWeb : public testing::Test {
 protected:
  void SetUp() override {
    net::Router router;
    const auto add = [&](const char* pattern, std::function<Answer(const net::Request&)> answer) {
      net::Route route;
      route.method = "GET";
      route.pattern = pattern;
      route.handler = [this, answer = std::move(answer)](net::Request& request) -> net::Reply {
        ++asked_;
        return answer(request);
      };
      router.add(std::move(route));
    };
    add("/repo/**",
        [](const net::Request&) { return Answer::text(200, "int a(void) { return 1; }\n"); });
    add("/text", [](const net::Request&) { return Answer::text(200, "aW50IGI7Cg=="); });
    add("/big", [](const net::Request&) { return Answer::text(200, std::string(5000, 'x')); });
    add("/secret", [](const net::Request& request) {
      return request.header("Private-Token") == "s3cret" ? Answer::text(200, "mine")
                                                         : Answer::text(401, "who are you");
    });
    add("/here", [](const net::Request&) { return Answer::redirect(302, "/repo/x.c"); });
    add("/metadata", [](const net::Request&) {
      return Answer::redirect(302, "http://169.254.169.254/latest/meta-data/");
    });
    add("/loop", [](const net::Request&) { return Answer::redirect(302, "/loop"); });
    net::ServerOptions options;
    options.listen = "127.0.0.1:0";
    options.threads = 1;
    options.spool_directory = root_.path();
    server_ = net::Server::start(options, std::move(router), pool_).value();
  }

  std::unique_ptr<Web> open(const std::string& hosts, const std::string& credentials = "") {
    WebOptions options;
    options.hosts = hosts;
    if (!credentials.empty()) {
      options.credentials_file = root_.path() + "/credentials";
      EXPECT_TRUE(
          base::write_file_durably(options.credentials_file, base::bytes_of(credentials)).ok());
    }
    options.cache_directory = root_.path() + "/cache";
    options.tmp = root_.path();
    options.file_size_max = 1000;
    auto web = Web::open(options);
    EXPECT_TRUE(web.ok()) << web.error().what;
    return std::move(*web);
  }
  static std::chrono::steady_clock::time_point later() {
    return std::chrono::steady_clock::now() + std::chrono::seconds(20);
  }
  std::string host() const { return "http://" + server_->address(); }
  std::string fetch(Web& web, const std::string& path) {
    const auto bytes = web.fetch({host() + path, srcsrv::Packing::plain}, later());
    return bytes.ok() ? *bytes : std::string(base::name_of(bytes.error().fault));
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("web").value();
  std::atomic<int> asked_ = 0;
  base::WorkerPool pool_{1};
  std::unique_ptr<net::Server> server_;
};

TEST_F(SourceWeb, FetchesOnceAndKeepsIt) {
  {
    const auto web = open(host());
    EXPECT_EQ(fetch(*web, "/repo/a.c"), "int a(void) { return 1; }\n");
    EXPECT_EQ(fetch(*web, "/repo/a.c"), "int a(void) { return 1; }\n");
  }
  const auto later = open(host());  // the next run finds it on disk
  EXPECT_EQ(fetch(*later, "/repo/a.c"), "int a(void) { return 1; }\n");
  EXPECT_EQ(asked_, 1);
}

TEST_F(SourceWeb, AsksNobodyWhoIsNotOnTheList) {
  const auto none = open("");
  EXPECT_FALSE(none->enabled());
  EXPECT_EQ(fetch(*none, "/repo/a.c"), "denied");
  const auto other = open("source.example;" + server_->address());  // https on that port only
  EXPECT_EQ(fetch(*other, "/repo/a.c"), "denied");
  EXPECT_EQ(asked_, 0);
}

TEST_F(SourceWeb, ARedirectMustLeadToTheListToo) {
  const auto web = open(host());
  EXPECT_EQ(fetch(*web, "/here"), "int a(void) { return 1; }\n");
  EXPECT_EQ(fetch(*web, "/metadata"), "denied");
  EXPECT_EQ(fetch(*web, "/loop"), "not_found");
}

TEST_F(SourceWeb, SendsCredentialsAndNeverShowsThem) {
  const auto stranger = open(host());
  const auto refused = stranger->fetch({host() + "/secret", srcsrv::Packing::plain}, later());
  ASSERT_FALSE(refused.ok());
  const auto web = open(host(), host() + " Private-Token: s3cret\n");
  EXPECT_EQ(fetch(*web, "/secret"), "mine");
}

TEST_F(SourceWeb, KeepsToItsLimitsAndUnpacks) {
  const auto web = open(host());
  EXPECT_EQ(fetch(*web, "/big"), "too_large");
  EXPECT_EQ(fetch(*web, "/nothing"), "not_found");
  EXPECT_EQ(*web->fetch({host() + "/text", srcsrv::Packing::base64}, later()), "int b;\n");
  const auto wrong = web->fetch({host() + "/repo/odd", srcsrv::Packing::base64}, later());
  EXPECT_EQ(wrong.error().fault, Fault::malformed);
}

TEST_F(SourceWeb, AMissIsRemembered) {
  const auto web = open(host());
  fetch(*web, "/secret");
  fetch(*web, "/secret");
  EXPECT_EQ(asked_, 1);
}

TEST_F(SourceWeb, WhatOthersFetchIsKeptHereAndTheirFailuresAreNot) {
  int downloads = 0;
  const auto once = [&](Web& web, const std::string& key, bool works) {
    const auto bytes = web.fetch_once(key, later(), [&]() -> base::Result<std::string> {
      ++downloads;
      if (!works) return base::Error{Fault::unavailable, "not now"};
      web.keep(key, "the file");
      return std::string("the file");
    });
    return bytes.ok() ? *bytes : std::string(base::name_of(bytes.error().fault));
  };
  {
    const auto web = open("");  // no server of the web is on its list
    EXPECT_EQ(once(*web, "key", false), "unavailable");
    EXPECT_EQ(once(*web, "key", true), "the file");
    EXPECT_EQ(once(*web, "key", false), "the file");
    EXPECT_EQ(once(*web, "another", false), "unavailable");
  }
  const auto next_run = open("");
  EXPECT_EQ(once(*next_run, "key", false), "the file");
  EXPECT_EQ(downloads, 3);
}

// A real PDB from a real linker, whose Source Link leads to the server.
TEST_F(SourceWeb, APdbWithSourceLinkLeadsToItsSource) {
  REQUIRE_OR_SKIP(
      testing_support::have_command("clang-22") && testing_support::have_command("lld-link-22"),
      "no clang-22 or lld-link-22");
  const std::string script =
      "cd " + root_.path() +
      " && mkdir repo && printf 'int a(void) { return 1; }\\n' > repo/a.c && "
      "printf '{\"documents\":{\"C:\\\\\\\\work\\\\\\\\*\":\"" +
      host() +
      "/repo/*\"}}' > link.json && "
      "clang-22 --target=x86_64-pc-windows-msvc -g -gcodeview -c repo/a.c -o a.obj "
      "-ffile-prefix-map=repo/='C:\\work\\' -fdebug-compilation-dir='C:\\work' && "
      "lld-link-22 /dll /noentry /nodefaultlib /debug /pdbstream:sourcelink=link.json /out:a.dll "
      "a.obj";
  const auto end = base::run_child("/bin/sh", {"sh", "-c", script});
  ASSERT_TRUE(end.ok() && end->ok()) << end->describe() << end->output << end->errors;
  const auto file = base::MappedFile::open(root_.path() + "/a.pdb");
  ASSERT_TRUE(file.ok());
  const auto found = extract::source_files((*file)->bytes());
  ASSERT_TRUE(found.ok()) << found.error().what;
  ASSERT_EQ(found->source_links.size(), 1u);
  const auto named = NamedFiles::parse(NamedFiles::text_of(*found));
  ASSERT_TRUE(named.ok());
  const auto entry = named->find("c:/work/a.c");
  std::string all;
  for (const NamedFile& one : named->files()) all.append(one.path).append("\n");
  ASSERT_TRUE(entry) << all;
  const auto location = named->locate(entry->path);
  ASSERT_TRUE(location.ok());
  EXPECT_EQ(location->url, host() + "/repo/a.c");
  const auto web = open(host());
  const auto bytes = web->fetch(*location, later());
  ASSERT_TRUE(bytes.ok()) << bytes.error().what;
  EXPECT_EQ(fit_of(*bytes, entry->checksum), Fit::yes) << entry->checksum;
}

}  // namespace
}  // namespace sources
