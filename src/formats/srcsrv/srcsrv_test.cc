#include "formats/srcsrv/srcsrv.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace srcsrv {
namespace {

std::string stream_of(const std::string& variables, const std::string& files) {
  return "SRCSRV: ini ------------------------------------------------\r\nVERSION=2\r\n"
         "VERCTRL=http\r\nSRCSRV: variables ------------------------------------------\r\n" +
         variables + "SRCSRV: source files ---------------------------------------\r\n" + files +
         "SRCSRV: end ------------------------------------------------\r\n";
}

base::Result<Location> locate(const std::string& variables, const std::string& files,
                              const std::string& path) {
  const auto stream = Stream::parse(stream_of(variables, files));
  EXPECT_TRUE(stream.ok()) << stream.error().what;
  return stream->locate(path);
}

struct Case {
  const char* name;
  const char* variables;
  const char* files;
  const char* path;
  const char* url;
};

TEST(Srcsrv, SaysWhereAFileComesFrom) {
  const Case cases[] = {
      {"plain target", "SRCSRVTRG=https://h/%var2%\r\n", "c:\\a\\b.c*x/b.c\r\n", "c:\\a\\b.c",
       "https://h/x/b.c"},
      {"mozilla",  // as symbolstore.py writes it
       "HGSERVER=https://hg.mozilla.org/mozilla-central\r\nSRCSRVVERCTRL=http\r\n"
       "HTTP_EXTRACT_TARGET=%hgserver%/raw-file/%var3%/%var2%\r\n"
       "SRCSRVTRG=%http_extract_target%\r\n",
       "/builds/src/mfbt/Poison.cpp*mfbt/Poison.cpp*1706d4d54ec68fae\r\n",
       "/builds/src/mfbt/Poison.cpp",
       "https://hg.mozilla.org/mozilla-central/raw-file/1706d4d54ec68fae/mfbt/Poison.cpp"},
      {"case and slashes do not matter", "srcsrvtrg=https://h/%VAR2%\r\n", "C:\\A\\b.c*1\r\n",
       "c:/a/B.C", "https://h/1"},
      {"fnvar", "REPO=https://r\r\nSRCSRVTRG=%fnvar%(%var2%)/%var3%\r\n", "f.c*REPO*p/f.c\r\n",
       "f.c", "https://r/p/f.c"},
      {"fnfile", "SRCSRVTRG=https://h/%fnfile%(%var1%)\r\n", "c:\\x\\y\\f.c*\r\n", "c:\\x\\y\\f.c",
       "https://h/f.c"},
      {"an unknown variable is empty", "SRCSRVTRG=https://h/%nothing%f\r\n", "f.c*\r\n", "f.c",
       "https://h/f"},
      {"a lone percent sign stays", "SRCSRVTRG=https://h/a%20b\r\n", "f.c*\r\n", "f.c",
       "https://h/a%20b"},
      {"of two lines the first", "SRCSRVTRG=https://h/%var2%\r\n", "f.c*1\r\nF.C*2\r\n", "f.c",
       "https://h/1"},
      {"chromium: the URL in the command",
       "SRC_EXTRACT_TARGET=%targ%\\%fnbksl%(%var2%)\\%fnfile%(%var1%)\r\n"
       "SRC_EXTRACT_CMD=cmd /c \"python -c \"url = \\\"%var4%\\\";print(url)\" > x\"\r\n"
       "SRCSRVTRG=%SRC_EXTRACT_TARGET%\r\nSRCSRVCMD=%SRC_EXTRACT_CMD%\r\n",
       "c:\\b\\base\\at_exit.cc*base/at_exit.cc*c1a2*"
       "https://chromium.googlesource.com/chromium/src.git/+/c1a2/base/at_exit.cc?format=TEXT\r\n",
       "c:\\b\\base\\at_exit.cc",
       "https://chromium.googlesource.com/chromium/src.git/+/c1a2/base/at_exit.cc?format=TEXT"},
  };
  for (const Case& one : cases) {
    const auto found = locate(one.variables, one.files, one.path);
    ASSERT_TRUE(found.ok()) << one.name << ": " << found.error().what;
    EXPECT_EQ(found->url, one.url) << one.name;
  }
}

TEST(Srcsrv, GitilesAnswersInBase64) {
  const auto found = locate("SRCSRVTRG=https://g/+/%var2%?format=TEXT\r\n", "f.c*1\r\n", "f.c");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->packing, Packing::base64);
}

TEST(Srcsrv, AFileWithoutALineIsNotFound) {
  const auto found = locate("SRCSRVTRG=https://h/%var2%\r\n", "a.c*1\r\n", "b.c");
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().fault, base::Fault::not_found);
}

TEST(Srcsrv, NeverRunsACommandOrFollowsAShare) {
  for (const char* variables :
       {"SRCSRVTRG=%targ%\\f.c\r\nSRCSRVCMD=tf.exe view %var2%\r\n",
        "SRCSRVTRG=\\\\server\\share\\%var2%\r\n", "SRCSRVTRG=file:///etc/%var2%\r\n",
        "SRCSRVTRG=https://\r\n", "SRCSRVTRG=https://h/a b\r\n",
        // Two addresses: which one is meant is the command's secret.
        "SRCSRVTRG=%targ%\\f\r\nSRCSRVCMD=get http://a/1 http://b/2\r\n"}) {
    const auto found = locate(variables, "f.c*passwd\r\n", "f.c");
    ASSERT_FALSE(found.ok()) << variables;
    EXPECT_EQ(found.error().fault, base::Fault::unsupported) << variables;
  }
}

TEST(Srcsrv, EndlessVariablesAreMalformed) {
  std::string doubling = "SRCSRVTRG=%a0%\r\n";
  for (int i = 0; i < 40; ++i) {
    const std::string next = "%a" + std::to_string(i + 1) + "%";
    doubling += fmt::format("a{}={}{}\r\n", i, next, next);
  }
  for (const std::string& variables : {std::string("SRCSRVTRG=%a%\r\nA=%b%\r\nB=%a%\r\n"), doubling,
                                       std::string("SRCSRVTRG=%fnvar%(%fnvar%(srcsrvtrg))\r\n"),
                                       "SRCSRVTRG=" + std::string(100'000, 'x') + "\r\n"}) {
    const auto found = locate(variables, "f.c*\r\n", "f.c");
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().fault, base::Fault::malformed);
  }
}

TEST(Srcsrv, ATextWithoutSectionsIsMalformed) {
  EXPECT_FALSE(Stream::parse("hello").ok());
  EXPECT_FALSE(Stream::parse("").ok());
}

TEST(Srcsrv, EveryPrefixGivesAnAnswerOrAFault) {
  const std::string whole = stream_of("SRCSRVTRG=https://h/%fnfile%(%var1%)\r\n", "d/f.c*1\r\n");
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const auto stream = Stream::parse(whole.substr(0, size));
    if (!stream.ok()) continue;
    const auto found = stream->locate("d/f.c");
    if (found.ok()) EXPECT_TRUE(is_web_url(found->url));
  }
}

}  // namespace
}  // namespace srcsrv
