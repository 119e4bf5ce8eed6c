// /status/symbols: what is asked of the symbol server and what comes of it; how its upstream
// servers do; which `deny` patterns would spare them. Readable without script: the table is sorted,
// filtered and turned by links. With script, <fl-live> keeps it up to date.
// Plain functions from values to text.
// Format: docs/protocols/statistics.md
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "statistics/statistics.h"
#include "statistics/suggestions.h"
#include "statistics/symbol_view.h"

namespace ui {

// What an operator says about the server.
struct Site {
  std::string name = "Symbols";
  std::string administrator;  // whom to ask; "": not told
  std::string symbol_path;    // for clients; "": made of the address that was asked
  std::string cache_place;    // where files are kept; "": not told
  std::string config_url;     // where the configuration can be had; "": nowhere
  std::vector<std::pair<std::string, std::string>> logs;  // name and URL
  std::vector<std::string> deny;                          // of every upstream server
};

struct UpstreamCard {
  std::string name;
  std::uint64_t requests = 0, hits = 0, misses = 0, failures = 0;
  std::uint64_t remembered = 0, waiting = 0, busy = 0;
  std::chrono::seconds rests{0};  // left alone for so long
  // What only some readers are told; "" as location: not this one.
  std::string location, layout;
  std::uint64_t retry_seconds = 0, requests_max = 0;
  std::vector<std::string> allow, deny;
};

struct SymbolsPage {
  Site site;
  bool is_on = true;  // statistics are kept
  statistics::Statistics::Totals totals;
  std::vector<std::string> servers;
  statistics::SymbolView view;
  statistics::SelectedRows rows;
  bool shows_servers = false;  // the columns with their hits and misses
  bool was_cleared = false;    // remembered misses, just now
  std::vector<statistics::Suggestion> suggestions;
  std::vector<UpstreamCard> upstreams;
};

std::string symbols_page(const SymbolsPage& shown, const std::string& server_url);

}  // namespace ui
