// Writes the streams of a container as MSF 7.00, pages of 4096 bytes in a row. Streams that are
// deleted or empty become empty ones. The bytes come to the sink in order, whole pages.
// Any thread. Fails with too_large (the list of pages does not fit its one map page: about 4 GiB
// of streams), or as the container's read() or the sink do.
// Format: docs/formats/pdb.md
#pragma once

#include <functional>

#include "base/bytes.h"
#include "base/result.h"
#include "formats/pdb/container.h"

namespace pdb {

using Sink = std::function<base::Result<void>(base::Bytes)>;

base::Result<void> write_msf7(const Container& streams, const Sink& sink);

}  // namespace pdb
