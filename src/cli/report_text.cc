#include "cli/report_text.h"

#include <fmt/core.h>

namespace cli {
namespace {

using base::JsonValue;

std::string text_of(const JsonValue& value) { return printable(value.text_or("")); }

std::string short_hex(std::string_view hex) {
  if (hex.substr(0, 2) != "0x") return printable(hex);
  const auto digits = hex.find_first_not_of('0', 2);
  return "0x" + printable(digits == std::string_view::npos ? "0" : hex.substr(digits));
}

// " at crash.cc:12"; "" without a file.
std::string source_of(const JsonValue& place) {
  if (place["file"].string() == nullptr) return {};
  std::string source = " at " + text_of(place["file"]);
  const std::int64_t line = place["line"].integer_or(0);
  return line > 0 ? source + ":" + std::to_string(line) : source;
}

std::string place_of(const JsonValue& frame) {
  if (frame["module"].string() == nullptr) return short_hex(frame["offset"].text_or("?"));
  return text_of(frame["module"]) + "+" + short_hex(frame["module_offset"].text_or("0x0"));
}

void add_frame(std::string& out, const JsonValue& frame) {
  const std::int64_t number = frame["frame"].integer_or(0);
  const JsonValue& inlines = frame["inlines"];
  for (std::size_t i = 0; i < inlines.size(); ++i) {
    const JsonValue& inlined = inlines.at(i);
    out += fmt::format("{:>3}  {}{}  (inlined)\n", number, text_of(inlined["function"]),
                       source_of(inlined));
  }
  const bool named = frame["function"].string() != nullptr;
  out += fmt::format("{:>3}  {}{}  [{}] {}\n", number,
                     named ? text_of(frame["function"]) : "(no symbols)", source_of(frame),
                     place_of(frame), text_of(frame["trust"]));
}

void add_stack(std::string& out, const JsonValue& processed) {
  const JsonValue& thread = processed["crashing_thread"];
  if (thread["frames"].size() == 0) {
    out += "\nThe dump does not say which thread crashed.\n";
    return;
  }
  out += fmt::format("\nThread {}", thread["threads_index"].integer_or(0));
  const std::string name = text_of(thread["thread_name"]);
  if (!name.empty()) out += " " + name;
  out += processed["crash_info"]["type"].string() != nullptr ? " (crashed)\n" : "\n";
  for (std::size_t i = 0; i < thread["frames"].size(); ++i) {
    add_frame(out, thread["frames"].at(i));
  }
}

void add_missing(std::string& out, const JsonValue& modules) {
  for (std::size_t i = 0; i < modules.size(); ++i) {
    const JsonValue& module = modules.at(i);
    const bool* missing = module["missing_symbols"].boolean();
    if (missing == nullptr || !*missing) continue;
    out += fmt::format("no symbols for {} {}\n", text_of(module["debug_file"]),
                       text_of(module["debug_id"]));
  }
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  return out;
}

std::string report_as_text(const JsonValue& report) {
  std::string out = fmt::format("bp-{}  {}\n", text_of(report["id"]), text_of(report["state"]));
  const JsonValue& processed = report["processed"];
  if (!report["reason"].text_or("").empty()) {
    out += fmt::format("{} at {}\n", text_of(report["reason"]),
                       short_hex(report["address"].text_or("")));
  }
  std::string facts;
  for (const char* name : {"product", "version", "system"}) {
    const std::string fact = text_of(report[name]);
    if (!fact.empty()) facts += (facts.empty() ? "" : ", ") + fact;
  }
  out += facts + (facts.empty() ? "received " : ", received ") + text_of(report["received"]) + "\n";
  if (!report["error"].text_or("").empty()) out += text_of(report["error"]) + "\n";
  if (processed.object() == nullptr) return out;
  add_stack(out, processed);
  std::string missing;
  add_missing(missing, processed["modules"]);
  return missing.empty() ? out : out + "\n" + missing;
}

std::string summary_as_text(const JsonValue& summary) {
  const std::string what = text_of(summary["signature"]);
  return fmt::format("{}  {:<10}  {}  {}  {}\n", text_of(summary["received"]),
                     text_of(summary["state"]), text_of(summary["id"]), what.empty() ? "-" : what,
                     text_of(summary["reason"]));
}

}  // namespace cli
