#include "statistics/missing_query.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "base/text.h"

namespace statistics {

using base::Error;
using base::Fault;
using base::Result;
using Relation = MissingQuery::Relation;

namespace {

constexpr std::size_t kFilterMax = 255;
constexpr std::size_t kBoundsMax = 8;
constexpr std::int64_t kDayUs = 86'400'000'000;

constexpr std::array<std::string_view, 6> kOrders{"modified_at", "created_at", "count",
                                                  "symbol",      "debugid",    "filename"};

struct Date {
  std::int64_t us = 0;
  bool is_day = false;  // without a time
};

std::optional<int> number_of(std::string_view text, std::uint64_t min, std::uint64_t max) {
  const auto number = base::parse_decimal(text);
  if (!number || *number < min || *number > max) return std::nullopt;
  return static_cast<int>(*number);
}

// 2026-09-01, 2026-09-01T12:30:00 with or without seconds and Z.
std::optional<Date> find_date(std::string_view text) {
  if (text.ends_with('Z')) text.remove_suffix(1);
  const bool has_time = text.size() > 10;
  if (has_time && text.size() == 16) return find_date(std::string(text) + ":00");
  if (text.size() != 10 && text.size() != 19) return std::nullopt;
  if (text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = number_of(text.substr(0, 4), 1970, 9999);
  const auto month = number_of(text.substr(5, 2), 1, 12);
  const auto day = number_of(text.substr(8, 2), 1, 31);
  if (!year || !month || !day) return std::nullopt;
  std::tm parts{};
  parts.tm_year = *year - 1900;
  parts.tm_mon = *month - 1;
  parts.tm_mday = *day;
  if (has_time) {
    if ((text[10] != 'T' && text[10] != ' ') || text[13] != ':' || text[16] != ':') {
      return std::nullopt;
    }
    const auto hour = number_of(text.substr(11, 2), 0, 23);
    const auto minute = number_of(text.substr(14, 2), 0, 59);
    const auto second = number_of(text.substr(17, 2), 0, 59);
    if (!hour || !minute || !second) return std::nullopt;
    parts.tm_hour = *hour;
    parts.tm_min = *minute;
    parts.tm_sec = *second;
  }
  return Date{::timegm(&parts) * 1'000'000ll, !has_time};
}

// Takes the relation off the text; nothing when it has none.
std::optional<Relation> take_relation(std::string_view& text) {
  struct Sign {
    std::string_view text;
    Relation relation;
  };
  constexpr std::array<Sign, 5> kSigns{{{"<=", Relation::at_most},
                                        {">=", Relation::at_least},
                                        {"<", Relation::less},
                                        {">", Relation::greater},
                                        {"=", Relation::equal}}};
  for (const Sign& sign : kSigns) {
    if (!text.starts_with(sign.text)) continue;
    text = base::trim(text.substr(sign.text.size()));
    return sign.relation;
  }
  return std::nullopt;
}

Result<void> add_bounds(MissingQuery& query, MissingQuery::Order of, std::string_view name,
                        std::string_view text) {
  for (std::string_view part : base::split(text, ',')) {
    part = base::trim(part);
    if (part.empty()) continue;
    const Relation relation = take_relation(part).value_or(Relation::equal);
    const auto date = find_date(part);
    if (!date || query.bounds.size() + 2 > kBoundsMax) {
      return Error{Fault::malformed,
                   std::string(name) + ": expected dates as in >=2026-09-01,<2026-09-02"};
    }
    if (relation == Relation::equal && date->is_day) {
      query.bounds.push_back({of, Relation::at_least, {date->us}});
      query.bounds.push_back({of, Relation::less, {date->us + kDayUs}});
    } else {
      query.bounds.push_back({of, relation, {date->us}});
    }
  }
  return {};
}

}  // namespace

std::string_view name_of(MissingQuery::Order order) {
  return kOrders.at(static_cast<std::size_t>(order));
}

Result<MissingQuery> parse_missing_query(const Parameter& parameter) {
  const auto filter = [&](std::string_view name) {
    return base::to_valid_utf8(parameter(name).value_or("").substr(0, kFilterMax));
  };
  MissingQuery query;
  query.name = filter("symbol");
  query.debug_id = filter("debugid");
  query.file = filter("filename");
  for (const auto of : {MissingQuery::Order::modified, MissingQuery::Order::created}) {
    TRY(add_bounds(query, of, name_of(of), parameter(name_of(of)).value_or("")));
  }
  const std::string sort = parameter("sort").value_or("");
  if (!sort.empty()) {
    const auto* const order = std::find(kOrders.begin(), kOrders.end(), sort);
    if (order == kOrders.end()) {
      return Error{Fault::malformed, "sort: there is no such column"};
    }
    query.order = static_cast<MissingQuery::Order>(order - kOrders.begin());
    const std::string reverse = base::lower_ascii(parameter("reverse").value_or(""));
    query.descending = reverse == "true" || reverse == "1";
  }
  const std::string text = parameter("page").value_or("1");
  const auto page = base::parse_decimal(text);
  if (!page || *page == 0 || *page > UINT32_MAX) {
    return Error{Fault::malformed, "page: expected a number from 1 on"};
  }
  query.limit = kMissingPageSize;
  query.offset = (*page - 1) * kMissingPageSize;
  return query;
}

}  // namespace statistics
