// Any bytes as a dump → walk without symbols → JSON, which must be JSON, and text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "analyze/analyze.h"
#include "analyze/reference_fixture.h"
#include "analyze/report_json.h"
#include "analyze/report_text.h"

namespace {}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto file = base::MappedFile::from_bytes(std::vector<std::uint8_t>(data, data + size));
  const auto analysis = analyze::analyze_dump(std::move(file), analyze::no_symbols);
  if (!analysis.ok()) return 0;
  if (!base::JsonValue::parse(analyze::report_json(analysis->report)).ok()) std::abort();
  (void)analyze::report_text(analysis->report);
  return 0;
}
