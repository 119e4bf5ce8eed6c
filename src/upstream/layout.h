// Where an upstream server has what a client asks us for: paths below its root, in the order to try
// them, for each of the ways in which symbol servers lay out their files.
//   symstore           NAME/ID/FILE, as symstore.exe writes it, plain or as the cabinet FIL_
//   symstore_two_tier  the same below the name's first two letters
//   ssqp               the same in lower case, with .NET's ids (elf-buildid-…, mach-uuid-…)
//   breakpad           NAME/ID/NAME.sym
//   debuginfod         buildid/ID/{debuginfo,executable,source/PATH}
//   unified            ab/cdef…/{debuginfo,executable,breakpad}
//   native             ab/cdef….debug and ab/cdef…; UUIDs as XXXX/XXXX/XXXX/XXXX/XXXX/XXXXXXXXXXXX;
//                      Windows' files as in symstore, texts as in breakpad
//   slashsymbols       NAME/ID/symbols of ELF's build ids
// A server may tell spellings apart: the client's comes first, then those that the layout's own
// writers use.
// Plain values; pure functions; a layout that has no name for what is wanted gives no place.
// Format: docs/protocols/upstreams.md
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ident/paths.h"

namespace upstream {

enum class Layout : std::uint8_t {
  symstore,
  symstore_two_tier,
  ssqp,
  breakpad,
  debuginfod,
  unified,
  native,
  slashsymbols,
};
// In the root of a symbol store: it has two tiers.
constexpr std::string_view kIndex2 = "index2.txt";
// NAME/ID/FILE of such a store, whichever tiers the path has, in one or two; in one where NAME
// begins with two dots.
std::string path_in_tiers(std::string_view path, bool two_tier);
std::string_view name_of(Layout layout);
std::optional<Layout> find_layout(std::string_view name);

struct Place {
  std::string path;         // relative, without percent signs
  std::string name;         // base name of the file that is wanted, as a plain one
  bool is_cabinet = false;  // the file lies there packed
  bool is_pointer = false;  // a file.ptr that says where the file is
  bool is_plain() const { return !is_cabinet && !is_pointer; }

  friend bool operator==(const Place&, const Place&) = default;
};

// What is looked for besides the file itself, where the layout has it.
struct AlsoAsked {
  bool cabinets = true;
  bool pointers = false;
};
std::vector<Place> places_of(Layout layout, const ident::SymbolRequest& request,
                             const AlsoAsked& also = {});

// How a server spells all of its paths, where that is not the layout's own way.
enum class Casing : std::uint8_t { of_layout, lower, upper };
// Each place once, at the path that such a server has it.
std::vector<Place> in_casing(std::vector<Place> places, Casing casing);

// What lies at a path that was once one of these.
Place place_at(std::string path);

// Where the sources of a module are: only debuginfod has them. `path` is the symbols', absolute and
// without "..".
std::optional<Place> find_source_place(Layout layout, std::string_view build_id,
                                       std::string_view path);

// What kind of file is wanted, as far as a request says: "breakpad", "pdb", "elf", "macho" or "pe".
std::string_view kind_of(const ident::SymbolRequest& request);
constexpr std::array<std::string_view, 5> kFileKinds{"breakpad", "pdb", "elf", "macho", "pe"};

}  // namespace upstream
