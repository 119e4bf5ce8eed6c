// `faultline admin token create|list|revoke|extend|quota` and `faultline admin project
// create|list`. The other words of `admin` are in admin_upkeep.cc.
#include <cstdio>

#include "base/json.h"
#include "base/size_text.h"
#include "base/text.h"
#include "cli/admin_source.h"
#include "cli/admin_upkeep.h"
#include "cli/commands.h"
#include "cli/options.h"

namespace cli {
namespace {

using base::JsonWriter;
using base::Result;

std::string quota_text(const base::JsonValue& row) {
  const auto quota = static_cast<std::uint64_t>(row["quota"].integer_or(0));
  return quota == 0 ? "" : "  at most " + base::human_size(quota);
}

void print_rows(const std::string& what, const std::string& text) {
  const auto json = base::JsonValue::parse(text);
  if (!json.ok()) return;
  const base::JsonValue& rows = (*json)[what];
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const base::JsonValue& row = rows.at(i);
    if (what == "projects") {
      const bool* strict = row["strict"].boolean();
      std::printf("%s%s%s\n", std::string(row["name"].text_or("")).c_str(),
                  strict != nullptr && *strict ? "  strict" : "", quota_text(row).c_str());
      continue;
    }
    const std::string project(row["project"].text_or(""));
    std::printf(
        "%4lld  %-24s  %-24s  %-12s  %s, %s%s\n", static_cast<long long>(row["id"].integer_or(0)),
        std::string(row["label"].text_or("")).c_str(),
        std::string(row["rights"].text_or("")).c_str(),
        project.empty() ? "(default)" : project.c_str(),
        row["revoked_at"].is_null()
            ? ("until " + std::string(row["expires_at"].text_or("revoked"))).c_str()
            : "revoked",
        row["used_at"].is_null() ? "no use on record"
                                 : ("last used " + std::string(row["used_at"].text_or(""))).c_str(),
        quota_text(row).c_str());
  }
}

struct Arguments {
  std::string data = "faultline-data";
  std::string database;
  std::string thing, action, name;
  std::string label, rights = "upload", project = "*";
  std::uint64_t days = 365;
  bool strict = false;
  bool two_tier = false;
  bool no_cabinets = false;
  bool json = false;
  std::string quota;
  std::uint64_t quota_bytes = 0;
};

std::string request_json(const Arguments& arguments) {
  JsonWriter out;
  out.begin_object();
  if (arguments.thing == "project") {
    out.key("name").string(arguments.name).key("strict").boolean(arguments.strict);
    out.key("two_tier").boolean(arguments.two_tier);
    out.key("cabinets").boolean(!arguments.no_cabinets);
    out.key("quota").unsigned_integer(arguments.quota_bytes);
  } else {
    out.key("label").string(arguments.label.empty() ? arguments.name : arguments.label);
    out.key("rights").string(arguments.rights).key("project").string(arguments.project);
    out.key("days").unsigned_integer(arguments.days);
    out.key("quota").unsigned_integer(arguments.quota_bytes);
  }
  out.end_object();
  return out.take();
}

Result<void> run(const Arguments& arguments) {
  const auto source = TRY(open_admin_source(arguments.data, arguments.database));
  const std::string what = arguments.thing + "s";
  if (arguments.action == "list") {
    const std::string text = TRY(source->list(what));
    if (arguments.json) {
      std::printf("%s\n", text.c_str());
    } else {
      print_rows(what, text);
    }
    return {};
  }
  if (arguments.action == "revoke") return source->revoke(arguments.name);
  if (arguments.action == "extend" || arguments.action == "quota") {
    const std::string text =
        TRY(source->change(arguments.name, arguments.action, request_json(arguments)));
    if (arguments.json) std::printf("%s\n", text.c_str());
    return {};
  }
  const std::string text = TRY(source->create(what, request_json(arguments)));
  const auto made = base::JsonValue::parse(text);
  const std::string secret(made.ok() ? (*made)["token"].text_or("") : "");
  // The secret alone on a line: scripts take it as it is. It is shown this once.
  if (arguments.json || secret.empty()) {
    std::printf("%s\n", text.c_str());
  } else {
    std::printf("%s\n", secret.c_str());
  }
  return {};
}

bool is_known(const Arguments& arguments) {
  if (arguments.action == "create") return !arguments.name.empty();
  if (arguments.action == "list") return true;
  return arguments.thing == "token" && !arguments.name.empty();
}

}  // namespace

int run_admin(int argc, char** argv) {
  if (const auto code = run_upkeep_command(argc, argv)) return *code;
  Arguments arguments;
  Options options(argv[0], "Projects and tokens of a server.");
  options.choice("thing", arguments.thing, {"token", "project"}, "token or project");
  options.choice("action", arguments.action, {"create", "list", "revoke", "extend", "quota"},
                 "create, list, or (tokens) revoke, extend and quota");
  options.positional("name", arguments.name,
                     "the project's name; the new token's label; the id of a token to change",
                     false);
  options.text("-d,--data", arguments.data, "data directory (default: faultline-data)");
  options.text("--database", arguments.database,
               "of a directory that nobody serves: postgresql://… (default: SQLite in there)");
  options.text("--rights", arguments.rights,
               "of a token, commas between: upload or upload-try, read, view-uploads, admin "
               "(default: upload)");
  options.text("--project", arguments.project, "the only one it is good for (default: all)");
  options.number("--days", arguments.days,
                 "how long a token lives from now on; 0: for ever (default: 365)");
  options.flag("--strict", arguments.strict, "a project that takes only what it can verify");
  options.flag("--two-tier", arguments.two_tier, "a project that is shown as a two-tier store");
  options.flag("--no-cabinets", arguments.no_cabinets,
               "a project that packs no foo.pd_ for those who ask");
  options.text("--quota", arguments.quota,
               "how much a project may keep, or may be kept of what a token brings, such as \"20 "
               "GiB\" (default: no limit)");
  options.flag("--json", arguments.json, "print JSON");
  options.footer(
      "A new token is printed once and cannot be shown again.\n"
      "Also: admin fsck, purge, backup, restore, retention, audit; each has its own --help.");
  if (const auto code = options.parse(argc, argv)) return *code;
  if (!arguments.quota.empty()) {
    const auto quota = base::parse_size(arguments.quota);
    if (!quota) {
      fail("--quota " + arguments.quota + ": is no size; say 500 MB or 20 GiB");
      return kBadUsage;
    }
    arguments.quota_bytes = *quota;
  }
  if (!is_known(arguments)) {
    fail(
        "say: admin token create LABEL | list | revoke ID | extend ID | quota ID, or admin project "
        "create NAME | list");
    return kBadUsage;
  }
  const auto done = run(arguments);
  return done.ok() ? kDone : fail(done.error().what);
}

}  // namespace cli
