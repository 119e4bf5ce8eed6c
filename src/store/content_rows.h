// The catalogue seen from its contents: for those who check it, and for what takes a content out
// of it as a whole, in every scope.
// Not the bytes. Calls block. drop_*() run inside the transaction of a Database::write(); whoever
// calls tells the listeners afterwards (Catalog::announce_removed).
// Fails with unavailable (database) or internal.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/sha256.h"
#include "db/database.h"

namespace store {

struct ContentRow {
  std::int64_t id = 0;
  base::Sha256 sha256;
  std::uint64_t size = 0;
  std::string name;
  bool comes_again = false;  // it lies in a watched directory or on an upstream server as well
};

// Each file of the catalogue; in portions, since there may be millions.
base::Result<void> list_contents(db::Database& database,
                                 const std::function<void(const ContentRow&)>& sink);
base::Result<std::optional<ContentRow>> find_content(db::Session& session,
                                                     const base::Sha256& content);

// Rows that name a file that has no row: keys, other hashes, places in containers.
base::Result<std::uint64_t> count_stray_rows(db::Session& session);
base::Result<void> drop_stray_rows(db::Session& session);

// Its row, keys, other hashes and places in containers. The record of uploads stays, as always
// when a file goes. `ids` gets those of its keys. False: there was no such row.
base::Result<bool> drop_content(db::Session& session, const base::Sha256& content,
                                std::vector<std::string>& ids);

}  // namespace store
