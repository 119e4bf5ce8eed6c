// Any bytes as an export of the registry; what is read as SymProxy's settings is written as TOML
// and read again.
#include "server/foreign_settings_fuzz.h"
#include "server/options_from_symproxy.h"
#include "server/room_options.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::Bytes bytes(data, size);
  const auto keys = server::read_registry_export(bytes, "f.reg");
  if (!keys.ok()) return 0;
  ASSERT(server::is_registry_export(bytes));
  const auto read = server::settings_from_symproxy(*keys, "f.reg");
  if (!read.ok()) return 0;
  const auto options = server::options_by_toml(*read);
  if (!options) return 0;
  const auto directories = server::virtual_directories(*options);
  if (directories.ok()) directories->find("/symbols/a.pdb/1/a.pdb");
  return 0;
}
