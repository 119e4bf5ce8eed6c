#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/bytes.h"
#include "formats/srcsrv/source_link.h"

// The first line is the path that is asked for; the rest is the JSON.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::text_of({data, size});
  const auto line = std::min(text.find('\n'), text.size());
  const auto map = srcsrv::SourceLink::parse(text.substr(line));
  if (!map.ok()) return 0;
  const auto found = map->find(text.substr(0, line));
  if (found) ASSERT(srcsrv::is_web_url(found->url));
  return 0;
}
