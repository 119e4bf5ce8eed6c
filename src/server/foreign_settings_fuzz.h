// What fuzz targets of foreign configurations have in common.
#pragma once

#include "base/assert.h"
#include "server/foreign_settings.h"
#include "server/toml_from_settings.h"

namespace server {

// Written as TOML and read again, settings make the same options. Nothing when they make none.
inline std::optional<Options> options_by_toml(const ForeignSettings& read) {
  auto options = options_from(read.settings);
  if (!options.ok()) return std::nullopt;  // too many servers, or a name with a line end
  const auto again = settings_from_toml(toml_from_settings(read.settings), "f.toml");
  ASSERT(again.ok());
  const auto options_again = options_from(*again);
  ASSERT(options_again.ok() && *options_again == *options);
  return *std::move(options);
}

}  // namespace server
