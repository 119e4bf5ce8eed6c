// Apple's XML property lists, as far as LLDB reads them from a locator: dictionaries of texts and
// dictionaries. Keys are written in the order given.
// Plain values; pure functions. Text that XML cannot hold becomes U+FFFD.
// Format: docs/lldb-and-gdb.md
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cli {

struct Plist {
  std::string text;  // when it is a text
  bool is_dictionary = false;
  std::vector<std::string> keys;  // when it is a dictionary, with values beside
  std::vector<Plist> values;

  static Plist of(std::string_view text) { return {std::string(text), false, {}, {}}; }
  static Plist dictionary() { return {"", true, {}, {}}; }
  void add(std::string_view key, Plist value);
  void add(std::string_view key, std::string_view value) { add(key, of(value)); }

  std::string document() const;  // with the XML head and its line end
  void write(std::string& out, int depth) const;
};

}  // namespace cli
