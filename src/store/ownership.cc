#include "store/ownership.h"

#include "store/transactions.h"

namespace store {

Condition is_kept(const ident::Scope& scope) {
  // The hash as well: a file that went and came back has another row.
  Condition condition{
      "(EXISTS (SELECT 1 FROM upload_file u JOIN upload o ON o.id = u.upload WHERE u.file = f.id "
      "AND u.sha256 = f.sha256 AND o.project = ? AND o.is_try <= ? AND o.way <> ?)",
      {scope.project, std::int64_t{scope.include_try ? 1 : 0}, std::string(kTransactionWay)}};
  if (scope.project.empty()) {
    condition.sql +=
        " OR EXISTS (SELECT 1 FROM store_transaction_file x JOIN store_transaction t "
        "ON t.id = x.txn WHERE x.sha256 = f.sha256 AND t.deleted_at = 0)";
  }
  condition.sql += ")";
  return condition;
}

}  // namespace store
