// Hostile questions of POST /asm/v1: what is taken names a module, and a range of 32 bits.
#include "api/asm_question.h"
#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto question = api::parse_asm_question(base::text_of(base::Bytes(data, size)), {});
  if (!question.ok()) return 0;
  ASSERT(question->start.value <= api::kAsmAddressMax && question->size <= api::kAsmAddressMax);
  ASSERT(!question->executable.keys.empty() && !question->uuid.empty());
  return 0;
}
