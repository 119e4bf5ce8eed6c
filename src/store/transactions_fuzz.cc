// Any text as a transaction, or as a list of them: a fault, or what its own text says again.
#include "base/assert.h"
#include "base/bytes.h"
#include "store/transactions.h"

namespace {

void expect_stable(const store::TransactionRecord& record) {
  const std::string text = store::transaction_as_json(record);
  const auto again = store::transaction_from_json(text);
  ASSERT(again.ok());
  ASSERT(store::transaction_as_json(*again) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::text_of({data, size});
  if (const auto one = store::transaction_from_json(text); one.ok()) expect_stable(*one);
  const auto all = store::transactions_from_json(text);
  if (!all.ok()) return 0;
  for (const store::TransactionRecord& record : *all) expect_stable(record);
  return 0;
}
