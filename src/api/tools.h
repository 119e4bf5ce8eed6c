// Scripts for machines without our program, served ready to run: they carry the address under which
// they were asked for.
//   GET /tools/upload-symbols       POSIX sh; needs curl
//   GET /tools/upload-symbols.ps1   PowerShell
//   GET /tools/dsymForUUID          symbols for LLDB on macOS: sh and curl
//   GET /tools/dsymForUUID.ps1      the same for PowerShell
//   GET /tools/faultline_lldb.py    symbols and sources inside LLDB
// Immutable; answered on the loop.
// Format: docs/protocols/upload.md, docs/lldb-and-gdb.md
#pragma once

#include "net/http.h"

namespace api {

void add_tool_routes(net::Router& router);

}  // namespace api
