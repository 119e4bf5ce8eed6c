#include "ui/report_page.h"

#include <map>
#include <optional>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "ui/layout.h"
#include "ui/module_table.h"
#include "ui/stack_table.h"

namespace ui {
namespace {

using base::JsonValue;
using reports::Report;

constexpr std::size_t kFoldedValueLength = 240;

void add_fact(Html& html, Literal name, std::string_view value) {
  if (value.empty()) return;
  html.open("div").element("dt", name.view());
  html.open("dd").element("bdi", value);
  html.close().close();
}

// "null pointer + 0x8", where the analysis says more than the bare address.
std::string address_remark(const JsonValue& crash) {
  const JsonValue& adjusted = crash["adjusted_address"];
  const std::string_view kind = adjusted["kind"].text_or("");
  if (kind == "null-pointer") {
    const std::string offset = short_hex(adjusted["offset"].text_or("0x0"));
    return offset == "0x0" ? "null pointer" : "null pointer + " + offset;
  }
  if (kind == "non-canonical") {
    return "non-canonical address " + short_hex(adjusted["address"].text_or(""));
  }
  return {};
}

void add_reason(Html& html, const JsonValue& crash) {
  const std::string_view type = crash["type"].text_or("");
  html.open("p", {{"class", "cause"}});
  if (type.empty()) {
    html.text("No exception: the program asked for this dump.");
  } else {
    html.element("strong", type);
    if (crash["address"].string() != nullptr) {
      html.text(" at ").element("code", short_hex(crash["address"].text_or("")));
    }
    const std::string remark = address_remark(crash);
    if (!remark.empty()) html.open("span", {{"class", "remark"}}).text(remark).close();
  }
  html.close();
  if (const std::string* instruction = crash["instruction"].string()) {
    html.open("p", {{"class", "quiet"}}).text("Crashing instruction ");
    html.element("code", *instruction).close();
  }
}

void add_facts(Html& html, const Report& report, const JsonValue& processed) {
  html.open("dl", {{"class", "facts"}});
  add_fact(html, "Product", report.summary.product);
  add_fact(html, "Version", report.summary.version);
  html.open("div").element("dt", "Received").open("dd");
  add_time(html, report.summary.received);
  html.text(" UTC").close().close();
  const JsonValue& system = processed["system_info"];
  add_fact(html, "System",
           system["os"].string() != nullptr
               ? *system["os"].string() + " " + std::string(system["os_ver"].text_or(""))
               : report.summary.system);
  std::string cpu(system["cpu_arch"].text_or(""));
  const auto count = system["cpu_count"].integer_or(0);
  if (count > 0) cpu += ", " + std::to_string(count) + (count == 1 ? " core" : " cores");
  add_fact(html, "CPU", cpu);
  const std::int64_t pid = processed["pid"].integer_or(-1);
  if (pid >= 0) add_fact(html, "Process", std::to_string(pid));
  const std::int64_t uptime = processed["process_uptime"].integer_or(-1);
  if (uptime >= 0) add_fact(html, "Uptime", std::to_string(uptime) + " s");
  html.open("div").element("dt", "State").open("dd");
  add_state_mark(html, report.summary);
  html.close().close();
  add_fact(html, "Report", "bp-" + report.summary.id);
  html.close();
}

std::string thread_title(const JsonValue& thread, std::size_t index) {
  std::string title = "Thread " + std::to_string(index);
  const std::string_view name = thread["thread_name"].text_or("");
  if (!name.empty()) title += " · " + std::string(name);
  return title;
}

// Names of the context's registers in the machine's order are lost in sorted JSON: sorted it is.
void add_registers(Html& html, const JsonValue& frame) {
  const auto* registers = frame["registers"].object();
  if (registers == nullptr || registers->empty()) return;
  html.open("details", {{"class", "registers"}});
  html.element("summary", "Registers");
  html.open("dl");
  for (const auto& [name, value] : *registers) {
    html.open("div")
        .element("dt", name)
        .open("dd")
        .element("code", value.text_or(""))
        .close()
        .close();
  }
  html.close().close();
}

void add_crashing_thread(Html& html, const JsonValue& processed) {
  const JsonValue& thread = processed["crashing_thread"];
  html.open("section", {{"aria-labelledby", "crashing"}});
  html.open("h2", {{"id", "crashing"}});
  if (thread["frames"].size() == 0) {
    html.text("Crashing thread").close();
    html.element("p", {{"class", "quiet"}}, "The dump does not say which thread crashed.");
    html.close();
    return;
  }
  const auto index = static_cast<std::size_t>(thread["threads_index"].integer_or(0));
  html.element("bdi", thread_title(thread, index));
  html.text(" ");
  const bool crashed = processed["crash_info"]["type"].string() != nullptr;
  add_mark(html, "bad", "✕", crashed ? "crashed" : "asked for the dump");
  html.close();
  add_stack(html, thread, "Stack of the crashing thread");
  add_registers(html, thread["frames"].at(0));
  html.close();
}

struct ThreadGroup {
  std::size_t first = 0;
  std::vector<std::size_t> all;
};

// Threads at the same places are one entry: servers have hundreds that wait alike.
std::vector<ThreadGroup> group_threads(const JsonValue& threads,
                                       std::optional<std::size_t> without) {
  std::vector<ThreadGroup> groups;
  std::map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < threads.size(); ++i) {
    if (without && *without == i) continue;
    const auto [at, added] = known.emplace(stack_key(threads.at(i)), groups.size());
    if (added) groups.push_back({i, {}});
    groups[at->second].all.push_back(i);
  }
  return groups;
}

std::string group_title(const JsonValue& threads, const ThreadGroup& group) {
  if (group.all.size() == 1) return thread_title(threads.at(group.first), group.first);
  std::string title = std::to_string(group.all.size()) + " threads alike: ";
  constexpr std::size_t kNamedMax = 8;
  for (std::size_t i = 0; i < std::min(group.all.size(), kNamedMax); ++i) {
    title += (i == 0 ? "" : ", ") + std::to_string(group.all[i]);
  }
  return group.all.size() > kNamedMax ? title + ", …" : title;
}

void add_other_threads(Html& html, const JsonValue& processed) {
  const JsonValue& threads = processed["threads"];
  std::optional<std::size_t> crashing;
  if (processed["crashing_thread"].object() != nullptr) {
    crashing =
        static_cast<std::size_t>(processed["crashing_thread"]["threads_index"].integer_or(0));
  }
  const auto groups = group_threads(threads, crashing);
  if (groups.empty()) return;
  html.open("section", {{"aria-labelledby", "threads"}});
  html.element("h2", {{"id", "threads"}}, crashing ? "Other threads" : "Threads");
  for (const ThreadGroup& group : groups) {
    const JsonValue& thread = threads.at(group.first);
    const std::string title = group_title(threads, group);
    html.open("details", {{"class", "thread"}}).open("summary");
    html.element("bdi", {{"class", "name"}}, title);
    html.element("bdi", {{"class", "top"}}, top_of_stack(thread));
    html.open("span", {{"class", "quiet"}}).number(thread["frames"].size()).text(" frames").close();
    html.close();
    add_stack(html, thread, "Stack of " + title);
    html.close();
  }
  html.close();
}

void add_value(Html& html, std::string_view value) {
  html.open("td", {{"class", "value"}});
  if (!base::is_utf8(value)) add_mark(html, "warn", "▲", "not UTF-8");
  if (value.size() <= kFoldedValueLength && value.find('\n') == std::string_view::npos) {
    html.element("bdi", value);
  } else {
    html.open("details").open("summary");
    html.element("bdi", value.substr(0, std::min(value.find('\n'), std::size_t{120})));
    html.open("span", {{"class", "quiet"}})
        .text(" … ")
        .text(base::human_size(value.size()))
        .close();
    html.close().element("pre", value).close();
  }
  html.close();
}

void add_annotations(Html& html, const Report& report) {
  if (report.annotations.empty()) return;
  html.open("section", {{"aria-labelledby", "annotations"}});
  html.element("h2", {{"id", "annotations"}}, "Annotations");
  html.open("table", {{"class", "annotations"}});
  html.markup("<thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Value</th></tr></thead>");
  html.open("tbody");
  for (const reports::Annotation& annotation : report.annotations) {
    html.open("tr").open("th", {{"scope", "row"}}).element("bdi", annotation.name).close();
    add_value(html, annotation.value);
    html.close();
  }
  html.close().close().close();
}

void add_files(Html& html, const Report& report) {
  html.open("section", {{"aria-labelledby", "files"}});
  html.element("h2", {{"id", "files"}}, "Raw data");
  html.open("ul", {{"class", "files"}});
  const std::string base_url = "/api/v1/reports/" + report.summary.id;
  for (std::size_t i = 0; i < report.files.size(); ++i) {
    const reports::StoredFile& file = report.files[i];
    const bool main = &file == report.main_dump();
    const std::string url = main ? base_url + "/dump" : base_url + "/files/" + std::to_string(i);
    html.open("li").open("a", {{"href", url}, {"download", ""}});
    html.element("bdi", file.name).close();
    html.open("span", {{"class", "quiet"}});
    html.text(main                                   ? " minidump, "
              : file.kind == reports::FileKind::dump ? " further dump, "
                                                     : " attachment, ");
    html.text(base::human_size(file.size));
    if (!file.file_name.empty()) html.text(", sent as ").element("bdi", file.file_name);
    html.close().close();
  }
  if (!report.processed_sha256.empty()) {
    html.open("li").element("a", {{"href", base_url + "/processed"}}, "Processed JSON");
    html.element("span", {{"class", "quiet"}}, " as minidump-stackwalk writes it").close();
  }
  html.open("li").element("a", {{"href", base_url}}, "Report as JSON");
  html.element("span", {{"class", "quiet"}}, " annotations, files and the processed form").close();
  html.close().close();
}

void add_notes(Html& html, const Report& report) {
  if (report.notes.empty()) return;
  html.open("section", {{"aria-labelledby", "notes"}});
  html.element("h2", {{"id", "notes"}}, "Notes");
  html.open("ul");
  for (const std::string& note : report.notes) html.open("li").element("bdi", note).close();
  html.close().close();
}

void add_waiting(Html& html, const Report& report) {
  const std::string url = "/api/v1/reports/" + report.summary.id;
  html.open("fl-pending", {{"src", url}});
  html.open("p", {{"class", "banner"}, {"role", "status"}});
  html.text(
      "The report is safe on disk and is being processed. This page shows the result by itself.");
  html.close().close();
}

bool is_waiting(const Report& report) {
  return report.summary.state == reports::State::queued ||
         report.summary.state == reports::State::processing;
}

}  // namespace

void add_state_mark(Html& html, const reports::Summary& report) {
  switch (report.state) {
    case reports::State::queued:
      return add_mark(html, "plain", "…", "queued");
    case reports::State::processing:
      return add_mark(html, "plain", "↻", "processing");
    case reports::State::failed:
      return add_mark(html, "bad", "✕", "failed");
    case reports::State::done:
      break;
  }
  if (report.error.empty()) return add_mark(html, "good", "✓", "done");
  add_mark(html, "warn", "▲", "unreadable");
}

std::string report_page(const Report& report, std::string_view processed_json,
                        std::string_view server_url) {
  const auto parsed = JsonValue::parse(processed_json.empty() ? "null" : processed_json);
  static const JsonValue kNothing;
  const JsonValue& processed = parsed.ok() ? *parsed : kNothing;
  const std::string title =
      report.summary.signature.empty() ? "Crash report" : report.summary.signature;
  return page({title, Section::crashes, is_waiting(report)}, [&](Html& html) {
    html.open("header", {{"class", "crash"}});
    html.open("h1").element("bdi", title).close();
    if (processed.object() != nullptr) add_reason(html, processed["crash_info"]);
    if (is_waiting(report)) add_waiting(html, report);
    if (!report.summary.error.empty()) {
      html.open("p", {{"class", "banner bad"}}).text("Processing: ");
      html.element("bdi", report.summary.error).close();
    }
    add_facts(html, report, processed);
    html.close();
    if (processed.object() != nullptr) {
      add_crashing_thread(html, processed);
      add_other_threads(html, processed);
      html.open("section", {{"aria-labelledby", "modules"}});
      html.element("h2", {{"id", "modules"}}, "Modules");
      add_modules(html, processed["modules"], server_url);
      html.close();
    }
    add_annotations(html, report);
    add_files(html, report);
    add_notes(html, report);
  });
}

}  // namespace ui
