// A linker's name of a function → what people call it: arguments yes, return type no.
// Not a parser of names: grouping and signatures live in reports.
// Suffixes that compilers add to clones (.cold, .part.0, .isra.0, .llvm.123, [clone …]) are cut
// first, so that one function keeps one name. C names and names in no known mangling come back
// unchanged. Knows Itanium C++, Microsoft C++, Rust (v0 and legacy, without the hash) and D.
// Pure; any thread. Never fails: a hostile name (too long, too deep, growing without bound)
// comes back as it is.
// Policy: docs/formats/symbol-index.md, "Names"
#pragma once

#include <string>
#include <string_view>

namespace symbols {

constexpr std::size_t kMaxMangledSize = 16 * 1024;    // longer names come back unchanged
constexpr std::size_t kMaxDemangledSize = 64 * 1024;  // so do those that would grow past this

std::string demangle(std::string_view mangled);

// The name without the suffixes that compilers put on clones of one function.
std::string_view without_clone_suffix(std::string_view name);

}  // namespace symbols
