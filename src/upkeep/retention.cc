#include "upkeep/retention.h"

#include <algorithm>
#include <set>
#include <shared_mutex>

#include "base/json.h"
#include "store/retention_rows.h"

namespace upkeep {

using base::Result;
using base::Sha256;
using db::Session;

namespace {

constexpr std::int64_t kDay = 86'400'000'000;
constexpr std::uint64_t kPortion = 500;  // files that one transaction takes away
constexpr std::uint64_t kAll = INT64_MAX;

base::Time before(base::Time now, std::uint64_t days) {
  constexpr std::uint64_t kDaysMax = 36'500;
  return {now.us - static_cast<std::int64_t>(std::min(days, kDaysMax)) * kDay};
}

// Which uploads of a project go: those that nobody has brought for so long, or neither brought nor
// asked for.
struct Class {
  std::string project;
  store::Unless unless = store::Unless::brought;
  std::uint64_t days = 0;

  std::string words() const {
    const std::string what = unless == store::Unless::asked ? "unasked uploads" : "uploads";
    return project.empty() ? what : what + " of " + project;
  }
};

Result<std::vector<store::OldFile>> find_old(House& house, const Class& of, base::Time limit) {
  std::vector<store::OldFile> files;
  TRY(house.database.read([&](Session& session) -> Result<void> {
    files = TRY(store::find_old_files(session, of.project, limit, kAll, of.unless));
    return {};
  }));
  return files;
}

// One portion; empty when there is no more.
Result<std::vector<store::OldFile>> drop_portion(House& house, const Class& of, base::Time limit) {
  std::vector<store::OldFile> files;
  std::vector<Sha256> gone;
  std::vector<std::string> ids;
  TRY(house.database.write([&](Session& session) -> Result<void> {
    gone.clear();
    ids.clear();
    files = TRY(store::find_old_files(session, of.project, limit, kPortion, of.unless));
    for (const store::OldFile& file : files) {
      const bool row_went = TRY(store::drop_from_project(session, file, of.project, ids));
      if (row_went) gone.push_back(file.sha256);
    }
    return {};
  }));
  house.catalog.announce_removed(ids);
  TRY(remove_unnamed(house, gone));
  return files;
}

Result<Aged> age_uploads(House& house, const Class& of, base::Time now, Pretend pretend,
                         Progress& progress) {
  Aged aged;
  aged.what = of.words();
  aged.days = of.days;
  const base::Time limit = before(now, of.days);
  for (;;) {
    TRY(go_on(progress));
    const auto files =
        pretend == Pretend::yes ? find_old(house, of, limit) : drop_portion(house, of, limit);
    if (!files.ok()) return files.error();
    for (const store::OldFile& file : *files) {
      ++aged.files;
      aged.bytes += file.size;
      progress.finish_file(file.size);
    }
    if (files->empty() || pretend == Pretend::yes) return aged;
  }
}

std::vector<Class> classes_of(const House& house, const RetentionRules& rules) {
  std::map<std::string, std::uint64_t> days = rules.projects;
  std::vector<std::string> projects{""};
  for (const store::Project& project : house.access.project_list()) {
    projects.push_back(project.name);
  }
  if (rules.uploads_days != 0) {
    for (const std::string& project : projects) days.try_emplace(project, rules.uploads_days);
  }
  std::vector<Class> classes;
  for (const auto& [project, age] : days) {
    if (age != 0) classes.push_back({project, store::Unless::brought, age});
  }
  if (rules.unasked_days == 0) return classes;
  for (const std::string& project : projects) {
    const auto own = rules.projects.find(project);
    if (own != rules.projects.end() && own->second == 0) continue;  // said to stay
    classes.push_back({project, store::Unless::asked, rules.unasked_days});
  }
  return classes;
}

Result<Aged> age_others(House& house, const Ageing& ageing, std::uint64_t days, base::Time now,
                        Pretend pretend) {
  Aged aged;
  aged.what = ageing.what;
  aged.days = days;
  const AgedFiles files = TRY(ageing.expire(before(now, days), pretend == Pretend::yes));
  aged.files = files.count;
  aged.bytes = files.bytes;
  if (pretend == Pretend::no) TRY(remove_unnamed(house, files.contents));
  return aged;
}

}  // namespace

Result<std::uint64_t> remove_unnamed(House& house, const std::vector<Sha256>& contents) {
  // With PostgreSQL others may be at work in other processes: a start of all sweeps the blobs.
  if (contents.empty() || house.database.engine() != db::Engine::sqlite) return std::uint64_t{0};
  // Nobody is between a blob and its row now, so a blob without rows is nobody's.
  const std::unique_lock alone(house.blobs.in_use());
  std::set<Sha256> orphans(contents.begin(), contents.end());
  for (const Keeper& keeper : house.keepers) {
    TRY(keeper.list([&](const Sha256& content) { orphans.erase(content); }));
  }
  std::uint64_t removed = 0;
  for (const Sha256& content : orphans) {
    const bool is_back = TRY(house.catalog.has(content));
    if (is_back || !house.blobs.has(content)) continue;
    TRY(house.blobs.remove(content));
    ++removed;
  }
  return removed;
}

Result<std::vector<Aged>> apply_retention(House& house, const RetentionRules& rules, base::Time now,
                                          Pretend pretend, Progress& progress) {
  std::vector<Aged> all;
  for (const Class& of : classes_of(house, rules)) {
    Aged aged = TRY(age_uploads(house, of, now, pretend, progress));
    all.push_back(std::move(aged));
  }
  for (const Ageing& ageing : house.ageing) {
    const std::uint64_t age = rules.*ageing.days;
    if (age == 0) continue;
    Aged aged = TRY(age_others(house, ageing, age, now, pretend));
    all.push_back(std::move(aged));
  }
  return all;
}

std::string json_of(const std::vector<Aged>& aged, Pretend pretend) {
  base::JsonWriter out;
  out.begin_object().key("dry_run").boolean(pretend == Pretend::yes).key("classes").begin_array();
  for (const Aged& one : aged) {
    out.begin_object().key("what").string(one.what).key("days").unsigned_integer(one.days);
    out.key("files").unsigned_integer(one.files);
    out.key("bytes").unsigned_integer(one.bytes).end_object();
  }
  out.end_array().end_object();
  return out.take();
}

}  // namespace upkeep
