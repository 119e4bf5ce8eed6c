// A lookup's answer as frames, innermost first, and the texts that people and scripts read.
// A Hit separates the function that is really on the stack from what was inlined into it; here
// they become one list, each with its own place.
// Pure functions. Views last as long as the Hit's.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"
#include "base/units.h"
#include "symbols/map.h"

namespace symbolicate {

enum class Style : unsigned char {
  kHuman,  // "  name +0x12  file:line", inlined frames marked
  kTabs,   // function TAB file TAB line, "??" and 0 for what is not known, as addr2line has them
};

// The lines of one answer; `hit` null: nothing is known about the place.
void append_frames(std::string& out, base::Rva rva, const symbols::Hit* hit, Style style);

// [{"function", "function_offset", "file", "line", "inlined"}, …], null for what is not known.
void write_frames(base::JsonWriter& out, base::Rva rva, const symbols::Hit* hit);

}  // namespace symbolicate
