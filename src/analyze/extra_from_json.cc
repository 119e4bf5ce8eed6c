#include "analyze/extra_from_json.h"

#include "base/json.h"
#include "base/text.h"

namespace analyze {
namespace {

using base::JsonValue;

// A module that two certificates name gets the last in order of certificates.
void read_certificates(const JsonValue& info, Extra& extra) {
  const JsonValue::Object* certificates = info.object();
  if (certificates == nullptr) return;
  for (const auto& [subject, modules] : *certificates) {
    for (std::size_t i = 0; i < modules.size(); ++i) {
      const std::string* name = modules.at(i).string();
      if (name != nullptr) extra.certificates[*name] = subject;
    }
  }
  extra.has_certificates = !certificates->empty();
}

}  // namespace

base::Result<Extra> extra_from_json(std::string_view text) {
  const JsonValue document = TRY(JsonValue::parse(text));
  if (document.object() == nullptr) {
    return base::Error{base::Fault::malformed, "extra information: expected a JSON object"};
  }
  Extra extra;
  const JsonValue& info = document["ModuleSignatureInfo"];
  if (const std::string* nested = info.string()) {
    const auto inner = JsonValue::parse(*nested);
    if (inner.ok()) read_certificates(*inner, extra);
  } else {
    read_certificates(info, extra);
  }
  const std::string_view microcode = document["CPUMicrocodeVersion"].text_or("");
  if (microcode.starts_with("0x")) extra.cpu_microcode = base::parse_hex(microcode.substr(2));
  return extra;
}

}  // namespace analyze
