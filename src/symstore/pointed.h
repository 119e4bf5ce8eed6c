// What a file.ptr that was stored for a key points to, opened: beneath the directories that are
// allowed for pointers, and only if its bytes say that very key. The second rule is why an
// uploader cannot read foreign files with a pointer of his own.
// A relative path is taken from where the pointer lies, if that is on our disk, else from where it
// would lie in each of those directories: an imported tree's pointers go on to lead into that tree.
// Any thread. A file of up to 16 MiB is read, since it may be cut short meanwhile; a larger one is
// mapped. REQUIRES: then base::read_lost_pages_as_zeros(). Fails with
// not_found (a message instead of a path, no such file), unsupported (a share that is not mapped),
// denied (it leads out, it is another file), too_large (4 GiB) or what the disk says.
// Format: docs/formats/symstore.md
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "symstore/beneath.h"

namespace symstore {

// `lies_in`: directories of our disk in which this pointer lies.
base::Result<PointerTarget> open_pointed(std::string_view pointer_text, const std::string& name,
                                         const std::string& id, const PointerRoots& roots,
                                         const std::vector<std::string>& lies_in = {});

// The roots as a list, one a line: "/directory", "\\server\share=/directory" or
// "C:\directory=/directory". malformed: a directory that is not absolute.
base::Result<PointerRoots> parse_pointer_roots(std::string_view text);

}  // namespace symstore
