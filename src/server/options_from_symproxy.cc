#include "server/options_from_symproxy.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/text.h"
#include "ident/scope.h"
#include "server/foreign_paths.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::string_view kProxyKey = "\\microsoft\\symbol server proxy";
constexpr std::string_view kDirectories = "\\microsoft\\symbol server proxy\\web directories\\";
constexpr std::string_view kTimeouts = "\\microsoft\\symbol server\\timeouts";
constexpr std::string_view kExclusions = "\\microsoft\\symbol server\\exclusions";
constexpr std::size_t kStoresMax = 10;  // of one path, as there

// UriFilter: which files are asked for, over HTTP and from shares.
constexpr std::uint32_t kPackedOverHttp = 0x02, kPointersOverHttp = 0x04;
constexpr std::uint32_t kPackedFromShares = 0x20, kPointersFromShares = 0x40;
constexpr std::uint32_t kMinute = 60;
constexpr std::uint32_t kMissTimeout = 300;  // seconds, when nothing is said

struct WebDirectory {
  std::string name;
  std::vector<std::string> stores;
  std::size_t line = 0;
};

// "mso*" as an expression of whole names without case.
std::string expression_of(std::string_view wildcard) {
  constexpr std::string_view kSpecial = "\\^$.|?*+()[]{}";
  std::string out = "(?i)";
  for (const char c : wildcard) {
    if (c == '*') {
      out += ".*";
    } else if (c == '?') {
      out += '.';
    } else {
      if (kSpecial.find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out + "$";
}

bool is_share(std::string_view store) { return store.starts_with("\\\\") || is_of_windows(store); }

class SymProxy {
 public:
  explicit SymProxy(std::string file_name) : file_(std::move(file_name)) {}

  Result<ForeignSettings> read(const std::vector<RegistryKey>& keys) {
    for (const RegistryKey& key : keys) read_key(key);
    if (directories_.empty()) {
      return Error{Fault::malformed,
                   file_ +
                       ": has no key …\\Symbol Server Proxy\\Web Directories\\NAME with a "
                       "SymbolPath"};
    }
    set_directories();
    if (!denied_.empty()) set("upstreams.deny", denied_, 0);
    warn_of_options();
    return std::move(read_);
  }

 private:
  void read_key(const RegistryKey& key) {
    const std::string path = base::lower_ascii(key.path);
    if (const std::size_t at = path.find(kDirectories); at != std::string::npos) {
      return read_directory(key, key.path.substr(at + kDirectories.size()));
    }
    if (path.ends_with(kExclusions)) return read_exclusions(key);
    if (!path.ends_with(kProxyKey) && !path.ends_with(kTimeouts)) return;
    for (const RegistryValue& value : key.values) {
      if (value.number) numbers_[base::lower_ascii(value.name)] = *value.number;
    }
  }

  void read_directory(const RegistryKey& key, std::string name) {
    for (const RegistryValue& value : key.values) {
      if (!base::equal_ignoring_case(value.name, "SymbolPath")) continue;
      WebDirectory directory{std::move(name), {}, value.line};
      for (const std::string_view store : base::split(value.text, ';')) {
        const std::string_view location = base::trim(store);
        if (!location.empty()) directory.stores.emplace_back(location);
      }
      if (directory.stores.size() > kStoresMax) {
        warn(value.line, fmt::format("{}: SymProxy asked the first {} stores only", directory.name,
                                     kStoresMax));
        directory.stores.resize(kStoresMax);
      }
      directories_.push_back(std::move(directory));
      return;
    }
  }

  void read_exclusions(const RegistryKey& key) {
    for (const RegistryValue& value : key.values) {
      // The name is the wildcard, or the value is.
      const std::string& wildcard = value.text.empty() ? value.name : value.text;
      if (wildcard.empty()) continue;
      if (!denied_.empty()) denied_ += '\n';
      denied_ += expression_of(wildcard);
    }
  }

  // One directory is everybody's files; of several the first is, and the others are projects.
  void set_directories() {
    std::string lines;
    for (std::size_t i = 0; i < directories_.size(); ++i) {
      const WebDirectory& directory = directories_[i];
      const std::string project = i == 0 ? "" : project_of(directory, i);
      if (!lines.empty()) lines += '\n';
      lines += directory.name;
      if (!project.empty()) lines += "=" + project;
      for (const std::string& store : directory.stores) set_store(store, project, directory.line);
    }
    set("virtual_directories", lines, directories_.front().line);
  }

  static std::string project_of(const WebDirectory& directory, std::size_t number) {
    const std::string name = base::lower_ascii(directory.name);
    return ident::is_project_name(name) ? name : "directory-" + std::to_string(number + 1);
  }

  void set_store(const std::string& store, const std::string& project, std::size_t line) {
    const std::string prefix = "upstream." + std::to_string(servers_++) + ".";
    set(prefix + "url", store, line);
    set(prefix + "layout", "symstore-any", line);
    if (!project.empty()) set(prefix + "projects", project, line);
    const bool share = is_share(store);
    bool pointers = !is_on("nofilepointers");
    if (const auto filter = number("urifilter")) {
      const bool packed = (*filter & (share ? kPackedFromShares : kPackedOverHttp)) != 0;
      if (!packed) set(prefix + "cabinets", "0", line);
      pointers = pointers && (*filter & (share ? kPointersFromShares : kPointersOverHttp)) != 0;
    }
    set(prefix + "pointers", pointers ? "1" : "0", line);
    set_number(prefix + "retry_seconds", number("misstimeout").value_or(kMissTimeout), line);
    const auto stall = number("requesttimeout");
    if (stall && *stall != 0) set_number(prefix + "stall_seconds", *stall, line);
    set_blackout(prefix, line);
  }

  // So many failures within a time, and how long the server is then left alone.
  struct Blackout {
    std::uint64_t count = 0, period = 0, rest = 0;  // seconds
  };
  // Nothing when one of the three is 0 or missing: then it is off.
  std::optional<Blackout> blackout_of(std::string_view count, std::string_view period,
                                      std::string_view rest, std::uint32_t unit) const {
    const Blackout read{number(count).value_or(0), std::uint64_t{number(period).value_or(0)} * unit,
                        std::uint64_t{number(rest).value_or(0)} * unit};
    if (read.count == 0 || read.period == 0 || read.rest == 0) return std::nullopt;
    return read;
  }

  // SymProxy's own, in seconds, or symsrv's, in minutes.
  void set_blackout(const std::string& prefix, std::size_t line) {
    auto blackout = blackout_of("failurecount", "failureperiod", "failureblackout", 1);
    if (!blackout) blackout = blackout_of("count", "trigger", "blackout", kMinute);
    set_number(prefix + "failures_max", blackout ? blackout->count : 0, line);
    if (!blackout) return;
    set_number(prefix + "failures_seconds", blackout->period, line);
    set_number(prefix + "rest_seconds", blackout->rest, line);
  }

  void warn_of_options() {
    struct Row {
      const char* name;
      const char* what;
    };
    constexpr Row kRows[] = {
        {"NoCache", "what comes from other servers is kept here all the same"},
        {"NoUncompress", "files are served plain and packed, whichever is asked for"},
        {"NoLongerIndexedAuthoritive", "a server's word that a file is gone is a miss"}};
    for (const Row& row : kRows) {
      if (is_on(base::lower_ascii(row.name)))
        warn(0, fmt::format("{} is ignored: {}", row.name, row.what));
    }
    if (number("nointernetproxy") == 0u) {
      warn(0,
           "NoInternetProxy is 0: which proxy Windows used is not said; `proxy` of [[upstream]]");
    }
    if (number("uritiers") == 2u) set("store.two_tier", "1", 0);
  }

  std::optional<std::uint32_t> number(std::string_view name) const {
    const auto at = numbers_.find(name);
    return at == numbers_.end() ? std::nullopt : std::optional(at->second);
  }
  bool is_on(std::string_view name) const { return number(name).value_or(0) != 0; }

  void set_number(std::string key, std::uint64_t value, std::size_t line) {
    set(std::move(key), std::to_string(value), line);
  }
  void set(std::string key, std::string value, std::size_t line) {
    std::string source = line == 0 ? file_ : fmt::format("{}:{}", file_, line);
    read_.settings.push_back({std::move(key), std::move(value), std::move(source)});
  }
  void warn(std::size_t line, const std::string& what) {
    read_.warnings.push_back(line == 0 ? fmt::format("{}: {}", file_, what)
                                       : fmt::format("{}:{}: {}", file_, line, what));
  }

  const std::string file_;
  std::vector<WebDirectory> directories_;
  std::map<std::string, std::uint32_t, std::less<>> numbers_;  // by name in lower case
  std::string denied_;                                         // expressions, one a line
  std::size_t servers_ = 0;
  ForeignSettings read_;
};

}  // namespace

Result<ForeignSettings> settings_from_symproxy(const std::vector<RegistryKey>& keys,
                                               const std::string& file_name) {
  return SymProxy(file_name).read(keys);
}

}  // namespace server
