#include "net/http.h"

#include <fmt/core.h>

#include "base/text.h"
#include "net/percent.h"

namespace net {
namespace {

// The path and query of "http://host/path?query"; nothing if it is no http URL.
std::optional<std::string_view> after_authority(std::string_view target) {
  const std::size_t scheme = target.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  const std::string_view name = target.substr(0, scheme);
  if (!base::equal_ignoring_case(name, "http") && !base::equal_ignoring_case(name, "https")) {
    return std::nullopt;
  }
  const std::string_view rest = target.substr(scheme + 3);
  const std::size_t end = rest.find_first_of("/?");
  if (end == 0) return std::nullopt;
  return end == std::string_view::npos ? std::string_view() : rest.substr(end);
}

}  // namespace

std::string_view name_of(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::delete_:
      return "DELETE";
    case Method::options:
      return "OPTIONS";
    case Method::other:
      break;
  }
  return "other";
}

Method find_method(std::string_view text) {
  if (text == "GET") return Method::get;
  if (text == "HEAD") return Method::head;
  if (text == "POST") return Method::post;
  if (text == "PUT") return Method::put;
  if (text == "DELETE") return Method::delete_;
  if (text == "OPTIONS") return Method::options;
  return Method::other;
}

void Headers::add(std::string_view name, std::string_view value) {
  constexpr std::size_t kUsual = 12;
  if (fields_.empty()) fields_.reserve(kUsual);
  fields_.emplace_back(std::string(name), std::string(value));
}

void Headers::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [&](const auto& f) { return base::equal_ignoring_case(f.first, name); });
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const auto& [field, value] : fields_) {
    if (base::equal_ignoring_case(field, name)) return value;
  }
  return std::nullopt;
}

bool split_target(std::string_view target, std::string& path, std::string& query) {
  bool is_odd = false;  // without an early end, so that the compiler looks at many at once
  for (const char c : target) is_odd |= static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
  if (is_odd) return false;
  query.clear();
  if (target == "*") {
    path = "*";
    return true;
  }
  if (target.empty()) return false;
  if (target[0] != '/') {
    const auto rest = after_authority(target);
    if (!rest) return false;
    target = *rest;
  }
  // A fragment is never sent; some clients do, and servers cut it.
  target = target.substr(0, target.find('#'));
  const std::size_t question = target.find('?');
  auto decoded = percent_decode(target.substr(0, question));
  if (!decoded || decoded->find('\0') != std::string::npos) return false;
  path = decoded->empty() ? "/" : std::move(*decoded);
  if (question != std::string_view::npos) query = target.substr(question + 1);
  return true;
}

Request Request::of(std::string_view method, std::string_view target, std::string body) {
  Request request;
  request.method = find_method(method);
  request.method_text = method;
  request.target = target;
  ASSERT(split_target(target, request.path, request.query));
  request.headers.add("Host", "localhost");
  request.body = std::move(body);
  request.peer = "127.0.0.1:1";
  request.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  return request;
}

std::optional<std::string> Request::query_value(std::string_view name) const {
  for (auto& [field, value] : parse_form(query)) {
    if (field == name) return std::move(value);
  }
  return std::nullopt;
}

std::string_view Request::path_parameter(std::string_view name) const {
  const auto found = path_parameters.find(std::string(name));
  return found == path_parameters.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view Request::path_rest() const { return std::string_view(path).substr(rest_begin); }

std::string_view Request::header(std::string_view name) const {
  return headers.find(name).value_or(std::string_view());
}

base::Result<base::Bytes> Request::body_bytes() const {
  if (!body_file) return base::bytes_of(body);
  if (body_file->file.size() == 0) return base::Bytes();
  if (!mapped_) mapped_ = TRY(base::MappedFile::open(body_file->file.path()));
  return mapped_->bytes();
}

Answer Answer::text(int status, std::string_view text) {
  Answer answer;
  answer.status = status;
  answer.headers.add("Content-Type", "text/plain; charset=utf-8");
  answer.body = std::string(text);
  return answer;
}

Answer Answer::html(int status, std::string text) {
  Answer answer;
  answer.status = status;
  answer.headers.add("Content-Type", "text/html; charset=utf-8");
  answer.body = std::move(text);
  answer.compressible = true;
  return answer;
}

Answer Answer::json(int status, std::string text) {
  Answer answer;
  answer.status = status;
  answer.headers.add("Content-Type", "application/json");
  answer.body = std::move(text);
  answer.compressible = true;
  return answer;
}

Answer Answer::file(FileBody file, std::string_view content_type, std::string_view etag) {
  Answer answer;
  answer.headers.add("Content-Type", content_type);
  answer.body = std::move(file);
  answer.etag = etag;
  return answer;
}

Answer Answer::fault(base::Fault fault, std::string_view what) {
  return text(base::policy_of(fault).http_status, fmt::format("{}\n", what));
}

Answer Answer::redirect(int status, std::string_view location) {
  Answer answer = text(status, fmt::format("see {}\n", location));
  answer.headers.add("Location", location);
  return answer;
}

}  // namespace net
