#include "symbols/index_writer.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <tuple>

#include "base/file.h"
#include "base/hash64.h"
#include "base/pool.h"
#include "symbols/byte_writer.h"
#include "symbols/flatten.h"
#include "symbols/index_format.h"
#include "symbols/index_rows.h"
#include "symbols/index_strings.h"
#include "symbols/index_unwind.h"
#include "symbols/nearest.h"
#include "symbols/packed_table.h"

// The order of work: functions in order, then three independent jobs on the workers (rows and
// inline nodes, texts, unwind rules), then the tables that need the numbers of texts, then one
// file. From the sort of the functions on, nothing depends on the order in which the Model came.
namespace symbols {
namespace {

using base::Error;
using base::Fault;
using base::Result;

constexpr std::uint64_t kMaxRecords = 0xfffffff0;

struct Section {
  std::uint32_t tag;
  std::vector<std::uint8_t> bytes;
};

std::vector<std::uint8_t> write_info(const ModuleInfo& info) {
  ByteWriter out;
  for (const std::string* text :
       {&info.os, &info.arch, &info.code_id, &info.code_file, &info.name, &info.symbol_url}) {
    out.text(*text);
  }
  out.uleb(info.extra_info.size());
  for (const std::string& line : info.extra_info) out.text(line);
  return out.take();
}

// Of several publics at one address the last in (name, parameters) counts, but for nearest.h. One
// at the start of a function is kept for find_nearest_name(); find() prefers the function.
std::vector<std::uint32_t> publics_in_order(const Model& model) {
  const std::vector<Public>& publics = model.publics;
  std::vector<std::uint32_t> order(publics.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto less = [&](std::uint32_t a, std::uint32_t b) {
    const Public& p = publics[a];
    const Public& q = publics[b];
    if (p.rva != q.rva) return p.rva < q.rva;
    const int names = model.strings[p.name].compare(model.strings[q.name]);
    if (names != 0) return names < 0;
    return std::tie(p.parameter_size, a) < std::tie(q.parameter_size, b);
  };
  std::sort(order.begin(), order.end(), less);
  std::vector<std::uint32_t> kept;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::uint64_t rva = publics[order[i]].rva;
    if (i + 1 < order.size() && publics[order[i + 1]].rva == rva) continue;
    kept.push_back(order[i]);
  }
  return kept;
}

class Writer {
 public:
  Writer(const Model& model, const IndexOptions& options)
      : model_(model),
        threads_(options.threads != 0 ? options.threads : base::default_thread_count()),
        level_(options.zstd_level),
        strings_(model.strings) {}

  Result<std::vector<std::uint8_t>> write() {
    TRY(check_limits());
    order_ = functions_in_order(model_);
    publics_ = publics_in_order(model_);
    nearest_ = other_nearest_names(model_, order_, publics_);
    frame_data_ = stack_win_in_order(model_, 4);
    fpo_ = stack_win_in_order(model_, 0);
    chunks_ = plan_chunks(model_, order_);
    run_jobs();
    add_functions();
    add_rows();
    add_publics();
    add_nearest();
    add_unwind();
    add_texts();
    return assemble();
  }

 private:
  Result<void> check_limits() const {
    const std::size_t counts[] = {model_.functions.size(), model_.lines.size(),
                                  model_.inlines.size(),   model_.inline_ranges.size(),
                                  model_.publics.size(),   model_.cfi_ranges.size(),
                                  model_.cfi_rows.size(),  model_.stack_win.size(),
                                  model_.strings.size(),   model_.files.size()};
    for (const std::size_t count : counts) {
      if (count > kMaxRecords) {
        return Error{Fault::too_large, "symbol index of " + model_.info.name + ": " +
                                           std::to_string(count) + " records of one kind"};
      }
    }
    for (std::uint32_t id = 0; id < model_.strings.size(); ++id) {
      if (model_.strings[id].size() > index::kMaxStringBlockPlainSize) {
        return Error{Fault::too_large, "symbol index of " + model_.info.name + ": a name of " +
                                           std::to_string(model_.strings[id].size()) + " bytes"};
      }
    }
    return {};
  }

  void use_texts() {
    for (const std::uint32_t index : order_) {
      const Function& function = model_.functions[index];
      strings_.use(function.name);
      if (function.mangled != 0) strings_.use(function.mangled);
      for (std::uint32_t i = 0; i < function.inline_count; ++i) {
        const StringId name = model_.inlines[function.first_inline + i].name;
        if (name != kNoName) strings_.use(name);
      }
    }
    for (const std::uint32_t index : publics_) {
      strings_.use(model_.publics[index].name);
      if (model_.publics[index].mangled != 0) strings_.use(model_.publics[index].mangled);
    }
    for (const NearestName& other : nearest_) strings_.use(other.name);
    for (const StringId file : model_.files) strings_.use(file);
    for (const StackWin& record : frame_data_) strings_.use(record.program);
    for (const StackWin& record : fpo_) strings_.use(record.program);
  }

  void run_jobs() {
    use_texts();
    // Job 0 prepares the unwind rules beside the rows; texts use the workers themselves.
    base::parallel_for(chunks_.size() + 1, threads_, [&](std::size_t job) {
      if (job == 0) {
        unwind_ = write_unwind(model_);
      } else {
        encode_chunk(model_, order_, chunks_[job - 1]);
      }
    });
    texts_ = strings_.build(threads_, level_);
  }

  void add(std::uint32_t tag, std::vector<std::uint8_t> bytes) {
    sections_.push_back({tag, std::move(bytes)});
  }

  template <std::size_t kFields, class Values>
  std::vector<std::uint8_t> packed(std::size_t count, const Values& values_of) {
    std::array<std::uint64_t, kFields> bits{};
    for (std::size_t i = 0; i < count; ++i) {
      const std::array<std::uint64_t, kFields> values = values_of(i);
      for (std::size_t f = 0; f < kFields; ++f) bits[f] |= values[f];
    }
    PackedWriter table(count, bits);
    for (std::size_t i = 0; i < count; ++i) table.put(i, values_of(i));
    return table.take();
  }

  void add_functions() {
    std::vector<std::uint64_t> first_node;
    std::uint64_t nodes = 0;
    for (const RowChunk& chunk : chunks_) {
      for (const std::uint32_t first : chunk.first_node) first_node.push_back(nodes + first);
      nodes += chunk.nodes.size();
    }
    add(index::kFunctions, packed<6>(order_.size(), [&](std::size_t i) {
          const Function& f = model_.functions[order_[i]];
          return std::array<std::uint64_t, 6>{f.rva,
                                              f.size,
                                              strings_.id_of(f.name),
                                              f.parameter_size,
                                              first_node[i],
                                              f.multiple ? index::kFunctionMultiple : 0};
        }));
    add(index::kFunctionNames, packed<1>(order_.size(), [&](std::size_t i) {
          return std::array<std::uint64_t, 1>{mangled_id(model_.functions[order_[i]].mangled)};
        }));
  }

  std::uint64_t mangled_id(StringId id) const {
    return id == 0 ? 0 : std::uint64_t{strings_.id_of(id)} + 1;
  }

  void add_rows() {
    ByteWriter rows;
    std::vector<RowBlock> blocks;
    for (const RowChunk& chunk : chunks_) {
      for (const RowBlock& block : chunk.blocks) {
        blocks.push_back({block.start, rows.size() + block.offset});
      }
      rows.append(chunk.rows);
    }
    add(index::kBuckets, buckets_of(blocks));
    // One more key than blocks: where the last block ends.
    const std::uint64_t end = rows.size();
    add(index::kBlocks, packed<2>(blocks.size() + 1, [&](std::size_t i) {
          return i == blocks.size()
                     ? std::array<std::uint64_t, 2>{i == 0 ? 0 : blocks[i - 1].start, end}
                     : std::array<std::uint64_t, 2>{blocks[i].start, blocks[i].offset};
        }));
    add(index::kRows, rows.take());
    add_nodes();
  }

  // For each equal slice of the address range, the block in which it begins.
  static std::vector<std::uint8_t> buckets_of(const std::vector<RowBlock>& blocks) {
    ByteWriter out;
    const std::uint64_t first = blocks.empty() ? 0 : blocks.front().start;
    const std::uint64_t reach = blocks.empty() ? 0 : blocks.back().start - first;
    unsigned shift = 0;
    while ((reach >> shift) >= std::max<std::size_t>(2 * blocks.size(), 1)) ++shift;
    out.u64(first);
    out.u64(shift);
    const std::size_t count = static_cast<std::size_t>(reach >> shift) + 2;
    const std::uint64_t bits[] = {blocks.size()};
    PackedWriter table(count, bits);
    std::size_t block = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t from = std::min(std::uint64_t{i}, ~std::uint64_t{0} >> shift) << shift;
      while (block + 1 < blocks.size() && blocks[block + 1].start - first <= from) ++block;
      if (i + 1 == count && !blocks.empty()) block = blocks.size() - 1;
      const std::uint64_t values[] = {block};
      table.put(i, values);
    }
    out.append(table.take());
    return out.take();
  }

  void add_nodes() {
    std::vector<const FlatNode*> nodes;
    for (const RowChunk& chunk : chunks_) {
      for (const FlatNode& node : chunk.nodes) nodes.push_back(&node);
    }
    add(index::kNodes, packed<4>(nodes.size(), [&](std::size_t i) {
          const FlatNode& n = *nodes[i];
          const std::uint64_t name =
              n.name == kNoName ? 0 : std::uint64_t{strings_.id_of(n.name)} + 1;
          return std::array<std::uint64_t, 4>{
              n.parent, name, n.call_file == kNoFile ? 0 : std::uint64_t{n.call_file} + 1,
              n.call_line};
        }));
  }

  void add_publics() {
    add(index::kPublics, packed<5>(publics_.size(), [&](std::size_t i) {
          const Public& p = model_.publics[publics_[i]];
          return std::array<std::uint64_t, 5>{p.rva, strings_.id_of(p.name), p.parameter_size,
                                              mangled_id(p.mangled),
                                              p.multiple ? index::kFunctionMultiple : 0};
        }));
  }

  // Most modules have none: then there is no such section.
  void add_nearest() {
    if (nearest_.empty()) return;
    add(index::kNearest, packed<2>(nearest_.size(), [&](std::size_t i) {
          return std::array<std::uint64_t, 2>{nearest_[i].start, strings_.id_of(nearest_[i].name)};
        }));
  }

  void add_unwind() {
    add(index::kUnwind, std::move(unwind_.segments));
    add(index::kUnwindRows, std::move(unwind_.rows));
    add(index::kRuleSets, std::move(unwind_.rule_sets));
    add(index::kRuleSetData, std::move(unwind_.rule_set_data));
    add(index::kRules, std::move(unwind_.rules));
    add(index::kRuleData, std::move(unwind_.rule_data));
    add(index::kFrameData, write_stack_win(frame_data_, strings_));
    add(index::kFpo, write_stack_win(fpo_, strings_));
  }

  void add_texts() {
    add(index::kFiles, packed<1>(model_.files.size(), [&](std::size_t i) {
          return std::array<std::uint64_t, 1>{strings_.id_of(model_.files[i])};
        }));
    add(index::kStrings, std::move(texts_.strings));
    add(index::kStringBlocks, std::move(texts_.blocks));
    add(index::kStringDictionary, std::move(texts_.dictionary));
    add(index::kStringData, std::move(texts_.data));
  }

  std::vector<std::uint8_t> assemble();

  const Model& model_;
  unsigned threads_;
  int level_;
  IndexStrings strings_;
  std::vector<std::uint32_t> order_;
  std::vector<std::uint32_t> publics_;
  std::vector<NearestName> nearest_;
  std::vector<StackWin> frame_data_;
  std::vector<StackWin> fpo_;
  std::vector<RowChunk> chunks_;
  UnwindSections unwind_;
  StringSections texts_;
  std::vector<Section> sections_;
};

std::uint64_t aligned(std::uint64_t offset) {
  return (offset + index::kAlignment - 1) & ~std::uint64_t{index::kAlignment - 1};
}

std::vector<std::uint8_t> Writer::assemble() {
  const std::vector<std::uint8_t> info = write_info(model_.info);
  const std::size_t section_count = sections_.size() + 2;
  const std::uint64_t info_at =
      aligned(index::kHeadSize + section_count * index::kSectionEntrySize);
  const std::uint64_t pages_at = aligned(info_at + info.size());
  std::uint64_t data_size = 0;
  for (const Section& section : sections_) data_size += aligned(section.bytes.size());
  const std::uint64_t page_count = (data_size + index::kPageSize - 1) / index::kPageSize;
  const std::uint64_t data_at = aligned(pages_at + page_count * 8);

  std::vector<std::uint8_t> file(data_at + data_size);
  ByteWriter table;
  const auto entry = [&](std::uint32_t tag, std::uint64_t at, base::Bytes bytes) {
    std::copy(bytes.begin(), bytes.end(), file.begin() + static_cast<long>(at));
    table.u32(tag);
    table.u32(0);
    table.u64(at);
    table.u64(bytes.size());
    table.u64(base::hash64(bytes));
  };
  entry(index::kInfo, info_at, info);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> places;
  std::uint64_t at = data_at;
  for (const Section& section : sections_) {
    places.emplace_back(at, section.bytes.size());
    std::copy(section.bytes.begin(), section.bytes.end(), file.begin() + static_cast<long>(at));
    at += aligned(section.bytes.size());
  }
  ByteWriter pages;
  for (std::uint64_t page = 0; page < page_count; ++page) {
    const std::uint64_t from = page * index::kPageSize;
    const std::uint64_t size = std::min<std::uint64_t>(index::kPageSize, data_size - from);
    pages.u64(base::hash64(base::Bytes(file).subspan(data_at + from, size)));
  }
  entry(index::kPages, pages_at, pages.bytes());
  for (std::size_t i = 0; i < sections_.size(); ++i) {
    table.u32(sections_[i].tag);
    table.u32(0);
    table.u64(places[i].first);
    table.u64(places[i].second);
    table.u64(0);  // verified by its pages
  }

  ByteWriter head;
  head.append(base::Bytes(index::kMagic));
  head.u32(index::kVersion);
  head.u32(model_.info.corrupt ? index::kFlagCorrupt : 0);
  head.append(model_.info.debug_id.guid);
  head.u32(model_.info.debug_id.age);
  head.u32(section_count);
  head.u64(file.size());
  head.u64(data_at);
  ByteWriter hashed;
  hashed.append(head.bytes());
  hashed.append(table.bytes());
  head.u64(base::hash64(hashed.bytes()));
  std::copy(head.bytes().begin(), head.bytes().end(), file.begin());
  std::copy(table.bytes().begin(), table.bytes().end(), file.begin() + index::kHeadSize);
  return file;
}

}  // namespace

Result<std::vector<std::uint8_t>> write_index(const Model& model, const IndexOptions& options) {
  return Writer(model, options).write();
}

Result<void> write_index_file(const Model& model, const std::string& path,
                              const IndexOptions& options) {
  const std::vector<std::uint8_t> bytes = TRY(write_index(model, options));
  if (options.durable) return base::write_file_durably(path, bytes);
  const std::string_view directory = base::parent_of(path);
  const std::string place(directory.empty() ? (path.starts_with('/') ? "/" : ".") : directory);
  TRY(base::make_directories(place));
  base::PendingFile pending = TRY(base::PendingFile::create(place));
  TRY(pending.append(bytes));
  return pending.rename_to(path);
}

}  // namespace symbols
