// Projects and tokens as JSON, the same over HTTP and from commands that open a data directory
// themselves.
// post_*() take what is wanted, do it, and give what was made; a new token's secret is in there
// and nowhere else. They block; fail with malformed or what Access fails with.
// Format: docs/protocols/admin-api.md
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/access.h"

namespace store {

std::string projects_json(const Access& access);
std::string tokens_json(const Access& access);
// `query` as in "audit?limit=20"; 100 entries unless it says another number, at most 1000.
base::Result<std::string> audit_json(Access& access, std::string_view query);
// What create_token() takes, for somebody who said it in words. `days`: 0 for ever.
base::Result<Token> token_wanted(std::string label, std::string_view rights, std::string project,
                                 std::int64_t days);
base::Result<std::string> post_project(Access& access, std::string_view json, const Actor& actor);
base::Result<std::string> post_token(Access& access, std::string_view json, const Actor& actor);
// When a token ends that lives for `days` from now on; 0 for ever.
base::Result<base::Time> end_after(std::int64_t days);
// `id` in decimal, `json` with `days`.
base::Result<std::string> post_extend(Access& access, std::string_view id, std::string_view json,
                                      const Actor& actor);
// The same with `quota`, in bytes.
base::Result<std::string> post_limit(Access& access, std::string_view id, std::string_view json,
                                     const Actor& actor);

}  // namespace store
