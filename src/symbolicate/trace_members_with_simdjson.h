// Members of the objects in a trace question, checked: for the files of this room that read those.
// A member that is absent or null leaves what is given as it is. `where` is the object's place in
// the document, for the words of a refusal.
// Pure functions. Fails with unsupported, and says what was expected where.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "symbolicate/document_with_simdjson.h"
#include "symbolicate/trace_question.h"

namespace symbolicate {

base::Error wrong(std::string_view where, std::string_view expected);

std::optional<simdjson::dom::element> find_member(const simdjson::dom::object& members,
                                                  std::string_view name);
// A number, or one in a string.
std::optional<std::uint64_t> find_number(simdjson::dom::element value);

base::Result<void> read_text(const simdjson::dom::object& members, std::string_view name,
                             std::string_view where, std::string& out);
base::Result<void> read_text(const simdjson::dom::object& members, std::string_view name,
                             std::string_view where, std::optional<std::string>& out);
base::Result<void> read_flag(const simdjson::dom::object& members, std::string_view name,
                             std::string_view where, std::optional<bool>& out);
base::Result<void> read_number(const simdjson::dom::object& members, std::string_view name,
                               std::string_view where, std::optional<std::uint64_t>& out);
// At most kTraceListMax.
base::Result<void> read_texts(const simdjson::dom::object& members, std::string_view name,
                              std::string_view where, std::vector<std::string>& out);

base::Result<void> read_trace_source(simdjson::dom::element value, const std::string& where,
                                     TraceSource& source);

}  // namespace symbolicate
