#include "server/room_options.h"

#include <algorithm>

#include "api/upload_by_url.h"
#include "base/file.h"
#include "base/pool.h"
#include "base/text.h"
#include "ingest/path_patterns.h"
#include "net/listener.h"
#include "server/exclusions.h"
#include "server/pointers.h"
#include "server/upkeep_wiring.h"
#include "server/version.h"
#include "sources/roots.h"
#include "sources/web.h"
#include "supply/extract_in_child.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;

supply::Supply::Options supply_options(const Options& options, const store::DataDirectory& data) {
  supply::ExtractLimits limits;
  limits.memory_bytes_max = options.conversion_memory;
  limits.seconds_max = options.conversion_seconds;
  supply::Supply::Options supply;
  supply.derived.directory = data.index();
  supply.derived.tmp = data.tmp_of_kept();
  supply.derived.threads = static_cast<unsigned>(options.conversion_threads);
  supply.derived.processors = base::default_thread_count();
  supply.derived.extractor = supply::extract_in_child("/proc/self/exe", limits);
  return supply;
}

std::uint64_t scan_disk_free(const Options& options, const store::DataDirectory& data) {
  if (options.scan_disk_free_percent == 0) return options.scan_disk_free;
  return store::disk_size(data.path()) / 100 * options.scan_disk_free_percent;
}

ingest::ScanOptions scan_options(const Options& options, const store::DataDirectory& data) {
  ingest::ScanOptions scan;
  for (const std::string_view path : base::split(options.scan_paths, ':')) {
    if (!path.empty()) scan.paths.emplace_back(path);
  }
  scan.files = options.scan_files != 0;
  scan.packages = options.scan_commands;
  for (const std::string_view word : base::split(options.scan_packages, ' ')) {
    if (word == "usual") {
      scan.packages = ingest::usual_packages();
    } else if (!word.empty()) {
      scan.packages.emplace(word, "");
    }
  }
  scan.include = options.scan_include;
  scan.exclude = options.scan_exclude;
  scan.follow_links = options.scan_follow_links != 0;
  scan.drop_excluded = !options.scan_keeps_excluded;
  scan.threads = std::max(1u, static_cast<unsigned>(options.scan_threads));
  scan.rescan_seconds = scan.paths.empty() ? 0 : static_cast<unsigned>(options.scan_seconds);
  scan.groom_seconds = static_cast<unsigned>(options.groom_seconds);
  scan.disk_free_min = scan_disk_free(options, data);
  return scan;
}

archive::ZipLimits zip_limits(const Options& options) {
  archive::ZipLimits limits;
  limits.members_max = options.limit_zip_members;
  limits.member_size_max = options.limit_upload;
  limits.ratio_max = options.limit_expansion;
  return limits;
}

ingest::UnpackLimits upload_unpacking() {
  ingest::UnpackLimits limits;
  limits.seconds_max = 600;
  return limits;
}

api::UploadOptions upload_options(const Options& options) {
  api::UploadOptions upload;
  upload.body_size_max = options.limit_upload;
  upload.free_bytes_min = options.disk_free_min;
  upload.try_days = options.upload_try_days;
  upload.sentry_request_size_max = options.limit_sentry_request;
  upload.public_url = options.public_url;
  upload.url_hosts = options.upload_url_hosts;
  upload.url_private_hosts = options.upload_url_private == "yes";
  upload.url_ca_bundle = options.upload_url_ca_bundle;
  return upload;
}

store::DiskWatch::Marks disk_marks(const Options& options) {
  return {options.disk_stop_caching, options.disk_stop_extracting, options.disk_free_min};
}

api::Layout layout_of(const Options& options, const store::Access& access,
                      const std::string& project) {
  if (project.empty()) return {options.store_two_tier != 0, options.store_cabinets != 0};
  const auto found = access.find_project(project);
  return found ? api::Layout{found->two_tier, found->cabinets} : api::Layout{};
}

api::HomeOptions home_options(const Options& options) {
  return {options.home_redirect, options.home_html, options.is_debuginfod, kVersion};
}

api::MetadataOptions metadata_options(const Options& options) {
  api::MetadataOptions metadata;
  metadata.time_max = std::chrono::seconds(options.metadata_seconds);
  return metadata;
}

namespace {

// As the configuration has lists: a line for each item, or semicolons.
std::vector<std::string> items_of(std::string text) {
  std::replace(text.begin(), text.end(), ';', '\n');
  std::vector<std::string> items;
  for (const std::string_view line : base::split(text, '\n')) {
    if (!base::trim(line).empty()) items.emplace_back(base::trim(line));
  }
  return items;
}

Result<api::SymbolicationDebug::Of> debug_of(const std::string& name) {
  using Of = api::SymbolicationDebug::Of;
  if (name == "all") return Of::both;
  if (name == "symserver") return Of::sym_server;
  if (name == "diskcache") return Of::disk_cache;
  return Error{Fault::malformed,
               "symbolication.debug: expected all, symserver or diskcache, got '" + name + "'"};
}

// Null: no servers.
Result<std::unique_ptr<api::FrameCache>> frame_cache(const Options& options) {
  using Keys = api::FrameCache::Keys;
  const bool is_bare = options.memcached_keys == "bare";
  if (!is_bare && options.memcached_keys != "content") {
    return Error{Fault::malformed,
                 "memcached.keys: expected content or bare, got '" + options.memcached_keys + "'"};
  }
  net::Memcached::Options shared;
  shared.servers = items_of(options.memcached_servers);
  if (shared.servers.empty()) return std::unique_ptr<api::FrameCache>();
  shared.timeout = std::chrono::milliseconds(options.memcached_timeout_ms);
  shared.rest = std::chrono::seconds(options.memcached_rest_seconds);
  std::unique_ptr<net::Memcached> memcached = TRY(net::Memcached::make(shared));
  return std::make_unique<api::FrameCache>(std::move(memcached),
                                           is_bare ? Keys::bare : Keys::content);
}

}  // namespace

Result<api::Symbolication::Options> symbolication_options(const Options& options) {
  api::Symbolication::Options symbolication;
  symbolication.threads =
      static_cast<unsigned>(std::max<std::uint64_t>(options.symbolication_threads, 1));
  symbolication.bodies_max = options.symbolication_bodies;
  symbolication.old_body_max = options.symbolication_body;
  symbolication.time_max = std::chrono::seconds(options.symbolication_seconds);
  symbolication.allowed_origin = options.symbolication_origin;
  if (options.symbolication_dialect == "snappy") {
    symbolication.old_dialect = symbolicate::Dialect::snappy;
  } else if (options.symbolication_dialect != "mozilla") {
    return Error{Fault::malformed, "symbolication.dialect: expected mozilla or snappy, got '" +
                                       options.symbolication_dialect + "'"};
  }
  symbolication.debug_of = TRY(debug_of(options.symbolication_debug));
  symbolication.frames = TRY(frame_cache(options));
  symbolication.forward.url = options.symbolication_forward;
  if (!options.symbolication_forward.empty() &&
      options.symbolication_forward.find("://") == std::string::npos) {
    symbolication.forward.url = "http://" + options.symbolication_forward;
  }
  return symbolication;
}

Result<RequestSources::Options> request_sources_options(const Options& options) {
  RequestSources::Options sources;
  sources.is_open = options.symbolication_sources != 0;
  auto addresses = net::AddressSet::parse(lines_of(options.symbolication_private_sources));
  if (!addresses.ok()) {
    return base::with_context("symbolication.private_sources", std::move(addresses).error());
  }
  sources.private_addresses = std::move(*addresses);
  // A dump is walked before its modules are looked for.
  sources.use_time =
      std::chrono::seconds(2 * options.symbolication_seconds) + std::chrono::minutes(1);
  return sources;
}

api::Symbolicator::Options symbolicator_options(const Options& options,
                                                const store::DataDirectory& data) {
  api::Symbolicator::Options symbolicator;
  symbolicator.threads =
      static_cast<unsigned>(std::max<std::uint64_t>(options.symbolication_threads, 1));
  symbolicator.dump_threads =
      static_cast<unsigned>(std::max<std::uint64_t>(options.processing_threads, 1));
  symbolicator.time_max = std::chrono::seconds(options.symbolication_seconds);
  symbolicator.tmp = data.tmp();
  return symbolicator;
}

api::SubmitOptions submit_options(const Options& options) {
  api::SubmitOptions submit;
  submit.body_size_max = options.limit_crash_report;
  submit.multipart.parts_max = options.limit_parts;
  return submit;
}

Result<base::log::Level> log_level(const Options& options) {
  using base::log::Level;
  const std::string& name = options.log_level;
  if (name == "debug") return Level::debug;
  if (name == "info") return Level::info;
  if (name == "warning") return Level::warning;
  if (name == "error") return Level::error;
  if (name == "off") return Level::off;
  return base::Error{base::Fault::malformed,
                     "log_level " + name + " is none of debug, info, warning, error and off"};
}

Result<base::log::Format> log_format(const Options& options) {
  if (options.log_format == "text") return base::log::Format::text;
  if (options.log_format == "json") return base::log::Format::json;
  return base::Error{base::Fault::malformed,
                     "log_format " + options.log_format + " is neither text nor json"};
}

Result<api::AnswerLog::Wants> answers_to_log(const Options& options) {
  const auto wants = api::AnswerLog::find_wants(options.log_answers);
  if (wants) return *wants;
  return base::Error{base::Fault::malformed,
                     "log_answers is " + options.log_answers + ": none, refused or all"};
}

Result<VirtualDirectories> virtual_directories(const Options& options) {
  return VirtualDirectories::from(items_of(options.virtual_directories));
}

namespace {

Result<net::AddressSet> trusted_proxies(const Options& options) {
  auto trusted = net::AddressSet::parse(items_of(options.trusted_proxies));
  if (!trusted.ok()) return base::with_context("trusted_proxies", std::move(trusted).error());
  return trusted;
}

}  // namespace

Result<net::ServerOptions> net_options(const Options& options, const store::DataDirectory& data) {
  net::ServerOptions net;
  net.listen = options.listen;
  net.tls_listen = options.tls_listen;
  net.tls_certificate = options.tls_certificate;
  net.tls_key = options.tls_key;
  net.threads =
      options.threads != 0 ? static_cast<unsigned>(options.threads) : base::default_thread_count();
  net.spool_directory = data.tmp();
  net.connections_max = static_cast<unsigned>(options.limit_connections);
  net.trusted_proxies = TRY(trusted_proxies(options));
  net.drain_timeout = std::chrono::seconds(options.drain_seconds);
  return net;
}

namespace {

// The error of a room that does not know what its setting is called.
template <class T>
Result<void> named(std::string_view key, Result<T> made) {
  if (made.ok()) return {};
  return base::with_context(key, std::move(made).error());
}

Result<void> check_addresses(const Options& options) {
  if (!options.listen.empty()) {
    TRY(named("listen (--listen chooses another)", net::check_address(options.listen)));
  }
  if (!options.tls_listen.empty()) TRY(named("tls.listen", net::check_address(options.tls_listen)));
  TRY(trusted_proxies(options));
  return {};
}

Result<void> check_home(const Options& options) {
  const std::string& url = options.home_redirect;
  const bool is_odd = std::any_of(url.begin(), url.end(), [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
  });
  if (is_odd) return Error{Fault::malformed, "home.redirect: expected a URL, got '" + url + "'"};
  return named("home.html", api::make_home(home_options(options)));
}

Result<void> check_uploads(const Options& options) {
  const std::string& answer = options.upload_url_private;
  if (!answer.empty() && answer != "yes" && answer != "no") {
    return Error{Fault::malformed, "upload.url_private: expected yes or no, got '" + answer + "'"};
  }
  TRY(named("upload.url_hosts", api::check_hosts(options.upload_url_hosts)));
  if (options.upload_url_ca_bundle.empty()) return {};
  return named("upload.url_ca_bundle", base::MappedFile::open(options.upload_url_ca_bundle));
}

Result<void> check_scan(const Options& options) {
  TRY(named("scan.include", ingest::PathPatterns::compile(options.scan_include, "")));
  return named("scan.exclude", ingest::PathPatterns::compile("", options.scan_exclude));
}

Result<void> check_sources(const Options& options) {
  TRY(sources::Roots::open(options.sources_directories));
  sources::WebOptions web;
  web.hosts = options.sources_hosts;
  web.credentials_file = options.sources_credentials;
  TRY(sources::Web::read_rules(web));
  return {};
}

}  // namespace

Result<void> check_rooms(const Options& options) {
  TRY(log_level(options));
  TRY(symbolication_options(options));
  TRY(request_sources_options(options));
  TRY(log_format(options));
  TRY(answers_to_log(options));
  TRY(virtual_directories(options));
  TRY(check_addresses(options));
  TRY(check_home(options));
  TRY(check_uploads(options));
  TRY(check_scan(options));
  TRY(check_sources(options));
  const std::vector<std::string> denied = lines_of(options.upstreams_deny);
  TRY(named("upstreams.deny", upstream::FileFilter::make({}, denied)));
  for (const UpstreamOptions& one : options.upstreams) {
    const upstream::ServerOptions server = TRY(server_options(one, options.upstreams_deny));
    TRY(upstream::Server::make(server));
  }
  TRY(Exclusions::open(options.upstreams_exclusions));
  TRY(rules_of(options));
  TRY(pointer_follower(options));
  return {};
}

}  // namespace server
