#include "api/health.h"

#include "api/metric_family.h"
#include "base/json.h"
#include "base/log.h"
#include "store/data_directory.h"

namespace api {

using net::Answer;
using net::Request;

namespace {

Answer uncached(Answer answer) {
  answer.headers.set("Cache-Control", "no-store");
  return answer;
}

// Ready is who can answer from the catalogue.
Answer readiness(store::Catalog& catalog) {
  const auto alive = catalog.check_alive();
  base::JsonWriter out;
  out.begin_object().key("status").string(alive.ok() ? "ok" : "error");
  out.key("checks").begin_object();
  out.key("database").string(alive.ok() ? "ok" : alive.error().what);
  out.end_object().end_object();
  return uncached(Answer::json(alive.ok() ? 200 : 503, out.take()));
}

std::string version_json(const std::string& version) {
  base::JsonWriter out;
  out.begin_object().key("source").string("faultline").key("version").string(version);
  out.key("commit").string("").key("build").string("").end_object();
  return out.take();
}

Answer broken(const Request& request) {
  base::log::error("an error on purpose: {} asked for /__broken__", request.peer);
  return uncached(Answer::json(500, R"({"title":"500 Internal Server Error"})"));
}

struct Metrics {
  std::string text;

  template <class Number>
  void add(std::string_view name, std::string_view type, std::string_view help, Number value) {
    MetricFamily(text, name, type, help).add("", value);
  }
};

Answer metrics(store::Catalog& catalog, supply::Supply& supply, const store::DiskWatch& disk,
               const net::ServerFigures* network, const std::function<void(std::string&)>& more) {
  const supply::Supply::Counts counts = supply.counts();
  Metrics out;
  out.add("faultline_cache_files", "gauge", "Files remembered for answering at once.",
          counts.remembered.files);
  out.add("faultline_cache_open_files", "gauge", "Of these, open.", counts.remembered.open);
  out.add("faultline_cache_content_bytes", "gauge", "Bytes of small ones that are in memory.",
          counts.remembered.content_bytes);
  out.add("faultline_cache_bytes", "gauge",
          "Memory that all remembered files and misses take, but for these contents.",
          counts.remembered.bytes);
  out.add("faultline_cache_misses", "gauge", "Wishes remembered as nobody has it.",
          counts.remembered.misses);
  out.add("faultline_lookups_total", "counter", "Wishes taken to the catalogue.", counts.lookups);
  out.add("faultline_lookups_under_way", "gauge", "Wishes being looked up or made.",
          counts.under_way);
  out.add("faultline_conversions_total", "counter", "Modules whose .sym and index were made.",
          counts.derived.made);
  out.add("faultline_conversions_failed_total", "counter", "Modules that could not be converted.",
          counts.derived.failed);
  out.add("faultline_conversions_under_way", "gauge", "Conversions waiting or running.",
          counts.derived.under_way);
  if (network != nullptr) {
    out.add("faultline_connections", "gauge", "Connections that are open.",
            network->connections.load());
    out.add("faultline_connections_full_total", "counter",
            "Times that limits.connections were open and others had to wait.",
            network->full.load());
  }
  out.add("faultline_disk_free_bytes", "gauge", "Free space where the data is.",
          store::free_bytes(disk.path()));
  out.add("faultline_disk_level", "gauge",
          "How full the disk is: 0 roomy, 1 nothing of others is cached, 2 and nothing unpacked, "
          "3 and no uploads taken.",
          static_cast<unsigned>(disk.level()));
  const auto stored = catalog.count();
  if (stored.ok()) {
    out.add("faultline_files", "gauge", "Files in the catalogue.", stored->files);
    out.add("faultline_file_bytes", "gauge", "Their size.", stored->bytes);
    out.add("faultline_keys", "gauge", "Keys that name them.", stored->keys);
  }
  if (more) more(out.text);
  Answer answer = Answer::text(200, out.text);
  answer.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  return uncached(std::move(answer));
}

void add_get(net::Router& router, std::string pattern, net::Runs runs, net::Handler handler) {
  net::Route route;
  route.method = "GET";
  route.pattern = std::move(pattern);
  route.runs = runs;
  route.handler = std::move(handler);
  router.add(std::move(route));
}

}  // namespace

void add_health_routes(net::Router& router, store::Catalog& catalog, supply::Supply& supply,
                       const store::DiskWatch& disk, const std::string& version,
                       std::shared_ptr<const net::ServerFigures> network,
                       std::function<void(std::string&)> more_metrics) {
  using net::Runs;
  const auto alive = [](Request&) -> net::Reply { return uncached(Answer::text(200, "ok\n")); };
  add_get(router, "/healthz", Runs::loop, alive);
  add_get(router, "/__lbheartbeat__", Runs::loop, alive);
  const auto ready = [&catalog](Request&) -> net::Reply { return readiness(catalog); };
  add_get(router, "/readyz", Runs::pool, ready);
  add_get(router, "/__heartbeat__", Runs::pool, ready);
  add_get(router, "/__version__", Runs::loop,
          [text = version_json(version)](Request&) -> net::Reply {
            return uncached(Answer::json(200, text));
          });
  add_get(router, "/__broken__", Runs::loop,
          [](Request& request) -> net::Reply { return broken(request); });
  add_get(
      router, "/metrics", Runs::pool,
      [&catalog, &supply, &disk, network = std::move(network), more = std::move(more_metrics)](
          Request&) -> net::Reply { return metrics(catalog, supply, disk, network.get(), more); });
}

}  // namespace api
