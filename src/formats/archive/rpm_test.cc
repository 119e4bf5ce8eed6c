#include "formats/archive/rpm.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "testing/corpus.h"

namespace archive {
namespace {

std::string signature(base::Bytes rpm, std::string_view member) {
  const auto found = find_ima_signature(rpm, member);
  if (!found.ok()) return "error";
  return found->value_or("none");
}

TEST(Rpm, HasSignaturesOfItsFiles) {
  REQUIRE_CORPUS(corpus);
  const std::string rpm =
      base::read_file(corpus + "/symbols/archives/ima/rhel9/hello2-1.0-1.x86_64.rpm").value();
  const base::Bytes bytes = base::bytes_of(rpm);
  const std::string hello = signature(bytes, "/usr/local/bin/hello");
  EXPECT_TRUE(hello.starts_with("0302042938e7c6010056d676eb2c912c")) << hello;
  EXPECT_EQ(hello.size(), 530u);
  EXPECT_TRUE(signature(bytes, "/usr/share/doc/hello2/FAQ").starts_with("0302042938e7c601000ecb"));
  EXPECT_EQ(signature(bytes, "/usr/bin/hello"), "none");
  EXPECT_EQ(signature(bytes, "/usr/share/doc/hello2"), "none");
  EXPECT_EQ(signature(bytes, ""), "none");
}

TEST(Rpm, WithoutSignaturesIsNoError) {
  REQUIRE_CORPUS(corpus);
  const std::string rpm =
      base::read_file(corpus + "/symbols/archives/rpms/fedora30/hello2-1.0-2.x86_64.rpm").value();
  EXPECT_EQ(signature(base::bytes_of(rpm), "/usr/local/bin/hello"), "none");
  EXPECT_EQ(signature(base::bytes_of("no rpm"), "/x"), "error");
}

TEST(Rpm, EveryPrefixIsAnAnswerOrAnError) {
  REQUIRE_CORPUS(corpus);
  const std::string rpm =
      base::read_file(corpus + "/symbols/archives/ima/rhel9/hello2-1.0-1.x86_64.rpm").value();
  const std::string whole = signature(base::bytes_of(rpm), "/usr/local/bin/hello");
  for (std::size_t size = 0; size < rpm.size(); size += 7) {
    const std::string text = signature(base::bytes_of(rpm).first(size), "/usr/local/bin/hello");
    EXPECT_TRUE(text == "error" || text == whole) << size;
  }
}

}  // namespace
}  // namespace archive
