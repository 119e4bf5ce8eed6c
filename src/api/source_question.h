// What POST /source/v1 asks: which module's symbols must name which file, for which address.
// Not the search for it: sources/sources.h.
// A pure function; any thread. Fails with malformed; the words are for the client.
// Protocol: docs/protocols/sources.md
#pragma once

#include <string_view>

#include "base/result.h"
#include "ident/scope.h"
#include "sources/sources.h"

namespace api {

constexpr std::size_t kSourcePathMax = 4096;

base::Result<sources::Question> parse_source_question(std::string_view body,
                                                      const ident::Scope& scope);

}  // namespace api
