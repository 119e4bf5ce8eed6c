// Texts that are the same whatever the case of their ASCII letters, as keys of hash tables: file
// names and ids are. Strangers choose them, so the hash has a seed of this process.
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace statistics {

struct FoldedHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const;
};

struct FoldedEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const;
};

}  // namespace statistics
