#include "symbolicate/trace_places.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace symbolicate {
namespace {

using Adjust = TraceFrame::Adjust;

constexpr std::uint32_t kSigIll = 4;
constexpr std::uint32_t kSigBusOfLinux = 7;
constexpr std::uint32_t kSigBusOfBsd = 10;
constexpr std::uint32_t kSigSegv = 11;

bool begins_with(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix);
}

bool is_mips(std::string_view arch) { return begins_with(arch, "mips"); }

// Instructions stand at multiples of this; 1: anywhere.
std::uint64_t alignment_of(std::string_view arch) {
  if (begins_with(arch, "arm64") || begins_with(arch, "ppc") || is_mips(arch)) return 4;
  return begins_with(arch, "arm") ? 2 : 1;
}

std::string_view pointer_register(std::string_view arch) {
  if (begins_with(arch, "x86_64") || arch == "amd64") return "rip";
  if (arch == "x86") return "eip";
  if (begins_with(arch, "arm") || is_mips(arch)) return "pc";
  return begins_with(arch, "ppc") ? "srr0" : "";
}

std::optional<std::uint64_t> find_register(const Trace& trace, std::string_view name) {
  for (const auto& [known, value] : trace.registers) {
    const std::string_view bare = std::string_view(known).substr(known.starts_with('$') ? 1 : 0);
    if (bare == name) return value;
  }
  return std::nullopt;
}

bool is_crash(std::uint32_t signal) {
  return signal == kSigIll || signal == kSigBusOfLinux || signal == kSigBusOfBsd ||
         signal == kSigSegv;
}

// Whether the handler's frames stand before the one that crashed.
bool is_behind_a_handler(std::uint64_t address, const CallerHints& hints) {
  if (!hints.signal || !is_crash(*hints.signal) || hints.trace == nullptr) return false;
  const auto pointer = find_register(*hints.trace, pointer_register(hints.arch));
  return pointer && *pointer != address;
}

}  // namespace

TraceModules::TraceModules(const TraceQuestion& question) : question_(question) {
  extents_.reserve(question.modules.size());
  for (std::size_t i = 0; i < question.modules.size(); ++i) {
    const TraceModule& module = question.modules[i];
    if (module.address == 0) continue;
    extents_.push_back({module.address, module.size.value_or(0), static_cast<std::uint32_t>(i)});
  }
  std::sort(extents_.begin(), extents_.end(), [](const Extent& a, const Extent& b) {
    return std::pair(a.begin, a.module) < std::pair(b.begin, b.module);
  });
  for (std::size_t i = 0; i + 1 < extents_.size(); ++i) {
    if (extents_[i].size == 0) extents_[i].size = extents_[i + 1].begin - extents_[i].begin;
  }
}

TracePlace TraceModules::find(const TraceFrame& frame) const {
  if (frame.relative_to != TraceFrame::kAbsolute) {
    if (frame.relative_to >= question_.modules.size()) return {};
    return {frame.relative_to, frame.address};
  }
  auto after = std::upper_bound(
      extents_.begin(), extents_.end(), frame.address,
      [](std::uint64_t address, const Extent& extent) { return address < extent.begin; });
  if (after == extents_.begin()) return {};
  const Extent& extent = *--after;
  const std::uint64_t offset = frame.address - extent.begin;
  const bool is_last = std::next(after) == extents_.end();
  if (offset >= extent.size && !(extent.size == 0 && is_last)) return {};
  return {extent.module, offset};
}

std::vector<bool> TraceModules::used() const {
  std::vector<bool> used(question_.modules.size());
  for (const TraceFrame& frame : question_.frames) {
    const TracePlace place = find(frame);
    if (place.module != TracePlace::kNone) used[place.module] = true;
  }
  return used;
}

std::uint64_t caller_address(std::uint64_t address, const CallerHints& hints) {
  const std::uint64_t alignment = alignment_of(hints.arch);
  const std::uint64_t aligned = address - address % alignment;
  bool is_adjusted = hints.adjust == Adjust::yes;
  if (hints.adjust == Adjust::unsaid) {
    is_adjusted = !hints.is_first || is_behind_a_handler(address, hints);
  }
  if (!is_adjusted) return aligned;
  // MIPS returns behind the instruction after the call, its delay slot.
  const std::uint64_t step = is_mips(hints.arch) ? 2 * alignment : alignment;
  return aligned >= step ? aligned - step : 0;
}

Adjust default_adjust(const TraceQuestion& question, const Trace& trace) {
  for (std::size_t i = 0; i < trace.frame_count; ++i) {
    if (question.frames[trace.first_frame + i].adjust != Adjust::unsaid) return Adjust::yes;
  }
  return Adjust::unsaid;
}

}  // namespace symbolicate
