#include "formats/perf_map/perf_map.h"

#include <algorithm>

#include "base/text.h"

namespace perf_map {
namespace {

constexpr std::size_t kHeadMax = 1024;

// Pseudo symbols count down from here: signature, version, system, architecture, ABI.
constexpr std::uint64_t kFirst = 0xffffffff;

}  // namespace

std::optional<Head> find_head(base::Bytes bytes) {
  std::string_view text = base::text_of(bytes.first(std::min(bytes.size(), kHeadMax)));
  Head head;
  for (std::uint64_t i = 0; i < 5; ++i) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = base::trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto words = base::split(line, ' ');
    if (words.size() != 3 || base::parse_hex(words[0]) != kFirst - i) {
      if (i < 2) return std::nullopt;  // signature and version make the identity
      break;
    }
    if (i == 0) {
      const auto signature = base::bytes_from_hex(words[2]);
      if (!signature || signature->size() != head.signature.size()) return std::nullopt;
      std::copy(signature->begin(), signature->end(), head.signature.begin());
      continue;
    }
    const auto number = base::parse_decimal(words[2]);
    if (!number || *number > 0xffffffff) return std::nullopt;
    std::uint32_t* const fields[] = {&head.version, &head.os, &head.arch, &head.abi};
    *fields[i - 1] = static_cast<std::uint32_t>(*number);
  }
  if (head.version == 0) return std::nullopt;
  return head;
}

}  // namespace perf_map
