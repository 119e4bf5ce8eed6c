// Any JSON as pySymProxy's configuration; what is read is written as TOML and read again.
#include "base/bytes.h"
#include "server/exclusions.h"
#include "server/foreign_settings_fuzz.h"
#include "server/options_from_pysymproxy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::text_of({data, size});
  for (const std::string& wildcard : server::exclusions_in(text)) {
    server::matches_wildcard("symsrv.dll", wildcard);
  }
  const auto json = base::JsonValue::parse(text);
  if (!json.ok()) return 0;
  ASSERT(base::JsonValue::parse(server::redacted_json(*json)).ok());
  const auto read = server::settings_from_pysymproxy(*json, "f.json", "/here");
  if (!read.ok()) return 0;
  server::options_by_toml(*read);
  return 0;
}
