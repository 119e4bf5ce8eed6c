#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "net/http.h"

namespace net {
namespace {

bool has_body(const Request& request) {
  return !request.header("Transfer-Encoding").empty() ||
         request.header("Content-Length").find_first_not_of('0') != std::string_view::npos;
}

bool method_fits(const Route& route, const Request& request) {
  if (route.needs_body && !has_body(request)) return false;
  return route.method == "*" || route.method == request.method_text ||
         (route.method == "GET" && request.method == Method::head);
}

std::string_view first_segment(std::string_view path) {
  const std::size_t begin = std::min(path.find_first_not_of('/'), path.size());
  const std::size_t end = std::min(path.find('/', begin), path.size());
  return path.substr(begin, end - begin);
}

Router::Admit first_then(Router::Admit first, Router::Admit then) {
  return [first = std::move(first), then = std::move(then)](const Request& request) {
    auto refused = first(request);
    return refused || !then ? refused : then(request);
  };
}

}  // namespace

void Router::add_get_on_pool(std::string_view pattern, Handler handler) {
  Route route;
  route.method = "GET";
  route.pattern = pattern;
  route.runs = Runs::pool;
  route.handler = std::move(handler);
  add(std::move(route));
}

void Router::add_post_on_pool(std::string_view pattern, std::uint64_t size_max, Admit admit,
                              Handler handler) {
  Route route;
  route.method = "POST";
  route.pattern = pattern;
  route.runs = Runs::pool;
  route.body = BodyPolicy::memory(size_max);
  route.admit = std::move(admit);
  route.handler = std::move(handler);
  add(std::move(route));
}

void Router::add(Route route) {
  ASSERT(!route.pattern.empty() && route.pattern[0] == '/');
  base::log::debug("route {} {}", route.method, route.pattern);
  if (guard_) route.admit = first_then(guard_, std::move(route.admit));
  Entry entry;
  const std::string_view pattern = std::string_view(route.pattern).substr(1);
  for (const std::string_view part : base::split(pattern, '/')) {
    ASSERT(!entry.rest);  // ** comes last
    if (part == "**") {
      entry.rest = true;
      continue;
    }
    const std::size_t open = part.find('{');
    const std::size_t close = part.find('}');
    if (open == std::string_view::npos || close == std::string_view::npos) {
      entry.segments.push_back({std::string(part), "", ""});
    } else {
      entry.segments.push_back({std::string(part.substr(0, open)),
                                std::string(part.substr(open + 1, close - open - 1)),
                                std::string(part.substr(close + 1))});
    }
  }
  const std::size_t index = routes_.size();
  const bool literal = !entry.segments.empty() && entry.segments[0].name.empty();
  if (literal) {
    by_first_[entry.segments[0].before].push_back(index);
  } else {
    others_.push_back(index);
  }
  entry.route = std::move(route);
  routes_.push_back(std::make_shared<const Entry>(std::move(entry)));
}

// Pattern and path are walked together, a segment at a time.
bool Router::fits(const Entry& entry, std::string_view path, Request* request) {
  std::size_t at = 0;
  for (const Segment& segment : entry.segments) {
    if (at >= path.size() || path[at] != '/') return false;
    // The last segment of "/crashes/" is empty and fits only an empty literal.
    const std::size_t begin = path.find_first_not_of('/', at);
    const bool empty = begin == std::string_view::npos;
    const std::size_t from = empty ? path.size() : begin;
    const std::size_t end = std::min(path.find('/', from), path.size());
    const std::string_view part = path.substr(from, end - from);
    at = end;
    if (segment.name.empty()) {
      if (part != segment.before) return false;
      continue;
    }
    const std::size_t around = segment.before.size() + segment.after.size();
    if (part.size() <= around || !part.starts_with(segment.before) ||
        !part.ends_with(segment.after)) {
      return false;
    }
    if (request == nullptr) continue;
    request->path_parameters[segment.name] =
        part.substr(segment.before.size(), part.size() - around);
  }
  if (!entry.rest) return at == path.size();
  if (at >= path.size() || path[at] != '/') return false;
  if (request != nullptr) request->rest_begin = at + 1;
  return true;
}

// The routes that can fit at all, in order of registration, until `use` returns true.
template <class Use>
void Router::for_candidates(std::string_view path, const Use& use) const {
  static const std::vector<std::size_t> kNone;
  const auto found = by_first_.find(first_segment(path));
  const auto& literals = found == by_first_.end() ? kNone : found->second;
  auto literal = literals.begin();
  auto other = others_.begin();
  while (literal != literals.end() || other != others_.end()) {
    const bool is_literal =
        other == others_.end() || (literal != literals.end() && *literal < *other);
    if (use(*routes_[is_literal ? *literal++ : *other++])) return;
  }
}

Router::Match Router::match(Request& request) const {
  Match match;
  for_candidates(request.path, [&](const Entry& entry) {
    if (!method_fits(entry.route, request) || !fits(entry, request.path, nullptr)) return false;
    request.path_parameters.clear();
    request.rest_begin = request.path.size();
    fits(entry, request.path, &request);
    match.route = &entry.route;
    return true;
  });
  if (match.route != nullptr) return match;
  for_candidates(request.path, [&](const Entry& entry) {
    auto& allowed = match.allowed;
    if (entry.route.needs_body || !fits(entry, request.path, nullptr) ||
        std::find(allowed.begin(), allowed.end(), entry.route.method) != allowed.end()) {
      return false;
    }
    allowed.push_back(entry.route.method);
    if (entry.route.method == "GET") allowed.emplace_back("HEAD");
    return false;
  });
  return match;
}

}  // namespace net
