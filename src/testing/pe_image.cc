#include "testing/pe_image.h"

#include <algorithm>

#include "base/bytes.h"
#include "testing/assembler.h"

namespace testing_support {
namespace {

constexpr std::uint32_t kRva = 0x1000;
constexpr std::uint32_t kOffset = 0x400;

}  // namespace

std::vector<std::uint8_t> rsds(std::uint8_t first, std::uint32_t age, std::string_view path) {
  Assembler a;
  a.bytes(base::bytes_of("RSDS")).u8(first).repeat(0x11, 15).u32(age).c_string(path);
  return a.finish();
}

std::vector<std::uint8_t> make_pe(const std::vector<PeDebug>& debug, bool wide,
                                  std::uint16_t machine) {
  Assembler a;
  a.bytes(base::bytes_of("MZ")).repeat(0, 58).u32(0x40).bytes(base::bytes_of("PE")).u16(0);
  a.u16(machine).u16(1).u32(0x0a0b0c0d).u32(0).u32(0).u16(wide ? 240 : 224).u16(0x2022);
  const std::uint64_t optional = a.here();
  a.u16(wide ? 0x20b : 0x10b).repeat(0, 54).u32(0x1a000);
  a.repeat(0, static_cast<std::size_t>(optional + (wide ? 108 : 92) - a.here())).u32(16);
  a.repeat(0, 6 * 8).u32(kRva).u32(debug.size() * 28).repeat(0, 9 * 8);
  a.bytes(base::bytes_of(".text")).repeat(0, 3).u32(0x1000).u32(kRva).u32(0x1000).u32(kOffset);
  a.repeat(0, 12).u32(0x60000020).align(kOffset);
  std::uint32_t at = static_cast<std::uint32_t>(debug.size()) * 28;
  for (const PeDebug& d : debug) {
    a.u32(0).u32(d.stamp).u16(d.major).u16(d.minor).u32(d.type).u32(d.data.size());
    a.u32(kRva + at).u32(kOffset + at);
    at += static_cast<std::uint32_t>(d.data.size());
  }
  for (const PeDebug& d : debug) a.bytes(d.data);
  return a.align(0x1400).finish();
}

std::vector<std::uint8_t> mpdb(std::string_view pdb) {
  constexpr std::size_t kBlockMax = 0xffff;
  Assembler a;
  a.bytes(base::bytes_of("MPDB")).u32(pdb.size());
  while (!pdb.empty()) {
    const std::string_view block = pdb.substr(0, kBlockMax);
    pdb.remove_prefix(block.size());
    const auto size = static_cast<std::uint16_t>(block.size());
    a.u8(pdb.empty() ? 1 : 0).u16(size).u16(static_cast<std::uint16_t>(~size));
    a.bytes(base::bytes_of(block));
  }
  return a.finish();
}

}  // namespace testing_support
