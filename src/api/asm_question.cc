#include "api/asm_question.h"

#include <algorithm>
#include <vector>

#include "api/profiler.h"
#include "base/json.h"
#include "base/text.h"
#include "supply/symbol_maps.h"

namespace api {

using base::Error;
using base::Fault;
using base::Result;
using ident::Artifact;

namespace {

// A PE's code id is a time stamp and a size; an ELF file's is its build id, a Mach-O file's its
// UUID.
void add_code_keys(std::string_view name, std::string_view code_id,
                   std::vector<ident::SymbolKey>& keys) {
  constexpr std::size_t kPeDigitsMax = 16;
  constexpr std::size_t kUuidDigits = 32;
  if (code_id.size() <= kPeDigitsMax) {
    keys.push_back(ident::SymbolKey::from_text(ident::KeyKind::code_id, name, code_id));
  }
  if (code_id.size() == kUuidDigits) {
    keys.push_back(ident::SymbolKey::from_text(ident::KeyKind::uuid, name, code_id));
  }
  if (const auto build_id = base::bytes_from_hex(code_id)) {
    keys.push_back(ident::SymbolKey::from_build_id(name, *build_id));
  }
}

bool is_code_id(std::string_view text) {
  constexpr std::size_t kDigitsMax = 128;
  const auto is_hex = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  };
  return text.size() >= 4 && text.size() <= kDigitsMax &&
         std::all_of(text.begin(), text.end(), is_hex);
}

Error bad_question() {
  return {
      Fault::malformed,
      "expected an object with startAddress and size (hexadecimal, 0x…, 32 bits), and debugName "
      "with debugId or name with codeId"};
}

}  // namespace

Result<AsmQuestion> parse_asm_question(std::string_view body, const ident::Scope& scope) {
  const base::JsonValue value = TRY(base::JsonValue::parse(body));
  const auto start = find_profiler_offset(value["startAddress"]);
  const auto size = find_profiler_offset(value["size"]);
  if (!start || !size || start->value > kAsmAddressMax || size->value > kAsmAddressMax) {
    return bad_question();
  }
  AsmQuestion question;
  question.start = *start;
  question.size = size->value;
  if (const bool* continues = value["continueUntilFunctionEnd"].boolean()) {
    question.continues = *continues;
  }
  question.executable.artifact = Artifact::executable;
  question.executable.scope = scope;
  const std::string_view debug_name = value["debugName"].text_or("");
  const std::string_view id_text = value["debugId"].text_or("");
  if (const auto id = ident::DebugId::parse(id_text); id && !id->is_nil()) {
    question.executable.keys.push_back(ident::SymbolKey::from_debug_id(debug_name, *id));
    question.index = supply::SymbolMaps::request_for(debug_name, id_text, scope);
    question.uuid = base::lower_ascii(id->breakpad().substr(0, 32));
  }
  const std::string_view code_id = value["codeId"].text_or("");
  if (is_code_id(code_id)) {
    const std::string_view name = value["name"].text_or("");
    add_code_keys(name.empty() ? debug_name : name, code_id, question.executable.keys);
    if (question.uuid.empty()) question.uuid = base::lower_ascii(code_id);
  }
  if (question.executable.keys.empty()) return bad_question();
  return question;
}

}  // namespace api
