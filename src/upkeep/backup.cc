#include "upkeep/backup.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <shared_mutex>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "upkeep/copy_files.h"

namespace upkeep {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::int64_t kLayoutVersion = 1;
constexpr std::uint64_t kProofSizeMax = 64 * 1024;

bool is_empty_or_missing(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return errno == ENOENT;
  int entries = 0;  // "." and ".." among them
  while (entries < 3 && ::readdir(directory) != nullptr) ++entries;
  ::closedir(directory);
  return entries < 3;
}

bool is_blob_directory(std::string_view name) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  return name.size() == 2 && name.find_first_not_of(kHexDigits) == std::string_view::npos;
}

Result<void> refuse_postgresql(const House& house, const std::string& target) {
  if (house.database.engine() == db::Engine::sqlite) return {};
  return Error{Fault::unsupported,
               "the database is PostgreSQL: copy it with pg_dump first, then say --blobs-only, so "
               "that every blob that it names is in " +
                   target};
}

Result<void> list_directory(const std::string& path, std::vector<std::string>& files) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (!directory) return base::error_from_errno(errno, "cannot list", path);
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(directory.get());
    if (entry == nullptr && errno != 0) return base::error_from_errno(errno, "cannot list", path);
    if (entry == nullptr) return {};
    files.push_back(base::join_path(path, entry->d_name));
  }
}

// Linked beside themselves: quick, and from then on nobody can take them away.
Result<void> stage(const std::string& blobs, const std::string& staged, Progress& progress) {
  const std::vector<std::string> paths = TRY(list_blobs(blobs));
  progress.files_all = paths.size();
  for (const std::string& path : paths) {
    TRY(go_on(progress));
    const std::string target = staged + path.substr(blobs.size());
    TRY(base::make_directories(std::string(base::parent_of(target))));
    if (::link(path.c_str(), target.c_str()) == 0 || errno == ENOENT) continue;
    TRY(copy_durably(path, target));  // a file system without links
  }
  return {};
}

Result<void> write_proof(const BackedUp& backup) {
  base::JsonWriter out(base::JsonWriter::Style::pretty);
  out.begin_object().key("faultline_backup").integer(kLayoutVersion);
  out.key("made_at").string(base::iso8601(base::now()));
  out.key("files").unsigned_integer(backup.files).key("bytes").unsigned_integer(backup.bytes);
  out.key("has_database").boolean(backup.has_database).end_object();
  return base::write_file_durably(base::join_path(backup.directory, kBackupProof),
                                  base::bytes_of(out.take() + "\n"));
}

}  // namespace

bool is_blob_path(std::string_view path) {
  const auto parts = base::split(path, '/');
  return parts.size() == 2 && store::find_sha256(parts[1]).has_value() &&
         parts[0] == std::string_view(parts[1]).substr(0, 2);
}

Result<std::vector<std::string>> list_blobs(const std::string& blobs) {
  std::vector<std::string> directories;
  std::vector<std::string> files;
  TRY(list_directory(blobs, directories));
  for (const std::string& directory : directories) {
    if (!is_blob_directory(base::basename_of(directory))) continue;
    TRY(list_directory(directory, files));
  }
  std::erase_if(files, [&](const std::string& path) {
    return !is_blob_path(std::string_view(path).substr(blobs.size() + 1));
  });
  std::sort(files.begin(), files.end());
  return files;
}

Result<void> must_be_new(const std::string& path) {
  if (is_empty_or_missing(path)) return {};
  return Error{Fault::malformed, path + ": there is something already; say a new directory"};
}

Result<BackedUp> read_proof(const std::string& backup) {
  const auto text = base::read_file(base::join_path(backup, kBackupProof), kProofSizeMax);
  const auto json = base::JsonValue::parse(text.ok() ? *text : "");
  if (!json.ok() || (*json)["faultline_backup"].integer_or(0) != kLayoutVersion) {
    return Error{Fault::malformed, backup + ": is no backup, or one that was not finished (no " +
                                       std::string(kBackupProof) + ")"};
  }
  BackedUp made;
  made.directory = backup;
  made.files = static_cast<std::uint64_t>((*json)["files"].integer_or(0));
  made.bytes = static_cast<std::uint64_t>((*json)["bytes"].integer_or(0));
  const bool* has_database = (*json)["has_database"].boolean();
  made.has_database = has_database == nullptr || *has_database;
  return made;
}

Result<BackedUp> back_up(House& house, const std::string& target, Scope scope, Copies copies,
                         Progress& progress) {
  const bool is_inside =
      target.starts_with(house.data + "/") && !target.starts_with(house.data + "/tmp/");
  if (target.empty() || target.front() != '/' || is_inside) {
    return Error{Fault::malformed, "a backup goes to an absolute path outside of " + house.data};
  }
  if (scope == Scope::everything) TRY(refuse_postgresql(house, target));
  TRY(must_be_new(target));
  TRY(base::make_directories(target));
  const base::TemporaryDirectory staged =
      TRY(base::TemporaryDirectory::create_in(house.blobs.tmp(), "backup"));
  const std::string blobs = base::join_path(house.data, "blobs");
  {
    // Nobody takes a blob away from here on, so each row that is copied finds its blob below.
    const std::shared_lock no_removals(house.blobs.in_use());
    if (scope == Scope::everything) {
      TRY(house.database.copy_to(base::join_path(target, kBackupDatabase)));
    }
    TRY(stage(blobs, staged.path(), progress));
  }
  BackedUp backup;
  backup.directory = target;
  backup.has_database = scope == Scope::everything;
  const Moving moving = copies == Copies::own ? Moving::copy : Moving::rename;
  TRY(move_tree(staged.path(), base::join_path(target, "blobs"), moving, house.threads, progress));
  backup.files = progress.files;
  backup.bytes = progress.bytes;
  TRY(write_proof(backup));
  return backup;
}

std::string json_of(const BackedUp& backup) {
  base::JsonWriter out;
  out.begin_object().key("directory").string(backup.directory);
  out.key("files").unsigned_integer(backup.files).key("bytes").unsigned_integer(backup.bytes);
  out.key("has_database").boolean(backup.has_database).end_object();
  return out.take();
}

Result<BackedUp> restore(const std::string& backup, const std::string& target, Progress& progress) {
  const BackedUp made = TRY(read_proof(backup));
  progress.files_all = made.files;
  progress.bytes_all = made.bytes;
  TRY(must_be_new(target));
  TRY(base::make_directories(target));
  const std::string blobs = base::join_path(backup, "blobs");
  if (base::file_exists(blobs)) {
    TRY(move_tree(blobs, base::join_path(target, "blobs"), Moving::copy, 2, progress));
  }
  if (progress.files != made.files) {
    return Error{Fault::malformed, backup + ": has " + std::to_string(progress.files) +
                                       " files, and was made with " + std::to_string(made.files)};
  }
  // The database last: a directory that was restored by half is an empty one, not a broken one.
  if (made.has_database) {
    TRY(copy_durably(base::join_path(backup, kBackupDatabase),
                     base::join_path(target, kBackupDatabase)));
    TRY(base::sync_directory(target));
  }
  return made;
}

}  // namespace upkeep
