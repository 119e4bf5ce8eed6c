#include "supply/derived_files.h"

#include <gtest/gtest.h>

#include <future>

#include "store/data_directory.h"
#include "supply/derived_sizes.h"

namespace supply {
namespace {

using ident::Artifact;

// Derived files of one module, with a bound; `meanwhile` happens while they are made, the other
// once room is made and nothing is in its place yet.
class DerivedFilesTest : public testing::Test {
 protected:
  DerivedFilesTest() {
    sources_.image.emplace().name = "libfoo.so";
    sources_.image->sha256 = content_;
  }
  base::Result<Supplied> make() {
    std::promise<base::Result<Supplied>> told;
    DerivedFiles files(blobs_, options());
    files.make(sources_, Artifact::index,
               [&](const base::Result<Supplied>& made) { told.set_value(made); });
    return told.get_future().get();
  }
  DerivedFiles::Options options() {
    DerivedFiles::Options options;
    options.directory = data_.index();
    options.tmp = data_.tmp();
    options.extractor = [this](const ExtractJob& job, const std::atomic<bool>&) {
      if (meanwhile_) meanwhile_();
      return base::write_file_durably(job.sym_out, base::bytes_of("sym")).ok()
                 ? base::write_file_durably(job.index_out, base::bytes_of("index"))
                 : base::Result<void>(base::Error{base::Fault::internal, "no .sym"});
    };
    options.reserve = [this](const std::string& path, std::uint64_t size) {
      sizes_->add(path, size, 1000);
      if (reserved_) reserved_();
    };
    options.removed = [this](const std::string& path) { sizes_->removed(path); };
    options.refuse = [this](const base::Sha256& content) -> base::Result<void> {
      if (content != barred_) return {};
      return base::Error{base::Fault::denied, "it was purged"};
    };
    return options;
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("derived-files").value();
  store::DataDirectory data_ = store::DataDirectory::open(root_.path(), "test").value();
  store::Blobs blobs_ = store::Blobs::open(data_.blobs(), data_.tmp()).value();
  std::unique_ptr<DerivedSizes> sizes_ = DerivedSizes::open(data_.index()).value();
  const base::Sha256 content_ = base::sha256_of(base::bytes_of("image"));
  base::Sha256 barred_;
  std::function<void()> meanwhile_, reserved_;
  Sources sources_;
};

TEST_F(DerivedFilesTest, AreCountedAsTheyAre) {
  const auto made = make();
  ASSERT_TRUE(made.ok()) << made.error().what;
  EXPECT_EQ(base::list_files(data_.index()).value().size(), 2u);
  EXPECT_EQ(sizes_->size(), 8u);
}

TEST_F(DerivedFilesTest, AreCountedThoughOthersTookTheirRoomBeforeTheyWereThere) {
  int times = 0;
  reserved_ = [&] {
    if (++times == 1) sizes_->shrink_to(0);  // before the first of the two appears
  };
  ASSERT_TRUE(make().ok());
  EXPECT_EQ(base::list_files(data_.index()).value().size(), 2u);
  EXPECT_EQ(sizes_->size(), 8u);
}

TEST_F(DerivedFilesTest, OfWhatIsPurgedWhileTheyAreMadeDoNotStay) {
  meanwhile_ = [&] { barred_ = content_; };
  EXPECT_EQ(make().error().fault, base::Fault::denied);
  EXPECT_TRUE(base::list_files(data_.index()).value().empty());
  EXPECT_EQ(sizes_->size(), 0u);
}

}  // namespace
}  // namespace supply
