// Between a minidump's CPU contexts and snapshot::Registers; both converters use it.
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "snapshot/crash.h"

namespace snapshot {

// `architecture` is SystemInfo's number: it alone chooses the layout.
Cpu cpu_of_architecture(std::uint16_t architecture);

// Nothing when the layout is unknown, the bytes are too short or flagged as another CPU's.
std::optional<Registers> find_registers(std::uint16_t architecture, base::Bytes context,
                                        base::Endian endian);
// The FXSAVE area of an amd64 context, else empty.
base::Bytes float_state_of(std::uint16_t architecture, base::Bytes context);

// A context with these registers, little-endian; empty when the layout is unknown.
std::vector<std::uint8_t> context_of(std::uint16_t architecture, const Registers& registers,
                                     base::Bytes float_state);

}  // namespace snapshot
