// Symbol files coming in:
//   PUT /NAME/ID/FILE    one file, as it is or with a Content-Encoding
//   POST /upload/        Tecken's multipart form with a zip
// An upload is answered only when its files and rows are on disk (ingest). Local requests need no
// token; others must bring the configured one.
// Handlers run on the pool, bodies wait in files. Too large, too little disk, no right: refused
// from the head of the request.
// Format: docs/protocols/upload.md
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "ingest/ingest.h"
#include "net/http.h"

namespace api {

struct UploadOptions {
  std::uint64_t body_size_max = 8ull << 30;
  std::string token;                           // "": nobody but local peers may upload
  std::string data_directory;                  // whose free space is looked at
  std::uint64_t free_bytes_min = 64ull << 20;  // what an upload must leave on the disk
};

// Who may upload: nothing, or the refusal, from the head of a request. For other routes that take
// what builds make.
std::function<std::optional<net::Answer>(const net::Request&)> upload_gate(
    const UploadOptions& options);
// The same without a look at the disk: for requests that bring nothing.
std::optional<net::Answer> refuse_uploader(const net::Request& request,
                                           const UploadOptions& options);

// `ingest` must outlive the server.
void add_upload_routes(net::Router& router, ingest::Ingest& ingest, const UploadOptions& options);

}  // namespace api
