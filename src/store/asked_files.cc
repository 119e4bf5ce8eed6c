#include "store/asked_files.h"

#include <algorithm>

#include "store/key_text.h"

namespace store {

using base::Result;

namespace {

constexpr std::int64_t kDay = 86'400'000'000;
constexpr std::size_t kPortion = 500;       // ids that one transaction takes
constexpr std::size_t kSavedMax = 100'000;  // beyond, some are written twice a day

}  // namespace

Result<void> AskedFiles::save(const std::vector<std::string>& ids, base::Time now) {
  const std::int64_t day = now.us / kDay;
  if (day != day_ || saved_.size() > kSavedMax) saved_.clear();
  day_ = day;
  std::vector<std::string> due;
  for (const std::string& id : ids) {
    if (!saved_.contains(id)) due.push_back(id);
  }
  const std::string sql =
      "UPDATE symbol_file SET asked_at = ? WHERE asked_at < ? AND id IN "
      "(SELECT k.file FROM symbol_key k WHERE " +
      of_any_kind() + " AND k.id = ?)";
  const std::int64_t midnight = day * kDay;
  for (std::size_t at = 0; at < due.size(); at += kPortion) {
    const std::size_t end = std::min(due.size(), at + kPortion);
    TRY(database_.write([&](db::Session& session) -> Result<void> {
      for (std::size_t i = at; i < end; ++i) {
        TRY(session.execute(sql, {now.us, midnight, due[i]}));
      }
      return {};
    }));
    saved_.insert(due.begin() + static_cast<std::ptrdiff_t>(at),
                  due.begin() + static_cast<std::ptrdiff_t>(end));
  }
  return {};
}

}  // namespace store
