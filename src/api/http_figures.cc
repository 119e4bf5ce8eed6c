#include "api/http_figures.h"

#include <algorithm>

#include "api/metric_family.h"
#include "api/symbols.h"

namespace api {

using net::Ending;
using net::Request;
using Type = HttpFigures::Type;

namespace {

// A connection that we reset, or that the client left, has no status.
constexpr std::array<int, 20> kStatuses{200, 201, 202, 204, 206, 301, 302, 303, 304, 400,
                                        401, 403, 404, 405, 406, 413, 416, 500, 503, 507};
constexpr std::size_t kReset = kStatuses.size();
constexpr std::size_t kOther = kStatuses.size() + 1;
constexpr std::size_t kFirstError = 9;  // from 400 on all are

std::string_view name_of(Type type) {
  return HttpFigures::kTypes.at(static_cast<std::size_t>(type));
}

std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

// What the first part of a path says alone.
struct Word {
  std::string_view text;
  Type type;
};
constexpr std::array<Word, 19> kWords{{{"metadata", Type::metadata},
                                       {"metrics", Type::metrics},
                                       {"submit", Type::submit},
                                       {"symbolicate", Type::symbolicate},
                                       {"applecrashreport", Type::symbolicate},
                                       {"upload", Type::upload},
                                       {"nuget", Type::upload},
                                       {"healthz", Type::health},
                                       {"readyz", Type::health},
                                       {"healthcheck", Type::health},
                                       {"__heartbeat__", Type::health},
                                       {"__lbheartbeat__", Type::health},
                                       {"__version__", Type::health},
                                       {"__broken__", Type::health},
                                       {"crashes", Type::page},
                                       {"static", Type::page},
                                       {"settings", Type::page},
                                       {"status", Type::page},
                                       {"missingsymbols", Type::page}}};

Type type_below_buildid(std::string_view rest) {
  take_segment(rest);
  const std::string_view what = take_segment(rest);
  for (const Type type : {Type::debuginfo, Type::executable, Type::source, Type::section}) {
    if (what == name_of(type)) return type;
  }
  return Type::other;
}

// debuginfod counts the answers about files by where they came from; here it is one place.
bool is_about_a_file(Type type) {
  return type == Type::debuginfo || type == Type::executable || type == Type::source ||
         type == Type::section || type == Type::symbol;
}

std::string name_of_code(std::size_t code) {
  if (code < kStatuses.size()) return std::to_string(kStatuses.at(code));
  return code == kReset ? "reset" : "other";
}

std::string labels_of(Type type, std::size_t code) {
  return metric_label("code", name_of_code(code)) + "," + metric_label("type", name_of(type));
}

}  // namespace

Type HttpFigures::type_of(const Request& request) {
  std::string_view rest = request.path;
  const std::string_view first = take_segment(rest);
  if (first.empty()) return Type::root;
  if (first == "buildid") return type_below_buildid(rest);
  if (request.method == net::Method::put) return Type::upload;
  for (const Word& word : kWords) {
    if (first == word.text) return word.type;
  }
  const bool is_file = rest.find_first_not_of('/') != std::string_view::npos &&
                       (!is_reserved(first) || first == "p" || first == "artifacts");
  return is_file ? Type::symbol : Type::other;
}

std::size_t HttpFigures::code_of(const Ending& ending) {
  static_assert(kOther + 1 == kCodes);
  if (ending.broken_off) return kReset;
  const auto* const at = std::find(kStatuses.begin(), kStatuses.end(), ending.status);
  return at == kStatuses.end() ? kOther : static_cast<std::size_t>(at - kStatuses.begin());
}

std::size_t HttpFigures::part_of_thread() {
  static std::atomic<std::size_t> threads = 0;
  thread_local const std::size_t number = threads.fetch_add(1, std::memory_order_relaxed);
  return number % kParts;
}

void HttpFigures::note(const Request& request, const Ending& ending) {
  Cell& cell =
      parts_[part_of_thread()][static_cast<std::size_t>(type_of(request))][code_of(ending)];
  cell.requests.fetch_add(1, std::memory_order_relaxed);
  cell.us.fetch_add(static_cast<std::uint64_t>(ending.time.count()), std::memory_order_relaxed);
  cell.bytes.fetch_add(ending.bytes, std::memory_order_relaxed);
}

void HttpFigures::write(std::string& out) const {
  struct Sum {
    std::uint64_t requests = 0, us = 0, bytes = 0;
  };
  const auto each = [&](const auto& use) {
    for (std::size_t type = 0; type < kTypes.size(); ++type) {
      for (std::size_t code = 0; code < kCodes; ++code) {
        Sum sum;
        for (const Cells& cells : parts_) {
          sum.requests += cells[type][code].requests;
          sum.us += cells[type][code].us;
          sum.bytes += cells[type][code].bytes;
        }
        if (sum.requests != 0) use(static_cast<Type>(type), code, sum);
      }
    }
  };
  std::array<std::uint64_t, kTypes.size()> by_type{};
  std::uint64_t files = 0;
  std::uint64_t errors = 0;
  each([&](Type type, std::size_t code, const Sum& cell) {
    by_type[static_cast<std::size_t>(type)] += cell.requests;
    if (is_about_a_file(type)) (code < kFirstError ? files : errors) += cell.requests;
  });
  MetricFamily requests(out, "http_requests_total", "counter", "Requests by what they asked for.");
  for (std::size_t type = 0; type < kTypes.size(); ++type) {
    if (by_type[type] != 0) requests.add(metric_label("type", kTypes[type]), by_type[type]);
  }
  MetricFamily results(out, "http_responses_total", "counter", "Answers to requests for files.");
  results.add("result=\"file\"", files);
  results.add("result=\"error\"", errors);
  MetricFamily counts(out, "http_responses_duration_milliseconds_count", "counter", "Answers.");
  each([&](Type type, std::size_t code, const Sum& cell) {
    counts.add(labels_of(type, code), cell.requests);
  });
  MetricFamily durations(out, "http_responses_duration_milliseconds_sum", "counter",
                         "Time until they were sent.");
  each([&](Type type, std::size_t code, const Sum& cell) {
    durations.add(labels_of(type, code), static_cast<double>(cell.us) / 1000);
  });
  MetricFamily transfers(out, "http_responses_transfer_bytes_count", "counter", "Answers.");
  each([&](Type type, std::size_t code, const Sum& cell) {
    transfers.add(labels_of(type, code), cell.requests);
  });
  MetricFamily bytes(out, "http_responses_transfer_bytes_sum", "counter",
                     "Their bytes, with the heads.");
  each([&](Type type, std::size_t code, const Sum& cell) {
    bytes.add(labels_of(type, code), cell.bytes);
  });
}

}  // namespace api
