// Any text as a path with prefixes: what is left is a part of it, and no token gets into the log.
#include "base/assert.h"
#include "base/bytes.h"
#include "ident/scope.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view path = base::text_of({data, size});
  const std::string shown = ident::without_token(path);
  const auto found = ident::split_scope(path);
  if (!found) return 0;
  ASSERT(path.ends_with(found->rest) && !found->rest.starts_with('/'));
  ASSERT(found->scope.project.empty() || ident::is_project_name(found->scope.project));
  ASSERT(found->token.empty() || shown.find("/***/") != std::string::npos);
  return 0;
}
