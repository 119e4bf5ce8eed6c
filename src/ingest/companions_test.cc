#include "ingest/companions.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "base/sha256.h"
#include "base/text.h"
#include "ident/debug_id.h"

namespace ingest {
namespace {

using ident::KeyKind;
using ident::SymbolKey;
using store::NewFile;

constexpr std::string_view kBuildId = "0102030405060708090a0b0c0d0e0f1011121314";
constexpr std::string_view kUnit = "00c0ffee00c0ffee";

NewFile file_with(const std::string& name, const std::string& format, SymbolKey key) {
  NewFile file;
  file.file.name = name;
  file.file.format = format;
  file.file.sha256 = base::sha256_of(base::bytes_of(name));
  file.keys.push_back({std::move(key), true});
  return file;
}

NewFile make_package() {
  return file_with("lamp.dwp", "dwp", SymbolKey::from_text(KeyKind::dwo_id, "", kUnit));
}

NewFile make_program() {
  NewFile file = file_with("lamp", "elf", SymbolKey::from_text(KeyKind::skeleton, "", kUnit));
  file.file.code_id = kBuildId;
  file.file.debug_id =
      ident::DebugId::from_build_id(base::bytes_from_hex(kBuildId).value()).breakpad();
  return file;
}

struct Place {
  base::TemporaryDirectory root = base::TemporaryDirectory::create("companions").value();
  std::unique_ptr<db::Database> database =
      db::Database::open("sqlite:" + root.path() + "/db").value();
  store::Catalog catalog{*database};

  Place() { EXPECT_TRUE(database->migrate(store::Catalog::migrations()).ok()); }

  void before(std::vector<NewFile>& files) { EXPECT_TRUE(join_packages(catalog, {}, files).ok()); }
  void commit(std::vector<NewFile>& files) {
    store::Upload upload;
    upload.way = "put";
    EXPECT_TRUE(catalog.commit(upload, files).ok());
  }
  void after(const std::vector<NewFile>& files) {
    EXPECT_TRUE(join_waiting_packages(catalog, {}, files).ok());
  }
  bool finds_package_by_build_id() {
    const auto all =
        catalog.find({SymbolKey::from_text(KeyKind::build_id, "lamp.dwp", kBuildId)}).value();
    return std::any_of(all.at(0).begin(), all.at(0).end(),
                       [](const store::Found& row) { return row.file.format == "dwp"; });
  }
};

// Each step of two uploads, in the orders that two threads may take.
TEST(Companions, MeetInWhateverOrderTheyCome) {
  for (const std::string& order :
       std::vector<std::string>{"package package package program program program",
                                "program program program package package package",
                                "package program program program package package",
                                "program package package package program program",
                                "package program package program package program",
                                "package program program package package program",
                                "program package package program program package"}) {
    Place place;
    std::vector<NewFile> package{make_package()}, program{make_program()};
    int package_steps = 0, program_steps = 0;
    for (std::size_t at = 0; at < order.size(); at += 8) {
      const bool is_package = order.substr(at, 7) == "package";
      std::vector<NewFile>& files = is_package ? package : program;
      const int step = is_package ? package_steps++ : program_steps++;
      if (step == 0) place.before(files);
      if (step == 1) place.commit(files);
      if (step == 2) place.after(files);
    }
    EXPECT_TRUE(place.finds_package_by_build_id()) << order;
  }
}

}  // namespace
}  // namespace ingest
