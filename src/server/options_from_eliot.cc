#include "server/options_from_eliot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"
#include "server/foreign_logging.h"
#include "server/foreign_paths.h"

namespace server {

namespace {

constexpr std::string_view kPrefix = "ELIOT_";
constexpr const char* kUrls = "ELIOT_SYMBOLS_URLS";
constexpr const char* kDirectory = "ELIOT_SYMBOLS_CACHE_DIR";
constexpr const char* kSize = "ELIOT_SYMBOLS_CACHE_MAX_SIZE";
constexpr const char* kLevel = "ELIOT_LOGGING_LEVEL";
constexpr std::string_view kDefaultUrl = "https://symbols.mozilla.org/try/";
constexpr std::uint64_t kDefaultSize = 1ull << 30;

// Known there, and without a counterpart.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kIgnored{{
    {"ELIOT_STATSD_HOST", "/metrics has what is counted"},
    {"ELIOT_STATSD_PORT", "/metrics has what is counted"},
    {"ELIOT_STATSD_NAMESPACE", "/metrics has what is counted"},
    {"ELIOT_SECRET_SENTRY_DSN", "errors are in the log"},
    {"ELIOT_HOSTNAME", "it was for figures and logs that others collect"},
    {"ELIOT_HOST_ID", "it was for figures and logs that others collect"},
    {"ELIOT_LOCAL_DEV_ENV", "there is no such mode"},
}};

class Eliot {
 public:
  Eliot(const Environment& environment, const std::string& directory)
      : environment_(environment), directory_(directory) {}

  ForeignSettings read() {
    add_urls(found(kUrls).value_or(std::string(kDefaultUrl)));
    if (const auto directory = found(kDirectory)) {
      set("cache.path", absolute_path(*directory, directory_), kDirectory);
    }
    add_size();
    add_level();
    for (const auto& [name, why] : kIgnored) {
      if (found(std::string(name))) {
        read_.warnings.push_back(fmt::format("{} is ignored: {}", name, why));
      }
    }
    return std::move(read_);
  }

 private:
  std::optional<std::string> found(const std::string& name) const {
    const auto at = environment_.find(name);
    return at == environment_.end() ? std::nullopt : std::optional(at->second);
  }

  void add_urls(const std::string& list) {
    std::size_t count = 0;
    for (const std::string_view one : base::split(list, ',')) {
      const std::string_view url = base::trim(one);
      if (url.empty()) continue;
      const std::string prefix = fmt::format("upstream.{}.", count++);
      set(prefix + "url", std::string(url), kUrls);
      set(prefix + "layout", "breakpad", kUrls);
    }
  }

  // Bytes; the digits may be in groups, as in 1_000_000.
  void add_size() {
    std::string digits = found(kSize).value_or(std::to_string(kDefaultSize));
    std::erase(digits, '_');
    if (!base::parse_decimal(digits)) {
      read_.warnings.push_back(fmt::format("{} is no number of bytes; it is ignored", kSize));
      digits = std::to_string(kDefaultSize);
    }
    set("cache.size", std::move(digits), kSize);
  }

  void add_level() {
    const auto level = found(kLevel);
    if (!level) return;
    if (const auto number = find_python_level(*level)) {
      return set("log_level", std::string(name_of_python_level(*number)), kLevel);
    }
    read_.warnings.push_back(fmt::format("{} = {} is no level; it is ignored", kLevel, *level));
  }

  void set(std::string key, std::string value, const char* from) {
    read_.settings.push_back({std::move(key), std::move(value), from});
  }

  const Environment& environment_;
  const std::string& directory_;
  ForeignSettings read_;
};

}  // namespace

std::optional<ForeignSettings> find_settings_from_eliot(const Environment& environment,
                                                        const std::string& directory) {
  const bool is_set = std::any_of(environment.begin(), environment.end(), [](const auto& variable) {
    return variable.first.starts_with(kPrefix);
  });
  if (!is_set) return std::nullopt;
  return Eliot(environment, directory).read();
}

}  // namespace server
