// From the rows that the catalogue has for a request to what is to be done: serve this file,
// make a derived one from those, or say that nobody has it.
// Of several rows serve, in this order: one stored under the very path, if its bytes say the same
// id; one that bears the id and the name; one that bears the id; for SSQP's keys of modules one
// that has no code, else like the former; one that somebody stored under the path though its bytes
// do not say so. Within each the fuller first, ties keep the older. But
// the file of that name and module serves as it was before it was stripped, however it came: a
// fuller file never loses. Of those that have the path or the name a regular one serves before one
// of a try build. An uploaded .sym with functions serves before one that is made; one without gives
// way to what is made of the module's debug information, if that can be made. A package of split
// DWARF is no debug file by itself: `debuginfo` passes it over, but LLDB asks for it by that very
// path, which is an artifact of its own (ident/paths.h). Pure functions of their arguments: no
// disk, no database.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "ident/paths.h"
#include "store/catalog.h"

namespace supply {

// The files that one module's derived files are made from. Files that share a debug id are one
// module: an image without its debug information and the separate file that has it are joined.
struct Sources {
  std::optional<store::FileRecord> image;  // has the code, and unwind tables
  std::optional<store::FileRecord>
      debug;                             // has the debug information; the image itself if that does
  std::optional<store::FileRecord> sym;  // Breakpad text, when no native file says as much

  // Names the derived files: other sources or another version of the makers give another name.
  std::string fingerprint() const;
  std::string module_name() const;
};

struct Serve {
  store::FileRecord file;
  bool depends_on_agent = false;  // LLDB means another file by the same path
};
struct Make {
  ident::Artifact artifact = ident::Artifact::index;  // sym or index
  Sources sources;
  std::optional<store::FileRecord> otherwise;  // serves when it cannot be made of these
};
// Pack this file as a cabinet.
struct Pack {
  store::FileRecord file;
};
// Serve the section request.detail of the first of these that has it.
struct Cut {
  std::vector<store::FileRecord> files;
};
// Take the streams of a PDB out of the compressed container, for who wants a plain one.
struct Unpack {
  store::FileRecord file;
};
// Serve what this file.ptr, stored for the key NAME/ID, points to.
struct Follow {
  store::FileRecord pointer;
  std::string name;
  std::string id;
};
// Tell where the .sym is: under the name and the debug id that this file bears.
struct Move {
  store::FileRecord file;
};
using Choice = std::variant<Serve, Make, Pack, Unpack, Cut, Move, Follow, base::Error>;

// `found[i]` are the rows for request.keys[i], the best first (store::Catalog::find).
// `module_files` are all files of the module, when the request wants a derived file.
Choice choose(const ident::SymbolRequest& request,
              const std::vector<std::vector<store::Found>>& found,
              const std::vector<store::Found>& module_files);

// The keys of pointers that may say where the wanted file is, when no row answers: a file.ptr
// stands in the place of the file itself.
std::vector<ident::SymbolKey> pointer_keys(const ident::SymbolRequest& request);
// `found` are the rows of those keys.
std::optional<Follow> find_pointer(const std::vector<std::vector<store::Found>>& found);

// The module a derived file would be made for: its debug id as the files bear it; "" for none.
std::string module_of(const std::vector<std::vector<store::Found>>& found);

// The miss of a request that no row answers.
base::Error nobody_has(const ident::SymbolRequest& request);
// Whether it is such a miss, which others may know better words for.
bool says_nobody_has(const base::Error& miss);

// The miss of a request that only servers may answer which have not answered for a while: it may
// not be told to who remembers misses. And whether it is that.
base::Error nobody_answers();
bool says_nobody_answers(const base::Error& miss);

bool wants_derived(ident::Artifact artifact);

}  // namespace supply
