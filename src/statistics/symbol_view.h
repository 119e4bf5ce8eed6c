// Which rows of the statistics somebody wants to see, and in which order: for the page and for
// symbols.json, in the same words.
//   name=foo         rows with that in their name, in any case
//   sort=COLUMN      name, requests, successes, failures, excluded, hits, waiting, time, last;
//                    h0, m0 …: hits and misses of the first upstream server
//   order=asc|desc   without it names rise and numbers fall
//   page=2           of `page_size` rows
// Pure functions; any thread.
// Format: docs/protocols/statistics.md
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "statistics/counts.h"

namespace statistics {

struct Column {
  enum class Kind : std::uint8_t {
    name,
    requests,
    successes,
    failures,
    excluded,
    hits,
    waiting,
    time,
    last,
    server_hits,
    server_misses
  };
  Kind kind = Kind::requests;
  std::size_t server = 0;
  friend bool operator==(const Column&, const Column&) = default;
};
std::string text_of(const Column& column);
std::optional<Column> find_column(std::string_view text);

struct SymbolView {
  static constexpr std::size_t kPageSize = 100;

  std::string name;
  Column sort;
  bool descending = true;
  std::uint64_t page = 1;

  // By a query's parameters; what makes no sense is as if it were not there.
  using Parameter = std::function<std::optional<std::string>(std::string_view name)>;
  static SymbolView of(const Parameter& parameter);
  bool sorts_downwards_first() const { return sort.kind != Column::Kind::name; }
};

struct SelectedRows {
  std::vector<const SymbolRow*> rows;  // of that page
  std::size_t total = 0;               // on all pages
};
// Views into `rows`.
SelectedRows select(const std::vector<SymbolRow>& rows, const SymbolView& view);

}  // namespace statistics
