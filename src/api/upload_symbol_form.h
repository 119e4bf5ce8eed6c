// Breakpad's sym_upload v1: a form with a symbol_file and what module it is for. The file's own
// ids decide; debug_file and debug_identifier say where it is to be found besides.
// Pool only. Format: docs/protocols/upload-breakpad.md
#pragma once

#include <vector>

#include "api/upload_common.h"
#include "net/multipart.h"

namespace api {
net::Answer keep_symbol_form(const Context& context, const ingest::Bringer& bringer,
                             const std::vector<net::Part>& parts);

// The place of a module's file: NAME/ID/NAME.sym for Breakpad text, NAME/ID/NAME for others;
// nothing when a name or id is not allowed.
std::optional<ident::StorePath> path_of_module(const std::string& debug_file,
                                               const std::string& debug_id, bool is_sym);
}  // namespace api
