#include "api/apple_traces.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "formats/apple_report/apple_report.h"

namespace api {

using apple_report::Report;
using base::Result;
using symbolicate::GivenField;
using symbolicate::Trace;
using symbolicate::TraceFrame;
using symbolicate::TraceModule;
using symbolicate::TraceQuestion;

namespace {

std::string_view find_head(const Report& report, std::string_view name) {
  const auto found = report.head.find(name);
  return found == report.head.end() ? std::string_view() : found->second;
}

// "X86-64 (Native)", "ARM-64"
std::string_view arch_of(std::string_view code_type) {
  const std::string_view word = code_type.substr(0, code_type.find(' '));
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"x86-64", "x86_64"}, {"x86_64", "x86_64"}, {"x86", "x86"},       {"i386", "x86"},
      {"arm-64", "arm64"},  {"arm64", "arm64"},   {"arm64e", "arm64e"}, {"arm", "arm"},
      {"ppc", "ppc"},       {"ppc-64", "ppc64"}};
  for (const auto& [given, name] : kNames) {
    if (base::equal_ignoring_case(given, word)) return name;
  }
  return "unknown";
}

struct System {
  std::string_view name, version, build;
};

// "Mac OS X 10.14.0 (18A391)" becomes macOS; others stay as they are.
System system_of(std::string_view text) {
  constexpr std::string_view kMac = "Mac OS X ";
  if (!text.starts_with(kMac)) return {text, "", ""};
  const std::string_view rest = text.substr(kMac.size());
  const std::string_view version = rest.substr(0, rest.find(' '));
  const bool is_version = std::count(version.begin(), version.end(), '.') == 2 &&
                          version.find_first_not_of("0123456789.") == std::string_view::npos;
  if (!is_version) return {text, "", ""};
  std::string_view build = base::trim(rest.substr(version.size()));
  if (build.starts_with('(') && build.ends_with(')')) build = build.substr(1, build.size() - 2);
  return {"macOS", version, build};
}

std::string_view details_of(const Report& report) {
  if (!report.application_information.empty()) return report.application_information;
  for (const std::string_view name :
       {"Exception Message", "Exception Subtype", "Exception Codes"}) {
    if (const std::string_view text = find_head(report, name); !text.empty()) return text;
  }
  return {};
}

std::string facts_of(const Report& report) {
  const System system = system_of(find_head(report, "OS Version"));
  base::JsonWriter out;
  out.begin_object();
  if (report.time) out.key("timestamp").integer(*report.time);
  out.key("system_info").begin_object();
  out.key("os_name").string(system.name);
  out.key("os_version").string(system.version);
  out.key("os_build").string(system.build);
  out.key("cpu_arch").string(arch_of(find_head(report, "Code Type")));
  out.key("device_model").string(find_head(report, "Hardware Model"));
  out.end_object();
  out.key("crashed").boolean(true);
  const std::string_view reason = find_head(report, "Exception Type");
  if (!reason.empty()) out.key("crash_reason").string(reason);
  const std::string_view details = details_of(report);
  if (!details.empty()) out.key("crash_details").string(details);
  const std::string text = out.end_object().take();
  return text.substr(1, text.size() - 2);
}

void add_frame(const apple_report::Frame& from, TraceQuestion& question) {
  TraceFrame frame;
  frame.address = from.address;
  frame.first_given = static_cast<std::uint32_t>(question.given.size());
  if (!from.module.empty()) {
    const std::size_t before = question.texts.size();
    base::append_json_string(question.texts, from.module);
    question.given.push_back({GivenField::package, static_cast<std::uint32_t>(before),
                              static_cast<std::uint32_t>(question.texts.size() - before)});
    frame.given_count = 1;
  }
  question.frames.push_back(frame);
}

void add_thread(const apple_report::Thread& from, TraceQuestion& question) {
  Trace trace;
  trace.thread_id = from.number;
  if (!from.name.empty()) trace.thread_name = std::string(from.name);
  trace.is_requesting = from.is_crashed;
  for (const auto& [name, value] : from.registers) {
    trace.registers.emplace_back(std::string(name), value);
  }
  std::sort(trace.registers.begin(), trace.registers.end());
  trace.first_frame = question.frames.size();
  trace.frame_count = from.frames.size();
  for (const apple_report::Frame& frame : from.frames) add_frame(frame, question);
  question.traces.push_back(std::move(trace));
}

TraceModule module_of(const apple_report::Image& image) {
  TraceModule module;
  module.type = "macho";
  module.code_id = image.uuid;
  module.code_file = std::string(image.path);
  module.debug_id = base::upper_ascii(image.uuid) + "0";
  module.debug_file = module.code_file;
  module.address = image.begin;
  if (image.end != image.begin) module.size = image.end - image.begin;
  return module;
}

}  // namespace

Result<TraceQuestion> traces_of_apple_report(std::string_view text) {
  const Report report = TRY(apple_report::parse(text));
  TraceQuestion question;
  question.facts = facts_of(report);
  question.modules.reserve(report.images.size());
  for (const apple_report::Image& image : report.images) {
    question.modules.push_back(module_of(image));
  }
  for (const apple_report::Thread& thread : report.threads) add_thread(thread, question);
  return question;
}

}  // namespace api
