#include "server/wire.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "api/admin.h"
#include "api/answer_log.h"
#include "api/asm.h"
#include "api/health.h"
#include "api/home.h"
#include "api/long_work.h"
#include "api/metadata.h"
#include "api/parts.h"
#include "api/rate_limits.h"
#include "api/read_access.h"
#include "api/reports.h"
#include "api/sources.h"
#include "api/store.h"
#include "api/store_admin_files.h"
#include "api/submit.h"
#include "api/symbolicate.h"
#include "api/symbolicator.h"
#include "api/symbols.h"
#include "api/syminfo.h"
#include "api/tools.h"
#include "api/upkeep.h"
#include "api/upload.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/lost_pages.h"
#include "base/random.h"
#include "base/text.h"
#include "cli/migrations.h"
#include "ingest/ingest.h"
#include "ingest/scan.h"
#include "net/server.h"
#include "reports/archive.h"
#include "reports/intake.h"
#include "reports/queue.h"
#include "reports/tables.h"
#include "reports/workers.h"
#include "server/cache_budget.h"
#include "server/descriptors.h"
#include "server/directory_copies.h"
#include "server/housekeeper.h"
#include "server/metrics_wiring.h"
#include "server/old_site.h"
#include "server/pointers.h"
#include "server/processor.h"
#include "server/reload.h"
#include "server/request_sources.h"
#include "server/room_options.h"
#include "server/settings_wiring.h"
#include "server/signals.h"
#include "server/source_wiring.h"
#include "server/statistics_wiring.h"
#include "server/symbol_cache_wiring.h"
#include "server/tree_size.h"
#include "server/upkeep_wiring.h"
#include "server/upstream_wiring.h"
#include "server/version.h"
#include "sources/sources.h"
#include "store/asked_files.h"
#include "store/blobs.h"
#include "store/catalog.h"
#include "store/containers.h"
#include "store/data_directory.h"
#include "store/transactions.h"
#include "supply/supply.h"
#include "supply/symbol_maps.h"
#include "ui/routes.h"

namespace server {

using base::Result;

namespace {

// A file that is larger than its bound, after the last who waited for it or read it.
constexpr std::chrono::seconds kPassesFor{10};

std::string holder_text(const std::string& address) {
  return address + " (process " + std::to_string(::getpid()) + ")";
}

// Extracted files are copies: what no container has any more goes.
Result<std::unique_ptr<ingest::ExtractedFiles>> open_extracted(const Options& options,
                                                               const store::DataDirectory& data,
                                                               store::Containers& containers) {
  std::vector<base::Sha256> kept;
  TRY(containers.list_hashes([&](const base::Sha256& hash) { kept.push_back(hash); }));
  std::sort(kept.begin(), kept.end());
  ingest::ExtractedFiles::Budget budget;
  budget.size_max = options.cache_size != 0 ? options.cache_size : options.scan_extracted;
  if (budget.size_max == 0) {
    // With what lies there counted as free: else each start would have another one.
    const std::uint64_t there = measure_tree(data.extracted(), INT64_MAX).bytes;
    budget.size_max = (store::free_bytes(data.path()) + there) / 4;
  }
  budget.disk_free_min = scan_disk_free(options, data);
  return ingest::ExtractedFiles::open(
      data.extracted(), data.tmp_of_kept(), budget,
      [&](const base::Sha256& hash) { return std::binary_search(kept.begin(), kept.end(), hash); });
}

// Those that clients know by another name are there from the start, with two tiers where the
// default project has them.
Result<void> make_projects(const std::vector<std::string>& names, bool two_tier,
                           store::Access& access) {
  for (const std::string& name : names) {
    const auto known = access.find_project(name);
    if (known && (known->two_tier || !two_tier)) continue;
    store::Project project = known.value_or(store::Project());
    project.name = name;
    project.two_tier = two_tier;
    TRY(access.keep_project(project, {"virtual_directories", ""}));
  }
  return {};
}

// For the command line: who can read it may administer.
Result<std::string> make_admin_key(const store::DataDirectory& data) {
  std::array<std::uint8_t, 16> bytes{};
  base::fill_random(bytes);
  const std::string key = base::hex_of(bytes);
  base::PendingFile file = TRY(base::PendingFile::create(data.tmp()));
  ::fchmod(file.fd(), 0600);
  TRY(file.append(base::bytes_of(key + "\n")));
  TRY(file.commit(data.admin_key()));
  return key;
}

// Whom supply asks for what nobody here has: the operator's servers, or a request's source; for
// what was purged nobody.
void ask_others(UpstreamWork& upstreams, RequestSources& sources, const PurgedAnswers& purged,
                supply::Supply::Options& supplying) {
  supplying.may_ask_is_quick = upstreams.empty();
  supplying.may_ask = [&](const ident::SymbolRequest& request) {
    return RequestSources::is_about(request) ? sources.may_ask(request)
                                             : upstreams.may_ask(request);
  };
  supplying.ask = [&](const ident::SymbolRequest& request, const auto& hearer) {
    if (purged.has(request)) {
      const ident::SymbolKey& key = request.keys.front();
      base::log::info("{} {} was purged here: nobody else is asked for it", key.name, key.id);
      const auto remember = base::policy_of(base::Fault::denied).remember;
      return hearer.done(
          {false, supply::nobody_has(request), supply::Supply::Clock::now() + remember});
    }
    if (RequestSources::is_about(request)) return sources.ask(request, hearer);
    upstreams.ask(request, hearer);
  };
  supplying.joined = [&](const ident::SymbolRequest& request) {
    if (!RequestSources::is_about(request)) upstreams.joined(request);
  };
}

// What is made of other servers' files shares their bound, and stays as long as it is used.
void bound_derived(CacheBudget& budget, supply::Supply::Options& supplying,
                   supply::SymbolMaps::Options& mapping) {
  supplying.derived.reserve = [&budget](const std::string& path, std::uint64_t size) {
    budget.reserve(path, size);
  };
  supplying.derived.trim = [&budget] { budget.trim(); };
  supplying.derived.removed = [&budget](const std::string& path) {
    budget.derived().removed(path);
  };
  mapping.used = [&budget](const std::string& path) { budget.derived().used(path); };
}

// Indexes that are removed are not kept mapped, as long as there are maps.
class RemovalsHeard {
 public:
  RemovalsHeard(CacheBudget* budget, supply::SymbolMaps& maps) : budget_(budget) {
    if (budget_ == nullptr) return;
    budget_->derived().on_removed([&maps](const std::string& path) { maps.removed(path); });
  }
  RemovalsHeard(const RemovalsHeard&) = delete;
  RemovalsHeard& operator=(const RemovalsHeard&) = delete;
  ~RemovalsHeard() {
    if (budget_ != nullptr) budget_->derived().on_removed(nullptr);
  }

 private:
  CacheBudget* const budget_;
};

// Our lines of the status page.
std::vector<ui::StatusFigure> status_figures(store::Catalog& catalog, const supply::Supply& supply,
                                             const store::DiskWatch& disk, const api::Gate& gate) {
  std::vector<ui::StatusFigure> figures;
  figures.push_back({"Version", kVersion});
  if (const auto stored = catalog.count(); stored.ok()) {
    figures.push_back(
        {"Symbol files", fmt::format("{} ({})", stored->files, base::human_size(stored->bytes))});
  }
  const supply::DerivedFiles::Counts made = supply.counts().derived;
  figures.push_back({"Conversions", fmt::format("{} done, {} failed, {} under way", made.made,
                                                made.failed, made.under_way)});
  figures.push_back({"Free disk space", base::human_size(disk.free_bytes())});
  figures.push_back({"Disk", std::string(store::name_of(disk.level()))});
  figures.push_back({"Uploads without a token", gate.is_open_to_local()
                                                    ? "allowed from this machine, until the first "
                                                      "upload token is made"
                                                    : "refused"});
  return figures;
}

}  // namespace

Result<void> serve(const Options& options, const Reread& reread) {
  const api::AnswerLog::Wants log_wants = TRY(answers_to_log(options));
  api::Symbolication::Options symbolicating = TRY(symbolication_options(options));
  RequestSources::Options asking = TRY(request_sources_options(options));
  const sigset_t stopping = take_signals();
  base::read_lost_pages_as_zeros();
  raise_descriptor_limit(options.limit_connections);

  // The place first: from here on no other server touches it, and tmp/ is empty.
  store::DataDirectory data = TRY(
      store::DataDirectory::open(options.data, holder_text(options.listen), options.cache_path));
  const std::unique_ptr<db::Database> database =
      TRY(db::Database::open(options.database.empty() ? data.database_url() : options.database));
  TRY(database->migrate(cli::all_migrations()));

  store::Blobs blobs = TRY(store::Blobs::open(data.blobs(), data.tmp()));
  store::Catalog catalog(*database);
  catalog.limit_default_project(options.limit_default_project);
  store::Transactions transactions(*database, catalog);
  store::Containers containers(*database, catalog);
  reports::Archive archive(*database, blobs);
  sources::Uploaded uploaded_sources(*database, blobs);
  TRY(sweep_orphans(blobs, catalog, archive, uploaded_sources, containers));

  store::Access access(*database);
  TRY(access.reload());
  store::Uploads uploads(*database);
  store::DiskWatch disk(data.path(), disk_marks(options));
  const std::string admin_key = TRY(make_admin_key(data));
  const VirtualDirectories directories = TRY(virtual_directories(options));
  TRY(make_projects(directories.projects(), options.store_two_tier != 0, access));
  const api::Gate gate(access, {options.upload_token, admin_key, directories.projects()});
  const auto sessions =
      TRY(ingest::UploadSessions::open(base::join_path(data.uploads(), "sessions")));
  const auto chunks = TRY(ingest::ChunkStore::open(base::join_path(data.uploads(), "chunks")));
  // Watched directories: what is extracted from them is found where blobs are.
  const std::unique_ptr<ingest::ExtractedFiles> extracted =
      TRY(open_extracted(options, data, containers));
  blobs.also_look_in(data.extracted());
  std::unique_ptr<CacheBudget> budget;  // null: of copies alone
  if (options.cache_size != 0) {
    budget = TRY(CacheBudget::open(options.cache_size, *extracted, data.index()));
  }
  store::Tombstones tombstones(*database);
  TRY(bar_purged(tombstones, blobs, *extracted));
  ingest::ScanOptions scanning = scan_options(options, data);
  scanning.may_extract = [&disk] { return disk.may_extract(); };
  ingest::FetchedFiles fetched(blobs, containers, *extracted, {});
  const PurgedAnswers purged(tombstones);
  const auto is_purged = [&purged](const upstream::Place& place) { return purged.has(place); };
  Follower anywhere = TRY(pointer_follower(options));
  const Follower follow = without_purged(std::move(anywhere), purged);
  const std::unique_ptr<UpstreamWork> upstreams = TRY(
      UpstreamWork::open(options, data.tmp_of_kept(), fetched, disk, *database, follow, is_purged));
  fetched.on_refused(
      [&tombstones, &upstreams](const store::NewFile& file, const std::string& from) {
        const auto learned = tombstones.learn(file.file, file.keys);
        if (!learned.ok()) base::log::error("a purged file comes again: {}", learned.error().what);
        upstreams->remove_from_trees_at(from, file.file.sha256);
      });
  scanning.run_aside = [&upstreams](const std::function<void()>& job) {
    upstreams->run_aside(job);
  };
  ingest::Scan scan(blobs, containers, *extracted, std::move(scanning), "/proc/self/exe");

  // Symbols: in through ingest, out through supply, which hears of every commit.
  std::atomic<bool> unpacking_ends = false;  // after the drain time nobody waits for an answer
  ingest::Ingest ingest(
      blobs, catalog, zip_limits(options),
      {ingest::unpack_in_child("/proc/self/exe", upload_unpacking(), unpacking_ends),
       options.disk_stop_extracting, &containers});
  const SymbolSite site = symbol_site(options);
  const auto statistics = TRY(open_statistics(site, *database, catalog, data, *upstreams));
  const auto network = std::make_shared<net::ServerFigures>();
  supply::Supply::Options supplying = supply_options(options, data);
  supplying.cache.open_room = [limit = descriptor_limit(), network] {
    return open_files_max(limit, network->connections);
  };
  supplying.bring = [&scan, &upstreams](std::vector<base::Sha256> contents,
                                        supply::Supply::Options::Arrives arrives,
                                        const std::function<void(Result<void>)>& done) {
    const auto fetch_again = [&upstreams, arrives = std::move(arrives)](
                                 const std::string& from, const base::Sha256& content) {
      return upstreams->fetch_again(from, content, arrives);
    };
    scan.bring(std::move(contents), fetch_again, done);
  };
  supplying.follow = follow;
  supplying.containers = &containers;
  supplying.derived.refuse = [&tombstones](const base::Sha256& content) {
    return tombstones.refuse(content);
  };
  supply::SymbolMaps::Options mapping;
  mapping.memory_max = options.symbolication_memory;
  if (budget) bound_derived(*budget, supplying, mapping);
  asking.tmp = data.tmp_of_kept();
  asking.bars = is_purged;
  RequestSources request_sources(fetched, disk, std::move(asking));
  ask_others(*upstreams, request_sources, purged, supplying);
  supply::Supply supply(blobs, catalog, std::move(supplying));
  extracted->pass_while(
      [&supply](const base::Sha256& content) { return supply.is_in_use(content); });
  supply::SymbolMaps maps(supply, std::move(mapping));
  const RemovalsHeard removals_heard(budget.get(), maps);
  DirectoryCopies copies(options, containers, *extracted);
  if (!copies.empty()) {
    upstreams->on_kept([&copies](const std::string& from, const store::FileStamp& stamp) {
      copies.note(from, stamp);
    });
  }
  const UpstreamStop stop_upstreams{*upstreams};
  const RequestSourcesStop stop_request_sources{request_sources};
  TRY(copies.start());
  if (database->engine() == db::Engine::sqlite) TRY(supply.learn_ids());

  sources::Bundles source_bundles(catalog, blobs);
  sources::Sources::Options sourcing = sources_options(options, data);
  sourcing.providers.push_back(sources_in_packages(containers, scan));
  sourcing.providers.push_back(sources_of_debian(containers, scan));
  if (!upstreams->empty()) {
    sourcing.others = sources_upstream(*upstreams, options.sources_file_size);
  }
  sourcing.web.may_cache = [&disk] { return disk.may_cache(); };
  const std::unique_ptr<sources::Sources> source_files = TRY(
      sources::Sources::open(supply, maps, uploaded_sources, source_bundles, std::move(sourcing)));
  const api::AsmWork disassembling(supply, maps);

  // Reports: taken in, queued, processed by children; symbols that come late wake them again.
  reports::Queue queue(*database);
  TRY(queue.release_all());
  reports::Workers workers(queue, archive, blobs, make_processor(supply),
                           {static_cast<unsigned>(options.processing_threads), 2000});
  reports::Intake intake(*database, blobs, [&workers] { workers.wake(); });
  catalog.add_listener([&](const std::vector<store::NewFile>& files) {
    const auto woken = queue.symbols_arrived(store::debug_ids_of(files));
    if (!woken.ok()) base::log::error("reports not asked again: {}", woken.error().what);
    if (woken.ok() && *woken > 0) workers.wake();
  });

  api::LongWork long_work({static_cast<unsigned>(options.unpacking_threads),
                           options.unpacking_waiting});  // ends before the rooms that it works in
  const api::UploadRooms rooms{gate,    ingest,  *sessions, *chunks, access,   blobs,
                               catalog, uploads, disk,      supply,  long_work};
  const auto others = [&](const std::function<void(const base::Sha256&)>& sink) -> Result<void> {
    TRY(archive.list_hashes(sink));
    TRY(uploaded_sources.list_hashes(sink));
    return containers.list_hashes(sink);
  };
  api::PartialUploads partial(base::join_path(data.path(), "partial"), data.tmp());
  upkeep::RetentionRules retention = TRY(rules_of(options));
  UpkeepWork looking_after({*database, blobs, catalog, access, tombstones, containers, archive,
                            uploaded_sources, *extracted, *upstreams, data.path()},
                           std::move(retention));
  store::AskedFiles asked(*database);
  const Housekeeper housekeeper(
      {disk, access, catalog, containers, blobs, *sessions, *chunks, partial, others,
       database->engine() != db::Engine::sqlite, [&tombstones] { return tombstones.reload(); },
       [&looking_after, &upstreams] {
         looking_after.apply_rules();
         upstreams->age_trees();
       },
       [&asked, &supply] { return asked.save(supply.take_asked(), base::now()); },
       [&extracted, &supply] {
         if (extracted->drop_passing(kPassesFor)) supply.close_removed();
       }});

  // The routes; the catch-all for symbol files comes last.
  net::Router router;
  api::RateLimits rates(rates_of(options), [&gate](const net::Request& request) {
    return api::project_used(request, gate);
  });
  // Of the routes that are added next: files, uploads, and questions, which cost more.
  const auto limit_rates = [&](bool is_limited) {
    // What a browser asks before a question costs nothing, and refused would cost it the question.
    const auto too_many = [&rates](const net::Request& request) {
      return request.method == net::Method::options ? std::nullopt : rates.refuse(request);
    };
    router.guard(is_limited ? net::Router::Admit(too_many) : nullptr);
  };
  api::UploadOptions uploading = upload_options(options);
  api::HttpFigures http;
  const auto allows = [&gate](const net::Request& request) {
    return api::refuse_reader(request, gate);
  };
  api::MetadataOptions metadata = metadata_options(options);
  metadata.allows = allows;
  limit_rates(true);
  api::add_metadata_route(router, *database, metadata);
  api::add_syminfo_route(router, supply, allows);
  symbolicating.allows = allows;
  symbolicating.cache = symbol_cache(
      {catalog, containers, *extracted, supply, data.index(), [&budget](const std::string& path) {
         if (budget) budget->derived().removed(path);
       }});
  const api::FrameCache* const frames = symbolicating.frames.get();
  api::Symbolication symbolication(supply, maps, std::move(symbolicating));
  symbolication.add_routes(router);
  api::Symbolicator::Options tracing = symbolicator_options(options, data);
  tracing.allows = allows;
  tracing.admit_source = [&request_sources](const auto& source, const ident::Scope& scope,
                                            std::string_view isolation) {
    return request_sources.admit(source, scope, isolation);
  };
  api::SourcesOptions reading = source_routes(options, gate, access);
  if (options.symbolication_source_context != 0) {
    const auto showing = std::make_shared<const api::SourcesOptions>(reading);
    tracing.source_reading = [&source_files, showing](const net::Request& request) {
      return api::source_reading(request, *source_files, showing);
    };
  }
  api::Symbolicator symbolicator(supply, maps, std::move(tracing));
  symbolicator.add_routes(router);
  limit_rates(false);
  api::add_health_routes(router, catalog, supply, disk, kVersion, network,
                         more_metrics({http, *upstreams, upstream_names(*upstreams), scan, disk,
                                       statistics.get(), frames, &maps}));
  api::add_submit_routes(router, intake, submit_options(options));
  api::add_report_routes(router, archive, queue, [&workers] { workers.wake(); });
  api::add_tool_routes(router);
  add_old_site(router, options, gate);
  reading.refuse_upload = api::upload_gate(rooms, uploading);
  reading.own_name = upstreams->own_name();
  limit_rates(true);
  api::add_source_routes(router, *source_files, reading);
  api::add_asm_routes(router, disassembling, reading);
  limit_rates(false);
  api::add_store_api_routes(router, {blobs, catalog, transactions, uploads, access, gate});
  api::add_store_admin_routes(router, transactions, allows);
  api::add_admin_routes(router, gate, access);
  api::add_upkeep_routes(router, gate, looking_after.work(), tombstones);
  limit_rates(true);
  api::add_parts_routes(router, rooms, partial, uploading);
  api::add_upload_routes(router, rooms, uploading);
  limit_rates(false);
  const SymbolRooms symbols{statistics.get(), supply, *upstreams, gate, options};
  const api::Home home = TRY(api::make_home(home_options(options)));
  ui::add_routes(router,
                 {archive, queue, [&] { return status_figures(catalog, supply, disk, gate); },
                  symbols_as_home(home, symbols, site)});
  add_symbol_pages(router, symbols, site);
  add_settings_pages(router, {gate, access, *database, catalog, containers, uploads, supply,
                              *upstreams, disk, *extracted, statistics.get(), options, data});
  add_upload_form(router, rooms, uploading);
  api::StoreOptions served;
  served.allows = allows;
  served.statistics = statistics.get();
  served.own_name = upstreams->own_name();
  served.forget = [&upstreams](const ident::SymbolRequest& wanted) {
    upstreams->forget_misses(wanted);
  };
  served.layout = [&](const std::string& project) { return layout_of(options, access, project); };
  limit_rates(true);
  api::add_store_routes(router, supply, std::move(served));
  symbolication.add_last_routes(router);

  base::WorkerPool pool(static_cast<unsigned>(options.workers));
  workers.start();
  net::ServerOptions serving = TRY(net_options(options, data));
  serving.figures = network;
  serving.on_crowd = [&pool, &supply] { pool.post([&supply] { supply.close_surplus(); }); };
  if (!directories.empty()) {
    serving.rewrite = [&directories](net::Request& request) {
      if (auto path = directories.find(request.path)) request.path = *std::move(path);
    };
  }
  api::AnswerLog answer_log(log_wants);
  serving.on_end = [&](const net::Request& request, const net::Ending& ending) {
    http.note(request, ending);
    if (log_wants != api::AnswerLog::Wants::none) answer_log.write(request, ending);
  };
  auto listening = net::Server::start(serving, std::move(router), pool);
  if (!listening.ok()) {
    return base::with_context("cannot listen (--listen HOST:PORT chooses another address)",
                              std::move(listening).error());
  }
  const std::unique_ptr<net::Server> server = std::move(listening).value();
  TRY(data.set_holder(holder_text(server->address())));
  base::log::info("faultline {} serves {} on http://{}", kVersion, data.path(), server->address());

  if (gate.is_open_to_local()) {
    base::log::info(
        "uploads need no token from this machine; `faultline admin token create` ends that");
  }
  if (!server->tls_address().empty()) {
    base::log::info("and on https://{}", server->tls_address());
  }

  TRY(scan.start());
  Reload reload(options, reread, {*server, *upstreams, rates, supply});
  const int signal = wait_for_stop(stopping, {scan, upstreams->exclusions(), reload});
  base::log::info("stopping: signal {}", signal);
  // A second signal ends us at once: nothing acknowledged can be lost.
  ::pthread_sigmask(SIG_UNBLOCK, &stopping, nullptr);
  server->stop();
  unpacking_ends = true;
  workers.stop();
  upstreams->stop();
  request_sources.stop();
  scan.stop();
  return {};
}

}  // namespace server
