// Files of others, on shares that others write to: read, and never mapped, since whoever cuts a
// mapped file short ends the program that looks at it (SIGBUS).
// Any thread. What changes meanwhile is read as it is then; the bytes that come back do not change.
// Fails with unavailable (cut short while it was read, I/O error), too_large, or what opening says.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace symstore {

// `path` is for people. The whole file in memory: too_large over `size_max`.
base::Result<std::vector<std::uint8_t>> read_foreign(const base::Fd& fd, const std::string& path,
                                                     std::uint64_t size_max);

base::Result<void> append_foreign(const std::string& path, base::PendingFile& to);

// False as well when one of them cannot be read.
bool have_same_bytes(const std::string& a, const std::string& b);

}  // namespace symstore
