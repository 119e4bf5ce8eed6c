#include "server/upstream_environment.h"

#include "base/file.h"
#include "base/text.h"
#include "upstream/s3.h"

namespace server {

using base::Result;

namespace {

constexpr std::string_view kPrefix = "FAULTLINE_UPSTREAM_";
constexpr std::string_view kFileSuffix = "_file";
constexpr std::uint64_t kFileMax = 64 * 1024;

std::string found(const Environment& environment, const std::string& name) {
  const auto at = environment.find(name);
  return at == environment.end() ? "" : at->second;
}

}  // namespace

Result<std::vector<Setting>> upstream_settings(const Environment& environment) {
  std::vector<Setting> settings;
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(kPrefix)) continue;
    const std::string rest = base::lower_ascii(name.substr(kPrefix.size()));
    const std::size_t end = rest.find('_');
    if (end == 0 || end == std::string::npos || !base::parse_decimal(rest.substr(0, end))) continue;
    std::string key = rest.substr(end + 1);
    std::string text = value;
    if (key.ends_with(kFileSuffix)) {
      key.resize(key.size() - kFileSuffix.size());
      text = TRY(base::read_file(value, kFileMax));
      text = std::string(base::trim(text));
    }
    settings.push_back({"upstream." + rest.substr(0, end) + "." + key, text, name});
  }
  return settings;
}

void use_aws_environment(const Environment& environment, std::vector<UpstreamOptions>& upstreams) {
  for (UpstreamOptions& one : upstreams) {
    if (!upstream::is_s3(one.url)) continue;
    if (one.region.empty()) one.region = found(environment, "AWS_REGION");
    if (one.region.empty()) one.region = found(environment, "AWS_DEFAULT_REGION");
    const bool has_key =
        !one.access_key.empty() || !one.secret_key.empty() || !one.session_token.empty();
    if (has_key) continue;
    one.access_key = found(environment, "AWS_ACCESS_KEY_ID");
    one.secret_key = found(environment, "AWS_SECRET_ACCESS_KEY");
    one.session_token = found(environment, "AWS_SESSION_TOKEN");
  }
}

}  // namespace server
