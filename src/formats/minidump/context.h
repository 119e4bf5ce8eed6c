// CPU contexts as minidumps store them: for each architecture a table of registers with their
// place and width, which reader and writer share.
// Not registers of a thread: snapshot/registers.h has those; names here are the field's.
// Immutable tables; any thread.
// Format: docs/formats/minidump.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "formats/minidump/minidump_format.h"

namespace minidump {

struct ContextRegister {
  std::string name;
  std::uint16_t offset = 0;
  std::uint8_t width = 0;  // bytes
};

struct ContextLayout {
  std::uint32_t size = 0;  // the smallest that is accepted; longer ones have extensions
  std::uint8_t flags_offset = 0;
  std::uint8_t flags_width = 4;
  std::uint32_t cpu_flag = 0;       // the only CPU bit that may be set
  std::uint32_t flags_written = 0;  // cpu_flag and the parts that we write
  std::vector<ContextRegister> registers;
};

// Null for an architecture whose contexts nobody reads.
const ContextLayout* find_context_layout(std::uint16_t architecture);

// Whether these bytes can be a context of this layout: long enough, and flagged so.
bool is_context(const ContextLayout& layout, base::Bytes bytes, base::Endian endian);

// Where amd64's FXSAVE area lies in its context.
constexpr std::uint32_t kAmd64FloatOffset = 0x100, kAmd64FloatSize = 512;
constexpr std::uint32_t kAmd64FloatFlag = 0x8;  // set when that area is filled

}  // namespace minidump
