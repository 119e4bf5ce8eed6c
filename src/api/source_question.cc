#include "api/source_question.h"

#include "api/profiler.h"
#include "base/json.h"
#include "supply/symbol_maps.h"

namespace api {

using base::Error;
using base::Fault;
using base::Result;
using ident::Artifact;

Result<sources::Question> parse_source_question(std::string_view body, const ident::Scope& scope) {
  const base::JsonValue value = TRY(base::JsonValue::parse(body));
  const std::string_view name = value["debugName"].text_or("");
  const std::string_view id_text = value["debugId"].text_or("");
  const auto id = ident::DebugId::parse(id_text);
  const auto offset = find_profiler_offset(value["moduleOffset"]);
  const std::string_view file = value["file"].text_or("");
  if (!id || !offset || file.empty() || file.size() > kSourcePathMax) {
    return Error{Fault::malformed,
                 "expected an object with debugName, debugId, moduleOffset (hexadecimal, 0x…) "
                 "and file"};
  }
  sources::Question question;
  question.symbols = {ident::module_request(Artifact::debuginfo, name, *id, scope),
                      ident::module_request(Artifact::sym, name, *id, scope)};
  question.path = file;
  question.address = offset;
  question.index = supply::SymbolMaps::request_for(name, id_text, scope);
  return question;
}

}  // namespace api
