#include "server/config_files.h"

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "server/options_from_eliot.h"
#include "server/options_from_mozilla.h"
#include "server/options_from_pysymproxy.h"
#include "server/options_from_snappy.h"
#include "server/options_from_symproxy.h"
#include "server/upstream_environment.h"

extern char** environ;

namespace server {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::uint64_t kSizeMax = 1 << 20;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kUpstream = "upstream.";

Environment own_environment() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    // The second are what other programs call the keys of buckets, the third a predecessor's.
    const bool is_for_us =
        text.starts_with("FAULTLINE_") || text.starts_with("AWS_") || text.starts_with("ELIOT_");
    if (equals == std::string_view::npos || !is_for_us) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

ConfigFile config_file(const std::string& path, std::string kind, ForeignSettings read) {
  ConfigFile file;
  file.path = path;
  file.kind = std::move(kind);
  file.settings = std::move(read.settings);
  file.warnings = std::move(read.warnings);
  return file;
}

Result<ConfigFile> read_symproxy(const std::string& path, std::string_view bytes) {
  const std::vector<RegistryKey> keys = TRY(read_registry_export(base::bytes_of(bytes), path));
  ForeignSettings read = TRY(settings_from_symproxy(keys, path));
  return config_file(path, "SymProxy's", std::move(read));
}

Result<ConfigFile> read_snappy(const std::string& path, std::string_view text) {
  const std::string here = TRY(working_directory());
  std::map<std::string, std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable = *entry;
    const std::size_t equals = std::min(variable.find('='), variable.size());
    environment.emplace(variable.substr(0, equals),
                        variable.substr(std::min(equals + 1, variable.size())));
  }
  ForeignSettings read = TRY(settings_from_snappy(text, path, here, environment));
  return config_file(path, "Snappy's", std::move(read));
}

Result<ConfigFile> read_json(const std::string& path, std::string_view text) {
  const auto json = base::JsonValue::parse(text);
  if (!json.ok()) return base::with_context(path, json.error());
  const std::string here = TRY(working_directory());
  if (is_mozilla(*json)) {
    const MozillaConfig config = TRY(mozilla_config(*json, path));
    return config_file(path, "Mozilla's", settings_of_both(config, here));
  }
  if (!is_pysymproxy(*json)) {
    return Error{Fault::malformed, path +
                                       ": is JSON, but has none of pySymProxy's keys identity, "
                                       "general and servers, nor of Mozilla's DiskCache, SymServer "
                                       "and quickstart"};
  }
  ForeignSettings read = TRY(settings_from_pysymproxy(*json, path, here));
  ConfigFile file = config_file(path, "pySymProxy's", std::move(read));
  file.shown = redacted_json(*json);
  return file;
}

// "upstream.3.url" → 3; nothing when it is none of these.
std::optional<std::uint64_t> number_in(std::string_view key) {
  if (!key.starts_with(kUpstream)) return std::nullopt;
  const std::string_view rest = key.substr(kUpstream.size());
  return base::parse_decimal(rest.substr(0, rest.find('.')));
}

// The servers of a file come after those of the files before it.
void add_settings(std::vector<Setting>& all, const std::vector<Setting>& more) {
  std::uint64_t before = 0;
  for (const Setting& setting : all) {
    if (const auto number = number_in(setting.key)) before = std::max(before, *number + 1);
  }
  for (Setting setting : more) {
    if (const auto number = number_in(setting.key)) {
      const std::string digits = std::to_string(*number);
      setting.key.replace(kUpstream.size(), digits.size(), std::to_string(*number + before));
    }
    all.push_back(std::move(setting));
  }
}

}  // namespace

Result<std::string> working_directory() {
  std::error_code failed;
  std::string here = std::filesystem::current_path(failed).string();
  if (failed) return Error{Fault::unavailable, "the working directory is gone"};
  return here;
}

Result<ConfigFile> read_config(const std::string& path) {
  const std::string bytes = TRY(base::read_file(path, kSizeMax));
  if (is_registry_export(base::bytes_of(bytes))) return read_symproxy(path, bytes);
  std::string_view text = bytes;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (base::trim(text).starts_with('{')) return read_json(path, text);
  if (is_snappy(text)) return read_snappy(path, text);
  ConfigFile file;
  file.path = path;
  file.settings = TRY(settings_from_toml(text, path));
  return file;
}

std::vector<std::string> config_places() {
  return {"faultline.toml", "../config/pysymproxy.json", "./config/pysymproxy.json",
          "./config/default.pysymproxy.json"};
}

std::string find_config() {
  const std::vector<std::string> places = config_places();
  const auto found = std::find_if(places.begin(), places.end(), base::file_exists);
  return found == places.end() ? "" : *found;
}

std::vector<Setting> share_settings(const std::vector<std::string>& shares,
                                    const std::string& from) {
  std::vector<Setting> settings;
  for (const std::string& share : shares) {
    const std::size_t equals = std::min(share.find('='), share.size());
    const std::string directory = share.substr(std::min(equals + 1, share.size()));
    settings.push_back({"unc." + share.substr(0, equals), directory, from});
  }
  return settings;
}

Result<Options> options_of(const std::vector<ConfigFile>& files,
                           const std::vector<Setting>& later) {
  std::vector<Setting> settings;
  for (const ConfigFile& file : files) add_settings(settings, file.settings);
  settings.insert(settings.end(), later.begin(), later.end());
  Options options = TRY(options_from(settings));
  for (const ConfigFile& file : files) {
    options.warnings.insert(options.warnings.end(), file.warnings.begin(), file.warnings.end());
    if (!file.is_foreign()) continue;
    options.site.old_config = file.path;
    options.site.old_config_shown = file.shown;
  }
  return options;
}

Result<Options> load_options(const std::vector<std::string>& configs,
                             const std::vector<Setting>& flags) {
  std::vector<std::string> paths = configs;
  if (paths.empty()) paths.push_back(find_config());
  std::vector<ConfigFile> files;
  const std::string here = working_directory().value_or("/");
  if (auto eliot = find_settings_from_eliot(own_environment(), here)) {
    files.push_back(config_file("", "Eliot's", *std::move(eliot)));
  }
  for (const std::string& path : paths) {
    if (path.empty()) continue;
    ConfigFile file = TRY(read_config(path));
    files.push_back(std::move(file));
  }
  return options_here(files, flags);
}

Result<Options> options_here(const std::vector<ConfigFile>& files,
                             const std::vector<Setting>& flags) {
  const Environment environment = own_environment();
  std::vector<Setting> later = TRY(settings_from_environment(environment));
  later.insert(later.end(), flags.begin(), flags.end());
  Options options = TRY(options_of(files, later));
  use_aws_environment(environment, options.upstreams);
  return options;
}

}  // namespace server
