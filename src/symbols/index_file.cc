#include "symbols/index_file.h"

#include <algorithm>
#include <cstring>

#include "base/hash64.h"
#include "base/heap_size.h"

namespace symbols {
namespace {

using base::Bytes;
using base::Error;
using base::Fault;
using base::Reader;
using base::Result;

std::string text_from(Reader& reader) {
  return std::string(base::text_of(reader.bytes(reader.uleb())));
}

}  // namespace

Result<std::unique_ptr<IndexFile>> IndexFile::open(std::shared_ptr<const base::MappedFile> file) {
  std::unique_ptr<IndexFile> index(new IndexFile(std::move(file)));
  TRY(index->read());
  return index;
}

std::uint64_t IndexFile::heap_size() const {
  constexpr std::uint64_t kCounts = 24;  // of the shared_ptr to the file
  std::uint64_t size = base::heap_size(sizeof(IndexFile)) + base::heap_size_of(entries_) +
                       base::heap_size(page_count_ * sizeof(page_states_[0])) +
                       base::heap_size(sizeof(base::MappedFile)) + base::heap_size(kCounts) +
                       base::heap_size_of(file_->path());
  for (const std::string* text :
       {&info_.os, &info_.arch, &info_.code_id, &info_.code_file, &info_.name, &info_.symbol_url}) {
    size += base::heap_size_of(*text);
  }
  size += base::heap_size_of(info_.extra_info);
  for (const std::string& text : info_.extra_info) size += base::heap_size_of(text);
  return size;
}

Error IndexFile::damaged(const std::string& what) const {
  return Error{Fault::malformed, "symbol index " + file_->path() + ": " + what};
}

Result<void> IndexFile::read() {
  const Bytes bytes = file_->bytes();
  Reader head(bytes);
  const Bytes magic = head.bytes(sizeof index::kMagic);
  if (magic.size() != sizeof index::kMagic ||
      !std::equal(magic.begin(), magic.end(), std::begin(index::kMagic))) {
    return damaged("does not begin with FLTSYMIX");
  }
  const std::uint32_t version = head.u32();
  if (head.ok() && version != index::kVersion) {
    return Error{Fault::unsupported, "symbol index " + file_->path() + ": version " +
                                         std::to_string(version) + ", this program reads " +
                                         std::to_string(index::kVersion)};
  }
  const std::uint32_t flags = head.u32();
  const Bytes guid = head.bytes(16);
  info_.debug_id.age = head.u32();
  const std::uint32_t count = head.u32();
  const std::uint64_t size = head.u64();
  const std::uint64_t data_at = head.u64();
  const std::uint64_t hash = head.u64();
  if (!head.ok() || count > index::kMaxSections) return damaged("head is cut or damaged");
  if (size != bytes.size()) {
    return damaged("has " + std::to_string(bytes.size()) + " bytes, its head says " +
                   std::to_string(size));
  }
  const Bytes table = head.bytes(std::uint64_t{count} * index::kSectionEntrySize);
  if (!head.ok() || data_at > bytes.size()) return damaged("section table is cut");
  std::vector<std::uint8_t> hashed(bytes.begin(), bytes.begin() + index::kHeadSize - 8);
  hashed.insert(hashed.end(), table.begin(), table.end());
  if (base::hash64(hashed) != hash) return damaged("head or section table has a wrong checksum");

  std::copy(guid.begin(), guid.end(), info_.debug_id.guid.begin());
  info_.corrupt = (flags & index::kFlagCorrupt) != 0;
  paged_ = bytes.subspan(static_cast<std::size_t>(data_at));
  TRY(read_sections(table, count));
  TRY(open_tables());
  return {};
}

Result<void> IndexFile::read_sections(Bytes table, std::uint32_t count) {
  Reader reader(table);
  entries_.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t tag = reader.u32();
    reader.skip(4);
    const std::uint64_t offset = reader.u64();
    const std::uint64_t size = reader.u64();
    const std::uint64_t hash = reader.u64();
    const auto bytes = base::find_slice(file_->bytes(), offset, size);
    if (!bytes) return damaged("a section lies outside of the file");
    entries_.push_back({tag, *bytes, hash});
    const bool is_head = tag == index::kInfo || tag == index::kPages;
    if (is_head && base::hash64(*bytes) != hash) {
      return damaged(tag == index::kInfo ? "module information has a wrong checksum"
                                         : "page table has a wrong checksum");
    }
    // What no page covers would never be verified.
    if (!is_head && size > 0 && bytes->data() < paged_.data()) {
      return damaged("a section begins before the pages");
    }
  }
  TRY(read_info(section(index::kInfo)));
  page_hashes_ = section(index::kPages);
  page_count_ = (paged_.size() + index::kPageSize - 1) / index::kPageSize;
  if (page_hashes_.size() / 8 < page_count_) return damaged("page table is too short");
  page_states_ = std::make_unique<std::atomic<std::uint8_t>[]>(page_count_);
  return {};
}

Result<void> IndexFile::read_info(Bytes bytes) {
  Reader reader(bytes);
  info_.os = text_from(reader);
  info_.arch = text_from(reader);
  info_.code_id = text_from(reader);
  info_.code_file = text_from(reader);
  info_.name = text_from(reader);
  info_.symbol_url = text_from(reader);
  const std::uint64_t extra = reader.uleb();
  for (std::uint64_t i = 0; i < extra && reader.ok(); ++i) {
    info_.extra_info.push_back(text_from(reader));
  }
  if (!reader.ok()) return damaged("module information is cut");
  return {};
}

Bytes IndexFile::section(std::uint32_t tag) const {
  for (const Entry& entry : entries_) {
    if (entry.tag == tag) return entry.bytes;
  }
  return {};
}

Result<void> IndexFile::open_tables() {
  const std::pair<std::uint32_t, PackedTable*> tables[] = {{index::kFunctions, &functions},
                                                           {index::kFunctionNames, &function_names},
                                                           {index::kBlocks, &blocks},
                                                           {index::kNodes, &nodes},
                                                           {index::kPublics, &publics},
                                                           {index::kNearest, &nearest},
                                                           {index::kFiles, &files},
                                                           {index::kStrings, &strings},
                                                           {index::kStringBlocks, &string_blocks},
                                                           {index::kUnwind, &unwind},
                                                           {index::kRuleSets, &rule_sets},
                                                           {index::kRules, &rules},
                                                           {index::kFrameData, &frame_data},
                                                           {index::kFpo, &fpo}};
  for (const auto& [tag, table] : tables) {
    const Bytes bytes = section(tag);
    if (bytes.empty()) continue;
    if (!touch(bytes.first(std::min(bytes.size(), kPackedHeadSize)))) {
      return damaged("a table's head has a wrong checksum");
    }
    const auto opened = PackedTable::open(bytes);
    if (!opened) return damaged("a table does not fit its section");
    *table = *opened;
  }
  rows = section(index::kRows);
  string_data = section(index::kStringData);
  string_dictionary = section(index::kStringDictionary);
  unwind_rows = section(index::kUnwindRows);
  rule_set_data = section(index::kRuleSetData);
  rule_data = section(index::kRuleData);
  return open_buckets();
}

Result<void> IndexFile::open_buckets() {
  const Bytes bytes = section(index::kBuckets);
  if (bytes.empty()) return {};
  constexpr std::size_t kHead = 16;
  if (!touch(bytes.first(std::min(bytes.size(), kHead + kPackedHeadSize)))) {
    return damaged("the bucket table's head has a wrong checksum");
  }
  Reader reader(bytes);
  bucket_first = reader.u64();
  const std::uint64_t shift = reader.u64();
  if (!reader.ok() || shift > 63) return damaged("the bucket table's head is damaged");
  bucket_shift = static_cast<unsigned>(shift);
  const auto opened = PackedTable::open(bytes.subspan(kHead));
  if (!opened) return damaged("the bucket table does not fit its section");
  buckets = *opened;
  return {};
}

bool IndexFile::touch_slowly(const std::uint8_t* at, std::size_t size) const {
  if (size == 0) return true;
  if (at < paged_.data() || at + size > paged_.data() + paged_.size()) return false;
  const auto offset = static_cast<std::size_t>(at - paged_.data());
  bool good = true;
  for (std::size_t page = offset >> index::kPageBits;
       page <= (offset + size - 1) >> index::kPageBits; ++page) {
    const std::uint8_t state = page_states_[page].load(std::memory_order_acquire);
    good &= state == kUnknown ? verify_page(page) : state == kGood;
  }
  return good;
}

bool IndexFile::verify_page(std::size_t page) const {
  const std::size_t from = page << index::kPageBits;
  const std::size_t size = std::min(index::kPageSize, paged_.size() - from);
  std::uint64_t expected;
  std::memcpy(&expected, page_hashes_.data() + page * 8, 8);
  const bool good = base::hash64(paged_.subspan(from, size)) == expected;
  if (!good) is_damaged_.store(true, std::memory_order_relaxed);
  page_states_[page].store(good ? kGood : kBad, std::memory_order_release);
  return good;
}

}  // namespace symbols
