#include "testing/old_pdb.h"

#include "base/bytes.h"
#include "testing/assembler.h"

namespace testing_support {

std::vector<std::uint8_t> old_pdb() {
  Assembler info;
  info.u32(19970604).u32(0x3dd60cfb).u32(2).u32(0);
  Assembler a;
  a.bytes(base::bytes_of("Microsoft C/C++ program database 2.00\r\n\x1a"
                         "JG"))
      .u8(0)
      .u8(0);
  a.u32(1024).u16(1).u16(4).u32(4 + 2 * 8 + 2).u32(0xdead).u16(2).align(1024).repeat(0, 1024);
  a.u16(2).u16(0).u32(0xffffffff).u32(1).u32(16).u32(0xbeef).u16(3).align(1024);
  a.append(info.finish()).align(1024);
  return a.finish();
}

}  // namespace testing_support
