// A PDB of the oldest kind (2.00, "JG"), with its info stream alone: time stamp 0x3dd60cfb and age
// 2 in the place of a GUID. For tests of who reads, keeps and finds it.
#pragma once

#include <cstdint>
#include <vector>

namespace testing_support {

std::vector<std::uint8_t> old_pdb();

}  // namespace testing_support
