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
    const std::vector<symstore::Transaction> all = TRY(tree_.current());
    const std::vector<TransactionRecord> there = TRY(target_.list());
    Progress progress("importing", all.size(), 0, "transactions");
    for (const symstore::Transaction& transaction : all) {
      if (!transaction.is_delete && is_there(transaction, there)) {
        ++tally_.known_transactions;
      } else if (!transaction.is_delete) {
        TRY(import_one(transaction, progress));
      }
      progress.finish_one();
    }
    return std::move(tally_);
  }

 private:
  static std::string utf8(const std::string& text) { return base::to_valid_utf8(text); }

  static bool is_there(const symstore::Transaction& transaction,
                       const std::vector<TransactionRecord>& there) {
    return std::any_of(there.begin(), there.end(), [&](const TransactionRecord& record) {
      return record.deleted_at.us == 0 &&
             record.number == static_cast<std::int64_t>(transaction.id) &&
             record.date == utf8(transaction.date) && record.time == utf8(transaction.time) &&
             record.product == utf8(transaction.product) &&
             record.version == utf8(transaction.version) &&
             record.comment == utf8(transaction.comment);
    });
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
      leave_out(shown, "none of its files is there");
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
    TransactionRecord& record = out.record;
    record.number = static_cast<std::int64_t>(transaction.id);
    record.kind = symstore::name_of(transaction.kind);
    record.date = utf8(transaction.date);
    record.time = utf8(transaction.time);
    record.product = utf8(transaction.product);
    record.version = utf8(transaction.version);
    record.comment = utf8(transaction.comment);
    for (const symstore::Member& member : members) TRY(add_member(transaction, member, out));
    return out;
  }

  Result<void> add_member(const symstore::Transaction& transaction, const symstore::Member& member,
                          Outgoing& out) {
    const auto found = TRY(tree_.find(member.name, member.id, roots_));
    const std::string shown = member.name + "/" + member.id;
    if (!found) {
      leave_out(shown, "is not in the tree");
      return {};
    }
    const symstore::Held& held = *found;
    if (held.is_unreadable) return Error{Fault::unavailable, shown + ": " + held.problem};
    TransactionFile file{member.name, member.id, member.name, utf8(member.source), "bin", ""};
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
  TransferTally tally_;
};

Result<void> export_one(StoreTarget& source, const TransactionRecord& record, bool compress,
                        const std::string& directory, symstore::Editor& editor,
                        TransferTally& tally) {
  symstore::NewTransaction wanted;
  wanted.kind = record.kind == "ptr" ? symstore::Kind::pointer : symstore::Kind::file;
  wanted.product = record.product;
  wanted.version = record.version;
  wanted.comment = record.comment;
  wanted.compress = compress;
  wanted.date = record.date;
  wanted.time = record.time;
  std::vector<symstore::NewMember> members;
  for (const TransactionFile& file : record.files) {
    if (!base::equal_ignoring_case(file.file, file.name)) continue;  // the cabinet, the pointer
    symstore::NewMember member{file.name, file.id, file.source, "", symstore::Form::binary};
    if (file.form == "pub") member.form = symstore::Form::public_symbols;
    if (file.form == "pri") member.form = symstore::Form::private_symbols;
    if (wanted.kind == symstore::Kind::file) {
      base::PendingFile bytes = TRY(base::PendingFile::create(directory));
      const std::string shown = file.name + "/" + file.id + ": ";
      if (file.sha256.empty()) {  // it was not there when the transaction came, either
        tally.left_out.push_back(shown + "nobody has its bytes");
        continue;
      }
      const auto fetched = source.fetch(file, bytes);
      if (!fetched.ok()) {
        tally.failed.push_back(shown + fetched.error().what);
        continue;
      }
      member.path = base::join_path(directory, std::to_string(members.size()));
      TRY(bytes.rename_to(member.path));
    }
    members.push_back(std::move(member));
  }
  if (members.empty()) {
    tally.left_out.push_back("transaction " + std::to_string(record.id) +
                             ": none of its files is there");
    return {};
  }
  TRY(editor.add(wanted, members));
  ++tally.transactions;
  tally.files += members.size();
  return {};
}

// Contents that a transaction holds, by hash.
Result<std::set<std::string>> held_contents(StoreTarget& source) {
  std::set<std::string> held;
  const std::vector<TransactionRecord> all = TRY(source.list());
  for (const TransactionRecord& listed : all) {
    if (listed.deleted_at.us != 0) continue;
    const TransactionRecord record = TRY(source.load(listed.id));
    for (const TransactionFile& file : record.files) held.insert(file.sha256);
  }
  return held;
}

bool is_for_trees(const store::FileRecord& file) {
  return file.format == "pdb" || file.format == "pe" || file.format == "portable_pdb" ||
         file.format == "elf" || file.format == "macho";
}

// The file on disk as a member of a tree; nothing when it has no key there.
Result<std::optional<symstore::NewMember>> fetch_member(StoreTarget& source,
                                                        const store::FileRecord& file,
                                                        const std::string& path) {
  base::PendingFile bytes = TRY(base::PendingFile::create(std::string(base::parent_of(path))));
  const std::string& id = file.debug_id.empty() ? file.code_id : file.debug_id;
  TRY(source.fetch({file.name, id, file.name, "", "", file.sha256.hex()}, bytes));
  TRY(bytes.rename_to(path));
  const base::Sha256 hash = TRY(store::sha256_of_file(path));
  if (hash != file.sha256) return std::optional<symstore::NewMember>();  // a fuller one is served
  const auto mapped = TRY(base::MappedFile::open(path));
  const auto indexed = symstore::index_of(extract::identify(mapped->bytes()), file.name);
  if (!indexed) return std::optional<symstore::NewMember>();
  return std::optional(
      symstore::NewMember{indexed->name, indexed->id, file.name, path, indexed->form});
}

}  // namespace

Result<void> export_rest(StoreTarget& source, symstore::Editor& editor, bool compress,
                         TransferTally& tally) {
  const auto directory = TRY(base::TemporaryDirectory::create("faultline-export"));
  const std::set<std::string> held = TRY(held_contents(source));
  std::vector<symstore::NewMember> members;
  for (std::uint64_t offset = 0;;) {
    const std::vector<store::FileRecord> files = TRY(source.list_files(offset));
    if (files.empty()) break;
    offset += files.size();
    for (const store::FileRecord& file : files) {
      if (!is_for_trees(file) || held.contains(file.sha256.hex())) continue;
      auto member = fetch_member(source, file,
                                 base::join_path(directory.path(), std::to_string(members.size())));
      if (!member.ok()) {
        tally.failed.push_back(file.name + ": " + member.error().what);
        continue;
      }
      if (!*member) {
        tally.left_out.push_back(file.name + ": another file has its key");
        continue;
      }
      members.push_back(std::move(**member));
    }
  }
  if (members.empty()) return {};
  symstore::NewTransaction wanted;
  wanted.product = "faultline";
  wanted.comment = "files of no transaction";
  wanted.compress = compress;
  TRY(editor.add(wanted, members));
  ++tally.transactions;
  tally.files += members.size();
  return {};
}

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

Result<TransferTally> export_tree(StoreTarget& source, symstore::Editor& editor, bool compress) {
  TransferTally tally;
  const std::vector<TransactionRecord> all = TRY(source.list());
  for (const TransactionRecord& listed : all) {
    if (listed.deleted_at.us != 0) continue;
    const auto directory = TRY(base::TemporaryDirectory::create("faultline-export"));
    const TransactionRecord record = TRY(source.load(listed.id));
    TRY(export_one(source, record, compress, directory.path(), editor, tally));
  }
  return tally;
}

}  // namespace cli
