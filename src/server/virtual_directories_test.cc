#include "server/virtual_directories.h"

#include <gtest/gtest.h>

namespace server {
namespace {

std::string found(const VirtualDirectories& directories, std::string_view path) {
  return directories.find(path).value_or("none");
}

TEST(VirtualDirectories, AreOtherNamesOfWhatIsHere) {
  const auto directories = VirtualDirectories::from({"Symbols", "Partners=Games",
                                                     "/download/symbols/", "Symbols/old=old"})
                               .value();
  struct Row {
    const char* path;
    const char* found;
  };
  for (const Row& row : {Row{"/Symbols/a.pdb/1/a.pdb", "/a.pdb/1/a.pdb"},
                         Row{"//symbols//a.pdb/1/a.pdb", "/a.pdb/1/a.pdb"},
                         Row{"/symbols/index2.txt", "/index2.txt"},
                         Row{"/symbols/a.pdb/1/symbols", "/a.pdb/1/symbols"},
                         Row{"/PARTNERS/a.pdb/1/file.ptr", "/p/games/a.pdb/1/file.ptr"},
                         Row{"/partners/index2.txt", "/p/games/index2.txt"},
                         Row{"/download/symbols/a.pdb/1/a.pdb", "/a.pdb/1/a.pdb"},
                         Row{"/symbols/old/a.pdb/1/a.pdb", "/p/old/a.pdb/1/a.pdb"},
                         Row{"/symbols/1/Symbols", "none"},
                         Row{"/symbols", "none"},
                         Row{"/symbols/", "none"},
                         Row{"/symbols/crashes", "none"},
                         Row{"/symbols/api/v1/tokens", "none"},
                         Row{"/symbols/p/x/a/1/a", "none"},
                         Row{"/partners/api/v1/tokens", "none"},
                         Row{"/symbols/metrics", "none"},
                         Row{"/symbols/buildid/ab/debuginfo", "/buildid/ab/debuginfo"},
                         Row{"/symbolsX/a.pdb/1/a.pdb", "none"},
                         Row{"/a.pdb/1/a.pdb", "none"},
                         Row{"/", "none"},
                         Row{"", "none"}}) {
    EXPECT_EQ(found(directories, row.path), row.found) << row.path;
  }
  EXPECT_EQ(directories.projects(), (std::vector<std::string>{"games", "old"}));
  EXPECT_TRUE(VirtualDirectories::from({})->empty());
}

TEST(VirtualDirectories, MayNotHideOurPages) {
  for (const char* line : {"crashes", "api", "p", "upload=x", "=x", "a=..", "a b/../c", "/"}) {
    EXPECT_FALSE(VirtualDirectories::from({line}).ok()) << line;
  }
  EXPECT_FALSE(VirtualDirectories::from({"a=x", "A=y"}).ok());
}

}  // namespace
}  // namespace server
