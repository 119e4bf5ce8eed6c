#include "ingest/scan.h"

#include <fts.h>
#include <regex.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <optional>

#include "base/child.h"
#include "base/log.h"
#include "base/text.h"
#include "ingest/copy_file.h"
#include "ingest/ingest.h"

namespace ingest {

using base::Error;
using base::Fault;
using base::Result;
using base::Sha256;
using store::Container;
using store::NewContainer;

// The operator's expressions, as debuginfod takes them: POSIX extended, not anchored.
class Scan::Patterns {
 public:
  static Result<std::unique_ptr<Patterns>> compile(const std::string& include,
                                                   const std::string& exclude) {
    auto patterns = std::make_unique<Patterns>();
    for (const auto& [text, slot] :
         {std::pair(&include, &patterns->include_), std::pair(&exclude, &patterns->exclude_)}) {
      if (text->empty()) continue;
      slot->emplace();
      if (::regcomp(&**slot, text->c_str(), REG_EXTENDED | REG_NOSUB) != 0) {
        slot->reset();
        return Error{Fault::malformed, "\"" + *text + "\" is no regular expression"};
      }
    }
    return patterns;
  }
  Patterns() = default;
  Patterns(const Patterns&) = delete;
  Patterns& operator=(const Patterns&) = delete;
  ~Patterns() {
    if (include_) ::regfree(&*include_);
    if (exclude_) ::regfree(&*exclude_);
  }

  bool wants(const std::string& path) const {
    const auto matches = [&](const regex_t& regex) {
      return ::regexec(&regex, path.c_str(), 0, nullptr, 0) == 0;
    };
    return (!include_ || matches(*include_)) && (!exclude_ || !matches(*exclude_));
  }

 private:
  std::optional<regex_t> include_, exclude_;
};

namespace {

constexpr std::size_t kFilesTogether = 64;  // whose rows are committed at once
constexpr std::size_t kHeadSize = 4096;

bool is_package(Container::Kind kind) { return kind == Container::Kind::package; }

bool is_debug_file(const std::string& path) {
  const auto head = head_of_file(path, kHeadSize);
  return head.ok() && may_be_debug_file(*head);
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

std::string real_path(const std::string& path) {
  char resolved[PATH_MAX];
  return ::realpath(path.c_str(), resolved) == nullptr ? path : std::string(resolved);
}

}  // namespace

std::map<std::string, std::string> usual_packages() {
  std::map<std::string, std::string> all;
  for (const char* extension :
       {".deb", ".ddeb", ".rpm", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz",
        ".tar.zst", ".tzst", ".tar.lz4", ".tar.lzma", ".zip", ".7z", ".cpio"}) {
    all.emplace(extension, "");
  }
  return all;
}

Scan::Scan(store::Blobs& blobs, store::Containers& containers, ExtractedFiles& extracted,
           ScanOptions options, std::string program)
    : blobs_(blobs),
      containers_(containers),
      extracted_(extracted),
      options_(std::move(options)),
      unpack_(unpack_in_child(std::move(program), {}, stop_)),
      bringers_(std::make_unique<base::WorkerPool>(2)) {}

Scan::~Scan() { stop(); }

Result<void> Scan::start() {
  patterns_ = TRY(Patterns::compile(options_.include, options_.exclude));
  thread_ = std::thread([this] { run(); });
  return {};
}

void Scan::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  bringers_.reset();
}

void Scan::scan_now() {
  {
    const std::lock_guard lock(mutex_);
    scan_asked_ = true;
  }
  wake_.notify_all();
}

void Scan::groom_now() {
  {
    const std::lock_guard lock(mutex_);
    groom_asked_ = true;
  }
  wake_.notify_all();
}

void Scan::run() {
  using Clock = std::chrono::steady_clock;
  bool scan = true;
  Clock::time_point last_groom = Clock::now();
  while (!stop_) {
    const Result<void> done = scan ? pass() : groom();
    if (!done.ok()) base::log::error("scan: {}", done.error().what);
    if (scan) ++passes_;
    if (!scan) last_groom = Clock::now();
    const auto next_scan = Clock::now() + std::chrono::seconds(options_.rescan_seconds);
    const auto next_groom = last_groom + std::chrono::seconds(options_.groom_seconds);
    std::unique_lock lock(mutex_);
    const auto asked = [this] { return stop_ || scan_asked_ || groom_asked_; };
    while (!asked()) {
      auto until = Clock::time_point::max();
      if (options_.rescan_seconds != 0) until = std::min(until, next_scan);
      if (options_.groom_seconds != 0) until = std::min(until, next_groom);
      if (until == Clock::time_point::max()) {
        wake_.wait(lock, asked);
      } else if (!wake_.wait_until(lock, until, asked)) {
        (options_.rescan_seconds != 0 && Clock::now() >= next_scan ? scan_asked_ : groom_asked_) =
            true;
      }
    }
    scan = scan_asked_;
    (scan ? scan_asked_ : groom_asked_) = false;
  }
}

// Walks, takes out what is gone, reads what is new: in this order, so that a file that was moved
// is not there twice for longer than it takes.
Result<void> Scan::pass() {
  const std::map<std::string, Container> known = TRY(containers_.list());
  const Walk found = walk();
  if (stop_) return {};
  if (options_.groom_seconds == 0) take_out(known, found);
  std::vector<Wanted> fresh;
  for (const auto& [path, wanted] : found.files) {
    const auto before = known.find(path);
    if (before == known.end() || before->second.stamp != wanted.stamp) fresh.push_back(wanted);
  }
  if (!fresh.empty()) base::log::info("scan: {} files and packages to read", fresh.size());
  read_all(fresh);
  if (!fresh.empty()) {
    base::log::info("scan: {} files and {} packages read, {} failed", files_.load(),
                    packages_.load(), failed_.load());
  }
  return {};
}

Result<void> Scan::groom() {
  const std::map<std::string, Container> known = TRY(containers_.list());
  take_out(known, walk());
  return {};
}

Scan::Walk Scan::walk() const {
  Walk walk;
  for (const std::string& root : options_.paths) {
    std::string path = real_path(root);
    char* const roots[] = {path.data(), nullptr};
    const int mode = options_.follow_links ? FTS_LOGICAL : FTS_PHYSICAL | FTS_XDEV;
    FTS* const tree = ::fts_open(roots, mode | FTS_NOCHDIR, nullptr);
    if (tree == nullptr) {
      walk.unread.push_back(path);
      continue;
    }
    while (FTSENT* entry = ::fts_read(tree)) {
      if (stop_) break;
      if (entry->fts_info == FTS_F) consider(entry->fts_path, walk);
      if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS) {
        base::log::warning("scan: {} cannot be read", entry->fts_path);
        walk.unread.emplace_back(entry->fts_path);
      }
    }
    ::fts_close(tree);
  }
  return walk;
}

std::string Scan::command_of(const std::string& path) const {
  std::string command;
  std::size_t longest = 0;
  for (const auto& [extension, one] : options_.packages) {
    if (!path.ends_with(extension) || extension.size() < longest) continue;
    longest = extension.size();
    command = one;
  }
  return command;
}

void Scan::consider(const std::string& given, Walk& walk) const {
  const std::string path = options_.follow_links ? real_path(given) : given;
  if (!base::is_utf8(path) || (patterns_ && !patterns_->wants(path))) return;
  Wanted wanted;
  wanted.path = path;
  const bool package = std::any_of(options_.packages.begin(), options_.packages.end(),
                                   [&](const auto& one) { return path.ends_with(one.first); });
  if (!package && !options_.files) return;
  wanted.kind = package ? Container::Kind::package : Container::Kind::file;
  wanted.command = package ? command_of(path) : "";
  const auto stamp = store::stamp_of(path);
  if (!stamp.ok()) return;
  wanted.stamp = *stamp;
  walk.files.emplace(path, std::move(wanted));
}

void Scan::forget_contents(const std::vector<Sha256>& contents) {
  for (const Sha256& content : contents) extracted_.remove(content);
}

void Scan::take_out(const std::map<std::string, Container>& known, const Walk& walk) {
  if (stop_) return;
  std::vector<std::int64_t> gone;
  for (const auto& [path, container] : known) {
    if (walk.files.contains(path)) continue;
    // A directory that cannot be read now (a network disk) says nothing of what is in it.
    const bool unread =
        std::any_of(walk.unread.begin(), walk.unread.end(),
                    [&](const std::string& root) { return path.starts_with(root); });
    if (unread) continue;
    if (!options_.drop_excluded && store::stamp_of(path).ok()) continue;
    gone.push_back(container.id);
  }
  if (gone.empty()) return;
  const auto contents = containers_.remove(gone);
  if (!contents.ok()) {
    base::log::error("scan: {} removed files stay in the catalogue: {}", gone.size(),
                     contents.error().what);
    return;
  }
  forget_contents(*contents);
  removed_ += gone.size();
  base::log::info("scan: {} files and packages are gone", gone.size());
}

// Packages one by one, since each may be large; files in groups, since each may be small.
void Scan::read_all(const std::vector<Wanted>& wanted) {
  std::vector<Wanted> files;
  std::vector<const Wanted*> packages;
  for (const Wanted& one : wanted) {
    if (is_package(one.kind)) {
      packages.push_back(&one);
    } else {
      files.push_back(one);
    }
  }
  const std::size_t groups = (files.size() + kFilesTogether - 1) / kFilesTogether;
  base::parallel_for(packages.size() + groups, options_.threads, [&](std::size_t i) {
    if (stop_) return;
    if (i < groups) {
      const std::size_t first = i * kFilesTogether;
      read_files(files.data() + first, std::min(kFilesTogether, files.size() - first));
      return;
    }
    const Wanted& package = *packages[i - groups];
    Result<NewContainer> read = read_package(package);
    if (read.ok()) {
      commit({std::move(*read)});
      ++packages_;
    } else {
      ++failed_;
      base::log::warning("scan: {}: {}", package.path, read.error().what);
    }
  });
}

void Scan::read_files(const Wanted* first, std::size_t count) {
  std::vector<NewContainer> read;
  for (const Wanted* wanted = first; wanted != first + count && !stop_; ++wanted) {
    Result<NewContainer> one = read_file(*wanted);
    if (one.ok()) {
      read.push_back(std::move(*one));
      ++files_;
    } else {
      ++failed_;
      base::log::warning("scan: {}: {}", wanted->path, one.error().what);
    }
  }
  if (!read.empty()) commit(read);
}

void Scan::commit(const std::vector<NewContainer>& read) {
  const auto contents = containers_.commit(read);
  if (contents.ok()) {
    forget_contents(*contents);
  } else {
    base::log::error("scan: {}", contents.error().what);
  }
}

// A file that is no debug file gets a row as well: it is not looked at again until it changes.
Result<NewContainer> Scan::read_file(const Wanted& wanted) {
  NewContainer read;
  read.container.path = wanted.path;
  read.container.kind = wanted.kind;
  read.container.stamp = wanted.stamp;
  if (!is_debug_file(wanted.path)) return read;
  base::PendingFile copy = TRY(copy_file(wanted.path, extracted_.tmp()));
  const store::FileStamp after = TRY(store::stamp_of(wanted.path));
  if (after != wanted.stamp) {
    return Error{Fault::unavailable, "it changes while we read it; the next pass reads it again"};
  }
  const std::string name(base::basename_of(wanted.path));
  Identified identified = TRY(identify_copy(copy.path(), name));
  if (!identified.wanted) return read;
  const Sha256 content = identified.file.file.sha256;
  if (!blobs_.has(content)) {
    const auto taken = extracted_.take(copy.path(), content, ExtractedFiles::Why::kAhead);
    if (!taken.ok() && taken.error().fault != Fault::too_large) return taken.error();
  }
  identified.file.path = wanted.path;
  read.members.push_back({std::move(identified.file), "", 0});
  return read;
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
    Identified identified = TRY(identify_copy(path, std::string(base::basename_of(member.name))));
    if (!identified.wanted) continue;
    const Sha256 content = identified.file.file.sha256;
    if (!blobs_.has(content)) {
      const auto taken = extracted_.take(path, content, ExtractedFiles::Why::kAhead);
      if (!taken.ok() && taken.error().fault != Fault::too_large) return taken.error();
    }
    identified.file.path = member.name;
    read.members.push_back({std::move(identified.file), member.name, member.ordinal});
  }
  if (unpacked->sources.empty()) return read;
  const std::string pack = base::join_path(job.directory, kPackName);
  read.container.pack = TRY(store::sha256_of_file(pack));
  const auto taken = extracted_.take(pack, *read.container.pack, ExtractedFiles::Why::kAhead);
  if (!taken.ok() && taken.error().fault != Fault::too_large) return taken.error();
  read.sources = std::move(unpacked->sources);
  return read;
}

void Scan::bring(std::vector<Sha256> contents, std::function<void()> done) {
  bringers_->post([this, contents = std::move(contents), done = std::move(done)] {
    for (const Sha256& content : contents) {
      const Result<void> brought = bring_one(content);
      if (!brought.ok()) base::log::warning("extracting: {}", brought.error().what);
    }
    done();
  });
}

Result<void> Scan::bring_one(const Sha256& content) {
  if (blobs_.has(content) || extracted_.has(content)) return {};
  const std::vector<store::Origin> origins = TRY(containers_.origins_of(content));
  Error last{Fault::not_found, content.hex() + ": lies nowhere any more"};
  for (const store::Origin& origin : origins) {
    if (stop_) return Error{Fault::unavailable, "the server stops"};
    const auto stamp = store::stamp_of(origin.container.path);
    if (origin.container.kind != Container::Kind::upload &&
        (!stamp.ok() || *stamp != origin.container.stamp)) {
      // It is gone, or it is another file now, which the next pass reads.
      const std::vector<Sha256> gone = TRY(containers_.remove({origin.container.id}));
      forget_contents(gone);
      ++removed_;
      if (stamp.ok()) scan_now();
      continue;
    }
    const Result<void> brought = bring_from(origin, content);
    if (brought.ok()) {
      ++brought_;
      return {};
    }
    last = brought.error();
  }
  return last;
}

Result<void> Scan::bring_from(const store::Origin& origin, const Sha256& content) {
  const auto take = [&](const std::string& path) -> Result<void> {
    const Sha256 hash = TRY(store::sha256_of_file(path));
    if (hash != content) return Error{Fault::internal, origin.container.path + ": other bytes"};
    return extracted_.take(path, content, ExtractedFiles::Why::kAsked);
  };
  if (!is_package(origin.container.kind)) {
    const base::PendingFile copy = TRY(copy_file(origin.container.path, extracted_.tmp()));
    return take(copy.path());
  }
  Wanted wanted;
  wanted.path = origin.container.path;
  wanted.command = command_of(wanted.path);
  UnpackJob job;
  const base::TemporaryDirectory directory = TRY(open_package(wanted, job));
  job.only = origin.ordinal;
  const Unpacked unpacked = TRY(unpack_(job));
  if (unpacked.members.empty()) {
    return Error{Fault::not_found, wanted.path + ": has no such member any more"};
  }
  return take(base::join_path(job.directory, unpacked.members.front().file));
}

Result<std::string> Scan::path_of_pack(const Container& container) {
  if (!container.pack) return Error{Fault::not_found, container.path + ": has no sources"};
  if (blobs_.has(*container.pack)) return blobs_.path_of(*container.pack);
  if (extracted_.has(*container.pack)) return extracted_.path_of(*container.pack);
  const store::FileStamp stamp = TRY(store::stamp_of(container.path));
  if (stamp != container.stamp) {
    return Error{Fault::not_found, container.path + ": is another file now"};
  }
  Wanted wanted;
  wanted.path = container.path;
  wanted.command = command_of(wanted.path);
  UnpackJob job;
  const base::TemporaryDirectory directory = TRY(open_package(wanted, job));
  TRY(unpack_(job));
  const std::string pack = base::join_path(job.directory, kPackName);
  const Sha256 hash = TRY(store::sha256_of_file(pack));
  if (hash != *container.pack) return Error{Fault::internal, container.path + ": other sources"};
  TRY(extracted_.take(pack, hash, ExtractedFiles::Why::kAsked));
  return extracted_.path_of(hash);
}

Scan::Counts Scan::counts() const {
  return {passes_, files_, packages_, failed_, removed_, brought_};
}

}  // namespace ingest
