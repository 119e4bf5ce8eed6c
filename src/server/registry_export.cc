#include "server/registry_export.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/utf16.h"

namespace server {

using base::Bytes;
using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::size_t kSizeMax = 4 << 20;
constexpr std::size_t kKeysMax = 10'000;
constexpr std::size_t kValuesMax = 100'000;  // of all keys
constexpr std::string_view kUtf8Mark = "\xef\xbb\xbf";
constexpr std::string_view kUtf16Mark = "\xff\xfe";
constexpr std::string_view kVersion5 = "Windows Registry Editor Version 5.00";
constexpr std::string_view kVersion4 = "REGEDIT4";

std::optional<std::string> text_in(Bytes file) {
  const std::string_view bytes = base::text_of(file);
  if (bytes.starts_with(kUtf16Mark)) {
    return base::utf8_from_utf16(file.subspan(kUtf16Mark.size()), base::Endian::little);
  }
  // Version 4 wrote in the code page of its machine, of which we know the ASCII.
  return base::to_valid_utf8(bytes.starts_with(kUtf8Mark) ? bytes.substr(kUtf8Mark.size()) : bytes);
}

bool begins_as_export(std::string_view text) {
  return text.starts_with(kVersion5) || text.starts_with(kVersion4);
}

// ASCII of UTF-16, up to what is none.
std::string ascii_at_front(std::string_view utf16, std::size_t size_max) {
  std::string ascii;
  for (std::size_t i = 0; i + 1 < utf16.size() && ascii.size() < size_max; i += 2) {
    if (utf16[i + 1] != '\0') break;
    ascii += utf16[i];
  }
  return ascii;
}

// A text between quotation marks at the front of `rest`, which is cut off.
std::optional<std::string> take_quoted(std::string_view& rest) {
  if (!rest.starts_with('"')) return std::nullopt;
  std::string text;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return text;
    }
    if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
    text += rest[i];
  }
  return std::nullopt;
}

// "61,00,62,00,00,00": texts of UTF-16, each with a zero at its end; one a line.
std::optional<std::string> texts_in_hex(std::string_view list) {
  std::vector<std::uint8_t> bytes;
  for (const std::string_view item : base::split(list, ',')) {
    const auto byte = base::parse_hex(base::trim(item));
    if (!byte || *byte > 0xff) return std::nullopt;
    bytes.push_back(static_cast<std::uint8_t>(*byte));
  }
  auto text = base::utf8_from_utf16(bytes, base::Endian::little);
  if (!text) return std::nullopt;
  while (text->ends_with('\0')) text->pop_back();
  std::replace(text->begin(), text->end(), '\0', '\n');
  return text;
}

class Export {
 public:
  Export(std::string text, std::string file_name)
      : text_(std::move(text)), file_(std::move(file_name)) {}

  Result<std::vector<RegistryKey>> read() {
    std::string_view rest = text_;
    next_line(rest);
    if (!begins_as_export(text_)) return wrong("this is no export of the registry");
    while (!rest.empty()) {
      const std::string line = next_line(rest);
      if (line.empty() || line.starts_with(';')) continue;
      if (line.starts_with('[')) {
        TRY(begin_key(line));
      } else {
        TRY(add_value(line));
      }
    }
    return std::move(keys_);
  }

 private:
  // Without the blanks around it, and with what stands on the lines that it goes on.
  std::string next_line(std::string_view& rest) {
    std::string line = take_line(rest);
    const bool may_go_on = line.find("=hex") != std::string::npos;
    while (may_go_on && line.ends_with('\\') && !rest.empty()) {
      line.pop_back();
      line += take_line(rest);
    }
    return line;
  }

  std::string take_line(std::string_view& rest) {
    const std::string_view part = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    ++number_;
    return std::string(base::trim(part));
  }

  Result<void> begin_key(std::string_view line) {
    if (!line.ends_with(']')) return wrong("a key's ] is missing");
    if (keys_.size() == kKeysMax) return too_many("keys");
    keys_.push_back({std::string(line.substr(1, line.size() - 2)), number_, {}});
    return {};
  }

  Result<void> add_value(std::string_view line) {
    if (keys_.empty()) return wrong("a value without a key");
    if (++values_ > kValuesMax) return too_many("values");
    RegistryValue value;
    value.line = number_;
    if (line.starts_with('@')) {
      line.remove_prefix(1);
    } else {
      auto name = take_quoted(line);
      if (!name) return wrong("a value's name stands between quotation marks");
      value.name = *std::move(name);
    }
    if (!line.starts_with('=')) return wrong("a value has a = behind its name");
    line.remove_prefix(1);
    const bool is_known = TRY(take_data(line, value));
    if (is_known) keys_.back().values.push_back(std::move(value));
    return {};
  }

  // False for kinds that are read over.
  Result<bool> take_data(std::string_view data, RegistryValue& value) const {
    if (data.starts_with('"')) {
      auto text = take_quoted(data);
      if (!text) return wrong("a text has no end");
      value.text = *std::move(text);
      return true;
    }
    if (data.starts_with("dword:")) {
      const auto number = base::parse_hex(data.substr(6));
      if (!number || *number > UINT32_MAX) return wrong("dword: is followed by a number in hex");
      value.number = static_cast<std::uint32_t>(*number);
      return true;
    }
    const bool is_text = data.starts_with("hex(2):") || data.starts_with("hex(7):");
    if (!is_text) return false;
    auto texts = texts_in_hex(data.substr(data.find(':') + 1));
    if (!texts) return wrong("these bytes are no text");
    value.text = *std::move(texts);
    return true;
  }

  Error wrong(std::string_view what) const {
    return {Fault::malformed, fmt::format("{}:{}: {}", file_, number_, what)};
  }
  Error too_many(std::string_view what) const {
    return {Fault::too_large, fmt::format("{}:{}: too many {}", file_, number_, what)};
  }

  const std::string text_, file_;
  std::size_t number_ = 0;  // of the line
  std::size_t values_ = 0;
  std::vector<RegistryKey> keys_;
};

}  // namespace

bool is_registry_export(Bytes file) {
  std::string_view text = base::text_of(file);
  if (text.starts_with(kUtf16Mark)) {
    return begins_as_export(ascii_at_front(text.substr(kUtf16Mark.size()), kVersion5.size()));
  }
  if (text.starts_with(kUtf8Mark)) text.remove_prefix(kUtf8Mark.size());
  return begins_as_export(text);
}

Result<std::vector<RegistryKey>> read_registry_export(Bytes file, const std::string& file_name) {
  if (file.size() > kSizeMax) {
    return Error{Fault::too_large, file_name + ": larger than any export of these settings"};
  }
  auto text = text_in(file);
  if (!text) return Error{Fault::malformed, file_name + ": is not UTF-16"};
  return Export(*std::move(text), file_name).read();
}

}  // namespace server
