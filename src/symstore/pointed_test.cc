#include "symstore/pointed.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/lost_pages.h"
#include "testing/corpus.h"

namespace symstore {
namespace {

using base::Fault;

constexpr const char* kName = "lantern.pdb";
constexpr const char* kId = "946967C36ED4F5254C4C44205044422E1";

// A root with a PDB, and the same PDB outside of it.
struct Place {
  base::TemporaryDirectory directory = base::TemporaryDirectory::create("pointed").value();
  std::string root = directory.path() + "/root";
  PointerRoots roots;

  explicit Place(const std::string& corpus) {
    pdb = base::read_file(corpus + "/symbols/store/pointer-target/lantern.pdb").value();
    write("root/files/lantern.pdb", pdb);
    write("root/files/notes.txt", "secret");
    write("outside/lantern.pdb", pdb);
    write("root/la/lantern.pdb/" + std::string(kId) + "/refs.ptr", "");
    roots.directories = {root};
  }
  void write(const std::string& path, const std::string& text) const {
    ASSERT_TRUE(base::write_file_durably(directory.path() + "/" + path, base::bytes_of(text)).ok());
  }
  base::Result<PointerTarget> open(const std::string& text) const {
    return open_pointed(text, kName, "946967c36ed4f5254c4c44205044422e1", roots);
  }
  std::string pdb;
};

TEST(Pointed, LeadsToTheFileBeneathARoot) {
  REQUIRE_CORPUS(corpus);
  const Place place(corpus);
  for (const std::string& text : std::vector<std::string>{
           place.root + "/files/lantern.pdb", "PATH:" + place.root + "/files/lantern.pdb\r\n",
           "..\\..\\..\\files\\lantern.pdb", place.root + "/files/../files//lantern.pdb"}) {
    const auto opened = place.open(text);
    ASSERT_TRUE(opened.ok()) << text << ": " << opened.error().what;
    EXPECT_EQ(base::read_file("/proc/self/fd/" + std::to_string(opened->fd.get())).value(),
              place.pdb);
  }
}

// Deeper in the root than the roots would have it: only where it lies says what it means.
TEST(Pointed, ARelativePathCountsFromWhereThePointerLies) {
  REQUIRE_CORPUS(corpus);
  const Place place(corpus);
  const std::string deep = place.root + "/stores/one/la/lantern.pdb/" + kId;
  place.write("root/stores/one/la/lantern.pdb/" + std::string(kId) + "/refs.ptr", "");
  place.write("root/stores/files/lantern.pdb", place.pdb);
  place.write("root/stores/files/notes.txt", "secret");
  const auto open = [&](const std::string& text, const std::string& directory) {
    return open_pointed(text, kName, kId, place.roots, {directory});
  };
  const std::string text = "PATH:..\\..\\..\\..\\files\\lantern.pdb";
  ASSERT_TRUE(open(text, deep).ok()) << open(text, deep).error().what;
  EXPECT_EQ(open(text, deep)->path, place.root + "/stores/files/lantern.pdb");
  EXPECT_FALSE(place.open(text).ok());
  EXPECT_EQ(open("..\\..\\..\\..\\files\\notes.txt", deep).error().fault, Fault::denied);
  EXPECT_EQ(open("..\\..\\..\\..\\..\\..\\outside\\lantern.pdb", deep).error().fault,
            Fault::denied);
  EXPECT_EQ(open("refs.ptr", deep).error().fault, Fault::denied) << "bears no id";
  EXPECT_FALSE(open(text, place.root + "/gone").ok());
  // Outside of every root it leads nowhere, wherever it lies.
  EXPECT_FALSE(open("lantern.pdb", place.directory.path() + "/outside").ok());
}

TEST(Pointed, AShareIsADirectoryOfOurs) {
  REQUIRE_CORPUS(corpus);
  Place place(corpus);
  auto roots = parse_pointer_roots("\\\\files\\drop=" + place.root + ";/nowhere");
  ASSERT_TRUE(roots.ok()) << roots.error().what;
  place.roots = std::move(*roots);
  EXPECT_TRUE(place.open("\\\\FILES\\Drop\\files\\lantern.pdb").ok());
  EXPECT_EQ(place.open("\\\\other\\drop\\files\\lantern.pdb").error().fault, Fault::unsupported);
}

TEST(Pointed, NothingLeadsOut) {
  REQUIRE_CORPUS(corpus);
  const Place place(corpus);
  ASSERT_EQ(::symlink((place.directory.path() + "/outside/lantern.pdb").c_str(),
                      (place.root + "/files/link.pdb").c_str()),
            0);
  ASSERT_EQ(::symlink("../outside", (place.root + "/side").c_str()), 0);
  ASSERT_EQ(::mkfifo((place.root + "/files/pipe.pdb").c_str(), 0600), 0);
  for (const std::string& text : std::vector<std::string>{
           "/etc/passwd", place.directory.path() + "/outside/lantern.pdb",
           place.root + "/../outside/lantern.pdb", place.root + "/files/link.pdb",
           place.root + "/side/lantern.pdb", "..\\..\\..\\..\\outside\\lantern.pdb",
           "..\\..\\..\\side\\lantern.pdb", place.root + "/files/pipe.pdb", place.root,
           "C:\\symbols\\lantern.pdb", "\\\\server\\share\\lantern.pdb", "",
           "PATH:", std::string("/etc/passwd\0", 12), "lantern.pdb"}) {
    EXPECT_FALSE(place.open(text).ok()) << text;
  }
}

TEST(Pointed, AnotherFileIsNoAnswer) {
  REQUIRE_CORPUS(corpus);
  const Place place(corpus);
  EXPECT_EQ(place.open(place.root + "/files/notes.txt").error().fault, Fault::denied);
  const auto other = open_pointed(place.root + "/files/lantern.pdb", kName,
                                  "00000000000000000000000000000000A1", place.roots);
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().fault, Fault::denied);
}

TEST(Pointed, OfALargeFileAFewPagesAreRead) {
  REQUIRE_CORPUS(corpus);
  const Place place(corpus);
  const std::string file = place.root + "/files/lantern.pdb";
  ASSERT_EQ(::truncate(file.c_str(), off_t{3} << 30), 0);
  EXPECT_TRUE(place.open(file).ok());
  ASSERT_EQ(::truncate(file.c_str(), off_t{5} << 30), 0);
  EXPECT_EQ(place.open(file).error().fault, Fault::too_large);
}

// Nobody promises that the file on the share stays as it is. A large one is mapped, and in a
// program that does not prepare for it the loss of a page would be the end of it.
void expect_cuts_are_survived(const Place& place, std::uint64_t size) {
  const std::string file = place.root + "/files/lantern.pdb";
  std::atomic<bool> enough = false;
  std::thread vandal([&] {
    while (!enough) {
      ASSERT_EQ(::truncate(file.c_str(), 0), 0);
      ASSERT_EQ(::truncate(file.c_str(), static_cast<off_t>(size)), 0);
    }
  });
  // Once the bytes are gone, they are.
  for (int refused = 0; refused < 1000;) refused += place.open(file).ok() ? 0 : 1;
  enough = true;
  vandal.join();
  place.write("root/files/lantern.pdb", place.pdb);
  EXPECT_TRUE(place.open(file).ok());
}

TEST(Pointed, TheFileMayBeCutShortMeanwhile) {
  REQUIRE_CORPUS(corpus);
  const Place place(corpus);
  expect_cuts_are_survived(place, place.pdb.size());
  base::read_lost_pages_as_zeros();
  expect_cuts_are_survived(place, 20u << 20);
}

TEST(Pointed, AMessageIsTheReason) {
  const auto opened = open_pointed("MSG: NoLongerIndexed\r\n", "a.pdb", "1", {});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().fault, Fault::not_found);
  EXPECT_NE(opened.error().what.find("NoLongerIndexed"), std::string::npos);
}

TEST(Pointed, TheListOfRootsIsChecked) {
  EXPECT_TRUE(parse_pointer_roots("")->directories.empty());
  const auto roots = parse_pointer_roots("/a\n \\\\s\\t = /b ;");
  ASSERT_TRUE(roots.ok());
  EXPECT_EQ(roots->directories, (std::vector<std::string>{"/a", "/b"}));
  ASSERT_EQ(roots->shares.size(), 1u);
  EXPECT_EQ(roots->shares[0].unc, "\\\\s\\t");
  EXPECT_FALSE(parse_pointer_roots("relative").ok());
  EXPECT_FALSE(parse_pointer_roots("\\\\s\\t").ok());
  EXPECT_FALSE(parse_pointer_roots("\\\\s\\t=relative").ok());
}

}  // namespace
}  // namespace symstore
