// Mozilla's JSON from strangers: read within bounds, or refused; what is read makes options, by way
// of our TOML as well.
#include "server/options_from_mozilla.h"

#include <cstddef>
#include <cstdint>

#include "server/foreign_settings_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto json = base::JsonValue::parse(text);
  if (!json.ok()) return 0;
  const auto config = server::mozilla_config(*json, "config.json");
  ASSERT(config.ok() || config.error().fault == base::Fault::malformed);
  if (!config.ok()) return 0;
  for (const auto settings_of :
       {server::settings_of_disk_cache, server::settings_of_sym_server, server::settings_of_both}) {
    server::options_by_toml(settings_of(*config, "/place"));
  }
  return 0;
}
