#include "cli/store_transfer.h"

#include <algorithm>
#include <filesystem>
#include <set>

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

// A transaction on its way: its record, and where the bytes of each file lie.
struct Outgoing {
  TransactionRecord record;
  std::vector<std::string> contents;
  std::vector<base::Fd> open;  // of "/proc/self/fd/…" in contents
};

std::string path_of(const base::Fd& fd) { return "/proc/self/fd/" + std::to_string(fd.get()); }

Result<void> add_content(Outgoing& out, TransactionFile file, const std::string& path) {
  const base::Sha256 hash = TRY(store::sha256_of_file(path));
  file.sha256 = hash.hex();
  out.record.files.push_back(std::move(file));
  out.contents.push_back(path);
  return {};
}

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

  Result<void> import_one(const symstore::Transaction& transaction, Progress& progress) {
    Outgoing out;
    TransactionRecord& record = out.record;
    record.number = static_cast<std::int64_t>(transaction.id);
    record.kind = symstore::name_of(transaction.kind);
    record.date = utf8(transaction.date);
    record.time = utf8(transaction.time);
    record.product = utf8(transaction.product);
    record.version = utf8(transaction.version);
    record.comment = utf8(transaction.comment);
    const auto members = tree_.members(transaction.id);
    if (!members.ok()) {
      leave_out("transaction " + symstore::digits_of(transaction.id), members.error().what);
      return {};
    }
    for (const symstore::Member& member : *members) TRY(add_member(transaction, member, out));
    if (record.files.empty()) {
      leave_out("transaction " + symstore::digits_of(transaction.id), "none of its files is there");
      return {};
    }
    tally_.sent += TRY(add_to_target(target_, record, out.contents, &progress));
    ++tally_.transactions;
    tally_.files += members->size();
    return {};
  }

  Result<void> add_member(const symstore::Transaction& transaction, const symstore::Member& member,
                          Outgoing& out) {
    auto found = TRY(tree_.find(member.name, member.id, roots_));
    if (!found) {
      leave_out(member.name + "/" + member.id, "is not in the tree");
      return {};
    }
    symstore::Held& held = *found;
    TransactionFile file{member.name, member.id, member.name, utf8(member.source), "bin", ""};
    for (const symstore::Reference& reference : held.references) {
      if (reference.transaction == transaction.id) file.form = symstore::name_of(reference.form);
    }
    if (held.pointer) TRY(add_pointer(member, held, out));
    if (!held.file.valid()) {
      leave_out(member.name + "/" + member.id, held.problem);
      out.record.files.push_back(std::move(file));  // what it was is kept
      out.contents.emplace_back();
      return {};
    }
    out.open.push_back(std::move(held.file));
    const std::string path = path_of(out.open.back());
    if (!held.compressed) return add_content(out, std::move(file), path);
    TransactionFile packed = file;
    packed.file = archive::cab_name_of(member.name);
    TRY(add_content(out, std::move(packed), path));
    return add_expanded(std::move(file), path, out);
  }

  // file.ptr is served as it stands: who can reach the share may follow it himself.
  Result<void> add_pointer(const symstore::Member& member, const symstore::Held& held,
                           Outgoing& out) {
    auto fd = symstore::open_beneath(tree_.path(), held.directory + "/file.ptr");
    if (!fd.ok()) return {};
    out.open.push_back(std::move(fd).value());
    return add_content(out, {member.name, member.id, "file.ptr", "", "bin", ""},
                       path_of(out.open.back()));
  }

  // A cabinet is kept beside the file that is in it.
  Result<void> add_expanded(TransactionFile file, const std::string& cab, Outgoing& out) {
    const auto packed = TRY(base::MappedFile::open(cab));
    base::PendingFile plain = TRY(base::PendingFile::create(directory_));
    const auto expanded = archive::expand_cab(
        packed->bytes(), {}, [&](base::Bytes piece) { return plain.append(piece); });
    if (!expanded.ok()) {
      leave_out(file.name + "/" + file.id, expanded.error().what);
      return {};
    }
    const std::string path = base::join_path(directory_, std::to_string(++expanded_));
    TRY(plain.rename_to(path));
    return add_content(out, std::move(file), path);
  }

  void leave_out(const std::string& what, const std::string& why) {
    tally_.left_out.push_back(base::to_valid_utf8(what) + ": " + why);
  }

  const symstore::Tree& tree_;
  const symstore::PointerRoots& roots_;
  StoreTarget& target_;
  const std::string& directory_;
  std::uint64_t expanded_ = 0;
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
      const auto fetched = source.fetch(file, bytes);
      if (!fetched.ok()) {
        tally.left_out.push_back(file.name + "/" + file.id + ": " + fetched.error().what);
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
      if (!member.ok() || !*member) {
        tally.left_out.push_back(file.name + ": " +
                                 (member.ok() ? "another file has its key" : member.error().what));
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
                                    const std::vector<std::string>& contents, Progress* progress) {
  StoreTarget::Added added = TRY(target.add(record));
  std::uint64_t sent = 0;
  if (!added.missing.empty()) {
    std::set<std::string> missing(added.missing.begin(), added.missing.end());
    for (std::size_t i = 0; i < record.files.size(); ++i) {
      const TransactionFile& file = record.files[i];
      if (missing.erase(file.sha256) == 0) continue;
      TRY(target.put(file.name + "/" + file.id + "/" + file.file, contents[i]));
      ++sent;
      if (progress == nullptr) continue;
      std::error_code unknown;
      const auto size = std::filesystem::file_size(contents[i], unknown);
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
