#include "ingest/scan.h"

#include <algorithm>
#include <filesystem>

#include "base/log.h"

namespace ingest {

using base::Result;
using base::Sha256;
using store::Container;

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
  patterns_ = TRY(PathPatterns::compile(options_.include, options_.exclude));
  if (!options_.paths.empty() && options_.rescan_seconds != 0) {
    auto watch = DirectoryWatch::start([this] { hear_changes(); });
    if (watch.ok()) watch_ = std::move(*watch);
    if (!watch.ok()) base::log::warning("scan: {}; passes see it all", watch.error().what);
  }
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
  watch_.reset();
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

void Scan::hear_changes() {
  {
    const std::lock_guard lock(mutex_);
    change_heard_ = true;
  }
  wake_.notify_all();
}

// What was asked for, or whose time has come.
Scan::Turn Scan::wait_for_turn(Clock::time_point next_scan, Clock::time_point next_groom) {
  std::unique_lock lock(mutex_);
  const auto asked = [this] { return stop_ || scan_asked_ || groom_asked_ || change_heard_; };
  while (!asked()) {
    const auto until = std::min(next_scan, next_groom);
    if (until == Clock::time_point::max()) {
      wake_.wait(lock, asked);
    } else if (!wake_.wait_until(lock, until, asked)) {
      (Clock::now() >= next_scan ? scan_asked_ : groom_asked_) = true;
    }
  }
  if (std::exchange(scan_asked_, false)) return Turn::scan;
  if (std::exchange(groom_asked_, false)) return Turn::groom;
  return std::exchange(change_heard_, false) ? Turn::changes : Turn::groom;
}

void Scan::run() {
  const auto after = [](Clock::time_point since, unsigned seconds) {
    return seconds == 0 ? Clock::time_point::max() : since + std::chrono::seconds(seconds);
  };
  Turn turn = Turn::scan;
  Clock::time_point last_scan = Clock::now();
  Clock::time_point last_groom = last_scan;
  while (!stop_) {
    (turn == Turn::groom ? is_grooming_ : is_walking_) = true;
    const Result<void> done = turn == Turn::scan    ? pass()
                              : turn == Turn::groom ? groom()
                                                    : pass_over_changes();
    is_grooming_ = is_walking_ = false;
    if (!done.ok()) base::log::error("scan: {}", done.error().what);
    if (turn == Turn::scan) {
      ++passes_;
      last_scan = Clock::now();
    }
    if (turn == Turn::groom) last_groom = Clock::now();
    turn = wait_for_turn(after(last_scan, options_.rescan_seconds),
                         after(last_groom, options_.groom_seconds));
  }
}

// Walks, takes out what is gone, reads what is new: in this order, so that a file that was moved
// is not there twice for longer than it takes.
Result<void> Scan::pass() {
  if (watch_) watch_->take();  // this looks at everything
  const auto known = TRY(containers_.list());
  note_known(known);
  return compare(known, walk());
}

// Only at what the kernel has named.
Result<void> Scan::pass_over_changes() {
  const DirectoryWatch::Changes changes = watch_->take();
  if (changes.everything) {
    base::log::info("scan: more has changed than could be told; all is looked at");
    return pass();
  }
  std::map<std::string, Container> known;
  Walk found;
  for (const std::string& path : changes.paths) {
    auto beneath = TRY(containers_.list(path));
    known.merge(std::move(beneath));
    std::error_code failure;
    const auto type = std::filesystem::symlink_status(path, failure).type();
    if (type == std::filesystem::file_type::none) {
      found.unread.push_back(path);
    } else if (type != std::filesystem::file_type::not_found) {
      walk_from(path, found);
    }
  }
  return compare(known, found);
}

Result<void> Scan::compare(const std::map<std::string, Container>& known, const Walk& found) {
  if (stop_) return {};
  if (options_.groom_seconds == 0) take_out(known, found);
  std::vector<Wanted> fresh;
  for (const auto& [path, wanted] : found.files) {
    const auto before = known.find(path);
    if (before == known.end() || before->second.stamp != wanted.stamp) fresh.push_back(wanted);
  }
  if (fresh.empty()) return {};
  base::log::info("scan: {} files and packages to read", fresh.size());
  read_all(fresh);
  base::log::info("scan: {} files and {} packages read, {} failed", files_.load(), packages_.load(),
                  failed_.load());
  return {};
}

Result<void> Scan::groom() {
  const std::map<std::string, Container> known = TRY(containers_.list());
  note_known(known);
  take_out(known, walk());
  return {};
}

void Scan::note_known(const std::map<std::string, Container>& known) {
  std::uint64_t bytes = 0;
  for (const auto& [path, container] : known) bytes += container.stamp.size;
  known_ = known.size();
  known_bytes_ = bytes;
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
    if (walk.says_nothing_of(path)) continue;
    if (!options_.drop_excluded && store::stamp_of(path).ok()) continue;
    gone.push_back(container.id);
  }
  still_there_ += known.size() - gone.size();
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

Scan::Counts Scan::counts() const {
  Counts counts{passes_,
                files_,
                packages_,
                failed_,
                removed_,
                brought_,
                of_files_.sums(),
                of_packages_.sums(),
                extracted_.counts(),
                still_there_};
  counts.reading = reading_;
  counts.to_read = to_read_;
  counts.is_walking = is_walking_;
  counts.is_grooming = is_grooming_;
  counts.known = known_;
  counts.known_bytes = known_bytes_;
  return counts;
}

}  // namespace ingest
