#include "symbolicate/trace_question.h"

#include <algorithm>

#include "base/text.h"

namespace symbolicate {
namespace {

constexpr std::array<std::string_view, 7> kTrusts{"none", "scan",      "cfiscan", "fp",
                                                  "cfi",  "prewalked", "context"};

}  // namespace

std::string_view name_of(TraceTrust trust) { return kTrusts[static_cast<std::size_t>(trust)]; }

std::optional<TraceTrust> find_trace_trust(std::string_view name) {
  const auto at = std::find(kTrusts.begin(), kTrusts.end(), name);
  if (at == kTrusts.end()) return std::nullopt;
  return static_cast<TraceTrust>(at - kTrusts.begin());
}

std::optional<std::uint64_t> find_trace_number(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) return base::parse_hex(text.substr(2));
  return base::parse_decimal(text);
}

base::Result<void> read_trace_rewrites(std::string_view json, TraceQuestion& question) {
  question.rewrites = TRY(RewriteRules::parse(json));
  return {};
}

void rename_first_module(TraceQuestion& question) {
  const auto first = std::min_element(
      question.modules.begin(), question.modules.end(),
      [](const TraceModule& a, const TraceModule& b) { return a.address < b.address; });
  if (first == question.modules.end() || !first->debug_file) return;
  first->looked_for_as = question.rewrites.rewrite(*first->debug_file);
}

std::uint64_t TraceQuestion::memory_size() const {
  std::uint64_t size = texts.capacity() + facts.capacity();
  size += frames.capacity() * sizeof(TraceFrame) + given.capacity() * sizeof(GivenText);
  size += traces.capacity() * sizeof(Trace) + modules.capacity() * sizeof(TraceModule);
  for (const Trace& trace : traces) {
    size += trace.registers.capacity() * sizeof(trace.registers[0]);
    for (const auto& [name, value] : trace.registers) size += name.capacity();
    if (trace.thread_name) size += trace.thread_name->capacity();
  }
  const auto add = [&](const std::optional<std::string>& text) {
    if (text) size += text->capacity();
  };
  for (const TraceModule& module : modules) {
    for (const auto* text : {&module.code_id, &module.code_file, &module.debug_id,
                             &module.debug_file, &module.debug_checksum, &module.looked_for_as}) {
      add(*text);
    }
  }
  return size;
}

}  // namespace symbolicate
