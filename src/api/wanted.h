// What a GET wants of the store: the path as ident reads it, and what query and headers add.
//   ?try                              try builds' files, too
//   Accept: application/msfz0         a PDB in its compressed container, if it is there
//   SymbolChecksum: SHA256:HEX[;…]    .NET's tools: a portable PDB must have this content
// Pure function of a request's head.
// Format: docs/protocols/symsrv.md
#pragma once

#include <optional>
#include <string_view>

#include "ident/paths.h"
#include "net/http.h"

namespace api {

struct Wishes {
  bool cabinets = true;  // foo.pd_ may be made from foo.pdb
};

// Nothing when the path has no shape that names a file.
std::optional<ident::SymbolRequest> find_wanted(const net::Request& request, const Wishes& wishes);

// The same PDB in its compressed container, when the client says that it reads that.
std::optional<ident::SymbolRequest> find_wanted_msfz(const net::Request& request,
                                                     const ident::SymbolRequest& wanted);

// What a wish is spelled like when nothing but the path says what is wanted: the path, marked for
// a client that gets another file by it. "" when query or headers add to it.
std::string spelling_of(const net::Request& request);
// Whether that path leads to the same file for whoever asks, as long as that file is what
// `wanted` stands for: no project with rights or a layout of its own.
bool is_whole_wish(std::string_view path, const ident::SymbolRequest& wanted);
// debuginfod's paths without any prefix.
inline bool is_buildid_path(std::string_view path) { return path.starts_with("/buildid/"); }

// Whether the query has a parameter of that name, with a value or without.
bool has_query_name(std::string_view query, std::string_view name);

}  // namespace api
