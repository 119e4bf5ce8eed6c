#include "base/json.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/text.h"

namespace base {

namespace {

// ASCII that stands for itself in a JSON string: no control character, no '"', no '\\'.
constexpr std::array<bool, 256> make_plain() {
  std::array<bool, 256> plain{};
  for (unsigned c = 0x20; c < 0x80; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}
constexpr std::array<bool, 256> kPlain = make_plain();

// Not zero when one of eight bytes is none. A byte minus one borrows into its highest bit only when
// it was 0.
std::uint64_t odd_of(std::uint64_t bytes) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
  const auto has_zero = [](std::uint64_t x) { return (x - kOnes) & ~x & kHigh; };
  const std::uint64_t odd = ((bytes - 0x20 * kOnes) & ~bytes) | bytes |
                            has_zero(bytes ^ ('"' * kOnes)) | has_zero(bytes ^ ('\\' * kOnes));
  return odd & kHigh;
}
bool is_any(std::uint64_t odd) { return odd != 0; }

// The same of sixteen, as the compilers' vectors have them on any processor. As signed numbers the
// bytes above ASCII are below 0x20, too.
using Block = std::int8_t __attribute__((vector_size(16)));
Block odd_of(Block bytes) { return (bytes < 0x20) | (bytes == '"') | (bytes == '\\'); }
bool is_any(Block odd) {
  std::uint64_t halves[2];
  std::memcpy(halves, &odd, sizeof halves);
  return (halves[0] | halves[1]) != 0;
}

// How much of the text, from its start, is plain. Each chunk that is looked at is given to
// keep(at, chunk), the last one whole although some of it may not be plain: so who copies has the
// bytes in hand once. Chunks lie within the text and may overlap.
template <class Keep>
std::size_t plain_size(std::string_view text, const Keep& keep) {
  constexpr std::size_t kBlock = sizeof(Block), kWord = sizeof(std::uint64_t);
  const char* const bytes = text.data();
  const std::size_t size = text.size();
  const auto look_at = [&]<class Chunk>(std::size_t from, Chunk chunk) {
    std::memcpy(&chunk, bytes + from, sizeof chunk);
    keep(from, chunk);
    return odd_of(chunk);
  };
  std::size_t at = 0;
  for (; size - at >= 2 * kBlock; at += 2 * kBlock) {
    if (is_any(look_at(at, Block{}) | look_at(at + kBlock, Block{}))) break;
  }
  for (; size - at >= kBlock; at += kBlock) {
    if (is_any(look_at(at, Block{}))) break;
  }
  // The last ones, some of them for the second time.
  if (size - at < kBlock && size >= kBlock) {
    if (!is_any(look_at(size - kBlock, Block{}))) return size;
  } else if (size - at < kBlock && size >= kWord) {
    if (!is_any(look_at(0, std::uint64_t{}) | look_at(size - kWord, std::uint64_t{}))) return size;
  }
  for (; at < size && kPlain[static_cast<unsigned char>(bytes[at])]; ++at) keep(at, bytes[at]);
  return at;
}

constexpr std::size_t kOddMax = 6;  // bytes that one byte of text may become

// What stands for the start of the text, which is not plain, into `to`: kOddMax bytes at most.
struct Odd {
  std::size_t used;     // of the text
  std::size_t written;  // to `to`
};
Odd write_odd(char* to, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  const auto put = [&](std::string_view bytes, std::size_t used) {
    std::copy(bytes.begin(), bytes.end(), to);
    return Odd{used, bytes.size()};
  };
  const auto c = static_cast<unsigned char>(text[0]);
  if (c >= 0x80) {
    const std::size_t length = utf8_length_at(text, 0);
    return length == 0 ? put("\xef\xbf\xbd", 1) : put(text.substr(0, length), length);
  }
  switch (c) {
    case '"':
      return put("\\\"", 1);
    case '\\':
      return put("\\\\", 1);
    case '\b':
      return put("\\b", 1);
    case '\t':
      return put("\\t", 1);
    case '\n':
      return put("\\n", 1);
    case '\f':
      return put("\\f", 1);
    case '\r':
      return put("\\r", 1);
    default:
      const char escape[] = {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]};
      return put({escape, sizeof escape}, 1);
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (;;) {
    const std::size_t plain = plain_size(text, [](std::size_t, auto) {});
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    char odd[kOddMax];
    const auto [used, written] = write_odd(odd, text);
    out.append(odd, written);
    text.remove_prefix(used);
  }
  out += '"';
}

char* write_json_string(char* to, std::string_view text) {
  *to++ = '"';
  for (;;) {
    const std::size_t plain = plain_size(
        text, [to](std::size_t at, auto chunk) { std::memcpy(to + at, &chunk, sizeof chunk); });
    to += plain;
    text.remove_prefix(plain);
    if (text.empty()) break;
    const auto [used, written] = write_odd(to, text);
    to += written;
    text.remove_prefix(used);
  }
  *to++ = '"';
  return to;
}

void JsonWriter::new_line() {
  out_ += '\n';
  out_.append(2 * has_items_.size(), ' ');
}

void JsonWriter::before_value() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (has_items_.empty()) return;
  if (has_items_.back()) out_ += ',';
  has_items_.back() = true;
  if (pretty_) new_line();
}

JsonWriter& JsonWriter::open(char bracket) {
  before_value();
  out_ += bracket;
  has_items_.push_back(false);
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  ASSERT(!has_items_.empty());
  const bool had_items = has_items_.back();
  has_items_.pop_back();
  if (pretty_ && had_items) new_line();
  out_ += bracket;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  before_value();
  append_json_string(out_, name);
  out_ += pretty_ ? ": " : ":";
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view text) {
  before_value();
  append_json_string(out_, text);
  return *this;
}

namespace {
template <class T>
void append_number(std::string& out, T value) {
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
}
}  // namespace

JsonWriter& JsonWriter::integer(std::int64_t value) {
  before_value();
  append_number(out_, value);
  return *this;
}

JsonWriter& JsonWriter::unsigned_integer(std::uint64_t value) {
  before_value();
  append_number(out_, value);
  return *this;
}

JsonWriter& JsonWriter::number(double value) {
  if (!std::isfinite(value)) return null();
  before_value();
  const std::size_t start = out_.size();
  append_number(out_, value);
  if (out_.find_first_of(".e", start) == std::string::npos) out_ += ".0";
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) { return raw(value ? "true" : "false"); }
JsonWriter& JsonWriter::null() { return raw("null"); }

JsonWriter& JsonWriter::raw(std::string_view json) {
  before_value();
  out_ += json;
  return *this;
}

namespace {

constexpr std::size_t kMaxDepth = 200;

JsonValue convert(const simdjson::dom::element& element) {
  using simdjson::dom::element_type;
  switch (element.type()) {
    case element_type::ARRAY: {
      JsonValue::Array array;
      for (const auto item : simdjson::dom::array(element)) array.push_back(convert(item));
      return JsonValue(std::move(array));
    }
    case element_type::OBJECT: {
      JsonValue::Object object;
      for (const auto field : simdjson::dom::object(element)) {
        object.insert_or_assign(std::string(field.key), convert(field.value));
      }
      return JsonValue(std::move(object));
    }
    case element_type::INT64:
      return JsonValue(std::int64_t(element));
    case element_type::UINT64:
      return JsonValue(std::uint64_t(element));
    case element_type::DOUBLE:
      return JsonValue(double(element));
    case element_type::STRING:
      return JsonValue(std::string(std::string_view(element)));
    case element_type::BOOL:
      return JsonValue(bool(element));
    case element_type::NULL_VALUE:
      break;
  }
  return {};
}

}  // namespace

Result<JsonValue> JsonValue::parse(std::string_view text) {
  simdjson::dom::parser parser;
  if (parser.allocate(text.size(), kMaxDepth) != simdjson::SUCCESS) {
    return Error{Fault::too_large,
                 "JSON of " + std::to_string(text.size()) + " bytes is too large"};
  }
  const simdjson::padded_string padded(text);
  simdjson::dom::element root;
  if (const auto code = parser.parse(padded).get(root); code != simdjson::SUCCESS) {
    return Error{Fault::malformed, std::string("not JSON: ") + simdjson::error_message(code)};
  }
  return convert(root);
}

namespace {
const JsonValue kNull;
}

const JsonValue& JsonValue::operator[](std::string_view name) const {
  const Object* members = object();
  if (members == nullptr) return kNull;
  const auto found = members->find(name);
  return found == members->end() ? kNull : found->second;
}

const JsonValue& JsonValue::at(std::size_t index) const {
  const Array* items = array();
  return items == nullptr || index >= items->size() ? kNull : (*items)[index];
}

std::string_view JsonValue::text_or(std::string_view other) const {
  return string() != nullptr ? std::string_view(*string()) : other;
}

std::int64_t JsonValue::integer_or(std::int64_t other) const {
  return integer() != nullptr ? *integer() : other;
}

std::size_t JsonValue::size() const {
  if (array() != nullptr) return array()->size();
  return object() != nullptr ? object()->size() : 0;
}

void JsonValue::write(JsonWriter& out) const {
  if (const bool* flag = boolean()) {
    out.boolean(*flag);
  } else if (integer() != nullptr) {
    out.integer(*integer());
  } else if (unsigned_integer() != nullptr) {
    out.unsigned_integer(*unsigned_integer());
  } else if (number() != nullptr) {
    out.number(*number());
  } else if (string() != nullptr) {
    out.string(*string());
  } else if (array() != nullptr) {
    out.begin_array();
    for (const JsonValue& item : *array()) item.write(out);
    out.end_array();
  } else if (object() != nullptr) {
    out.begin_object();
    for (const auto& [name, value] : *object()) {
      out.key(name);
      value.write(out);
    }
    out.end_object();
  } else {
    out.null();
  }
}

}  // namespace base
