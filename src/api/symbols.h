// Symbol files by every path that debuggers and crash tools know (ident/paths.h lists the shapes):
// symsrv, SSQP, Breakpad, debuginfod, the unified and native trees, /artifacts/; and pingme.txt,
// index2.txt. One catch-all for GET, so it is added after everybody else's routes.
// Handlers run on the loop and are answered from memory or by supply.
// Format: docs/protocols/symsrv.md, breakpad.md, debuginfod.md, artifacts.md
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "net/http.h"
#include "supply/supply.h"

namespace statistics {
class Statistics;
}

namespace api {

// How a store looks to its clients.
struct Layout {
  bool two_tier = false;  // index2.txt exists
  bool cabinets = true;   // plain files are packed for those who ask for foo.pd_
};

struct StoreOptions {
  // Of a project by its name, in lower case; "" is the default one. Memory only.
  std::function<Layout(const std::string& project)> layout = [](const std::string&) {
    return Layout{};
  };
  // Who may read what lies under /p/PROJECT/; nothing means go on. Without it nobody may.
  std::function<std::optional<net::Answer>(const net::Request&)> allows;
  statistics::Statistics* statistics = nullptr;  // counts what is answered; null: nobody does
  // Told of what is to be looked for anew (?_refresh): forgets what other servers said. Memory
  // only.
  std::function<void(const ident::SymbolRequest&)> forget;
  // Ours among servers that ask one another: what comes round is not asked again
  // (net/round_trips.h). "": we ask nobody.
  std::string own_name;
};

// `supply` and the statistics must outlive the server.
void add_store_routes(net::Router& router, supply::Supply& supply, StoreOptions options = {});

// First path segments that are ours: files so named live under /symbols/.
bool is_reserved(std::string_view first_segment);

}  // namespace api
