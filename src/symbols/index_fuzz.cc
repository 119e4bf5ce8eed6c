// Edits of a good index: first byte even, the input is the index; odd, it is a list of
// (u16 offset, u8 value) edits of a good one, sealed again so that checksums do not hide the rest.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "symbols/index_damage.h"
#include "symbols/index_writer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::vector<std::uint8_t> bytes;
  if ((data[0] & 1) == 0) {
    bytes.assign(data + 1, data + size);
    symbols::damage::reseal(bytes);
  } else {
    static const std::vector<std::uint8_t> good = [] {
      auto written = symbols::write_index(symbols::damage::sample_model());
      ASSERT(written.ok());
      return std::move(written).value();
    }();
    bytes = good;
    for (std::size_t i = 1; i + 3 <= size; i += 3) {
      const std::size_t at = data[i] | std::size_t{data[i + 1]} << 8;
      bytes[at % bytes.size()] = data[i + 2];
    }
    symbols::damage::reseal(bytes);
  }
  const auto map = symbols::Map::open(base::MappedFile::from_bytes(std::move(bytes)));
  if (map.ok()) symbols::damage::ask_everything(**map, 0x80);
  return 0;
}
