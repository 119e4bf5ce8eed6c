// The small parts: paths, checksums, roots, host rules, lists.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "sources/checksum.h"
#include "sources/host_rules.h"
#include "sources/named_files.h"
#include "sources/path.h"
#include "sources/roots.h"
#include "sources/web.h"

namespace sources {
namespace {

TEST(SourcePath, FoldsAsDebuginfodDoes) {
  struct Case {
    const char* path;
    const char* canonical;
  };
  for (const Case& one : {
           Case{"/a/b.c", "/a/b.c"},
           Case{"/a/./b.c", "/a/b.c"},
           Case{"//a///b.c", "/a/b.c"},
           Case{"/a/x/../b.c", "/a/b.c"},
           Case{"/../../a", "/a"},
           Case{"../a/../b", "../b"},
           Case{"a/../../b", "../b"},
           Case{"/a/..b/c", "/a/..b/c"},
           Case{"", ""},
           Case{"/", "/"},
           Case{"C:\\Src\\A.c", "c:/src/a.c"},
           Case{"c:/src/./x/..\\A.c", "c:/src/a.c"},
           Case{"\\\\server\\share\\a", "//server/share/a"},
           Case{"Dir\\A.c", "dir/a.c"},
           Case{"/Case/Stays", "/Case/Stays"},
           Case{"/odd\\name/x", "/odd\\name/x"},
       }) {
    EXPECT_EQ(canonical(one.path), one.canonical) << one.path;
  }
}

TEST(SourcePath, BeneathMeansWholeSegments) {
  EXPECT_TRUE(is_beneath("/a/b", "/a"));
  EXPECT_TRUE(is_beneath("/a", "/a"));
  EXPECT_TRUE(is_beneath("/a", "/"));
  EXPECT_FALSE(is_beneath("/ab", "/a"));
}

TEST(Checksum, KnowsTheFileThatWasCompiled) {
  // md5sum of "hello\n", and of "hello\r\n".
  EXPECT_EQ(fit_of("hello\n", "md5:b1946ac92492d2347c6235b4d2611184"), Fit::yes);
  EXPECT_EQ(fit_of("hello\n", "MD5:B1946AC92492D2347C6235B4D2611184"), Fit::unknown);
  EXPECT_EQ(fit_of("hello\r\n", "md5:B1946AC92492D2347C6235B4D2611184"), Fit::yes);
  EXPECT_EQ(fit_of("other\n", "md5:b1946ac92492d2347c6235b4d2611184"), Fit::no);
  EXPECT_EQ(fit_of("hello\n", "sha1:f572d396fae9206628714fb2ce00f72e94f2258f"), Fit::yes);
  EXPECT_EQ(fit_of("hello\n", ""), Fit::unknown);
}

class SourceRoots : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"/src/lib/a.c", "/src/Upper.C", "/outside.c"}) {
      ASSERT_TRUE(base::make_directories(root_.path() + "/src/lib").ok());
      ASSERT_TRUE(base::write_file_durably(root_.path() + name, base::bytes_of(name)).ok());
    }
  }
  std::string read(const std::string& setting, const std::string& path) {
    const auto roots = Roots::open(setting);
    EXPECT_TRUE(roots.ok()) << roots.error().what;
    const auto file = roots->read(path, 1 << 20);
    return file.ok() ? file->bytes : std::string(base::name_of(file.error().fault));
  }
  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("roots").value();
};

TEST_F(SourceRoots, MapThePrefixOfTheBuild) {
  const std::string map = "/build/1=" + root_.path() + "/src";
  EXPECT_EQ(read(map, "/build/1/lib/a.c"), "/src/lib/a.c");
  EXPECT_EQ(read(map, "/build/1/lib/../lib//./a.c"), "/src/lib/a.c");
  EXPECT_EQ(read(map, "/build/10/lib/a.c"), "not_found");
  EXPECT_EQ(read(map, "/build/1"), "not_found");
  EXPECT_EQ(read(map, "/build/1/lib"), "not_found");
  EXPECT_EQ(read(root_.path() + "/src", root_.path() + "/src/lib/a.c"), "/src/lib/a.c");
  EXPECT_EQ(read("C:\\build = " + root_.path() + "/src", "C:\\BUILD\\Upper.C"), "/src/Upper.C");
  EXPECT_EQ(read("/b=/usr;\n/b/c=" + root_.path() + "/src", "/b/c/lib/a.c"), "/src/lib/a.c");
}

TEST_F(SourceRoots, NothingLeadsOut) {
  ASSERT_EQ(::symlink("../outside.c", (root_.path() + "/src/link.c").c_str()), 0);
  ASSERT_EQ(::symlink("/etc/passwd", (root_.path() + "/src/absolute.c").c_str()), 0);
  ASSERT_EQ(::symlink("..", (root_.path() + "/src/up").c_str()), 0);
  ASSERT_EQ(::symlink("lib/a.c", (root_.path() + "/src/inside.c").c_str()), 0);
  ASSERT_EQ(::symlink("/proc/self/root", (root_.path() + "/src/magic").c_str()), 0);
  ASSERT_EQ(::mkfifo((root_.path() + "/src/fifo").c_str(), 0600), 0);
  const std::string map = "/b=" + root_.path() + "/src";
  EXPECT_EQ(read(map, "/b/inside.c"), "/src/lib/a.c");
  EXPECT_EQ(read(map, "/b/link.c"), "denied");
  EXPECT_EQ(read(map, "/b/absolute.c"), "denied");
  EXPECT_EQ(read(map, "/b/up/outside.c"), "denied");
  EXPECT_EQ(read(map, "/b/magic/etc/passwd"), "denied");
  EXPECT_EQ(read(map, "/b/fifo"), "not_found");
  EXPECT_EQ(read(map, "/b/../../../../etc/passwd"), "not_found");
  EXPECT_EQ(read(map, "/b/lib/../../outside.c"), "not_found");
  EXPECT_EQ(read(map, std::string("/b/lib/a.c\0x", 12)), "not_found");
}

TEST_F(SourceRoots, KeepToTheirLimitAndSayWhatIsWrong) {
  const auto roots = Roots::open("/b=" + root_.path() + "/src");
  ASSERT_TRUE(roots.ok());
  EXPECT_EQ(roots->read("/b/lib/a.c", 3).error().fault, base::Fault::too_large);
  EXPECT_EQ(Roots::open("relative").error().fault, base::Fault::malformed);
  EXPECT_EQ(Roots::open("/b=not/absolute").error().fault, base::Fault::malformed);
  EXPECT_EQ(Roots::open("/b=/does/not/exist").error().fault, base::Fault::not_found);
}

Trust trust(const std::string& hosts, const std::string& url) {
  const auto rules = HostRules::parse(hosts, "");
  EXPECT_TRUE(rules.ok()) << rules.error().what;
  const auto origin = find_origin(url);
  return origin ? rules->trust_in(*origin) : Trust::none;
}

TEST(HostRules, OnlyTheListIsAsked) {
  const std::string list = "raw.host.example, git.corp:8443\n*.cdn.example; http://127.0.0.1:8080";
  EXPECT_EQ(trust(list, "https://raw.host.example/a"), Trust::by_name);
  EXPECT_EQ(trust(list, "https://RAW.host.example:443/a"), Trust::by_name);
  EXPECT_EQ(trust(list, "https://git.corp:8443/a"), Trust::by_name);
  EXPECT_EQ(trust(list, "http://127.0.0.1:8080/a"), Trust::by_name);
  EXPECT_EQ(trust(list, "https://x.cdn.example/a"), Trust::by_domain);
  for (const char* url :
       {"http://raw.host.example/a", "https://raw.host.example:444/a", "https://git.corp/a",
        "https://cdn.example/a", "https://evilcdn.example/a", "https://127.0.0.1:8080/a",
        "https://raw.host.example.evil/a", "https://user@raw.host.example/a",
        "https://raw.host.example\\@evil/a", "ftp://raw.host.example/a", "https:///a", "x",
        "https://raw.host.example:99999/a"}) {
    EXPECT_EQ(trust(list, url), Trust::none) << url;
  }
  EXPECT_FALSE(HostRules::parse("a b", "").ok());
  EXPECT_FALSE(HostRules::parse("https://h/path", "").ok());
}

TEST(HostRules, CredentialsGoToTheirServerAlone) {
  const auto rules = HostRules::parse("git.corp;other.corp",
                                      "# who we are\ngit.corp Authorization: Bearer s3cret:x\n");
  ASSERT_TRUE(rules.ok()) << rules.error().what;
  EXPECT_EQ(rules->headers_for(*find_origin("https://git.corp/a")).find("Authorization"),
            "Bearer s3cret:x");
  for (const char* url : {"http://git.corp/a", "https://git.corp:444/", "https://other.corp/"}) {
    EXPECT_TRUE(rules->headers_for(*find_origin(url)).all().empty()) << url;
  }
  const auto wrong = HostRules::parse("", "git.corp s3cret");
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().what.find("s3cret"), std::string::npos);
}

extract::SourceFiles some_files() {
  extract::SourceFiles files;
  files.ids = {"abcd", "0123"};
  files.files = {{"/build/x/../a b.c", "md5:b1946ac92492d2347c6235b4d2611184"},
                 {"C:\\src\\Main.c", ""},
                 {"hg:h.example/r:a.c:12", ""}};
  files.source_links = {"{\"documents\":{\"C:\\\\src\\\\*\":\"https://h/*\"}}", "not json"};
  files.srcsrv =
      "SRCSRV: variables\nSRCSRVTRG=https://s/%var2%\nSRCSRV: source files\n/build/a "
      "b.c*1\n";
  return files;
}

TEST(NamedFiles, AreFoundInAnySpelling) {
  const auto named = NamedFiles::parse(NamedFiles::text_of(some_files()));
  ASSERT_TRUE(named.ok()) << named.error().what;
  EXPECT_EQ(named->ids(), (std::vector<std::string>{"abcd", "0123"}));
  ASSERT_TRUE(named->find("/build/a b.c"));
  EXPECT_EQ(named->find("/build/./a b.c")->path, "/build/x/../a b.c");
  EXPECT_EQ(named->find("/build/a b.c")->checksum, "md5:b1946ac92492d2347c6235b4d2611184");
  EXPECT_TRUE(named->find("c:/SRC/main.c"));
  EXPECT_FALSE(named->find("/build/b.c"));
  EXPECT_FALSE(named->find("/BUILD/a b.c"));
  EXPECT_FALSE(named->find(""));
}

TEST(NamedFiles, SayWhereTheyAre) {
  const auto named = NamedFiles::parse(NamedFiles::text_of(some_files()));
  ASSERT_TRUE(named.ok());
  EXPECT_EQ(named->locate("C:\\src\\Main.c")->url, "https://h/Main.c");
  EXPECT_EQ(named->locate("/build/a b.c")->url, "https://s/1");
  EXPECT_EQ(named->locate("hg:h.example/r:a.c:12")->url, "https://h.example/r/raw-file/12/a.c");
  EXPECT_EQ(named->locate("/else").error().fault, base::Fault::not_found);
}

TEST(NamedFiles, EveryPrefixIsAListOrDamaged) {
  const std::string whole = NamedFiles::text_of(some_files());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto named = NamedFiles::parse(whole.substr(0, size));
    if (!named.ok()) EXPECT_EQ(named.error().fault, base::Fault::malformed);
  }
  EXPECT_FALSE(NamedFiles::parse("").ok());
}

TEST(Base64, IsUndone) {
  EXPECT_EQ(from_base64("aGVsbG8="), "hello");
  EXPECT_EQ(from_base64("aGVs\nbG8h"), "hello!");
  EXPECT_EQ(from_base64(""), "");
  EXPECT_FALSE(from_base64("a"));
  EXPECT_FALSE(from_base64("a===b"));
  EXPECT_FALSE(from_base64("<html>"));
}

}  // namespace
}  // namespace sources
