#include "server/old_site.h"

#include "api/pysymproxy.h"
#include "base/log.h"

namespace server {

namespace {

std::vector<std::string> logs_of(const Options& options) {
  if (options.log_file.empty()) return {};
  return base::log::paths_of({options.log_file, options.log_file_size, options.log_file_count});
}

}  // namespace

std::vector<std::pair<std::string, std::string>> log_links(const net::Request& request,
                                                           const Options& options,
                                                           const api::Gate& gate) {
  std::vector<std::pair<std::string, std::string>> links;
  const std::size_t count = api::count_logs(request, logs_of(options), gate);
  for (std::size_t number = 1; number <= count; ++number) {
    const std::string text = std::to_string(number);
    links.emplace_back("Log " + text, "/" + text + ".log");
  }
  return links;
}

void add_old_site(net::Router& router, const Options& options, const api::Gate& gate) {
  if (options.site.old_config.empty()) return;
  api::PySymProxyFiles files;
  files.config = options.site.old_config_shown;
  files.logs = logs_of(options);
  api::add_pysymproxy_routes(router, std::move(files), gate);
}

}  // namespace server
