// Where `stackwalk` gets symbols: directory trees (NAME/ID/NAME.sym), single .sym or index files,
// a cache directory, and servers that speak Breakpad's paths, asked in this order.
// A .sym text becomes a symbol index once; the index stays in the cache directory and is mapped
// in place on the next run, as long as the text has not changed.
// find() may be called from any thread; it reads disks and waits for servers.
// Whatever goes wrong means that the module has no symbols, with a line in the log.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "analyze/module_key.h"
#include "unwind/frame.h"

namespace cli {

struct SymbolFilesOptions {
  std::vector<std::string> paths;        // directory trees and single files
  std::vector<std::string> urls;         // in order; a path below them is added
  std::string cache;                     // directory for downloads
  std::string index_cache;               // directory for indexes made from texts; "" keeps none
  std::string temporary;                 // for downloads; on the cache's file system
  std::uint64_t timeout_seconds = 1000;  // for one download
  unsigned threads = 0;                  // for making an index; 0: as many as there are processors
};

class SymbolFiles {
 public:
  explicit SymbolFiles(SymbolFilesOptions options);
  SymbolFiles(const SymbolFiles&) = delete;
  SymbolFiles& operator=(const SymbolFiles&) = delete;
  ~SymbolFiles();

  unwind::ModuleSymbols find(const analyze::ModuleKey& key) const;

 private:
  struct State;
  std::unique_ptr<const State> state_;
};

}  // namespace cli
