// Old paths under which clients know what is here: SymProxy's virtual directories. Clients that ask
// for /Partners/foo.pdb/ID/foo.pdb go on doing so, and get /p/partners/foo.pdb/ID/foo.pdb, where
// the project has upstream servers of its own.
//   "Symbols"             everybody's files
//   "Partners=partners"   a project's, which is open to everybody by that
//   "download/symbols"    names of several parts
// Plain values; any thread. Fails with malformed and names the directory.
// Format: docs/configuration.md, virtual_directories; docs/pysymproxy.md
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace server {

class VirtualDirectories {
 public:
  static base::Result<VirtualDirectories> from(const std::vector<std::string>& items);

  bool empty() const { return directories_.empty(); }
  // Projects that are asked for by another name, each once.
  std::vector<std::string> projects() const;
  // What the path is called here; nothing when it is below none of them. Names are compared without
  // case, as IIS does; of two the longer one counts. NAME/ID/NAME is a file called so.
  std::optional<std::string> find(std::string_view path) const;

 private:
  struct Directory {
    std::string name;     // lower case, parts with single slashes between
    std::string project;  // "": the default one
  };
  std::vector<Directory> directories_;  // the longest names first
};

}  // namespace server
