// /settings/upstreams: the upstream servers in the order in which they are asked, how each does,
// and the misses that are remembered of it, with buttons that forget them.
// Plain functions from values to text.
// Format: docs/operation.md
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace ui {

struct UpstreamRow {
  std::uint64_t number = 0;  // its place in the order, from 1
  std::string name, kind;    // kind: "HTTP", "S3", "directory"
  std::string layout;
  std::string address;  // without what lets us in there
  std::vector<std::string> projects;
  std::vector<std::string> kinds;        // of files; empty: all
  std::vector<std::string> allow, deny;  // expressions for files' names; empty: all, none
  enum class State : std::uint8_t { asked, left_alone, on_trial };
  State state = State::asked;
  std::chrono::seconds rests{0};
  std::uint64_t requests = 0, hits = 0, misses = 0, failures = 0;
  std::uint64_t busy = 0, waiting = 0, requests_max = 0;
  std::uint64_t remembered = 0, remembered_max = 0, retry_seconds = 0;
  std::uint64_t file_size_max = 0;
  std::vector<std::string> copies;  // trees that get what it gives
  std::string last_failure;         // in words; "": it never failed since the start
  base::Time failed_at;
};

struct UpstreamsPage {
  std::vector<UpstreamRow> rows;
  bool may_cache = true;  // the disk has room
  // What upstream servers and packages gave, kept to be given again.
  std::uint64_t cache_size = 0, cache_size_max = 0, cache_days = 0;
  std::string note;  // what came of a button
};

std::string upstreams_page(const UpstreamsPage& shown);

// A URL without user, password, query and fragment, where secrets stand.
std::string address_without_secrets(std::string_view address);

}  // namespace ui
