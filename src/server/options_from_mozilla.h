// The programs of Mozilla's symbolication server as settings of ours: DiskCache, which brings and
// keeps symbols; SymServer, which asks DiskCache and shares frames with others through memcached;
// and both in one, for who runs a single server with that file.
// Relative directories begin at `directory`, as there at the working directory.
// What has no meaning here is a warning. Pure functions, but that local directories are looked for.
// Format: docs/mozilla-symbolication-server.md
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/foreign_settings.h"
#include "server/mozilla_config.h"

namespace server {

// The largest body that the first servers took.
constexpr std::string_view kOldBodyMax = "100 MiB";

ForeignSettings settings_of_disk_cache(const MozillaConfig& config, const std::string& directory);
ForeignSettings settings_of_sym_server(const MozillaConfig& config, const std::string& directory);
ForeignSettings settings_of_both(const MozillaConfig& config, const std::string& directory);

// Directories and servers in Breakpad's layout, asked in this order: also old Snappy's.
void add_symbol_places(const std::vector<std::string>& directories,
                       const std::vector<std::string>& urls, const std::string& directory,
                       ForeignSettings& into);
// Where the cache lies, and beside it what is not one: database, lock, uploads.
void add_cache_place(const std::string& cache_path, const std::string& directory,
                     ForeignSettings& into);

}  // namespace server
