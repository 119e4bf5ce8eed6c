#include "server/metrics_wiring.h"

#include <algorithm>
#include <utility>

#include "api/metric_family.h"
#include "store/data_directory.h"

namespace server {

using api::metric_label;
using api::MetricFamily;

namespace {

void write_upstreams(std::string& out, const UpstreamWork& upstreams,
                     const std::vector<std::string>& names) {
  using Counts = upstream::Server::Counts;
  const auto family = [&](std::string_view name, std::string_view type, std::string_view help,
                          const auto& number_of) {
    MetricFamily numbers(out, name, type, help);
    for (std::size_t i = 0; i < names.size(); ++i) {
      numbers.add(metric_label("upstream", names[i]),
                  number_of(upstreams.servers().at(i)->counts()));
    }
  };
  if (upstreams.empty()) return;
  family("faultline_upstream_requests_total", "counter", "Files asked for at an upstream server.",
         [](const Counts& counts) { return counts.requests; });
  family("faultline_upstream_hits_total", "counter", "Of these, that it had.",
         [](const Counts& counts) { return counts.hits; });
  family("faultline_upstream_misses_total", "counter", "That it had not.",
         [](const Counts& counts) { return counts.misses; });
  family("faultline_upstream_failures_total", "counter", "That it did not answer.",
         [](const Counts& counts) { return counts.failures; });
  family("faultline_upstream_remembered_misses", "gauge", "Places it is not asked for just now.",
         [](const Counts& counts) { return counts.remembered; });
  family("faultline_upstream_busy", "gauge", "Requests to it that are under way.",
         [](const Counts& counts) { return counts.busy; });
  family("faultline_upstream_waiting", "gauge", "Requests that wait for a turn.",
         [](const Counts& counts) { return counts.waiting; });
  family("faultline_upstream_rests_seconds", "gauge",
         "For how long it is left alone, since it did not answer.",
         [](const Counts& counts) { return counts.rests.count(); });
}

void write_symbols(std::string& out, statistics::Statistics* statistics) {
  if (statistics == nullptr) return;
  const statistics::Statistics::Totals totals = statistics->totals();
  const statistics::Counts& counts = totals.counts;
  MetricFamily requests(
      out, "faultline_symbol_requests_total", "counter",
      "Requests for symbol files since the statistics began, by what came of them.");
  requests.add(metric_label("outcome", "success"), counts.successes);
  requests.add(metric_label("outcome", "failure"), counts.failures);
  requests.add(metric_label("outcome", "excluded"), counts.excluded);
  requests.add(metric_label("outcome", "invalid"), counts.invalid);
  MetricFamily hits(out, "faultline_symbol_cache_hits_total", "counter", "Answered from memory.");
  hits.add("", counts.hits);
  MetricFamily pending(out, "faultline_symbol_requests_pending", "gauge",
                       "Waiting for their file now.");
  pending.add("", std::max<std::int64_t>(counts.waiting, 0));
  MetricFamily names(out, "faultline_symbol_names", "gauge", "File names that were asked for.");
  names.add("", totals.names);
}

void write_memcached(std::string& out, const api::FrameCache* frames) {
  if (frames == nullptr) return;
  const net::Memcached::Counts counts = frames->counts();
  const auto figure = [&](std::string_view name, std::string_view type, std::string_view help,
                          std::uint64_t number) {
    MetricFamily(out, name, type, help).add("", number);
  };
  figure("faultline_memcached_asked_total", "counter", "Frames that memcached was asked for.",
         counts.asked);
  figure("faultline_memcached_found_total", "counter", "Of these, that it had.", counts.found);
  figure("faultline_memcached_failures_total", "counter", "Times that a server did not answer.",
         counts.failures);
  figure("faultline_memcached_servers", "gauge", "Servers of memcached.", counts.servers);
  figure("faultline_memcached_resting", "gauge",
         "Of these, that are left alone since they did not answer.", counts.resting);
}

void write_open_indexes(std::string& out, const supply::SymbolMaps* maps) {
  if (maps == nullptr) return;
  const supply::SymbolMaps::Counts counts = maps->counts();
  const auto figure = [&](std::string_view name, std::string_view type, std::string_view help,
                          std::uint64_t number) {
    MetricFamily(out, name, type, help).add("", number);
  };
  figure("faultline_open_indexes", "gauge", "Symbol indexes that are kept open.", counts.open);
  figure("faultline_open_index_bytes", "gauge",
         "Memory that these take; symbolication.memory bounds it.", counts.memory);
  figure("faultline_lent_index_bytes", "gauge",
         "Memory of those that were let go of and are still in use.", counts.lent);
  figure("faultline_open_indexes_let_go_total", "counter",
         "Times that one was let go of, to make room or since its file had changed.",
         counts.let_go);
}

void write_scan(std::string& out, const ingest::Scan& scan) {
  const ingest::Scan::Counts counts = scan.counts();
  MetricFamily scanned(out, "scanned_files_total", "counter",
                       "Files of watched directories, read.");
  scanned.add(metric_label("source", "file"), counts.files);
  scanned.add(metric_label("source", "archive"), counts.packages);
  const auto both = [&](std::string_view name, std::string_view help, std::string_view files,
                        const auto& number_of) {
    MetricFamily sums(out, name, "counter", help);
    sums.add(metric_label("source", files), number_of(counts.of_files));
    sums.add(metric_label("source", "archive"), number_of(counts.of_packages));
  };
  using Sums = ingest::Scan::Sums;
  both("scanned_bytes_total", "Their size.", "file", [](const Sums& sums) { return sums.bytes; });
  both("found_executable_total", "Programs and libraries in them.", "files",
       [](const Sums& sums) { return sums.executables; });
  both("found_debuginfo_total", "Files with debug information in them.", "files",
       [](const Sums& sums) { return sums.debuginfo; });
  both("found_sourcerefs_total", "Source files in them.", "files",
       [](const Sums& sums) { return sums.sources; });
  MetricFamily kept(out, "fdcache_bytes", "gauge", "Extracted and fetched files that are kept.");
  kept.add("", counts.extracted.bytes);
  MetricFamily number(out, "fdcache_count", "gauge", "Their number.");
  number.add("", counts.extracted.files);
  MetricFamily moves(out, "fdcache_op_count", "counter",
                     "Files put there, and taken out to make room.");
  moves.add(metric_label("op", "enqueue"), counts.extracted.taken);
  moves.add(metric_label("op", "evict"), counts.extracted.evicted);
  MetricFamily traversed(out, "traversed_total", "counter", "Passes over watched directories.");
  traversed.add(metric_label("type", "pass"), counts.passes);
  MetricFamily groomed(out, "groomed_total", "counter", "Files taken out since they are gone.");
  groomed.add(metric_label("decision", "stale"), counts.removed);
  groomed.add(metric_label("decision", "fresh"), counts.still_there);
  MetricFamily groom(out, "groom", "gauge",
                     "What the catalogue had of watched directories when they were last groomed.");
  groom.add(metric_label("statistic", "files scanned (#)"), counts.known);
  groom.add(metric_label("statistic", "files scanned (mb)"), counts.known_bytes >> 20);
  MetricFamily errors(out, "error_count", "counter", "Watched files that could not be read.");
  errors.add(metric_label("scan", "unread"), counts.failed);
}

// debuginfod's roles: who walks the directories is one thread, and so is who grooms.
void write_scan_threads(std::string& out, const ingest::Scan& scan) {
  const ingest::Scan::Counts counts = scan.counts();
  MetricFamily threads(out, "thread_count", "gauge", "Threads that watched directories have.");
  threads.add(metric_label("role", "traverse"), 1);
  threads.add(metric_label("role", "groom"), 1);
  threads.add(metric_label("role", "scan"), scan.threads());
  MetricFamily busy(out, "thread_busy", "gauge", "Of these, at work.");
  busy.add(metric_label("role", "traverse"), counts.is_walking ? 1 : 0);
  busy.add(metric_label("role", "groom"), counts.is_grooming ? 1 : 0);
  busy.add(metric_label("role", "scan"), counts.reading);
  MetricFamily done(out, "thread_work_total", "counter", "Passes, and files and packages read.");
  done.add(metric_label("role", "traverse"), counts.passes);
  done.add(metric_label("role", "scan"), counts.files + counts.packages + counts.failed);
  MetricFamily pending(out, "thread_work_pending", "gauge", "Files and packages still to read.");
  pending.add(metric_label("role", "scan"), counts.to_read);
}

void write_disk(std::string& out, const store::DiskWatch& disk) {
  const std::uint64_t size = store::disk_size(disk.path());
  if (size == 0) return;
  MetricFamily free(out, "filesys_free_ratio", "gauge", "Free part of the disk.");
  const double ratio =
      static_cast<double>(store::free_bytes(disk.path())) / static_cast<double>(size);
  free.add(metric_label("purpose", "database"), ratio);
  free.add(metric_label("purpose", "tmpdir"), ratio);
}

}  // namespace

std::function<void(std::string&)> more_metrics(MetricRooms rooms) {
  return [rooms = std::move(rooms)](std::string& out) {
    write_upstreams(out, rooms.upstreams, rooms.upstream_names);
    write_symbols(out, rooms.statistics);
    write_memcached(out, rooms.shared_frames);
    write_open_indexes(out, rooms.maps);
    rooms.http.write(out);
    write_scan(out, rooms.scan);
    write_scan_threads(out, rooms.scan);
    write_disk(out, rooms.disk);
    MetricFamily ready(out, "ready", "gauge", "1 as soon as requests are answered.");
    ready.add("", 1);
  };
}

}  // namespace server
