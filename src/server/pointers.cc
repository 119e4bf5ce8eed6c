#include "server/pointers.h"

#include <sys/stat.h>

#include "base/log.h"
#include "base/sha256.h"
#include "base/text.h"
#include "ident/pointer_place.h"
#include "symstore/pointed.h"

namespace server {

using base::Result;

namespace {

constexpr std::int64_t kNanoseconds = 1'000'000'000;

Result<supply::Supplied> supplied_of(symstore::PointerTarget target, const std::string& name) {
  struct stat info{};
  if (::fstat(target.fd.get(), &info) != 0) {
    return base::error_from_errno(errno, "cannot stat", target.path);
  }
  const std::int64_t modified_ns = info.st_mtim.tv_sec * kNanoseconds + info.st_mtim.tv_nsec;
  // Not of the content: it is not ours, and is not read for an answer's head.
  const std::string stamp = target.path + "|" + std::to_string(info.st_size) + "|" +
                            std::to_string(modified_ns) + "|" + std::to_string(info.st_ino);
  supply::Supplied supplied;
  supplied.fd = std::make_shared<const base::Fd>(std::move(target.fd));
  supplied.size = static_cast<std::uint64_t>(info.st_size);
  supplied.path = std::move(target.path);
  supplied.content_tag = base::sha256_of(base::bytes_of(stamp)).hex().substr(0, 36) + "-ptr";
  supplied.name = name;
  supplied.modified = {modified_ns / 1000};
  supplied.is_foreign = true;
  return supplied;
}

// Where a pointer for that very key lies: what its text says is taken from there.
std::vector<std::string> directories_of(const std::vector<std::string>& pointers,
                                        const std::string& name, const std::string& id) {
  std::vector<std::string> directories;
  for (const std::string& path : pointers) {
    const auto place = ident::find_pointer_place(path);
    if (!place || !base::equal_ignoring_case(place->name, name) ||
        !base::equal_ignoring_case(place->id, id)) {
      continue;
    }
    directories.emplace_back(base::parent_of(path));
  }
  return directories;
}

}  // namespace

Result<Follower> pointer_follower(const Options& options) {
  symstore::PointerRoots roots =
      TRY(symstore::parse_pointer_roots(options.store_pointers + "\n" + options.unc));
  for (const std::string_view path : base::split(options.scan_paths, ':')) {
    if (!path.empty()) roots.directories.emplace_back(path);
  }
  for (const UpstreamOptions& upstream : options.upstreams) {
    if (upstream.url.starts_with('/')) roots.directories.push_back(upstream.url);
  }
  if (roots.directories.empty()) return Follower();
  return Follower([roots = std::move(roots)](
                      std::string_view text, const std::string& name, const std::string& id,
                      const std::vector<std::string>& lies_at) -> Result<supply::Supplied> {
    auto target = symstore::open_pointed(text, name, id, roots, directories_of(lies_at, name, id));
    if (!target.ok()) {
      base::log::warning("{}/{}/file.ptr not followed: {}", name, id, target.error().what);
      return std::move(target).error();
    }
    return supplied_of(std::move(*target), name);
  });
}

}  // namespace server
