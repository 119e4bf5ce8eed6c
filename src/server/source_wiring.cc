#include "server/source_wiring.h"

#include "base/log.h"
#include "ingest/source_pack.h"
#include "sources/checksum.h"
#include "sources/path.h"
#include "supply/extract_in_child.h"

namespace server {

using base::Result;

sources::Sources::Options sources_options(const Options& options,
                                          const store::DataDirectory& data) {
  supply::ExtractLimits limits;
  limits.memory_bytes_max = options.conversion_memory;
  limits.seconds_max = options.conversion_seconds;
  sources::Sources::Options sources;
  sources.directories = options.sources_directories;
  sources.file_size_max = options.sources_file_size;
  sources.lists.directory = data.index();
  sources.lists.tmp = data.tmp_of_kept();
  sources.lists.lister = sources::list_in_child("/proc/self/exe", limits);
  sources.web.hosts = options.sources_hosts;
  sources.web.credentials_file = options.sources_credentials;
  sources.web.cache_directory = base::join_path(data.cache(), "sources");
  sources.web.tmp = data.tmp();
  sources.web.cache_size_max = options.sources_cache_size;
  sources.web.file_size_max = options.sources_file_size;
  sources.web.timeout = std::chrono::seconds(options.sources_seconds);
  return sources;
}

sources::Provider sources_in_packages(store::Containers& containers, ingest::Scan& scan) {
  return [&](const sources::Named& named) -> Result<std::optional<sources::ReadFile>> {
    const std::string folded = sources::canonical(named.path);
    for (const std::string& module : named.modules) {
      const auto found = TRY(containers.find_source(module, folded, named.scope));
      if (!found) continue;
      const std::string pack = TRY(scan.path_of_pack(found->container));
      sources::ReadFile file;
      file.bytes = TRY(ingest::read_packed(pack, found->source));
      file.modified = {found->container.stamp.modified_ns / 1000};
      return std::optional<sources::ReadFile>(std::move(file));
    }
    return std::optional<sources::ReadFile>();
  };
}

sources::Others sources_upstream(UpstreamWork& upstreams, std::uint64_t size_max) {
  const auto wish_of = [size_max](const sources::Wanted& wanted) {
    return upstream::SourceWish{wanted.project, wanted.build_id, wanted.path, size_max,
                                wanted.asked_by};
  };
  sources::Others others;
  others.may_ask = [&upstreams, wish_of](const sources::Wanted& wanted) {
    return upstreams.may_ask(wish_of(wanted));
  };
  others.ask = [&upstreams, wish_of](const sources::Wanted& wanted, const auto deadline,
                                     const auto& done) {
    const auto fits = [checksum = wanted.checksum](std::string_view bytes) {
      return sources::fit_of(bytes, checksum) != sources::Fit::no;
    };
    upstreams.ask(wish_of(wanted), deadline, fits, done);
  };
  return others;
}

api::SourcesOptions source_routes(const Options& options, const api::Gate& gate,
                                  store::Access& access) {
  api::SourcesOptions routes;
  routes.find_reader = [&gate, token = options.sources_token](const net::Request& request) {
    return api::find_source_reader(request, gate, token);
  };
  if (options.sources_audit != 0) {
    routes.note = [&access](const api::Reader& reader, const std::string& peer,
                            const std::string& what) {
      const auto noted = access.note({reader.name, peer}, "source read", what);
      if (!noted.ok()) base::log::error("a source read is not noted: {}", noted.error().what);
    };
  }
  routes.allowed_origin = options.sources_origin;
  routes.file_size_max = options.sources_file_size;
  return routes;
}

}  // namespace server
