// An INI from strangers: read within bounds, or refused; what is read makes options, by way of our
// TOML as well.
#include "server/options_from_snappy.h"

#include <cstddef>
#include <cstdint>

#include "server/foreign_settings_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  server::is_snappy(text);
  const auto read = server::settings_from_snappy(text, "snappy.ini", "/place", {{"HOME", "/h"}});
  ASSERT(read.ok() || read.error().fault == base::Fault::malformed);
  if (read.ok()) server::options_by_toml(*read);
  return 0;
}
