// Symbol indexes made from .sym texts, kept in a directory: what took seconds to read is mapped
// in place the next time. An index belongs to one state of its text (path, size, time of
// change); when that changes, another index is made. Everything here can be deleted.
// Several processes may share the directory: files appear whole, by a rename.
// open_symbols() fails when the text cannot be read; a cache that cannot be written is no error.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "symbols/map.h"

namespace cli {

class IndexCache {
 public:
  // "" keeps nothing.
  IndexCache(std::string directory, unsigned threads)
      : directory_(std::move(directory)), threads_(threads) {}

  // The symbols in a file: a .sym text, or an index as it is.
  base::Result<std::shared_ptr<const symbols::Map>> open_symbols(const std::string& path) const;

 private:
  std::string directory_;
  unsigned threads_;
};

}  // namespace cli
