// A small Windows image, byte by byte: for tests of readers.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace testing_support {

struct PeDebug {
  std::uint32_t type = 2;  // IMAGE_DEBUG_TYPE_CODEVIEW
  std::uint32_t stamp = 0;
  std::uint16_t major = 0, minor = 0;
  std::vector<std::uint8_t> data;
};

// The data of a CodeView entry; the GUID is `first` and 15 times 0x11.
std::vector<std::uint8_t> rsds(std::uint8_t first, std::uint32_t age, std::string_view path);

// One section, which holds the debug directory and what it points to.
std::vector<std::uint8_t> make_pe(const std::vector<PeDebug>& debug, bool wide = true,
                                  std::uint16_t machine = 0x8664);

// The data of an entry of type 17: bytes in stored blocks of deflate.
std::vector<std::uint8_t> mpdb(std::string_view pdb);

}  // namespace testing_support
