// A PDB's `srcsrv` stream: variables, and a line for each source file that was under version
// control; together they say where each file comes from.
// Not a fetcher and not a shell: the stream's commands are evaluated as text and never run.
// Owns its text. Immutable after parse(); any thread may read.
// parse() fails with malformed or too_large. locate() fails with not_found (no line for this
// path), unsupported (the file would come from a command or a share, not from a web server) or
// malformed (variables that never end).
// Format: docs/formats/source-locations.md
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "formats/srcsrv/location.h"

namespace srcsrv {

class Stream {
 public:
  static constexpr std::size_t kMaxTextSize = 256ull << 20;
  static constexpr std::size_t kMaxVariables = 1000;

  static base::Result<Stream> parse(std::string text);

  // `path` as the debug information has it; compared without case, `\` and `/` alike.
  base::Result<Location> locate(std::string_view path) const;

  std::size_t file_count() const { return lines_.size(); }
  // The value of a variable of the ini or variables section, not evaluated; "" if there is none.
  std::string_view variable(std::string_view name) const;

 private:
  friend class Evaluation;
  struct Span {
    std::size_t offset = 0;
    std::size_t size = 0;
  };
  base::Result<void> take_line(std::string_view section, std::string_view line);
  std::string_view view(Span span) const {
    return std::string_view(text_).substr(span.offset, span.size);
  }
  const Span* find_line(std::string_view path) const;

  std::string text_;
  std::map<std::string, Span, std::less<>> variables_;  // by lower-case name
  std::unordered_multimap<std::uint64_t, Span> lines_;  // by the hash of the folded path
};

}  // namespace srcsrv
