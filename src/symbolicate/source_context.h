// The lines of a source file around one of them, as Symbolicator's answers have them.
// Pure; any thread. Finds nothing when the file has no such line. What it gives is valid UTF-8, and
// small whatever the file is: long lines are cut.
// Format: docs/protocols/symbolicator.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace symbolicate {

constexpr std::size_t kSourceContextLines = 5;  // before, and as many behind

struct SourceContext {
  std::vector<std::string> before;
  std::string line;
  std::vector<std::string> after;

  std::uint64_t memory_size() const;
};

// `line` counts from 1.
std::optional<SourceContext> find_source_context(std::string_view file, std::uint32_t line);

}  // namespace symbolicate
