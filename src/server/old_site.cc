#include "server/old_site.h"

#include "api/pysymproxy.h"
#include "base/log.h"

namespace server {

void add_old_site(net::Router& router, const Options& options, const api::Gate& gate) {
  if (options.site.old_config.empty()) return;
  api::PySymProxyFiles files;
  files.config = options.site.old_config_shown;
  if (!options.log_file.empty()) {
    files.logs =
        base::log::paths_of({options.log_file, options.log_file_size, options.log_file_count});
  }
  api::add_pysymproxy_routes(router, std::move(files), gate);
}

}  // namespace server
