// SymProxy's settings, as exported from the registry, as settings of ours: its virtual directories
// and their symbol paths, and the options beside them. Options whose name begins with an x are
// switched off there, and read over here.
// What has no meaning here is a warning, never an error. Pure functions. Fails with malformed: no
// virtual directory; the error names the file.
// Source: "Configuring the Registry", "Dealing with Unavailable Symbol Stores", Microsoft.
// Format: docs/pysymproxy.md
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "server/foreign_settings.h"
#include "server/registry_export.h"

namespace server {

base::Result<ForeignSettings> settings_from_symproxy(const std::vector<RegistryKey>& keys,
                                                     const std::string& file_name);

}  // namespace server
