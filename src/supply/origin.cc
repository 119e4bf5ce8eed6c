#include "supply/origin.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "formats/archive/rpm.h"

namespace supply {

namespace {

constexpr std::size_t kRpmHeadMax = 32
                                    << 20;  // lead, signatures and header: what rpm itself allows

// The copy of a watched file or member keeps its time.
base::Time time_of(const Supplied& supplied) {
  struct stat info{};
  if (!supplied.fd || ::fstat(supplied.fd->get(), &info) != 0) return supplied.modified;
  return {info.st_mtim.tv_sec * 1'000'000 + info.st_mtim.tv_nsec / 1000};
}

// Only rpms carry signatures for each file.
std::string signature_of(const std::string& package, const std::string& member) {
  if (!package.ends_with(".rpm")) return "";
  const auto head = base::read_head(package, kRpmHeadMax);
  if (!head.ok()) return "";
  const auto found = archive::find_ima_signature(*head, member);
  if (!found.ok()) base::log::debug("{}: {}", package, found.error().what);
  return found.ok() ? found->value_or("") : "";
}

void add_upload(store::Containers& containers, const base::Sha256& content,
                const ident::Scope& scope, Supplied& supplied) {
  auto origin = containers.uploaded_origin_of(content, scope);
  if (!origin.ok() || !*origin) return;
  supplied.archive = std::move((*origin)->archive);
  supplied.member = std::move((*origin)->member);
}

}  // namespace

void add_origin(store::Containers* containers, const base::Sha256& content,
                const ident::Scope& scope, Supplied& supplied) {
  if (containers == nullptr) return;
  const auto origins = containers->origins_of(content);
  if (!origins.ok()) return;
  if (origins->empty()) return add_upload(*containers, content, scope, supplied);
  const auto newest = std::max_element(
      origins->begin(), origins->end(), [](const store::Origin& a, const store::Origin& b) {
        return a.container.stamp.modified_ns < b.container.stamp.modified_ns;
      });
  supplied.modified = time_of(supplied);
  if (newest->container.kind != store::Container::Kind::package) return;
  supplied.archive = newest->container.path;
  supplied.member = newest->member;
  supplied.ima_signature = signature_of(supplied.archive, supplied.member);
}

std::vector<std::string> watched_files(store::Containers* containers, const base::Sha256& content) {
  std::vector<std::string> paths;
  if (containers == nullptr) return paths;
  const auto origins = containers->origins_of(content);
  if (!origins.ok()) return paths;
  for (const store::Origin& origin : *origins) {
    // An upstream directory's path is one here; a server's is none.
    const bool is_here = origin.container.kind == store::Container::Kind::file ||
                         origin.container.kind == store::Container::Kind::upstream;
    if (is_here && origin.container.path.starts_with('/')) {
      paths.push_back(origin.container.path);
    }
  }
  return paths;
}

}  // namespace supply
