// The folklore, each with a file in the tests:
//  - Breakpad on Windows sends no CRLF between the last file and the closing boundary; on macOS
//    none between two files. A boundary glued to data counts when it closes the whole body, or
//    when a Content-Disposition line follows it; a dump may well hold the boundary otherwise.
//  - Firefox for Android does not quote names, and one CRLF too many ends its last value: it
//    belongs to the value.
//  - Crashpad, browsers and curl write " CR LF (and Crashpad %) in names as %22 %0D %0A %25;
//    nothing else is decoded. Old programs escape with a backslash, but a Windows path is
//    full of those: only \" and \\ are unescaped.
#include "net/multipart.h"

#include <fmt/core.h>

#include <cstring>

#include "base/text.h"
#include "net/percent.h"

namespace net {
namespace {

using base::Error;
using base::Fault;
using base::Result;

constexpr std::size_t kBoundarySizeMax = 1024;

bool is_space(char c) { return c == ' ' || c == '\t'; }

// A quoted string starting after the opening quote at `at`; `at` moves past the closing one.
std::string read_quoted(std::string_view text, std::size_t& at) {
  std::string out;
  while (at < text.size() && text[at] != '"') {
    const bool escape =
        text[at] == '\\' && at + 1 < text.size() && (text[at + 1] == '"' || text[at + 1] == '\\');
    if (escape) ++at;
    out.push_back(text[at++]);
  }
  if (at < text.size()) ++at;
  return out;
}

// "; name=value; name="value"…" from `at` on.
std::vector<std::pair<std::string, std::string>> parse_parameters(std::string_view text,
                                                                  std::size_t at) {
  std::vector<std::pair<std::string, std::string>> out;
  while (at < text.size()) {
    while (at < text.size() && (text[at] == ';' || is_space(text[at]))) ++at;
    const std::size_t name_end = std::min(text.find_first_of("=;", at), text.size());
    const std::string name = base::lower_ascii(base::trim(text.substr(at, name_end - at)));
    at = name_end;
    if (at >= text.size() || text[at] == ';') continue;  // a name without a value says nothing
    ++at;
    while (at < text.size() && is_space(text[at])) ++at;
    if (at < text.size() && text[at] == '"') {
      ++at;
      out.emplace_back(name, read_quoted(text, at));
      at = std::min(text.find(';', at), text.size());
    } else {
      const std::size_t end = std::min(text.find(';', at), text.size());
      out.emplace_back(name, base::trim(text.substr(at, end - at)));
      at = end;
    }
  }
  return out;
}

std::string decode_name(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string code = base::lower_ascii(text.substr(i, 3));
    char plain = 0;
    if (code == "%22") plain = '"';
    if (code == "%0d") plain = '\r';
    if (code == "%0a") plain = '\n';
    if (code == "%25") plain = '%';
    out.push_back(plain != 0 ? plain : text[i]);
    if (plain != 0) i += 2;
  }
  return out;
}

// filename*=UTF-8''na%C3%AFve.dmp
std::optional<std::string> decode_extended(std::string_view text) {
  const std::size_t first = text.find('\'');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = text.find('\'', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  return percent_decode(text.substr(second + 1));
}

class Parser {
 public:
  Parser(std::string_view boundary, std::string_view body, const MultipartLimits& limits)
      : dashes_("--" + std::string(boundary)), body_(body), limits_(limits) {}

  Result<std::vector<Part>> parse();

 private:
  struct Delimiter {
    std::size_t data_end = 0;  // where the data before it ends
    std::size_t next = 0;      // just behind its line
    bool closing = false;
  };
  std::optional<Delimiter> find_delimiter(std::size_t from) const;
  std::optional<Delimiter> delimiter_at(std::size_t at, std::size_t from) const;
  Result<Part> parse_head(std::size_t& at) const;
  Result<void> add_line(Part& part, std::string_view line) const;
  bool disposition_at(std::size_t at) const;

  std::string dashes_;
  std::string_view body_;
  const MultipartLimits& limits_;
};

bool Parser::disposition_at(std::size_t at) const {
  static constexpr std::string_view kName = "content-disposition:";
  return base::equal_ignoring_case(body_.substr(at, kName.size()), kName);
}

// Is "--boundary" at `at` a delimiter? `from` is where the data that it would end begins.
std::optional<Parser::Delimiter> Parser::delimiter_at(std::size_t at, std::size_t from) const {
  std::size_t end = at + dashes_.size();
  Delimiter found;
  found.closing = body_.substr(end, 2) == "--";
  if (found.closing) end += 2;
  while (end < body_.size() && is_space(body_[end])) ++end;
  const bool line_ends = body_.substr(end, 2) == "\r\n";
  if (!line_ends && !(found.closing && end == body_.size())) return std::nullopt;
  found.next = line_ends ? end + 2 : end;

  const bool own_line = at == from || (at >= from + 2 && body_.substr(at - 2, 2) == "\r\n");
  if (own_line) {
    found.data_end = at == from ? at : at - 2;
    return found;
  }
  const bool closes_all =
      found.closing && body_.find_first_not_of("\r\n", found.next) == std::string_view::npos;
  if (!closes_all && !(!found.closing && disposition_at(found.next))) return std::nullopt;
  found.data_end = at;
  return found;
}

std::optional<Parser::Delimiter> Parser::find_delimiter(std::size_t from) const {
  for (std::size_t at = from; at < body_.size(); ++at) {
    const void* hit =
        ::memmem(body_.data() + at, body_.size() - at, dashes_.data(), dashes_.size());
    if (hit == nullptr) return std::nullopt;
    at = static_cast<std::size_t>(static_cast<const char*>(hit) - body_.data());
    if (const auto found = delimiter_at(at, from)) return found;
  }
  return std::nullopt;
}

Result<void> Parser::add_line(Part& part, std::string_view line) const {
  const std::size_t colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos) {
    return Error{Fault::malformed, "multipart: a part's header line has no name and colon"};
  }
  const std::string_view name = base::trim(line.substr(0, colon));
  const std::string_view value = base::trim(line.substr(colon + 1));
  if (part.headers.all().size() >= limits_.part_header_count_max) {
    return Error{Fault::too_large, fmt::format("multipart: a part has more than {} header lines",
                                               limits_.part_header_count_max)};
  }
  part.headers.add(name, value);
  if (base::equal_ignoring_case(name, "content-type")) part.content_type = value;
  if (!base::equal_ignoring_case(name, "content-disposition")) return {};
  std::optional<std::string> extended;
  for (const auto& [key, text] : parse_parameters(value, std::min(value.find(';'), value.size()))) {
    if (key == "name") part.name = decode_name(text);
    if (key == "filename") part.filename = decode_name(text);
    if (key == "filename*") extended = decode_extended(text);
  }
  if (!part.filename) part.filename = std::move(extended);
  return {};
}

// The header lines from `at` on; `at` moves behind the empty line.
Result<Part> Parser::parse_head(std::size_t& at) const {
  Part part;
  const std::size_t begin = at;
  std::string folded;  // a line and its continuations
  for (;;) {
    const std::string_view window = body_.substr(at, limits_.part_header_size_max + 2);
    const std::size_t end = window.find("\r\n");
    const bool too_long =
        end == std::string_view::npos && window.size() > limits_.part_header_size_max;
    if (too_long || at - begin > limits_.part_header_size_max) {
      return Error{Fault::too_large, fmt::format("multipart: a part's header is larger than {}",
                                                 limits_.part_header_size_max)};
    }
    if (end == std::string_view::npos) {
      return Error{Fault::malformed, "multipart: the body ends within a part's header"};
    }
    const std::string_view line = window.substr(0, end);
    if (line.starts_with(dashes_)) {
      return Error{Fault::malformed, "multipart: no empty line after a part's header"};
    }
    at += end + 2;
    if (!line.empty() && is_space(line[0]) && !folded.empty()) {
      folded += ' ';
      folded += base::trim(line);
      continue;
    }
    if (!folded.empty()) TRY(add_line(part, folded));
    if (line.empty()) return part;
    folded = line;
  }
}

Result<std::vector<Part>> Parser::parse() {
  std::vector<Part> parts;
  auto delimiter = find_delimiter(0);  // what comes before is preamble
  if (!delimiter) {
    return Error{Fault::malformed, "multipart: the boundary does not occur in the body"};
  }
  while (!delimiter->closing) {
    if (parts.size() >= limits_.parts_max) {
      return Error{Fault::too_large,
                   fmt::format("multipart: more than {} parts", limits_.parts_max)};
    }
    std::size_t at = delimiter->next;
    Part part = TRY(parse_head(at));
    delimiter = find_delimiter(at);
    if (!delimiter) return Error{Fault::malformed, "multipart: the closing boundary is missing"};
    part.offset = at;
    part.body = base::bytes_of(body_.substr(at, delimiter->data_end - at));
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace

std::optional<std::string_view> MediaType::find(std::string_view parameter) const {
  for (const auto& [name, value] : parameters) {
    if (name == parameter) return value;
  }
  return std::nullopt;
}

MediaType parse_media_type(std::string_view text) {
  MediaType out;
  const std::size_t end = std::min(text.find(';'), text.size());
  const std::string_view type = base::trim(text.substr(0, end));
  const std::size_t slash = type.find('/');
  const bool good = slash != std::string_view::npos && slash != 0 && slash + 1 != type.size() &&
                    type.find_first_of(" \t\"", 0) == std::string_view::npos;
  if (!good) return out;
  out.type = base::lower_ascii(type);
  out.parameters = parse_parameters(text, end);
  return out;
}

Result<std::vector<Part>> parse_multipart(std::string_view boundary, base::Bytes body,
                                          const MultipartLimits& limits) {
  if (boundary.empty()) return Error{Fault::malformed, "multipart: the boundary is empty"};
  if (boundary.size() > kBoundarySizeMax) {
    return Error{Fault::malformed, "multipart: the boundary is longer than 1024 bytes"};
  }
  return Parser(boundary, base::text_of(body), limits).parse();
}

Result<std::vector<Part>> parse_multipart(const Request& request, const MultipartLimits& limits) {
  const MediaType type = parse_media_type(request.header("Content-Type"));
  if (type.type != "multipart/form-data" && type.type != "multipart/mixed") {
    return Error{Fault::malformed, "the Content-Type is not multipart/form-data"};
  }
  const auto boundary = type.find("boundary");
  if (!boundary) return Error{Fault::malformed, "the Content-Type has no boundary"};
  const base::Bytes body = TRY(request.body_bytes());
  return parse_multipart(*boundary, body, limits);
}

}  // namespace net
