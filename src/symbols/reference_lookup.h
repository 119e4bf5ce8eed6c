// The slow oracle for tests: what a reader of Breakpad's text finds at an address, by linear
// search through the Model, written from docs/formats/breakpad-sym.md and not from the index.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "symbols/cfi.h"
#include "symbols/model.h"

namespace symbols::reference {

struct Frame {
  std::string function;
  std::optional<std::string> file;
  std::optional<std::uint32_t> line;
  friend bool operator==(const Frame&, const Frame&) = default;
};

struct Answer {
  Frame physical;
  std::uint64_t start = 0;
  std::uint32_t parameter_size = 0;
  bool is_public = false;
  std::vector<Frame> inlines;
  friend bool operator==(const Answer&, const Answer&) = default;
};

// Ranges in the order (start, end) without those that meet one that stands before them.
template <class T, class RangeOf>
std::vector<const T*> without_overlaps(const std::vector<T>& all, RangeOf range_of) {
  std::vector<const T*> sorted;
  for (const T& item : all) {
    const auto [start, size] = range_of(item);
    if (size != 0 && start + (size - 1) >= start) sorted.push_back(&item);
  }
  std::sort(sorted.begin(), sorted.end(), [&](const T* a, const T* b) {
    const auto [a_start, a_size] = range_of(*a);
    const auto [b_start, b_size] = range_of(*b);
    return std::tuple(a_start, a_start + (a_size - 1), a) <
           std::tuple(b_start, b_start + (b_size - 1), b);
  });
  std::vector<const T*> kept;
  for (const T* item : sorted) {
    if (!kept.empty()) {
      const auto [start, size] = range_of(*kept.back());
      if (range_of(*item).first <= start + (size - 1)) continue;
    }
    kept.push_back(item);
  }
  return kept;
}

template <class T, class RangeOf>
const T* covering(const std::vector<const T*>& items, std::uint64_t rva, RangeOf range_of) {
  for (const T* item : items) {
    const auto [start, size] = range_of(*item);
    if (start <= rva && rva - start < size) return item;
  }
  return nullptr;
}

using Span = std::pair<std::uint64_t, std::uint64_t>;
inline Span range_of_function(const Function& f) { return {f.rva, f.size}; }
inline Span range_of_line(const Line& l) { return {l.rva, l.size}; }
inline Span range_of_cfi(const CfiRange& r) { return {r.rva, r.size}; }

struct Call {
  std::uint64_t start;
  std::uint32_t size;
  FileId file;
  std::uint32_t line;
  std::uint32_t site;
};

inline std::optional<Call> call_at(const Model& model, const Function& f, std::uint32_t depth,
                                   std::uint64_t rva) {
  std::optional<Call> best;
  const auto key = [](const Call& c) { return std::tie(c.start, c.size, c.file, c.line, c.site); };
  for (std::uint32_t i = f.first_inline; i < f.first_inline + f.inline_count; ++i) {
    const InlineSite& site = model.inlines[i];
    if (site.depth != depth) continue;
    for (std::uint32_t r = 0; r < site.range_count; ++r) {
      const Range& range = model.inline_ranges[site.first_range + r];
      const Call call{range.rva, range.size, site.call_file, site.call_line, i};
      if (range.rva <= rva && (!best || key(call) > key(*best))) best = call;
    }
  }
  if (!best || best->start + best->size < best->start || rva >= best->start + best->size) {
    return std::nullopt;
  }
  return best;
}

inline std::optional<std::string> file_name(const Model& model, FileId file) {
  if (file == kNoFile || model.strings[model.files[file]].empty()) return std::nullopt;
  return std::string(model.strings[model.files[file]]);
}

inline void add_places(const Model& model, const Function& f, std::uint64_t rva, Answer& answer) {
  std::vector<Line> lines(model.lines.begin() + f.first_line,
                          model.lines.begin() + f.first_line + f.line_count);
  const auto kept = without_overlaps(lines, range_of_line);
  const Line* const line = covering(kept, rva, range_of_line);
  std::vector<Call> chain;
  while (const auto call = call_at(model, f, static_cast<std::uint32_t>(chain.size()), rva)) {
    chain.push_back(*call);
  }
  FileId outer_file = line != nullptr ? line->file : kNoFile;
  std::uint32_t outer_line = line != nullptr ? line->line : 0;
  if (!chain.empty()) {
    outer_file = chain[0].file;
    outer_line = chain[0].line;
  }
  answer.physical.file = file_name(model, outer_file);
  if (answer.physical.file) answer.physical.line = outer_line;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const StringId name = model.inlines[chain[i].site].name;
    if (name == kNoName || model.strings[name].empty()) continue;
    Frame frame{std::string(model.strings[name]), {}, {}};
    if (i + 1 < chain.size()) {
      frame.file = file_name(model, chain[i + 1].file);
      frame.line = chain[i + 1].line;
    } else if (line != nullptr) {
      frame.file = file_name(model, line->file);
      if (line->line != 0) frame.line = line->line;
    }
    answer.inlines.insert(answer.inlines.begin(), frame);
  }
}

inline std::optional<Answer> find(const Model& model, std::uint64_t rva) {
  const auto functions = without_overlaps(model.functions, range_of_function);
  Answer answer;
  if (const Function* f = covering(functions, rva, range_of_function)) {
    answer.physical.function = model.strings[f->name];
    answer.start = f->rva;
    answer.parameter_size = f->parameter_size;
    add_places(model, *f, rva, answer);
    return answer;
  }
  const Public* best = nullptr;
  const auto key = [&](const Public& p) {
    return std::tuple(p.rva, model.strings[p.name], p.parameter_size);
  };
  for (const Public& p : model.publics) {
    if (p.rva <= rva && (best == nullptr || key(p) > key(*best))) best = &p;
  }
  if (best == nullptr) return std::nullopt;
  for (const Function* f : functions) {
    if (f->rva < rva && best->rva <= f->rva) return std::nullopt;
  }
  answer.physical.function = model.strings[best->name];
  answer.start = best->rva;
  answer.parameter_size = best->parameter_size;
  answer.is_public = true;
  return answer;
}

// As the first symbolication servers told it: of the records with a name the one that begins last,
// a public before a function, the later before the earlier.
inline std::optional<std::string_view> find_nearest_name(const Model& model, std::uint64_t rva) {
  const auto last_of = [&](const auto& records) {
    const typename std::decay_t<decltype(records)>::value_type* last = nullptr;
    for (const auto& record : records) {
      if (record.rva > rva || model.strings[record.name].empty()) continue;
      if (last == nullptr || record.rva >= last->rva) last = &record;
    }
    return last;
  };
  const Function* const function = last_of(model.functions);
  const Public* const symbol = last_of(model.publics);
  if (symbol != nullptr && (function == nullptr || symbol->rva >= function->rva)) {
    return model.strings[symbol->name];
  }
  if (function == nullptr) return std::nullopt;
  return model.strings[function->name];
}

inline std::optional<CfiRules> find_cfi(const Model& model, std::uint64_t rva) {
  const auto ranges = without_overlaps(model.cfi_ranges, range_of_cfi);
  const CfiRange* const range = covering(ranges, rva, range_of_cfi);
  if (range == nullptr) return std::nullopt;
  CfiRules found;
  found.range_start = range->rva;
  found.range_size = range->size;
  if (!merge_cfi_text(model.strings[range->rules], found.rules)) return std::nullopt;
  std::vector<std::pair<std::uint64_t, std::string_view>> rows;
  for (std::uint32_t i = 0; i < range->row_count; ++i) {
    const CfiRow& row = model.cfi_rows[range->first_row + i];
    rows.emplace_back(row.rva, model.strings[row.rules]);
  }
  std::sort(rows.begin(), rows.end());
  for (const auto& [at, text] : rows) {
    if (at <= rva && !merge_cfi_text(text, found.rules)) return std::nullopt;
  }
  return found;
}

}  // namespace symbols::reference
