// Under which other name the debug file of a process' first module is looked for, as Symbolicator's
// clients say it: an application that Electron runs in has Electron's symbols, but its own name.
//   [{"from": "[^/\\\\]+\\.exe\\.pdb$", "to": "electron.exe.pdb"}, …]
// `from` is a regular expression, which matches anywhere; `to` takes its place, and may name its
// groups: $1, $name or ${name}; $$ is a dollar. The first rule that matches is the only one.
// Strangers write them: RE2 runs them, in time linear in the name, within the limits below.
// Immutable; copies are cheap; any thread. parse() fails with malformed or too_large.
// Format: docs/protocols/symbolicator.md
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace symbolicate {

constexpr std::size_t kRewriteRulesMax = 64;
constexpr std::size_t kRewriteTextMax = 1024;  // of `from`, and of `to`
constexpr std::size_t kRewrittenMax = 4096;    // a longer name is none

class RewriteRules {
 public:
  static base::Result<RewriteRules> parse(std::string_view json);
  // Nothing when no rule matches.
  std::optional<std::string> rewrite(std::string_view name) const;

  class Rule;

 private:
  std::vector<std::shared_ptr<const Rule>> rules_;
};

}  // namespace symbolicate
