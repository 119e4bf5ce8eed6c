#include <fmt/format.h>
#include <re2/re2.h>

#include "base/json.h"
#include "base/text.h"
#include "symbolicate/rewrite_rules.h"

namespace symbolicate {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::int64_t kMemoryMax = 1 << 20;  // of one expression

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// Groups are named (?<name>…) there, and (?P<name>…) in this RE2.
std::string in_words_of_re2(std::string_view from) {
  constexpr std::string_view kGroup = "(?<";
  std::string text;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] == '\\' && i + 1 < from.size()) {
      text += from.substr(i++, 2);
    } else if (from.substr(i).starts_with(kGroup)) {
      text += "(?P<";
      i += kGroup.size() - 1;
    } else {
      text += from[i];
    }
  }
  return text;
}

}  // namespace

class RewriteRules::Rule {
 public:
  static Result<std::shared_ptr<const Rule>> make(std::string_view from, std::string_view to) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kMemoryMax);
    auto expression = std::make_unique<re2::RE2>(in_words_of_re2(from), options);
    if (!expression->ok()) return Error{Fault::malformed, expression->error()};
    return std::make_shared<const Rule>(std::move(expression), to);
  }
  Rule(std::unique_ptr<re2::RE2> expression, std::string_view to)
      : expression_(std::move(expression)), to_(to) {}

  std::optional<std::string> rewrite(std::string_view name) const {
    const int groups = 1 + expression_->NumberOfCapturingGroups();
    std::vector<re2::StringPiece> found(static_cast<std::size_t>(groups));
    const re2::StringPiece text(name.data(), name.size());
    if (!expression_->Match(text, 0, text.size(), re2::RE2::UNANCHORED, found.data(), groups)) {
      return std::nullopt;
    }
    const auto begin = static_cast<std::size_t>(found[0].data() - name.data());
    std::string out(name.substr(0, begin));
    append_replacement(found, out);
    out += name.substr(begin + found[0].size());
    return out;
  }

 private:
  void append_replacement(const std::vector<re2::StringPiece>& found, std::string& out) const {
    const std::string_view to = to_;
    for (std::size_t i = 0; i < to.size() && out.size() <= kRewrittenMax; ++i) {
      if (to[i] != '$' || i + 1 == to.size()) {
        out += to[i];
        continue;
      }
      if (to[i + 1] == '$') {
        out += to[++i];
        continue;
      }
      const bool is_braced = to[i + 1] == '{';
      const std::size_t from = i + (is_braced ? 2 : 1);
      std::size_t end = from;
      while (end < to.size() && (is_braced ? to[end] != '}' : is_word(to[end]))) ++end;
      if (end == from || (is_braced && end == to.size())) {  // names no group
        out += to[i];
        continue;
      }
      append_group(to.substr(from, end - from), found, out);
      i = is_braced ? end : end - 1;
    }
  }

  // One that there is not is nothing.
  void append_group(std::string_view name, const std::vector<re2::StringPiece>& found,
                    std::string& out) const {
    std::optional<std::uint64_t> number = base::parse_decimal(name);
    if (!number) {
      const auto& names = expression_->NamedCapturingGroups();
      const auto at = names.find(std::string(name));
      if (at == names.end()) return;
      number = static_cast<std::uint64_t>(at->second);
    }
    if (*number >= found.size()) return;
    const re2::StringPiece& group = found[*number];
    if (!group.empty()) out.append(group.data(), group.size());
  }

  const std::unique_ptr<re2::RE2> expression_;
  const std::string to_;
};

Result<RewriteRules> RewriteRules::parse(std::string_view json) {
  const base::JsonValue value = TRY(base::JsonValue::parse(json));
  if (value.is_null()) return RewriteRules();
  const auto* list = value.array();
  if (list == nullptr) return Error{Fault::malformed, "expected a list"};
  if (list->size() > kRewriteRulesMax) {
    return Error{Fault::too_large, fmt::format("there are more than {} rules", kRewriteRulesMax)};
  }
  RewriteRules rules;
  rules.rules_.reserve(list->size());
  for (const base::JsonValue& one : *list) {
    const std::string* from = one["from"].string();
    const std::string* to = one["to"].string();
    if (from == nullptr || to == nullptr) {
      return Error{Fault::malformed, "each rule is an object with the texts from and to"};
    }
    if (from->size() > kRewriteTextMax || to->size() > kRewriteTextMax) {
      return Error{Fault::too_large,
                   fmt::format("a rule's text has at most {} bytes", kRewriteTextMax)};
    }
    auto rule = TRY(Rule::make(*from, *to));
    rules.rules_.push_back(std::move(rule));
  }
  return rules;
}

std::optional<std::string> RewriteRules::rewrite(std::string_view name) const {
  if (name.size() > kRewrittenMax) return std::nullopt;
  for (const auto& rule : rules_) {
    auto renamed = rule->rewrite(name);
    if (!renamed) continue;
    if (renamed->size() > kRewrittenMax) return std::nullopt;
    return renamed;
  }
  return std::nullopt;
}

}  // namespace symbolicate
