#include "symstore/index_of.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/text.h"
#include "symstore/tree.h"
#include "testing/corpus.h"

namespace symstore {
namespace {

extract::Identity identity_of(extract::FileKind kind) {
  extract::Identity identity;
  identity.kind = kind;
  identity.debug_id = *ident::DebugId::parse("C9A61DDDD7E44353A668E39AC614A7EAA");
  return identity;
}

TEST(SymstoreIndex, SpellsIdsAsEachWorldDoes) {
  using Kind = extract::FileKind;
  EXPECT_EQ(index_of(identity_of(Kind::pdb), "a.pdb")->id, "C9A61DDDD7E44353A668E39AC614A7EAa");
  EXPECT_EQ(index_of(identity_of(Kind::portable_pdb), "a.pdb")->id,
            "C9A61DDDD7E44353A668E39AC614A7EAFFFFFFFF");
  extract::Identity old = identity_of(Kind::pdb);
  old.debug_id = {};
  EXPECT_FALSE(index_of(old, "a.pdb"));
  old.old_id = "3dd60cfb2";
  EXPECT_EQ(index_of(old, "a.pdb")->id, "3DD60CFB2");
  extract::Identity pe = identity_of(Kind::pe);
  EXPECT_FALSE(index_of(pe, "a.dll"));
  pe.code_id = "5a0bc0c6c83000";
  EXPECT_EQ(index_of(pe, "a.dll")->id, "5A0BC0C6c83000");
  extract::Identity elf = identity_of(Kind::elf);
  EXPECT_FALSE(index_of(elf, "a.so"));
  elf.build_id = "abcd";
  elf.has_code = true;
  EXPECT_EQ(index_of(elf, "a.so")->id, "elf-buildid-abcd000000000000000000000000000000000000");
  elf.has_code = false;
  elf.has_debug_info = true;
  EXPECT_EQ(index_of(elf, "a.debug")->name, "_.debug");
  EXPECT_EQ(index_of(identity_of(Kind::macho), "a")->id,
            "mach-uuid-c9a61dddd7e44353a668e39ac614a7ea");
  EXPECT_FALSE(index_of(identity_of(Kind::breakpad_sym), "a.sym"));
  EXPECT_FALSE(index_of(identity_of(Kind::pdb), "a/b.pdb"));
}

// Key and form that Microsoft's tool gave each file of its own trees, from the file alone.
TEST(SymstoreIndex, FindsMicrosoftsKeysAndForms) {
  REQUIRE_CORPUS(corpus);
  const Tree tree = Tree::open(corpus + "/symbols/store/single-tier").value();
  std::size_t checked = 0;
  const auto current = tree.current().value();
  for (const Transaction& transaction : current) {
    const auto members = tree.members(transaction.id).value();
    for (const Member& member : members) {
      const auto held = tree.find(member.name, member.id).value();
      ASSERT_TRUE(held && held->file.valid()) << member.name;
      const auto bytes = base::MappedFile::open(held->path).value();
      const auto indexed = index_of(extract::identify(bytes->bytes()), member.name);
      ASSERT_TRUE(indexed) << member.name;
      EXPECT_EQ(indexed->id, member.id) << member.name;
      EXPECT_EQ(name_of(indexed->form), name_of(held->references.at(0).form)) << member.name;
      ++checked;
    }
  }
  EXPECT_EQ(checked, 5u);
}

}  // namespace
}  // namespace symstore
