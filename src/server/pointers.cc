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
std::vector<std::string> directories_of(const supply::Pointer& pointer) {
  std::vector<std::string> directories;
  for (const std::string& path : pointer.lies_at) {
    const auto place = ident::find_pointer_place(path);
    if (!place || !base::equal_ignoring_case(place->name, pointer.name) ||
        !base::equal_ignoring_case(place->id, pointer.id)) {
      continue;
    }
    directories.emplace_back(base::parent_of(path));
  }
  return directories;
}

struct Roots {
  symstore::PointerRoots always;
  std::vector<std::string> watched;
  std::vector<std::string> upstreams;  // directories, without a slash at the end

  bool empty() const { return always.directories.empty() && watched.empty() && upstreams.empty(); }
};

// The innermost: one server's directory may lie in another's.
const std::string* find_upstream(const Roots& roots, std::string_view path) {
  const std::string* found = nullptr;
  for (const std::string& directory : roots.upstreams) {
    const bool is_below =
        path.starts_with(directory) && path.substr(directory.size()).starts_with('/');
    if (is_below && (found == nullptr || directory.size() > found->size())) found = &directory;
  }
  return found;
}

symstore::PointerRoots roots_for(const Roots& roots, const supply::Pointer& pointer) {
  symstore::PointerRoots own = roots.always;
  if (pointer.project.empty()) {
    own.directories.insert(own.directories.end(), roots.watched.begin(), roots.watched.end());
  }
  for (const std::string& path : pointer.lies_at) {
    if (const std::string* directory = find_upstream(roots, path)) {
      own.directories.push_back(*directory);
    }
  }
  return own;
}

Result<supply::Supplied> follow(const Roots& roots, const supply::Pointer& pointer) {
  auto target = symstore::open_pointed(pointer.text, pointer.name, pointer.id,
                                       roots_for(roots, pointer), directories_of(pointer));
  if (target.ok()) return supplied_of(std::move(*target), pointer.name);
  base::log::warning("{}/{}/file.ptr not followed: {}", pointer.name, pointer.id,
                     target.error().what);
  return std::move(target).error();
}

}  // namespace

Result<Follower> pointer_follower(const Options& options) {
  Roots roots;
  roots.always = TRY(symstore::parse_pointer_roots(options.store_pointers + "\n" + options.unc));
  for (const std::string_view path : base::split(options.scan_paths, ':')) {
    if (!path.empty()) roots.watched.emplace_back(path);
  }
  for (const UpstreamOptions& upstream : options.upstreams) {
    if (!upstream.url.starts_with('/')) continue;
    std::string directory = upstream.url;
    while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
    roots.upstreams.push_back(std::move(directory));
  }
  if (roots.empty()) return Follower();
  return Follower([roots = std::move(roots)](const supply::Pointer& pointer) {
    return follow(roots, pointer);
  });
}

}  // namespace server
