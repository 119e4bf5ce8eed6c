// The key that a symbol store's pointer on disk is for: ".../foo.pdb/ID/file.ptr", in either tier.
// Nothing when the path is no such one. Its file is "file.ptr", however that is spelled there.
// Pure function; linear in the path.
// Format: docs/formats/symstore.md
#pragma once

#include <optional>
#include <string_view>

#include "ident/paths.h"

namespace ident {

std::optional<StorePath> find_pointer_place(std::string_view path_on_disk);

}  // namespace ident
