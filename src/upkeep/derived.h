// Which files under index/ were made from a content, or may have been: cabinets and the like bear
// its hash as their name; a text or an index of symbols says of which debug id it is, and may be
// of another file with that id as well, which does no harm: it is made again.
// Reads the head of every derived file. Fails with unavailable.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/sha256.h"

namespace upkeep {

// `ids` in lower case; `data` is the data directory.
base::Result<std::vector<std::string>> find_derived(const std::string& data,
                                                    const base::Sha256& content,
                                                    const std::set<std::string>& ids);

}  // namespace upkeep
