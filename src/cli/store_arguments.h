// What `faultline store VERB` and `symstore VERB` were told: our options, or Microsoft's flags
// (`/r /f FILES /s STORE /t PRODUCT …`), which come to the same.
// One thread. parse_*() print help and errors themselves and say with which code to exit.
// Format: docs/formats/symstore.md
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace cli {

struct StoreArguments {
  std::string verb;                // add, del, query, history, import, export
  std::vector<std::string> files;  // /f
  std::string store;               // /s: a tree, a data directory, or http://…
  std::string tree;                // import, export: the other side
  std::string product, version, comment;
  std::string id;                   // /i
  std::string share;                // /g
  std::string index_out, index_in;  // /x, /y
  std::string message;              // /-:MSG
  std::string token;
  std::vector<std::string> pointer_directories;  // import
  std::vector<std::string> shares;               // import: \\server\share=DIRECTORY
  bool recursive = false;
  bool pointer = false;
  bool compress = false;
  bool two_tiers = false;
  bool append = false;     // /a
  bool append_id = false;  // /yi
  bool all = false;        // export: files of no transaction, too
  bool json = false;
  bool microsoft = false;  // the flags were Microsoft's, so are the last lines we print
};

// argv[0] is the name to show, argv[1] the verb.
std::optional<int> parse_store_arguments(int argc, char** argv, StoreArguments& arguments);

}  // namespace cli
