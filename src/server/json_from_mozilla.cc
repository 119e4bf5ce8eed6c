#include "server/json_from_mozilla.h"

#include "base/json.h"

namespace server {

using base::JsonWriter;

namespace {

void add_texts(JsonWriter& out, const char* key, const std::vector<std::string>& texts) {
  out.key(key).begin_array();
  for (const std::string& text : texts) out.string(text);
  out.end_array();
}

void add_log(JsonWriter& out, const MozillaLog& log) {
  out.key("log").begin_object();
  out.key("path").string(log.path);
  out.key("level").unsigned_integer(log.level);
  out.key("maxFiles").unsigned_integer(log.files);
  out.key("maxFileSizeMB").unsigned_integer(log.file_size_mb);
  out.end_object();
}

void add_start(JsonWriter& out, const MozillaStart& start) {
  out.key("start").boolean(start.start);
  out.key("restart").boolean(start.restart);
}

void add_disk_cache(JsonWriter& out, const MozillaConfig::DiskCache& cache) {
  out.key("DiskCache").begin_object();
  out.key("cachePath").string(cache.cache_path);
  add_texts(out, "localSymbolDirs", cache.local_symbol_dirs);
  out.key("maxSizeMB").unsigned_integer(cache.max_size_mb);
  out.key("listenAddress").string(cache.listen_address);
  out.key("port").unsigned_integer(cache.port);
  out.key("retries").unsigned_integer(cache.retries);
  out.key("retryDelayMs").unsigned_integer(cache.retry_delay_ms);
  add_texts(out, "symbolURLs", cache.symbol_urls);
  add_log(out, cache.log);
  out.end_object();
}

void add_sym_server(JsonWriter& out, const MozillaConfig::SymServer& server) {
  out.key("SymServer").begin_object();
  out.key("listenAddress").string(server.listen_address);
  out.key("port").unsigned_integer(server.port);
  add_texts(out, "memcachedServers", server.memcached_servers);
  out.key("DiskCacheServer").string(server.disk_cache_server);
  add_log(out, server.log);
  out.end_object();
}

void add_quickstart(JsonWriter& out, const MozillaConfig::Quickstart& quickstart) {
  out.key("quickstart").begin_object();
  out.key("verbose").boolean(quickstart.verbose);
  const MozillaConfig::Quickstart::Memcached& memcached = quickstart.memcached;
  out.key("memcached").begin_object();
  add_start(out, memcached.starting);
  out.key("binary").string(memcached.binary);
  out.key("port").unsigned_integer(memcached.port);
  out.key("listenAddress").string(memcached.listen_address);
  out.key("maxMemoryMB").unsigned_integer(memcached.max_memory_mb);
  out.end_object();
  out.key("DiskCache").begin_object();
  add_start(out, quickstart.disk_cache);
  out.end_object();
  out.key("SymServer").begin_object();
  add_start(out, quickstart.sym_server);
  out.end_object();
  out.end_object();
}

}  // namespace

std::string json_from_mozilla(const MozillaConfig& config) {
  JsonWriter out;
  out.begin_object();
  add_disk_cache(out, config.disk_cache);
  add_sym_server(out, config.sym_server);
  add_quickstart(out, config.quickstart);
  out.end_object();
  return out.take();
}

}  // namespace server
