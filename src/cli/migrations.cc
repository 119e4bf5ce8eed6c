#include "cli/migrations.h"

#include "reports/tables.h"
#include "sources/uploaded.h"
#include "statistics/tables.h"
#include "store/catalog.h"
#include "store/containers.h"
#include "store/transactions.h"
#include "upstream/miss_rows.h"

namespace cli {

std::vector<db::Migration> all_migrations() {
  std::vector<db::Migration> all;
  for (const std::vector<db::Migration>& room :
       {store::Catalog::migrations(), store::Containers::migrations(),
        store::Transactions::migrations(), reports::migrations(), sources::Uploaded::migrations(),
        upstream::MissRows::migrations(), statistics::migrations()}) {
    all.insert(all.end(), room.begin(), room.end());
  }
  return all;
}

}  // namespace cli
