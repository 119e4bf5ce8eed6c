// Which rooms' rows name blobs, besides the catalogue, and what of theirs goes by age: the server
// and the commands that open a data directory must agree on it, or one would take away what the
// other needs.
// What is given must outlive the list.
#pragma once

#include <functional>
#include <vector>

#include "reports/archive.h"
#include "sources/uploaded.h"
#include "store/containers.h"
#include "upkeep/house.h"

namespace cli {

std::vector<upkeep::Keeper> all_keepers(reports::Archive& archive, sources::Uploaded& uploaded,
                                        store::Containers& containers);

// What goes by age, besides uploads. `drop_copy` as in upkeep::House.
std::vector<upkeep::Ageing> all_ageing(db::Database& database, store::Containers& containers,
                                       std::function<void(const base::Sha256&)> drop_copy);

}  // namespace cli
