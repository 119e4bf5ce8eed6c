// How Debian's source packages are called and laid out, so that a path in the symbols of a .deb is
// found in the tarball that it was built from.
// Sources of a tarball NAME_VERSION.orig.tar.* stand in the catalogue as
// "debian:NAME_VERSION/TAIL", below the directory that dpkg-source would strip; those of
// NAME_VERSION-REV.debian.tar.* and of a native NAME_VERSION.tar.* likewise. The control file of a
// .deb stands as kDebianControl. Not the reading of packages (unpack.h). Pure functions, linear in
// what they are given. Format: docs/scanning.md
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/containers.h"

namespace ingest {

constexpr std::string_view kDebianControl = "debian:control";

// Renames the sources of a source tarball called `file_name`; of another file nothing. What is only
// maybe one by its name keeps the names that it had, too. `root` is the directory that all its
// members are in, "" when there is none.
void rename_debian_sources(std::string_view file_name, std::string_view root,
                           std::vector<store::PackedSource>& sources);

// Which source package a .deb was built from.
struct DebianSource {
  std::string name;
  std::string version;   // without epoch
  std::string upstream;  // without revision, too
};
// Nothing when the control file does not say it.
std::optional<DebianSource> find_debian_source(std::string_view control);

// Where the file may stand in the catalogue that the symbols call `path`, the likeliest first:
// below a directory NAME-VERSION for an absolute path (all that Debian's and Ubuntu's builders have
// or map to), as it is for a relative one (-ffile-prefix-map=BUILDDIR=.).
std::vector<std::string> debian_places(const DebianSource& source, std::string_view path);

// What "debian:NAME_VERSION/a/b.c" is below its directory: "a/b.c".
std::string_view tail_of_place(std::string_view place);

// Names of the patches in a quilt series, in order.
std::vector<std::string> patches_in_series(std::string_view series);
// Whether a patch (applied with -p1) makes or changes that file.
bool patch_touches(std::string_view patch, std::string_view tail);

}  // namespace ingest
