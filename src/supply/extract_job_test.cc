#include "supply/extract_job.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "supply/extract_in_child.h"
#include "symbols/map.h"
#include "testing/corpus.h"

namespace supply {
namespace {

symbols::Hit must_find(const std::string& index, std::uint64_t rva) {
  const auto map = symbols::Map::open(base::MappedFile::open(index).value());
  EXPECT_TRUE(map.ok()) << map.error().what;
  symbols::Hit hit;
  EXPECT_TRUE(map.ok() && (*map)->find({rva}, hit));
  static std::shared_ptr<const symbols::Map> kept;  // the hit's views live as long as the map
  kept = map.value();
  return hit;
}

TEST(ExtractJob, MakesAnIndexOfASym) {
  const auto root = base::TemporaryDirectory::create("extract-job").value();
  ExtractJob job;
  job.sym = root.path() + "/x.sym";
  job.index_out = root.path() + "/x.idx";
  const std::string_view sym =
      "MODULE Linux x86_64 0403020106050807090A0B0C0D0E0F100 x\nFILE 0 a.c\n"
      "FUNC 1000 10 0 main\n1000 10 7 0\n";
  ASSERT_TRUE(base::write_file_durably(job.sym, base::bytes_of(sym)).ok());
  const auto done = run_extract_job(job);
  ASSERT_TRUE(done.ok()) << done.error().what;
  const symbols::Hit hit = must_find(job.index_out, 0x1004);
  EXPECT_EQ(hit.physical.function, "main");
  EXPECT_EQ(hit.physical.line, 7u);
}

TEST(ExtractJob, MakesSymAndIndexOfOurselves) {
  const auto root = base::TemporaryDirectory::create("extract-job").value();
  ExtractJob job;
  job.image = "/proc/self/exe";
  job.module_name = "ourselves";
  job.sym_out = root.path() + "/x.sym";
  job.index_out = root.path() + "/x.idx";
  job.threads = 2;
  const auto done = run_extract_job(job);
  ASSERT_TRUE(done.ok()) << done.error().what;
  const std::string sym = base::read_file(job.sym_out).value_or("");
  EXPECT_TRUE(sym.starts_with("MODULE Linux x86_64 "));
  EXPECT_NE(sym.find(" ourselves\n"), std::string::npos);
  EXPECT_GT(base::read_file(job.index_out).value_or("").size(), 1000u);
}

TEST(ExtractJob, SaysWhatIsWrongWithAFile) {
  const auto root = base::TemporaryDirectory::create("extract-job").value();
  ExtractJob job;
  job.image = root.path() + "/bad";
  job.module_name = "bad";
  job.index_out = root.path() + "/x.idx";
  ASSERT_TRUE(base::write_file_durably(job.image, base::bytes_of("\x7f"
                                                                 "ELF, or not"))
                  .ok());
  const auto done = run_extract_job(job);
  ASSERT_FALSE(done.ok());
  EXPECT_FALSE(done.error().what.empty());
  job.image = root.path() + "/none";
  EXPECT_EQ(run_extract_job(job).error().fault, base::Fault::not_found);
}

// Each thread's stack counts: a machine with many processors must not spend a child's memory on
// them.
TEST(ExtractInChild, HasNoMoreThreadsThanItsMemoryHolds) {
  const auto root = base::TemporaryDirectory::create("extract-job").value();
  const std::string program = root.path() + "/says-its-arguments";
  ASSERT_TRUE(
      base::write_file_durably(program, base::bytes_of("#!/bin/sh\necho \"$*\" >&2\nexit 1\n"))
          .ok());
  ASSERT_EQ(::chmod(program.c_str(), 0700), 0);
  const auto arguments_with = [&](unsigned threads, std::uint64_t memory) {
    ExtractJob job;
    job.threads = threads;
    ExtractLimits limits;
    limits.memory_bytes_max = memory;
    const std::atomic<bool> stop = false;
    const auto done = extract_in_child(program, limits)(job, stop);
    return done.ok() ? std::string() : done.error().what;
  };
  EXPECT_TRUE(arguments_with(2, 4ull << 30).ends_with("--threads 2"));
  EXPECT_TRUE(arguments_with(64, 4ull << 30).ends_with("--threads 16"));
  EXPECT_TRUE(arguments_with(64, 100ull << 20).ends_with("--threads 1"));
}

}  // namespace
}  // namespace supply
