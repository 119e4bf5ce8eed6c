#include "server/foreign_reader.h"

#include <algorithm>
#include <cmath>

namespace server {

using base::Error;
using base::Fault;
using base::Result;

Placed Placed::member(std::string_view name) const {
  std::string inner = place.empty() ? "" : place + ".";
  return {value[name], inner.append(name)};
}

Placed Placed::element(std::size_t index) const {
  return {value.at(index), place + "[" + std::to_string(index) + "]"};
}

Error ForeignReader::wrong(const Placed& at, std::string_view expected) const {
  return {Fault::malformed, file_ + ": " + at.place + ": expected " + std::string(expected)};
}

Result<std::optional<std::string>> ForeignReader::text(const Placed& at) const {
  if (at.is_absent()) return std::optional<std::string>();
  const std::string* text = at.value.string();
  if (text == nullptr) return wrong(at, "a text");
  // Lists are kept with a line for each item.
  if (text->find('\n') != std::string::npos) return wrong(at, "a text of one line");
  return std::optional(*text);
}

Result<std::optional<std::uint64_t>> ForeignReader::number(const Placed& at) const {
  constexpr double kLargest = 1e15;
  if (at.is_absent()) return std::optional<std::uint64_t>();
  if (const auto* whole = at.value.integer(); whole != nullptr && *whole >= 0) {
    return std::optional(static_cast<std::uint64_t>(*whole));
  }
  if (const auto* broken = at.value.number(); broken != nullptr) {
    if (*broken >= 0 && *broken <= kLargest) {
      return std::optional(static_cast<std::uint64_t>(std::ceil(*broken)));
    }
  }
  return wrong(at, "a number that is not negative");
}

Result<std::optional<bool>> ForeignReader::flag(const Placed& at) const {
  if (at.is_absent()) return std::optional<bool>();
  if (const bool* flag = at.value.boolean()) return std::optional(*flag);
  if (const auto* number = at.value.integer()) return std::optional(*number != 0);
  return wrong(at, "true or false");
}

Result<std::optional<std::vector<std::string>>> ForeignReader::texts(const Placed& at) const {
  if (at.is_absent()) return std::optional<std::vector<std::string>>();
  if (at.value.array() == nullptr) return wrong(at, "a list of texts");
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < at.value.size(); ++i) {
    const Placed item = at.element(i);
    const std::optional<std::string> one = TRY(text(item));
    if (!one) return wrong(item, "a text");
    texts.push_back(*one);
  }
  return std::optional(std::move(texts));
}

Result<void> ForeignReader::must_be_object(const Placed& at) const {
  if (at.is_absent() || at.value.object() != nullptr) return {};
  return wrong(at, "an object");
}

Result<void> ForeignReader::must_be_list(const Placed& at) const {
  if (at.is_absent() || at.value.array() != nullptr) return {};
  return wrong(at, "a list");
}

Result<void> ForeignReader::require(const Placed& at) const {
  if (!at.is_absent()) return {};
  return Error{Fault::malformed, file_ + ": Configuration value missing: " + at.place};
}

void ForeignReader::set(std::string key, std::string value, const Placed& from) {
  settings_.push_back({std::move(key), std::move(value), file_ + ": " + from.place});
}

void ForeignReader::warn(const Placed& about, std::string_view what) {
  std::string warning = file_ + ": " + about.place;
  warnings_.push_back(warning.append(": ").append(what));
}

void ForeignReader::warn_of_others(const Placed& object,
                                   std::initializer_list<std::string_view> known) {
  const base::JsonValue::Object* members = object.value.object();
  if (members == nullptr) return;
  for (const auto& [name, value] : *members) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      warn(object.member(name), "is no key that pySymProxy knows; it is ignored");
    }
  }
}

}  // namespace server
