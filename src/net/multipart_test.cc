#include "net/multipart.h"

#include <gtest/gtest.h>

namespace net {
namespace {

std::vector<Part> must_parse(std::string_view boundary, std::string_view body) {
  auto parts = parse_multipart(boundary, base::bytes_of(body));
  if (!parts.ok()) {
    ADD_FAILURE() << parts.error().what;
    return {};
  }
  return std::move(parts).value();
}

base::Fault fault_of(std::string_view boundary, std::string_view body,
                     const MultipartLimits& limits = {}) {
  const auto parts = parse_multipart(boundary, base::bytes_of(body), limits);
  return parts.ok() ? base::Fault::internal : parts.error().fault;
}

constexpr std::string_view kTwoParts =
    "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
    "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.dmp\"\r\n"
    "Content-Type: application/octet-stream\r\n\r\nMDMP\r\n--x--\r\n";

TEST(Multipart, SplitsIntoParts) {
  const auto parts = must_parse("x", kTwoParts);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].name, "a");
  EXPECT_FALSE(parts[0].filename);
  EXPECT_EQ(base::text_of(parts[0].body), "1");
  EXPECT_EQ(parts[0].content_type, "");
  EXPECT_EQ(parts[1].name, "f");
  EXPECT_EQ(parts[1].filename, "f.dmp");
  EXPECT_EQ(base::text_of(parts[1].body), "MDMP");
  EXPECT_EQ(parts[1].content_type, "application/octet-stream");
  EXPECT_EQ(kTwoParts.substr(parts[1].offset, 4), "MDMP");
}

TEST(Multipart, EveryPrefixIsAnswered) {
  for (std::size_t size = 0; size < kTwoParts.size() - 2; ++size) {
    EXPECT_EQ(fault_of("x", kTwoParts.substr(0, size)), base::Fault::malformed) << size;
  }
}

TEST(Multipart, AllowsPreambleEpilogueAndPadding) {
  const auto parts = must_parse(
      "x",
      "hello --x you\r\n--x \t\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--x-- \r\nbye");
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].name, "a");
  EXPECT_TRUE(parts[0].body.empty());
}

TEST(Multipart, BreakpadOnWindowsGluesTheClosingBoundaryToTheDump) {
  const auto parts = must_parse(
      "--b", "----b\r\nContent-Disposition: form-data; name=\"d\"\r\n\r\nMDMP----b--\r\n");
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(base::text_of(parts[0].body), "MDMP");
}

TEST(Multipart, BreakpadOnMacGluesTwoFiles) {
  const auto parts =
      must_parse("b",
                 "--b\r\nContent-Disposition: form-data; name=\"d\"\r\n\r\nONE"
                 "--b\r\ncontent-disposition: form-data; name=\"e\"\r\n\r\nTWO\r\n--b--\r\n");
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(base::text_of(parts[0].body), "ONE");
  EXPECT_EQ(base::text_of(parts[1].body), "TWO");
}

TEST(Multipart, BoundaryInsideADumpDoesNotEndIt) {
  const std::string_view dump = "MD--b\r\nMP--b--\r\n\r\n--bx\r\nq--b";
  const std::string body = "--b\r\nContent-Disposition: form-data; name=\"d\"\r\n\r\n" +
                           std::string(dump) + "\r\n--b--\r\n";
  const auto parts = must_parse("b", body);
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(base::text_of(parts[0].body), dump);
}

TEST(Multipart, FirefoxOnAndroidEndsItsLastValueWithCrLf) {
  const auto parts = must_parse(
      "b", "--b\r\nContent-Disposition: form-data; name=abi2\r\n\r\narm\r\n\r\n--b--\r\n");
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(base::text_of(parts[0].body), "arm\r\n");
}

TEST(Multipart, DecodesNamesAndNothingElse) {
  struct Row {
    const char *disposition, *name, *filename;
  };
  const Row rows[] = {
      {"form-data; name=\"a%22b%0D%0a%25%20\"; filename=\"x\"", "a\"b\r\n%%20", "x"},
      {"FORM-DATA;NAME=a;FileName=b.dmp", "a", "b.dmp"},
      {"form-data; name=\"a\"; filename=\"a\\\"b\\\\c;d=e.dmp\"", "a", "a\"b\\c;d=e.dmp"},
      {"form-data; name=\"a\"; filename=\"C:\\Users\\me\\x.dmp\"", "a", "C:\\Users\\me\\x.dmp"},
      {"form-data; filename=\"\"; name=\"a\"", "a", ""},
      {"form-data; name=\"a\"; filename*=UTF-8''na%C3%AFve.dmp", "a", "na\xC3\xAFve.dmp"},
      {"form-data; name=\"a\"; filename*=UTF-8''y; filename=x", "a", "x"},
      {"form-data;\r\n name=\"a\";\r\n\tfilename=x", "a", "x"},
  };
  for (const Row& row : rows) {
    const auto parts = must_parse(
        "b", std::string("--b\r\nContent-Disposition: ") + row.disposition + "\r\n\r\nv\r\n--b--");
    ASSERT_EQ(parts.size(), 1u) << row.disposition;
    EXPECT_EQ(parts[0].name, row.name) << row.disposition;
    EXPECT_EQ(parts[0].filename.value_or("none"), row.filename) << row.disposition;
  }
}

TEST(Multipart, RefusesWhatIsBroken) {
  EXPECT_EQ(fault_of("", kTwoParts), base::Fault::malformed);
  EXPECT_EQ(fault_of("y", kTwoParts), base::Fault::malformed);
  EXPECT_EQ(fault_of("x", "--x\r\nContent-Disposition: form-data\r\n--x--\r\n"),
            base::Fault::malformed);
  EXPECT_EQ(fault_of("x", "--x\r\nno colon\r\n\r\nv\r\n--x--\r\n"), base::Fault::malformed);
  EXPECT_TRUE(must_parse("x", "--x--\r\n").empty());
}

TEST(Multipart, KeepsItsLimits) {
  std::string many;
  for (int i = 0; i < 1001; ++i)
    many += "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n";
  EXPECT_EQ(fault_of("x", many + "--x--\r\n"), base::Fault::too_large);
  const std::string long_name(20000, 'a');
  EXPECT_EQ(fault_of("x", "--x\r\nContent-Disposition: form-data; name=" + long_name +
                              "\r\n\r\n\r\n--x--\r\n"),
            base::Fault::too_large);
  std::string lines;
  for (int i = 0; i < 40; ++i) lines += "X: y\r\n";
  EXPECT_EQ(fault_of("x", "--x\r\n" + lines + "\r\n\r\n--x--\r\n"), base::Fault::too_large);
}

TEST(MediaType, IsParsed) {
  const MediaType type =
      parse_media_type("Multipart/Form-Data ; charset=utf-8; Boundary=\"a b;c\"");
  EXPECT_EQ(type.type, "multipart/form-data");
  EXPECT_EQ(type.find("boundary"), "a b;c");
  EXPECT_EQ(type.find("charset"), "utf-8");
  EXPECT_FALSE(type.find("x"));
  EXPECT_EQ(parse_media_type("text").type, "");
  EXPECT_EQ(parse_media_type("").type, "");
}

}  // namespace
}  // namespace net
