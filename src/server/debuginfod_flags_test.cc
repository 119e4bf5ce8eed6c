#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "server/debuginfod.h"

namespace server {
namespace {

base::Result<DebuginfodFlags> parse(std::vector<std::string> words) {
  words.insert(words.begin(), "debuginfod");
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return debuginfod_flags(static_cast<int>(words.size()), argv.data());
}

DebuginfodFlags must_parse(const std::vector<std::string>& words) {
  auto flags = parse(words);
  EXPECT_TRUE(flags.ok()) << (flags.ok() ? "" : flags.error().what);
  return flags.ok() ? *flags : DebuginfodFlags{};
}

TEST(DebuginfodFlags, WithoutAnyItServesOnItsPortAndScansNothing) {
  ::setenv("HOME", "/home/lamp", 1);
  const DebuginfodFlags flags = must_parse({});
  EXPECT_EQ(flags.options.listen, "0.0.0.0:8002");
  EXPECT_EQ(flags.options.data, "/home/lamp/.debuginfod.faultline");
  EXPECT_EQ(flags.options.scan_paths, "");
  EXPECT_EQ(flags.options.scan_seconds, 300u);
  EXPECT_EQ(flags.options.metadata_seconds, 5u);
  EXPECT_TRUE(flags.options.is_debuginfod);
  EXPECT_TRUE(flags.options.scan_keeps_excluded);
}

TEST(DebuginfodFlags, SayWhatIsScanned) {
  const DebuginfodFlags files = must_parse({"-F", "/a", "/b"});
  EXPECT_EQ(files.options.scan_files, 1u);
  EXPECT_EQ(files.options.scan_paths, "/a:/b");
  EXPECT_EQ(files.options.sources_directories, "/");
  EXPECT_EQ(must_parse({"-F", "--disable-source-scan", "/a"}).options.sources_directories, "");

  using Commands = std::map<std::string, std::string>;
  EXPECT_EQ(must_parse({"-R", "-U", "/a"}).options.scan_commands,
            (Commands{{".rpm", ""},
                      {".deb", ""},
                      {".ddeb", ""},
                      {".ipk", R"((bsdtar -O -x -f - data.tar\*)<)"}}));
  EXPECT_EQ(must_parse({"--scan-rpm-dir", "/a"}).options.scan_commands, (Commands{{".rpm", ""}}));
  EXPECT_EQ(must_parse({"-Z", ".pkg=unzstd -c", "-Z.tar", "/a"}).options.scan_commands,
            (Commands{{".pkg", "unzstd -c"}, {".tar", ""}}));
  EXPECT_EQ(must_parse({"/a"}).options.scan_paths, "") << "a path, but nothing to look for";
  EXPECT_EQ(must_parse({"-F", "--passive", "/a"}).options.scan_paths, "");
  EXPECT_FALSE(parse({"-F", "/a:b"}).ok());
}

TEST(DebuginfodFlags, SayHow) {
  const Options options =
      must_parse({"-F", "-I", "x.*", "-X", "y", "-L", "-c", "3", "-t", "0", "-g", "7", "-r", "/a"})
          .options;
  EXPECT_EQ(options.scan_include, "x.*");
  EXPECT_EQ(options.scan_exclude, "y");
  EXPECT_EQ(options.scan_follow_links, 1u);
  EXPECT_EQ(options.scan_threads, 3u);
  EXPECT_EQ(options.scan_seconds, 0u);
  EXPECT_EQ(options.groom_seconds, 7u);
  EXPECT_FALSE(options.scan_keeps_excluded);
}

TEST(DebuginfodFlags, SayWhereItListensAndKeeps) {
  EXPECT_EQ(must_parse({"-p", "99"}).options.listen, "0.0.0.0:99");
  EXPECT_EQ(must_parse({"--listen-address=127.0.0.1", "--port=99"}).options.listen, "127.0.0.1:99");
  EXPECT_EQ(must_parse({"-p99", "--listen-address", "::1"}).options.listen, "[::1]:99");
  EXPECT_TRUE(must_parse({"-d", ":memory:"}).in_memory);
  EXPECT_EQ(must_parse({"-d", "/no/such/place"}).options.data, "/no/such/place");
  // Elfutils' database stays what it is.
  const auto root = base::TemporaryDirectory::create("flags").value();
  const std::string theirs = root.path() + "/debuginfod.sqlite";
  ASSERT_TRUE(base::write_file_durably(theirs, base::bytes_of("SQLite format 3")).ok());
  EXPECT_EQ(must_parse({"-d", theirs}).options.data, theirs + ".faultline");
}

TEST(DebuginfodFlags, SayWhatItMayTake) {
  EXPECT_EQ(must_parse({"--fdcache-mbs=10"}).options.scan_extracted, 10u << 20);
  EXPECT_EQ(must_parse({"--fdcache-mbs=0"}).options.scan_extracted, 1u);
  EXPECT_EQ(must_parse({"--fdcache-mintmp=25"}).options.scan_disk_free_percent, 25u);
  EXPECT_EQ(must_parse({"--metadata-maxtime=9"}).options.metadata_seconds, 9u);
  EXPECT_GT(must_parse({"--metadata-maxtime=0"}).options.metadata_seconds, 3600u);
  EXPECT_EQ(must_parse({"--home-html", "/x"}).options.home_html, "/x");
  EXPECT_EQ(must_parse({"--home-redirect", "/x"}).options.home_redirect, "/x");
}

TEST(DebuginfodFlags, ThatDoNothingHereAreTakenAndNamed) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"-C"},
                                             {"-C4"},
                                             {"--connection-pool=4"},
                                             {"-D", "PRAGMA x"},
                                             {"-G"},
                                             {"--cors"},
                                             {"--fdcache-fds=1"},
                                             {"--fdcache-prefetch=1"},
                                             {"--fdcache-prefetch-fds=1"},
                                             {"--fdcache-prefetch-mbs=1"},
                                             {"--forwarded-ttl-limit=1"},
                                             {"--scan-checkpoint=1"}}) {
    const DebuginfodFlags flags = must_parse(words);
    ASSERT_EQ(flags.ignored.size(), 1u) << words.front();
    const std::string flag = words.front().substr(0, words.front()[1] == '-' ? 10 : 2);
    EXPECT_NE(flags.ignored.front().find(flag == "--connecti" ? "-C" : flag), std::string::npos)
        << flags.ignored.front();
  }
}

TEST(DebuginfodFlags, OtherServersAreAskedAtOnce) {
  DebuginfodFlags flags = must_parse({"-F", "/a"});
  ask_others("  https://debuginfod.example\tHTTP://other:8002/ ima:enforcing File:///mnt/ids\n x",
             flags);
  std::vector<std::string> urls;
  for (const UpstreamOptions& one : flags.options.upstreams) {
    EXPECT_EQ(one.layout, "debuginfod") << one.url;
    EXPECT_EQ(one.group, flags.options.upstreams.front().group) << one.url;
    EXPECT_NE(one.group, "");
    urls.push_back(one.url);
  }
  EXPECT_EQ(urls, (std::vector<std::string>{"https://debuginfod.example", "http://other:8002/",
                                            "/mnt/ids"}));
  ASSERT_EQ(flags.ignored.size(), 1u) << "what is no place to ask";
  EXPECT_TRUE(flags.ignored.front().starts_with("DEBUGINFOD_URLS: "));
  DebuginfodFlags alone = must_parse({});
  ask_others("", alone);
  EXPECT_TRUE(alone.options.upstreams.empty());
}

TEST(DebuginfodFlags, ThatAreWrongAreNamed) {
  struct Row {
    std::vector<std::string> words;
    const char* named;
  };
  const std::vector<Row> table = {Row{{"-p", "0"}, "-p"},
                                  Row{{"-p", "65536"}, "-p"},
                                  Row{{"-p", "x"}, "-p"},
                                  Row{{"-t", "-1"}, "-t"},
                                  Row{{"-c", "0"}, "-c"},
                                  Row{{"-M"}, "-M"},
                                  Row{{"--no-such-flag"}, "--no-such-flag"},
                                  Row{{"-Z"}, "-Z"},
                                  Row{{"--fdcache-mintmp=101"}, "--fdcache-mintmp"},
                                  Row{{"--koji-sigcache"}, "--koji-sigcache"}};
  for (const Row& row : table) {
    const auto flags = parse(row.words);
    ASSERT_FALSE(flags.ok()) << row.named;
    EXPECT_NE(flags.error().what.find(row.named), std::string::npos) << flags.error().what;
  }
}

TEST(DebuginfodFlags, HelpAndVersion) {
  EXPECT_TRUE(must_parse({"--help"}).help);
  EXPECT_TRUE(must_parse({"-V"}).version);
  EXPECT_EQ(must_parse({"-v", "-v"}).verbosity, 2u);
}

}  // namespace
}  // namespace server
