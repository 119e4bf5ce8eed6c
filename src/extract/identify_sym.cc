// Breakpad's text, and a cabinet's first member.
#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "base/text.h"
#include "base/utf16.h"
#include "extract/identify_parts.h"

namespace extract {
namespace {

constexpr std::size_t kSymHeadMax = 64 * 1024;  // INFO records stand in the first lines

// "MODULE os arch id name", the name being the rest of the line.
void read_module_line(std::string_view line, Identity& identity) {
  std::array<std::string_view, 4> words;
  for (std::string_view& word : words) {
    const std::size_t space = line.find(' ');
    word = line.substr(0, space);
    line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
  }
  identity.os = words[1];
  identity.arch = words[2];
  identity.name = base::trim(line);
  if (const auto id = ident::DebugId::parse(words[3])) {
    identity.debug_id = *id;
  } else {
    identity.problem = "MODULE record: \"" + std::string(words[3]) + "\" is not a debug id";
  }
}

// By the mark that it begins with.
std::optional<base::Endian> find_utf16(std::string_view text) {
  if (text.starts_with("\xff\xfe")) return base::Endian::little;
  if (text.starts_with("\xfe\xff")) return base::Endian::big;
  return std::nullopt;
}

// The first lines; nothing when they are not what the mark says.
std::optional<std::string> find_utf8_head(base::Bytes bytes, base::Endian endian) {
  const base::Bytes units = bytes.subspan(2);
  const std::size_t size = std::min(units.size() / 2, kSymHeadMax) * 2;
  auto utf8 = base::utf8_from_utf16(units.first(size), endian);
  // The cut may go through a pair.
  if (!utf8 && size != 0) utf8 = base::utf8_from_utf16(units.first(size - 2), endian);
  return utf8;
}

std::string utf16_from_ascii(std::string_view ascii, base::Endian endian) {
  std::string utf16;
  for (const char c : ascii) {
    if (endian == base::Endian::big) utf16 += '\0';
    utf16 += c;
    if (endian == base::Endian::little) utf16 += '\0';
  }
  return utf16;
}

}  // namespace

void identify_sym(base::Bytes bytes, Identity& identity) {
  const std::string_view text = base::text_of(bytes);
  const auto utf16 = find_utf16(text);
  const auto converted = utf16 ? find_utf8_head(bytes, *utf16) : std::nullopt;
  std::string_view head = converted ? *converted : text.substr(0, kSymHeadMax);
  if (head.starts_with("\xef\xbb\xbf")) head.remove_prefix(3);
  bool first = true;
  while (!head.empty()) {
    const std::size_t end = std::min(head.find('\n'), head.size());
    const std::string_view line = base::trim(head.substr(0, end));
    head.remove_prefix(std::min(end + 1, head.size()));
    if (first) read_module_line(line, identity);
    first = false;
    if (line.starts_with("INFO CODE_ID ")) {
      const std::string_view rest = line.substr(13);
      const std::size_t space = std::min(rest.find(' '), rest.size());
      identity.code_id = base::lower_ascii(rest.substr(0, space));
      identity.code_file = base::trim(rest.substr(space));
      // A build id is a code id on ELF systems only; elsewhere it is a stamp and a size.
      if (identity.os == "Linux" || identity.os == "Android") identity.build_id = identity.code_id;
    }
  }
  const auto as_in_text = [&](std::string_view record) {
    return utf16 ? utf16_from_ascii(record, *utf16) : std::string(record);
  };
  identity.has_debug_info = text.find(as_in_text("\nFUNC ")) != std::string_view::npos;
  // These stand at the end, and a text may be a gigabyte.
  identity.has_symbol_table = text.rfind(as_in_text("\nPUBLIC ")) != std::string_view::npos;
  identity.has_unwind_info = text.rfind(as_in_text("\nSTACK ")) != std::string_view::npos;
}

// Head, then at the offset it gives the members: size, place, time, and a name.
void identify_cab(base::Bytes bytes, Identity& identity) {
  base::Reader r(bytes);
  r.seek(16);
  const std::uint32_t members_at = r.u32();
  r.seek(members_at + 16ull);
  const std::string_view name = r.c_string();
  if (r.failed() || name.empty()) {
    identity.problem = "cabinet: the first member lies outside the file";
    return;
  }
  identity.name = base::to_valid_utf8(name.substr(name.find_last_of("/\\") + 1));
}

}  // namespace extract
