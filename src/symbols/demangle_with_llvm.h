// The part of demangling that LLVM's Demangle library does; symbols/demangle.h is the face.
// Each function finds nothing when the name is not of its kind or would pass a limit.
// Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace symbols {

std::optional<std::string> find_itanium_name(std::string_view mangled);    // _Z…
std::optional<std::string> find_microsoft_name(std::string_view mangled);  // ?…
std::optional<std::string> find_rust_v0_name(std::string_view mangled);    // _R…
std::optional<std::string> find_dlang_name(std::string_view mangled);      // _D…

}  // namespace symbols
