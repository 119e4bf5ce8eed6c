#include "cli/admin_upkeep.h"

#include <cstdio>
#include <map>
#include <memory>

#include "base/json.h"
#include "base/text.h"
#include "cli/admin_source.h"
#include "cli/one_file_backup.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "upkeep/backup.h"

namespace cli {
namespace {

using base::JsonValue;
using base::JsonWriter;
using base::Result;

// What all of them have.
struct Place {
  std::string data = "faultline-data";
  std::string database;
  bool json = false;

  void declare(Options& options) {
    options.text("-d,--data", data, "data directory (default: faultline-data)");
    options.text("--database", database,
                 "of a directory that nobody serves: postgresql://… (default: SQLite in there)");
    options.flag("--json", json, "print JSON");
  }
};

// Draws a bar from numbers that rise.
class Bar {
 public:
  explicit Bar(std::string verb) : verb_(std::move(verb)) {}
  void show(const Numbers& now) {
    if (now.files_all == 0 && now.bytes == 0) return;
    if (!progress_ || now.files_all != seen_.files_all || now.bytes_all != seen_.bytes_all) {
      progress_.emplace(verb_, now.files_all, now.bytes_all);
      seen_ = {0, now.files_all, 0, now.bytes_all};
    }
    if (now.bytes > seen_.bytes) progress_->advance(now.bytes - seen_.bytes);
    seen_.bytes = now.bytes;
    for (; seen_.files < now.files; ++seen_.files) progress_->finish_one();
  }

 private:
  const std::string verb_;
  Numbers seen_;
  std::optional<Progress> progress_;
};

// The bar lasts as long as the function.
ShowNumbers shown_as(std::string verb) {
  return [bar = std::make_shared<Bar>(std::move(verb))](const Numbers& now) { bar->show(now); };
}

Result<std::string> run_upkeep(const Place& place, const std::string& what,
                               const std::string& options, const std::string& verb) {
  const auto source = TRY(open_admin_source(place.data, place.database));
  return source->run(what, options, shown_as(verb));
}

std::string text_in(const JsonValue& json, std::string_view name) {
  return std::string(json[name].text_or(""));
}
unsigned long long number_in(const JsonValue& json, std::string_view name) {
  return static_cast<unsigned long long>(json[name].integer_or(0));
}
std::string size_in(const JsonValue& json, std::string_view name) {
  return base::human_size(number_in(json, name));
}
bool truth_in(const JsonValue& json, std::string_view name) {
  const bool* value = json[name].boolean();
  return value != nullptr && *value;
}

// Each problem on one line: what it is about, what is wrong, what to do or what was done.
int print_checked(const JsonValue& checked) {
  const JsonValue& problems = checked["problems"];
  for (std::size_t i = 0; i < problems.size(); ++i) {
    const JsonValue& problem = problems.at(i);
    std::printf("%s %s: %s; %s\n", text_in(problem, "kind").c_str(),
                text_in(problem, "subject").c_str(), text_in(problem, "what").c_str(),
                truth_in(problem, "repaired") ? "repaired" : text_in(problem, "todo").c_str());
  }
  std::printf(
      "%llu blobs (%s), %llu files, %llu derived, %llu extracted: ", number_in(checked, "blobs"),
      size_in(checked, "blob_bytes").c_str(), number_in(checked, "files"),
      number_in(checked, "derived"), number_in(checked, "extracted"));
  if (problems.size() == 0) {
    std::printf("all is well\n");
  } else {
    std::printf("%llu problems, %llu left\n", static_cast<unsigned long long>(problems.size()),
                number_in(checked, "unrepaired"));
  }
  return number_in(checked, "unrepaired") == 0 ? kDone : kFailed;
}

// Runs fsck and shows what it found: the command's exit code.
int check(const Place& place, const std::string& wanted) {
  const auto text = run_upkeep(place, "fsck", wanted, "Checking");
  if (!text.ok()) return fail(text.error().what);
  const auto checked = JsonValue::parse(*text);
  if (!checked.ok()) return fail(checked.error().what);
  if (!place.json) return print_checked(*checked);
  std::printf("%s\n", text->c_str());
  return number_in(*checked, "unrepaired") == 0 ? kDone : kFailed;
}

int run_fsck(int argc, char** argv) {
  Place place;
  bool repair = false;
  Options options("faultline admin fsck", "Reads everything again and says what is wrong.");
  place.declare(options);
  options.flag("--repair", repair,
               "move broken files to quarantine/ and forget what is gone, so that it can be "
               "brought again");
  options.footer(
      "Exit code 1: something is wrong and was not repaired. While a server runs, it "
      "does the work, and goes on serving.");
  if (const auto code = options.parse(argc, argv)) return *code;
  JsonWriter wanted;
  wanted.begin_object().key("repair").boolean(repair).end_object();
  return check(place, wanted.take());
}

void print_purged(const JsonValue& json) {
  const bool dry = truth_in(json, "dry_run");
  const JsonValue& contents = json["contents"];
  for (std::size_t i = 0; i < contents.size(); ++i) {
    const JsonValue& one = contents.at(i);
    const std::string hash = text_in(one, "sha256");
    const auto copies = number_in(one, "copies");
    if (!truth_in(one, "was_here")) {
      std::printf("%s: is not here; %s\n", hash.c_str(),
                  dry ? "would be barred" : "barred from now on");
    } else {
      std::printf("%s %s (%s): %s with %llu keys and %llu derived files\n", hash.c_str(),
                  text_in(one, "name").c_str(), size_in(one, "size").c_str(),
                  dry ? "would go" : "gone", number_in(one, "keys"), number_in(one, "derived"));
    }
    if (copies != 0) {
      std::printf("%s: %llu copies in trees %s\n", hash.c_str(), copies,
                  dry ? "would go" : "are gone");
    }
  }
}

void print_tombstones(const JsonValue& json) {
  const JsonValue& purged = json["purged"];
  for (std::size_t i = 0; i < purged.size(); ++i) {
    const JsonValue& one = purged.at(i);
    std::printf("%s  %s  %s  %s\n", text_in(one, "sha256").c_str(),
                text_in(one, "purged_at").c_str(), text_in(one, "actor").c_str(),
                text_in(one, "name").c_str());
  }
}

int print_text(const Place& place, const Result<std::string>& text,
               void (*print)(const JsonValue&)) {
  if (!text.ok()) return fail(text.error().what);
  const auto json = JsonValue::parse(*text);
  if (!json.ok()) return fail(json.error().what);
  if (place.json) {
    std::printf("%s\n", text->c_str());
  } else {
    print(*json);
  }
  return kDone;
}

Result<std::string> list_of(const Place& place, const std::string& what) {
  const auto source = TRY(open_admin_source(place.data, place.database));
  return source->list(what);
}

int run_purge(int argc, char** argv) {
  Place place;
  std::string what, lift;
  bool dry_run = false, list = false;
  Options options("faultline admin purge",
                  "Takes a content away, with all that names it or was made from it, and bars it "
                  "from being uploaded again.");
  options.positional("what", what, "a SHA-256, any id of a file, or NAME/ID/FILE", false);
  place.declare(options);
  options.flag("--dry-run", dry_run, "only say what would go");
  options.flag("--list", list, "what has been purged");
  options.text("--lift", lift, "the SHA-256 of a purged content that may come back");
  if (const auto code = options.parse(argc, argv)) return *code;
  if (list) return print_text(place, list_of(place, "purged"), print_tombstones);
  JsonWriter wanted;
  if (!lift.empty()) {
    wanted.begin_object().key("sha256").string(lift).end_object();
    return print_text(place, run_upkeep(place, "lift", wanted.take(), "Lifting"),
                      [](const JsonValue&) {});
  }
  if (what.empty()) {
    fail("say what to purge: a SHA-256, an id or NAME/ID/FILE; or --list, or --lift SHA256");
    return kBadUsage;
  }
  wanted.begin_object().key("what").string(what).key("dry_run").boolean(dry_run).end_object();
  return print_text(place, run_upkeep(place, "purge", wanted.take(), "Purging"), print_purged);
}

void print_backup(const JsonValue& json) {
  std::printf("%s: %llu files (%s)%s\n", text_in(json, "directory").c_str(),
              number_in(json, "files"), size_in(json, "bytes").c_str(),
              truth_in(json, "has_database") ? " and the database" : "; the database is yours");
}

int run_backup(int argc, char** argv) {
  Place place;
  BackupWish wish;
  Options options("faultline admin backup", "Copies a data directory, served or not.");
  options.positional("target", wish.target,
                     "a new directory for the backup; NAME.tar, for one file; or -, for a tar "
                     "archive on stdout");
  place.declare(options);
  options.flag("--blobs-only", wish.blobs_only,
               "without the database: PostgreSQL's is yours to copy");
  options.flag("--copy", wish.own_copies,
               "copy files on the same disk as well, instead of linking them: a link is lost with "
               "the disk");
  options.footer("`faultline admin restore` makes a data directory of it.");
  if (const auto code = options.parse(argc, argv)) return *code;
  const auto make = [&](const BackupWish& wanted) {
    return run_upkeep(place, "backup", json_of(wanted), "Backing up");
  };
  if (!is_one_file(wish.target)) {
    wish.target = absolute_path(wish.target);
    return print_text(place, make(wish), print_backup);
  }
  const std::string target = wish.target;
  const auto made = back_up_to_one_file(absolute_path(place.data), wish, make, shown_as("Packing"));
  if (!made.ok()) return fail(made.error().what);
  if (target == "-") return kDone;  // stdout is the archive's
  return print_text(place, made, print_backup);
}

int run_restore(int argc, char** argv) {
  Place place;
  std::string backup;
  Options options("faultline admin restore",
                  "Makes a data directory from a backup, and checks it.");
  options.positional("backup", backup,
                     "what `faultline admin backup` made: a directory, a file, or - for stdin");
  place.declare(options);
  options.footer("The data directory must be new or empty.");
  if (const auto code = options.parse(argc, argv)) return *code;
  const auto made = restore_from(backup, place.data, shown_as("Restoring"));
  if (!made.ok()) return fail(made.error().what);
  if (!made->has_database && place.database.empty()) {
    std::printf(
        "%llu files are back; restore the database with pg_restore, then run `faultline "
        "admin fsck --database …`\n",
        static_cast<unsigned long long>(made->files));
    return kDone;
  }
  return check(place, "{}");
}

void print_aged(const JsonValue& json) {
  const bool dry = truth_in(json, "dry_run");
  const JsonValue& classes = json["classes"];
  if (classes.size() == 0) std::printf("no rules: everything stays\n");
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const JsonValue& one = classes.at(i);
    std::printf("%s older than %llu days: %llu (%s) %s\n", text_in(one, "what").c_str(),
                number_in(one, "days"), number_in(one, "files"), size_in(one, "bytes").c_str(),
                dry ? "would go" : "gone");
  }
}

// "game=90", or nothing when it is something else.
std::optional<std::pair<std::string, std::uint64_t>> find_rule(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) return std::nullopt;
  const auto days = base::parse_decimal(text.substr(equals + 1));
  if (!days) return std::nullopt;
  return std::pair(text.substr(0, equals), *days);
}

int run_retention(int argc, char** argv) {
  Place place;
  bool dry_run = false;
  std::uint64_t uploads = 0, unasked = 0, reports = 0, cache = 0;
  std::vector<std::string> projects;
  Options options("faultline admin retention", "Takes away what is older than the rules allow.");
  place.declare(options);
  options.flag("--dry-run", dry_run, "only say what would go");
  options.number("--uploads", uploads, "days that uploads stay after they were last brought");
  options.number("--unasked", unasked,
                 "days that uploads stay after they were last brought or asked for");
  options.list("--project", projects, "NAME=DAYS: other days for its uploads; repeat");
  options.number("--reports", reports, "days that crash reports stay");
  options.number("--cache", cache, "days that files of upstream servers stay");
  options.footer(
      "Without days the rules of the server's configuration are taken: [retention] and "
      "cache.days.");
  if (const auto code = options.parse(argc, argv)) return *code;
  JsonWriter wanted;
  wanted.begin_object().key("dry_run").boolean(dry_run);
  if (uploads != 0 || unasked != 0 || reports != 0 || cache != 0 || !projects.empty()) {
    wanted.key("rules").begin_object().key("uploads_days").unsigned_integer(uploads);
    wanted.key("unasked_days").unsigned_integer(unasked);
    wanted.key("reports_days").unsigned_integer(reports);
    wanted.key("cache_days").unsigned_integer(cache).key("projects").begin_object();
    for (const std::string& text : projects) {
      const auto rule = find_rule(text);
      if (!rule) {
        fail("--project " + text + ": is not NAME=DAYS");
        return kBadUsage;
      }
      wanted.key(rule->first).unsigned_integer(rule->second);
    }
    wanted.end_object().end_object();
  }
  wanted.end_object();
  return print_text(place, run_upkeep(place, "retention", wanted.take(), "Taking away"),
                    print_aged);
}

void print_audit(const JsonValue& json) {
  const JsonValue& entries = json["entries"];
  for (std::size_t i = entries.size(); i-- > 0;) {  // the newest last, as logs go
    const JsonValue& entry = entries.at(i);
    std::printf("%s  %-16s  %-21s  %-14s  %s\n", text_in(entry, "at").c_str(),
                text_in(entry, "actor").c_str(), text_in(entry, "peer").c_str(),
                text_in(entry, "action").c_str(), text_in(entry, "detail").c_str());
  }
}

int run_audit(int argc, char** argv) {
  Place place;
  std::uint64_t limit = 100;
  Options options("faultline admin audit", "Who did what: the last entries of the audit log.");
  place.declare(options);
  options.number("-n,--limit", limit, "how many, at most 1000 (default: 100)");
  if (const auto code = options.parse(argc, argv)) return *code;
  return print_text(place, list_of(place, "audit?limit=" + std::to_string(limit)), print_audit);
}

}  // namespace

std::optional<int> run_upkeep_command(int argc, char** argv) {
  using Command = int (*)(int, char**);
  static const std::map<std::string_view, Command> kCommands{
      {"fsck", run_fsck},       {"purge", run_purge},         {"backup", run_backup},
      {"restore", run_restore}, {"retention", run_retention}, {"audit", run_audit}};
  if (argc < 2) return std::nullopt;
  const auto found = kCommands.find(argv[1]);
  if (found == kCommands.end()) return std::nullopt;
  return found->second(argc - 1, argv + 1);
}

}  // namespace cli
