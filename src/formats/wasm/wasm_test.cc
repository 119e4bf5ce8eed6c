#include "formats/wasm/wasm.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "testing/assembler.h"

namespace wasm {
namespace {

using testing_support::Assembler;
using Bytes = std::vector<std::uint8_t>;

Assembler head() {
  Assembler a;
  a.u8(0).bytes(base::bytes_of("asm")).u32(1);
  return a;
}

void add_custom(Assembler& a, std::string_view name, const Bytes& bytes) {
  a.u8(0).uleb(1 + name.size() + bytes.size()).uleb(name.size()).bytes(base::bytes_of(name));
  a.bytes(bytes);
}

TEST(Wasm, ReadsABuildIdWithAndWithoutItsLength) {
  for (const Bytes& id : {Bytes{3, 0xaa, 0xbb, 0xcc}, Bytes{0xaa, 0xbb, 0xcc}}) {
    Assembler a = head();
    add_custom(a, "build_id", id);
    const Bytes bytes = a.finish();
    const auto file = File::parse(bytes);
    ASSERT_TRUE(file.ok()) << file.error().what;
    EXPECT_EQ(base::hex_of(file->build_id()), "aabbcc");
  }
}

TEST(Wasm, ANonsensicalNameSectionDoesNoHarm) {
  Assembler a = head();
  add_custom(a, "name", Bytes(40, 0xff));
  a.u8(0).uleb(2).u8(0xff).u8(0xff);  // a custom section whose name never ends
  a.u8(kCode).uleb(3).u8(1).u8(1).u8(0);
  add_custom(a, "build_id", {1, 2});
  const Bytes bytes = a.finish();
  const auto file = File::parse(bytes);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(base::hex_of(file->build_id()), "02");
  EXPECT_TRUE(file->has_code());
}

TEST(Wasm, EveryPrefixYieldsAnAnswerOrAFault) {
  Assembler a = head();
  add_custom(a, "build_id", {2, 1, 2});
  add_custom(a, "external_debug_info", {1, 'x'});
  const Bytes whole = a.finish();
  EXPECT_EQ(File::parse(whole)->external_debug_info(), "x");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto file = File::parse(bytes);
    EXPECT_EQ(file.ok(), size >= 8);
  }
}

}  // namespace
}  // namespace wasm
