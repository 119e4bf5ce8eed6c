// Random bytes from the kernel: for ids and names, safe to guess against.
#pragma once

#include <cstdint>
#include <span>

namespace base {
void fill_random(std::span<std::uint8_t> bytes);
}
