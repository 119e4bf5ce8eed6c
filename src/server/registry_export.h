// What Windows' registry editor exports: keys, and values of three kinds. Others are read over.
//   Windows Registry Editor Version 5.00        (UTF-16 with a mark, as it is written, or UTF-8)
//   [HKEY_LOCAL_MACHINE\SOFTWARE\…]
//   "Name"="a \"text\""   "Name"=dword:0000003c   "Name"=hex(7):61,00,…
// A line that ends in a backslash goes on in the next.
// Pure functions. Fails with malformed (the line is named) or too_large.
// Source: "Distribute Registry Changes", Microsoft; docs/pysymproxy.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace server {

struct RegistryValue {
  std::string name;  // "" is the key's default value
  std::string text;  // of a text; of several, one a line
  std::optional<std::uint32_t> number;
  std::size_t line = 0;
};

struct RegistryKey {
  std::string path;  // "HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\…"
  std::size_t line = 0;
  std::vector<RegistryValue> values;
};

// Its first line says so.
bool is_registry_export(base::Bytes file);
base::Result<std::vector<RegistryKey>> read_registry_export(base::Bytes file,
                                                            const std::string& file_name);

}  // namespace server
