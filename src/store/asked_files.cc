#include "store/asked_files.h"

#include <utility>

#include "store/key_text.h"

namespace store {

using base::Result;

namespace {

constexpr std::int64_t kDay = 86'400'000'000;
constexpr std::size_t kPortion = 500;       // ids that one transaction takes
constexpr std::size_t kSavedMax = 100'000;  // beyond, some are written twice a day
constexpr std::size_t kDueMax = 100'000;    // while the database takes nothing

}  // namespace

Result<void> AskedFiles::save(const std::vector<std::string>& ids, base::Time now) {
  const std::int64_t day = now.us / kDay;
  if (day != day_ || saved_.size() > kSavedMax) saved_.clear();
  day_ = day;
  for (const std::string& id : ids) {
    if (!saved_.contains(id) && due_.size() < kDueMax) due_.insert(id);
  }
  while (!due_.empty()) {
    std::vector<std::string> portion;
    portion.reserve(kPortion);
    for (auto at = due_.begin(); at != due_.end() && portion.size() < kPortion; ++at) {
      portion.push_back(*at);
    }
    TRY(write(portion, now));
    for (std::string& id : portion) {
      due_.erase(id);
      saved_.insert(std::move(id));
    }
  }
  return {};
}

Result<void> AskedFiles::write(const std::vector<std::string>& ids, base::Time now) {
  const std::string sql =
      "UPDATE symbol_file SET asked_at = ? WHERE asked_at < ? AND id IN "
      "(SELECT k.file FROM symbol_key k WHERE " +
      of_any_kind() + " AND k.id = ?)";
  const std::int64_t midnight = now.us / kDay * kDay;
  return database_.write([&](db::Session& session) -> Result<void> {
    for (const std::string& id : ids) TRY(session.execute(sql, {now.us, midnight, id}));
    return {};
  });
}

}  // namespace store
