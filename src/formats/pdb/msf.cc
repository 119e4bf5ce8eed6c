// MSF 7.00 and 2.00: a file in pages, a directory that lists each stream's pages.
//
//   superblock ─▶ block map (pages of page numbers) ─▶ directory ─▶ pages of each stream
//
// 7.00 needs the block map because a directory can itself fill more pages than fit beside the
// superblock; the numbers of the block map's own pages stand behind the superblock (LLVM reads
// one of them, Microsoft's writer makes several once the directory passes 4 MiB at 4 KiB pages).
// 2.00 has no such step: the directory's pages stand in the superblock, in 16 bits.
//
// A hostile directory may name one page a thousand times. It cannot make us allocate much: no
// stream is longer than the file, and the directory itself is no longer than the file either.
#include <algorithm>
#include <bit>
#include <string>

#include "formats/pdb/container.h"

namespace pdb {
namespace {

using base::Bytes;
using base::Error;
using base::Fault;
using base::Result;

constexpr std::uint32_t kNoStream = 0xffffffff;
constexpr std::size_t kMsf7PagesAt = 52;  // block map's pages, behind the superblock
constexpr std::size_t kMsf2PagesAt = 60;  // directory's pages

Error malformed(std::string what) { return {Fault::malformed, "PDB: " + std::move(what)}; }

std::uint64_t pages_for(std::uint64_t size, std::uint64_t page_size) {
  return size / page_size + (size % page_size != 0 ? 1 : 0);
}

// Page numbers as they stand in a directory: 16 or 32 bits wide.
class PageList {
 public:
  PageList() = default;
  PageList(Bytes numbers, unsigned width) : numbers_(numbers), width_(width) {}
  // REQUIRES: index < size()
  std::uint64_t page(std::uint64_t index) const {
    base::Reader r(numbers_.subspan(static_cast<std::size_t>(index) * width_, width_));
    return r.sized(width_);
  }
  std::uint64_t size() const { return numbers_.size() / width_; }

 private:
  Bytes numbers_;
  unsigned width_ = 4;
};

// A part of what a list of pages holds: a view if the pages lie in a row.
Result<StreamBytes> read_pages(Bytes file, std::uint64_t page_size, const PageList& pages,
                               std::uint64_t offset, std::uint64_t size) {
  if (size == 0) return StreamBytes{};
  const std::uint64_t first = offset / page_size;
  const std::uint64_t last = (offset + size - 1) / page_size;
  bool in_a_row = true;
  for (std::uint64_t i = first; i < last && in_a_row; ++i) {
    in_a_row = pages.page(i) + 1 == pages.page(i + 1);
  }
  const auto outside = [&](std::uint64_t page) {
    return malformed("page " + std::to_string(page) + " lies outside the file of " +
                     std::to_string(file.size()) + " bytes");
  };
  if (in_a_row) {
    const std::uint64_t at = pages.page(first) * page_size + offset % page_size;
    const auto view = base::find_slice(file, at, size);
    if (!view) return outside(pages.page(last));
    return StreamBytes(*view);
  }
  std::vector<std::uint8_t> owned;
  owned.reserve(static_cast<std::size_t>(size));
  std::uint64_t skip = offset % page_size;
  for (std::uint64_t i = first; i <= last; ++i) {
    const std::uint64_t part = std::min(page_size - skip, size - owned.size());
    const auto bytes = base::find_slice(file, pages.page(i) * page_size + skip, part);
    if (!bytes) return outside(pages.page(i));
    owned.insert(owned.end(), bytes->begin(), bytes->end());
    skip = 0;
  }
  return StreamBytes(std::move(owned));
}

class Msf final : public Container {
 public:
  static Result<std::unique_ptr<Container>> open7(Bytes file);
  static Result<std::unique_ptr<Container>> open2(Bytes file);

  Kind kind() const override { return kind_; }
  std::uint32_t stream_count() const override {
    return static_cast<std::uint32_t>(streams_.size());
  }
  std::uint64_t size_of(std::uint32_t stream) const override {
    return stream < streams_.size() ? streams_[stream].size : 0;
  }
  Result<StreamBytes> read(std::uint32_t stream, std::uint64_t offset,
                           std::uint64_t size) const override;

 private:
  struct Stream {
    std::uint64_t size = 0;
    bool here = false;
    PageList pages;  // in directory_
  };
  Result<void> read_directory(StreamBytes directory);

  Kind kind_ = Kind::msf7;
  Bytes file_;
  std::uint64_t page_size_ = 0;
  StreamBytes directory_;
  std::vector<Stream> streams_;
};

Result<void> check_page_size(std::uint64_t page_size, std::uint64_t page_size_max) {
  if (page_size < kPageSizeMin || page_size > page_size_max || !std::has_single_bit(page_size)) {
    return malformed("page size " + std::to_string(page_size) + " is no power of two from " +
                     std::to_string(kPageSizeMin) + " to " + std::to_string(page_size_max));
  }
  return {};
}

Result<std::unique_ptr<Container>> Msf::open7(Bytes file) {
  auto msf = std::make_unique<Msf>();
  msf->file_ = file;
  base::Reader r(file);
  r.seek(32);
  msf->page_size_ = r.u32();
  r.u32();  // free page map
  r.u32();  // pages in all; a cut file has fewer
  const std::uint64_t directory_size = r.u32();
  TRY(r.check("PDB superblock"));
  TRY(check_page_size(msf->page_size_, kPageSizeMax));
  if (directory_size < 4 || directory_size > file.size()) {
    return malformed("directory of " + std::to_string(directory_size) + " bytes in a file of " +
                     std::to_string(file.size()));
  }
  const std::uint64_t list_size = pages_for(directory_size, msf->page_size_) * 4;
  const std::uint64_t map_pages = pages_for(list_size, msf->page_size_) * 4;
  const auto map = base::find_slice(file, kMsf7PagesAt, map_pages);
  if (!map) return malformed("superblock cut short");
  const StreamBytes list = TRY(read_pages(file, msf->page_size_, PageList(*map, 4), 0, list_size));
  StreamBytes directory =
      TRY(read_pages(file, msf->page_size_, PageList(list.bytes(), 4), 0, directory_size));
  TRY(msf->read_directory(std::move(directory)));
  return std::unique_ptr<Container>(std::move(msf));
}

Result<std::unique_ptr<Container>> Msf::open2(Bytes file) {
  auto msf = std::make_unique<Msf>();
  msf->kind_ = Kind::msf2;
  msf->file_ = file;
  base::Reader r(file);
  r.seek(44);
  msf->page_size_ = r.u32();
  r.u16();  // free page map
  r.u16();  // pages in all
  const std::uint64_t directory_size = r.u32();
  r.u32();  // a pointer in the writer's memory
  TRY(r.check("PDB superblock"));
  TRY(check_page_size(msf->page_size_, kPageSizeMax));
  if (directory_size < 4 || directory_size > file.size()) {
    return malformed("directory of " + std::to_string(directory_size) + " bytes in a file of " +
                     std::to_string(file.size()));
  }
  const auto list =
      base::find_slice(file, kMsf2PagesAt, pages_for(directory_size, msf->page_size_) * 2);
  if (!list) return malformed("superblock cut short");
  StreamBytes directory =
      TRY(read_pages(file, msf->page_size_, PageList(*list, 2), 0, directory_size));
  TRY(msf->read_directory(std::move(directory)));
  return std::unique_ptr<Container>(std::move(msf));
}

// Number of streams, their sizes, then the pages of each in turn.
Result<void> Msf::read_directory(StreamBytes directory) {
  directory_ = std::move(directory);
  const bool old = kind_ == Kind::msf2;
  const unsigned width = old ? 2 : 4;
  base::Reader r(directory_.bytes());
  const std::uint32_t count = old ? r.u32() & 0xffff : r.u32();
  const std::uint64_t entry_size = old ? 8 : 4;
  if (count > kMaxStreams || count * entry_size > r.remaining()) {
    return malformed("directory of " + std::to_string(directory_.bytes().size()) +
                     " bytes cannot hold " + std::to_string(count) + " streams");
  }
  streams_.resize(count);
  for (Stream& stream : streams_) {
    const std::uint32_t size = r.u32();
    if (old) r.u32();  // a pointer in the writer's memory
    stream.here = size != kNoStream;
    stream.size = stream.here ? size : 0;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    Stream& stream = streams_[i];
    const Bytes pages = r.bytes(pages_for(stream.size, page_size_) * width);
    if (r.failed()) {
      // The directory ends early: what stands before it can still be read.
      for (std::uint32_t left = i; left < count; ++left) streams_[left] = Stream{};
      break;
    }
    stream.pages = PageList(pages, width);
  }
  return {};
}

Result<StreamBytes> Msf::read(std::uint32_t stream, std::uint64_t offset,
                              std::uint64_t size) const {
  if (stream >= streams_.size() || !streams_[stream].here) {
    return Error{Fault::not_found, "PDB: there is no stream " + std::to_string(stream)};
  }
  const Stream& found = streams_[stream];
  if (offset > found.size || size > found.size - offset) {
    return malformed("stream " + std::to_string(stream) + " has " + std::to_string(found.size) +
                     " bytes, wanted are " + std::to_string(size) + " from " +
                     std::to_string(offset));
  }
  if (size > file_.size()) {
    return malformed("stream " + std::to_string(stream) + " is longer than the file");
  }
  return read_pages(file_, page_size_, found.pages, offset, size);
}

}  // namespace

Result<std::unique_ptr<Container>> open_msf7(Bytes file) { return Msf::open7(file); }
Result<std::unique_ptr<Container>> open_msf2(Bytes file) { return Msf::open2(file); }

}  // namespace pdb
