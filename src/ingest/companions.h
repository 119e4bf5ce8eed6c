// Packages of split DWARF (.dwp) and the image or debug file whose skeletons refer to their units:
// a package has no build id of its own, but is asked for by that of its companion.
// Both may come in either order, or in one upload. They are matched by DWO ids; a few are
// enough, since linkers and dwp keep all units of a program together.
// Any thread; calls ask the database.
// Fails as the catalogue does.
// Format: docs/formats/identity.md
#pragma once

#include <vector>

#include "base/result.h"
#include "store/catalog.h"

namespace ingest {

constexpr std::size_t kMaxSkeletonKeys = 4;  // of one file: its smallest DWO ids
constexpr std::size_t kMaxPackageKeys = 64;  // of one package: that many smallest are asked for

// Before the commit: gives packages the build and debug ids of companions that come with them
// or are here.
base::Result<void> join_packages(store::Catalog& catalog, const ident::Scope& scope,
                                 std::vector<store::NewFile>& arriving);

// After the commit: the same for packages that were here before their companions, or came at the
// same time: each of two uploads sees what the other has committed, or is seen by it.
base::Result<void> join_waiting_packages(store::Catalog& catalog, const ident::Scope& scope,
                                         const std::vector<store::NewFile>& arrived);

}  // namespace ingest
