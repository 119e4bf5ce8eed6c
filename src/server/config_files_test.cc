#include "server/config_files.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "server/reachable_upstreams.h"

namespace server {
namespace {

// In a directory of its own, which is the working directory meanwhile.
class ConfigFiles : public testing::Test {
 protected:
  ConfigFiles() {
    std::filesystem::create_directories(root_.path() + "/at");
    std::filesystem::current_path(root_.path() + "/at");
  }
  ~ConfigFiles() override { std::filesystem::current_path(before_); }
  static void write(const std::string& path, std::string_view text) {
    ASSERT_TRUE(base::write_file_durably(path, base::bytes_of(text)).ok());
  }
  static std::string pysymproxy(std::string_view name) {
    return R"({"identity": {"name": ")" + std::string(name) +
           R"(", "administrator": "a", "default_sympath": "s"},
             "general": {"cacheLocation": "c", "blacklist": []},
             "servers": [{"identifier": "old", "remote": "\\\\files\\drop\\a"}]})";
  }

  const std::filesystem::path before_ = std::filesystem::current_path();
  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("config").value();
};

TEST_F(ConfigFiles, WithoutOneOursComesFirstAndThenTheOldPlaces) {
  EXPECT_EQ(load_options({}, {})->listen, "127.0.0.1:7070");
  write("config/default.pysymproxy.json", pysymproxy("third"));
  EXPECT_EQ(load_options({}, {})->site.name, "third");
  write("config/pysymproxy.json", pysymproxy("second"));
  EXPECT_EQ(load_options({}, {})->site.name, "second");
  write("../config/pysymproxy.json", pysymproxy("first"));
  EXPECT_EQ(load_options({}, {})->site.name, "first");
  EXPECT_EQ(load_options({}, {})->site.old_config, "../config/pysymproxy.json");
  write("faultline.toml", "[site]\nname = \"ours\"\n");
  EXPECT_EQ(load_options({}, {})->site.name, "ours");
  EXPECT_EQ(load_options({}, {})->site.old_config, "");
}

TEST_F(ConfigFiles, AreKnownByTheirContent) {
  write("a.conf", " \n" + pysymproxy("by content"));
  EXPECT_EQ(load_options({"a.conf"}, {})->site.name, "by content");
  EXPECT_EQ(load_options({"a.conf"}, {})->listen, "0.0.0.0:8080");
  EXPECT_EQ(load_options({"a.conf"}, {{"listen", "127.0.0.1:1", "--listen"}})->listen,
            "127.0.0.1:1");
  write("b.json", R"({"some": "thing"})");
  EXPECT_NE(load_options({"b.json"}, {}).error().what.find("b.json: is JSON, but"),
            std::string::npos);
  write("c.json", R"({"servers": [}")");
  EXPECT_EQ(load_options({"c.json"}, {}).error().what.substr(0, 7), "c.json:");
  EXPECT_FALSE(load_options({"missing.json"}, {}).ok());
}

TEST_F(ConfigFiles, OfSeveralTheLaterWinsAndServersAddUp) {
  write("old.json", pysymproxy("old"));
  write("faultline.toml",
        "[site]\nname = \"new\"\n[unc]\n'\\\\files\\drop' = \"/mnt/drop\"\n"
        "[[upstream]]\nurl = \"/srv/more\"\n");
  const Options options = load_options({"old.json", "faultline.toml"}, {}).value();
  EXPECT_EQ(options.site.name, "new");
  EXPECT_EQ(options.site.old_config, "old.json");
  ASSERT_EQ(options.upstreams.size(), 2u);
  EXPECT_EQ(options.upstreams[0].identifier, "old");
  EXPECT_EQ(options.upstreams[1].url, "/srv/more");
}

TEST_F(ConfigFiles, SharesAreWhereTheyAreMounted) {
  write("old.json", pysymproxy("old"));
  const auto with = [](const std::string& share) {
    Options options = load_options({"old.json"}, share_settings({share}, "--unc")).value();
    return with_reachable_upstreams(std::move(options), Caches::made).value();
  };
  const std::string here = std::filesystem::current_path().string();
  const Options mapped = with("\\\\FILES\\drop=/mnt/drop");
  ASSERT_EQ(mapped.upstreams.size(), 2u);
  EXPECT_EQ(mapped.upstreams[0].url, here + "/c");
  EXPECT_TRUE(std::filesystem::is_directory(here + "/c"));
  EXPECT_EQ(mapped.upstreams[1].url, "/mnt/drop/a");
  EXPECT_TRUE(mapped.warnings.empty());
  // Whole parts only.
  EXPECT_EQ(with("\\\\files\\drop\\a\\=/mnt/a").upstreams.at(1).url, "/mnt/a");
  const Options unmapped = with("\\\\files\\dro=/mnt/dro");
  ASSERT_EQ(unmapped.upstreams.size(), 1u);
  ASSERT_EQ(unmapped.warnings.size(), 1u);
  EXPECT_NE(unmapped.warnings[0].find("\\\\files\\drop\\a"), std::string::npos);
  Options wrong = load_options({"old.json"}, share_settings({"nothing"}, "--unc")).value();
  EXPECT_FALSE(with_reachable_upstreams(std::move(wrong), Caches::made).ok());
}

TEST_F(ConfigFiles, CachesComeBeforeTheirServersWithTheSameFilter) {
  const std::string all = root_.path() + "/all", own = root_.path() + "/one";
  write("faultline.toml",
        "upstreams.cache = \"" + all +
            "\"\nupstreams.cache_size = \"1 GiB\"\nupstreams.deny = [\"x\", \"y\"]\n"
            "[[upstream]]\ncache_size = 5\nname = "
            "\"one\"\nurl = \"http://127.0.0.1:1/\"\nallow = \"one\"\ncache = \"" +
            own + "\"\n");
  const Options options =
      with_reachable_upstreams(load_options({}, {}).value(), Caches::left_alone).value();
  ASSERT_EQ(options.upstreams.size(), 3u);
  EXPECT_EQ(options.upstreams[0].url, all);
  EXPECT_TRUE(options.upstreams[0].copies.empty());
  EXPECT_EQ(options.upstreams[1].name, "cache of one");
  EXPECT_EQ(options.upstreams[1].allow, "one");
  EXPECT_EQ(options.upstreams[1].copies, std::vector<std::string>{all});
  EXPECT_EQ(options.upstreams[0].tree_size_max, 1u << 30);
  EXPECT_EQ(options.upstreams[1].tree_size_max, 5u);
  EXPECT_EQ(options.upstreams[2].tree_size_max, 0u) << "nobody's files but a cache's ever go";
  EXPECT_EQ(options.upstreams[2].url, "http://127.0.0.1:1/");
  EXPECT_EQ(options.upstreams[2].copies, (std::vector<std::string>{all, own}));
  for (const UpstreamOptions& server : options.upstreams) {
    EXPECT_EQ(server_options(server, options.upstreams_deny)->deny,
              (std::vector<std::string>{"x", "y"}));
  }
  EXPECT_FALSE(base::file_exists(own));
}

TEST_F(ConfigFiles, CachesOfAGroupComeBeforeAllOfIt) {
  std::string text;
  for (const std::string& name : std::vector<std::string>{"one", "two"}) {
    text += fmt::format(
        "[[upstream]]\nname = \"{0}\"\nurl = \"/srv/{0}\"\ngroup = \"both\"\ncache = \"{1}/{0}\"\n",
        name, root_.path());
  }
  write("faultline.toml", text + "[[upstream]]\nname = \"three\"\nurl = \"/srv/three\"\n");
  const Options options =
      with_reachable_upstreams(load_options({}, {}).value(), Caches::left_alone).value();
  std::string order;
  for (const UpstreamOptions& server : options.upstreams) order += server.name + ", ";
  EXPECT_EQ(order, "cache of one, cache of two, one, two, three, ");
  EXPECT_EQ(options.upstreams.at(3).copies, std::vector<std::string>{root_.path() + "/two"});
}

// A cache that cannot be made is left out: else it would pass for a server that is down.
TEST_F(ConfigFiles, ACacheThatCannotBeMadeIsLeftOut) {
  write("file", "no directory");
  write("faultline.toml",
        "upstreams.cache = \"" + std::filesystem::current_path().string() + "/file/cache\"\n");
  const Options options =
      with_reachable_upstreams(load_options({}, {}).value(), Caches::made).value();
  EXPECT_TRUE(options.upstreams.empty());
  EXPECT_EQ(options.warnings.size(), 1u);
}

}  // namespace
}  // namespace server
