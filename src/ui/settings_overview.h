// /settings: the few figures that tell an operator whether all is well, with links to the pages
// that say more.
// Plain functions from values to text.
// Format: docs/operation.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace ui {

struct SettingsOverview {
  std::uint64_t projects = 0;  // besides the default one
  std::uint64_t tokens_good = 0, tokens_expired = 0, tokens_revoked = 0;
  bool is_open_to_local = false;  // uploads from this machine need no token
  std::uint64_t files = 0, bytes = 0, keys = 0;
  std::int64_t last_upload = 0;  // its id; 0: there was none
  std::uint64_t upstreams = 0, upstreams_left_alone = 0;
  std::uint64_t misses_remembered = 0;
  std::optional<std::uint64_t> missing;  // files that nobody had; nothing: they are not counted
  std::uint64_t disk_free = 0;
  std::string disk_state;  // in words
};

std::string settings_overview_page(const SettingsOverview& shown);

}  // namespace ui
