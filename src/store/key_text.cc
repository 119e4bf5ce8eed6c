#include "store/key_text.h"

#include <algorithm>

#include "base/text.h"
#include "ident/symbol_key.h"

namespace store {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr auto kLastKind = ident::KeyKind::skeleton;

std::string without_dashes(std::string id) {
  id.erase(std::remove(id.begin(), id.end(), '-'), id.end());
  return id;
}

}  // namespace

std::string of_any_kind() {
  std::string sql = "k.kind IN (";
  for (unsigned kind = 0; kind <= static_cast<unsigned>(kLastKind); ++kind) {
    sql += kind == 0 ? "'" : ", '";
    sql += ident::name_of(static_cast<ident::KeyKind>(kind));
    sql += "'";
  }
  return sql + ")";
}

Result<Condition> is_key_called(std::string_view text) {
  const std::string lower = base::lower_ascii(base::trim(text));
  const auto parts = base::split(lower, '/');
  if (parts.size() > 3 || lower.empty()) {
    return Error{Fault::malformed,
                 base::to_valid_utf8(text) + " is no SHA-256, no id and no NAME/ID/FILE"};
  }
  Condition condition{"(" + of_any_kind(), {}};
  if (parts.size() == 1) {
    condition.sql += " AND k.id IN (?, ?))";
    condition.values = {lower, without_dashes(lower)};
    return condition;
  }
  const std::string name(parts[0]);
  condition.sql += " AND k.id = ? AND k.name IN (?, ?))";
  condition.values = {std::string(parts[1]), name, name + "/" + std::string(parts.back())};
  return condition;
}

}  // namespace store
