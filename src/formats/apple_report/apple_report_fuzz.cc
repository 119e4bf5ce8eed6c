// Any bytes as a crash report: views stay inside the text.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/bytes.h"
#include "formats/apple_report/apple_report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::text_of(base::Bytes{data, size});
  const auto report = apple_report::parse(text);
  if (!report.ok()) return 0;
  const auto is_inside = [&](std::string_view part) {
    return part.empty() ||
           (part.data() >= text.data() && part.data() + part.size() <= text.data() + text.size());
  };
  for (const apple_report::Thread& thread : report->threads) {
    ASSERT(is_inside(thread.name));
    for (const apple_report::Frame& frame : thread.frames) ASSERT(is_inside(frame.module));
  }
  for (const apple_report::Image& image : report->images) {
    ASSERT(image.uuid.size() == 32 && image.end >= image.begin);
    ASSERT(is_inside(image.path) && is_inside(image.arch));
  }
  return 0;
}
