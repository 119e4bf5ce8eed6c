// The source files that one debug file names, ready to be asked: is this path among them?
// Written as a small text when the debug file is first needed, by a child process, and kept under
// index/; it may be deleted at any time.
// Immutable after parse(); any thread may read. Owns its text.
// parse() fails with malformed. find() finds nothing for a path that is not named.
// Format: docs/protocols/sources.md
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "extract/source_files.h"
#include "formats/srcsrv/source_link.h"
#include "formats/srcsrv/srcsrv.h"

namespace sources {

struct NamedFile {
  std::string_view path;      // as the symbols spell it
  std::string_view checksum;  // "md5:…"; "" when not known
};

class NamedFiles {
 public:
  static constexpr std::uint64_t kMaxSize = 1ull << 30;

  static std::string text_of(const extract::SourceFiles& files);
  static base::Result<NamedFiles> parse(std::string text);

  // In any spelling of the path (sources/path.h).
  std::optional<NamedFile> find(std::string_view path) const;
  const std::vector<NamedFile>& files() const { return files_; }
  const std::vector<std::string>& ids() const { return ids_; }
  std::size_t size_in_memory() const;

  // Where the debug file itself says that this file is; not_found when it says nothing.
  base::Result<srcsrv::Location> locate(std::string_view path) const;

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t index = 0;
  };
  base::Result<void> read_line(std::string_view& rest);

  std::unique_ptr<const std::string> text_;
  std::vector<NamedFile> files_;
  std::vector<Slot> slots_;  // sorted by hash
  std::vector<std::string> ids_;
  std::optional<srcsrv::Stream> srcsrv_;
  std::vector<srcsrv::SourceLink> source_links_;
};

}  // namespace sources
