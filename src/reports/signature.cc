#include "reports/signature.h"

#include <algorithm>

#include "base/text.h"

namespace reports {
namespace {

using base::JsonValue;

constexpr std::size_t kSignatureFrames = 3;
constexpr std::size_t kSignatureLengthMax = 255;  // Socorro's
constexpr std::size_t kFramesLookedAt = 30;
constexpr std::size_t kMissingMax = 2000;

// Cuts at a character, not within one.
std::string cut(std::string text, std::size_t length_max) {
  if (text.size() <= length_max) return text;
  while (length_max > 0 && (static_cast<unsigned char>(text[length_max]) & 0xc0) == 0x80)
    --length_max;
  text.resize(length_max);
  return text + "…";
}

void add_function(std::vector<std::string>& names, const JsonValue& function) {
  if (const std::string* name = function.string()) {
    if (names.size() < kSignatureFrames) names.emplace_back(without_arguments(*name));
  }
}

std::string place_in_module(const JsonValue& frame) {
  const std::string* module = frame["module"].string();
  if (module == nullptr) return std::string(frame["offset"].text_or("unknown"));
  std::string_view offset = frame["module_offset"].text_or("0x0");
  offset.remove_prefix(std::min<std::size_t>(2, offset.size()));
  const auto digits = offset.find_first_not_of('0');
  return *module + "@0x" +
         std::string(digits == std::string_view::npos ? "0" : offset.substr(digits));
}

std::string signature_of(const JsonValue& thread) {
  const JsonValue& frames = thread["frames"];
  if (frames.size() == 0) return "EMPTY: no crashing thread identified";
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(frames.size(), kFramesLookedAt); ++i) {
    const JsonValue& frame = frames.at(i);
    for (std::size_t j = 0; j < frame["inlines"].size(); ++j) {
      add_function(names, frame["inlines"].at(j)["function"]);
    }
    add_function(names, frame["function"]);
    // The place of the crash itself counts even without a name; further down only names do.
    if (i == 0 && names.empty()) names.push_back(place_in_module(frame));
  }
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : " | ") + name;
  return cut(std::move(joined), kSignatureLengthMax);
}

std::string system_of(const JsonValue& system) {
  std::string text(system["os"].text_or("unknown system"));
  const std::string_view version = base::trim(system["os_ver"].text_or(""));
  // Linux writes a whole uname there; its release is the part that people compare.
  if (!version.empty()) text += ' ' + std::string(version.substr(0, version.find(' ')));
  text += ' ' + std::string(system["cpu_arch"].text_or("unknown"));
  return cut(std::move(text), 120);
}

}  // namespace

std::string_view without_arguments(std::string_view function) {
  std::string_view rest = function;
  for (const std::string_view word : {" const", " volatile", " &&", " &", " noexcept"}) {
    if (rest.size() > word.size() && rest.substr(rest.size() - word.size()) == word) {
      rest.remove_suffix(word.size());
    }
  }
  if (rest.empty() || rest.back() != ')') return function;
  std::size_t depth = 0;
  for (std::size_t at = rest.size(); at-- > 0;) {
    if (rest[at] == ')') ++depth;
    if (rest[at] == '(' && --depth == 0) {
      const std::string_view name = rest.substr(0, at);
      const bool is_call_operator = name.size() >= 8 && name.substr(name.size() - 8) == "operator";
      return name.empty() || is_call_operator ? function : name;
    }
  }
  return function;
}

base::Result<Outcome> outcome_from_processed(std::string_view json) {
  const JsonValue root = TRY(JsonValue::parse(json));
  if (root.object() == nullptr || root["threads"].array() == nullptr) {
    return base::Error{base::Fault::malformed, "processed report: is no object with threads"};
  }
  Outcome outcome;
  const JsonValue& crash = root["crash_info"];
  outcome.reason = cut(std::string(crash["type"].text_or("")), 300);
  outcome.address = std::string(crash["address"].text_or(""));
  outcome.system = system_of(root["system_info"]);
  outcome.signature = signature_of(root["crashing_thread"]);
  const JsonValue& modules = root["modules"];
  for (std::size_t i = 0; i < modules.size() && outcome.missing_debug_ids.size() < kMissingMax;
       ++i) {
    const JsonValue& module = modules.at(i);
    const std::string_view id = module["debug_id"].text_or("");
    const bool* missing = module["missing_symbols"].boolean();
    if (missing == nullptr || !*missing || id.find_first_not_of('0') == std::string_view::npos)
      continue;
    outcome.missing_debug_ids.push_back(base::upper_ascii(id));
  }
  return outcome;
}

}  // namespace reports
