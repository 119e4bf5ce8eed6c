#include "upkeep/run.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "upkeep/backup.h"
#include "upkeep/check.h"
#include "upkeep/purge.h"
#include "upkeep/retention.h"

namespace upkeep {

using base::Error;
using base::Fault;
using base::JsonValue;
using base::Result;

namespace {

bool is_set(const JsonValue& options, std::string_view name) {
  const bool* given = options[name].boolean();
  return given != nullptr && *given;
}

Result<std::string> run_check(House& house, const JsonValue& options, const store::Actor& actor,
                              Progress& progress) {
  const bool repairs = is_set(options, "repair");
  const Checked checked = TRY(check_data(house, repairs ? Repair::yes : Repair::no, progress));
  if (repairs && !checked.problems.empty()) {
    TRY(house.access.note(actor, "fsck repair",
                          fmt::format("{} problems, {} of them are left", checked.problems.size(),
                                      checked.unrepaired())));
  }
  return json_of(checked);
}

Result<std::string> run_purge(House& house, const JsonValue& options, const store::Actor& actor) {
  const Doing doing = is_set(options, "dry_run") ? Doing::for_show : Doing::in_earnest;
  const auto purged = TRY(purge(house, options["what"].text_or(""), doing, actor));
  return json_of(purged, doing);
}

Result<std::string> run_lift(House& house, const JsonValue& options, const store::Actor& actor) {
  const auto content = store::find_sha256(base::lower_ascii(options["sha256"].text_or("")));
  if (!content) return Error{Fault::malformed, "lift what? 64 hexadecimal digits"};
  const std::vector<std::string> ids = TRY(house.tombstones.lift(*content, actor));
  house.catalog.announce_removed(ids);  // who was refused may ask again at once
  return std::string("{}");
}

Result<std::string> run_backup(House& house, const JsonValue& options, const store::Actor& actor,
                               Progress& progress) {
  const auto backup =
      TRY(back_up(house, std::string(options["directory"].text_or("")),
                  is_set(options, "blobs_only") ? Scope::blobs_only : Scope::everything,
                  is_set(options, "own_copies") ? Copies::own : Copies::linked, progress));
  TRY(house.access.note(actor, "backup",
                        fmt::format("{}: {} files", backup.directory, backup.files)));
  return json_of(backup);
}

// What is said replaces the house's own rules, all of them.
RetentionRules rules_of(const House& house, const JsonValue& options) {
  const JsonValue& given = options["rules"];
  if (given.is_null()) return house.retention;
  RetentionRules rules;
  const auto days = [](const JsonValue& value) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(value.integer_or(0), 0));
  };
  rules.uploads_days = days(given["uploads_days"]);
  rules.unasked_days = days(given["unasked_days"]);
  rules.reports_days = days(given["reports_days"]);
  rules.cache_days = days(given["cache_days"]);
  if (const auto* projects = given["projects"].object()) {
    for (const auto& [name, value] : *projects) {
      rules.projects[base::lower_ascii(name)] = days(value);
    }
  }
  return rules;
}

Result<std::string> run_retention(House& house, const JsonValue& options, const store::Actor& actor,
                                  Progress& progress) {
  const Pretend pretend = is_set(options, "dry_run") ? Pretend::yes : Pretend::no;
  const RetentionRules rules = rules_of(house, options);
  const auto aged = TRY(apply_retention(house, rules, base::now(), pretend, progress));
  for (const Aged& one : aged) {
    if (pretend == Pretend::yes || one.files == 0) continue;
    TRY(house.access.note(actor, "retention",
                          fmt::format("{}: {} files, {} bytes older than {} days", one.what,
                                      one.files, one.bytes, one.days)));
  }
  return json_of(aged, pretend);
}

}  // namespace

Result<std::string> run(House& house, std::string_view what, const JsonValue& options,
                        const store::Actor& actor, Progress& progress) {
  if (what == "fsck") return run_check(house, options, actor, progress);
  if (what == "purge") return run_purge(house, options, actor);
  if (what == "lift") return run_lift(house, options, actor);
  if (what == "retention") return run_retention(house, options, actor, progress);
  if (what == "backup") return run_backup(house, options, actor, progress);
  return Error{Fault::malformed, "there is no upkeep of the name " + base::to_valid_utf8(what)};
}

}  // namespace upkeep
