// A row of the catalogue, opened for an answer: the whole file, one section of it, or where it
// moved. Touches the disk: off the loops only. Fails with not_found (no such section) or internal
// (a row without its blob).
#pragma once

#include <string>
#include <vector>

#include "ident/paths.h"
#include "store/blobs.h"
#include "store/catalog.h"
#include "store/containers.h"
#include "supply/supplied.h"

namespace supply {

base::Result<Supplied> open_stored(const store::Blobs& blobs, const store::FileRecord& file);

// The section `request.detail` of the first of these that has it. `containers` may be null: then
// nobody knows where it lay.
base::Result<Supplied> open_section(const store::Blobs& blobs, store::Containers* containers,
                                    const std::vector<store::FileRecord>& files,
                                    const ident::SymbolRequest& request);

// Rust-minidump and others learn the debug file's name from here: in its own spelling.
base::Result<Supplied> find_new_place(const store::Blobs& blobs, const store::FileRecord& file);

}  // namespace supply
