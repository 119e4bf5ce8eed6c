#include "symstore/tree.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/text.h"
#include "formats/archive/cab.h"

namespace symstore {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::size_t kDirectoryEntriesMax = 10'000'000;
constexpr std::uint64_t kPointerSizeMax = 64 * 1024;

// A Windows share was searched without regard to case: the exact spelling first, then any.
Result<std::optional<std::string>> find_spelling(const std::string& directory,
                                                 const std::string& name) {
  if (base::file_exists(base::join_path(directory, name))) return std::optional(name);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(directory.c_str()), ::closedir);
  if (!listing) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<std::string>();
    return base::error_from_errno(errno, "cannot list", directory);
  }
  for (std::size_t i = 0; i < kDirectoryEntriesMax; ++i) {
    errno = 0;
    const dirent* entry = ::readdir(listing.get());
    if (entry == nullptr) {
      if (errno != 0) return base::error_from_errno(errno, "cannot list", directory);
      break;
    }
    if (base::equal_ignoring_case(entry->d_name, name)) {
      return std::optional<std::string>(entry->d_name);
    }
  }
  return std::optional<std::string>();
}

// Whether that is no answer about the tree: a second attempt, or another user, may read it.
bool is_unreadable(const Error& error, const std::string& path) {
  if (error.fault == Fault::unavailable) return true;
  return error.fault == Fault::denied && ::access(path.c_str(), R_OK) != 0 && errno == EACCES;
}

// The file itself, beneath the tree: a symbolic link that leads out is not followed.
Result<void> open_own(const std::string& root, const std::string& directory,
                      const std::string& file_name, Held& held) {
  held.file_name = file_name;
  const std::string relative = base::join_path(directory, file_name);
  held.path = base::join_path(root, relative);
  auto file = open_beneath(root, relative);
  if (file.ok()) {
    held.file = std::move(file).value();
  } else {
    held.problem = file.error().what;
    held.is_unreadable = is_unreadable(file.error(), held.path);
  }
  return {};
}

Result<std::string> read_beneath(const std::string& root, const std::string& relative,
                                 std::uint64_t size_max) {
  const base::Fd fd = TRY(open_beneath(root, relative));
  return base::read_file("/proc/self/fd/" + std::to_string(fd.get()), size_max);
}

}  // namespace

Result<std::string> read_text(const std::string& path) {
  if (!base::file_exists(path)) return std::string();
  return base::read_file(path, kAdminFileSizeMax);
}

Result<Tree> Tree::open(const std::string& path) {
  if (!base::file_exists(base::join_path(path, "000Admin"))) {
    return Error{Fault::not_found, path + ": is no symbol store: it has no 000Admin"};
  }
  const bool two = base::file_exists(base::join_path(path, "index2.txt"));
  return Tree(path, two ? Tiers::two : Tiers::one);
}

std::string Tree::admin(const std::string& file) const {
  return base::join_path(base::join_path(path_, "000Admin"), file);
}

std::string Tree::directory_of(const std::string& name, const std::string& id) const {
  std::string directory = name + "/" + id;
  if (tiers_ == Tiers::two) directory.insert(0, name.substr(0, 2) + "/");
  return directory;
}

Result<std::string> Tree::spelled_directory_of(const std::string& name,
                                               const std::string& id) const {
  const std::string wanted = directory_of(name, id);
  std::string at;
  for (const std::string_view part : base::split(wanted, '/')) {
    const auto spelled = TRY(find_spelling(base::join_path(path_, at), std::string(part)));
    at += at.empty() ? "" : "/";
    at += spelled ? *spelled : std::string(part);
  }
  return at;
}

Result<std::vector<Transaction>> Tree::current() const {
  const std::string text = TRY(read_text(admin("server.txt")));
  return parse_transactions(text);
}

Result<std::vector<Transaction>> Tree::history() const {
  const std::string text = TRY(read_text(admin("history.txt")));
  return parse_transactions(text);
}

Result<std::uint64_t> Tree::last_id() const {
  const std::string text = TRY(read_text(admin("lastid.txt")));
  if (base::trim(text).empty()) return std::uint64_t{0};
  const auto id = base::parse_decimal(base::trim(text));
  if (!id) return Error{Fault::malformed, admin("lastid.txt") + ": holds no number"};
  return *id;
}

Result<std::vector<Member>> Tree::members(std::uint64_t transaction) const {
  const std::string text = TRY(base::read_file(admin(digits_of(transaction)), kAdminFileSizeMax));
  return parse_members(text);
}

Result<std::vector<Member>> Tree::deleted_members(std::uint64_t transaction) const {
  const std::string text =
      TRY(base::read_file(admin(digits_of(transaction) + ".deleted"), kAdminFileSizeMax));
  return parse_members(text);
}

Result<std::optional<Held>> Tree::find(const std::string& name, const std::string& id,
                                       const PointerRoots& roots) const {
  Held held;
  const std::string at = TRY(spelled_directory_of(name, id));
  const std::string whole = base::join_path(path_, at);
  if (!base::file_exists(whole)) return std::optional<Held>();
  held.directory = at;
  if (base::file_exists(base::join_path(whole, "refs.ptr"))) {
    const std::string text = TRY(read_beneath(path_, at + "/refs.ptr", kAdminFileSizeMax));
    held.references = TRY(parse_references(text));
  }
  if (base::file_exists(base::join_path(whole, "file.ptr"))) {
    const std::string text = TRY(read_beneath(path_, at + "/file.ptr", kPointerSizeMax));
    held.pointer = parse_pointer(text);
  }
  const auto plain = TRY(find_spelling(whole, name));
  const auto packed = TRY(find_spelling(whole, archive::cab_name_of(name)));
  if (plain || packed) {
    held.compressed = !plain;
    TRY(open_own(path_, at, plain ? *plain : *packed, held));
    return std::optional<Held>(std::move(held));
  }
  if (!held.pointer) {
    held.problem = "neither file nor pointer in " + whole;
  } else if (held.pointer->is_message) {
    held.problem = "withdrawn: " + base::to_valid_utf8(held.pointer->text);
  } else {
    auto target = follow_pointer(path_, whole, held.pointer->text, roots);
    if (target.ok()) {
      held.path = target->path;
      held.file = std::move(target->fd);
      held.file_name = std::string(base::basename_of(held.path));
    } else {
      held.problem = target.error().what;
      held.is_unreadable = target.error().fault == Fault::unavailable;
    }
  }
  return std::optional<Held>(std::move(held));
}

}  // namespace symstore
