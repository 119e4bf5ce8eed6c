#include "ingest/debian_source.h"

#include <algorithm>

#include "base/file.h"
#include "base/text.h"

namespace ingest {

namespace {

constexpr std::string_view kPlaceStart = "debian:";

struct Tarball {
  std::string stem;       // "hello_2.10-1"
  std::string directory;  // where dpkg-source puts it: of "orig-extra" that
  bool is_stripped = true;
  bool is_native = false;  // by its name alone it may be anybody's tarball
};

// "hello_2.10.orig.tar.xz", "hello_2.10.orig-doc.tar.gz", "hello_2.10-1.debian.tar.xz", and of a
// native package "hello_1.0.tar.xz".
std::optional<Tarball> find_tarball(std::string_view file_name) {
  const auto tar = file_name.rfind(".tar.");
  const auto underscore = file_name.find('_');
  if (tar == std::string_view::npos || underscore == std::string_view::npos || underscore == 0 ||
      underscore >= tar) {
    return std::nullopt;
  }
  const std::string_view stem = file_name.substr(0, tar);
  if (stem.ends_with(".debian"))
    return Tarball{std::string(stem.substr(0, stem.size() - 7)), "", false, false};
  const auto orig = stem.rfind(".orig");
  if (orig == std::string_view::npos || orig < underscore)
    return Tarball{std::string(stem), "", true, true};
  const std::string_view component = stem.substr(orig + 5);
  if (component.empty()) return Tarball{std::string(stem.substr(0, orig)), "", true, false};
  if (!component.starts_with('-')) return std::nullopt;
  return Tarball{std::string(stem.substr(0, orig)), "/" + std::string(component.substr(1)), true,
                 false};
}

std::string place_of(std::string_view name, std::string_view version, std::string_view tail) {
  std::string place(kPlaceStart);
  return place.append(name).append("_").append(version).append("/").append(tail);
}

std::string_view field_of(std::string_view control, std::string_view name) {
  for (const std::string_view line : base::split(control, '\n')) {
    if (line.empty() && control.data() != line.data()) break;  // one paragraph
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':') {
      return base::trim(line.substr(name.size() + 1));
    }
  }
  return {};
}

}  // namespace

void rename_debian_sources(std::string_view file_name, std::string_view root,
                           std::vector<store::PackedSource>& sources) {
  const auto tarball = find_tarball(base::basename_of(file_name));
  if (!tarball) return;
  std::vector<store::PackedSource> as_they_lie;
  if (tarball->is_native) as_they_lie = sources;
  for (store::PackedSource& source : sources) {
    std::string_view tail = source.path;
    if (tarball->is_stripped && !root.empty() && tail.starts_with(root)) {
      tail.remove_prefix(root.size());
    }
    std::string place(kPlaceStart);
    source.path = place.append(tarball->stem).append(tarball->directory).append(tail);
  }
  sources.insert(sources.end(), as_they_lie.begin(), as_they_lie.end());
}

std::optional<DebianSource> find_debian_source(std::string_view control) {
  DebianSource source;
  std::string_view name = field_of(control, "Source");
  std::string_view version = field_of(control, "Version");
  if (name.empty()) name = field_of(control, "Package");
  // "hello (2.10-1)": the package was built again ("2.10-1+b1") from the same source.
  if (const auto open = name.find('('); open != std::string_view::npos) {
    version = name.substr(open + 1, name.find(')', open) - open - 1);
    name = base::trim(name.substr(0, open));
  }
  if (const auto colon = version.find(':'); colon != std::string_view::npos) {
    version.remove_prefix(colon + 1);
  }
  if (name.empty() || version.empty()) return std::nullopt;
  source.name = name;
  source.version = version;
  source.upstream = version.substr(0, version.rfind('-'));
  return source;
}

std::vector<std::string> debian_places(const DebianSource& source, std::string_view path) {
  std::vector<std::string_view> tails;
  if (!path.starts_with('/')) {
    tails.push_back(path);
  } else {
    for (const std::string& version : {source.upstream, source.version}) {
      const std::string directory = "/" + source.name + "-" + version + "/";
      const auto at = path.find(directory);
      if (at != std::string_view::npos) tails.push_back(path.substr(at + directory.size()));
    }
  }
  std::vector<std::string> places;
  for (const std::string_view tail : tails) {
    // What debian.tar or a native tarball has, replaces what the upstream's has.
    for (const std::string& version : {source.version, source.upstream}) {
      std::string place = place_of(source.name, version, tail);
      if (std::find(places.begin(), places.end(), place) == places.end()) {
        places.push_back(std::move(place));
      }
    }
  }
  return places;
}

std::string_view tail_of_place(std::string_view place) {
  const auto slash = place.find('/');
  return slash == std::string_view::npos ? std::string_view() : place.substr(slash + 1);
}

std::vector<std::string> patches_in_series(std::string_view series) {
  std::vector<std::string> patches;
  for (std::string_view line : base::split(series, '\n')) {
    line = base::trim(line.substr(0, line.find('#')));
    line = line.substr(0, line.find(' '));
    if (!line.empty()) patches.emplace_back(line);
  }
  return patches;
}

bool patch_touches(std::string_view patch, std::string_view tail) {
  for (std::string_view line : base::split(patch, '\n')) {
    if (!line.starts_with("--- ") && !line.starts_with("+++ ")) continue;
    line = base::trim(line.substr(4));
    line = line.substr(0, line.find('\t'));
    const auto slash = line.find('/');
    if (slash != std::string_view::npos && line.substr(slash + 1) == tail) return true;
  }
  return false;
}

}  // namespace ingest
