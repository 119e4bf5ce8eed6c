// The file is written front to back, so every page number must be known before the first byte is:
// the layout is counted out from the streams' sizes alone.
//
//   0 superblock | 1 2 free page maps | streams … | directory | map of the directory's pages
//
// Pages 1 and 2 of every 4096 belong to the two free page maps, whether they are needed or not;
// all that is counted out skips them. No page is free, so the first map says zero up to the last
// page, and the second, which is for the next writer, nothing.
#include "formats/pdb/write_msf.h"

#include <algorithm>
#include <string>

namespace pdb {
namespace {

using base::Bytes;
using base::Error;
using base::Fault;
using base::Result;

constexpr std::uint32_t kPageSize = 4096;
constexpr std::uint64_t kMapEntriesMax = kPageSize / 4;
constexpr std::uint64_t kPieceSize = 16ull << 20;  // of a stream at a time
constexpr std::string_view kMagic(
    "Microsoft C/C++ MSF 7.00\r\n\x1a"
    "DS\0\0\0",
    32);

bool is_map_page(std::uint64_t page) { return page % kPageSize == 1 || page % kPageSize == 2; }
std::uint64_t pages_of(std::uint64_t size) { return (size + kPageSize - 1) / kPageSize; }

void add_u32(std::vector<std::uint8_t>& out, std::uint64_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

struct Layout {
  std::vector<std::uint8_t> directory;
  std::vector<std::uint8_t> directory_map;
  std::uint64_t map_page = 0;
  std::uint64_t page_count = 0;
};

std::uint64_t take_page(std::uint64_t& next) {
  while (is_map_page(next)) ++next;
  return next++;
}

Result<Layout> lay_out(const Container& streams) {
  Layout layout;
  std::uint64_t total = 0;
  const std::uint32_t count = streams.stream_count();
  for (std::uint32_t i = 0; i < count; ++i) total += pages_of(streams.size_of(i));
  const std::uint64_t directory_size = 4 + 4ull * count + 4 * total;
  if (pages_of(directory_size) > kMapEntriesMax) {
    return Error{Fault::too_large, "the PDB has " + std::to_string(total) +
                                       " pages, more than a plain container lists here"};
  }
  layout.directory.reserve(directory_size);
  add_u32(layout.directory, count);
  for (std::uint32_t i = 0; i < count; ++i) add_u32(layout.directory, streams.size_of(i));
  std::uint64_t next = 1;
  for (std::uint64_t i = 0; i < total; ++i) add_u32(layout.directory, take_page(next));
  for (std::uint64_t i = pages_of(directory_size); i > 0; --i) {
    add_u32(layout.directory_map, take_page(next));
  }
  layout.map_page = take_page(next);
  layout.page_count = next;
  return layout;
}

// Appends whole pages, and the maps where their turn is.
class Pages {
 public:
  Pages(std::uint64_t page_count, const Sink& sink) : page_count_(page_count), sink_(sink) {}

  Result<void> add(Bytes bytes) {
    while (!bytes.empty()) {
      const std::size_t n = std::min<std::size_t>(bytes.size(), kPageSize - page_.size());
      page_.insert(page_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
      bytes = bytes.subspan(n);
      if (page_.size() == kPageSize) TRY(flush());
    }
    return {};
  }
  Result<void> end_part() { return page_.empty() ? Result<void>() : flush(); }

 private:
  Result<void> flush() {
    while (is_map_page(written_)) {
      const std::vector<std::uint8_t> map = map_page();
      TRY(sink_(map));
      ++written_;
    }
    page_.resize(kPageSize);
    TRY(sink_(page_));
    page_.clear();
    ++written_;
    return {};
  }

  // Map pages follow one another in the file as the bytes of one long bit map do.
  std::vector<std::uint8_t> map_page() const {
    std::vector<std::uint8_t> map(kPageSize, 0xff);
    if (written_ % kPageSize == 2) return map;
    const std::uint64_t first = written_ / kPageSize * kPageSize * 8;
    for (std::uint64_t page = first; page < std::min(page_count_, first + kPageSize * 8); ++page) {
      map[(page - first) / 8] &= static_cast<std::uint8_t>(~(1u << (page % 8)));
    }
    return map;
  }

  const std::uint64_t page_count_;
  const Sink& sink_;
  std::uint64_t written_ = 0;
  std::vector<std::uint8_t> page_;
};

std::vector<std::uint8_t> superblock_of(const Layout& layout) {
  std::vector<std::uint8_t> block(kMagic.begin(), kMagic.end());
  add_u32(block, kPageSize);
  add_u32(block, 1);  // the free page map in use
  add_u32(block, layout.page_count);
  add_u32(block, layout.directory.size());
  add_u32(block, 0);
  add_u32(block, layout.map_page);
  return block;
}

}  // namespace

Result<void> write_msf7(const Container& streams, const Sink& sink) {
  const Layout layout = TRY(lay_out(streams));
  Pages pages(layout.page_count, sink);
  const auto add_part = [&](const std::vector<std::uint8_t>& part) -> Result<void> {
    TRY(pages.add(part));
    return pages.end_part();
  };
  TRY(add_part(superblock_of(layout)));
  for (std::uint32_t i = 0; i < streams.stream_count(); ++i) {
    const std::uint64_t size = streams.size_of(i);
    for (std::uint64_t at = 0; at < size; at += kPieceSize) {
      const StreamBytes piece = TRY(streams.read(i, at, std::min(kPieceSize, size - at)));
      TRY(pages.add(piece.bytes()));
    }
    TRY(pages.end_part());
  }
  TRY(add_part(layout.directory));
  return add_part(layout.directory_map);
}

}  // namespace pdb
