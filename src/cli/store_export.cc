// store_transfer.h's way out: a server's transactions as a tree.
#include <algorithm>
#include <set>

#include "base/text.h"
#include "cli/store_transfer.h"
#include "extract/identify.h"
#include "store/blobs.h"
#include "symstore/index_of.h"

namespace cli {

using base::Result;
using store::TransactionFile;
using store::TransactionRecord;

namespace {

// What the files of a tree that is new are numbered by: as in the server, or anew.
enum class Numbers : std::uint8_t { kept, anew };

symstore::Form form_of(const TransactionFile& file) {
  if (file.form == "pub") return symstore::Form::public_symbols;
  if (file.form == "pri") return symstore::Form::private_symbols;
  return symstore::Form::binary;
}

// The bytes of one file, as `path`. Without them it is noted down why: nobody ever sent them, or
// they were here and cannot be had.
Result<void> fetch_to(StoreTarget& source, const TransactionFile& file, symstore::NewMember& member,
                      const std::string& path, TransferTally& tally) {
  const std::string shown = file.name + "/" + file.id + ": ";
  if (file.sha256.empty()) {  // it was not there when the transaction came, either
    tally.left_out.push_back(shown + "nobody has its bytes");
    return {};
  }
  base::PendingFile bytes = TRY(base::PendingFile::create(std::string(base::parent_of(path))));
  const auto fetched = source.fetch(file, bytes);
  if (!fetched.ok()) {
    tally.failed.push_back(shown + fetched.error().what);
    return {};
  }
  TRY(bytes.rename_to(path));
  member.path = path;
  return {};
}

Result<void> export_one(StoreTarget& source, const TransactionRecord& record, bool compress,
                        Numbers numbers, symstore::Editor& editor, TransferTally& tally) {
  const auto directory = TRY(base::TemporaryDirectory::create("faultline-export"));
  symstore::NewTransaction wanted;
  wanted.kind = record.kind == "ptr" ? symstore::Kind::pointer : symstore::Kind::file;
  wanted.product = record.product;
  wanted.version = record.version;
  wanted.comment = record.comment;
  wanted.compress = compress;
  wanted.date = record.date;
  wanted.time = record.time;
  if (numbers == Numbers::kept) wanted.number = static_cast<std::uint64_t>(record.id);
  std::vector<symstore::NewMember> members;
  for (const symstore::Member& listed : symstore::members_of(record)) {
    const auto is_of_it = [&](const TransactionFile& file) {
      return file.name == listed.name && file.id == listed.id &&
             base::equal_ignoring_case(file.file, file.name);  // not the cabinet, the pointer
    };
    const auto file = std::find_if(record.files.begin(), record.files.end(), is_of_it);
    symstore::NewMember member{listed.name, listed.id, listed.source, "", symstore::Form::binary};
    if (file != record.files.end()) member.form = form_of(*file);
    if (wanted.kind == symstore::Kind::file && file != record.files.end()) {
      const std::string path = base::join_path(directory.path(), std::to_string(members.size()));
      TRY(fetch_to(source, *file, member, path, tally));
    }
    members.push_back(std::move(member));
  }
  if (members.empty()) {
    tally.left_out.push_back("transaction " + std::to_string(record.id) + ": has no files");
    return {};
  }
  TRY(editor.add(wanted, members));
  ++tally.transactions;
  tally.files += members.size();
  return {};
}

// A tree's numbers rise: what a server says is put in order, and refused where that is impossible.
Result<std::vector<TransactionRecord>> list_by_number(StoreTarget& source) {
  std::vector<TransactionRecord> all = TRY(source.list());
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  std::int64_t last = 0;
  for (const TransactionRecord& record : all) {
    if (record.id > last) {
      last = record.id;
      continue;
    }
    return base::Error{base::Fault::malformed, "the server has two transactions with the number " +
                                                   std::to_string(record.id)};
  }
  return all;
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

// Into a tree that is new the past goes along: numbers as they were, what was deleted, and when.
Result<TransferTally> export_tree(StoreTarget& source, symstore::Editor& editor, bool compress) {
  TransferTally tally;
  const std::uint64_t last_there = TRY(editor.tree().last_id());
  const Numbers numbers = last_there == 0 ? Numbers::kept : Numbers::anew;
  const std::vector<TransactionRecord> all = TRY(list_by_number(source));
  std::vector<symstore::Life> lives;
  lives.reserve(all.size());
  for (const TransactionRecord& listed : all) {
    lives.push_back(symstore::life_of(listed));
    if (listed.deleted_at.us != 0 && numbers == Numbers::anew) continue;
    const TransactionRecord record = TRY(source.load(listed.id));
    if (listed.deleted_at.us == 0) {
      TRY(export_one(source, record, compress, numbers, editor, tally));
    } else {
      TRY(editor.write_deleted(static_cast<std::uint64_t>(record.id),
                               symstore::members_of(record)));
    }
  }
  if (numbers == Numbers::kept && !lives.empty()) {
    const std::int64_t last = TRY(source.last_number());
    TRY(editor.write_history(lives, static_cast<std::uint64_t>(last)));
  }
  return tally;
}

}  // namespace cli
