// Mapped files whose end somebody else cuts off, or whose disk fails, while we look at them. The
// kernel answers the next look at a lost page with SIGBUS, which ends a program. A server must not
// end so: after read_lost_pages_as_zeros() such a page reads as zeros, and it is counted.
// Only private pages of files that can neither be written to nor run: SQLite has mappings of its
// own, and must rather fail than be told lies. Nobody asks whose they are: MappedFile's, and also
// the constants of a library or program that is overwritten in place while we run (replace such
// files by renaming, as package managers do); it then goes on with zeros instead of ending.
// For files that are read with care, whatever is in them. Who sees the count change opens his
// files again: their sizes then tell.
// Any thread.
#pragma once

#include <cstdint>

namespace base {

// For the whole process, from now on. What the program did about SIGBUS before, it does not.
void read_lost_pages_as_zeros();

// How many pages were lost so far.
std::uint64_t lost_pages();

}  // namespace base
