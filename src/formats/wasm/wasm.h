// A WebAssembly module's sections, and the build id among them.
// Not a reader of code or names: a name section may be nonsense (LLVM's reader gives up on such
// files; an identity does not depend on it).
// Views point into the bytes given to parse(); keep those alive.
// Immutable after parse(); any thread may read.
// parse() fails with malformed when the magic or the version is missing. A section that lies
// outside the file ends the reading, and problem() says so.
// Format: docs/formats/wasm.md
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace wasm {

constexpr std::uint32_t kMaxSections = 1u << 16;
constexpr std::uint8_t kCustom = 0;
constexpr std::uint8_t kCode = 10;

struct Section {
  std::uint8_t id = kCustom;
  std::string_view name;  // of a custom section
  base::Bytes bytes;      // without the name
};

class File {
 public:
  static base::Result<File> parse(base::Bytes bytes);
  static bool has_magic(base::Bytes bytes);

  const std::vector<Section>& sections() const { return sections_; }
  const Section* find_custom(std::string_view name) const;
  bool has_code() const;
  base::Bytes build_id() const { return build_id_; }  // empty when there is none
  // The id with its length in front, if it has one: what symbolic takes for the id.
  base::Bytes build_id_section() const { return build_id_section_; }
  // Where the debug information lies that was split off; "" when it was not.
  std::string_view external_debug_info() const { return external_debug_info_; }
  const std::string& problem() const { return problem_; }

 private:
  File() = default;
  std::vector<Section> sections_;
  base::Bytes build_id_;
  base::Bytes build_id_section_;
  std::string_view external_debug_info_;
  std::string problem_;
};

}  // namespace wasm
