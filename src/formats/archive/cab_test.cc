#include "formats/archive/cab.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "base/child.h"
#include "base/json.h"
#include "base/sha256.h"
#include "testing/assembler.h"
#include "testing/commands.h"
#include "testing/corpus.h"

namespace archive {
namespace {

using base::Fault;
using Bytes = std::vector<std::uint8_t>;

struct Outcome {
  std::vector<std::pair<std::string, std::string>> members;  // name, SHA-256
  std::optional<base::Error> error;
};

Outcome read_all(base::Bytes bytes, const CabLimits& limits = {}) {
  Outcome outcome;
  auto reader = CabReader::open(bytes, limits);
  if (!reader.ok()) return {{}, reader.error()};
  for (;;) {
    const auto member = reader->next();
    if (!member.ok()) return {outcome.members, member.error()};
    if (!*member) return outcome;
    base::Sha256Stream hash;
    const auto done = reader->read([&](base::Bytes piece) {
      hash.update(piece);
      return base::Result<void>();
    });
    if (!done.ok()) return {outcome.members, done.error()};
    outcome.members.emplace_back((*member)->name, hash.finish().hex());
  }
}

base::TemporaryDirectory must_directory() {
  return base::TemporaryDirectory::create("cab-test").value();
}

// 2016-09-06 10:34:18 UTC
constexpr base::Time kThen{1'473'158'058'000'000};

std::string must_write(const base::TemporaryDirectory& directory, std::string_view name,
                       base::Bytes plain) {
  auto file = base::PendingFile::create(directory.path()).value();
  EXPECT_TRUE(write_cab(name, plain, kThen, file).ok());
  const std::string path = base::join_path(directory.path(), "written.cab");
  EXPECT_TRUE(file.commit(path).ok());
  return path;
}

// A few kinds of bytes: text that repeats across blocks, noise that does not pack, and sizes
// around the edge of a block.
std::vector<std::pair<std::string, Bytes>> samples() {
  std::mt19937 random(4711);
  std::vector<std::pair<std::string, Bytes>> all;
  all.emplace_back("one byte", Bytes{'x'});
  for (const std::size_t size : {32'767u, 32'768u, 32'769u, 100'000u}) {
    Bytes text(size);
    for (std::size_t i = 0; i < size; ++i) {
      text[i] = static_cast<std::uint8_t>('a' + i % 23 + i / 40'000);
    }
    all.emplace_back("text " + std::to_string(size), std::move(text));
    Bytes noise(size);
    for (auto& byte : noise) byte = static_cast<std::uint8_t>(random());
    all.emplace_back("noise " + std::to_string(size), std::move(noise));
  }
  return all;
}

TEST(WriteCab, IsReadBackTheSame) {
  const auto directory = must_directory();
  for (const auto& [what, plain] : samples()) {
    const auto cab = base::MappedFile::open(must_write(directory, "foo.pdb", plain)).value();
    const Outcome outcome = read_all(cab->bytes());
    ASSERT_FALSE(outcome.error) << what << ": " << outcome.error->what;
    ASSERT_EQ(outcome.members.size(), 1u) << what;
    EXPECT_EQ(outcome.members[0].first, "foo.pdb") << what;
    EXPECT_EQ(outcome.members[0].second, base::sha256_of(plain).hex()) << what;
  }
}

TEST(WriteCab, IsReadByCabextract) {
  REQUIRE_OR_SKIP(testing_support::have_command("cabextract"), "no cabextract");
  const auto directory = must_directory();
  for (const auto& [what, plain] : samples()) {
    const std::string cab = must_write(directory, "foo.pdb", plain);
    const auto end =
        base::run_child("/usr/bin/cabextract", {"cabextract", "-q", "-d", directory.path(), cab});
    ASSERT_TRUE(end.ok() && end->ok()) << what << ": " << (end.ok() ? end->errors : "");
    const auto out = base::MappedFile::open(base::join_path(directory.path(), "foo.pdb")).value();
    EXPECT_EQ(base::sha256_of(out->bytes()).hex(), base::sha256_of(plain).hex()) << what;
    const auto listed = base::run_child("/usr/bin/cabextract", {"cabextract", "-l", cab}).value();
    EXPECT_NE(listed.output.find("06.09.2016 10:34:18 | foo.pdb"), std::string::npos)
        << listed.output;
  }
}

TEST(WriteCab, RefusesNamesThatDoNotFit) {
  const auto directory = must_directory();
  const Bytes plain{1};
  for (const std::string& name : {std::string(), std::string(256, 'a'), std::string("a\0b", 3)}) {
    auto file = base::PendingFile::create(directory.path()).value();
    EXPECT_FALSE(write_cab(name, plain, kThen, file).ok());
  }
}

TEST(Cab, CompressedNames) {
  const std::vector<std::pair<std::string, std::string>> rows = {{"foo.pdb", "foo.pd_"},
                                                                 {"a.b.exe", "a.b.ex_"},
                                                                 {"foo", "foo_"},
                                                                 {"x.c", "x._"},
                                                                 {"foo.", "foo._"}};
  for (const auto& [plain, packed] : rows) EXPECT_EQ(cab_name_of(plain), packed) << plain;
  EXPECT_TRUE(is_cab_name_of("FOO.PD_", "foo.pdb"));
  EXPECT_FALSE(is_cab_name_of("foo.pdb", "foo.pdb"));
}

TEST(Cab, EveryPrefixIsRefused) {
  const auto directory = must_directory();
  const Bytes plain(2000, 'a');
  const auto cab = base::MappedFile::open(must_write(directory, "a", plain)).value();
  for (std::size_t size = 0; size < cab->bytes().size(); ++size) {
    EXPECT_TRUE(read_all(cab->bytes().first(size)).error) << size;
  }
}

TEST(Cab, AFlippedByteIsFoundByTheChecksum) {
  const auto directory = must_directory();
  Bytes noise(40'000);
  std::mt19937 random(1);
  for (auto& byte : noise) byte = static_cast<std::uint8_t>(random());
  const auto cab = base::MappedFile::open(must_write(directory, "a", noise)).value();
  Bytes damaged(cab->bytes().begin(), cab->bytes().end());
  damaged[damaged.size() - 100] ^= 1;
  EXPECT_TRUE(read_all(damaged).error);
}

TEST(Cab, HoldsItsLimits) {
  const auto directory = must_directory();
  const Bytes plain(1 << 20, 'a');
  const auto cab = base::MappedFile::open(must_write(directory, "a", plain)).value();
  CabLimits size;
  size.member_size_max = 1000;
  EXPECT_EQ(read_all(cab->bytes(), size).error->fault, Fault::too_large);
  CabLimits ratio;
  ratio.ratio_free_size = 1000;
  ratio.ratio_max = 2;
  EXPECT_EQ(read_all(cab->bytes(), ratio).error->fault, Fault::too_large);
  CabLimits members;
  members.members_max = 0;
  EXPECT_EQ(read_all(cab->bytes(), members).error->fault, Fault::too_large);
}

TEST(Cab, CompressedSymbolFileHoldsOneMember) {
  REQUIRE_CORPUS(corpus);
  const auto two = base::MappedFile::open(corpus +
                                          "/symbols/objects/cab/mspack-ok/"
                                          "normal_2files_2folders.cab")
                       .value();
  const auto expanded =
      expand_cab(two->bytes(), {}, [](base::Bytes) { return base::Result<void>(); });
  ASSERT_FALSE(expanded.ok());
  EXPECT_EQ(expanded.error().fault, Fault::malformed);
}

// The corpus says what independent tools found in each: members, hashes, whether it spans.
TEST(Cab, ReadsTheCorpus) {
  REQUIRE_CORPUS(corpus);
  for (const std::string_view name : {"basic32-cab", "libEGL", "qipcap64", "mspack-ok"}) {
    const auto text =
        base::read_file(fmt::format("{}/symbols/expected/{}.json", corpus, name)).value();
    const auto facts = base::JsonValue::parse(text).value();
    for (const base::JsonValue& file : *facts["files"].array()) {
      const std::string path =
          fmt::format("{}/symbols/objects/cab/{}/{}", corpus, name, file["file"].text_or(""));
      const auto mapped = base::MappedFile::open(path).value();
      const Outcome outcome = read_all(mapped->bytes());
      // libarchive loses its way when each block has reserved bytes, which signing tools may add.
      bool readable = file["file"].text_or("") != "reserve_HFD.cab" &&
                      !*file["spans"]["previous"].boolean() && !*file["spans"]["next"].boolean();
      for (const auto& compression : *file["compression"].array()) {
        readable = readable && compression.text_or("") != "quantum";
      }
      if (!readable) {
        ASSERT_TRUE(outcome.error) << path;
        EXPECT_EQ(outcome.error->fault, Fault::unsupported) << path << outcome.error->what;
        continue;
      }
      ASSERT_FALSE(outcome.error) << path << ": " << outcome.error->what;
      ASSERT_EQ(outcome.members.size(), file["members"].size()) << path;
      for (std::size_t i = 0; i < outcome.members.size(); ++i) {
        EXPECT_EQ(outcome.members[i].first, file["members"].at(i)["name"].text_or("")) << path;
        EXPECT_EQ(outcome.members[i].second, file["members"].at(i)["sha256"].text_or("")) << path;
      }
    }
  }
}

TEST(Cab, RefusesTheMalformedCorpus) {
  REQUIRE_CORPUS(corpus);
  const auto files = base::list_files(corpus + "/symbols/objects/cab/mspack-bad").value();
  ASSERT_FALSE(files.empty());
  for (const std::string& path : files) {
    const auto mapped = base::MappedFile::open(path).value();
    EXPECT_TRUE(read_all(mapped->bytes()).error) << path;
  }
}

TEST(Cab, ReadsMicrosoftsLzx) {
  REQUIRE_CORPUS(corpus);
  const auto mapped = base::MappedFile::open(corpus +
                                             "/symbols/store/single-tier-compressed/dummyprog.pdb/"
                                             "F6301B4562FE4B4DB691192733ECE6B71/dummyprog.pd_")
                          .value();
  const Outcome outcome = read_all(mapped->bytes());
  ASSERT_FALSE(outcome.error) << outcome.error->what;
  EXPECT_EQ(outcome.members.at(0).second,
            "69be31ac974f20599bb2d147acc763f33f8bb228c22de4e236bf7cccfabbe1c3");
}

}  // namespace
}  // namespace archive
