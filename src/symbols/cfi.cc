#include "symbols/cfi.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace symbols {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; }

std::string_view next_token(std::string_view& text) {
  std::size_t at = 0;
  while (at < text.size() && is_space(text[at])) ++at;
  std::size_t end = at;
  while (end < text.size() && !is_space(text[end])) ++end;
  const std::string_view token = text.substr(at, end - at);
  text.remove_prefix(end);
  return token;
}

std::optional<std::int64_t> find_integer(std::string_view token) {
  if (token.starts_with('+')) {
    token.remove_prefix(1);
    if (token.starts_with('-')) return std::nullopt;
  }
  std::int64_t value = 0;
  const char* const begin = token.data();
  const char* const end = begin + token.size();
  const auto [stop, error] = std::from_chars(begin, end, value, 10);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

CfiOp op_of(std::string_view token) {
  using Kind = CfiOp::Kind;
  if (token.size() == 1) {
    switch (token[0]) {
      case '+':
        return {Kind::kAdd, 0, {}};
      case '-':
        return {Kind::kSubtract, 0, {}};
      case '*':
        return {Kind::kMultiply, 0, {}};
      case '/':
        return {Kind::kDivide, 0, {}};
      case '%':
        return {Kind::kModulo, 0, {}};
      case '@':
        return {Kind::kAlign, 0, {}};
      case '^':
        return {Kind::kDereference, 0, {}};
      default:
        break;
    }
  }
  if (token == ".cfa") return {Kind::kCfa, 0, {}};
  if (token == ".undef") return {Kind::kUndefined, 0, {}};
  // Whatever stands before a '$' is ignored, as other readers do.
  if (const std::size_t at = token.find('$'); at != std::string_view::npos) {
    return {Kind::kRegister, 0, token.substr(at + 1)};
  }
  if (const auto value = find_integer(token)) return {Kind::kConstant, *value, {}};
  return {Kind::kRegister, 0, token};  // ARM's names have no '$'
}

void put_rule(std::vector<CfiRule>& rules, CfiRule rule) {
  // "$.cfa" would name a register that no CPU has; it must not pass for the frame address.
  if (rule.target.starts_with("$.")) return;
  if (rule.target.starts_with('$')) rule.target.remove_prefix(1);
  const auto same = [&](const CfiRule& other) { return other.target == rule.target; };
  if (const auto found = std::find_if(rules.begin(), rules.end(), same); found != rules.end()) {
    *found = std::move(rule);
  } else {
    rules.push_back(std::move(rule));
  }
}

}  // namespace

bool merge_cfi_text(std::string_view text, std::vector<CfiRule>& rules) {
  bool any = false;
  CfiRule rule;
  for (std::string_view token = next_token(text); !token.empty(); token = next_token(text)) {
    if (token.back() == ':') {
      if (any) {
        if (rule.program.empty()) return false;
        put_rule(rules, std::move(rule));
      }
      rule = CfiRule{token.substr(0, token.size() - 1), {}};
      any = true;
    } else {
      if (!any) return false;
      rule.program.push_back(op_of(token));
    }
  }
  if (!any || rule.program.empty()) return false;
  put_rule(rules, std::move(rule));
  return true;
}

}  // namespace symbols
