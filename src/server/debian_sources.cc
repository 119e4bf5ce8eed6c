// Sources of a .deb, from the tarballs that it was built from.
#include <algorithm>

#include "base/log.h"
#include "ingest/debian_source.h"
#include "ingest/source_pack.h"
#include "server/source_wiring.h"
#include "sources/checksum.h"
#include "sources/path.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;
using ingest::DebianSource;
using sources::Named;
using sources::ReadFile;

namespace {

constexpr std::size_t kPatchesMax = 10'000;  // a kernel has hundreds

// What is asked of one build id in one scope.
struct Packages {
  store::Containers& containers;
  ingest::Scan& scan;
  const std::string& build_id;
  const ident::Scope& scope;

  Result<ReadFile> read(const store::FoundSource& found) const {
    const std::string pack = TRY(scan.path_of_pack(found.container));
    ReadFile file;
    file.bytes = TRY(ingest::read_packed(pack, found.source));
    file.modified = {found.container.stamp.modified_ns / 1000};
    return file;
  }
  Result<std::optional<ReadFile>> find(const std::string& place) const {
    const auto found = TRY(containers.find_source(build_id, place, scope));
    if (!found) return std::optional<ReadFile>();
    ReadFile file = TRY(read(*found));
    return std::optional<ReadFile>(std::move(file));
  }
  Result<std::optional<DebianSource>> find_source() const {
    const auto found = TRY(containers.find_own_source(build_id, ingest::kDebianControl, scope));
    if (!found) return std::optional<DebianSource>();
    const ReadFile control = TRY(read(*found));
    return ingest::find_debian_source(control.bytes);
  }
};

// The package was built from the patched file, and the tarball has the one before.
Result<bool> is_patched(const Packages& packages, const DebianSource& source,
                        std::string_view tail) {
  const std::string folder = "debian:" + source.name + "_" + source.version + "/debian/patches/";
  const auto series = TRY(packages.find(folder + "series"));
  if (!series) return false;
  const std::vector<std::string> names = ingest::patches_in_series(series->bytes);
  if (names.size() > kPatchesMax) return Error{Fault::too_large, "too many patches in a series"};
  for (const std::string& name : names) {
    const auto patch = TRY(packages.find(folder + name));
    if (!patch || ingest::patch_touches(patch->bytes, tail)) return true;
  }
  return false;
}

Result<std::optional<ReadFile>> find_in_tarballs(const Packages& packages, const Named& named) {
  const auto source = TRY(packages.find_source());
  if (!source) return std::optional<ReadFile>();
  for (const std::string& place : ingest::debian_places(*source, sources::canonical(named.path))) {
    auto file = TRY(packages.find(place));
    if (!file) continue;
    const sources::Fit fit = sources::fit_of(file->bytes, named.checksum);
    if (fit == sources::Fit::yes) return file;
    if (fit == sources::Fit::no) continue;
    const bool patched = TRY(is_patched(packages, *source, ingest::tail_of_place(place)));
    if (!patched) return file;
    return Error{Fault::not_found,
                 "Debian's patches change this file, and only the one before "
                 "them is here"};
  }
  return std::optional<ReadFile>();
}

}  // namespace

sources::Provider sources_of_debian(store::Containers& containers, ingest::Scan& scan) {
  return [&](const Named& named) -> Result<std::optional<ReadFile>> {
    for (const std::string& module : named.modules) {
      auto file = TRY(find_in_tarballs({containers, scan, module, named.scope}, named));
      if (file) return file;
    }
    return std::optional<ReadFile>();
  };
}

}  // namespace server
