// Writes a snapshot::Crash as a minidump, little-endian, as our handler leaves it on disk.
// Not a file on disk: the caller appends the parts to a PendingFile, the four bytes of the
// signature last if a torn file must be recognisable.
// A MinidumpImage owns its head; its memory parts are views into the Crash, which must outlive it.
// The same Crash always gives the same bytes. Pure functions; any thread.
// lay_out_minidump() fails with too_large when a part would lie past 4 GiB, and with unsupported
// for a CPU whose context layout we cannot write.
// Format: docs/formats/minidump.md
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "snapshot/crash.h"

namespace snapshot {

// The file is `head`, then each of `memory`, in order, without gaps.
struct MinidumpImage {
  std::vector<std::uint8_t> head;   // header, directory, all streams, descriptors of the memory
  std::vector<base::Bytes> memory;  // stacks and other blocks; only their sizes went into head

  std::uint64_t size() const;
};

// A stack whose range equals a block in crash.memory is stored once. Stacks that are not in
// crash.memory are listed in the memory list as well, as debuggers expect.
base::Result<MinidumpImage> lay_out_minidump(const Crash& crash);

// The same in one piece.
base::Result<std::vector<std::uint8_t>> minidump_from_snapshot(const Crash& crash);

}  // namespace snapshot
