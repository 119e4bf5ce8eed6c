// Symbol files coming in, one file of this room per protocol:
//   PUT /NAME/ID/FILE                  upload_put.cc       one file
//   POST /upload/                      upload_tecken.cc    Tecken's zip; Breakpad's sym_upload v1
//   POST /upload/v2/                   upload_tecken_v2.cc Tecken's resumable uploads
//   /v1/uploads:create …               upload_breakpad.cc  Breakpad's sym_upload v2
//   /api/0/…/chunk-upload/ …           upload_sentry.cc    sentry-cli
//   PUT /api/v2/symbolpackage          upload_nuget.cc     NuGet symbol packages
//   GET /upload/ID, /api/v1/uploads    upload_records.cc   what was uploaded
//   /api/_auth/, /api/uploads/ …       upload_tecken_pages.cc   …as Tecken's pages ask
//   /api/tokens/ …                     upload_tecken_tokens.cc
// each also below /p/PROJECT. An upload is answered only when its files and rows are on disk.
// Handlers run on the pool, what takes minutes on threads of its own (long_work.h); bodies wait in
// files. Too large, too little disk, no right: refused
// from the head of the request.
// Format: docs/protocols/upload.md
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "api/long_work.h"
#include "api/rights.h"
#include "ingest/chunk_store.h"
#include "ingest/ingest.h"
#include "ingest/upload_sessions.h"
#include "net/http.h"
#include "store/disk_watch.h"
#include "store/uploads.h"
#include "supply/supply.h"

namespace api {

struct UploadOptions {
  std::uint64_t body_size_max = 8ull << 30;
  std::uint64_t free_bytes_min = 64ull << 20;  // what an upload must leave on the disk
  std::uint64_t try_days = 30;                 // how long try symbols live
  std::uint64_t sentry_request_size_max = 32ull << 20;
  std::string public_url;          // how clients reach us; "": as their request says
  std::string url_hosts;           // from where archives may be fetched, comma between
  bool url_private_hosts = false;  // even where these have private addresses
  std::string url_ca_bundle;       // "": the system's
};

// What the handlers work with; all of it must outlive the server.
struct UploadRooms {
  const Gate& gate;
  ingest::Ingest& ingest;
  ingest::UploadSessions& sessions;
  ingest::ChunkStore& chunks;
  store::Access& access;
  store::Blobs& blobs;
  store::Catalog& catalog;
  store::Uploads& uploads;
  const store::DiskWatch& disk;
  supply::Supply& supply;
  LongWork& long_work;
};

// Who may upload to the default project, and not try builds alone: nothing, or the refusal, from
// the head of a request. For other routes that take what builds make, and know no projects.
std::function<std::optional<net::Answer>(const net::Request&)> upload_gate(
    const UploadRooms& rooms, const UploadOptions& options);
// The same without a look at the disk: for requests that bring nothing.
std::optional<net::Answer> refuse_uploader(const net::Request& request, const Gate& gate);

// All of the above.
void add_upload_routes(net::Router& router, const UploadRooms& rooms, const UploadOptions& options);

}  // namespace api
