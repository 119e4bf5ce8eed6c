#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "symbolicate/document_with_simdjson.h"
#include "symbolicate/question.h"

namespace symbolicate {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using simdjson::dom::element;
using simdjson::dom::element_type;

Error refuse(std::string what) { return {Fault::malformed, std::move(what)}; }

struct Number {
  bool is_negative = false;
  bool is_long = false;     // beyond 64 bits: Document::find_long() tells it
  std::uint64_t value = 0;  // some large number where it is long
};

std::optional<Number> find_short_integer(element value, bool takes_booleans) {
  switch (value.type()) {
    case element_type::INT64: {
      const std::int64_t number = value.get_int64().value_unsafe();
      const auto bits = static_cast<std::uint64_t>(number);
      return Number{number < 0, false, number < 0 ? 0 - bits : bits};
    }
    case element_type::UINT64:
      return Number{false, false, value.get_uint64().value_unsafe()};
    case element_type::BOOL:
      if (!takes_booleans) return std::nullopt;
      return Number{false, false, value.get_bool().value_unsafe() ? 1u : 0u};
    default:
      return std::nullopt;
  }
}

std::optional<Number> find_integer(const Document& document, element value, bool takes_booleans) {
  const auto number = find_short_integer(value, takes_booleans);
  if (!number || number->value < Document::kFirstLong) return number;
  const auto found = number->is_negative ? std::nullopt : document.find_long(number->value);
  if (!found) return number;
  const auto fitting = found->is_negative ? std::nullopt : base::parse_hex(found->hex);
  if (fitting) return Number{false, false, *fitting};
  return Number{found->is_negative, true, number->value};
}

// The words of one dialect, while one job is read.
class JobReader {
 public:
  JobReader(const Document& document, Dialect dialect, std::size_t number)
      : document_(document), dialect_(dialect), number_(number) {}

  Result<Job> read(element value) {
    simdjson::dom::object members;
    if (value.get(members)) return refuse(fmt::format("job {} is invalid", number_));
    element stacks;
    element modules;
    if (members.at_key("stacks").get(stacks)) return lacks("stacks");
    if (members.at_key("memoryMap").get(modules)) return lacks("memoryMap");
    TRY(read_modules(modules));
    TRY(read_stacks(stacks));
    return std::move(job_);
  }

 private:
  bool is_old() const { return symbolicate::is_old(dialect_); }

  Error lacks(const char* key) const {
    return refuse(fmt::format("job {} is invalid: no {} specified", number_, key));
  }
  Error bad_modules(const std::string& what) const {
    return refuse(fmt::format("job {} has invalid modules: {}", number_, what));
  }
  Error bad_stacks(const std::string& what) const {
    return refuse(fmt::format("job {} has invalid stacks: {}", number_, what));
  }
  Error bad_stack(const char* what) const {
    return bad_stacks(fmt::format("stack {} {}", job_.ends.size(), what));
  }
  Error bad_frame(std::size_t first, const char* what) const {
    return bad_stacks(
        fmt::format("stack {} frame {} {}", job_.ends.size(), job_.frames.size() - first, what));
  }

  Result<void> read_modules(element value) {
    simdjson::dom::array list;
    if (value.get(list)) return bad_modules("modules must be a list");
    job_.modules.reserve(list.size());
    for (const element entry : list) {
      simdjson::dom::array pair;
      if (entry.get(pair) || pair.size() != 2) {
        return bad_modules(fmt::format(
            "module index {} does not have a debug_filename and debug_id", job_.modules.size()));
      }
      std::string_view name;
      std::string_view id;
      if (pair.at(0).get(name)) return bad_module("debug_filename");
      if (pair.at(1).get(id)) return bad_module("debug_id");
      job_.modules.push_back({std::string(name), std::string(id)});
    }
    return {};
  }

  Error bad_module(const char* what) const {
    return bad_modules(fmt::format("module index {} has an invalid {}", job_.modules.size(), what));
  }

  Result<void> read_stacks(element value) {
    simdjson::dom::array list;
    if (value.get(list)) return bad_stacks("stacks must be a list of lists");
    job_.ends.reserve(list.size());
    job_.frames.reserve(count_frames(list));
    for (const element entry : list) {
      simdjson::dom::array stack;
      if (entry.get(stack)) return bad_stack("is not a list");
      const std::size_t first = job_.frames.size();
      for (const element frame : stack) TRY(read_frame(frame, first));
      job_.ends.push_back(job_.frames.size());
    }
    if (job_.ends.empty() && !is_old()) return bad_stacks("no stacks specified");
    return {};
  }

  // The lengths that simdjson tells end at 16 777 215, so this is a guess for larger bodies.
  static std::size_t count_frames(const simdjson::dom::array& stacks) {
    std::size_t count = 0;
    simdjson::dom::array stack;
    for (const element entry : stacks) count += entry.get(stack) ? 0 : stack.size();
    return count;
  }

  Result<void> read_frame(element value, std::size_t first) {
    simdjson::dom::array pair;
    if (value.get(pair)) return bad_frame(first, "is not a list of two items");
    auto item = pair.begin();
    if (item == pair.end()) return bad_frame(first, "is not a list of two items");
    const auto index = find_integer(document_, *item, is_old());
    if (++item == pair.end()) return bad_frame(first, "is not a list of two items");
    const auto offset = find_integer(document_, *item, is_old());
    if (++item != pair.end()) return bad_frame(first, "is not a list of two items");

    if (!index) return bad_frame(first, "has an invalid module_index");
    AskedFrame frame;
    if (!index->is_negative) {
      if (index->value >= job_.modules.size()) return no_such_module(first);
      frame.module = static_cast<std::uint32_t>(index->value);
    } else if (index->value != 1 && dialect_ == Dialect::snappy) {
      // From the end, as Python counts: -2 is the last but one.
      if (index->value > job_.modules.size()) return no_such_module(first);
      frame.module = static_cast<std::uint32_t>(job_.modules.size() - index->value);
    } else if (index->value != 1 && !is_old()) {
      return no_such_module(first);
    }
    if (!offset || (offset->is_negative && offset->value != 1 && !is_old())) {
      return bad_frame(first, "has an invalid module_offset");
    }
    frame.is_negative = offset->is_negative;
    frame.offset = offset->value;
    if (offset->is_long) [[unlikely]]
      set_long_offset(offset->value, frame);
    job_.frames.push_back(frame);
    return {};
  }

  void set_long_offset(std::uint64_t number, AskedFrame& frame) {
    frame.is_long = true;
    frame.offset = ~std::uint64_t{0};
    job_.long_digits += document_.find_long(number).value_or(Document::Long{}).hex;
    job_.long_offsets.push_back({job_.frames.size(), job_.long_digits.size()});
  }

  Error no_such_module(std::size_t first) const {
    return bad_frame(first, "has a module_index that isn't in modules");
  }

  const Document& document_;
  Dialect dialect_;
  std::size_t number_;
  Job job_;
};

// 3 and 4, also as 4.0; nothing else.
std::optional<int> find_version(element root) {
  element version;
  if (root.at_key("version").get(version)) return std::nullopt;
  double number = 0;
  if (!version.is_number() || version.get(number)) return std::nullopt;
  if (number != 3 && number != 4) return std::nullopt;
  return number == 3 ? 3 : 4;
}

// How often Snappy's servers have passed a question on; nothing when that is no integer.
std::optional<std::uint32_t> find_forwards(const Document& document) {
  element forwarded;
  if (document.root().at_key("forwarded").get(forwarded)) return 0;
  const auto count = find_integer(document, forwarded, true);
  if (!count) return std::nullopt;
  constexpr std::uint64_t kMost = 0xffff;
  return count->is_negative ? 0 : static_cast<std::uint32_t>(std::min(count->value, kMost));
}

bool is_true(element root, const char* key) {
  bool value = false;
  element member;
  return root.at_key(key).get(member) == simdjson::SUCCESS && !member.get(value) && value;
}

std::optional<std::string> find_text(element root, const char* key) {
  element member;
  std::string_view text;
  if (root.at_key(key).get(member) || member.get(text)) return std::nullopt;
  return std::string(text);
}

// What Python's `if` makes of it.
bool is_truthy(element value) {
  switch (value.type()) {
    case element_type::ARRAY:
      return value.get_array().value_unsafe().size() != 0;
    case element_type::OBJECT:
      return value.get_object().value_unsafe().size() != 0;
    case element_type::STRING:
      return !value.get_string().value_unsafe().empty();
    case element_type::BOOL:
      return value.get_bool().value_unsafe();
    case element_type::NULL_VALUE:
      return false;
    case element_type::DOUBLE:
      return value.get_double().value_unsafe() != 0;
    default:
      return find_short_integer(value, false).value_or(Number{}).value != 0;
  }
}

// Where it has more than 64 bits there is none: nobody shares such frames.
std::optional<AskedFrame> find_offset(const Document& document) {
  element member;
  if (document.root().at_key("offset").get(member)) return std::nullopt;
  AskedFrame frame;
  if (const auto number = find_integer(document, member, true)) {
    if (number->is_long) return std::nullopt;
    frame.is_negative = number->is_negative;
    frame.offset = number->value;
    return frame;
  }
  std::string_view text;
  if (member.get(text)) return std::nullopt;
  frame.is_negative = text.starts_with('-');
  const auto number = base::parse_decimal(text.substr(frame.is_negative ? 1 : 0));
  if (!number) return std::nullopt;
  frame.offset = *number;
  return frame;
}

// Only true is true here, and only a text an action.
std::optional<DebugRequest> find_debug_request(const Document& document) {
  const element root = document.root();
  if (!is_true(root, "debug")) return std::nullopt;
  const auto action = find_text(root, "action");
  if (!action) return std::nullopt;
  DebugRequest debug;
  debug.action = *action;
  element enabled;
  if (!root.at_key("enabled").get(enabled)) debug.enabled = is_truthy(enabled);
  debug.name = find_text(root, "libName");
  debug.id = find_text(root, "breakpadId");
  debug.offset = find_offset(document);
  return debug;
}

Result<Question> read_question(const Document& document, Dialect dialect, Debugging debugging) {
  const element root = document.root();
  Question question;
  question.dialect = dialect;
  if (is_old(dialect)) {
    if (!root.is_object()) return refuse("the body is not an object");
    if (debugging == Debugging::taken) question.debug = find_debug_request(document);
    if (question.debug) return question;
    question.wants_cache_hits = is_true(root, "cacheHits");
    const auto version = find_version(root);
    if (!version) return refuse("version is neither 3 nor 4");
    question.is_version_3 = *version == 3;
    const auto forwards = find_forwards(document);
    if (!forwards && dialect == Dialect::snappy) return refuse("forwarded is not an integer");
    question.forwards = forwards.value_or(0);
  }
  element jobs;
  if (dialect == Dialect::v5 && root.is_object() &&
      root.at_key("jobs").get(jobs) == simdjson::SUCCESS) {
    simdjson::dom::array list;
    if (jobs.get(list)) return refuse("jobs must be a list");
    question.jobs.reserve(list.size());
    for (const element entry : list) {
      Job job = TRY(JobReader(document, dialect, question.jobs.size()).read(entry));
      question.jobs.push_back(std::move(job));
    }
    return question;
  }
  Job job = TRY(JobReader(document, dialect, 0).read(root));
  question.jobs.push_back(std::move(job));
  return question;
}

}  // namespace

Result<Question> find_question(std::string_view body, Dialect dialect, Debugging debugging) {
  Document document;
  TRY(document.read(body, LongIntegers::kept));
  return read_question(document, dialect, debugging);
}

Result<Question> find_question(std::string_view body) {
  Document document;
  TRY(document.read(body, LongIntegers::kept));
  const element root = document.root();
  element jobs;
  const bool is_v4 = root.is_object() && root.at_key("jobs").get(jobs) != simdjson::SUCCESS &&
                     find_version(root).has_value();
  return read_question(document, is_v4 ? Dialect::v4 : Dialect::v5, Debugging::ignored);
}

}  // namespace symbolicate
