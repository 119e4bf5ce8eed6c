// The debug actions that work on cached symbols (api/symbol_cache.h), by the rooms that have them:
// the catalogue's rows of a module that came from other servers, the copies of their files, and
// the indexes made of these. REQUIRES: what it is given outlives the server.
#pragma once

#include "api/symbol_cache.h"
#include "ingest/extracted_files.h"
#include "store/catalog.h"
#include "store/containers.h"
#include "supply/supply.h"

namespace server {

struct SymbolCacheRooms {
  store::Catalog& catalog;
  store::Containers& containers;
  ingest::ExtractedFiles& copies;
  supply::Supply& supply;
  std::string index;                                     // the directory of indexes
  std::function<void(const std::string& path)> removed;  // told of indexes that went; may be null
};

api::SymbolCache symbol_cache(const SymbolCacheRooms& rooms);

}  // namespace server
