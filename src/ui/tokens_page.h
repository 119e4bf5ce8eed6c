// /settings/tokens: every token, what it may do and how long; a form that makes one, and buttons
// that extend and revoke. A secret is shown once, in the answer to the form that made it.
// Plain functions from values to text.
// Format: docs/operation.md
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "store/access.h"

namespace ui {

struct TokensPage {
  std::vector<store::Token> tokens;  // of this page, the newest first
  std::uint64_t total = 0, page = 1, page_size = 100;
  std::vector<std::string> projects;           // without the default one
  std::map<std::int64_t, std::uint64_t> used;  // bytes, by id, of those with a quota
  base::Time now;
  std::string note;                  // what came of a button
  std::string problem;               // why a token was not made
  std::string secret, secret_label;  // of one that was made just now
};

std::string tokens_page(const TokensPage& shown);

}  // namespace ui
