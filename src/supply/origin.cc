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

std::vector<std::string> files_here(store::Containers* containers, const base::Sha256& content,
                                    std::string_view project) {
  std::vector<std::string> paths;
  if (containers == nullptr) return paths;
  const auto origins = containers->origins_of(content);
  if (!origins.ok()) return paths;
  using Kind = store::Container::Kind;
  for (const store::Origin& origin : *origins) {
    const store::Container& container = origin.container;
    if (container.project != project) continue;
    std::string_view path = container.path;
    if (container.kind == Kind::upstream) path = store::place_of_upstream_container(path, project);
    // An upstream directory's path is one here; a server's is none.
    const bool is_file = container.kind == Kind::file || container.kind == Kind::upstream;
    if (is_file && path.starts_with('/')) paths.emplace_back(path);
  }
  return paths;
}

}  // namespace supply
