#include "server/options.h"

#include <algorithm>
#include <array>
#include <variant>

#include "base/file.h"
#include "base/size_text.h"
#include "base/text.h"
#include "server/upstream_environment.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::string_view kEnvironmentPrefix = "FAULTLINE_";
constexpr std::string_view kShare = "unc.";

enum class Kind : std::uint8_t { text, number, size };

using Field = std::variant<std::string Options::*, std::uint64_t Options::*,
                           std::string SiteOptions::*, std::uint64_t SiteOptions::*>;

struct Known {
  std::string_view key;
  Kind kind;
  Field field;
};

// The one list of what can be set.
constexpr auto kKnown = std::to_array<Known>({
    {"listen", Kind::text, &Options::listen},
    {"data", Kind::text, &Options::data},
    {"log_level", Kind::text, &Options::log_level},
    {"log_format", Kind::text, &Options::log_format},
    {"log_answers", Kind::text, &Options::log_answers},
    {"threads", Kind::number, &Options::threads},
    {"workers", Kind::number, &Options::workers},
    {"database", Kind::text, &Options::database},
    {"drain_seconds", Kind::number, &Options::drain_seconds},
    {"tls.listen", Kind::text, &Options::tls_listen},
    {"tls.certificate", Kind::text, &Options::tls_certificate},
    {"tls.key", Kind::text, &Options::tls_key},
    {"upload.token", Kind::text, &Options::upload_token},
    {"upload.try_days", Kind::number, &Options::upload_try_days},
    {"upload.url_hosts", Kind::text, &Options::upload_url_hosts},
    {"upload.url_private", Kind::text, &Options::upload_url_private},
    {"upload.url_ca_bundle", Kind::text, &Options::upload_url_ca_bundle},
    {"public_url", Kind::text, &Options::public_url},
    {"virtual_directories", Kind::text, &Options::virtual_directories},
    {"trusted_proxies", Kind::text, &Options::trusted_proxies},
    {"home.redirect", Kind::text, &Options::home_redirect},
    {"home.html", Kind::text, &Options::home_html},
    {"limits.sentry_request", Kind::size, &Options::limit_sentry_request},
    {"disk.stop_caching", Kind::size, &Options::disk_stop_caching},
    {"disk.stop_extracting", Kind::size, &Options::disk_stop_extracting},
    {"unpacking.threads", Kind::number, &Options::unpacking_threads},
    {"unpacking.waiting", Kind::number, &Options::unpacking_waiting},
    {"limits.requests_per_address", Kind::number, &Options::limit_requests_per_address},
    {"limits.requests_per_token", Kind::number, &Options::limit_requests_per_token},
    {"limits.requests_per_project", Kind::number, &Options::limit_requests_per_project},
    {"limits.requests_burst", Kind::number, &Options::limit_requests_burst},
    {"retention.uploads_days", Kind::number, &Options::retention_uploads_days},
    {"retention.unasked_days", Kind::number, &Options::retention_unasked_days},
    {"retention.reports_days", Kind::number, &Options::retention_reports_days},
    {"retention.projects", Kind::text, &Options::retention_projects},
    {"cache.days", Kind::number, &Options::cache_days},
    {"cache.path", Kind::text, &Options::cache_path},
    {"cache.size", Kind::size, &Options::cache_size},
    {"limits.upload", Kind::size, &Options::limit_upload},
    {"limits.crash_report", Kind::size, &Options::limit_crash_report},
    {"limits.parts", Kind::number, &Options::limit_parts},
    {"limits.zip_members", Kind::number, &Options::limit_zip_members},
    {"limits.expansion", Kind::number, &Options::limit_expansion},
    {"limits.connections", Kind::number, &Options::limit_connections},
    {"limits.disk_free", Kind::size, &Options::disk_free_min},
    {"limits.default_project", Kind::size, &Options::limit_default_project},
    {"limits.metadata_seconds", Kind::number, &Options::metadata_seconds},
    {"conversion.threads", Kind::number, &Options::conversion_threads},
    {"conversion.memory", Kind::size, &Options::conversion_memory},
    {"conversion.seconds", Kind::number, &Options::conversion_seconds},
    {"processing.threads", Kind::number, &Options::processing_threads},
    {"symbolication.threads", Kind::number, &Options::symbolication_threads},
    {"symbolication.memory", Kind::size, &Options::symbolication_memory},
    {"symbolication.bodies", Kind::size, &Options::symbolication_bodies},
    {"symbolication.body", Kind::size, &Options::symbolication_body},
    {"symbolication.seconds", Kind::number, &Options::symbolication_seconds},
    {"symbolication.origin", Kind::text, &Options::symbolication_origin},
    {"symbolication.dialect", Kind::text, &Options::symbolication_dialect},
    {"symbolication.sources", Kind::number, &Options::symbolication_sources},
    {"symbolication.private_sources", Kind::text, &Options::symbolication_private_sources},
    {"symbolication.forward", Kind::text, &Options::symbolication_forward},
    {"symbolication.source_context", Kind::number, &Options::symbolication_source_context},
    {"symbolication.debug", Kind::text, &Options::symbolication_debug},
    {"memcached.servers", Kind::text, &Options::memcached_servers},
    {"memcached.keys", Kind::text, &Options::memcached_keys},
    {"memcached.timeout_ms", Kind::number, &Options::memcached_timeout_ms},
    {"memcached.rest_seconds", Kind::number, &Options::memcached_rest_seconds},
    {"sources.directories", Kind::text, &Options::sources_directories},
    {"sources.hosts", Kind::text, &Options::sources_hosts},
    {"sources.credentials", Kind::text, &Options::sources_credentials},
    {"sources.token", Kind::text, &Options::sources_token},
    {"sources.origin", Kind::text, &Options::sources_origin},
    {"sources.file_size", Kind::size, &Options::sources_file_size},
    {"sources.cache_size", Kind::size, &Options::sources_cache_size},
    {"sources.seconds", Kind::number, &Options::sources_seconds},
    {"sources.audit", Kind::number, &Options::sources_audit},
    {"scan.paths", Kind::text, &Options::scan_paths},
    {"scan.files", Kind::number, &Options::scan_files},
    {"scan.packages", Kind::text, &Options::scan_packages},
    {"scan.include", Kind::text, &Options::scan_include},
    {"scan.exclude", Kind::text, &Options::scan_exclude},
    {"scan.follow_links", Kind::number, &Options::scan_follow_links},
    {"scan.threads", Kind::number, &Options::scan_threads},
    {"scan.seconds", Kind::number, &Options::scan_seconds},
    {"scan.extracted", Kind::size, &Options::scan_extracted},
    {"scan.disk_free", Kind::size, &Options::scan_disk_free},
    {"store.two_tier", Kind::number, &Options::store_two_tier},
    {"store.cabinets", Kind::number, &Options::store_cabinets},
    {"store.pointers", Kind::text, &Options::store_pointers},
    {"log_file", Kind::text, &Options::log_file},
    {"log_file_size", Kind::size, &Options::log_file_size},
    {"log_file_count", Kind::number, &Options::log_file_count},
    {"unc", Kind::text, &Options::unc},
    {"upstreams.deny", Kind::text, &Options::upstreams_deny},
    {"upstreams.exclusions", Kind::text, &Options::upstreams_exclusions},
    {"upstreams.cache", Kind::text, &Options::upstreams_cache},
    {"upstreams.cache_size", Kind::size, &Options::upstreams_cache_size},
    {"upstreams.cache_days", Kind::number, &Options::upstreams_cache_days},
    {"upstreams.rounds", Kind::number, &Options::upstreams_rounds},
    {"upstreams.round_ms", Kind::number, &Options::upstreams_round_ms},
    {"site.name", Kind::text, &SiteOptions::name},
    {"site.administrator", Kind::text, &SiteOptions::administrator},
    {"site.default_sympath", Kind::text, &SiteOptions::default_sympath},
    {"site.statistics", Kind::number, &SiteOptions::statistics},
});

// Where a key's value stands; null when it is of the other kind.
std::string* text_at(const Field& field, Options& options) {
  if (const auto* own = std::get_if<std::string Options::*>(&field)) return &(options.**own);
  if (const auto* of = std::get_if<std::string SiteOptions::*>(&field)) return &(options.site.**of);
  return nullptr;
}

std::uint64_t* number_at(const Field& field, Options& options) {
  if (const auto* own = std::get_if<std::uint64_t Options::*>(&field)) return &(options.**own);
  if (const auto* of = std::get_if<std::uint64_t SiteOptions::*>(&field)) {
    return &(options.site.**of);
  }
  return nullptr;
}

const Known* find_known(std::string_view key) {
  const auto* known =
      std::find_if(kKnown.begin(), kKnown.end(), [&](const Known& one) { return one.key == key; });
  return known == kKnown.end() ? nullptr : known;
}

// How many letters must change to make one of the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above + 1, row[j - 1] + 1, change});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string_view nearest_key(std::string_view key) {
  return std::min_element(kKnown.begin(), kKnown.end(),
                          [&](const Known& a, const Known& b) {
                            return distance(a.key, key) < distance(b.key, key);
                          })
      ->key;
}

Error wrong_value(const Setting& setting, std::string_view expected) {
  return {Fault::malformed, setting.source + ": " + setting.key + " = " + setting.value +
                                ": expected " + std::string(expected)};
}

Result<void> apply(const Setting& setting, Options& options) {
  const bool is_applied = TRY(apply_upstream(setting, options.upstreams));
  if (is_applied) return {};
  if (setting.key.starts_with(kShare)) {
    options.unc.append(setting.key.substr(kShare.size())).append("=").append(setting.value);
    options.unc += '\n';
    return {};
  }
  const Known* known = find_known(setting.key);
  if (known == nullptr) {
    return Error{Fault::malformed, setting.source + ": there is no key " + setting.key +
                                       "; the nearest is " + std::string(nearest_key(setting.key))};
  }
  if (std::string* text = text_at(known->field, options)) {
    *text = setting.value;
    return {};
  }
  const bool is_size = known->kind == Kind::size;
  const auto number = is_size ? parse_size(setting.value) : base::parse_decimal(setting.value);
  if (!number) return wrong_value(setting, is_size ? "a size such as \"8 GiB\"" : "a whole number");
  *number_at(known->field, options) = *number;
  return {};
}

std::string value_of(const Known& known, Options& options) {
  if (const std::string* text = text_at(known.field, options)) return *text;
  return std::to_string(*number_at(known.field, options));
}

// limits.upload → FAULTLINE_LIMITS_UPLOAD
std::string environment_name(std::string_view key) {
  std::string name = base::upper_ascii(key);
  std::replace(name.begin(), name.end(), '.', '_');
  return std::string(kEnvironmentPrefix) + name;
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) { return base::parse_size(text); }

Result<Options> options_from(const std::vector<Setting>& settings) {
  Options options;
  for (const Setting& setting : settings) TRY(apply(setting, options));
  return options;
}

Result<std::vector<Setting>> settings_from_environment(
    const std::map<std::string, std::string>& environment) {
  std::vector<Setting> settings;
  for (const Known& known : kKnown) {
    const std::string name = environment_name(known.key);
    if (const auto at = environment.find(name); at != environment.end()) {
      settings.push_back({std::string(known.key), at->second, name});
    }
    // Secrets may come from a file: FAULTLINE_UPLOAD_TOKEN_FILE=/run/secrets/token.
    if (const auto at = environment.find(name + "_FILE"); at != environment.end()) {
      const std::string text = TRY(base::read_file(at->second, 64 * 1024));
      settings.push_back({std::string(known.key), std::string(base::trim(text)), name + "_FILE"});
    }
  }
  const std::vector<Setting> upstreams = TRY(upstream_settings(environment));
  settings.insert(settings.end(), upstreams.begin(), upstreams.end());
  return settings;
}

bool takes_number(std::string_view key) {
  const Known* known = find_known(key);
  return known != nullptr ? known->kind != Kind::text : upstream_takes_number(key);
}

std::vector<std::string> changed_keys(Options one, Options other) {
  std::vector<std::string> keys;
  for (const Known& known : kKnown) {
    if (value_of(known, one) != value_of(known, other)) keys.emplace_back(known.key);
  }
  return keys;
}

std::vector<Setting> default_settings() {
  Options defaults;
  std::vector<Setting> settings;
  settings.reserve(kKnown.size());
  for (const Known& known : kKnown) {
    settings.push_back({std::string(known.key), value_of(known, defaults), "default"});
  }
  return settings;
}

}  // namespace server
