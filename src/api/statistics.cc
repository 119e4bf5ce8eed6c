#include "api/statistics.h"

#include <algorithm>
#include <memory>

#include "base/json.h"
#include "statistics/symbol_view.h"

namespace api {

using base::JsonWriter;
using net::Answer;
using net::Request;
using statistics::Counts;
using statistics::SelectedRows;
using statistics::Statistics;
using statistics::SymbolRow;
using statistics::SymbolView;

namespace {

constexpr std::size_t kPieceSize = 64 * 1024;

Answer json_answer(std::string text) {
  Answer answer = Answer::json(200, std::move(text));
  answer.headers.set("Cache-Control", "no-store");
  answer.compressible = true;
  return answer;
}

std::string totals_json(const Statistics::Totals& totals) {
  const Counts& counts = totals.counts;
  JsonWriter out;
  out.begin_object();
  out.key("numRequests").integer(counts.requests);
  out.key("numInvalidRequests").integer(counts.invalid);
  out.key("numSuccess").integer(counts.successes);
  out.key("numSymbols").unsigned_integer(totals.names);
  out.key("numCacheHit").integer(counts.hits);
  out.key("numPending").integer(std::max<std::int64_t>(counts.waiting, 0));
  out.key("numExcluded").integer(counts.excluded);
  out.key("diskUsage").unsigned_integer(totals.disk_usage);
  out.key("numAcceptedRequests").integer(counts.requests - counts.excluded);
  return out.end_object().take();
}

void write_servers(JsonWriter& out, const Counts& counts, const std::vector<std::string>& servers,
                   std::int64_t statistics::ServerCounts::* number) {
  out.begin_object();
  for (std::size_t i = 0; i < std::min(counts.servers.size(), servers.size()); ++i) {
    if (counts.servers[i].*number == 0) continue;
    out.key(servers[i]).integer(counts.servers[i].*number);
  }
  out.end_object();
}

void write_row(JsonWriter& out, const SymbolRow& row, const std::vector<std::string>& servers) {
  const Counts& counts = row.counts;
  out.begin_object();
  out.key("file").string(row.name);
  out.key("totalTimeServicing").number(static_cast<double>(counts.us) / 1e6);
  out.key("numRequests").integer(counts.requests);
  out.key("numExcluded").integer(counts.excluded);
  out.key("numSuccess").integer(counts.successes);
  out.key("numFail").integer(counts.failures);
  out.key("numCacheHit").integer(counts.hits);
  out.key("numCacheMiss").integer(counts.requests - counts.hits);
  out.key("numPending").integer(std::max<std::int64_t>(counts.waiting, 0));
  out.key("lastAccessTime").number(static_cast<double>(counts.last_at.us) / 1e6);
  out.key("serverMisses");
  write_servers(out, counts, servers, &statistics::ServerCounts::misses);
  out.key("serverHits");
  write_servers(out, counts, servers, &statistics::ServerCounts::hits);
  out.end_object();
}

std::string page_json(const SelectedRows& selected, const std::vector<std::string>& servers) {
  JsonWriter out;
  out.begin_object();
  for (const SymbolRow* row : selected.rows) {
    out.key(row->name);
    write_row(out, *row, servers);
  }
  return out.end_object().take();
}

// All of them, piece by piece: there may be as much as 100 MB.
struct AllRows {
  std::shared_ptr<const std::vector<SymbolRow>> rows;
  std::vector<std::string> servers;
  std::size_t at = 0;
  bool is_begun = false, is_ended = false;

  std::string next_piece() {
    if (is_ended) return "";
    std::string piece = std::exchange(is_begun, true) ? "" : "{";
    for (; at < rows->size() && piece.size() < kPieceSize; ++at) {
      if (at != 0) piece += ',';
      JsonWriter out;
      write_row(out, (*rows)[at], servers);
      base::append_json_string(piece, (*rows)[at].name);
      piece.append(":").append(out.text());
    }
    is_ended = at == rows->size();
    if (is_ended) piece += '}';
    return piece;
  }
};

Answer all_symbols(Statistics& statistics) {
  auto all = std::make_shared<AllRows>();
  all->rows = statistics.symbols();
  all->servers = statistics.servers();
  Answer answer = json_answer("");
  answer.body = net::Producer([all]() -> base::Result<std::string> { return all->next_piece(); });
  return answer;
}

Answer symbols(const Request& request, Statistics& statistics) {
  if (request.query.empty()) return all_symbols(statistics);
  const auto view =
      SymbolView::of([&](std::string_view name) { return request.query_value(name); });
  const auto rows = statistics.symbols();
  return json_answer(page_json(select(*rows, view), statistics.servers()));
}

}  // namespace

void add_statistics_routes(net::Router& router, Statistics* statistics) {
  router.add_get_on_pool("/statistics.json", [statistics](Request&) -> net::Reply {
    const auto totals = statistics != nullptr ? statistics->totals() : Statistics::Totals();
    return json_answer(totals_json(totals));
  });
  router.add_get_on_pool("/symbols.json", [statistics](Request& request) -> net::Reply {
    return statistics != nullptr ? symbols(request, *statistics) : json_answer("{}");
  });
}

}  // namespace api
