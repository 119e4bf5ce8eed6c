// Whose files a request is about, and the prefixes of a path that say so:
//   /…   /symbols/…   /firefox/…       everybody's files (the default project)
//   /try/…                             those, and the short-lived ones from try builds
//   /p/PROJECT/…   /p/PROJECT/t/TOKEN/…   one project's, with a read token for clients that
//                                      cannot send headers; "symbols" or "try" may follow
// Not the check of the token and not the list of projects: uploads and their tables know those.
// A token is a secret: it is in no key, and without_token() is what may be logged.
// Plain values; pure functions; linear in the path. Views point into the path given.
// Format: docs/protocols/symsrv.md
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ident {

struct Scope {
  std::string project;       // lower case; "" is the default project
  bool include_try = false;  // also what try builds uploaded; the others' files win

  friend bool operator==(const Scope&, const Scope&) = default;
  friend auto operator<=>(const Scope&, const Scope&) = default;
};

struct ScopedPath {
  Scope scope;
  std::string_view token;  // "" when the path has none
  std::string_view rest;   // after the prefixes, without a leading slash
};

// Nothing when the project's name or the token is none. The shortest path that can name a file
// has three parts, so "/symbols/ID/symbols" is a file called symbols and no prefix; but for the
// trees of build ids, "/symbols/ab/cdef….debug".
std::optional<ScopedPath> split_scope(std::string_view path);

// Letters, digits, "-", "_" and ".", not beginning with a dot; at most 64 bytes.
bool is_project_name(std::string_view name);

// The path with its token, if it has one, replaced by "***".
std::string without_token(std::string_view path);

}  // namespace ident
