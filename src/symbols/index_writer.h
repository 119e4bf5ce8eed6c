// A Model → the bytes of a symbol index, which symbols/map.h searches.
// Applies what readers of Breakpad's text agree on, so that the index answers as they do:
// functions, lines and unwind ranges are sorted by (start, end); one that starts before the
// previous one's end is left out, not cut; equal neighbours merge. Source order is no matter.
// The bytes depend only on the Model, not on the number of threads.
// Fails with too_large when the Model passes a limit of the format.
// Format: docs/formats/symbol-index.md
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "symbols/model.h"

namespace symbols {

struct IndexOptions {
  unsigned threads = 0;  // 0: as many as there are processors
  int zstd_level = 3;
  bool durable = true;  // files: sync before the rename, so that a power cut leaves all or nothing
};

base::Result<std::vector<std::uint8_t>> write_index(const Model& model,
                                                    const IndexOptions& options = {});

// Written beside `path` and renamed: readers see the whole file or none.
base::Result<void> write_index_file(const Model& model, const std::string& path,
                                    const IndexOptions& options = {});

}  // namespace symbols
