#include "statistics/tally.h"

#include <algorithm>
#include <atomic>
#include <utility>

namespace statistics {
namespace {

// NAME/ID/FILE, without allocating for paths of the usual length.
class MissKey {
 public:
  MissKey(std::string_view name, std::string_view id, std::string_view file) {
    append(name);
    append("/");
    append(id);
    append("/");
    append(file);
  }
  std::string_view view() const { return {text_.data(), size_}; }

 private:
  void append(std::string_view part) {
    part = part.substr(0, text_.size() - size_);
    part.copy(text_.data() + size_, part.size());
    size_ += part.size();
  }
  std::array<char, 800> text_;  // NOLINT(*-member-init): three parts of at most 255 bytes
  std::size_t size_ = 0;
};

}  // namespace

Tally::Part& Tally::own_part() {
  static std::atomic<std::size_t> threads = 0;
  thread_local const std::size_t number = threads.fetch_add(1, std::memory_order_relaxed);
  return parts_[number % kParts];
}

Tally::Count& Tally::find(Part& part, std::string_view name) {
  if (name.empty()) return part.nameless;
  auto at = part.names.find(name);
  if (at == part.names.end()) {
    if (part.names.size() >= kNamesMax) return part.nameless;
    at = part.names.try_emplace(std::string(name)).first;
  }
  if (!std::exchange(at->second.is_used, true)) at->second.count.first_at = base::now();
  return at->second.count;
}

void Tally::note_miss(Part& part, const Asked& asked, base::Time now) {
  const MissKey key(asked.path_name, asked.id, asked.file);
  auto at = part.misses.find(key.view());
  if (at == part.misses.end()) {
    if (part.misses.size() >= kMissesMax) return;
    Miss miss{std::string(asked.path_name),
              std::string(asked.id),
              std::string(asked.file),
              "",
              "",
              0,
              now,
              now};
    at = part.misses.emplace(std::string(key.view()), std::move(miss)).first;
  }
  Miss& miss = at->second;
  ++miss.count;
  miss.last_at = now;
  if (!asked.code_file.empty()) miss.code_file = asked.code_file;
  if (!asked.code_id.empty()) miss.code_id = asked.code_id;
}

void Tally::answered(const Asked& asked) {
  const base::Time now = base::now();
  Part& part = own_part();
  const std::lock_guard lock(part.mutex);
  Count& count = find(part, asked.name);
  Counts& counts = count.counts;
  counts.last_at = now;
  if (asked.outcome == Outcome::invalid) {
    ++counts.invalid;
    return;
  }
  ++counts.requests;
  counts.us += asked.us;
  if (asked.from_memory) ++counts.hits;
  if (asked.outcome == Outcome::here) {
    ++counts.successes;
    return;
  }
  ++counts.failures;
  if (asked.from_memory) ++count.failed_hits;
  if (asked.outcome != Outcome::missing) return;
  ++counts.misses;
  if (asked.is_told) note_miss(part, asked, now);
}

void Tally::waits(std::string_view name, std::int64_t change) {
  Part& part = own_part();
  const std::lock_guard lock(part.mutex);
  find(part, name).counts.waiting += change;
}

void Tally::upstream_said(std::string_view name, std::size_t server, bool has_it) {
  Part& part = own_part();
  const std::lock_guard lock(part.mutex);
  ServerCounts& counts = find(part, name).counts.of_server(server);
  ++(has_it ? counts.hits : counts.misses);
}

// Names that were not counted since the last time go; the others stay, at zero.
Tally::Batch Tally::take() {
  Batch batch;
  for (Part& part : parts_) {
    const std::lock_guard lock(part.mutex);
    batch.nameless.counts.add(part.nameless.counts);
    batch.nameless.failed_hits += part.nameless.failed_hits;
    part.nameless = Count();
    for (auto at = part.names.begin(); at != part.names.end();) {
      if (!std::exchange(at->second.is_used, false)) {
        at = part.names.erase(at);
        continue;
      }
      batch.names.emplace_back(at->first, std::exchange(at->second.count, Count()));
      ++at;
    }
    for (auto& [key, miss] : part.misses) batch.misses.push_back(std::move(miss));
    part.misses.clear();
  }
  // Two spellings of one name may have been counted on two threads: the first one counts.
  std::sort(batch.names.begin(), batch.names.end(),
            [](const auto& a, const auto& b) { return a.second.first_at < b.second.first_at; });
  return batch;
}

}  // namespace statistics
