// JSON out and in. JsonWriter streams into a string in the caller's order; JsonValue is a small
// tree for reading documents of ours and of clients (simdjson parses, behind json.cc).
// Strings are written as UTF-8 with only '"', '\' and control characters escaped; bytes that
// are not UTF-8 become U+FFFD, so that what we write is always valid.
// A writer belongs to one thread; a value is immutable after parse().
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace base {

class JsonWriter {
 public:
  enum class Style : unsigned char { compact, pretty };  // pretty: two spaces, "key": value
  explicit JsonWriter(Style style = Style::compact) : pretty_(style == Style::pretty) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& string(std::string_view text);
  JsonWriter& integer(std::int64_t value);
  JsonWriter& unsigned_integer(std::uint64_t value);
  JsonWriter& number(double value);  // shortest digits that give the same double; always has . or e
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  // REQUIRES: one well-formed value

  const std::string& text() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void before_value();
  void new_line();

  std::string out_;
  std::vector<bool> has_items_;  // one for each open bracket
  bool after_key_ = false;
  bool pretty_ = false;
};

// Appends text as a quoted JSON string.
void append_json_string(std::string& out, std::string_view text);
// The same into memory that has room for json_string_room(text) bytes; where it ends.
char* write_json_string(char* to, std::string_view text);
constexpr std::size_t json_string_room(std::string_view text) { return 6 * text.size() + 2; }

class JsonValue {
 public:
  using Array = std::vector<JsonValue>;
  using Object = std::map<std::string, JsonValue, std::less<>>;  // sorted by bytes; last one wins

  // malformed when the text is not one JSON document. Nesting is limited to 200.
  static Result<JsonValue> parse(std::string_view text);

  JsonValue() = default;
  template <class T>
  explicit JsonValue(T value) : data_(std::move(value)) {}

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(data_); }
  const bool* boolean() const { return std::get_if<bool>(&data_); }
  const std::string* string() const { return std::get_if<std::string>(&data_); }
  const Array* array() const { return std::get_if<Array>(&data_); }
  const Object* object() const { return std::get_if<Object>(&data_); }
  // Integers of either sign, and doubles, each only if stored as such.
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&data_); }
  const std::uint64_t* unsigned_integer() const { return std::get_if<std::uint64_t>(&data_); }
  const double* number() const { return std::get_if<double>(&data_); }

  // The member `name`, or a null value when this is no object or has none: chains read well.
  const JsonValue& operator[](std::string_view name) const;
  // The element, or a null value.
  const JsonValue& at(std::size_t index) const;
  std::string_view text_or(std::string_view other) const;
  std::int64_t integer_or(std::int64_t other) const;
  std::size_t size() const;

  void write(JsonWriter& out) const;

 private:
  std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, std::string, Array,
               Object>
      data_ = nullptr;
};

}  // namespace base
