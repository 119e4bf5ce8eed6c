#include "symstore/admin_files.h"

#include <algorithm>
#include <ctime>

#include "base/text.h"
#include "ident/paths.h"

namespace symstore {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::size_t kIdDigits = 10;
constexpr std::size_t kFieldsMax = 16;

// Fields between commas; a field in quotes runs to the quote before the next comma, since
// symstore escapes nothing.
std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields;
  while (fields.size() < kFieldsMax) {
    if (line.starts_with('"')) {
      line.remove_prefix(1);
      auto end = line.find("\",");
      if (end == std::string_view::npos && line.ends_with('"')) end = line.size() - 1;
      // A last quote that is missing: seen in trees written by other tools.
      fields.emplace_back(line.substr(0, end));
      if (end == std::string_view::npos || end + 2 > line.size()) return fields;
      line.remove_prefix(end + 2);
      continue;
    }
    const auto comma = line.find(',');
    fields.emplace_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return fields;
    line.remove_prefix(comma + 1);
  }
  return fields;
}

template <class Add>
Result<void> for_each_line(std::string_view text, Add add) {
  if (text.size() > kAdminFileSizeMax) {
    return Error{Fault::too_large, "a symstore text file of " + std::to_string(text.size()) +
                                       " bytes; at most " + std::to_string(kAdminFileSizeMax)};
  }
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  for (std::size_t lines = 0; !text.empty(); ++lines) {
    if (lines == kLinesMax) {
      return Error{Fault::too_large,
                   "a symstore text file with more than " + std::to_string(kLinesMax) + " lines"};
    }
    const auto end = text.find('\n');
    const std::string_view line = base::trim(text.substr(0, end));
    if (!line.empty() && line.size() <= kLineSizeMax) add(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return {};
}

std::optional<Kind> find_kind(std::string_view word) {
  if (word == "file") return Kind::file;
  if (word == "ptr") return Kind::pointer;
  return std::nullopt;
}

Form form_of(std::string_view word) {
  if (word == "pub") return Form::public_symbols;
  if (word == "pri") return Form::private_symbols;
  return Form::binary;
}

std::optional<Transaction> find_transaction(std::string_view line) {
  const std::vector<std::string> fields = fields_of(line);
  if (fields.size() < 3) return std::nullopt;
  const auto id = find_id(fields[0]);
  if (!id) return std::nullopt;
  Transaction transaction;
  transaction.id = *id;
  if (fields[1] == "del") {
    const auto other = find_id(fields[2]);
    if (!other) return std::nullopt;
    transaction.is_delete = true;
    transaction.deletes = *other;
    return transaction;
  }
  const auto kind = find_kind(fields[2]);
  if (fields[1] != "add" || !kind) return std::nullopt;
  const auto field = [&](std::size_t i) { return i < fields.size() ? fields[i] : std::string(); };
  transaction.kind = *kind;
  transaction.date = field(3);
  transaction.time = field(4);
  transaction.product = field(5);
  transaction.version = field(6);
  transaction.comment = field(7);
  return transaction;
}

// "foo.pdb\ID": two names and nothing that climbs.
std::optional<Member> find_member(std::string_view line) {
  const std::vector<std::string> fields = fields_of(line);
  const auto parts = base::split(fields.at(0), '\\');
  if (parts.size() != 2) return std::nullopt;
  if (!ident::is_allowed_name(parts[0]) || !ident::is_allowed_id(parts[1])) return std::nullopt;
  return Member{std::string(parts[0]), std::string(parts[1]),
                fields.size() > 1 ? fields[1] : std::string()};
}

std::optional<Reference> find_reference(std::string_view line) {
  const std::vector<std::string> fields = fields_of(line);
  if (fields.size() < 3) return std::nullopt;
  const auto id = find_id(fields[0]);
  const auto kind = find_kind(fields[1]);
  if (!id || !kind) return std::nullopt;
  Reference reference;
  reference.transaction = *id;
  reference.kind = *kind;
  reference.source = fields[2];
  reference.form = form_of(fields.size() > 3 ? fields[3] : "");
  reference.compressed = fields.size() > 5 && fields[5] == "Y";
  reference.text = line;
  return reference;
}

std::string in_quotes(std::string_view text) { return "\"" + quotable(text) + "\""; }

}  // namespace

std::string_view name_of(Kind kind) { return kind == Kind::file ? "file" : "ptr"; }

std::string_view name_of(Form form) {
  switch (form) {
    case Form::public_symbols:
      return "pub";
    case Form::private_symbols:
      return "pri";
    case Form::binary:
      break;
  }
  return "bin";
}

std::string digits_of(std::uint64_t id) {
  std::string digits = std::to_string(id);
  if (digits.size() < kIdDigits) digits.insert(0, kIdDigits - digits.size(), '0');
  return digits;
}

std::optional<std::uint64_t> find_id(std::string_view digits) {
  if (digits.size() != kIdDigits) return std::nullopt;
  return base::parse_decimal(digits);
}

std::string quotable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c == '"') c = '\'';
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return out;
}

std::string Transaction::line() const {
  if (is_delete) return digits_of(id) + ",del," + digits_of(deletes);
  return digits_of(id) + ",add," + std::string(name_of(kind)) + "," + date + "," + time + "," +
         in_quotes(product) + "," + in_quotes(version) + "," + in_quotes(comment) + ",";
}

std::string Member::line() const { return in_quotes(name + "\\" + id) + "," + in_quotes(source); }

std::string Reference::line() const {
  if (!text.empty()) return text;
  return digits_of(transaction) + "," + std::string(name_of(kind)) + "," + in_quotes(source) + "," +
         std::string(name_of(form)) + ",," + (compressed ? "Y" : "N") + ",,";
}

Result<std::vector<Transaction>> parse_transactions(std::string_view text) {
  std::vector<Transaction> all;
  TRY(for_each_line(text, [&](std::string_view line) {
    if (auto transaction = find_transaction(line)) all.push_back(std::move(*transaction));
  }));
  return all;
}

Result<std::vector<Member>> parse_members(std::string_view text) {
  std::vector<Member> all;
  TRY(for_each_line(text, [&](std::string_view line) {
    if (auto member = find_member(line)) all.push_back(std::move(*member));
  }));
  return all;
}

Result<std::vector<Reference>> parse_references(std::string_view text) {
  std::vector<Reference> all;
  TRY(for_each_line(text, [&](std::string_view line) {
    if (auto reference = find_reference(line)) all.push_back(std::move(*reference));
  }));
  return all;
}

Pointer parse_pointer(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  text = base::trim(text.substr(0, text.find('\n')));
  if (text.size() > kLineSizeMax) text = text.substr(0, kLineSizeMax);
  const auto after = [&](std::string_view prefix) {
    return text.size() >= prefix.size() &&
           base::equal_ignoring_case(text.substr(0, prefix.size()), prefix);
  };
  if (after("MSG:")) return {true, std::string(base::trim(text.substr(4)))};
  if (after("PATH:")) text.remove_prefix(5);
  return {false, std::string(base::trim(text))};
}

void set_time(Transaction& transaction, base::Time now) {
  const auto seconds = static_cast<std::time_t>(now.us / 1'000'000);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  char text[32];
  transaction.date.assign(text, std::strftime(text, sizeof text, "%m/%d/%Y", &parts));
  transaction.time.assign(text, std::strftime(text, sizeof text, "%H:%M:%S", &parts));
}

std::optional<base::Time> time_of(const Transaction& transaction) {
  std::tm parts{};
  const std::string text = transaction.date + " " + transaction.time;
  const char* end = ::strptime(text.c_str(), "%m/%d/%Y %H:%M:%S", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return base::Time{static_cast<std::int64_t>(::timegm(&parts)) * 1'000'000};
}

}  // namespace symstore
