#include "symbols/index_unwind.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <tuple>
#include <unordered_map>

#include "symbols/byte_writer.h"
#include "symbols/cfi.h"
#include "symbols/index_format.h"
#include "symbols/index_strings.h"
#include "symbols/packed_table.h"

namespace symbols {
namespace {

constexpr std::uint64_t kMaxAddress = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint32_t kNoRules = 0;  // the rule set of text that does not parse

bool covers_something(std::uint64_t rva, std::uint32_t size) {
  return size > 0 && rva <= kMaxAddress - (size - 1);
}

std::vector<std::uint8_t> bytes_of_rule(const CfiRule& rule) {
  ByteWriter out;
  out.text(rule.target);
  out.uleb(rule.program.size());
  for (const CfiOp& op : rule.program) {
    out.u8(static_cast<std::uint64_t>(op.kind));
    if (op.kind == CfiOp::Kind::kConstant) out.uleb(ByteWriter::zigzag(op.value));
    if (op.kind == CfiOp::Kind::kRegister) out.text(op.name);
  }
  return out.take();
}

std::vector<std::uint8_t> packed_offsets(std::span<const std::uint64_t> offsets) {
  const std::uint64_t bits[] = {offsets.empty() ? 0 : offsets.back()};
  PackedWriter table(offsets.size(), bits);
  for (std::size_t i = 0; i < offsets.size(); ++i) table.put(i, offsets.subspan(i, 1));
  return table.take();
}

// Numbers texts, rules and sets of rules; each is written once.
class RuleBook {
 public:
  // A set is the numbers of its rules, in order of first mention.
  using Set = std::vector<std::pair<std::uint32_t, std::uint32_t>>;  // target, rule

  explicit RuleBook(const Model& model) : model_(model) {
    set_offsets_.push_back(0);
    set_data_.uleb(0);  // set 0: kNoRules
  }

  // Lays the rules of one text over `set`. False when the text does not parse.
  bool merge(StringId text, Set& set) {
    const Text& parsed = parsed_text(text);
    for (const auto& [target, rule] : parsed.rules) {
      const auto same = [&](const auto& entry) { return entry.first == target; };
      const auto found = std::find_if(set.begin(), set.end(), same);
      if (found != set.end()) {
        found->second = rule;
      } else {
        set.emplace_back(target, rule);
      }
    }
    return parsed.good;
  }

  std::uint32_t number_of(const Set& set) {
    const auto [found, is_new] =
        sets_.try_emplace(set, static_cast<std::uint32_t>(set_offsets_.size()));
    if (is_new) {
      set_offsets_.push_back(set_data_.size());
      set_data_.uleb(set.size());
      for (const auto& [target, rule] : set) set_data_.uleb(rule);
    }
    return found->second;
  }

  void finish(UnwindSections& out) {
    out.rule_sets = packed_offsets(set_offsets_);
    out.rule_set_data = set_data_.take();
    out.rules = packed_offsets(rule_offsets_);
    out.rule_data = rule_data_.take();
  }

 private:
  struct Text {
    bool good = false;
    Set rules;
  };

  const Text& parsed_text(StringId id) {
    if (id >= by_id_.size()) by_id_.resize(model_.strings.size(), nullptr);
    if (by_id_[id] != nullptr) return *by_id_[id];
    const auto [found, is_new] = by_text_.try_emplace(model_.strings[id]);
    if (is_new) {
      std::vector<CfiRule> rules;
      found->second.good = merge_cfi_text(model_.strings[id], rules);
      if (!found->second.good) rules.clear();
      for (const CfiRule& rule : rules) found->second.rules.emplace_back(number_of_rule(rule));
    }
    by_id_[id] = &found->second;
    return found->second;
  }

  std::pair<std::uint32_t, std::uint32_t> number_of_rule(const CfiRule& rule) {
    const auto target =
        targets_.try_emplace(std::string(rule.target), static_cast<std::uint32_t>(targets_.size()))
            .first->second;
    std::vector<std::uint8_t> bytes = bytes_of_rule(rule);
    const auto [found, is_new] =
        rules_.try_emplace(std::move(bytes), static_cast<std::uint32_t>(rule_offsets_.size()));
    if (is_new) {
      rule_offsets_.push_back(rule_data_.size());
      rule_data_.append(found->first);
    }
    return {target, found->second};
  }

  const Model& model_;
  std::vector<const Text*> by_id_;
  std::unordered_map<std::string_view, Text> by_text_;
  std::map<std::string, std::uint32_t> targets_;
  std::map<std::vector<std::uint8_t>, std::uint32_t> rules_;
  std::map<Set, std::uint32_t> sets_;
  std::vector<std::uint64_t> rule_offsets_;
  std::vector<std::uint64_t> set_offsets_;
  ByteWriter rule_data_;
  ByteWriter set_data_;
};

std::vector<std::uint32_t> ranges_in_order(const Model& model) {
  const std::vector<CfiRange>& ranges = model.cfi_ranges;
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < ranges.size(); ++i) {
    if (covers_something(ranges[i].rva, ranges[i].size)) order.push_back(i);
  }
  const auto key = [&](std::uint32_t i) { return std::tuple(ranges[i].rva, ranges[i].size, i); };
  const auto less = [&](std::uint32_t a, std::uint32_t b) { return key(a) < key(b); };
  if (!std::is_sorted(order.begin(), order.end(), less)) {
    std::sort(order.begin(), order.end(), less);
  }
  std::size_t kept = 0;
  for (const std::uint32_t index : order) {
    if (kept > 0) {
      const CfiRange& before = ranges[order[kept - 1]];
      if (ranges[index].rva <= before.rva + (before.size - 1)) continue;
    }
    order[kept++] = index;
  }
  order.resize(kept);
  return order;
}

struct UnwindRow {
  std::uint64_t rva;
  std::uint32_t rule_set;
};

// What is in force from each address on. Rows at one address apply in the order of their texts.
void flatten_range(const Model& model, const CfiRange& range, RuleBook& book,
                   std::vector<UnwindRow>& rows, std::vector<CfiRow>& scratch) {
  rows.clear();
  const auto first = model.cfi_rows.begin() + range.first_row;
  scratch.assign(first, first + range.row_count);
  const auto less = [&](const CfiRow& a, const CfiRow& b) {
    if (a.rva != b.rva) return a.rva < b.rva;
    return a.rules != b.rules && model.strings[a.rules] < model.strings[b.rules];
  };
  if (!std::is_sorted(scratch.begin(), scratch.end(), less)) {
    std::sort(scratch.begin(), scratch.end(), less);  // equal rows are the same row
  }
  RuleBook::Set set;
  bool good = book.merge(range.rules, set);
  std::size_t at = 0;
  while (at < scratch.size() && scratch[at].rva <= range.rva) {
    good = good && book.merge(scratch[at++].rules, set);
    if (!good) break;
  }
  rows.push_back({range.rva, good ? book.number_of(set) : kNoRules});
  const std::uint64_t last = range.rva + (range.size - 1);
  while (good && at < scratch.size() && scratch[at].rva <= last) {
    const std::uint64_t rva = scratch[at].rva;
    while (good && at < scratch.size() && scratch[at].rva == rva) {
      good = book.merge(scratch[at++].rules, set);
    }
    const std::uint32_t number = good ? book.number_of(set) : kNoRules;
    if (number != rows.back().rule_set) rows.push_back({rva, number});
  }
}

}  // namespace

UnwindSections write_unwind(const Model& model) {
  struct Segment {
    std::uint64_t start;
    std::uint64_t offset;
  };
  UnwindSections out;
  RuleBook book(model);
  ByteWriter data;
  std::vector<Segment> segments;
  std::vector<UnwindRow> rows;
  std::vector<CfiRow> scratch;
  for (const std::uint32_t index : ranges_in_order(model)) {
    const CfiRange& range = model.cfi_ranges[index];
    flatten_range(model, range, book, rows, scratch);
    for (std::size_t at = 0; at < rows.size(); at += index::kUnwindRowsPerSegment) {
      const std::size_t end = std::min(rows.size(), at + index::kUnwindRowsPerSegment);
      segments.push_back({rows[at].rva, data.size()});
      data.uleb(rows[at].rva - range.rva);
      data.uleb(range.size);
      data.uleb(end - at);
      for (std::size_t i = at; i < end; ++i) {
        data.uleb(rows[i].rva - rows[i == at ? at : i - 1].rva);
        data.uleb(rows[i].rule_set);
      }
    }
  }
  const std::uint64_t bits[] = {segments.empty() ? 0 : segments.back().start, data.size()};
  PackedWriter table(segments.size(), bits);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const std::uint64_t values[] = {segments[i].start, segments[i].offset};
    table.put(i, values);
  }
  out.segments = table.take();
  out.rows = data.take();
  book.finish(out);
  return out;
}

std::vector<StackWin> stack_win_in_order(const Model& model, std::uint32_t type) {
  std::vector<StackWin> records;
  for (const StackWin& record : model.stack_win) {
    if (record.type != type || !covers_something(record.rva, record.size)) continue;
    if (!records.empty()) {
      StackWin& before = records.back();
      const bool meets = before.rva <= record.rva + (record.size - 1) &&
                         record.rva <= before.rva + (before.size - 1);
      if (meets && record.rva > before.rva) {
        // Lines often have a true start and a length to the function's end: the next one
        // says where this one really ends.
        before.size = static_cast<std::uint32_t>(record.rva - before.rva);
      } else if (meets && (record.rva != before.rva || record.size != before.size)) {
        continue;
      }
    }
    records.push_back(record);
  }
  std::vector<std::uint32_t> order(records.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::tie(records[a].rva, records[a].size, a) <
           std::tie(records[b].rva, records[b].size, b);
  });
  std::vector<StackWin> kept;
  for (const std::uint32_t index : order) {
    const StackWin& record = records[index];
    if (!kept.empty() && record.rva <= kept.back().rva + (kept.back().size - 1)) continue;
    kept.push_back(record);
  }
  return kept;
}

std::vector<std::uint8_t> write_stack_win(std::span<const StackWin> records,
                                          const IndexStrings& strings) {
  const auto values_of = [&](const StackWin& r) {
    return std::array<std::uint64_t, 7>{r.rva,
                                        r.size,
                                        r.parameter_size,
                                        r.saved_register_size,
                                        r.local_size,
                                        strings.id_of(r.program),
                                        r.allocates_base_pointer ? 1u : 0u};
  };
  std::array<std::uint64_t, 7> bits{};
  for (const StackWin& record : records) {
    const auto values = values_of(record);
    for (std::size_t i = 0; i < bits.size(); ++i) bits[i] |= values[i];
  }
  PackedWriter table(records.size(), bits);
  for (std::size_t i = 0; i < records.size(); ++i) table.put(i, values_of(records[i]));
  return table.take();
}

}  // namespace symbols
