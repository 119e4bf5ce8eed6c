// Any text as the ID.json of an unfinished upload: a fault, or what its own text says again.
#include "base/assert.h"
#include "base/bytes.h"
#include "ingest/upload_sessions.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto announced = ingest::announced_from_json(base::text_of({data, size}));
  if (!announced.ok()) return 0;
  const std::string text = ingest::json_of(*announced);
  const auto again = ingest::announced_from_json(text);
  ASSERT(again.ok());
  ASSERT(ingest::json_of(*again) == text);
  return 0;
}
