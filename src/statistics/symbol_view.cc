#include "statistics/symbol_view.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace statistics {
namespace {

using Kind = Column::Kind;

constexpr std::array<std::string_view, 9> kNames{
    "name", "requests", "successes", "failures", "excluded", "hits", "waiting", "time", "last"};
constexpr std::size_t kFilterMax = 255;
constexpr std::uint64_t kServersMax = 1000;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool contains(std::string_view name, std::string_view folded) {
  const auto equal = [](char a, char b) { return lower(a) == b; };
  return std::search(name.begin(), name.end(), folded.begin(), folded.end(), equal) != name.end();
}

int compare_names(std::string_view a, std::string_view b) {
  const std::size_t size = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < size; ++i) {
    const auto left = static_cast<unsigned char>(lower(a[i]));
    const auto right = static_cast<unsigned char>(lower(b[i]));
    if (left != right) return left < right ? -1 : 1;
  }
  return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

std::int64_t number_of(const Counts& counts, const Column& column) {
  const ServerCounts of_server =
      column.server < counts.servers.size() ? counts.servers[column.server] : ServerCounts();
  switch (column.kind) {
    case Kind::name:
      return 0;
    case Kind::requests:
      return counts.requests;
    case Kind::successes:
      return counts.successes;
    case Kind::failures:
      return counts.failures;
    case Kind::excluded:
      return counts.excluded;
    case Kind::hits:
      return counts.hits;
    case Kind::waiting:
      return counts.waiting;
    case Kind::time:
      return counts.us;
    case Kind::last:
      return counts.last_at.us;
    case Kind::server_hits:
      return of_server.hits;
    case Kind::server_misses:
      return of_server.misses;
  }
  return 0;
}

struct Before {
  Column sort;
  bool descending;

  // Rows that are alike stand by name, upwards.
  bool operator()(const SymbolRow* a, const SymbolRow* b) const {
    const int names = compare_names(a->name, b->name);
    if (sort.kind == Kind::name) return descending ? names > 0 : names < 0;
    const std::int64_t left = number_of(a->counts, sort);
    const std::int64_t right = number_of(b->counts, sort);
    if (left != right) return descending ? left > right : left < right;
    return names < 0;
  }
};

}  // namespace

std::string text_of(const Column& column) {
  if (column.kind == Kind::server_hits) return "h" + std::to_string(column.server);
  if (column.kind == Kind::server_misses) return "m" + std::to_string(column.server);
  return std::string(kNames.at(static_cast<std::size_t>(column.kind)));
}

std::optional<Column> find_column(std::string_view text) {
  const auto* const named = std::find(kNames.begin(), kNames.end(), text);
  if (named != kNames.end()) return Column{static_cast<Kind>(named - kNames.begin()), 0};
  if (!text.starts_with('h') && !text.starts_with('m')) return std::nullopt;
  const auto server = base::parse_decimal(text.substr(1));
  if (!server || *server >= kServersMax) return std::nullopt;
  return Column{text.starts_with('h') ? Kind::server_hits : Kind::server_misses,
                static_cast<std::size_t>(*server)};
}

SymbolView SymbolView::of(const Parameter& parameter) {
  SymbolView view;
  view.name = base::to_valid_utf8(parameter("name").value_or("").substr(0, kFilterMax));
  if (const auto column = find_column(parameter("sort").value_or(""))) view.sort = *column;
  const std::string order = parameter("order").value_or("");
  view.descending = order == "desc" || (order != "asc" && view.sorts_downwards_first());
  const auto page = base::parse_decimal(parameter("page").value_or(""));
  if (page && *page >= 1 && *page < UINT32_MAX) view.page = *page;
  return view;
}

SelectedRows select(const std::vector<SymbolRow>& rows, const SymbolView& view) {
  SelectedRows selected;
  selected.rows.reserve(rows.size());
  const std::string folded = base::lower_ascii(view.name);
  for (const SymbolRow& row : rows) {
    if (folded.empty() || contains(row.name, folded)) selected.rows.push_back(&row);
  }
  selected.total = selected.rows.size();
  const std::size_t begin = static_cast<std::size_t>(
      std::min<std::uint64_t>((view.page - 1) * SymbolView::kPageSize, selected.total));
  const std::size_t end = std::min(begin + SymbolView::kPageSize, selected.total);
  std::partial_sort(selected.rows.begin(), selected.rows.begin() + static_cast<std::ptrdiff_t>(end),
                    selected.rows.end(), Before{view.sort, view.descending});
  selected.rows.resize(end);
  selected.rows.erase(selected.rows.begin(),
                      selected.rows.begin() + static_cast<std::ptrdiff_t>(begin));
  return selected;
}

}  // namespace statistics
