// Who may read source files. Of the default project: anyone who reaches the server, or, when the
// operator set a token for sources, only local requests, that token and tokens with the right
// `read`. Of another project whoever may read its symbols. Symbol files of a project: whom the gate
// admits. Pure functions of a request's head and the tokens that were made. Any thread; memory
// only. Format: docs/protocols/answers.md
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "api/rights.h"
#include "ident/scope.h"
#include "net/http.h"

namespace api {

struct Reader {
  std::string name;  // a token's label; "" for nobody in particular
};

// Nothing: he may not. `token` is what the operator set; "": none.
std::optional<Reader> find_source_reader(const net::Request& request, const Gate& gate,
                                         std::string_view token);

// Nothing for whom the gate admits; else the refusal in the client's dialect.
std::optional<net::Answer> refuse_reader(const net::Request& request, const Gate& gate);

// Whose files a request's path is about; the default project's when it names none.
ident::Scope scope_of(const net::Request& request);

// Before the patterns of routes that each project has, too.
constexpr std::array<const char*, 3> kScopePrefixes{"", "/p/{project}", "/p/{project}/t/{token}"};

// Whose files such a route's request is about, and the refusal for whom `allows` does not admit to
// that project (null: nobody). The default project is everybody's.
std::optional<net::Answer> refuse_scope(
    const net::Request& request,
    const std::function<std::optional<net::Answer>(const net::Request&)>& allows,
    ident::Scope& scope);

}  // namespace api
