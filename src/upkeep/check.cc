#include "upkeep/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <mutex>
#include <set>
#include <shared_mutex>

#include "base/file.h"
#include "base/json.h"
#include "base/pool.h"
#include "base/text.h"
#include "store/content_rows.h"
#include "symbols/index_file.h"
#include "upkeep/copy_files.h"
#include "upkeep/stored_files.h"

namespace upkeep {

using base::Result;
using base::Sha256;
using Kind = Problem::Kind;

namespace {

constexpr std::string_view kRepair = "`faultline admin fsck --repair`";

// Durably: it is in one of the two places at any time.
Result<void> move_file(const std::string& from, const std::string& to) {
  const std::string to_directory(base::parent_of(to));
  if (std::rename(from.c_str(), to.c_str()) == 0) return base::sync_directory(to_directory);
  if (errno != EXDEV) return base::error_from_errno(errno, "cannot move to " + to, from);
  // Copies may lie on a disk of their own (cache.path).
  if (auto copied = copy_durably(from, to); !copied.ok()) {
    static_cast<void>(base::remove_file(to));
    return copied;
  }
  TRY(base::sync_directory(to_directory));
  return base::remove_file(from);
}

// One run; its parts in the order in which they are called.
class Check {
 public:
  Check(House& house, Repair repair, Progress& progress)
      : house_(house), repairs_(repair == Repair::yes), progress_(progress) {}

  Result<Checked> run() {
    // Bytes first: a blob that is set aside here is one that rows are found to lack below.
    TRY(read_blobs());
    TRY(read_extracted());
    TRY(match_rows());
    TRY(match_keepers());
    TRY(match_stray_rows());
    TRY(read_derived());
    return std::move(checked_);
  }

 private:
  Result<void> read_blobs();
  Result<void> read_extracted();
  Result<void> match_rows();
  Result<void> match_row(const store::ContentRow& row);
  Result<void> match_keepers();
  Result<void> match_stray_rows();
  Result<void> read_derived();
  Result<void> set_aside(const BadFile& file);
  Result<void> drop_rows(const Sha256& content);
  bool is_here(const Sha256& content) const {
    return base::file_exists(house_.blobs.place_of(content)) && !damaged_.contains(content);
  }
  std::string place_of(const std::string& path) const {
    return path.starts_with(house_.data + "/") ? path.substr(house_.data.size() + 1) : path;
  }
  Problem& add(Kind kind, std::string subject, std::string what, std::string todo) {
    checked_.problems.push_back({kind, std::move(subject), std::move(what), std::move(todo)});
    return checked_.problems.back();
  }

  House& house_;
  const bool repairs_;
  Progress& progress_;
  Checked checked_;
  std::set<Sha256> damaged_;  // they count as gone
};

// To quarantine/, under its name; a second of that name gets a number.
Result<void> Check::set_aside(const BadFile& file) {
  const std::string directory = base::join_path(house_.data, "quarantine");
  TRY(base::make_directories(directory));
  const std::string name(base::basename_of(file.path));
  std::string target = base::join_path(directory, name);
  for (int i = 2; base::file_exists(target); ++i) {
    target = base::join_path(directory, fmt::format("{}.{}", name, i));
  }
  TRY(move_file(file.path, target));
  return base::sync_directory(std::string(base::parent_of(file.path)));
}

Result<void> Check::read_blobs() {
  const StoredFiles found =
      TRY(read_stored_files(base::join_path(house_.data, "blobs"), house_.threads, progress_));
  checked_.blobs = found.count;
  checked_.blob_bytes = found.bytes;
  for (const BadFile& file : found.bad) {
    // Alone: nobody puts the same content anew while it is judged and moved.
    const std::unique_lock alone(house_.blobs.in_use());
    if (mark_of(file.path) != std::optional(file.mark)) continue;
    Problem& problem = add(file.named ? Kind::damaged : Kind::stray, place_of(file.path), file.what,
                           fmt::format("{} moves it to quarantine/{}", kRepair,
                                       file.named ? "; then bring the file again" : ""));
    if (file.named) damaged_.insert(*file.named);
    if (!repairs_) continue;
    TRY(set_aside(file));
    problem.repaired = true;
  }
  if (repairs_) damaged_.clear();  // they are gone indeed
  return {};
}

// Copies: what is broken is made again from where it lies.
Result<void> Check::read_extracted() {
  const StoredFiles found =
      TRY(read_stored_files(base::join_path(house_.data, "extracted"), house_.threads, progress_));
  checked_.extracted = found.count;
  for (const BadFile& file : found.bad) {
    const std::unique_lock alone(house_.blobs.in_use());
    if (mark_of(file.path) != std::optional(file.mark)) continue;
    Problem& problem = add(Kind::extracted, place_of(file.path), file.what,
                           fmt::format("{} moves it to quarantine/; it is made again when "
                                       "somebody asks",
                                       kRepair));
    if (!repairs_) continue;
    TRY(set_aside(file));
    problem.repaired = true;
  }
  return {};
}

Result<void> Check::match_rows() {
  std::vector<store::ContentRow> suspects;
  TRY(store::list_contents(house_.database, [&](const store::ContentRow& row) {
    ++checked_.files;
    const auto mark = mark_of(house_.blobs.place_of(row.sha256));
    const bool good = mark && mark->size == row.size && !damaged_.contains(row.sha256);
    if (!good && (mark || !row.comes_again)) suspects.push_back(row);
  }));
  for (const store::ContentRow& row : suspects) {
    TRY(go_on(progress_));
    TRY(match_row(row));
  }
  return {};
}

Result<void> Check::match_row(const store::ContentRow& suspect) {
  const std::unique_lock alone(house_.blobs.in_use());
  std::optional<store::ContentRow> row;
  TRY(house_.database.read([&](db::Session& session) -> Result<void> {
    row = TRY(store::find_content(session, suspect.sha256));
    return {};
  }));
  if (!row) return {};
  const std::string hex = row->sha256.hex();
  if (!is_here(row->sha256)) {
    if (row->comes_again) return {};
    Problem& problem = add(
        Kind::lost, hex,
        fmt::format("the bytes of {} ({}) are gone", row->name, base::human_size(row->size)),
        fmt::format("{} forgets it, so that nobody is promised it; then bring it again", kRepair));
    if (!repairs_) return {};
    TRY(drop_rows(row->sha256));
    problem.repaired = true;
    return {};
  }
  const auto mark = mark_of(house_.blobs.place_of(row->sha256));
  if (!mark || mark->size == row->size) return {};
  Problem& problem =
      add(Kind::size, hex,
          fmt::format("{} has {} bytes, and its row says {}", row->name, mark->size, row->size),
          fmt::format("{} writes down what it has", kRepair));
  if (!repairs_) return {};
  TRY(house_.database.write([&](db::Session& session) -> Result<void> {
    TRY(session.execute("UPDATE symbol_file SET size = ? WHERE id = ?",
                        {static_cast<std::int64_t>(mark->size), row->id}));
    return {};
  }));
  problem.repaired = true;
  return {};
}

Result<void> Check::drop_rows(const Sha256& content) {
  std::vector<std::string> ids;
  TRY(house_.database.write([&](db::Session& session) -> Result<void> {
    ids.clear();
    TRY(store::drop_content(session, content, ids));
    return {};
  }));
  house_.catalog.announce_removed(ids);
  return {};
}

Result<void> Check::match_keepers() {
  for (const Keeper& keeper : house_.keepers) {
    std::set<Sha256> gone;
    TRY(keeper.list([&](const Sha256& content) {
      if (!is_here(content)) gone.insert(content);
    }));
    if (gone.empty()) continue;
    const std::unique_lock alone(house_.blobs.in_use());
    std::set<Sha256> still_named;
    TRY(keeper.list([&](const Sha256& content) {
      if (gone.contains(content) && !is_here(content)) still_named.insert(content);
    }));
    for (const Sha256& content : still_named) {
      Problem& problem = add(Kind::lost, content.hex(), "the bytes of " + keeper.what + " are gone",
                             keeper.advice);
      if (!repairs_ || !keeper.drop) continue;
      TRY(keeper.drop(content));
      problem.repaired = true;
    }
  }
  return {};
}

Result<void> Check::match_stray_rows() {
  std::uint64_t count = 0;
  TRY(house_.database.read([&](db::Session& session) -> Result<void> {
    count = TRY(store::count_stray_rows(session));
    return {};
  }));
  if (count == 0) return {};
  Problem& problem =
      add(Kind::rows, "the catalogue", fmt::format("{} rows name a file that has no row", count),
          fmt::format("{} takes them away", kRepair));
  if (!repairs_) return {};
  TRY(house_.database.write(
      [](db::Session& session) -> Result<void> { return store::drop_stray_rows(session); }));
  problem.repaired = true;
  return {};
}

Result<void> check_index(const std::string& path) {
  auto file = TRY(base::MappedFile::open(path));
  const auto index = TRY(symbols::IndexFile::open(std::move(file)));
  if (index->touch_everything()) return {};
  return base::Error{base::Fault::malformed, "a page does not have the checksum written with it"};
}

// Symbol indexes have checksums; what else is derived has none.
Result<void> Check::read_derived() {
  const std::string directory = base::join_path(house_.data, "index");
  if (!base::file_exists(directory)) return {};
  const std::vector<std::string> paths = TRY(base::list_files(directory));
  checked_.derived = paths.size();
  progress_.files_all += paths.size();
  std::mutex mutex;
  Result<void> removal;
  base::parallel_for(paths.size(), house_.threads, [&](std::size_t i) {
    ++progress_.files;
    if (progress_.stop || !paths[i].ends_with(".idx")) return;
    const auto good = check_index(paths[i]);
    if (good.ok() || good.error().fault == base::Fault::not_found) return;
    const std::lock_guard lock(mutex);
    Problem& problem =
        add(Kind::derived, place_of(paths[i]), "it is damaged: " + good.error().what,
            fmt::format("{} removes it; it is made again when somebody asks", kRepair));
    if (!repairs_) return;
    if (auto removed = base::remove_file(paths[i]); !removed.ok()) {
      removal = std::move(removed);
    } else {
      problem.repaired = true;
    }
  });
  TRY(go_on(progress_));
  return removal;
}

}  // namespace

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::damaged:
      return "damaged";
    case Kind::lost:
      return "lost";
    case Kind::stray:
      return "stray";
    case Kind::size:
      return "size";
    case Kind::rows:
      return "rows";
    case Kind::derived:
      return "derived";
    case Kind::extracted:
      return "extracted";
  }
  return "";
}

std::uint64_t Checked::unrepaired() const {
  return static_cast<std::uint64_t>(std::count_if(
      problems.begin(), problems.end(), [](const Problem& problem) { return !problem.repaired; }));
}

Result<Checked> check_data(House& house, Repair repair, Progress& progress) {
  return Check(house, repair, progress).run();
}

std::string json_of(const Checked& checked) {
  base::JsonWriter out;
  out.begin_object().key("blobs").unsigned_integer(checked.blobs);
  out.key("blob_bytes").unsigned_integer(checked.blob_bytes);
  out.key("files").unsigned_integer(checked.files);
  out.key("derived").unsigned_integer(checked.derived);
  out.key("extracted").unsigned_integer(checked.extracted);
  out.key("unrepaired").unsigned_integer(checked.unrepaired());
  out.key("problems").begin_array();
  for (const Problem& problem : checked.problems) {
    out.begin_object().key("kind").string(name_of(problem.kind));
    out.key("subject").string(problem.subject).key("what").string(problem.what);
    out.key("todo").string(problem.todo).key("repaired").boolean(problem.repaired).end_object();
  }
  out.end_array().end_object();
  return out.take();
}

}  // namespace upkeep
