// Any text parses or is refused; what parses is written so that it parses again to the same.
#include "base/bytes.h"
#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = base::JsonValue::parse(base::text_of({data, size}));
  if (!value.ok()) return 0;
  base::JsonWriter once;
  value->write(once);
  const auto again = base::JsonValue::parse(once.text());
  ASSERT(again.ok());
  base::JsonWriter twice;
  again->write(twice);
  ASSERT(once.text() == twice.text());
  return 0;
}
