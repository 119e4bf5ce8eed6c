// Hostile questions of POST /source/v1: what is taken has all that the search needs, within bounds.
#include "api/source_question.h"
#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto question = api::parse_source_question(base::text_of(base::Bytes(data, size)), {});
  if (!question.ok()) return 0;
  ASSERT(!question->path.empty() && question->path.size() <= api::kSourcePathMax);
  ASSERT(question->symbols.size() == 2 && question->address && question->index);
  for (const ident::SymbolRequest& request : question->symbols) ASSERT(!request.keys.empty());
  return 0;
}
