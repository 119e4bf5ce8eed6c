// pySymProxy's configuration, a JSON file, as settings of ours: identity, general, servers,
// logging. Whoever ran it keeps the file as it is. What pySymProxy did not know is a warning, never
// an error. Plain values; pure functions. Fails with malformed: a required key is missing, or a
// value is of another kind; the error names file and key. Format: docs/pysymproxy.md
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "server/foreign_settings.h"

namespace server {

// Whether a JSON document is meant to be one.
bool is_pysymproxy(const base::JsonValue& config);

// Relative paths in it begin at `directory`, which is absolute.
base::Result<ForeignSettings> settings_from_pysymproxy(const base::JsonValue& config,
                                                       const std::string& file_name,
                                                       const std::string& directory);

// The whole document without what lets somebody in: passwords in URLs, credentials of log handlers.
std::string redacted_json(const base::JsonValue& config);

}  // namespace server
