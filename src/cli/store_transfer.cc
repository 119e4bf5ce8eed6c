#include "cli/store_transfer.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/assert.h"
#include "base/sha256.h"
#include "base/text.h"
#include "cli/progress.h"
#include "extract/identify.h"
#include "formats/archive/cab.h"
#include "store/blobs.h"
#include "symstore/index_of.h"

namespace cli {

using base::Error;
using base::Fault;
using base::Result;
using store::TransactionFile;
using store::TransactionRecord;

namespace {

std::string path_of(const base::Fd& fd) { return "/proc/self/fd/" + std::to_string(fd.get()); }

// A transaction is read file by file, and each file twice: once for its hash, and once more if the
// target lacks it. Meanwhile nothing of it is kept but names and hashes, however many files it has.
class Importer {
 public:
  Importer(const symstore::Tree& tree, const symstore::PointerRoots& roots, StoreTarget& target,
           const std::string& directory)
      : tree_(tree), roots_(roots), target_(target), directory_(directory) {}

  Result<TransferTally> run() {
    const symstore::Lives lives = TRY(symstore::lives_of(tree_));
    for (const symstore::Transaction& lost : lives.lost) {
      leave_out("transaction " + symstore::digits_of(lost.id),
                "is in history.txt, but neither in server.txt nor deleted");
    }
    TRY(keep_numbers_free());
    there_ = TRY(target_.list());
    Progress progress("importing", lives.all.size(), 0, "transactions");
    for (const symstore::Life& life : lives.all) {
      TRY(life.deleted_by == 0 ? import_current(life.transaction, progress) : import_past(life));
      progress.finish_one();
    }
    return std::move(tally_);
  }

 private:
  static std::string utf8(const std::string& text) { return base::to_valid_utf8(text); }

  // What is added meanwhile takes no number that the tree has.
  Result<void> keep_numbers_free() {
    const std::uint64_t last = TRY(tree_.last_id());
    if (last > static_cast<std::uint64_t>(store::kNumberWantedMax)) return {};
    return target_.raise_last_number(static_cast<std::int64_t>(last));
  }

  const TransactionRecord* find_there(const symstore::Transaction& transaction,
                                      bool is_deleted) const {
    const auto found = std::find_if(there_.begin(), there_.end(), [&](const auto& record) {
      return (record.deleted_at.us != 0) == is_deleted &&
             record.number == static_cast<std::int64_t>(transaction.id) &&
             record.date == utf8(transaction.date) && record.time == utf8(transaction.time) &&
             record.product == utf8(transaction.product) &&
             record.version == utf8(transaction.version) &&
             record.comment == utf8(transaction.comment);
    });
    return found == there_.end() ? nullptr : &*found;
  }

  Result<void> import_current(const symstore::Transaction& transaction, Progress& progress) {
    if (find_there(transaction, false) == nullptr) return import_one(transaction, progress);
    ++tally_.known_transactions;
    return {};
  }

  // What was deleted in the tree: as history where it never was, deleted where it is.
  Result<void> import_past(const symstore::Life& life) {
    const auto deleted_by = static_cast<std::int64_t>(life.deleted_by);
    if (const auto* there = find_there(life.transaction, false)) {
      TRY(target_.remove(there->id, deleted_by));
      ++tally_.past_transactions;
      return {};
    }
    if (find_there(life.transaction, true) != nullptr) {
      ++tally_.known_transactions;
      return {};
    }
    TransactionRecord record = record_of(life.transaction);
    record.deleted_by = deleted_by;
    record.deleted_at = base::now();
    const auto members = tree_.deleted_members(life.transaction.id);
    if (!members.ok()) {
      leave_out("files of the deleted transaction " + symstore::digits_of(life.transaction.id),
                members.error().what);
    } else {
      for (const symstore::Member& member : *members) {
        record.files.push_back(file_of(member));
      }
    }
    TRY(target_.add(record));
    ++tally_.past_transactions;
    return {};
  }

  static TransactionFile file_of(const symstore::Member& member) {
    return {member.name, member.id, member.name, utf8(member.source), "bin", ""};
  }

  static TransactionRecord record_of(const symstore::Transaction& transaction) {
    TransactionRecord record;
    record.number = static_cast<std::int64_t>(transaction.id);
    record.kind = symstore::name_of(transaction.kind);
    record.date = utf8(transaction.date);
    record.time = utf8(transaction.time);
    record.product = utf8(transaction.product);
    record.version = utf8(transaction.version);
    record.comment = utf8(transaction.comment);
    return record;
  }

  // What a file of the record is made from.
  enum class From : std::uint8_t { nothing, file, cabinet, pointer };
  struct Outgoing {
    TransactionRecord record;
    std::vector<From> from;  // one for each of record.files

    void add(TransactionFile file, From where, std::string hash) {
      file.sha256 = std::move(hash);
      record.files.push_back(std::move(file));
      from.push_back(where);
    }
  };

  // Only a target that fails ends it: a transaction that cannot be read is noted down.
  Result<void> import_one(const symstore::Transaction& transaction, Progress& progress) {
    const std::string shown = "transaction " + symstore::digits_of(transaction.id);
    const auto members = tree_.members(transaction.id);
    if (!members.ok() && members.error().fault == Fault::not_found) {
      leave_out(shown, members.error().what);
      return {};
    }
    auto out = members.ok() ? gather(transaction, *members) : Result<Outgoing>(members.error());
    if (!out.ok()) {
      tally_.failed.push_back(shown + ": " + base::to_valid_utf8(out.error().what));
      return {};
    }
    if (out->record.files.empty()) {
      leave_out(shown, "has no files");
      return {};
    }
    const OpenContent open = [&](std::size_t i) {
      return open_content(out->record.files[i], out->from[i]);
    };
    tally_.sent += TRY(add_to_target(target_, out->record, open, &progress));
    ++tally_.transactions;
    tally_.files += members->size();
    return {};
  }

  Result<Outgoing> gather(const symstore::Transaction& transaction,
                          const std::vector<symstore::Member>& members) {
    Outgoing out;
    out.record = record_of(transaction);
    for (const symstore::Member& member : members) TRY(add_member(transaction, member, out));
    return out;
  }

  Result<void> add_member(const symstore::Transaction& transaction, const symstore::Member& member,
                          Outgoing& out) {
    const auto found = TRY(tree_.find(member.name, member.id, roots_));
    const std::string shown = member.name + "/" + member.id;
    TransactionFile file = file_of(member);
    if (!found) {
      leave_out(shown, "is not in the tree");
      out.add(std::move(file), From::nothing, "");
      return {};
    }
    const symstore::Held& held = *found;
    if (held.is_unreadable) return Error{Fault::unavailable, shown + ": " + held.problem};
    for (const symstore::Reference& reference : held.references) {
      if (reference.transaction == transaction.id) file.form = symstore::name_of(reference.form);
    }
    if (held.pointer) {
      // file.ptr is served as it stands: who can reach the share may follow it himself.
      const base::Fd pointer = TRY(open_pointer(held));
      const base::Sha256 hash = TRY(store::sha256_of_file(path_of(pointer)));
      out.add({member.name, member.id, "file.ptr", "", "bin", ""}, From::pointer, hash.hex());
    }
    if (!held.file.valid()) {
      leave_out(shown, held.problem);
      out.add(std::move(file), From::nothing, "");  // what it was is kept
      return {};
    }
    const base::Sha256 hash = TRY(store::sha256_of_file(path_of(held.file)));
    if (!held.compressed) {
      out.add(std::move(file), From::file, hash.hex());
      return {};
    }
    TransactionFile packed = file;
    packed.file = archive::cab_name_of(member.name);
    out.add(std::move(packed), From::file, hash.hex());
    return add_expanded(std::move(file), held, out);
  }

  // A cabinet is kept beside the file that is in it; a damaged one alone.
  Result<void> add_expanded(TransactionFile file, const symstore::Held& held, Outgoing& out) {
    base::Sha256Stream hash;
    const auto packed = TRY(base::MappedFile::open(path_of(held.file)));
    const auto expanded =
        archive::expand_cab(packed->bytes(), {}, [&](base::Bytes piece) -> Result<void> {
          hash.update(piece);
          return {};
        });
    if (!expanded.ok()) {
      leave_out(file.name + "/" + file.id, expanded.error().what);
      return {};
    }
    out.add(std::move(file), From::cabinet, hash.finish().hex());
    return {};
  }

  Result<base::Fd> open_pointer(const symstore::Held& held) const {
    return symstore::open_beneath(tree_.path(), held.directory + "/file.ptr");
  }

  // The bytes that were hashed, once more.
  Result<Content> open_content(const TransactionFile& file, From from) const {
    ASSERT(from != From::nothing);
    auto found = TRY(tree_.find(file.name, file.id, roots_));
    Content content;
    if (!found || (from != From::pointer && !found->file.valid())) {
      return Error{Fault::unavailable, file.name + "/" + file.id + ": is there no longer"};
    }
    if (from == From::pointer) {
      content.fd = TRY(open_pointer(*found));
    } else {
      content.fd = std::move(found->file);
    }
    content.path = path_of(content.fd);
    if (from != From::cabinet) return content;
    const auto packed = TRY(base::MappedFile::open(content.path));
    content.expanded = TRY(base::PendingFile::create(directory_));
    TRY(archive::expand_cab(packed->bytes(), {},
                            [&](base::Bytes piece) { return content.expanded->append(piece); }));
    content.path = content.expanded->path();
    return content;
  }

  void leave_out(const std::string& what, const std::string& why) {
    tally_.left_out.push_back(base::to_valid_utf8(what) + ": " + why);
  }

  const symstore::Tree& tree_;
  const symstore::PointerRoots& roots_;
  StoreTarget& target_;
  const std::string& directory_;
  std::vector<TransactionRecord> there_;
  TransferTally tally_;
};

}  // namespace

Result<std::uint64_t> add_to_target(StoreTarget& target, TransactionRecord& record,
                                    const OpenContent& open, Progress* progress) {
  StoreTarget::Added added = TRY(target.add(record));
  std::uint64_t sent = 0;
  if (!added.missing.empty()) {
    std::set<std::string> missing(added.missing.begin(), added.missing.end());
    for (std::size_t i = 0; i < record.files.size(); ++i) {
      const TransactionFile& file = record.files[i];
      if (missing.erase(file.sha256) == 0) continue;
      const Content content = TRY(open(i));
      TRY(target.put(file.name + "/" + file.id + "/" + file.file, content.path));
      ++sent;
      if (progress == nullptr) continue;
      std::error_code unknown;
      const auto size = std::filesystem::file_size(content.path, unknown);
      if (!unknown) progress->advance(size);
    }
    added = TRY(target.add(record));
  }
  if (!added.missing.empty()) {
    return Error{Fault::internal, "the files that were sent are not there (did they change?)"};
  }
  record.id = added.id;
  return sent;
}

Result<TransferTally> import_tree(const symstore::Tree& tree, const symstore::PointerRoots& roots,
                                  StoreTarget& target) {
  const auto directory = TRY(base::TemporaryDirectory::create("faultline-import"));
  return Importer(tree, roots, target, directory.path()).run();
}

}  // namespace cli
