#include "server/statistics_wiring.h"

#include <algorithm>

#include "api/actions.h"
#include "api/missing.h"
#include "api/statistics.h"
#include "base/text.h"
#include "server/disk_usage.h"
#include "server/old_site.h"
#include "statistics/missing_query.h"
#include "supply/choose.h"
#include "ui/layout.h"
#include "ui/missing_page.h"

namespace server {

using base::Result;
using ident::SymbolRequest;
using net::Answer;
using net::Request;

namespace {

constexpr std::chrono::seconds kFetchTime{20};
constexpr std::chrono::seconds kAskUsage{1};  // it is known (disk_usage.h)

// By the catalogue alone: nobody is asked, nothing is made.
Result<bool> is_here(store::Catalog& catalog, const SymbolRequest& request) {
  const auto found = TRY(catalog.find(request.keys, request.scope));
  const std::string module =
      supply::wants_derived(request.artifact) ? supply::module_of(found) : "";
  const auto module_files = TRY(catalog.find(
      {ident::SymbolKey::from_text(ident::KeyKind::debug_id, "", module)}, request.scope));
  const supply::Choice choice = supply::choose(request, found, module_files.at(0));
  return !std::holds_alternative<base::Error>(choice);
}

// Whether a server refuses, by their names, the file of a module and its text. For which kinds it
// is asked is no matter: what it is not asked for by these is missing, not excluded.
bool refuses(const upstream::Server& server, std::string_view module) {
  using upstream::Layout;
  const Layout layout = server.options().layout;
  const bool has_files = layout != Layout::breakpad;
  const bool has_texts = !has_files || layout == Layout::native;  // by a name of their own
  return !(has_files && server.allows(module)) &&
         !(has_texts && server.allows(ident::sym_file_name(module)));
}

// Whether all servers that are asked for the default project refuse it; files of other projects are
// counted without their names.
bool is_excluded(const UpstreamWork& upstreams, std::string_view name) {
  if (!ident::is_allowed_name(name)) return false;
  bool is_refused = false;
  for (const auto& server : upstreams.servers()) {
    const std::vector<std::string>& projects = server->options().projects;
    if (std::find(projects.begin(), projects.end(), "") == projects.end()) continue;
    if (!refuses(*server, name)) return false;
    is_refused = true;
  }
  return is_refused;
}

// Symbol store trees that are looked into and written to, those of an old configuration above all.
std::vector<std::string> trees_of(const Options& options) {
  std::vector<std::string> trees;
  if (options.upstreams_cache.starts_with('/')) trees.push_back(options.upstreams_cache);
  for (const UpstreamOptions& server : options.upstreams) {
    trees.insert(trees.end(), server.copies.begin(), server.copies.end());
  }
  return trees;
}

std::string host_of(const Request& request) {
  const std::string host(request.header("Host"));
  const bool plain = !host.empty() && host.size() < 256 &&
                     host.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789.-:[]") == std::string::npos;
  return plain ? host : "SERVER";
}

std::string url_of(const Request& request, const Options& options) {
  if (!options.public_url.empty()) return options.public_url;
  return (request.secure ? "https://" : "http://") + host_of(request);
}

// `tells_all`: where they are, too, and what they are not asked for.
std::vector<ui::UpstreamCard> cards_of(const UpstreamWork& upstreams, bool tells_all) {
  std::vector<ui::UpstreamCard> cards;
  const std::vector<std::string> names = upstream_names(upstreams);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const upstream::Server& server = *upstreams.servers()[i];
    const upstream::Server::Counts counts = server.counts();
    ui::UpstreamCard card;
    const bool has_name = !server.name().starts_with(server.options().transport.location);
    card.name = has_name ? server.name() : names[i];
    card.requests = counts.requests;
    card.hits = counts.hits;
    card.misses = counts.misses;
    card.failures = counts.failures;
    card.remembered = counts.remembered;
    card.waiting = counts.waiting;
    card.busy = counts.busy;
    card.rests = counts.rests;
    if (tells_all) {
      const upstream::ServerOptions& options = server.options();
      card.location = options.transport.location;
      card.layout = upstream::name_of(server.layout());
      card.retry_seconds = static_cast<std::uint64_t>(options.retry_after.count());
      card.requests_max = options.requests_max;
      const std::shared_ptr<const upstream::FileFilter> filter = server.filter();
      card.allow = filter->allowed();
      card.deny = filter->denied();
    }
    cards.push_back(std::move(card));
  }
  return cards;
}

// Everybody is asked again, as if for the first time.
api::FetchedNow fetch_now(const SymbolRooms& rooms, const SymbolRequest& request) {
  rooms.upstreams.forget_misses(request);
  rooms.supply.refresh(request);
  const supply::Found found =
      rooms.supply.wait_for(request, supply::Supply::Clock::now() + kFetchTime);
  using State = api::FetchedNow::State;
  if (found.here()) return {State::here, ""};
  if (found.state() == supply::Found::State::missing) return {State::missing, found.miss().what};
  return {State::working, ""};
}

Answer show_missing(const Request& request, const SymbolRooms& rooms) {
  if (request.header("Accept").find("text/html") == std::string_view::npos) {
    return api::answer_missing(request, rooms.statistics);
  }
  const auto parameter = [&](std::string_view name) { return request.query_value(name); };
  const auto query = statistics::parse_missing_query(parameter);
  if (!query.ok()) return ui::error_page(400, "No such list", query.error().what);
  ui::MissingList list;
  list.query = *query;
  list.can_fetch = !rooms.upstreams.empty();
  list.asked = base::to_valid_utf8(parameter("asked").value_or(""));
  list.state = parameter("state").value_or("");
  if (rooms.statistics != nullptr) {
    auto saved = rooms.statistics->save_soon();
    if (!saved.ok()) return ui::error_page(503, "That did not work", saved.error().what);
    auto page = rooms.statistics->missing().list(*query);
    if (!page.ok()) return ui::error_page(503, "That did not work", page.error().what);
    list.page = *std::move(page);
  }
  return ui::page_answer(200, ui::missing_page(list));
}

Answer show_symbols(const Request& request, const SymbolRooms& rooms, const SymbolSite& site) {
  ui::SymbolsPage shown;
  shown.site = site.site;
  shown.site.deny = rooms.upstreams.denied();
  shown.is_on = rooms.statistics != nullptr;
  shown.view =
      statistics::SymbolView::of([&](std::string_view name) { return request.query_value(name); });
  shown.shows_servers = request.query_value("servers").value_or("") == "1";
  shown.was_cleared = request.query_value("cleared").value_or("") == "1";
  if (site.is_home) shown.site.logs = log_links(request, rooms.options, rooms.gate);
  shown.upstreams = cards_of(rooms.upstreams, !api::refuse_action(request, rooms.gate));
  shown.servers = upstream_names(rooms.upstreams);
  std::shared_ptr<const std::vector<statistics::SymbolRow>> rows;  // what is shown points into it
  if (rooms.statistics != nullptr) {
    rows = rooms.statistics->symbols();
    shown.totals = rooms.statistics->totals();
    shown.rows = statistics::select(*rows, shown.view);
    if (!rooms.upstreams.empty()) shown.suggestions = rooms.statistics->suggestions();
  }
  Answer answer = ui::page_answer(200, ui::symbols_page(shown, url_of(request, rooms.options)));
  answer.headers.set("Cache-Control", "no-store");
  return answer;
}

}  // namespace

// A server without a name is called after its place, which is not for everybody.
SymbolSite symbol_site(const Options& options) {
  const SiteOptions& own = options.site;
  SymbolSite site;
  if (!own.name.empty()) site.site.name = own.name;
  site.site.administrator = own.administrator;
  site.site.symbol_path = own.default_sympath;
  site.site.cache_place = options.upstreams_cache;
  site.trees = trees_of(options);
  site.has_statistics = own.statistics != 0;
  site.is_home = !own.old_config.empty();
  if (site.is_home) site.site.config_url = "/pysymproxy.json";
  return site;
}

std::vector<std::string> upstream_names(const UpstreamWork& upstreams) {
  std::vector<std::string> names;
  for (const auto& server : upstreams.servers()) {
    const std::string number = std::to_string(names.size() + 1);
    const bool has_name = !server->name().starts_with(server->options().transport.location);
    std::string name = has_name ? server->name() : "server " + number;
    if (!server->options().identifier.empty()) name = server->options().identifier;
    if (std::find(names.begin(), names.end(), name) != names.end()) name += " (" + number + ")";
    names.push_back(std::move(name));
  }
  return names;
}

Result<std::unique_ptr<statistics::Statistics>> open_statistics(const SymbolSite& site,
                                                                db::Database& database,
                                                                store::Catalog& catalog,
                                                                const store::DataDirectory& data,
                                                                UpstreamWork& upstreams) {
  if (!site.has_statistics) return std::unique_ptr<statistics::Statistics>();
  statistics::Options options;
  options.servers = upstream_names(upstreams);
  options.is_excluded = [&upstreams](std::string_view name) {
    return is_excluded(upstreams, name);
  };
  options.exclusion_changes = [&upstreams] { return upstreams.filter_changes(); };
  options.is_here = [&catalog](const SymbolRequest& request) { return is_here(catalog, request); };
  std::vector<std::string> places{data.blobs(), data.extracted(), data.index()};
  places.insert(places.end(), site.trees.begin(), site.trees.end());
  const auto usage = std::make_shared<const DiskUsage>(
      places, [&upstreams](const std::string& place) { return upstreams.known_size(place); });
  options.disk_usage = [usage] { return usage->bytes(); };
  options.measure_every = kAskUsage;
  auto opened = TRY(statistics::Statistics::open(database, std::move(options)));
  statistics::Statistics& statistics = *opened;
  upstreams.on_answer([&statistics](std::size_t server, const SymbolRequest& request, bool has_it) {
    if (request.scope.project.empty() && request.asked) {
      statistics.upstream_said(request.asked->name, server, has_it);
    }
  });
  catalog.add_listener([&statistics](const std::vector<store::NewFile>& files) {
    std::vector<std::string> ids;
    for (const store::NewFile& file : files) {
      for (const store::KeyRecord& record : file.keys) ids.push_back(record.key.id);
    }
    statistics.arrived(ids);
  });
  return opened;
}

void add_symbol_pages(net::Router& router, const SymbolRooms& rooms, const SymbolSite& site) {
  api::add_statistics_routes(router, rooms.statistics);
  api::MissingActions actions;
  actions.fetch = [rooms](const SymbolRequest& request) { return fetch_now(rooms, request); };
  actions.clear = [rooms] {
    rooms.upstreams.forget_misses();
    rooms.supply.forget_misses();
  };
  api::add_missing_routes(router, rooms.gate, rooms.statistics, std::move(actions));
  const auto missing = [rooms](Request& request) -> net::Reply {
    return show_missing(request, rooms);
  };
  router.add_get_on_pool("/missingsymbols/", missing);
  router.add_get_on_pool("/missingsymbols", missing);
  router.add_get_on_pool("/status/symbols", [rooms, site](Request& request) -> net::Reply {
    return show_symbols(request, rooms, site);
  });
}

api::Home symbols_as_home(api::Home home, const SymbolRooms& rooms, const SymbolSite& site) {
  if (!site.is_home) return home;
  return [home = std::move(home), rooms, site](const Request& request) -> std::optional<Answer> {
    if (auto answer = home(request)) return answer;
    return show_symbols(request, rooms, site);
  };
}

}  // namespace server
