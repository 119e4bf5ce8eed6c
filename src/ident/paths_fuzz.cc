// Any text as a path: the parsers find something sound or nothing.
#include "ident/paths.h"

#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::text_of({data, size});
  if (const auto path = ident::find_store_path(text)) {
    ASSERT(ident::is_allowed_name(path->name) && ident::is_allowed_name(path->file));
    const auto again = ident::find_store_path("symbols/" + path->text());
    ASSERT(again && again->text() == path->text());
    const ident::SymbolRequest request = ident::request_of(*path);
    ASSERT(!request.keys.empty() && !request.cache_key().empty());
    for (const ident::SymbolKey& key : request.keys) (void)ident::spells(path->id, key);
  }
  if (const auto request = ident::find_request(text)) {
    ASSERT(!request->keys.empty() && !request->cache_key().empty());
    for (const ident::SymbolKey& key : request->keys) ASSERT(!key.id.empty());
  }
  const auto slash = text.find('/');
  if (slash != std::string_view::npos) {
    (void)ident::find_buildid_request(text.substr(0, slash), text.substr(slash + 1));
    (void)ident::find_section_request(text.substr(0, slash), text.substr(slash + 1));
  }
  return 0;
}
