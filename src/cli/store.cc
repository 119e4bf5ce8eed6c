// `faultline store add|del|query|history|import|export`, also called as `symstore`.
#include <fmt/core.h>

#include <map>

#include "base/json.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/store_arguments.h"
#include "cli/store_files.h"
#include "cli/store_target.h"
#include "cli/store_transfer.h"
#include "store/blobs.h"

namespace cli {
namespace {

using base::Error;
using base::Fault;
using base::Result;

bool is_url(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

// A server or data directory; nothing when the store is a tree.
Result<std::unique_ptr<StoreTarget>> open_target(const StoreArguments& arguments) {
  if (is_url(arguments.store)) return open_store_server(arguments.store, arguments.token);
  if (is_data_directory(arguments.store)) {
    return open_store_directory(arguments.store, arguments.token);
  }
  return std::unique_ptr<StoreTarget>();
}

void report_left_out(const std::vector<std::string>& left_out) {
  for (const std::string& line : left_out) fmt::print(stderr, "left out: {}\n", line);
}

void print_added(const StoreArguments& arguments, std::string_view id, const StoreFiles& files) {
  if (arguments.json) {
    base::JsonWriter out;
    out.begin_object().key("transaction").string(id);
    out.key("files").unsigned_integer(files.members.size());
    out.key("ignored").unsigned_integer(files.ignored.size()).end_object();
    fmt::print("{}\n", out.text());
  } else if (arguments.microsoft) {
    fmt::print("\nFinding ID...  {}\n\n", id);
    fmt::print(
        "SYMSTORE: Number of files stored = {}\nSYMSTORE: Number of errors = 0\n"
        "SYMSTORE: Number of files ignored = {}\n",
        files.members.size(), files.ignored.size());
  } else {
    fmt::print("transaction {}: {} files, {} ignored\n", id, files.members.size(),
               files.ignored.size());
  }
}

// The record of what is to be added to a server, as a tree's would be written.
Result<std::string> add_to_server(const StoreArguments& arguments, const StoreFiles& files,
                                  StoreTarget& target) {
  symstore::Transaction times;
  symstore::set_time(times, base::now());
  store::TransactionRecord record;
  record.kind = arguments.pointer ? "ptr" : "file";
  record.date = times.date;
  record.time = times.time;
  record.product = base::to_valid_utf8(arguments.product);
  record.version = base::to_valid_utf8(arguments.version);
  record.comment = base::to_valid_utf8(arguments.comment);
  for (const symstore::NewMember& member : files.members) {
    // What a server is told to point at, it would have to fetch: it gets the bytes.
    const base::Sha256 hash = TRY(store::sha256_of_file(member.path));
    record.files.push_back({member.name, member.id, member.name, base::to_valid_utf8(member.source),
                            std::string(symstore::name_of(member.form)), hash.hex()});
  }
  const auto open = [&](std::size_t i) -> Result<Content> {
    Content content;
    content.path = files.members[i].path;
    return content;
  };
  TRY(add_to_target(target, record, open));
  return std::to_string(record.id);
}

Result<std::string> add_to_tree(const StoreArguments& arguments, const StoreFiles& files) {
  using Create = symstore::Editor::Create;
  symstore::Editor editor = TRY(symstore::Editor::open(
      arguments.store, arguments.two_tiers ? Create::two_tiers : Create::one_tier));
  symstore::NewTransaction wanted;
  wanted.kind = arguments.pointer ? symstore::Kind::pointer : symstore::Kind::file;
  wanted.product = arguments.product;
  wanted.version = arguments.version;
  wanted.comment = arguments.comment;
  wanted.compress = arguments.compress;
  const symstore::Transaction added = TRY(editor.add(wanted, files.members));
  if (arguments.append_id) TRY(append_transaction_id(arguments.index_in, added.id));
  return symstore::digits_of(added.id);
}

Result<void> add(const StoreArguments& arguments) {
  const StoreFiles files = TRY(find_store_files(arguments));
  for (const std::string& line : files.ignored) fmt::print(stderr, "ignored: {}\n", line);
  if (files.members.empty()) {
    return Error{Fault::not_found, "nothing to add: none of the files is a symbol file with an id"};
  }
  if (!arguments.index_out.empty()) {
    TRY(write_index_file(arguments, files.members));
    fmt::print("{}: {} files\n", arguments.index_out, files.members.size());
    return {};
  }
  const std::unique_ptr<StoreTarget> target = TRY(open_target(arguments));
  const std::string id =
      TRY(target ? add_to_server(arguments, files, *target) : add_to_tree(arguments, files));
  print_added(arguments, id, files);
  return {};
}

Result<void> remove(const StoreArguments& arguments) {
  const auto id = base::parse_decimal(arguments.id);
  if (!id || *id > INT64_MAX)
    return Error{Fault::malformed, arguments.id + ": no transaction's id"};
  const std::unique_ptr<StoreTarget> target = TRY(open_target(arguments));
  if (target) {
    const std::int64_t by = TRY(target->remove(static_cast<std::int64_t>(*id), 0));
    fmt::print("transaction {} deleted by {}\n", symstore::digits_of(*id),
               symstore::digits_of(static_cast<std::uint64_t>(by)));
    return {};
  }
  symstore::Editor editor =
      TRY(symstore::Editor::open(arguments.store, symstore::Editor::Create::no));
  const symstore::Transaction deletion = TRY(editor.remove(*id));
  fmt::print("transaction {} deleted by {}\n", symstore::digits_of(*id),
             symstore::digits_of(deletion.id));
  return {};
}

// Lists of transactions, deleted ones too, whichever side they come from.
Result<std::vector<store::TransactionRecord>> list(const StoreArguments& arguments) {
  const std::unique_ptr<StoreTarget> target = TRY(open_target(arguments));
  if (target) return target->list();
  const symstore::Tree tree = TRY(symstore::Tree::open(arguments.store));
  const symstore::Lives lives = TRY(symstore::lives_of(tree));
  std::vector<store::TransactionRecord> all;
  for (const symstore::Life& life : lives.all) {
    const symstore::Transaction& transaction = life.transaction;
    store::TransactionRecord record;
    record.deleted_by = static_cast<std::int64_t>(life.deleted_by);
    record.deleted_at = {life.deleted_by == 0 ? 0 : 1};
    record.id = record.number = static_cast<std::int64_t>(transaction.id);
    record.kind = symstore::name_of(transaction.kind);
    record.date = transaction.date;
    record.time = transaction.time;
    record.product = transaction.product;
    record.version = transaction.version;
    record.comment = transaction.comment;
    const auto members =
        life.deleted_by == 0 ? tree.members(transaction.id) : tree.deleted_members(transaction.id);
    if (members.ok()) record.file_count = members->size();
    all.push_back(std::move(record));
  }
  return all;
}

void print_transactions(const StoreArguments& arguments,
                        const std::vector<store::TransactionRecord>& all) {
  if (arguments.json) {
    std::string text = "{\"transactions\":[";
    for (const store::TransactionRecord& record : all) {
      text += (text.back() == '[' ? "" : ",") + store::transaction_as_json(record);
    }
    fmt::print("{}]}}\n", text);
    return;
  }
  for (const store::TransactionRecord& record : all) {
    if (record.deleted_at.us != 0) continue;
    fmt::print("{:010} {} {} {} {} files  {} {} {}\n", record.id, record.kind, record.date,
               record.time, record.file_count, record.product, record.version, record.comment);
  }
}

// Where the files given are in the tree, and who holds them.
Result<void> query_tree(const StoreArguments& arguments) {
  const StoreFiles files = TRY(find_store_files(arguments));
  const symstore::Tree tree = TRY(symstore::Tree::open(arguments.store));
  std::uint64_t missing = 0;
  for (const symstore::NewMember& member : files.members) {
    const auto held = TRY(tree.find(member.name, member.id));
    if (!held) {
      ++missing;
      fmt::print("{}: not in the store ({}/{})\n", member.path, member.name, member.id);
      continue;
    }
    fmt::print("{}: {}\n", member.path, base::join_path(tree.path(), held->directory));
    for (const symstore::Reference& reference : held->references) {
      fmt::print("  {}\n", reference.line());
    }
  }
  for (const std::string& line : files.ignored) fmt::print(stderr, "ignored: {}\n", line);
  if (missing == 0) return {};
  return Error{Fault::not_found, std::to_string(missing) + " files are not in the store"};
}

// How two spellings of one key compare.
std::string key_of(std::string_view name, std::string_view id) {
  return base::lower_ascii(name) + "/" + base::lower_ascii(id);
}

// The same in a server: by the contents' transactions, one in memory at a time.
Result<void> query_server(const StoreArguments& arguments, StoreTarget& target) {
  const StoreFiles files = TRY(find_store_files(arguments));
  std::map<std::string, std::string> holders;  // by key: lines
  for (const symstore::NewMember& member : files.members) {
    holders.emplace(key_of(member.name, member.id), "");
  }
  const auto all = TRY(target.list());
  for (const store::TransactionRecord& listed : all) {
    if (listed.deleted_at.us != 0) continue;
    const store::TransactionRecord record = TRY(target.load(listed.id));
    for (const store::TransactionFile& file : record.files) {
      const auto asked = holders.find(key_of(file.name, file.id));
      if (asked == holders.end() || file.file != file.name) continue;
      asked->second += fmt::format("  {:010} {} {} {}\n", record.id, record.kind, record.product,
                                   record.version);
    }
  }
  std::uint64_t missing = 0;
  for (const symstore::NewMember& member : files.members) {
    const std::string& lines = holders[key_of(member.name, member.id)];
    fmt::print("{}: {}/{}\n{}", member.path, member.name, member.id, lines);
    missing += lines.empty() ? 1 : 0;
  }
  if (missing == 0) return {};
  return Error{Fault::not_found, std::to_string(missing) + " files are in no transaction"};
}

Result<void> query(const StoreArguments& arguments) {
  if (!arguments.files.empty()) {
    const std::unique_ptr<StoreTarget> target = TRY(open_target(arguments));
    return target ? query_server(arguments, *target) : query_tree(arguments);
  }
  const auto all = TRY(list(arguments));
  print_transactions(arguments, all);
  return {};
}

// All that ever was, as history.txt has it, a line each.
Result<void> history(const StoreArguments& arguments) {
  const auto all = TRY(list(arguments));
  if (arguments.json) {
    print_transactions(arguments, all);
    return {};
  }
  std::vector<symstore::Life> lives;
  lives.reserve(all.size());
  for (const store::TransactionRecord& record : all) lives.push_back(symstore::life_of(record));
  const std::string text = symstore::history_text(lives);
  for (const std::string_view line : base::split(text, '\n')) {
    if (!line.empty()) fmt::print("{}\n", base::trim(line));
  }
  return {};
}

Result<std::unique_ptr<StoreTarget>> must_target(const StoreArguments& arguments) {
  auto target = TRY(open_target(arguments));
  if (target) return target;
  // A directory that is not there yet becomes a data directory, as with `serve`.
  if (!base::file_exists(base::join_path(arguments.store, "000Admin"))) {
    return open_store_directory(arguments.store, arguments.token);
  }
  return Error{Fault::malformed, arguments.store +
                                     ": is a symbol store tree; --store takes the server "
                                     "or its data directory"};
}

void print_tally(const StoreArguments& arguments, const TransferTally& tally) {
  report_left_out(tally.left_out);
  if (arguments.json) {
    base::JsonWriter out;
    out.begin_object().key("transactions").unsigned_integer(tally.transactions);
    out.key("past_transactions").unsigned_integer(tally.past_transactions);
    out.key("known_transactions").unsigned_integer(tally.known_transactions);
    out.key("files").unsigned_integer(tally.files);
    out.key("contents_sent").unsigned_integer(tally.sent);
    out.key("left_out").unsigned_integer(tally.left_out.size());
    out.key("failed").unsigned_integer(tally.failed.size()).end_object();
    fmt::print("{}\n", out.text());
    return;
  }
  fmt::print("{} transactions with {} files, {} were there already, {} files left out\n",
             tally.transactions, tally.files, tally.known_transactions, tally.left_out.size());
  if (tally.past_transactions == 0) return;
  fmt::print("{} deleted transactions went into the history\n", tally.past_transactions);
}

Result<void> import(const StoreArguments& arguments) {
  const symstore::Tree tree = TRY(symstore::Tree::open(arguments.tree));
  symstore::PointerRoots roots;
  roots.directories = arguments.pointer_directories;
  for (const std::string& share : arguments.shares) {
    const auto equals = share.find('=');
    if (equals == std::string::npos || !share.starts_with("\\\\")) {
      return Error{Fault::malformed, share + ": expected \\\\server\\share=DIRECTORY"};
    }
    roots.shares.push_back({share.substr(0, equals), share.substr(equals + 1)});
  }
  const std::unique_ptr<StoreTarget> target = TRY(must_target(arguments));
  const TransferTally tally = TRY(import_tree(tree, roots, *target));
  print_tally(arguments, tally);
  if (tally.failed.empty()) return {};
  for (const std::string& line : tally.failed) fmt::print(stderr, "not imported: {}\n", line);
  return Error{Fault::unavailable, std::to_string(tally.failed.size()) +
                                       " transactions were not imported, since files of theirs "
                                       "cannot be read"};
}

Result<void> export_(const StoreArguments& arguments) {
  using Create = symstore::Editor::Create;
  const std::unique_ptr<StoreTarget> source = TRY(must_target(arguments));
  symstore::Editor editor = TRY(symstore::Editor::open(
      arguments.tree, arguments.two_tiers ? Create::two_tiers : Create::one_tier));
  TransferTally tally = TRY(export_tree(*source, editor, arguments.compress));
  if (arguments.all) TRY(export_rest(*source, editor, arguments.compress, tally));
  print_tally(arguments, tally);
  if (tally.failed.empty()) return {};
  for (const std::string& line : tally.failed) fmt::print(stderr, "not exported: {}\n", line);
  return Error{Fault::unavailable, std::to_string(tally.failed.size()) +
                                       " files were not exported, since they could not be fetched; "
                                       "the rest is there"};
}

}  // namespace

int run_store(int argc, char** argv) {
  StoreArguments arguments;
  if (const auto code = parse_store_arguments(argc, argv, arguments)) return *code;
  const Result<void> done = arguments.verb == "add"       ? add(arguments)
                            : arguments.verb == "del"     ? remove(arguments)
                            : arguments.verb == "query"   ? query(arguments)
                            : arguments.verb == "history" ? history(arguments)
                            : arguments.verb == "import"  ? import(arguments)
                                                          : export_(arguments);
  return done.ok() ? kDone : fail(done.error().what);
}

}  // namespace cli
