// The INI of old Snappy, Mozilla's first symbolication server, as Python's ConfigParser reads it,
// as settings of ours: NAME = VALUE or NAME: VALUE below [SECTION], names without case, `#` and `;`
// before comments, lines that begin with a blank go on with the value, %(NAME)s is another option
// of the section or a variable of the environment.
// As there, sections General and Log must be, and an option that nobody knows is an error.
// Pure functions, but that local directories are looked for. Fails with malformed (file and line).
// Format: docs/mozilla-symbolication-server.md
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "server/foreign_settings.h"

namespace server {

bool is_snappy(std::string_view text);

base::Result<ForeignSettings> settings_from_snappy(
    std::string_view text, const std::string& file_name, const std::string& directory,
    const std::map<std::string, std::string>& environment);

}  // namespace server
