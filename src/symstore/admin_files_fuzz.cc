// Any bytes as each of the text files of a symstore tree; what is read is written and read again.
#include "symstore/admin_files.h"

#include "base/assert.h"
#include "base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::text_of({data, size});
  symstore::parse_pointer(text);
  if (const auto all = symstore::parse_transactions(text); all.ok()) {
    for (const auto& transaction : *all) {
      const auto again = symstore::parse_transactions(transaction.line());
      ASSERT(again.ok() && again->size() <= 1);
      symstore::time_of(transaction);
    }
  }
  if (const auto all = symstore::parse_members(text); all.ok()) {
    for (const auto& member : *all) {
      ASSERT(member.name.find_first_of("/\\") == std::string::npos && member.name != "..");
      ASSERT(member.id.find_first_of("/\\") == std::string::npos && member.id != "..");
      const auto again = symstore::parse_members(member.line());
      ASSERT(again.ok() && again->size() == 1 && again->front().name == member.name);
    }
  }
  if (const auto all = symstore::parse_references(text); all.ok()) {
    for (const auto& reference : *all) {
      const auto again = symstore::parse_references(reference.line());
      ASSERT(again.ok() && again->size() == 1);
      ASSERT(again->front().transaction == reference.transaction);
    }
  }
  return 0;
}
