#include "supply/open_stored.h"

#include "base/log.h"
#include "base/sha256.h"
#include "extract/identify.h"
#include "ident/paths.h"
#include "supply/cut_section.h"
#include "supply/origin.h"

namespace supply {

using base::Error;
using base::Fault;
using base::Result;

Result<Supplied> open_stored(const store::Blobs& blobs, const store::FileRecord& file) {
  Result<store::OpenBlob> blob = blobs.open_blob(file.sha256);
  if (!blob.ok()) {
    // A row without its blob: somebody removed it behind our back.
    base::log::error("{} is in the catalogue, but {}", file.name, blob.error().what);
    return Error{Fault::internal, "the file is in the catalogue but cannot be opened"};
  }
  Supplied supplied;
  supplied.fd = blob->fd;
  supplied.size = blob->size;
  supplied.path = blob->path;
  supplied.content_tag = file.sha256.hex().substr(0, 40);
  supplied.name = file.name;
  supplied.format = file.format;
  supplied.modified = file.added_at;
  return supplied;
}

Result<Supplied> open_section(const store::Blobs& blobs, store::Containers* containers,
                              const std::vector<store::FileRecord>& files,
                              const ident::SymbolRequest& request) {
  const std::string& section = request.detail;
  Error error{Fault::not_found, "no file with this id has such a section"};
  for (const store::FileRecord& file : files) {
    Supplied supplied = TRY(open_stored(blobs, file));
    const auto part = find_section(supplied.path, section);
    if (!part.ok()) continue;
    supplied.offset = part->offset;
    supplied.size = part->size;
    supplied.content_tag =
        base::sha256_of(base::bytes_of(supplied.content_tag + section)).hex().substr(0, 40);
    supplied.format = "section";
    add_origin(containers, file.sha256, request.scope, supplied);
    return supplied;
  }
  return error;
}

Result<Supplied> find_new_place(const store::Blobs& blobs, const store::FileRecord& file) {
  const auto bytes = TRY(base::MappedFile::open(blobs.place_of(file.sha256)));
  const extract::Identity identity = extract::identify(bytes->bytes());
  const std::string& name = identity.pdbs.empty() ? identity.name : identity.pdbs.front().name;
  Supplied supplied;
  supplied.moved_to_name = ident::is_allowed_name(name) ? name : file.name;
  supplied.moved_to_id = file.debug_id;
  return supplied;
}

}  // namespace supply
