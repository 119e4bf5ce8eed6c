// `faultline report list|show|send|reprocess`: crash reports from the shell, from a server or
// from a data directory.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/clock.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/report_source.h"
#include "cli/report_text.h"
#include "reports/report_id.h"

namespace cli {
namespace {

using base::Error;
using base::Fault;
using base::JsonValue;
using base::Result;

constexpr const char* kDefaultUrl = "http://127.0.0.1:7070";

// What every sub-command takes.
struct Where {
  std::string url;
  std::string data;
  bool json = false;

  void declare(Options& options) {
    options.text("--url", url,
                 "server (default: $FAULTLINE_URL, else " + std::string(kDefaultUrl) + ")");
    options.text("--data", data, "data directory; through its server when one is running on it");
    options.flag("--json", json, "print JSON");
  }
  Result<std::unique_ptr<ReportSource>> open() const {
    if (!data.empty()) return open_report_directory(data);
    const char* from_environment = std::getenv("FAULTLINE_URL");
    return open_report_server(!url.empty()                  ? url
                              : from_environment != nullptr ? from_environment
                                                            : kDefaultUrl);
  }
};

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

int fail_with(const Error& error) { return fail(error.what); }

// An id as people have it: with or without "bp-", or "latest".
Result<std::string> find_id(ReportSource& source, const std::string& text) {
  if (text == "latest") {
    const std::string listed = TRY(source.list(1));
    const JsonValue page = TRY(JsonValue::parse(listed));
    const std::string_view id = page["reports"].at(0)["id"].text_or("");
    if (id.empty()) return Error{Fault::not_found, "there is no crash report yet"};
    return std::string(id);
  }
  const auto id = reports::parse_report_id(text);
  if (!id) return Error{Fault::malformed, "\"" + text + "\" is no report id"};
  return *id;
}

bool is_waiting(const JsonValue& report) {
  const std::string_view state = report["state"].text_or("");
  return state == "queued" || state == "processing";
}

// The report, once it has been processed or the time is over.
Result<std::string> load_settled(ReportSource& source, const std::string& id,
                                 std::uint64_t wait_seconds) {
  const std::int64_t until =
      base::monotonic_us() + static_cast<std::int64_t>(wait_seconds) * 1'000'000;
  for (;;) {
    std::string text = TRY(source.load(id));
    const JsonValue report = TRY(JsonValue::parse(text));
    if (!is_waiting(report) || base::monotonic_us() >= until) return text;
    ::usleep(100'000);
  }
}

int run_list(int argc, char** argv) {
  Where where;
  std::uint64_t limit = 20;
  Options options("faultline report list", "The newest crash reports");
  where.declare(options);
  options.number("-n,--limit", limit, "how many (default 20, at most 500)");
  if (const auto code = options.parse(argc, argv)) return *code;
  auto source = where.open();
  if (!source.ok()) return fail_with(source.error());
  const auto listed = (*source)->list(limit);
  if (!listed.ok()) return fail_with(listed.error());
  if (where.json) {
    print(*listed + "\n");
    return kDone;
  }
  const auto page = JsonValue::parse(*listed);
  if (!page.ok()) return fail_with(page.error());
  const JsonValue& all = (*page)["reports"];
  for (std::size_t i = 0; i < all.size(); ++i) print(summary_as_text(all.at(i)));
  return kDone;
}

int run_show(int argc, char** argv) {
  Where where;
  std::string name;
  std::uint64_t wait = 0;
  Options options("faultline report show", "One report: what happened, and the crashing stack");
  where.declare(options);
  options.number("--wait", wait, "wait up to so many seconds until it has been processed");
  options.positional("ID", name, "report id, with or without bp-, or \"latest\"");
  if (const auto code = options.parse(argc, argv)) return *code;
  auto source = where.open();
  if (!source.ok()) return fail_with(source.error());
  const auto id = find_id(**source, name);
  if (!id.ok()) return fail_with(id.error());
  const auto text = load_settled(**source, *id, wait);
  if (!text.ok()) return fail_with(text.error());
  const auto report = JsonValue::parse(*text);
  if (!report.ok()) return fail_with(report.error());
  if (where.json) {
    print(*text + "\n");
  } else {
    print(report_as_text(*report));
    const std::string page = (*source)->page_of(*id);
    if (!page.empty()) print("\n" + page + "\n");
  }
  if (wait != 0 && is_waiting(*report)) return fail("the report is still being processed");
  return kDone;
}

int run_send(int argc, char** argv) {
  Where where;
  OutgoingReport report;
  std::vector<std::string> annotations;
  Options options("faultline report send", "Sends a minidump as a crash reporter would");
  where.declare(options);
  options.list("-a,--annotation", annotations, "NAME=VALUE, as often as needed");
  options.list("--attach", report.attachment_paths, "a further file, as often as needed");
  options.positional("DUMP", report.dump_path, "minidump file");
  if (const auto code = options.parse(argc, argv)) return *code;
  for (const std::string& annotation : annotations) {
    const auto equals = annotation.find('=');
    if (equals == 0 || equals == std::string::npos) {
      fail("--annotation " + annotation + ": expected NAME=VALUE");
      return kBadUsage;
    }
    report.annotations.push_back({annotation.substr(0, equals), annotation.substr(equals + 1)});
  }
  if (report.annotations.empty()) report.annotations.push_back({"SentBy", "faultline report"});
  auto source = where.open();
  if (!source.ok()) return fail_with(source.error());
  const auto id = (*source)->send(report);
  if (!id.ok()) return fail_with(id.error());
  const std::string page = (*source)->page_of(*id);
  if (where.json) {
    base::JsonWriter out;
    out.begin_object().key("id").string(*id).key("page").string(page).end_object();
    print(out.take() + "\n");
  } else {
    print("bp-" + *id + "\n");
    if (!page.empty()) print(page + "\n");
  }
  return kDone;
}

int run_reprocess(int argc, char** argv) {
  Where where;
  std::vector<std::string> names;
  Options options("faultline report reprocess", "Has reports processed again");
  where.declare(options);
  options.positionals("ID", names, "report ids, with or without bp-, or \"latest\"");
  if (const auto code = options.parse(argc, argv)) return *code;
  auto source = where.open();
  if (!source.ok()) return fail_with(source.error());
  for (const std::string& name : names) {
    const auto id = find_id(**source, name);
    if (!id.ok()) return fail_with(id.error());
    const auto asked = (*source)->reprocess(*id);
    if (!asked.ok()) return fail_with(asked.error());
    print(where.json ? "{\"id\":\"" + *id + "\",\"state\":\"queued\"}\n"
                     : "bp-" + *id + " queued\n");
  }
  return kDone;
}

struct Verb {
  std::string_view name;
  int (*run)(int argc, char** argv);
};
constexpr Verb kVerbs[] = {
    {"list", run_list}, {"show", run_show}, {"send", run_send}, {"reprocess", run_reprocess}};

}  // namespace

int run_report(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  for (const Verb& verb : kVerbs) {
    if (verb.name == name) return verb.run(argc - 1, argv + 1);
  }
  const bool asked = name == "--help" || name == "-h";
  std::fputs(
      "Usage: faultline report list|show|send|reprocess [OPTIONS]\n\n"
      "  list               the newest crash reports\n"
      "  show ID            what happened, and the stack of the crashing thread\n"
      "  send DUMP          send a minidump as a crash reporter would\n"
      "  reprocess ID…      process again\n\n"
      "Each with --help, --url URL, --data DIR, --json.\n",
      asked ? stdout : stderr);
  return asked ? kDone : kBadUsage;
}

}  // namespace cli
