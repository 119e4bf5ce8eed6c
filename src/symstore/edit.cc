#include "symstore/edit.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "base/text.h"
#include "formats/archive/cab.h"
#include "ident/paths.h"
#include "symstore/foreign_file.h"

namespace symstore {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::chrono::milliseconds kLockPause{50};
constexpr unsigned kClaimAttempts = 1000;

Result<void> write_text(const std::string& path, std::string_view text) {
  return base::write_file_durably(path, base::bytes_of(text));
}

Result<void> write_if_absent(const std::string& path) {
  if (base::file_exists(path)) return {};
  return write_text(path, "");
}

// "…\r\n" or nothing, so that another line can follow.
void end_last_line(std::string& text) {
  if (!text.empty() && text.back() != '\n') text += kLineEnd;
}

// The text without the lines that begin with that id; the others as they stand.
std::string without_id(std::string_view text, std::uint64_t id) {
  std::string kept;
  const std::string digits = digits_of(id);
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line =
        text.substr(0, end == std::string_view::npos ? text.size() : end + 1);
    if (!line.starts_with(digits)) kept += line;
    text.remove_prefix(line.size());
  }
  return kept;
}

void cut_line_end(std::string& text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
}

Result<void> remove_if_there(const std::string& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return base::error_from_errno(errno, "cannot remove", path);
}

// The directory and those above it, up to the tree's own, as long as they are empty.
void remove_empty_directories(const std::string& root, std::string directory) {
  while (!directory.empty() && ::rmdir(base::join_path(root, directory).c_str()) == 0) {
    directory = base::parent_of(directory);
  }
}

Result<base::Fd> lock_admin(const std::string& path, std::chrono::milliseconds patience) {
  base::Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return base::error_from_errno(errno, "cannot open", path);
  const auto until = std::chrono::steady_clock::now() + patience;
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return base::error_from_errno(errno, "cannot lock", path);
    if (std::chrono::steady_clock::now() >= until) {
      return Error{Fault::unavailable, path + ": another transaction is under way; try again"};
    }
    std::this_thread::sleep_for(kLockPause);
  }
  return fd;
}

}  // namespace

Result<Editor> Editor::open(const std::string& path, Create create,
                            std::chrono::milliseconds patience) {
  const std::string admin = base::join_path(path, "000Admin");
  if (create != Create::no) TRY(base::make_directories(admin));
  if (!base::file_exists(admin)) TRY(Tree::open(path));  // says that there is none
  base::Fd lock = TRY(lock_admin(admin, patience));
  // A tree keeps its tiers: index2.txt is written with the first transaction or never.
  const bool is_new = !base::file_exists(base::join_path(admin, "lastid.txt"));
  if (create != Create::no) {
    if (is_new && create == Create::two_tiers) {
      TRY(write_if_absent(base::join_path(path, "index2.txt")));
    }
    TRY(write_if_absent(base::join_path(path, "pingme.txt")));
  }
  Tree tree = TRY(Tree::open(path));
  return Editor(std::move(tree), std::move(lock));
}

// The next number whose file nobody has; lastid.txt says so before anything else is done.
Result<std::uint64_t> Editor::claim_id(std::uint64_t wanted) {
  std::uint64_t id = TRY(tree_.last_id());
  ASSERT(wanted == 0 || wanted > id);
  if (wanted != 0) id = wanted - 1;
  for (unsigned attempt = 0; attempt < kClaimAttempts; ++attempt) {
    ++id;
    const std::string path = tree_.admin(digits_of(id));
    if (base::file_exists(path + ".deleted")) continue;
    const base::Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!fd.valid() && errno == EEXIST) continue;
    if (!fd.valid()) return base::error_from_errno(errno, "cannot create", path);
    TRY(write_text(tree_.admin("lastid.txt"), digits_of(id)));
    return id;
  }
  return Error{Fault::malformed, tree_.admin("lastid.txt") + ": is far behind the transactions"};
}

// server.txt ends each line; history.txt puts the line end in front of the next one.
Result<void> Editor::log(const Transaction& transaction) {
  if (!transaction.is_delete) {
    std::string server = TRY(read_text(tree_.admin("server.txt")));
    end_last_line(server);
    server += transaction.line();
    server += kLineEnd;
    TRY(write_text(tree_.admin("server.txt"), server));
  }
  std::string history = TRY(read_text(tree_.admin("history.txt")));
  end_last_line(history);
  history += transaction.line();
  return write_text(tree_.admin("history.txt"), history);
}

Result<Transaction> Editor::add(const NewTransaction& wanted,
                                const std::vector<NewMember>& members) {
  ASSERT(!members.empty());
  for (const NewMember& member : members) {
    if (!ident::is_allowed_name(member.name) || !ident::is_allowed_id(member.id)) {
      return Error{Fault::malformed, base::to_valid_utf8(member.name + "/" + member.id) +
                                         ": no such name can be kept in a symbol store"};
    }
  }
  Transaction transaction;
  transaction.id = TRY(claim_id(wanted.number));
  transaction.kind = wanted.kind;
  transaction.product = quotable(wanted.product);
  transaction.version = quotable(wanted.version);
  transaction.comment = quotable(wanted.comment);
  set_time(transaction, wanted.now);
  if (!wanted.date.empty()) transaction.date = quotable(wanted.date);
  if (!wanted.time.empty()) transaction.time = quotable(wanted.time);

  std::string lines;
  Result<void> done;
  std::size_t placed = 0;
  for (; placed < members.size() && done.ok(); ++placed) {
    const NewMember& member = members[placed];
    done = place(wanted, member, transaction.id);
    lines += members_text({{member.name, member.id, member.source}});
  }
  const std::string file = tree_.admin(digits_of(transaction.id));
  if (done.ok()) done = write_text(file, lines);
  if (done.ok()) done = log(transaction);
  if (done.ok()) return transaction;
  for (std::size_t i = 0; i < placed; ++i) {
    // Best effort: what is wrong with the disk may be wrong here, too. Nobody refers to the rest.
    (void)release({members[i].name, members[i].id, ""}, transaction.id);
  }
  (void)base::remove_file(file);
  return std::move(done).error();
}

Result<void> Editor::place(const NewTransaction& wanted, const NewMember& member,
                           std::uint64_t id) {
  if (wanted.kind == Kind::file && member.path.empty()) return {};
  const std::string relative = TRY(tree_.spelled_directory_of(member.name, member.id));
  const std::string directory = base::join_path(tree_.path(), relative);
  TRY(base::make_directories(directory));
  if (wanted.kind == Kind::pointer) {
    TRY(write_text(base::join_path(directory, "file.ptr"), member.source));
  } else {
    TRY(place_file(wanted, member, directory));
  }
  const std::string refs_path = base::join_path(directory, "refs.ptr");
  std::string refs = TRY(read_text(refs_path));
  Reference reference;
  reference.transaction = id;
  reference.kind = wanted.kind;
  reference.source = member.source;
  reference.form = member.form;
  reference.compressed = wanted.compress && wanted.kind == Kind::file;
  refs = without_id(refs, id);  // the same file twice in one transaction
  end_last_line(refs);
  refs += reference.line();
  return write_text(refs_path, refs);
}

// The newest transaction's bytes are served; the other form of an older one goes.
Result<void> Editor::place_file(const NewTransaction& wanted, const NewMember& member,
                                const std::string& directory) {
  const std::string plain = base::join_path(directory, member.name);
  const std::string packed = base::join_path(directory, archive::cab_name_of(member.name));
  if (!wanted.compress && have_same_bytes(member.path, plain)) return remove_if_there(packed);
  base::PendingFile copy = TRY(base::PendingFile::create(directory));
  TRY(append_foreign(member.path, copy));
  if (wanted.compress) {
    const auto bytes = TRY(base::MappedFile::open(copy.path()));
    base::PendingFile cabinet = TRY(base::PendingFile::create(directory));
    struct stat info{};
    const bool known = ::stat(member.path.c_str(), &info) == 0;
    const base::Time modified{known ? std::int64_t{info.st_mtime} * 1'000'000 : wanted.now.us};
    TRY(archive::write_cab(member.name, bytes->bytes(), modified, cabinet));
    TRY(cabinet.commit(packed));
  } else {
    TRY(copy.commit(plain));
  }
  return remove_if_there(wanted.compress ? plain : packed);
}

Result<bool> Editor::is_held_by_others(const Member& member, std::uint64_t id) const {
  const std::vector<Transaction> current = TRY(tree_.current());
  for (const Transaction& other : current) {
    if (other.id == id || other.is_delete) continue;
    const auto members = tree_.members(other.id);
    if (!members.ok()) continue;
    const bool holds = std::any_of(members->begin(), members->end(), [&](const Member& held) {
      return base::equal_ignoring_case(held.name, member.name) &&
             base::equal_ignoring_case(held.id, member.id);
    });
    if (holds) return true;
  }
  return false;
}

Result<void> Editor::release(const Member& member, std::uint64_t id) {
  const std::string relative = TRY(tree_.spelled_directory_of(member.name, member.id));
  const std::string directory = base::join_path(tree_.path(), relative);
  if (!base::file_exists(directory)) return {};
  const std::string refs_path = base::join_path(directory, "refs.ptr");
  std::string text = TRY(read_text(refs_path));
  // Some tools write no refs.ptr: then the other transactions say whether the file stays.
  if (text.empty()) {
    const bool stays = TRY(is_held_by_others(member, id));
    if (stays) return {};
  }
  text = without_id(text, id);
  cut_line_end(text);
  const std::vector<Reference> left = TRY(parse_references(text));
  const auto of_kind = [&](Kind kind) {
    return std::find_if(left.rbegin(), left.rend(),
                        [&](const Reference& reference) { return reference.kind == kind; });
  };
  if (of_kind(Kind::file) == left.rend()) {
    TRY(remove_if_there(base::join_path(directory, member.name)));
    TRY(remove_if_there(base::join_path(directory, archive::cab_name_of(member.name))));
  }
  // The newest pointer that is left takes over.
  const std::string pointer_path = base::join_path(directory, "file.ptr");
  if (const auto pointer = of_kind(Kind::pointer); pointer == left.rend()) {
    TRY(remove_if_there(pointer_path));
  } else {
    const std::string now = TRY(read_text(pointer_path));
    const bool differs = parse_pointer(now).text != parse_pointer(pointer->source).text;
    if (differs) TRY(write_text(pointer_path, pointer->source));
  }
  if (!left.empty()) return write_text(refs_path, text);
  TRY(remove_if_there(refs_path));
  remove_empty_directories(tree_.path(), relative);
  return {};
}

Result<Transaction> Editor::remove(std::uint64_t id) {
  const std::vector<Transaction> current = TRY(tree_.current());
  const bool exists = std::any_of(current.begin(), current.end(), [&](const Transaction& other) {
    return other.id == id && !other.is_delete;
  });
  if (!exists) {
    return Error{Fault::not_found, tree_.path() + ": has no transaction " + digits_of(id)};
  }
  const std::vector<Member> members = TRY(tree_.members(id));
  Transaction deletion;
  deletion.is_delete = true;
  deletion.deletes = id;
  // The number of a delete has no file of its own.
  const std::uint64_t last = TRY(tree_.last_id());
  deletion.id = last + 1;
  TRY(write_text(tree_.admin("lastid.txt"), digits_of(deletion.id)));

  const std::string server = TRY(read_text(tree_.admin("server.txt")));
  TRY(write_text(tree_.admin("server.txt"), without_id(server, id)));
  for (const Member& member : members) TRY(release(member, id));
  const std::string file = tree_.admin(digits_of(id));
  if (::rename(file.c_str(), (file + ".deleted").c_str()) != 0) {
    return base::error_from_errno(errno, "cannot rename to .deleted", file);
  }
  TRY(log(deletion));
  return deletion;
}

Result<void> Editor::write_deleted(std::uint64_t id, const std::vector<Member>& members) {
  return write_text(tree_.admin(digits_of(id) + ".deleted"), members_text(members));
}

Result<void> Editor::write_history(const std::vector<Life>& lives, std::uint64_t last_id) {
  TRY(write_if_absent(tree_.admin("server.txt")));  // nothing that was added is there any more
  TRY(write_text(tree_.admin("history.txt"), history_text(lives)));
  return write_text(tree_.admin("lastid.txt"), digits_of(last_id));
}

}  // namespace symstore
