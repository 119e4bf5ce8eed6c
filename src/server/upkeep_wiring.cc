#include "server/upkeep_wiring.h"

#include <algorithm>

#include "base/clock.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/text.h"
#include "cli/keepers.h"
#include "upkeep/run.h"

namespace server {
namespace {

constexpr std::int64_t kHour = 3'600'000'000;

upkeep::House house_of(const UpkeepRooms& rooms, upkeep::RetentionRules rules) {
  const auto drop_copy = [&extracted = rooms.extracted](const base::Sha256& content) {
    extracted.remove(content);
  };
  const auto drop_from_trees = [&upstreams = rooms.upstreams](const base::Sha256& content,
                                                              std::uint64_t size, bool pretend) {
    return upstreams.remove_from_trees(content, size, pretend);
  };
  return {rooms.database, rooms.blobs, rooms.catalog, rooms.access, rooms.tombstones, rooms.data,
          cli::all_keepers(rooms.archive, rooms.uploaded, rooms.containers), drop_copy,
          // Half of the machine: the other half serves.
          std::max(1u, base::default_thread_count() / 2),
          cli::all_ageing(rooms.database, rooms.containers, drop_copy), std::move(rules),
          drop_from_trees};
}

}  // namespace

base::Result<void> sweep_orphans(store::Blobs& blobs, store::Catalog& catalog,
                                 reports::Archive& archive, sources::Uploaded& uploaded_sources,
                                 store::Containers& containers) {
  std::vector<base::Sha256> kept;
  const auto keep = [&](const base::Sha256& hash) { kept.push_back(hash); };
  TRY(catalog.list_hashes(keep));
  TRY(archive.list_hashes(keep));
  TRY(uploaded_sources.list_hashes(keep));
  TRY(containers.list_hashes(keep));
  std::sort(kept.begin(), kept.end());
  const std::uint64_t removed = TRY(blobs.sweep([&](const base::Sha256& hash) {
    return std::binary_search(kept.begin(), kept.end(), hash);
  }));
  if (removed != 0) base::log::info("removed {} unfinished uploads", removed);
  return {};
}

base::Result<void> bar_purged(store::Tombstones& tombstones, store::Blobs& blobs,
                              ingest::ExtractedFiles& extracted) {
  TRY(tombstones.reload());
  const auto refuse = [&tombstones](const base::Sha256& content) {
    return tombstones.refuse(content);
  };
  blobs.refuse_with(refuse);
  extracted.refuse_with(refuse);
  return {};
}

Follower without_purged(Follower follow, const PurgedAnswers& purged) {
  if (!follow) return nullptr;
  return [follow = std::move(follow),
          &purged](const supply::Pointer& pointer) -> base::Result<supply::Supplied> {
    const ident::StorePath asked{pointer.name, pointer.id, pointer.name};
    if (purged.has(ident::request_of(asked))) {
      base::log::info("{} was purged here: its file.ptr is not followed", asked.text());
      return base::Error{base::Fault::not_found, asked.text() + " was purged here"};
    }
    return follow(pointer);
  };
}

base::Result<upkeep::RetentionRules> rules_of(const Options& options) {
  upkeep::RetentionRules rules;
  rules.uploads_days = options.retention_uploads_days;
  rules.unasked_days = options.retention_unasked_days;
  rules.reports_days = options.retention_reports_days;
  rules.cache_days = options.cache_days;
  for (const std::string_view line : base::split(options.retention_projects, '\n')) {
    const std::string_view rule = base::trim(line);
    if (rule.empty()) continue;
    const auto equals = rule.find('=');
    const auto days = equals == std::string_view::npos
                          ? std::nullopt
                          : base::parse_decimal(base::trim(rule.substr(equals + 1)));
    if (!days) {
      return base::Error{base::Fault::malformed,
                         "retention.projects: \"" + std::string(rule) + "\" is not NAME=DAYS"};
    }
    rules.projects[base::lower_ascii(base::trim(rule.substr(0, equals)))] = *days;
  }
  return rules;
}

api::RateLimits::Rates rates_of(const Options& options) {
  return {options.limit_requests_per_address, options.limit_requests_per_token,
          options.limit_requests_burst, options.limit_requests_per_project};
}

UpkeepWork::UpkeepWork(const UpkeepRooms& rooms, upkeep::RetentionRules rules)
    : house_(house_of(rooms, std::move(rules))), work_(house_) {}

void UpkeepWork::apply_rules() {
  const std::int64_t now = base::monotonic_us();
  if (applied_us_ != 0 && now - applied_us_ < kHour) return;
  applied_us_ = now;
  upkeep::Progress progress;
  const auto aged = upkeep::run(house_, "retention", base::JsonValue(base::JsonValue::Object()),
                                {"retention", ""}, progress);
  if (!aged.ok()) base::log::error("retention: {}", aged.error().what);
  if (progress.files != 0) {
    base::log::info("retention: {} old uploads went", progress.files.load());
  }
}

}  // namespace server
