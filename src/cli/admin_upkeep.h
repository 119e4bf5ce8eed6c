// `faultline admin fsck|purge|backup|restore|retention|audit`: the words of `admin` that stand
// alone.
#pragma once

#include <optional>

namespace cli {

// Nothing: the first argument is none of them.
std::optional<int> run_upkeep_command(int argc, char** argv);

}  // namespace cli
