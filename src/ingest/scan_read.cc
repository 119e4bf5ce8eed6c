// Scan's reading of what is new: files in groups, packages one by one, each into rows.
#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "base/child.h"
#include "base/log.h"
#include "base/lost_pages.h"
#include "base/text.h"
#include "ident/pointer_place.h"
#include "ingest/copy_file.h"
#include "ingest/debian_source.h"
#include "ingest/ingest.h"
#include "ingest/packed_files.h"
#include "ingest/scan.h"

namespace ingest {

using base::Error;
using base::Fault;
using base::Result;
using base::Sha256;
using store::Container;
using store::NewContainer;

namespace {

constexpr std::size_t kFilesTogether = 64;  // whose rows are committed at once
constexpr std::size_t kHeadSize = 4096;
constexpr std::uint64_t kPointerSizeMax = 64 * 1024;  // of a symbol store's file.ptr

bool is_debug_file(const std::string& path) {
  const auto head = base::read_head(path, kHeadSize);
  return head.ok() && may_be_debug_file(*head);
}

bool is_packed_debug_file(const std::string& path) {
  if (!path.ends_with('_') && !is_compressed_name(path)) return false;
  const auto head = base::read_head(path, kPackedHeadSize);
  return head.ok() && may_hold_debug_file(*head, base::basename_of(path));
}

// A file that we want: it has a key of its own, and is no object file of a static library.
bool is_wanted(base::Bytes bytes, const store::NewFile& described) {
  if (described.keys.empty()) return false;
  if (described.file.format != "elf" || !described.file.code_id.empty()) return true;
  constexpr std::uint8_t kRelocatable = 1;  // e_type, of either byte order
  const auto type = base::find_slice(bytes, 16, 2);
  return type && type->front() != kRelocatable && type->back() != kRelocatable;
}

struct Identified {
  store::NewFile file;
  bool wanted = false;
};

Result<Identified> identify_copy(const std::string& path, const std::string& name) {
  const auto mapped = TRY(base::MappedFile::open(path));
  Identified identified;
  identified.file = describe(mapped->bytes(), std::nullopt, name);
  identified.wanted = is_wanted(mapped->bytes(), identified.file);
  identified.file.convert_ahead = false;
  if (identified.wanted) identified.file.file.sha256 = base::sha256_of(mapped->bytes());
  return identified;
}

}  // namespace

// Packages one by one, since each may be large; files in groups, since each may be small.
void Scan::read_all(const std::vector<Wanted>& wanted) {
  std::vector<Wanted> files;
  std::vector<const Wanted*> packages;
  for (const Wanted& one : wanted) {
    if (one.kind == Container::Kind::package) {
      packages.push_back(&one);
    } else {
      files.push_back(one);
    }
  }
  const std::size_t groups = (files.size() + kFilesTogether - 1) / kFilesTogether;
  to_read_ = wanted.size();
  base::parallel_for(packages.size() + groups, options_.threads, [&](std::size_t i) {
    if (stop_) return;
    ++reading_;
    if (i < groups) {
      const std::size_t first = i * kFilesTogether;
      read_files(files.data() + first, std::min(kFilesTogether, files.size() - first));
    } else {
      --to_read_;
      read_and_commit(*packages[i - groups]);
    }
    --reading_;
  });
  to_read_ = 0;
}

void Scan::read_and_commit(const Wanted& package) {
  if (options_.may_extract && !options_.may_extract()) {
    ++failed_;
    base::log::warning("scan: {} is not unpacked: the disk is nearly full", package.path);
    return;
  }
  Result<NewContainer> read = read_package(package);
  if (read.ok()) {
    of_packages_.add(*read);
    commit({std::move(*read)});
    ++packages_;
  } else {
    ++failed_;
    base::log::warning("scan: {}: {}", package.path, read.error().what);
  }
}

void Scan::read_files(const Wanted* first, std::size_t count) {
  std::vector<NewContainer> read;
  for (const Wanted* wanted = first; wanted != first + count && !stop_; ++wanted) {
    --to_read_;
    Result<NewContainer> one = read_file(*wanted);
    if (one.ok()) {
      of_files_.add(*one);
      read.push_back(std::move(*one));
      ++files_;
    } else {
      ++failed_;
      base::log::warning("scan: {}: {}", wanted->path, one.error().what);
    }
  }
  if (!read.empty()) commit(read);
}

void Scan::Tally::add(const NewContainer& read) {
  bytes += read.container.stamp.size;
  for (const store::ContainerMember& member : read.members) {
    executables += member.file.file.has_code ? 1 : 0;
    debuginfo += member.file.file.has_debug ? 1 : 0;
  }
  sources += read.sources.size();
}

void Scan::commit(const std::vector<NewContainer>& read) {
  const auto contents = containers_.commit(read);
  if (contents.ok()) {
    forget_contents(*contents);
  } else {
    base::log::error("scan: {}", contents.error().what);
  }
}

// A symbol store's file.ptr is for the key of the directory that it lies in. Nobody reads what it
// says before somebody asks for that key: supply has it followed. A link is no pointer: it is
// opened as what it is.
Result<NewContainer> Scan::read_pointer(const Wanted& wanted, const ident::StorePath& place) {
  NewContainer read;
  read.container.path = wanted.path;
  read.container.kind = wanted.kind;
  read.container.stamp = wanted.stamp;
  if (wanted.stamp.size > kPointerSizeMax) {
    read.container.problem = "larger than a pointer can be";
    base::log::warning("scan: {} is {}", wanted.path, read.container.problem);
    return read;
  }
  const base::Fd from(::open(wanted.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  if (!from.valid()) return base::error_from_errno(errno, "cannot open", wanted.path);
  const std::string text =
      TRY(base::read_file("/proc/self/fd/" + std::to_string(from.get()), kPointerSizeMax));
  base::PendingFile copy = TRY(base::PendingFile::create(extracted_.tmp()));
  TRY(copy.append(base::bytes_of(text)));
  const store::FileStamp after = TRY(store::stamp_of(wanted.path));
  if (after != wanted.stamp) {
    return Error{Fault::unavailable, "it changes while we read it; the next pass reads it again"};
  }
  store::NewFile file = describe(base::bytes_of(text), place, place.file);
  file.convert_ahead = false;
  file.file.sha256 = base::sha256_of(base::bytes_of(text));
  if (!blobs_.has(file.file.sha256)) {
    const auto taken = extracted_.take(copy.path(), file.file.sha256, ExtractedFiles::Why::kAhead);
    if (!taken.ok() && !is_left_out(taken.error())) return taken.error();
  }
  file.path = wanted.path;
  read.members.push_back({std::move(file), "", 0});
  return read;
}

bool Scan::may_copy(std::uint64_t size) const {
  const bool may_extract = !options_.may_extract || options_.may_extract();
  return may_extract && extracted_.check_room_ahead(size).ok();
}

// A file that is no debug file gets a row as well: it is not looked at again until it changes.
Result<NewContainer> Scan::read_file(const Wanted& wanted) {
  if (const auto place = ident::find_pointer_place(wanted.path)) {
    return read_pointer(wanted, *place);
  }
  NewContainer read;
  read.container.path = wanted.path;
  read.container.kind = wanted.kind;
  read.container.stamp = wanted.stamp;
  if (!is_debug_file(wanted.path)) {
    return is_packed_debug_file(wanted.path) ? read_packed_file(wanted) : read;
  }
  // A copy that would not be kept is none: on a disk that is nearly full it would take the room of
  // uploads. What the file is, is then read where it lies.
  std::optional<base::PendingFile> copy;
  if (may_copy(wanted.stamp.size)) copy = TRY(copy_file(wanted.path, extracted_.tmp()));
  const std::string name(base::basename_of(wanted.path));
  const std::uint64_t lost_before = base::lost_pages();
  Identified identified = TRY(identify_copy(copy ? copy->path() : wanted.path, name));
  const store::FileStamp after = TRY(store::stamp_of(wanted.path));
  if (after != wanted.stamp || base::lost_pages() != lost_before) {
    return Error{Fault::unavailable, "it changes while we read it; the next pass reads it again"};
  }
  if (!identified.wanted) return read;
  const Sha256 content = identified.file.file.sha256;
  if (copy && !blobs_.has(content)) {
    const auto taken = extracted_.take(copy->path(), content, ExtractedFiles::Why::kAhead);
    if (!taken.ok() && !is_left_out(taken.error())) return taken.error();
  }
  identified.file.path = wanted.path;
  read.members.push_back({std::move(identified.file), "", 0});
  return read;
}

// A compressed debug file, or one file of a compressed symbol store: a package of one member.
Result<NewContainer> Scan::read_packed_file(const Wanted& wanted) {
  if (options_.may_extract && !options_.may_extract()) {
    return Error{Fault::unavailable, "it is not unpacked: the disk is nearly full"};
  }
  Wanted package = wanted;
  package.kind = Container::Kind::package;
  return read_package(package);
}

// The package as it lies there, or what its command makes of it.
Result<base::TemporaryDirectory> Scan::open_package(const Wanted& wanted, UnpackJob& job) {
  base::TemporaryDirectory directory =
      TRY(base::TemporaryDirectory::create_in(extracted_.tmp(), "unpack"));
  job.directory = directory.path();
  job.archive = wanted.path;
  job.disk_free_min = options_.disk_free_min;
  if (wanted.command.empty() || wanted.command == "cat") return directory;
  job.archive = base::join_path(directory.path(), "archive");
  base::ChildLimits limits;
  limits.stop = &stop_;
  // As debuginfod does: the file's name, quoted by the shell, after the command.
  const base::ChildEnd end = TRY(base::run_child(
      "/bin/sh", {"sh", "-c", wanted.command + " \"$0\" > \"$1\"", wanted.path, job.archive},
      limits));
  if (!end.ok()) return Error{Fault::malformed, wanted.command + ": " + end.describe()};
  return directory;
}

Result<NewContainer> Scan::read_package(const Wanted& wanted) {
  NewContainer read;
  read.container.path = wanted.path;
  read.container.kind = wanted.kind;
  read.container.stamp = wanted.stamp;
  UnpackJob job;
  const base::TemporaryDirectory directory = TRY(open_package(wanted, job));
  Result<Unpacked> unpacked = unpack_(job);
  if (!unpacked.ok()) {
    if (unpacked.error().fault == Fault::unavailable) return unpacked.error();
    base::log::warning("scan: {}: {}", wanted.path, unpacked.error().what);
    read.container.problem = base::to_valid_utf8(unpacked.error().what);
    return read;
  }
  const store::FileStamp after = TRY(store::stamp_of(wanted.path));
  if (after != wanted.stamp) {
    return Error{Fault::unavailable, "it changes while we read it; the next pass reads it again"};
  }
  read.container.problem = base::to_valid_utf8(unpacked->problem);
  if (!read.container.problem.empty()) {
    base::log::warning("scan: {}: {}", wanted.path, read.container.problem);
  }
  for (const UnpackedMember& member : unpacked->members) {
    const std::string path = base::join_path(job.directory, member.file);
    const std::string name = name_in_packed(wanted.path, member.name);
    Identified identified = TRY(identify_copy(path, name));
    if (!identified.wanted) continue;
    const Sha256 content = identified.file.file.sha256;
    if (!blobs_.has(content)) {
      const auto taken = extracted_.take(path, content, ExtractedFiles::Why::kAhead);
      if (!taken.ok() && !is_left_out(taken.error())) return taken.error();
    }
    const std::string called = member.name.empty() ? "/" + name : member.name;
    identified.file.path = called;
    read.members.push_back({std::move(identified.file), called, member.ordinal});
  }
  if (unpacked->sources.empty()) return read;
  const std::string pack = base::join_path(job.directory, kPackName);
  read.container.pack = TRY(store::sha256_of_file(pack));
  const auto taken = extracted_.take(pack, *read.container.pack, ExtractedFiles::Why::kAhead);
  if (!taken.ok() && !is_left_out(taken.error())) return taken.error();
  read.sources = std::move(unpacked->sources);
  rename_debian_sources(wanted.path, unpacked->root, read.sources);
  return read;
}

}  // namespace ingest
