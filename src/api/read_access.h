// Who may read source files. Of the default project: anyone who reaches the server, or, when the
// operator set a token for sources, only local requests, that token and tokens with the right
// `read`. Of another project whoever may read its symbols.
// Pure function of a request's head and the tokens that were made. Any thread; memory only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/rights.h"
#include "net/http.h"

namespace api {

struct Reader {
  std::string name;  // a token's label; "" for nobody in particular
};

// Nothing: he may not. `token` is what the operator set; "": none.
std::optional<Reader> find_source_reader(const net::Request& request, const Gate& gate,
                                         std::string_view token);

}  // namespace api
