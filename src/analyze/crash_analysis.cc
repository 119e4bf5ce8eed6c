#include "analyze/crash_analysis.h"

#include <algorithm>

#include "analyze/bit_flips.h"
#include "analyze/crash_operation.h"
#include "analyze/memory_map.h"

namespace analyze {

using snapshot::Crash;
using snapshot::Exception;
using snapshot::Os;

namespace {

constexpr std::uint32_t kAccessViolation = 0xc0000005, kIntDivideByZero = 0xc0000094,
                        kPrivInstruction = 0xc0000096, kStackOverflow = 0xc00000fd;

bool is_access_violation(const Crash& crash) {
  return crash.system.os == Os::windows && crash.exception->code == kAccessViolation;
}

Wish wish_of(const Crash& crash) {
  if (!is_access_violation(crash) || crash.exception->parameters.empty()) {
    return Wish::undetermined;
  }
  switch (crash.exception->parameters.front()) {
    case 0:
      return Wish::read;
    case 1:
      return Wish::write;
    case 8:
      return Wish::execute;
    default:
      return Wish::undetermined;
  }
}

bool is_non_canonical(std::uint64_t address) {
  return address >= 0x0000'8000'0000'0000 && address <= 0xffff'7fff'ffff'ffff;
}

// The processor does not say which address a general-protection fault was about, and each
// system puts something else in its place.
bool looks_like_protection_fault(const Crash& crash, std::uint64_t address) {
  if (crash.system.cpu != snapshot::Cpu::amd64) return false;
  const Exception& exception = *crash.exception;
  switch (crash.system.os) {
    case Os::windows:
      return wish_of(crash) == Wish::read && address == 0xffff'ffff'ffff'ffff;
    case Os::macos:
      return exception.code == 1 && exception.flags == 13 && address == 0;
    case Os::linux:
      return (exception.code == 11 || exception.code == 7) && exception.flags == 0x80 &&
             address == 0;
    default:
      return false;
  }
}

std::optional<AdjustedAddress> adjust_address(const Crash& crash, const CrashInfo& info,
                                              const CrashOperation& operation) {
  using Kind = AdjustedAddress::Kind;
  if (operation.accesses) {
    for (std::size_t i = 0; i < operation.accesses->size(); ++i) {
      if (operation.is_null[i]) {
        return AdjustedAddress{Kind::null_pointer, (*operation.accesses)[i].address};
      }
    }
  }
  if (operation.pointer_update == 0u) return AdjustedAddress{Kind::null_pointer, 0};
  if (!looks_like_protection_fault(crash, *info.address) || !operation.accesses) {
    return std::nullopt;
  }
  for (const MemoryAccess& access : *operation.accesses) {
    if (is_non_canonical(access.address)) {
      return AdjustedAddress{Kind::non_canonical, access.address};
    }
  }
  if (operation.pointer_update && is_non_canonical(*operation.pointer_update)) {
    return AdjustedAddress{Kind::non_canonical, *operation.pointer_update};
  }
  return std::nullopt;
}

bool is_division_by_zero(const Crash& crash) {
  const Exception& exception = *crash.exception;
  switch (crash.system.os) {
    case Os::windows:
      return exception.code == kIntDivideByZero;
    case Os::linux:
    case Os::android:
      return exception.code == 8 && exception.flags == 1;  // FPE_INTDIV
    case Os::macos:
    case Os::ios:
      return exception.code == 3 && exception.flags == 1;  // EXC_I386_DIV
    default:
      return false;
  }
}

// Instructions that need privileges, and MOV, which the field counts among them for its forms
// with control registers.
bool may_need_privileges(std::string_view mnemonic) {
  static constexpr std::string_view kNames[] = {
      "mov",    "hlt", "cli",  "sti",  "clts",  "in",    "out",  "wrmsr",   "rdmsr",  "rdtsc",
      "wbinvd", "ins", "outs", "iret", "iretd", "iretq", "retf", "int 0x1", "int 0x3"};
  return std::find(std::begin(kNames), std::end(kNames), mnemonic) != std::end(kNames);
}

bool does(const MemoryAccess& access, Wish wish) {
  if (access.type == AccessType::read_write) return true;
  return access.type == (wish == Wish::write ? AccessType::write : AccessType::read);
}

bool is_accessed(const CrashOperation& operation, std::uint64_t address, Wish wish) {
  return std::any_of(operation.accesses->begin(), operation.accesses->end(),
                     [&](const MemoryAccess& access) {
                       return does(access, wish) && address >= access.address &&
                              address - access.address < access.size.value_or(1);
                     });
}

// Whether the instruction, as far as it is known, cannot have done what the exception says.
bool is_access_lacking(const Crash& crash, std::uint64_t address, Wish wish,
                       const CrashOperation& operation) {
  if (!operation.accesses) return false;
  if (wish == Wish::execute) {
    return crash.exception->registers->instruction_pointer() != address;
  }
  return operation.is_derivable && !is_accessed(operation, address, wish);
}

void check_access_violation(const Crash& crash, CrashInfo& info, const CrashOperation* operation,
                            const MemoryMap& map) {
  const Wish wish = wish_of(crash);
  if (wish == Wish::undetermined) return;
  const std::uint64_t address = *info.address;
  auto& names = *info.inconsistencies;
  if (looks_like_protection_fault(crash, address)) {
    const bool is_known = operation != nullptr && operation->is_derivable && operation->accesses &&
                          !operation->accesses->empty();
    if (is_known && !info.adjusted_address) {
      names.emplace_back("non_canonical_address_falsely_reported");
    }
    return;
  }
  if (operation != nullptr && is_access_lacking(crash, address, wish, *operation)) {
    names.emplace_back("crashing_access_not_found_in_memory_accesses");
  }
  if (map.permits(address, wish)) names.emplace_back("access_violation_when_access_allowed");
}

void check_consistency(const Crash& crash, CrashInfo& info, const CrashOperation* operation,
                       const MemoryMap& map) {
  auto& names = *info.inconsistencies;
  if (is_access_violation(crash)) check_access_violation(crash, info, operation, map);
  if (operation == nullptr) return;
  const bool divides = operation->mnemonic == "div" || operation->mnemonic == "idiv";
  if (is_division_by_zero(crash) && !divides) names.emplace_back("int_div_by_zero_not_possible");
  if (crash.system.os != Os::windows) return;
  if (crash.exception->code == kPrivInstruction && !may_need_privileges(operation->mnemonic)) {
    names.emplace_back("priv_instruction_crash_without_priv_instruction");
  }
  const bool touches_nothing = operation->accesses && operation->accesses->empty();
  if (crash.exception->code == kStackOverflow && operation->is_derivable && touches_nothing) {
    names.emplace_back("crashing_access_not_found_in_memory_accesses");
  }
}

}  // namespace

void explain_crash(const Crash& crash, CrashInfo& info) {
  info.inconsistencies.emplace();
  const MemoryMap map(crash);
  const auto operation = find_crash_operation(crash);
  if (operation) {
    info.instruction = operation->text;
    info.memory_accesses = operation->accesses;
    if (info.memory_accesses) {
      for (MemoryAccess& access : *info.memory_accesses) {
        access.is_likely_guard_page = map.is_likely_guard_page(access.address);
      }
    }
    info.has_pointer_update = operation->has_pointer_update;
    info.instruction_pointer_update = operation->pointer_update;
    info.adjusted_address = adjust_address(crash, info, *operation);
  }
  check_consistency(crash, info, operation ? &*operation : nullptr, map);
  info.bit_flips =
      find_bit_flips(crash, info, operation ? &*operation : nullptr, map, wish_of(crash));
}

}  // namespace analyze
