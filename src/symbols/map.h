// Addresses of one module → functions, inline frames, lines, unwind rules.
// A Map searches a symbol index in place: nothing is parsed, nothing allocated for a lookup
// beyond what the caller's Hit holds. Not a converter: symbols/index_writer.h makes an index.
// The Map keeps its file mapped; every view it hands out stays valid while the Map lives.
// Immutable after open(); any thread may look up.
// open() fails with malformed (header, section table, checksum) or unsupported (version); a
// damaged block met later makes that lookup find nothing, and is_damaged() true.
// Format: docs/formats/symbol-index.md
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"
#include "base/units.h"
#include "symbols/cfi.h"
#include "symbols/map_memory.h"
#include "symbols/model.h"

namespace symbols {

struct SourceFrame {
  std::string_view function;
  std::string_view file;   // valid if has_file
  std::uint32_t line = 0;  // valid if has_line; 0 is the compiler's "no line"
  bool has_file = false;
  bool has_line = false;
};

// What is at one address. `physical` is the function that really is on the stack; its file and
// line are those of the outermost call site when there are inlinees.
struct Hit {
  SourceFrame physical;
  std::string_view mangled;  // "" when not known
  base::Rva start;           // of the function or public symbol
  std::uint64_t size = 0;    // of the function's range; 0: a public has none
  std::uint32_t parameter_size = 0;
  bool is_public = false;
  std::vector<SourceFrame> inlines;  // innermost first
};

class Map {
 public:
  // `memory`, if not null, counts the map in as long as it lives.
  static base::Result<std::shared_ptr<const Map>> open(std::shared_ptr<const base::MappedFile> file,
                                                       std::shared_ptr<MapMemory> memory = nullptr);
  ~Map();
  Map(const Map&) = delete;
  Map& operator=(const Map&) = delete;

  const ModuleInfo& info() const;
  const std::string& path() const;  // of the index file; "" of bytes in memory

  // What kinds of symbols there are at all.
  struct Contents {
    bool functions = false, publics = false;
    bool places = false;  // files and lines
    bool unwind = false;  // rules of any kind
  };
  Contents contents() const;

  // False when nothing covers the address. `hit` is reused: its vector keeps its capacity.
  bool find(base::Rva rva, Hit& hit) const;
  // Where the code of the physical frame's line begins: the run of rows with this line, or the
  // range of the outermost inlined call. Nothing when no function covers the address.
  std::optional<base::Rva> find_line_start(base::Rva rva) const;
  // Only whether a name is there, and the parameter size: what a stack scan asks.
  bool has_name_at(base::Rva rva) const;
  // The function or public that starts last at or before the address, wherever it ends: as the
  // first symbolication servers told it. Of two at one place the public. Nothing before the first.
  std::optional<std::string_view> find_nearest_name(base::Rva rva) const;
  // Each address in turn, in the caller's order, whatever order they stand in; sorted input is
  // fastest. `hit` is null where nothing was found. Mangled names, where they are wanted, cost as
  // much as names; where not, Hit::mangled is "".
  enum class Mangled : std::uint8_t { unwanted, wanted };
  void find_many(std::span<const base::Rva> rvas,
                 const std::function<void(std::size_t index, const Hit* hit)>& sink,
                 Mangled mangled = Mangled::wanted) const;

  // Whether a lookup so far has met what is not as it was written.
  bool is_damaged() const;
  // Of the file, when it was opened.
  std::uint64_t file_size() const;
  // Bytes of the heap that it takes, with the texts that the answers so far needed; the mapped file
  // is not counted.
  std::uint64_t memory_size() const;
  // Who keeps it for others does so no longer: from now on its memory counts as lent.
  void lend() const;

  // The merged CFI rules in force at an address; nothing when no range covers it.
  std::optional<CfiRules> find_cfi(base::Rva rva) const;
  // The STACK WIN record that covers an address; program views live as long as the Map.
  std::optional<StackWinRule> find_stack_win(base::Rva rva) const;

 private:
  struct State;
  explicit Map(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace symbols
