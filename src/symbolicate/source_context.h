// The lines of a source file around some of them, as Symbolicator's answers have them.
// Pure; any thread. Finds nothing where the file has no such line. What it gives is valid UTF-8,
// and small whatever the file is: long lines are cut.
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

// One for each of these lines, which count from 1 and ascend: the file is gone through once.
std::vector<std::optional<SourceContext>> find_source_contexts(
    std::string_view file, const std::vector<std::uint32_t>& lines);

}  // namespace symbolicate
