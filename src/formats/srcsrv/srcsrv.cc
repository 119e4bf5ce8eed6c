#include "formats/srcsrv/srcsrv.h"

#include <algorithm>
#include <array>

#include "base/hash64.h"
#include "base/text.h"

namespace srcsrv {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::string_view kSectionMark = "SRCSRV:";
constexpr std::size_t kMaxFields = 10;  // %var1% … %var10%
constexpr int kMaxDepth = 16;
constexpr int kMaxSteps = 10'000;

char folded(char c) {
  if (c == '\\') return '/';
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string fold(std::string_view path) {
  std::string text(path);
  std::transform(text.begin(), text.end(), text.begin(), folded);
  return text;
}

std::uint64_t hash_of(std::string_view path) {
  const std::string text = fold(path);
  return base::hash64(base::bytes_of(text));
}

std::string_view path_of(std::string_view line) { return line.substr(0, line.find('*')); }

bool is_same_path(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return folded(x) == folded(y); });
}

// The `name` of "SRCSRV: variables -----".
std::string section_name(std::string_view line) {
  line = base::trim(line.substr(kSectionMark.size()));
  const auto dashes = line.find('-');
  return base::lower_ascii(base::trim(line.substr(0, dashes)));
}

}  // namespace

// Turns one variable into text for one file's line. Every way to go on forever has a limit.
class Evaluation {
 public:
  Evaluation(const Stream& stream, std::string_view line) : stream_(stream) {
    for (std::size_t i = 0; i < kMaxFields; ++i) {
      const auto star = line.find('*');
      fields_[i] = line.substr(0, star);
      if (star == std::string_view::npos) break;
      line.remove_prefix(star + 1);
    }
  }

  Result<std::string> value_of(std::string_view variable) {
    std::string out;
    TRY(append_variable(variable, 0, out));
    return out;
  }

 private:
  Result<void> append_variable(std::string_view name, int depth, std::string& out);
  Result<void> append_text(std::string_view text, int depth, std::string& out);
  Result<void> append_call(std::string_view function, std::string_view argument, int depth,
                           std::string& out);

  const Stream& stream_;
  std::array<std::string_view, kMaxFields> fields_{};
  int steps_ = 0;
};

namespace {

Error endless(std::string_view what) {
  std::string text("srcsrv stream: ");
  text.append(what).append(": its variables lead too deep or never end");
  return {Fault::malformed, std::move(text)};
}

// The index behind "var", from 0; nothing for other names.
std::optional<std::size_t> find_field(std::string_view lower_name) {
  if (!lower_name.starts_with("var")) return std::nullopt;
  const auto number = base::parse_decimal(lower_name.substr(3));
  if (!number || *number == 0 || *number > kMaxFields) return std::nullopt;
  return static_cast<std::size_t>(*number - 1);
}

bool is_function(std::string_view lower_name) {
  return lower_name == "fnvar" || lower_name == "fnbksl" || lower_name == "fnfile";
}

// The text between the brackets that `text` opens with, which may nest; npos when they never close.
std::size_t closing_bracket(std::string_view text) {
  int open = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(') ++open;
    if (text[i] == ')' && --open == 0) return i;
  }
  return std::string_view::npos;
}

}  // namespace

Result<void> Evaluation::append_variable(std::string_view name, int depth, std::string& out) {
  if (depth > kMaxDepth || ++steps_ > kMaxSteps) return endless(name);
  const std::string lower = base::lower_ascii(name);
  if (const auto field = find_field(lower)) {
    out.append(fields_[*field]);
    return {};
  }
  // %targ% is the debugger's own cache directory: whatever begins with it is no web address.
  if (lower == "targ") {
    out.append("%targ%");
    return {};
  }
  const auto at = stream_.variables_.find(lower);
  if (at == stream_.variables_.end()) return {};  // as in srcsrv.dll: empty
  return append_text(stream_.view(at->second), depth + 1, out);
}

Result<void> Evaluation::append_text(std::string_view text, int depth, std::string& out) {
  if (depth > kMaxDepth || ++steps_ > kMaxSteps) return endless(text.substr(0, 80));
  while (!text.empty()) {
    const auto percent = text.find('%');
    out.append(text.substr(0, percent));
    if (percent == std::string_view::npos) break;
    text.remove_prefix(percent + 1);
    const auto end = text.find('%');
    if (end == std::string_view::npos) {  // a lone percent sign stands for itself
      out.append("%").append(text);
      break;
    }
    const std::string_view name = text.substr(0, end);
    text.remove_prefix(end + 1);
    const std::string lower = base::lower_ascii(name);
    const auto bracket = is_function(lower) && text.starts_with('(') ? closing_bracket(text)
                                                                     : std::string_view::npos;
    if (bracket != std::string_view::npos) {
      TRY(append_call(lower, text.substr(1, bracket - 1), depth + 1, out));
      text.remove_prefix(bracket + 1);
    } else {
      TRY(append_variable(name, depth + 1, out));
    }
    if (out.size() > kMaxUrlSize * 4) return endless(name);
  }
  return out.size() > kMaxUrlSize * 4 ? Result<void>(endless("a value")) : Result<void>();
}

Result<void> Evaluation::append_call(std::string_view function, std::string_view argument,
                                     int depth, std::string& out) {
  std::string value;
  TRY(append_text(argument, depth, value));
  if (function == "fnvar") return append_variable(value, depth, out);
  if (function == "fnbksl") std::replace(value.begin(), value.end(), '/', '\\');
  if (function == "fnfile") {
    const auto slash = value.find_last_of("\\/");
    if (slash != std::string::npos) value.erase(0, slash + 1);
  }
  out.append(value);
  return {};
}

Result<void> Stream::take_line(std::string_view section, std::string_view line) {
  const Span span{static_cast<std::size_t>(line.data() - text_.data()), line.size()};
  if (section == "source files") {
    lines_.emplace(hash_of(path_of(line)), span);
    return {};
  }
  if (section != "ini" && section != "variables") return {};
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return {};
  if (variables_.size() >= kMaxVariables) {
    return Error{Fault::too_large, "srcsrv stream: more than 1000 variables"};
  }
  variables_.emplace(base::lower_ascii(base::trim(line.substr(0, equals))),
                     Span{span.offset + equals + 1, span.size - equals - 1});
  return {};
}

Result<Stream> Stream::parse(std::string text) {
  if (text.size() > kMaxTextSize) return Error{Fault::too_large, "srcsrv stream: over 256 MiB"};
  Stream stream;
  stream.text_ = std::move(text);
  const std::string_view whole = stream.text_;
  std::string section;
  bool any_section = false;
  for (std::size_t at = 0; at < whole.size();) {
    std::size_t end = whole.find_first_of(std::string_view("\r\n\0", 3), at);
    if (end == std::string_view::npos) end = whole.size();
    const std::string_view line = whole.substr(at, end - at);
    at = end + 1;
    if (line.starts_with(kSectionMark)) {
      section = section_name(line);
      any_section = true;
      if (section == "end") break;
    } else if (!line.empty()) {
      TRY(stream.take_line(section, line));
    }
  }
  if (!any_section) {
    return Error{Fault::malformed, "srcsrv stream: no line begins with \"SRCSRV:\""};
  }
  return stream;
}

const Stream::Span* Stream::find_line(std::string_view path) const {
  const auto [begin, end] = lines_.equal_range(hash_of(path));
  const Span* first = nullptr;  // of several for one path, the one that stands first
  for (auto at = begin; at != end; ++at) {
    if (!is_same_path(path_of(view(at->second)), path)) continue;
    if (first == nullptr || at->second.offset < first->offset) first = &at->second;
  }
  return first;
}

std::string_view Stream::variable(std::string_view name) const {
  const auto at = variables_.find(base::lower_ascii(name));
  return at == variables_.end() ? std::string_view() : view(at->second);
}

namespace {

// The one web address that a command names; "" when there is none or more than one.
std::string only_url_in(std::string_view command) {
  std::string found;
  for (std::size_t at = command.find("http"); at != std::string_view::npos;
       at = command.find("http", at + 4)) {
    const std::string_view rest = command.substr(at);
    const std::string_view url = rest.substr(0, rest.find_first_of(" \t\"'\\<>|"));
    if (!is_web_url(url)) continue;
    if (!found.empty() && found != url) return "";
    found = url;
  }
  return found;
}

}  // namespace

Result<Location> Stream::locate(std::string_view path) const {
  const Span* line = find_line(path);
  if (line == nullptr) {
    return Error{Fault::not_found, "srcsrv stream: no line for " + std::string(path)};
  }
  Evaluation evaluation(*this, view(*line));
  std::string target = TRY(evaluation.value_of("srcsrvtrg"));
  if (is_web_url(target)) return location_of(std::move(target));
  const std::string command = TRY(evaluation.value_of("srcsrvcmd"));
  std::string url = only_url_in(command);
  if (!url.empty()) return location_of(std::move(url));
  return Error{Fault::unsupported,
               "srcsrv stream: " + std::string(path) + " comes from " +
                   (command.empty() ? target : "a command, and commands are never run")};
}

}  // namespace srcsrv
