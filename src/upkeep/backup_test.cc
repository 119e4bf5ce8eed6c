#include "upkeep/backup.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"

namespace upkeep {
namespace {

class BlobsOfABackup : public testing::Test {
 protected:
  static std::string name_of(const std::string& directory) {
    return directory + "/" + directory + std::string(62, '0');
  }
  std::string at(const std::string& name) const { return base::join_path(root_.path(), name); }
  void must_write(const std::string& name) const {
    ASSERT_TRUE(base::write_file_durably(at(name), base::bytes_of("x")).ok());
  }
  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("backup-test").value();
};

TEST_F(BlobsOfABackup, AreNamedInOrderAndNothingElseIs) {
  for (const std::string& name : {name_of("fe"), name_of("0a"), std::string("0a/stray"),
                                  std::string("lost+found/x"), "0b/" + std::string(64, '0')}) {
    must_write(name);
  }
  EXPECT_EQ(list_blobs(root_.path()).value(),
            (std::vector<std::string>{at(name_of("0a")), at(name_of("fe"))}));
}

TEST_F(BlobsOfABackup, AreAllOfThemOrAnError) {
  must_write(name_of("0a"));
  ASSERT_EQ(::symlink(at("ff").c_str(), at("ff").c_str()), 0) << "to itself: nobody can open it";
  const auto listed = list_blobs(root_.path());
  ASSERT_FALSE(listed.ok());
  EXPECT_NE(listed.error().what.find(at("ff")), std::string::npos) << listed.error().what;
}

}  // namespace
}  // namespace upkeep
