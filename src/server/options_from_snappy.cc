#include "server/options_from_snappy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/text.h"
#include "server/foreign_logging.h"
#include "server/foreign_paths.h"
#include "server/options_from_mozilla.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;

namespace {

// ConfigParser's own bound for values that stand in values.
constexpr int kDepthMax = 10;
constexpr std::size_t kValueMax = 64 * 1024;

struct Option {
  std::string name;  // in lower case
  std::string value;
  std::size_t line = 0;
};
using Section = std::vector<Option>;
using Sections = std::map<std::string, Section, std::less<>>;

Error at_line(const std::string& file, std::size_t line, const std::string& what) {
  return {Fault::malformed, fmt::format("{}:{}: {}", file, line, what)};
}

bool is_comment(std::string_view line) { return line.starts_with('#') || line.starts_with(';'); }

// "value ; why" has a comment, "value;x" has none.
std::string_view without_comment(std::string_view value) {
  const std::size_t at = value.find(" ;");
  return base::trim(value.substr(0, at));
}

Result<Sections> parse_sections(std::string_view text, const std::string& file) {
  Sections sections;
  Section* section = nullptr;
  std::size_t number = 0;
  for (const std::string_view line : base::split(text, '\n')) {
    ++number;
    const std::string_view content = base::trim(line);
    if (content.empty() || is_comment(line)) continue;
    const bool goes_on = line.front() == ' ' || line.front() == '\t';
    if (goes_on && section != nullptr && !section->empty()) {
      return at_line(file, number, "a value has one line; this goes on with the one before");
    }
    if (content.starts_with('[') && content.ends_with(']')) {
      section = &sections[std::string(content.substr(1, content.size() - 2))];
      continue;
    }
    const std::size_t sign = content.find_first_of("=:");
    if (section == nullptr || sign == std::string_view::npos || sign == 0) {
      return at_line(file, number, "neither [SECTION] nor NAME = VALUE");
    }
    section->push_back({base::lower_ascii(base::trim(content.substr(0, sign))),
                        std::string(without_comment(content.substr(sign + 1))), number});
  }
  return sections;
}

class Snappy {
 public:
  Snappy(Sections sections, std::string file, std::string directory,
         const std::map<std::string, std::string>& environment)
      : sections_(std::move(sections)),
        file_(std::move(file)),
        directory_(std::move(directory)),
        environment_(environment) {}

  Result<ForeignSettings> read() {
    for (const char* needed : {"General", "Log"}) {
      if (sections_.contains(needed)) continue;
      return Error{Fault::malformed, file_ + ": has no section [" + needed + "]"};
    }
    for (const auto& [name, section] : sections_) {
      for (const Option& option : section) TRY(take(name, section, option));
    }
    set("listen", hostname_ + ":" + std::to_string(port_));
    set("symbolication.dialect", "snappy");
    set("symbolication.body", std::string(kOldBodyMax));
    set("log_level", tracing_ ? "debug" : log_level_);
    if (!log_path_.empty()) {
      set("log_file", absolute_path(log_path_, directory_));
      set("log_file_size", std::to_string(log_size_));
      set("log_file_count", std::to_string(log_files_));
    }
    add_cache_place(cache_path_, directory_, read_);
    if (!remote_.empty()) set("symbolication.forward", remote_);
    add_symbol_places(directories_, urls_, directory_, read_);
    return std::move(read_);
  }

 private:
  Result<void> take(const std::string& section, const Section& all, const Option& option) {
    const std::string value = TRY(filled(all, option, option.value, 0));
    if (section == "SymbolPaths") return add(directories_, value);
    if (section == "SymbolURLs") return add(urls_, value);
    if (section == "General") return take_general(option, value);
    if (section == "Log") return take_log(option, value);
    if (section == "MemoryCache" && option.name == "maxmemcachefiles") {
      return warn(option, "is ignored: symbolication.memory bounds what is kept in memory");
    }
    if (section == "DiskCache" && option.name == "diskcachepath") {
      cache_path_ = value;
      return {};
    }
    if (section == "DiskCache" && option.name == "maxdiskcachefiles") {
      return warn(option, "is ignored: the cache is bounded by its bytes, cache.size");
    }
    return unknown(section, option);
  }

  Result<void> take_general(const Option& option, const std::string& value) {
    if (option.name == "hostname") {
      hostname_ = value;
    } else if (option.name == "portnumber") {
      port_ = TRY(number(option, value, 65535));
    } else if (option.name == "enabletracing") {
      const std::uint64_t tracing = TRY(number(option, value, 1 << 20));
      tracing_ = tracing != 0;
    } else if (option.name == "remotesymbolserver") {
      remote_ = value;
    } else {
      return unknown("General", option);
    }
    return {};
  }

  Result<void> take_log(const Option& option, const std::string& value) {
    if (option.name == "logpath") {
      log_path_ = value;
    } else if (option.name == "loglevel") {
      log_level_ = TRY(level(option, value));
    } else if (option.name == "maxfiles") {
      log_files_ = TRY(number(option, value, 1 << 20));
    } else if (option.name == "maxfilesize") {
      log_size_ = TRY(number(option, value, 1ull << 40));
    } else {
      return unknown("Log", option);
    }
    return {};
  }

  Result<std::string> level(const Option& option, const std::string& value) const {
    if (const auto number = find_python_level(value)) {
      return std::string(name_of_python_level(*number));
    }
    return at_line(file_, option.line, option.name + " = " + value + ": is no level");
  }

  Result<std::uint64_t> number(const Option& option, const std::string& value,
                               std::uint64_t most) const {
    const auto read = base::parse_decimal(value);
    if (read && *read <= most) return *read;
    return at_line(file_, option.line, option.name + " = " + value + ": expected a whole number");
  }

  // With %(NAME)s filled in, and %% as one.
  Result<std::string> filled(const Section& section, const Option& option, std::string_view value,
                             int depth) const {
    std::string out;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (value.substr(i).starts_with("%%")) {
        out += value[i++];
        continue;
      }
      const std::size_t end = value.find(")s", i);
      if (!value.substr(i).starts_with("%(") || end == std::string_view::npos) {
        out += value[i];
        continue;
      }
      const std::string name(value.substr(i + 2, end - i - 2));
      const auto meant = find_value(section, name);
      if (!meant || depth >= kDepthMax) {
        return at_line(file_, option.line, "%(" + name + ")s stands for nothing");
      }
      const std::string inner = TRY(filled(section, option, *meant, depth + 1));
      out += inner;
      if (out.size() > kValueMax) {
        return at_line(file_, option.line, option.name + ": the value is too long");
      }
      i = end + 1;
    }
    return out;
  }

  std::optional<std::string> find_value(const Section& section, const std::string& name) const {
    const std::string folded = base::lower_ascii(name);
    const auto own = std::find_if(section.begin(), section.end(),
                                  [&](const Option& one) { return one.name == folded; });
    if (own != section.end()) return own->value;
    for (const auto& [variable, value] : environment_) {
      if (base::equal_ignoring_case(variable, name)) return value;
    }
    return std::nullopt;
  }

  static Result<void> add(std::vector<std::string>& list, const std::string& value) {
    if (!value.empty()) list.push_back(value);
    return {};
  }
  Result<void> warn(const Option& option, const std::string& what) {
    read_.warnings.push_back(fmt::format("{}:{}: {} {}", file_, option.line, option.name, what));
    return {};
  }
  Error unknown(const std::string& section, const Option& option) const {
    return at_line(file_, option.line, "there is no option " + option.name + " in " + section);
  }
  void set(std::string key, std::string value) {
    read_.settings.push_back({std::move(key), std::move(value), file_});
  }

  const Sections sections_;
  const std::string file_;
  const std::string directory_;
  const std::map<std::string, std::string>& environment_;
  std::string hostname_ = "0.0.0.0";
  std::uint64_t port_ = 80;
  bool tracing_ = false;
  std::string remote_;
  std::string cache_path_ = "/tmp/snappy/cache";
  std::string log_path_;
  std::string log_level_ = "info";
  std::uint64_t log_files_ = 10;
  std::uint64_t log_size_ = 1 << 20;
  std::vector<std::string> directories_, urls_;
  ForeignSettings read_;
};

}  // namespace

bool is_snappy(std::string_view text) {
  constexpr std::array<std::string_view, 6> kSections{
      "[General]", "[Log]", "[MemoryCache]", "[DiskCache]", "[SymbolPaths]", "[SymbolURLs]"};
  for (const std::string_view line : base::split(text, '\n')) {
    const std::string_view content = base::trim(line);
    if (content.empty() || is_comment(content)) continue;
    return std::find(kSections.begin(), kSections.end(), content) != kSections.end();
  }
  return false;
}

Result<ForeignSettings> settings_from_snappy(
    std::string_view text, const std::string& file_name, const std::string& directory,
    const std::map<std::string, std::string>& environment) {
  if (!base::is_utf8(text)) {
    return Error{Fault::malformed, file_name + " is not UTF-8: save it in that encoding"};
  }
  Sections sections = TRY(parse_sections(text, file_name));
  return Snappy(std::move(sections), file_name, directory, environment).read();
}

}  // namespace server
