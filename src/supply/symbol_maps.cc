#include "supply/symbol_maps.h"

#include <sys/stat.h>
#include <unistd.h>

#include <iterator>
#include <utility>

#include "base/file.h"
#include "base/heap_size.h"
#include "base/log.h"

namespace supply {

using base::Error;
using base::Fault;
using base::Result;
using ident::Artifact;
using State = SymbolMaps::Answer::State;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds kLookEvery{1};
// What was settled may be forgotten again before it is opened.
constexpr int kRoundsMax = 8;

// Under which Supply remembers what a module's name and id stand for.
std::string spelling_of(std::string_view name, std::string_view id, const ident::Scope& scope) {
  std::string text = scope.include_try ? "index try " : "index ";
  text.append(scope.project).append("/").append(name).append("/").append(id);
  return text;
}

bool may_be_module(std::string_view name, std::string_view id) {
  if (name.empty() || id.empty() || name.size() > ident::kMaxNameSize) return false;
  return ident::DebugId::parse(id).has_value() ||
         (ident::is_allowed_name(name) && ident::is_allowed_id(id));
}

Result<std::shared_ptr<const symbols::Map>> open_map(
    const std::string& path, bool is_damaged, const std::shared_ptr<symbols::MapMemory>& memory) {
  if (is_damaged) return Error{Fault::malformed, "a page has a wrong checksum, or the end is gone"};
  auto file = TRY(base::MappedFile::open(path));
  return symbols::Map::open(std::move(file), memory);
}

Error no_module() {
  return {Fault::not_found,
          "neither the name of a debug file and a debug id, nor of a stored file"};
}

}  // namespace

ident::SymbolRequest SymbolMaps::request_for(std::string_view name, std::string_view id,
                                             const ident::Scope& scope) {
  ident::SymbolRequest request;
  request.artifact = Artifact::index;
  request.scope = scope;
  const auto debug_id = ident::DebugId::parse(id);
  if (debug_id) request.keys.push_back(ident::SymbolKey::from_debug_id(name, *debug_id));
  if (!ident::is_allowed_name(name) || !ident::is_allowed_id(id)) return request;
  // So upstream servers are asked for the text by this name, and an id that is none names a file.
  request.asked = ident::StorePath{std::string(name), std::string(id), ident::sym_file_name(name)};
  if (!debug_id) request.keys.push_back(ident::path_key(*request.asked));
  return request;
}

Found SymbolMaps::find(std::string_view name, std::string_view id, const ident::Scope& scope) {
  const std::string spelling = spelling_of(name, id, scope);
  Found found = supply_.local_by_spelling(spelling, Needs::path);
  if (found.settled()) return found;
  const ident::SymbolRequest request = request_for(name, id, scope);
  found = supply_.local(request, Needs::path);
  if (found.settled()) supply_.add_spelling(spelling, request);
  return found;
}

SymbolMaps::Answer SymbolMaps::local(std::string_view name, std::string_view id,
                                     const ident::Scope& scope) {
  if (!may_be_module(name, id)) return {State::missing, nullptr, no_module()};
  return answer_of(find(name, id, scope));
}

SymbolMaps::Answer SymbolMaps::answer_of(const Found& found) {
  if (found.state() == Found::State::missing) return {State::missing, nullptr, found.miss()};
  if (!found.here()) return {};
  if (options_.used) options_.used(found.file()->path);
  if (Map map = find_open(found.file()->path)) return {State::open, std::move(map), {}};
  return {State::closed, nullptr, {}};
}

SymbolMaps::Answer SymbolMaps::open(std::string_view name, std::string_view id,
                                    const ident::Scope& scope) {
  Answer answer = local(name, id, scope);
  if (answer.state != State::closed) return answer;
  const Found found = find(name, id, scope);
  if (!found.here()) return {};
  return open_file(found.file()->path, request_for(name, id, scope));
}

SymbolMaps::Answer SymbolMaps::open(const ident::SymbolRequest& request) {
  const Found found = supply_.local(request, Needs::path);
  Answer answer = answer_of(found);
  if (answer.state != State::closed) return answer;
  return open_file(found.file()->path, request);
}

Result<SymbolMaps::Map> SymbolMaps::wait_for(const ident::SymbolRequest& request,
                                             Supply::Clock::time_point deadline) {
  for (int round = 0; round < kRoundsMax; ++round) {
    Answer answer = open(request);
    if (answer.state == State::open) return std::move(answer.map);
    if (answer.state == State::missing) return std::move(answer.miss);
    if (!supply_.wait_for(request, deadline).settled()) break;
  }
  return Error{Fault::timed_out, "the symbols are still being read"};
}

SymbolMaps::Answer SymbolMaps::open_file(const std::string& path,
                                         const ident::SymbolRequest& request) {
  const std::uint64_t before = removals();
  auto map = open_map(path, take_damaged(path), maps_memory_);
  if (map.ok()) return {State::open, keep(path, std::move(*map), before), {}};
  const Fault fault = map.error().fault;
  if (fault == Fault::malformed || fault == Fault::unsupported) {
    base::log::warning("{} is made again: {}", path, map.error().what);
    ::unlink(path.c_str());
  } else if (fault != Fault::not_found) {
    base::log::write(base::log::level_of(base::policy_of(fault).loudness), map.error().what);
    return {State::missing, nullptr, {fault, "the symbol index cannot be read now"}};
  }
  supply_.refresh(request);
  return {};
}

SymbolMaps::Map SymbolMaps::find_open(const std::string& path) {
  const std::lock_guard lock(mutex_);
  let_go_if_pages_were_lost();
  const auto at = by_path_.find(path);
  if (at == by_path_.end() || !is_sound(*at->second)) return nullptr;
  ++counts_.hits;
  entries_.splice(entries_.begin(), entries_, at->second);
  Map map = entries_.front().map;
  let_go();
  return map;
}

std::uint64_t SymbolMaps::removals() const {
  const std::lock_guard lock(mutex_);
  return removals_;
}

// A loop may wait for the lock, but not for the disk, where the last look at a file frees its room.
void SymbolMaps::removed(const std::string& path) {
  Map last;
  const std::lock_guard lock(mutex_);
  ++removals_;
  const auto at = by_path_.find(path);
  if (at == by_path_.end()) return;
  last = at->second->map;
  forget(at->second);
}

// Two that open one file at once: the first one's map is kept. A file that was removed meanwhile is
// looked at this once.
SymbolMaps::Map SymbolMaps::keep(const std::string& path, Map map, std::uint64_t removals) {
  const std::lock_guard lock(mutex_);
  if (removals != removals_ && !base::file_exists(path)) {
    map->lend();
    return map;
  }
  const auto at = by_path_.find(path);
  if (at != by_path_.end()) return at->second->map;
  entries_.push_front({path, map, cost_of(path, *map), Clock::now(), false});
  cost_ += entries_.front().cost;
  by_path_.emplace(entries_.front().path, entries_.begin());
  ++counts_.opened;
  ++counts_.open;
  let_go();
  return map;
}

// Of a file that was cut within its last page nothing is lost that the kernel would tell of: the
// rest of that page reads as zeros.
bool SymbolMaps::is_sound(Entry& entry) {
  if (entry.map->is_damaged() || entry.is_cut) return false;
  const auto now = Clock::now();
  if (now - entry.looked_at < kLookEvery) return true;
  entry.looked_at = now;
  struct stat info{};
  entry.is_cut = ::stat(entry.path.c_str(), &info) == 0 &&
                 static_cast<std::uint64_t>(info.st_size) != entry.map->file_size();
  return !entry.is_cut;
}

bool SymbolMaps::take_damaged(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto at = by_path_.find(path);
  if (at == by_path_.end() || is_sound(*at->second)) return false;
  forget(at->second);
  return true;
}

void SymbolMaps::let_go_if_pages_were_lost() {
  const std::uint64_t lost = base::lost_pages();
  if (std::exchange(lost_pages_, lost) == lost) return;
  while (!entries_.empty()) forget(std::prev(entries_.end()));
}

void SymbolMaps::forget(Entries::iterator entry) {
  entry->map->lend();
  cost_ -= entry->cost;
  --counts_.open;
  ++counts_.let_go;
  by_path_.erase(entry->path);
  entries_.erase(entry);
}

std::uint64_t SymbolMaps::memory() const { return maps_memory_->kept() + cost_; }

std::uint64_t SymbolMaps::cost_of(const std::string& path, const symbols::Map& map) {
  constexpr std::uint64_t kListNode = 16, kMapNode = 16, kBucket = 16;
  // What the kernel keeps of a mapping: an area, an open file, and 8 bytes for each page.
  constexpr std::uint64_t kArea = 512, kPagesOfOneByte = 4096 / 8;
  return base::heap_size(kListNode + sizeof(Entry)) + base::heap_size(path.size() + 1) +
         base::heap_size(kMapNode + sizeof(std::string_view) + sizeof(Entries::iterator)) +
         kBucket + kArea + map.file_size() / kPagesOfOneByte;
}

// The one that was used last stays, however large.
void SymbolMaps::let_go() {
  while (entries_.size() > 1 &&
         (memory() > options_.memory_max || entries_.size() > options_.count_max)) {
    forget(std::prev(entries_.end()));
  }
}

SymbolMaps::Counts SymbolMaps::counts() const {
  const std::lock_guard lock(mutex_);
  Counts counts = counts_;
  counts.memory = memory();
  counts.lent = maps_memory_->lent();
  return counts;
}

}  // namespace supply
