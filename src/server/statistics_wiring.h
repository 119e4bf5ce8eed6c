// The symbol server's statistics: what feeds them, and the routes and pages that show them.
// What is passed by reference must outlive the server.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/home.h"
#include "api/rights.h"
#include "db/database.h"
#include "server/options.h"
#include "server/upstream_wiring.h"
#include "statistics/statistics.h"
#include "store/catalog.h"
#include "store/data_directory.h"
#include "supply/supply.h"
#include "ui/symbols_page.h"

namespace server {

// How the pages of the symbol server look.
struct SymbolSite {
  ui::Site site;
  std::vector<std::string> trees;  // of copies, which are part of what it stores
  bool has_statistics = true;
  bool is_home = false;  // "/" shows the statistics
};

SymbolSite symbol_site(const Options& options);

// What everybody may call the upstream servers: the names that the operator gave them, each once.
std::vector<std::string> upstream_names(const UpstreamWork& upstreams);

// Null when the site has none. Reads what was kept; begins to listen to upstream servers and to the
// catalogue.
base::Result<std::unique_ptr<statistics::Statistics>> open_statistics(
    const SymbolSite& site, db::Database& database, store::Catalog& catalog,
    const store::DataDirectory& data, UpstreamWork& upstreams);

struct SymbolRooms {
  statistics::Statistics* statistics = nullptr;  // null: they are switched off
  supply::Supply& supply;
  UpstreamWork& upstreams;
  const api::Gate& gate;
  const Options& options;
};

// /status/symbols, /missingsymbols/ and what belongs to them.
void add_symbol_pages(net::Router& router, const SymbolRooms& rooms, const SymbolSite& site);

// "/" of a site whose statistics are its home, unless `home` answers.
api::Home symbols_as_home(api::Home home, const SymbolRooms& rooms, const SymbolSite& site);

}  // namespace server
