#include "unwind/frame.h"

#include "base/assert.h"

namespace unwind {

std::string_view name_of(Trust trust) {
  switch (trust) {
    case Trust::none:
      return "non";  // a typo that consumers of the JSON know
    case Trust::scan:
      return "scan";
    case Trust::cfi_scan:
      return "cfi_scan";
    case Trust::frame_pointer:
      return "frame_pointer";
    case Trust::cfi:
      return "cfi";
    case Trust::prewalked:
      return "prewalked";
    case Trust::context:
      return "context";
  }
  return "non";
}

std::string_view sentence_of(Trust trust) {
  switch (trust) {
    case Trust::none:
      return "unknown";
    case Trust::scan:
      return "stack scanning";
    case Trust::cfi_scan:
      return "call frame info with scanning";
    case Trust::frame_pointer:
      return "previous frame's frame pointer";
    case Trust::cfi:
      return "call frame info";
    case Trust::prewalked:
      return "recovered by external stack walker";
    case Trust::context:
      return "given as instruction pointer in context";
  }
  return "unknown";
}

void Stack::save_registers(Frame& frame, const snapshot::Registers& registers) {
  static_assert(snapshot::Registers::kMax <= 128);
  frame.first_register = static_cast<std::uint32_t>(register_values.size());
  frame.valid_registers[0] = frame.valid_registers[1] = 0;
  for (std::size_t i = 0; i < snapshot::Registers::kMax; ++i) {
    if (!registers.valid[i]) continue;
    frame.valid_registers[i / 64] |= 1ull << (i % 64);
    register_values.push_back(registers.values[i]);
  }
}

snapshot::Registers Stack::registers(std::size_t frame_index) const {
  ASSERT(frame_index < frames.size());
  const Frame& frame = frames[frame_index];
  snapshot::Registers out;
  out.cpu = cpu;
  std::size_t next = frame.first_register;
  for (std::size_t i = 0; i < snapshot::Registers::kMax; ++i) {
    if ((frame.valid_registers[i / 64] >> (i % 64) & 1) == 0) continue;
    out.valid[i] = true;
    out.values[i] = register_values[next++];
  }
  return out;
}

}  // namespace unwind
