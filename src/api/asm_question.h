// What POST /asm/v1 asks: a range of which module's code.
// Not the disassembling: api/asm.h.
// A pure function; any thread. Fails with malformed; the words are for the client.
// Protocol: docs/protocols/asm.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"
#include "ident/paths.h"

namespace api {

constexpr std::uint64_t kAsmAddressMax = 0xffffffff;  // the profiler's are 32 bits wide

struct AsmQuestion {
  ident::SymbolRequest executable;
  std::optional<ident::SymbolRequest> index = std::nullopt;
  std::string uuid;  // 32 digits, for fat files
  base::Rva start;
  std::uint64_t size = 0;
  bool continues = false;  // to the end of the function
};

base::Result<AsmQuestion> parse_asm_question(std::string_view body, const ident::Scope& scope);

}  // namespace api
