// Uploads that go on after an interruption, and files without a path:
//   GET  /api/v1/uploads/{sha256}               how much of it is here
//   PUT  /api/v1/uploads/{sha256}?offset=N      the next part
//   POST /api/v1/uploads/{sha256}?path=N/ID/F   all is here: keep it (or ?name=FILE)
//   PUT  /api/v1/files/{name}                   one file that names itself
// each also below /p/PROJECT. Parts wait in partial_uploads.h; nothing is acknowledged as kept
// before the last request has checked the hash and ingest has kept the file. Each request may be
// sent again when its answer was lost. Handlers run on the pool. Format: docs/protocols/upload.md
#pragma once

#include "api/partial_uploads.h"
#include "api/upload.h"
#include "ingest/ingest.h"
#include "net/http.h"

namespace api {

// `partial` must outlive the server.
void add_parts_routes(net::Router& router, const UploadRooms& rooms, PartialUploads& partial,
                      const UploadOptions& options);

}  // namespace api
