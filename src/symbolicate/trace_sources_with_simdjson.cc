// What a question says of somebody else's symbols.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "symbolicate/trace_members_with_simdjson.h"

namespace symbolicate {

using base::Result;
using simdjson::dom::element;
using simdjson::dom::object;

namespace {

Result<void> check_size(std::string_view text, const std::string& where) {
  if (text.size() <= kTraceSourceTextMax) return {};
  return wrong(where, fmt::format("at most {} bytes", kTraceSourceTextMax));
}

Result<void> read_short(const object& members, std::string_view name, const std::string& where,
                        std::string& out) {
  TRY(read_text(members, name, where, out));
  return check_size(out, fmt::format("{}.{}", where, name));
}

// A name, or a name and an address.
Result<void> read_region(const object& members, const std::string& where, TraceSource& source) {
  const auto region = find_member(members, "region");
  if (!region || !region->is_array()) return read_short(members, "region", where, source.region);
  std::vector<std::string> pair;
  TRY(read_texts(members, "region", where, pair));
  if (pair.size() != 2) return wrong(where + ".region", "a name, or a name and an address");
  for (const std::string& text : pair) TRY(check_size(text, where + ".region"));
  source.region = std::move(pair[0]);
  source.endpoint = std::move(pair[1]);
  return {};
}

bool is_casing(std::string_view word) {
  return word == "default" || word == "lowercase" || word == "uppercase";
}

Result<void> read_patterns(const object& members, const std::string& where,
                           std::vector<std::string>& patterns) {
  TRY(read_texts(members, "path_patterns", where, patterns));
  const auto is_long = [](const std::string& text) { return text.size() > kTracePatternSizeMax; };
  if (patterns.size() <= kTracePatternsMax &&
      std::none_of(patterns.begin(), patterns.end(), is_long)) {
    return {};
  }
  return wrong(where + ".path_patterns", fmt::format("at most {} patterns of at most {} bytes",
                                                     kTracePatternsMax, kTracePatternSizeMax));
}

Result<void> read_known_source(const object& members, const std::string& where,
                               TraceSource& source) {
  TRY(read_short(members, "url", where, source.url));
  TRY(read_short(members, "bucket", where, source.bucket));
  TRY(read_short(members, "access_key", where, source.access_key));
  TRY(read_short(members, "secret_key", where, source.secret_key));
  TRY(read_short(members, "prefix", where, source.prefix));
  TRY(read_region(members, where, source));
  if (const auto headers = find_member(members, "headers")) {
    object fields;
    if (headers->get(fields)) return wrong(where + ".headers", "an object");
    if (fields.size() > kTraceListMax) {
      return wrong(where + ".headers", fmt::format("at most {} headers", kTraceListMax));
    }
    for (const auto& [name, content] : fields) {
      std::string_view text;
      if (content.get(text)) return wrong(where + ".headers", "strings");
      source.headers.emplace_back(name, text);
    }
  }
  if (const auto layout = find_member(members, "layout")) {
    object of_layout;
    if (layout->get(of_layout)) return wrong(where + ".layout", "an object");
    TRY(read_short(of_layout, "type", where + ".layout", source.layout));
    TRY(read_short(of_layout, "casing", where + ".layout", source.casing));
    if (!is_casing(source.casing)) {
      return wrong(where + ".layout.casing", "default, lowercase or uppercase");
    }
  }
  const auto filters = find_member(members, "filters");
  if (!filters) return {};
  object of_filters;
  if (filters->get(of_filters)) return wrong(where + ".filters", "an object");
  if (find_member(of_filters, "filetypes")) {
    TRY(read_texts(of_filters, "filetypes", where + ".filters", source.filetypes.emplace()));
  }
  std::optional<bool> checksum;
  TRY(read_flag(of_filters, "requires_checksum", where + ".filters", checksum));
  source.requires_checksum = checksum.value_or(false);
  return read_patterns(of_filters, where + ".filters", source.path_patterns);
}

}  // namespace

Result<void> read_trace_source(element value, const std::string& where, TraceSource& source) {
  object members;
  if (value.get(members)) return wrong(where, "an object");
  TRY(read_short(members, "id", where, source.id));
  TRY(read_text(members, "type", where, source.type));
  for (const std::string_view known : {"http", "s3", "gcs", "filesystem", "sentry"}) {
    if (source.type == known) return read_known_source(members, where, source);
  }
  return wrong(where + ".type", "http, s3, gcs, sentry or filesystem");
}

}  // namespace symbolicate
