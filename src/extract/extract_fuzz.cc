// Any bytes as a debug file: identity, then the whole way to .sym text and symbol index.
#include <cstdint>

#include "extract/breakpad_from_symbols.h"
#include "extract/extract.h"
#include "extract/identify.h"
#include "symbols/index_writer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  extract::identify({data, size});
  extract::Module module;
  module.image = {data, size};
  module.name = "fuzzed";
  const auto extracted = extract::extract(module, {});
  if (!extracted.ok()) return 0;
  extract::breakpad_text(extracted->model);
  symbols::IndexOptions options;
  options.threads = 1;
  (void)symbols::write_index(extracted->model, options);
  return 0;
}
