// The names of 32-bit Windows' public symbols without what the calling convention adds:
//   _name       cdecl          name
//   _name@8     stdcall        name
//   @name@8     fastcall       name
//   name@@16    vectorcall     name
// C++'s names and those that were demangled stay as they are.
// A pure function; the view is a part of the one given.
// Source: Microsoft, "Decorated names", format of a C decorated name
#pragma once

#include <string_view>

namespace symbolicate {

std::string_view undecorated(std::string_view name);

}  // namespace symbolicate
