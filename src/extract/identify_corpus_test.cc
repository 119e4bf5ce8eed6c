// Every file of the reference corpus against what independent tools say of it: each field that
// speaks of identity, and each path. Where the corpus has two answers, either is accepted.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "extract/identify.h"
#include "testing/corpus.h"

namespace extract {
namespace {

using base::JsonValue;
using Texts = std::set<std::string>;

// The differences of one file, all of them.
class Check {
 public:
  explicit Check(std::string where) : where_(std::move(where)) {}
  void text(const char* field, std::string_view wanted, std::string_view got) const {
    if (wanted != got) fail(field, wanted, got);
  }
  void flag(const char* field, const JsonValue& wanted, bool got) const {
    if (wanted.boolean() == nullptr || *wanted.boolean() == got) return;
    fail(field, got ? "false" : "true", got ? "true" : "false");
  }
  void one_of(const char* field, std::string_view wanted, const Texts& got) const {
    if (got.contains(std::string(wanted))) return;
    std::string all;
    for (const std::string& g : got) all += "\n    " + g;
    fail(field, wanted, all);
  }

 private:
  void fail(const char* field, std::string_view wanted, std::string_view got) const {
    ADD_FAILURE() << where_ << ": the corpus says " << field << " is " << wanted << ", we: " << got;
  }
  std::string where_;
};

Texts ids_of(const Identity& identity) {
  Texts ids;
  if (!identity.debug_id.is_nil()) ids.insert(base::upper_ascii(identity.debug_id.breakpad()));
  for (const auto& id : identity.other_debug_ids) ids.insert(base::upper_ascii(id.breakpad()));
  return ids;
}

Texts paths_of(const Identity& identity, std::string_view name) {
  Texts paths;
  for (const ident::KeyPath& path : ident::key_paths(module_names(identity, name))) {
    paths.insert(path.path);
  }
  return paths;
}

// Every text below `keys`, whatever shape it has there.
void expect_keys(const Check& check, const JsonValue& keys, const Texts& got) {
  if (keys.string() != nullptr && !got.contains(*keys.string())) {
    // The corpus writes the age of bigage.pdb in both cases; keys are compared without case.
    Texts lower;
    for (const std::string& g : got) lower.insert(base::lower_ascii(g));
    const bool age_only = keys.string()->starts_with("bigage.pdb/");
    check.one_of("a key", age_only ? base::lower_ascii(*keys.string()) : *keys.string(),
                 age_only ? lower : got);
  }
  for (std::size_t i = 0; i < keys.size() && keys.array() != nullptr; ++i) {
    expect_keys(check, keys.at(i), got);
  }
  if (keys.object() == nullptr) return;
  for (const auto& [name, value] : *keys.object()) expect_keys(check, value, got);
}

void expect_ids(const Check& check, const JsonValue& facts, const Identity& identity) {
  if (facts["debug_id"].string() != nullptr) {
    check.one_of("debug_id", base::upper_ascii(*facts["debug_id"].string()), ids_of(identity));
  }
  const JsonValue& folds = facts["debug_id_from_text"];
  if (folds.object() != nullptr) {
    for (const auto& [tool, id] : *folds.object()) {
      if (id.string() != nullptr) check.one_of(tool.c_str(), *id.string(), ids_of(identity));
    }
  }
  // sentry-cli (symbolic): dashes, lower case; the age only when it is not 0.
  const JsonValue& variant = facts["sentry_cli"]["variants"].at(0);
  const auto sentry = ident::DebugId::parse(variant["debug_id"].text_or(""));
  if (sentry && !sentry->is_nil()) {
    check.one_of("sentry_cli", base::upper_ascii(sentry->breakpad()), ids_of(identity));
  }
  // symbolic takes the length in front of a WASM id for a part of it.
  if (variant["code_id"].string() != nullptr && identity.kind != FileKind::wasm) {
    check.text("sentry_cli code_id", *variant["code_id"].string(),
               base::lower_ascii(identity.code_id));
  }
  if (facts["code_id"].string() != nullptr) {
    check.text("code_id", *facts["code_id"].string(), identity.code_id);
  }
}

// readelf's and llvm-readobj's words for machines that Breakpad's list lacks.
std::string arch_word(std::string_view corpus_word) {
  if (corpus_word == "PowerPC") return "ppc";
  if (corpus_word == "PowerPC64") return "ppc64";
  if (corpus_word == "ARM64_32") return "arm64_32";
  if (corpus_word == "0xFD1D") return "x86_64";  // disguised for Linux
  return std::string(corpus_word);
}

void check_elf(const Check& check, const JsonValue& facts, const Identity& identity) {
  check.text("build_id", facts["build_id"].text_or(""), identity.build_id);
  // readelf shows the one that is compressed as it lies there.
  const std::string_view link = facts["debuglink"].text_or("");
  if (base::is_utf8(link) && link.find('\xef') == std::string_view::npos) {
    check.text("debuglink", link, identity.debug_link);
  }
  check.text("debugaltlink", facts["debugaltlink"]["file"].text_or(""), identity.alt_link);
  check.flag("holds_code", facts["holds_code"], identity.has_code);
  check.flag("holds_debug", facts["holds_debug"], identity.has_debug_info);
}

void check_pe(const Check& check, const JsonValue& facts, const Identity& identity) {
  check.text("debug_file", facts["debug_file"].text_or(""),
             identity.pdbs.empty() ? "" : identity.pdbs.front().name);
  std::size_t links = 0;
  for (std::size_t i = 0; i < facts["debug_directory"].size(); ++i) {
    const JsonValue& entry = facts["debug_directory"].at(i);
    if (entry["pdb_guid"].string() == nullptr) continue;
    ASSERT_LT(links, identity.pdbs.size());
    const ident::DebugFile& pdb = identity.pdbs[links++];
    check.text("pdb_guid", *entry["pdb_guid"].string(), pdb.debug_id.breakpad().substr(0, 32));
    check.flag("portable", entry["portable"], pdb.portable);
    if (!pdb.portable) EXPECT_EQ(entry["pdb_age"].integer_or(-1), pdb.debug_id.age);
    EXPECT_TRUE(entry["pdb_file"].text_or("").ends_with(pdb.name)) << pdb.name;
  }
  EXPECT_EQ(links, identity.pdbs.size());
  // The corpus looks for a section of that name, we for the table: .NET's lies in .data.
  if (*facts["has_pdata"].boolean()) EXPECT_TRUE(identity.has_unwind_info);
  check.flag("has_dwarf", facts["has_dwarf"], identity.has_debug_info);
}

void check_pdb(const Check& check, const JsonValue& facts, const Identity& identity) {
  check.text("guid", facts["guid"].text_or(""), identity.debug_id.breakpad().substr(0, 32));
  EXPECT_EQ(facts["dbi_age"].integer_or(-1), identity.debug_id.age);
  const std::string machine(facts["machine"].text_or(""));
  const std::string arch = machine == "Amd64"   ? "x86_64"
                           : machine == "Arm64" ? "arm64"
                           : machine == "x86"   ? "x86"
                                                : "unknown";
  check.text("machine", arch, identity.arch);
  bool srcsrv = false, source_link = false;
  for (std::size_t i = 0; i < facts["streams_of_note"].size(); ++i) {
    const std::string_view stream = facts["streams_of_note"].at(i).text_or("");
    srcsrv |= stream == "Named Stream \"srcsrv\"";
    source_link |= stream.starts_with("Named Stream \"sourcelink");
  }
  EXPECT_EQ(srcsrv, identity.has_source_server);
  EXPECT_EQ(source_link, identity.has_source_link);
}

void check_macho(const Check& check, const JsonValue& facts, std::string_view name,
                 const std::vector<Identity>& slices) {
  ASSERT_EQ(facts["slices"].size(), slices.size());
  for (std::size_t i = 0; i < slices.size(); ++i) {
    const JsonValue& slice = facts["slices"].at(i);
    check.text("uuid", slice["uuid"].text_or(""), base::upper_ascii(slices[i].uuid));
    // llvm-readobj does not say which ARM.
    const std::string arch = arch_word(slice["arch"].text_or(""));
    check.text("arch", arch, arch == "arm" ? slices[i].arch.substr(0, 3) : slices[i].arch);
    check.flag("has_dwarf", slice["has_dwarf"], slices[i].has_debug_info);
    EXPECT_EQ(slice["filetype"].text_or("") == "DSYM", slices[i].is_dsym);
    // The corpus counts headers of __unwind_info, in a dSYM too, where its bytes are not; we
    // count bytes, and those of __eh_frame as well.
    if (!slices[i].is_dsym && *slice["has_unwind_info"].boolean()) {
      EXPECT_TRUE(slices[i].has_unwind_info);
    }
    expect_ids(check, slice, slices[i]);
    expect_keys(check, slice["keys"], paths_of(slices[i], name));
    const JsonValue& variant = facts["sentry_cli"]["variants"].at(i);
    if (variant["code_id"].string() != nullptr) {
      check.text("sentry_cli code_id", *variant["code_id"].string(), slices[i].code_id);
    }
  }
}

FileKind kind_of_format(std::string_view format) {
  if (format == "elf") return FileKind::elf;
  if (format == "pe") return FileKind::pe;
  if (format == "pdb" || format == "msfz") return FileKind::pdb;
  if (format == "portable-pdb") return FileKind::portable_pdb;
  if (format == "macho") return FileKind::macho;
  if (format == "wasm") return FileKind::wasm;
  if (format == "perfmap-v1") return FileKind::perf_map;
  if (format == "cab") return FileKind::cab;
  if (format == "gzip") return FileKind::gzip;
  return FileKind::unknown;
}

void check_file(const std::string& path, std::string_view name, const JsonValue& facts) {
  SCOPED_TRACE(path);
  const auto mapped = base::MappedFile::open(path);
  ASSERT_TRUE(mapped.ok()) << path;
  const std::vector<Identity> all = identify_all((*mapped)->bytes());
  const Identity& identity = all.front();
  const Check check(path);
  if (facts["well_formed"].boolean() != nullptr && !*facts["well_formed"].boolean()) return;
  check.text("format", name_of(kind_of_format(facts["format"].text_or(""))),
             name_of(identity.kind));
  if (identity.kind == FileKind::macho) {
    check_macho(check, facts, name, all);
    return;
  }
  expect_ids(check, facts, identity);
  // A PDB's name is the one in its keys: Async.pdbx is Async.pdb.
  const bool is_pdb = identity.kind == FileKind::pdb || identity.kind == FileKind::portable_pdb;
  const std::string_view own_name = is_pdb ? facts["debug_file"].text_or(name) : name;
  expect_keys(check, facts["keys"], paths_of(identity, own_name));
  if (facts["arch"].string() != nullptr) {
    check.text("arch", arch_word(*facts["arch"].string()), identity.arch);
  }
  if (identity.kind == FileKind::elf) check_elf(check, facts, identity);
  if (identity.kind == FileKind::pe) check_pe(check, facts, identity);
  if (facts["format"].text_or("") == "pdb") check_pdb(check, facts, identity);
  if (identity.kind == FileKind::portable_pdb) {
    check.text("checksum", facts["sha256_with_id_zeroed"].text_or(""), identity.checksum);
  }
  if (identity.kind == FileKind::wasm) {
    check.text("build_id", facts["build_id"].text_or(""), identity.build_id);
  }
  if (identity.kind == FileKind::cab) {
    check.text("member", facts["members"].at(0)["name"].text_or(identity.name), identity.name);
  }
}

TEST(IdentifyCorpus, EveryFieldOfEveryFileAgrees) {
  REQUIRE_CORPUS(corpus);
  const auto expected = base::list_files(corpus + "/symbols/expected");
  ASSERT_TRUE(expected.ok());
  std::size_t seen = 0;
  for (const std::string& path : *expected) {
    const auto text = base::read_file(path);
    ASSERT_TRUE(text.ok());
    const auto json = JsonValue::parse(*text);
    ASSERT_TRUE(json.ok()) << path;
    const std::string kind((*json)["kind"].text_or(""));
    if (kind == "malformed") continue;
    for (std::size_t i = 0; i < (*json)["files"].size(); ++i) {
      const JsonValue& facts = (*json)["files"].at(i);
      const std::string name(facts["file"].text_or(""));
      std::string file = corpus + "/symbols/";
      if (facts["stored_at"].string() != nullptr) {
        file += *facts["stored_at"].string();
      } else {
        file += fmt::format("objects/{}/{}/{}", kind, (*json)["name"].text_or(""), name);
      }
      check_file(file, base::basename_of(name), facts);
      ++seen;
    }
  }
  EXPECT_GT(seen, 200u);
}

TEST(IdentifyCorpus, PrintsTheKeysOfDotnetsOwnTests) {
  REQUIRE_CORPUS(corpus);
  const auto text = base::read_file(corpus + "/symbols/store/ssqp-vectors.json");
  ASSERT_TRUE(text.ok());
  const auto json = JsonValue::parse(*text);
  ASSERT_TRUE(json.ok());
  std::size_t seen = 0;
  for (std::size_t i = 0; i < (*json)["vectors"].size(); ++i) {
    const JsonValue& vector = (*json)["vectors"].at(i);
    const std::string object(vector["object"].text_or(""));
    const auto mapped = base::MappedFile::open(fmt::format("{}/symbols/{}", corpus, object));
    ASSERT_TRUE(mapped.ok()) << object;
    Texts got;
    for (const Identity& identity : identify_all((*mapped)->bytes())) {
      for (const auto& path :
           ident::key_paths(module_names(identity, vector["name_given"].text_or("")))) {
        if (path.protocol == ident::Protocol::ssqp) got.insert(path.path);
      }
    }
    Texts wanted;
    for (const char* list : {"identity_keys", "symbol_keys", "clr_keys", "perf_map_keys"}) {
      for (std::size_t k = 0; k < vector[list].size(); ++k) {
        wanted.emplace(vector[list].at(k).text_or(""));
      }
    }
    // .NET takes an ELF file with debug information for a symbol file only; we serve it as an
    // executable as well.
    if (object.ends_with("/symbolized_executable")) {
      got.erase(
          "symbolized_executable/elf-buildid-126ba1461caf6644cfdd124bfcceeffa81b18897/"
          "symbolized_executable");
    }
    EXPECT_EQ(got, wanted) << object;
    ++seen;
  }
  EXPECT_EQ(seen, 15u);
}

// Refused or read in part; whatever is cut off, too.
TEST(IdentifyCorpus, MalformedFilesAndPrefixesAreSafe) {
  REQUIRE_CORPUS(corpus);
  const auto files = base::list_files(corpus + "/symbols/objects");
  ASSERT_TRUE(files.ok());
  for (const std::string& path : *files) {
    const auto mapped = base::MappedFile::open(path);
    if (!mapped.ok()) continue;
    const base::Bytes bytes = (*mapped)->bytes();
    EXPECT_FALSE(identify_all(bytes).empty()) << path;
    const bool malformed = path.find("/malformed/") != std::string::npos;
    const std::size_t step = std::max<std::size_t>(1, bytes.size() / (malformed ? 64 : 24));
    for (std::size_t size = 0; size < bytes.size(); size += step) {
      const std::vector<std::uint8_t> prefix(bytes.begin(),
                                             bytes.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_FALSE(identify_all(prefix).empty());
    }
  }
}

}  // namespace
}  // namespace extract
