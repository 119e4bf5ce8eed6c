// Any bytes as an export of the registry; what is read as SymProxy's settings is written as TOML
// and read again.
#include "base/assert.h"
#include "server/options_from_symproxy.h"
#include "server/toml_from_settings.h"
#include "server/virtual_directories.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::Bytes bytes(data, size);
  const auto keys = server::read_registry_export(bytes, "f.reg");
  if (!keys.ok()) return 0;
  ASSERT(server::is_registry_export(bytes));
  const auto read = server::settings_from_symproxy(*keys, "f.reg");
  if (!read.ok()) return 0;
  const auto options = server::options_from(read->settings);
  if (!options.ok()) return 0;  // too many servers, or a name with a line end
  if (const auto made = server::VirtualDirectories::from(options->virtual_directories); made.ok()) {
    made->find("/symbols/a.pdb/1/a.pdb");
  }
  const auto again =
      server::settings_from_toml(server::toml_from_settings(read->settings), "f.toml");
  ASSERT(again.ok());
  const auto options_again = server::options_from(*again);
  ASSERT(options_again.ok() && *options_again == *options);
  return 0;
}
