#include "api/for_strangers.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace api {
namespace {

using base::Fault;

TEST(ForStrangers, KeepsBackThePathsOfTheDisk) {
  const base::Error missing = base::MappedFile::open("/no/such place/x.idx").error();
  for (const base::Error& error :
       {missing, base::Error{Fault::malformed, "symbol index /data/index/x.idx: no magic"},
        base::Error{Fault::unavailable, "cannot read '/data/x'"},
        base::Error{Fault::unavailable, "SELECT 1 (/data/faultline.sqlite)"}}) {
    const base::Error told = for_strangers(error);
    EXPECT_EQ(told.fault, error.fault);
    EXPECT_EQ(told.what, "a file of this server cannot be used now") << error.what;
  }
}

TEST(ForStrangers, TellsEverythingElse) {
  for (const char* text :
       {"", "the symbols do not name this file", "https://example.com/a did not answer",
        "the server hg.example.org/x answers 404", "a/b.c of lamp", "1/2", "either / or", "//"}) {
    EXPECT_EQ(for_strangers({Fault::not_found, text}).what, text);
  }
}

}  // namespace
}  // namespace api
