// Takes from this process what making a report does not need: the network, other programs, and
// writing to files; and makes it end clearly when memory runs out.
// For `process-one` alone, at its start, before it has read anything: it cannot be undone. The
// limits of memory and time are the parent's to set (base/child.h). What the system refuses to
// take stays; this is a second wall, not the first.
#pragma once

namespace analyze {

// How a child that ran out of memory exits.
constexpr int kExitOutOfMemory = 77;

void enter_sandbox();

}  // namespace analyze
