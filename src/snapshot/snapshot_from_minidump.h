// Reads a minidump, from whatever writer and of either byte order, into a snapshot::Crash.
// A broken optional stream is treated as absent and leaves a line in Crash::notes.
// The Crash keeps the file alive (owner) when it is given as a MappedFile; its memory blocks are
// views into it. Pure functions; any thread.
// Fails when the container cannot be read, or lacks threads or system information. `what` then
// starts with the name that consumers of minidump-stackwalk's log know, in the tool's words:
//   "MissingThreadList - Error processing dump: The thread list stream was not found"
// Format: docs/formats/minidump.md
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"
#include "snapshot/crash.h"

namespace snapshot {

base::Result<Crash> snapshot_from_minidump(std::shared_ptr<const base::MappedFile> file);

// For bytes that the caller keeps alive itself; `owner` of the result is null.
base::Result<Crash> snapshot_from_minidump(base::Bytes file);

}  // namespace snapshot
