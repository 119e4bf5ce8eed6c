// Transactions of a symbol store, as symstore keeps them: a set of files with product, version
// and comment, that is added and deleted as a whole. The catalogue's side of it; trees on disk are
// the room symstore's.
// A file that came with transactions only is found no longer once the last of them is deleted; one
// that was uploaded otherwise as well stays. Its bytes stay in any case until they are purged.
// Any thread may call; calls block. Fails with not_found, unavailable or internal.
// Format: docs/protocols/store-api.md
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "db/database.h"
#include "store/catalog.h"

namespace store {

struct TransactionFile {
  std::string name, id;  // the key: "foo.pdb", "ABC1"
  std::string file;      // under which it is asked for there: "foo.pdb", "foo.pd_", "file.ptr"
  std::string source;    // where it came from
  std::string form;      // "pub", "pri" or "bin"
  std::string sha256;    // lower-case hex; "" when nobody has the bytes (a pointer that leads away)
};

struct TransactionRecord {
  std::int64_t id = 0;      // ours, one of the numbers that additions and deletions take
  std::int64_t number = 0;  // of the tree that it was imported from; 0 for none
  std::string kind;         // "file" or "ptr"
  std::string date, time;   // as in a tree: MM/DD/YYYY, HH:MM:SS
  std::string product, version, comment;
  base::Time created_at;               // here
  base::Time deleted_at;               // 0: it is there
  std::int64_t deleted_by = 0;         // the number that its deletion took
  std::uint64_t file_count = 0;        // keys: a cabinet beside its file counts once
  std::vector<TransactionFile> files;  // empty in lists
};

// Higher numbers of others' are not taken over: the ten digits of a tree must last.
constexpr std::int64_t kNumberWantedMax = 999'999'999;

// The way of uploads that come with a transaction: they alone keep no file.
constexpr std::string_view kTransactionWay = "symstore";

class Transactions {
 public:
  static std::vector<db::Migration> migrations();  // numbers 150 to 159

  Transactions(db::Database& database, Catalog& catalog) : database_(database), catalog_(catalog) {}

  // Takes record.number where nobody has it, else the next one. With deleted_by it is written down
  // as deleted, under that number or the next one. REQUIRES: the files' rows are committed.
  base::Result<std::int64_t> add(const TransactionRecord& record);
  base::Result<std::vector<TransactionRecord>> list();  // the oldest first, deleted ones too
  base::Result<TransactionRecord> load(std::int64_t id);
  // The number that the deletion took: `wanted` if that is later than `id` and free, else the next.
  base::Result<std::int64_t> remove(std::int64_t id, std::int64_t wanted = 0);

  // What symstore keeps in lastid.txt: the number last taken; the next one is one more.
  base::Result<std::int64_t> last_number();
  // malformed past kNumberWantedMax.
  base::Result<void> raise_last_number(std::int64_t number);

  // Those of the hashes (lower-case hex) whose bytes are here since somebody uploaded them to the
  // default project, whether anybody finds them now or not: a transaction may name them. Not what
  // need not be sent: Uploads::find_known().
  base::Result<std::set<std::string>> known(const std::vector<std::string>& hashes);

 private:
  db::Database& database_;
  Catalog& catalog_;
};

// JSON as the API speaks it.
std::string transaction_as_json(const TransactionRecord& record);
// Fails with malformed: a name that is not allowed, a hash that is none.
base::Result<TransactionRecord> transaction_from_json(std::string_view text);
base::Result<std::vector<TransactionRecord>> transactions_from_json(std::string_view text);

}  // namespace store
