// What the upload protocols share: admission from the head, the words for a refusal, who brings a
// file, and how a kept file is told of.
// Any thread. Format: docs/protocols/upload.md
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/upload.h"
#include "base/json.h"

namespace api {

struct UploadContext {
  UploadRooms rooms;
  UploadOptions options;
};
using Context = std::shared_ptr<const UploadContext>;

// How one protocol's clients are told.
struct Dialect {
  net::Answer (*error)(int status, std::string_view text);
  net::Answer (*refusal)(const Denial& refusal);
};
const Dialect& tecken_dialect();  // {"error": TEXT}, always 403 without a right
const Dialect& sentry_dialect();  // {"detail": TEXT}
const Dialect& nuget_dialect();   // plain text

net::Answer json_error(int status, std::string_view text);
// What ingest failed with, logged if it is our trouble.
net::Answer upload_failed(const Context& context, const Dialect& dialect, const base::Error& error);

// A pool route that takes a file of at most `size_max`; who may not is refused from the head.
net::Route upload_route(const Context& context, const Dialect& dialect, std::string method,
                        std::string pattern, std::uint64_t size_max);
// A pool route that takes a small text and needs the same right.
net::Route upload_text_route(const Context& context, const Dialect& dialect, std::string method,
                             std::string pattern, std::uint64_t size_max);
// For what may take minutes: the answer comes when `job` has run (long_work.h); 503 when too much
// waits already. The request stays valid for `job`.
net::Reply run_long(const Context& context, const Dialect& dialect,
                    std::function<net::Answer()> job);
using UploadHandler = std::function<net::Reply(net::Request& request)>;
// Adds it as it is and below /p/{project}.
void add_for_projects(net::Router& router, net::Route route, const UploadHandler& handler);

std::optional<std::string> path_project(const net::Request& request);
std::optional<net::Answer> refuse_for_lack_of_disk(const Context& context, const Dialect& dialect,
                                                   const net::Request& request);
// The same for what has to be unpacked, which stops earlier.
std::optional<net::Answer> refuse_to_unpack(const Context& context, const Dialect& dialect);

// `wants_try`: the request asks for it.
ingest::Bringer bringer_of(const Context& context, const net::Request& request, const Who& who,
                           std::string_view way, bool wants_try);

// "https://symbols.example": what our own URLs in answers begin with.
std::string own_url(const Context& context, const net::Request& request);

// A file that comes without a path has to name itself: one that nobody could find again is not
// kept.
base::Result<void> check_names_itself(base::Bytes bytes, const std::string& name);

// Records an upload that is begun, or that brings nothing new, with what the server had already:
// its id.
base::Result<std::int64_t> record_upload(const Context& context, const ingest::Bringer& bringer,
                                         const std::vector<std::string>& ignored,
                                         std::uint64_t size,
                                         const std::vector<store::NewFile>& skipped);

void write_file(base::JsonWriter& out, const ingest::Kept& kept);
void write_upload(base::JsonWriter& out, const ingest::Bringer& bringer,
                  const ingest::Receipt& receipt, const std::string& file_name, std::uint64_t size);

// 201 for an upload of many files, or why it was not kept.
net::Answer answer_of_many(const Context& context, const ingest::Bringer& bringer,
                           const std::string& file_name, std::uint64_t size,
                           const base::Result<ingest::Receipt>& receipt);

void add_put_route(net::Router& router, const Context& context);
void add_tecken_routes(net::Router& router, const Context& context);
void add_tecken_v2_routes(net::Router& router, const Context& context);
void add_breakpad_routes(net::Router& router, const Context& context);
void add_sentry_routes(net::Router& router, const Context& context);
void add_nuget_routes(net::Router& router, const Context& context);
void add_upload_record_routes(net::Router& router, const Context& context);
void add_tecken_page_routes(net::Router& router, const Context& context);
void add_tecken_token_routes(net::Router& router, const Context& context);

}  // namespace api
