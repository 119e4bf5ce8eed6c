#include "server/mozilla_config.h"

#include <array>
#include <cmath>
#include <optional>

#include "base/file.h"
#include "base/text.h"

namespace server {

using base::Error;
using base::Fault;
using base::JsonValue;
using base::Result;

namespace {

constexpr std::uint64_t kSizeMax = 1 << 20;
constexpr std::uint64_t kPortMax = 65535;
constexpr std::uint64_t kNumberMax = 1ull << 40;  // megabytes of that many are bytes still
constexpr std::array<std::string_view, 3> kSections{"DiskCache", "SymServer", "quickstart"};

// What Python's int() makes of a value, where that is not negative.
std::optional<std::uint64_t> find_number(const JsonValue& value) {
  if (const bool* flag = value.boolean()) return *flag ? 1 : 0;
  if (const auto* whole = value.integer(); whole != nullptr && *whole >= 0) {
    return static_cast<std::uint64_t>(*whole);
  }
  if (const auto* broken = value.number(); broken != nullptr) {
    if (*broken >= 0 && *broken <= static_cast<double>(kNumberMax)) {
      return static_cast<std::uint64_t>(std::floor(*broken));
    }
  }
  if (const auto* text = value.string()) return base::parse_decimal(base::trim(*text));
  return std::nullopt;
}

// One object of the file, which outlives it; a member that is absent leaves what was there.
class Section {
 public:
  Section(const JsonValue& value, std::string place) : value_(value), place_(std::move(place)) {}

  Result<Section> section(std::string_view name) const {
    if (has(name) && value_[name].object() == nullptr) return wrong(name, "an object");
    return Section(value_[name], place_of(name));
  }
  Result<void> text(std::string_view name, std::string& into) const {
    if (!has(name)) return {};
    const std::string* text = value_[name].string();
    if (text == nullptr) return wrong(name, "a text");
    into = *text;
    return {};
  }
  Result<void> number(std::string_view name, std::uint64_t& into,
                      std::uint64_t most = kNumberMax) const {
    if (!has(name)) return {};
    const auto number = find_number(value_[name]);
    if (!number || *number > most) return wrong(name, "a whole number");
    into = *number;
    return {};
  }
  Result<void> flag(std::string_view name, bool& into) const {
    if (!has(name)) return {};
    const auto number = find_number(value_[name]);
    if (!number) return wrong(name, "true or false");
    into = *number != 0;
    return {};
  }
  Result<void> texts(std::string_view name, std::vector<std::string>& into) const {
    if (!has(name)) return {};
    const JsonValue::Array* list = value_[name].array();
    if (list == nullptr) return wrong(name, "a list of texts");
    into.clear();
    for (const JsonValue& item : *list) {
      if (item.string() == nullptr) return wrong(name, "a list of texts");
      into.push_back(*item.string());
    }
    return {};
  }

 private:
  bool has(std::string_view name) const {
    const JsonValue::Object* members = value_.object();
    return members != nullptr && members->find(name) != members->end();
  }
  std::string place_of(std::string_view name) const {
    std::string place = place_;
    if (!place.ends_with(": ")) place += '.';
    return place.append(name);
  }
  Error wrong(std::string_view name, std::string_view expected) const {
    return {Fault::malformed, place_of(name).append(": expected ").append(expected)};
  }

  const JsonValue& value_;
  const std::string place_;  // "config.json: DiskCache.log"
};

Result<void> read_log(const Section& program, MozillaLog& log) {
  const Section section = TRY(program.section("log"));
  TRY(section.text("path", log.path));
  TRY(section.number("level", log.level));
  TRY(section.number("maxFiles", log.files));
  return section.number("maxFileSizeMB", log.file_size_mb);
}

Result<void> read_disk_cache(const Section& section, MozillaConfig::DiskCache& cache) {
  TRY(section.text("cachePath", cache.cache_path));
  TRY(section.texts("localSymbolDirs", cache.local_symbol_dirs));
  TRY(section.number("maxSizeMB", cache.max_size_mb));
  TRY(section.text("listenAddress", cache.listen_address));
  TRY(section.number("port", cache.port, kPortMax));
  TRY(section.number("retries", cache.retries));
  TRY(section.number("retryDelayMs", cache.retry_delay_ms));
  TRY(section.texts("symbolURLs", cache.symbol_urls));
  return read_log(section, cache.log);
}

Result<void> read_sym_server(const Section& section, MozillaConfig::SymServer& server) {
  TRY(section.text("listenAddress", server.listen_address));
  TRY(section.number("port", server.port, kPortMax));
  TRY(section.texts("memcachedServers", server.memcached_servers));
  TRY(section.text("DiskCacheServer", server.disk_cache_server));
  return read_log(section, server.log);
}

Result<void> read_start(const Section& section, MozillaStart& start) {
  TRY(section.flag("start", start.start));
  return section.flag("restart", start.restart);
}

Result<void> read_docker(const Section& section, MozillaConfig::Quickstart::Docker& docker) {
  TRY(section.flag("enable", docker.enable));
  TRY(section.text("apiSocket", docker.api_socket));
  TRY(section.text("engine", docker.engine));
  TRY(section.text("image", docker.image));
  TRY(section.text("makeImage", docker.make_image));
  TRY(section.text("container", docker.container));
  TRY(section.text("network", docker.network));
  const Section publish = TRY(section.section("publish"));
  TRY(publish.flag("memcached", docker.publish_memcached));
  TRY(publish.flag("DiskCache", docker.publish_disk_cache));
  TRY(publish.text("address", docker.publish_address));
  return publish.flag("SymServer", docker.publish_sym_server);
}

Result<void> read_memcached(const Section& section,
                            MozillaConfig::Quickstart::Memcached& memcached) {
  TRY(read_start(section, memcached.starting));
  TRY(section.text("binary", memcached.binary));
  TRY(section.number("port", memcached.port, kPortMax));
  TRY(section.text("listenAddress", memcached.listen_address));
  return section.number("maxMemoryMB", memcached.max_memory_mb);
}

Result<void> read_quickstart(const Section& section, MozillaConfig::Quickstart& quickstart) {
  TRY(section.flag("verbose", quickstart.verbose));
  const Section docker = TRY(section.section("Docker"));
  TRY(read_docker(docker, quickstart.docker));
  const Section memcached = TRY(section.section("memcached"));
  TRY(read_memcached(memcached, quickstart.memcached));
  const Section disk_cache = TRY(section.section("DiskCache"));
  TRY(read_start(disk_cache, quickstart.disk_cache));
  const Section sym_server = TRY(section.section("SymServer"));
  return read_start(sym_server, quickstart.sym_server);
}

}  // namespace

std::string listen_text(const std::string& address, std::uint64_t port) {
  const bool is_bare = address.find(':') != std::string::npos && !address.starts_with('[');
  std::string text = is_bare ? "[" + address + "]" : address;
  return text.append(":").append(std::to_string(port));
}

bool is_mozilla(const JsonValue& config) {
  const JsonValue::Object* members = config.object();
  if (members == nullptr) return false;
  for (const std::string_view section : kSections) {
    if (members->find(section) != members->end()) return true;
  }
  return false;
}

Result<MozillaConfig> mozilla_config(const JsonValue& config, const std::string& file_name) {
  const Section file(config, file_name + ": ");
  if (config.object() == nullptr) {
    return Error{Fault::malformed, file_name + ": expected a JSON object"};
  }
  MozillaConfig read;
  const Section disk_cache = TRY(file.section("DiskCache"));
  TRY(read_disk_cache(disk_cache, read.disk_cache));
  const Section sym_server = TRY(file.section("SymServer"));
  TRY(read_sym_server(sym_server, read.sym_server));
  const Section quickstart = TRY(file.section("quickstart"));
  TRY(read_quickstart(quickstart, read.quickstart));
  return read;
}

Result<MozillaConfig> read_mozilla_config(const std::string& path, std::string_view json) {
  if (path.empty() && json.empty()) return MozillaConfig();
  std::string text(json);
  if (!path.empty()) text = TRY(base::read_file(path, kSizeMax));
  const std::string name = path.empty() ? "--configJSON" : path;
  const auto config = JsonValue::parse(text);
  if (!config.ok()) return base::with_context(name, config.error());
  return mozilla_config(*config, name);
}

}  // namespace server
