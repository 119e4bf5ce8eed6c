#include "server/options_from_mozilla.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "server/foreign_logging.h"
#include "server/foreign_paths.h"

namespace server {
namespace {

// Less than quickstart gives a server before it is killed.
constexpr std::string_view kDrainSeconds = "3";
// DiskCache stands beside us: asking it again costs nothing, and it may have been started late.
constexpr std::string_view kDiskCacheRetry = "1";
constexpr std::string_view kWatchSeconds = "1";

class Writer {
 public:
  explicit Writer(ForeignSettings& into) : into_(into) {}

  void set(std::string key, std::string_view value, std::string_view from) {
    into_.settings.push_back({std::move(key), std::string(value), std::string(from)});
  }
  void set(std::string key, std::uint64_t value, std::string_view from) {
    set(std::move(key), std::to_string(value), from);
  }
  void warn(std::string what) { into_.warnings.push_back(std::move(what)); }

 private:
  ForeignSettings& into_;
};

void add_log(const MozillaLog& log, const std::string& program, const std::string& directory,
             Writer& writer) {
  writer.set("log_level", name_of_python_level(log.level), program + ".log.level");
  if (log.path.empty()) return;
  writer.set("log_file", absolute_path(log.path, directory), program + ".log.path");
  writer.set("log_file_size", std::to_string(log.file_size_mb) + " MiB",
             program + ".log.maxFileSizeMB");
  // It counts the one that is written to; with none beside that it never began anew.
  writer.set("log_file_count", std::max<std::uint64_t>(log.files, 1) - 1,
             program + ".log.maxFiles");
}

void add_ways(const std::string& address, std::uint64_t port, std::string_view debug,
              const std::string& program, Writer& writer) {
  writer.set("listen", listen_text(address, port), program + ".port");
  writer.set("symbolication.dialect", "mozilla", program);
  writer.set("symbolication.debug", debug, program);
  writer.set("symbolication.body", kOldBodyMax, program);
  writer.set("drain_seconds", kDrainSeconds, program);
}

// Whether something lies there that is not ours (store/data_directory.h): the original's symbols,
// each in a directory of its module.
bool has_old_cache(const std::string& path) {
  std::error_code failed, unknown;
  const std::filesystem::directory_iterator end;
  for (std::filesystem::directory_iterator at(path, failed); !failed && at != end;
       at.increment(failed)) {
    if (at->is_directory(unknown) && at->path().filename() != "faultline") return true;
  }
  return false;
}

// What the original had in its cache it took from there before it asked anybody.
void add_cache(const MozillaConfig::DiskCache& cache, const std::string& directory,
               ForeignSettings& into) {
  Writer writer(into);
  add_cache_place(cache.cache_path, directory, into);
  writer.set("cache.size", std::to_string(std::max<std::uint64_t>(cache.max_size_mb, 1)) + " MiB",
             "DiskCache.maxSizeMB");
  std::vector<std::string> directories = cache.local_symbol_dirs;
  const std::string path = absolute_path(cache.cache_path, directory);
  if (has_old_cache(path)) directories.insert(directories.begin(), path);
  add_symbol_places(directories, cache.symbol_urls, directory, into);
  writer.set("upstreams.rounds", std::max<std::uint64_t>(cache.retries, 1), "DiskCache.retries");
  writer.set("upstreams.round_ms", cache.retry_delay_ms, "DiskCache.retryDelayMs");
}

void add_memcached(const MozillaConfig::SymServer& server, Writer& writer) {
  std::string lines;
  for (const std::string& one : server.memcached_servers) {
    if (!lines.empty()) lines += '\n';
    lines += one;
  }
  writer.set("memcached.servers", lines, "SymServer.memcachedServers");
}

std::string with_scheme(const std::string& server) {
  return server.find("://") == std::string::npos ? "http://" + server : server;
}

}  // namespace

void add_cache_place(const std::string& cache_path, const std::string& directory,
                     ForeignSettings& into) {
  Writer writer(into);
  const std::string path = absolute_path(cache_path, directory);
  writer.set("data", path + ".faultline", "cachePath");
  writer.set("cache.path", path, "cachePath");
}

void add_symbol_places(const std::vector<std::string>& directories,
                       const std::vector<std::string>& urls, const std::string& directory,
                       ForeignSettings& into) {
  Writer writer(into);
  std::size_t servers = 0;
  for (const std::string& one : directories) {
    const std::string path = absolute_path(one, directory);
    std::error_code failed;
    if (!std::filesystem::is_directory(path, failed)) {
      writer.warn(path + ": is no directory; it is left out");
      continue;
    }
    const std::string prefix = fmt::format("upstream.{}.", servers++);
    writer.set(prefix + "url", path, "a directory of symbols");
    writer.set(prefix + "layout", "breakpad", "a directory of symbols");
    writer.set(prefix + "pointers", "0", "a directory of symbols");
    writer.set(prefix + "retry_seconds", kWatchSeconds, "a directory of symbols");
    writer.set(prefix + "watch_seconds", kWatchSeconds, "a directory of symbols");
    writer.set(prefix + "failures_max", "0", "a directory of symbols");
  }
  for (const std::string& url : urls) {
    const std::string prefix = fmt::format("upstream.{}.", servers++);
    writer.set(prefix + "url", url, "a URL of symbols");
    writer.set(prefix + "layout", "breakpad", "a URL of symbols");
  }
}

ForeignSettings settings_of_disk_cache(const MozillaConfig& config, const std::string& directory) {
  ForeignSettings read;
  Writer writer(read);
  add_ways(config.disk_cache.listen_address, config.disk_cache.port, "diskcache", "DiskCache",
           writer);
  add_log(config.disk_cache.log, "DiskCache", directory, writer);
  add_cache(config.disk_cache, directory, read);
  return read;
}

ForeignSettings settings_of_sym_server(const MozillaConfig& config, const std::string& directory) {
  ForeignSettings read;
  Writer writer(read);
  const MozillaConfig::SymServer& server = config.sym_server;
  add_ways(server.listen_address, server.port, "symserver", "SymServer", writer);
  add_log(server.log, "SymServer", directory, writer);
  // It kept nothing itself. What we make of symbols has to lie somewhere, and is bounded alike.
  const std::string data = absolute_path(config.disk_cache.cache_path, directory) + ".symserver";
  writer.set("data", data, "DiskCache.cachePath");
  writer.set("cache.size",
             std::to_string(std::max<std::uint64_t>(config.disk_cache.max_size_mb, 1)) + " MiB",
             "DiskCache.maxSizeMB");
  writer.set("upstream.0.url", with_scheme(server.disk_cache_server), "SymServer.DiskCacheServer");
  writer.set("upstream.0.name", "DiskCache", "SymServer.DiskCacheServer");
  writer.set("upstream.0.layout", "breakpad", "SymServer.DiskCacheServer");
  writer.set("upstream.0.retry_seconds", kDiskCacheRetry, "SymServer.DiskCacheServer");
  // That it cannot have a file from others now says nothing of those it has.
  writer.set("upstream.0.failures_max", "0", "SymServer.DiskCacheServer");
  add_memcached(server, writer);
  return read;
}

ForeignSettings settings_of_both(const MozillaConfig& config, const std::string& directory) {
  ForeignSettings read;
  Writer writer(read);
  add_ways(config.sym_server.listen_address, config.sym_server.port, "all", "SymServer", writer);
  add_log(config.sym_server.log, "SymServer", directory, writer);
  add_cache(config.disk_cache, directory, read);
  add_memcached(config.sym_server, writer);
  return read;
}

}  // namespace server
