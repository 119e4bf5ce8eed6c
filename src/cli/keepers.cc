#include "cli/keepers.h"

#include "reports/expiry.h"

namespace cli {

using base::Result;
using base::Sha256;
using upkeep::HashSink;

std::vector<upkeep::Keeper> all_keepers(reports::Archive& archive, sources::Uploaded& uploaded,
                                        store::Containers& containers) {
  std::vector<upkeep::Keeper> all;
  all.push_back({"a file of a crash report", "the report stays, with what was found out before",
                 [&archive](const HashSink& sink) { return archive.list_hashes(sink); }, nullptr});
  all.push_back({"an uploaded source file",
                 "`faultline admin fsck --repair` forgets it; then upload it again",
                 [&uploaded](const HashSink& sink) { return uploaded.list_hashes(sink); },
                 [&uploaded](const Sha256& content) -> Result<void> {
                   TRY(uploaded.forget(content));
                   return {};
                 }});
  all.push_back(
      {"the sources of an uploaded package",
       "`faultline admin fsck --repair` forgets them; then upload the package again",
       [&containers](const HashSink& sink) { return containers.list_uploaded_packs(sink); },
       [&containers](const Sha256& pack) { return containers.drop_uploaded_pack(pack); }});
  return all;
}

std::vector<upkeep::Ageing> all_ageing(db::Database& database, store::Containers& containers,
                                       std::function<void(const Sha256&)> drop_copy) {
  const auto old_reports = [&database](base::Time before,
                                       bool pretend) -> Result<upkeep::AgedFiles> {
    const reports::Expired expired = TRY(pretend ? reports::count_received_before(database, before)
                                                 : reports::drop_received_before(database, before));
    return upkeep::AgedFiles{expired.reports, expired.bytes, expired.contents};
  };
  const auto old_copies = [&containers, drop_copy = std::move(drop_copy)](
                              base::Time before, bool pretend) -> Result<upkeep::AgedFiles> {
    upkeep::AgedFiles aged;
    std::vector<std::int64_t> ids;
    const auto fetched = TRY(containers.find_fetched_before(before));
    for (const store::Container& container : fetched) {
      ids.push_back(container.id);
      aged.bytes += container.stamp.size;
    }
    aged.count = ids.size();
    if (pretend || ids.empty()) return aged;
    const std::vector<Sha256> gone = TRY(containers.remove(ids));
    for (const Sha256& content : gone) drop_copy(content);
    return aged;
  };
  return {{"crash reports", &upkeep::RetentionRules::reports_days, old_reports},
          {"files of upstream servers", &upkeep::RetentionRules::cache_days, old_copies}};
}

}  // namespace cli
