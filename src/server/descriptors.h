// How many files and connections the process may have open.
// Pure of state but the process's limit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace server {

// Each connection and each file kept open needs a descriptor; 1024 are few. Only root may have more
// than the hard limit.
void raise_descriptor_limit(std::uint64_t connections_max);
// The process's limit of descriptors as it is now.
std::uint64_t descriptor_limit();
// Files that may be kept open: what the limit leaves beside so many connections, each of which may
// have a file of its own, and everything else.
std::size_t open_files_max(std::uint64_t limit, std::uint64_t connections);

}  // namespace server
