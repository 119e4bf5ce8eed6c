#include "symbols/map.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/heap_size.h"
#include "symbols/index_file.h"
#include "symbols/row_search.h"
#include "symbols/string_store.h"

// How an address is answered. A bucket of the address range names a few row blocks; a block is 32
// rows of varints, read from its start; the row names a function, a node of that function's
// inline tree, and the innermost file and line. From the node we climb to the function: each
// step is one inlined call, whose call site is the place in the frame around it. So names move
// inwards and places move outwards:
//
//   tree      node n: name C, called at b.cc:7      frames   C  at the row's file and line
//             its parent: name B, called at a.cc:3           B  at b.cc:7
//             the function A                                 A  at a.cc:3
//
// Where no function covers the address, the public symbol before it answers, unless a function
// starts between the two.
namespace symbols {
namespace {

// A node's parent has a smaller number, so climbing ends; a damaged file could make it long.
constexpr unsigned kMaxFrames = 1100;

// Ascending addresses closer than this are mostly in the block at hand.
constexpr std::uint64_t kNear = 4096;

void look_ahead(std::span<const base::Rva> rvas, std::size_t i, const RowSearch& rows) {
  constexpr std::size_t kStep = 4;
  if (i + 3 * kStep >= rvas.size()) return;
  if (rvas[i + kStep].value - rvas[i].value < kNear) return;
  rows.bring_bucket(rvas[i + 3 * kStep].value);
  rows.bring_block(rvas[i + 2 * kStep].value);
  rows.bring_rows(rvas[i + kStep].value);
}

std::int64_t from_zigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

}  // namespace

struct Map::State {
  State(std::unique_ptr<IndexFile> opened, std::shared_ptr<MapMemory> of)
      : memory(std::move(of)), file(std::move(opened)), strings(*file, memory) {
    constexpr std::uint64_t kCounts = 24;  // of the shared_ptr
    memory.add(base::heap_size(sizeof(Map)) + base::heap_size(kCounts) +
               base::heap_size(sizeof(State)) + file->heap_size());
  }

  MapShare memory;
  std::unique_ptr<IndexFile> file;
  StringStore strings;

  // `row` is no function's: a public, or nothing.
  bool fill_uncovered(std::uint64_t rva, RowSearch::Found found, const Row& row, Mangled mangled,
                      Hit& hit) const;
  bool fill_function(const Row& row, Mangled mangled, Hit& hit) const;
  void bring_node(const Row& row) const;  // a hint: fill_function() comes soon
  std::optional<std::uint64_t> find_root(const Row& row) const;
  bool fill_inlines(const Row& row, std::uint64_t first_node, Hit& hit) const;
  bool set_file(std::uint64_t file_plus_one, SourceFrame& frame) const;
  std::optional<std::uint64_t> find_public(std::uint64_t rva, RowSearch::Found found,
                                           const Row& row) const;
  bool fill_public(std::uint64_t number, Mangled mangled, Hit& hit) const;
  std::optional<CfiRules> rules_of(std::uint64_t set) const;
  bool append_rule(std::uint64_t number, std::vector<CfiRule>& rules) const;
  std::optional<StackWinRule> find_win(const PackedTable& table, std::uint32_t type,
                                       std::uint64_t rva) const;
};

Map::Map(std::unique_ptr<State> state) : state_(std::move(state)) {}
Map::~Map() = default;

base::Result<std::shared_ptr<const Map>> Map::open(std::shared_ptr<const base::MappedFile> file,
                                                   std::shared_ptr<MapMemory> memory) {
  std::unique_ptr<IndexFile> opened = TRY(IndexFile::open(std::move(file)));
  return std::shared_ptr<const Map>(
      new Map(std::make_unique<State>(std::move(opened), std::move(memory))));
}

const ModuleInfo& Map::info() const { return state_->file->info(); }
const std::string& Map::path() const { return state_->file->path(); }

Map::Contents Map::contents() const {
  const IndexFile& file = *state_->file;
  Contents contents;
  contents.functions = file.functions.count() != 0;
  contents.publics = file.publics.count() != 0;
  contents.places = file.files.count() != 0;
  contents.unwind =
      file.unwind.count() != 0 || file.frame_data.count() != 0 || file.fpo.count() != 0;
  return contents;
}

bool Map::find(base::Rva rva, Hit& hit) const {
  RowSearch rows(*state_->file);
  const RowSearch::Found found = rows.find(rva.value);
  if (found == RowSearch::Found::kRow && !rows.row().hole) {
    return state_->fill_function(rows.row(), Mangled::wanted, hit);
  }
  return state_->fill_uncovered(rva.value, found, rows.row(), Mangled::wanted, hit);
}

void Map::find_many(std::span<const base::Rva> rvas,
                    const std::function<void(std::size_t, const Hit*)>& sink,
                    Mangled mangled) const {
  // In groups: first the rows of all, asking for their nodes; then the frames of each. By then the
  // nodes have come from memory.
  constexpr std::size_t kGroup = 16;
  RowSearch rows(*state_->file);
  std::array<std::pair<RowSearch::Found, Row>, kGroup> group;
  Hit hit;
  Row last;  // what `hit` was made from
  bool reusable = false;
  for (std::size_t from = 0; from < rvas.size(); from += kGroup) {
    const std::size_t count = std::min(kGroup, rvas.size() - from);
    for (std::size_t i = 0; i < count; ++i) {
      look_ahead(rvas, from + i, rows);
      const RowSearch::Found found = rows.find(rvas[from + i].value);
      group[i] = {found, rows.row()};
      state_->bring_node(rows.row());
    }
    for (std::size_t i = 0; i < count; ++i) {
      const auto& [found, row] = group[i];
      if (found == RowSearch::Found::kRow && !row.hole) {
        reusable = reusable && row == last;
        if (!reusable) reusable = state_->fill_function(row, mangled, hit);
        last = row;
        sink(from + i, reusable ? &hit : nullptr);
      } else {
        reusable = false;
        const bool good = state_->fill_uncovered(rvas[from + i].value, found, row, mangled, hit);
        sink(from + i, good ? &hit : nullptr);
      }
    }
  }
}

bool Map::has_name_at(base::Rva rva) const {
  RowSearch rows(*state_->file);
  const RowSearch::Found found = rows.find(rva.value);
  if (found == RowSearch::Found::kDamaged) return false;
  if (found == RowSearch::Found::kRow && !rows.row().hole) return true;
  return state_->find_public(rva.value, found, rows.row()).has_value();
}

std::optional<std::string_view> Map::find_nearest_name(base::Rva rva) const {
  const IndexFile& file = *state_->file;
  // Without one of them the others would tell a name that is farther away.
  for (const PackedTable* table : {&file.functions, &file.publics, &file.nearest}) {
    if (table->count() != 0 && !file.touch(*table)) return std::nullopt;
  }
  std::optional<std::uint64_t> name;
  std::uint64_t start = 0;
  const auto look_in = [&](const PackedTable& table, unsigned start_field, unsigned name_field) {
    const std::uint64_t number = table.count() == 0 ? 0 : table.upper_bound(rva.value, start_field);
    if (number == 0) return;
    const std::uint64_t at = table.get(number - 1, start_field);
    if (name && at < start) return;
    start = at;
    name = table.get(number - 1, name_field);
  };
  look_in(file.functions, index::kFunctionStart, index::kFunctionName);
  look_in(file.publics, index::kPublicStart, index::kPublicName);
  look_in(file.nearest, index::kNearestStart, index::kNearestName);
  if (!name) return std::nullopt;
  const auto text = state_->strings.find(*name);
  if (!text || text->empty()) return std::nullopt;
  return text;
}

std::uint64_t Map::file_size() const { return state_->file->file_size(); }

bool Map::is_damaged() const { return state_->file->is_damaged(); }

std::uint64_t Map::memory_size() const { return state_->memory.size(); }

void Map::lend() const { state_->memory.lend(); }

std::optional<base::Rva> Map::find_line_start(base::Rva rva) const {
  RowSearch rows(*state_->file);
  if (rows.find(rva.value) != RowSearch::Found::kRow || rows.row().hole) return std::nullopt;
  const Row row = rows.row();
  std::uint64_t start = rows.row_start();
  const auto root = state_->find_root(row);
  if (!root || *root == 0) return base::Rva{start};
  while (start > 0) {
    RowSearch before(*state_->file);
    if (before.find(start - 1) != RowSearch::Found::kRow) break;
    const Row& earlier = before.row();
    if (earlier.hole || earlier.function != row.function) break;
    if (state_->find_root(earlier) != root) break;
    start = before.row_start();
  }
  return base::Rva{start};
}

// The outermost inlined call that a row is part of: its number in the function, 0 for none.
std::optional<std::uint64_t> Map::State::find_root(const Row& row) const {
  const PackedTable& functions = file->functions;
  if (!file->touch(functions, row.function)) return std::nullopt;
  const std::uint64_t first =
      functions.field_of(functions.record(row.function), index::kFunctionFirstNode);
  std::uint64_t node = row.node;
  while (node != 0) {
    if (!file->touch(file->nodes, first + node - 1)) return std::nullopt;
    const std::uint64_t parent =
        file->nodes.field_of(file->nodes.record(first + node - 1), index::kNodeParent);
    if (parent == 0) return node;
    if (parent >= node) return std::nullopt;
    node = parent;
  }
  return 0;
}

bool Map::State::fill_uncovered(std::uint64_t rva, RowSearch::Found found, const Row& row,
                                Mangled mangled, Hit& hit) const {
  if (found == RowSearch::Found::kDamaged) return false;
  const auto number = find_public(rva, found, row);
  return number && fill_public(*number, mangled, hit);
}

bool Map::State::fill_function(const Row& row, Mangled mangled, Hit& hit) const {
  const PackedTable& functions = file->functions;
  if (!file->touch(functions, row.function)) return false;
  const std::uint8_t* const record = functions.record(row.function);
  const auto name = strings.find(functions.field_of(record, index::kFunctionName));
  if (!name) return false;
  hit.start = base::Rva{functions.field_of(record, index::kFunctionStart)};
  hit.size = functions.field_of(record, index::kFunctionSize);
  hit.parameter_size =
      static_cast<std::uint32_t>(functions.field_of(record, index::kFunctionParameters));
  hit.is_public = false;
  hit.mangled = {};
  hit.physical = SourceFrame{*name, {}, 0, false, false};
  hit.inlines.clear();
  if (mangled == Mangled::wanted && file->function_names.stride() != 0) {
    if (!file->touch(file->function_names, row.function)) return false;
    const std::uint64_t text = file->function_names.get(row.function, 0);
    if (text != 0) hit.mangled = strings.find(text - 1).value_or(std::string_view());
  }
  if (row.node != 0) {
    return fill_inlines(row, functions.field_of(record, index::kFunctionFirstNode), hit);
  }
  // A line of an unknown file is no place at all for the frame that is really there.
  if (row.has_line && row.file != 0) {
    if (!set_file(row.file, hit.physical)) return false;
    hit.physical.line = row.line;
    hit.physical.has_line = hit.physical.has_file;
  }
  return true;
}

void Map::State::bring_node(const Row& row) const {
  if (row.node == 0 || row.function >= file->functions.count()) return;
  const std::uint64_t first = file->functions.get(row.function, index::kFunctionFirstNode);
  if (first + row.node <= file->nodes.count()) {
    __builtin_prefetch(file->nodes.record(first + row.node - 1));
  }
}

bool Map::State::set_file(std::uint64_t file_plus_one, SourceFrame& frame) const {
  if (file_plus_one == 0) return true;
  if (!file->touch(file->files, file_plus_one - 1)) return false;
  const auto text = strings.find(file->files.get(file_plus_one - 1, 0));
  if (!text) return false;
  frame.file = *text;
  frame.has_file = !text->empty();  // a path without a letter is none
  return true;
}

bool Map::State::fill_inlines(const Row& row, std::uint64_t first_node, Hit& hit) const {
  const PackedTable& nodes = file->nodes;
  // Filled where it will be: first the place where it stands, then its function.
  SourceFrame* frame = &hit.inlines.emplace_back();
  if (!set_file(row.has_line ? row.file : 0, *frame)) return false;
  frame->line = row.line;
  frame->has_line = row.has_line && row.line != 0;
  std::uint64_t node = row.node;
  for (unsigned depth = 0; node != 0; ++depth) {
    const std::uint64_t number = first_node + node - 1;
    if (depth == kMaxFrames || !file->touch(nodes, number)) return false;
    const std::uint8_t* const record = nodes.record(number);
    const std::uint64_t name = nodes.field_of(record, index::kNodeName);
    if (name != 0) {
      const auto text = strings.find(name - 1);
      if (!text) return false;
      frame->function = *text;
    }
    if (!frame->function.empty()) {
      frame = &hit.inlines.emplace_back();
    } else {
      *frame = SourceFrame{};
    }
    if (!set_file(nodes.field_of(record, index::kNodeFile), *frame)) return false;
    frame->line = static_cast<std::uint32_t>(nodes.field_of(record, index::kNodeLine));
    frame->has_line = true;
    const std::uint64_t parent = nodes.field_of(record, index::kNodeParent);
    if (parent >= node) return false;
    node = parent;
  }
  if (frame->has_file) {
    frame->function = hit.physical.function;
    hit.physical = *frame;
  }
  hit.inlines.pop_back();
  return true;
}

std::optional<std::uint64_t> Map::State::find_public(std::uint64_t rva, RowSearch::Found found,
                                                     const Row& row) const {
  if (file->publics.count() == 0 || !file->touch(file->publics)) return std::nullopt;
  const std::uint64_t number = file->publics.upper_bound(rva, index::kPublicStart);
  if (number == 0) return std::nullopt;
  if (found == RowSearch::Found::kRow) {
    if (!file->touch(file->functions, row.function)) return std::nullopt;
    const std::uint64_t before = file->functions.get(row.function, index::kFunctionStart);
    if (file->publics.get(number - 1, index::kPublicStart) <= before) return std::nullopt;
  }
  return number - 1;
}

bool Map::State::fill_public(std::uint64_t number, Mangled mangled, Hit& hit) const {
  const PackedTable& publics = file->publics;
  const auto name = strings.find(publics.get(number, index::kPublicName));
  if (!name) return false;
  hit.physical = SourceFrame{*name, {}, 0, false, false};
  hit.start = base::Rva{publics.get(number, index::kPublicStart)};
  hit.size = 0;
  hit.parameter_size = static_cast<std::uint32_t>(publics.get(number, index::kPublicParameters));
  hit.is_public = true;
  hit.inlines.clear();
  hit.mangled = {};
  if (mangled == Mangled::unwanted) return true;
  const std::uint64_t text = publics.get(number, index::kPublicMangled);
  if (text != 0) hit.mangled = strings.find(text - 1).value_or(std::string_view());
  return true;
}

std::optional<CfiRules> Map::find_cfi(base::Rva rva) const {
  const IndexFile& file = *state_->file;
  if (file.unwind.count() == 0 || !file.touch(file.unwind)) return std::nullopt;
  const std::uint64_t number = file.unwind.upper_bound(rva.value, index::kUnwindStart);
  if (number == 0) return std::nullopt;
  const std::uint64_t start = file.unwind.get(number - 1, index::kUnwindStart);
  const std::uint64_t offset = file.unwind.get(number - 1, index::kUnwindOffset);
  const std::uint64_t end = number < file.unwind.count()
                                ? file.unwind.get(number, index::kUnwindOffset)
                                : file.unwind_rows.size();
  if (end < offset) return std::nullopt;
  const auto bytes = base::find_slice(file.unwind_rows, offset, end - offset);
  if (!bytes || !file.touch(*bytes)) return std::nullopt;
  base::Reader reader(*bytes);
  const std::uint64_t range_start = start - reader.uleb();
  const std::uint64_t range_size = reader.uleb();
  if (rva.value - range_start >= range_size) return std::nullopt;
  const std::uint64_t count = reader.uleb();
  std::uint64_t at = start;
  std::uint64_t set = 0;
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    at += reader.uleb();
    const std::uint64_t next = reader.uleb();
    if (at > rva.value) break;
    set = next;
  }
  if (!reader.ok()) return std::nullopt;
  std::optional<CfiRules> found = state_->rules_of(set);
  if (!found || found->rules.empty()) return std::nullopt;  // the text did not parse
  found->range_start = range_start;
  found->range_size = range_size;
  return found;
}

std::optional<CfiRules> Map::State::rules_of(std::uint64_t set) const {
  if (!file->touch(file->rule_sets, set)) return std::nullopt;
  const std::uint64_t offset = file->rule_sets.get(set, 0);
  if (offset > file->rule_set_data.size()) return std::nullopt;
  const base::Bytes bytes = file->rule_set_data.subspan(static_cast<std::size_t>(offset));
  if (!file->touch(bytes)) return std::nullopt;
  base::Reader reader(bytes);
  CfiRules found;
  const std::uint64_t count = reader.uleb();
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t rule = reader.uleb();
    if (!reader.ok() || !append_rule(rule, found.rules)) return std::nullopt;
  }
  return found;
}

bool Map::State::append_rule(std::uint64_t number, std::vector<CfiRule>& rules) const {
  if (!file->touch(file->rules, number)) return false;
  const std::uint64_t offset = file->rules.get(number, 0);
  if (offset > file->rule_data.size()) return false;
  const base::Bytes bytes = file->rule_data.subspan(static_cast<std::size_t>(offset));
  if (!file->touch(bytes)) return false;
  base::Reader reader(bytes);
  CfiRule rule;
  rule.target = base::text_of(reader.bytes(reader.uleb()));
  const std::uint64_t count = reader.uleb();
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    const std::uint8_t kind = reader.u8();
    CfiOp op;
    if (kind < static_cast<std::uint8_t>(CfiOp::Kind::kBad)) op.kind = CfiOp::Kind{kind};
    if (op.kind == CfiOp::Kind::kConstant) op.value = from_zigzag(reader.uleb());
    if (op.kind == CfiOp::Kind::kRegister) op.name = base::text_of(reader.bytes(reader.uleb()));
    rule.program.push_back(op);
  }
  if (!reader.ok()) return false;
  rules.push_back(std::move(rule));
  return true;
}

std::optional<StackWinRule> Map::find_stack_win(base::Rva rva) const {
  const IndexFile& file = *state_->file;
  if (auto found = state_->find_win(file.frame_data, 4, rva.value)) return found;
  return state_->find_win(file.fpo, 0, rva.value);
}

std::optional<StackWinRule> Map::State::find_win(const PackedTable& table, std::uint32_t type,
                                                 std::uint64_t rva) const {
  if (table.count() == 0 || !file->touch(table)) return std::nullopt;
  const std::uint64_t after = table.upper_bound(rva, index::kWinStart);
  if (after == 0) return std::nullopt;
  const std::uint8_t* const record = table.record(after - 1);
  const auto field = [&](unsigned f) { return table.field_of(record, f); };
  if (rva - field(index::kWinStart) >= field(index::kWinSize)) return std::nullopt;
  StackWinRule rule;
  rule.type = type;
  rule.start = field(index::kWinStart);
  rule.size = static_cast<std::uint32_t>(field(index::kWinSize));
  rule.parameter_size = static_cast<std::uint32_t>(field(index::kWinParameters));
  rule.saved_register_size = static_cast<std::uint32_t>(field(index::kWinSaved));
  rule.local_size = static_cast<std::uint32_t>(field(index::kWinLocals));
  rule.allocates_base_pointer = field(index::kWinBasePointer) != 0;
  const auto program = strings.find(field(index::kWinProgram));
  if (!program) return std::nullopt;
  rule.program = *program;
  return rule;
}

}  // namespace symbols
