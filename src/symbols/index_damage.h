// For tests: makes a damaged index pass its checksums again, so that what lies behind them is
// reached too; and asks a Map everything at many addresses.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/hash64.h"
#include "symbols/index_format.h"
#include "symbols/map.h"

namespace symbols::damage {

template <class T>
T load(const std::vector<std::uint8_t>& bytes, std::size_t at) {
  T value{};
  if (at + sizeof(T) <= bytes.size()) std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

template <class T>
void store(std::vector<std::uint8_t>& bytes, std::size_t at, T value) {
  if (at + sizeof(T) <= bytes.size()) std::memcpy(bytes.data() + at, &value, sizeof(T));
}

inline void reseal(std::vector<std::uint8_t>& bytes) {
  namespace f = symbols::index;
  if (bytes.size() < f::kHeadSize) return;
  store<std::uint64_t>(bytes, 40, bytes.size());
  const base::Bytes view(bytes);
  const std::uint32_t count = std::min(load<std::uint32_t>(bytes, 36), f::kMaxSections);
  const auto data_at = load<std::uint64_t>(bytes, 48);
  for (const bool pages_first : {true, false}) {
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::size_t entry = f::kHeadSize + i * f::kSectionEntrySize;
      const auto at = load<std::uint64_t>(bytes, entry + 8);
      const auto size = load<std::uint64_t>(bytes, entry + 16);
      const auto section = base::find_slice(view, at, size);
      if (!section) continue;
      if (!pages_first) {
        store(bytes, entry + 24, base::hash64(*section));
      } else if (load<std::uint32_t>(bytes, entry) == f::kPages && data_at <= bytes.size()) {
        for (std::uint64_t page = 0; page * 8 + 8 <= size; ++page) {
          const std::uint64_t from = data_at + page * f::kPageSize;
          if (from >= bytes.size()) break;
          const auto part = view.subspan(from, std::min(f::kPageSize, bytes.size() - from));
          store(bytes, at + page * 8, base::hash64(part));
        }
      }
    }
  }
  const std::size_t table = std::size_t{count} * f::kSectionEntrySize;
  if (f::kHeadSize + table > bytes.size()) return;
  std::vector<std::uint8_t> hashed(bytes.begin(), bytes.begin() + f::kHeadSize - 8);
  hashed.insert(hashed.end(), bytes.begin() + f::kHeadSize,
                bytes.begin() + static_cast<long>(f::kHeadSize + table));
  store(bytes, 56, base::hash64(hashed));
}

// Every question at each address below `reach`, and at a few far ones. What comes back is read.
inline std::size_t ask_everything(const Map& map, std::uint64_t reach) {
  std::size_t seen = map.info().name.size();
  std::vector<base::Rva> rvas;
  rvas.reserve(reach + 3);
  for (std::uint64_t i = 0; i < reach; ++i) rvas.push_back(base::Rva{i});
  for (const std::uint64_t far : {1ull << 32, 1ull << 63, ~0ull}) rvas.push_back(base::Rva{far});
  const auto sum = [&](std::string_view text) {
    for (const char c : text) seen += static_cast<unsigned char>(c);
  };
  const auto read = [&](const Hit& hit) {
    sum(hit.physical.function);
    sum(hit.physical.file);
    sum(hit.mangled);
    for (const SourceFrame& frame : hit.inlines) {
      sum(frame.function);
      sum(frame.file);
    }
  };
  Hit hit;
  for (const base::Rva rva : rvas) {
    if (map.find(rva, hit)) read(hit);
    seen += map.has_name_at(rva) ? 1 : 0;
    if (const auto cfi = map.find_cfi(rva)) {
      for (const CfiRule& rule : cfi->rules) seen += rule.program.size() + rule.target.size();
    }
    if (const auto win = map.find_stack_win(rva)) seen += win->program.size();
    seen += map.find_line_start(rva).has_value() ? 1 : 0;
    if (const auto name = map.find_nearest_name(rva)) sum(*name);
  }
  map.find_many(rvas, [&](std::size_t, const Hit* many) {
    if (many != nullptr) read(*many);
  });
  return seen;
}

// A little of everything, below address 0x200.
inline Model sample_model() {
  Model model;
  model.info.name = "sample";
  for (const char* file : {"/src/a.cc", "/src/b.h"}) {
    model.files.push_back(model.strings.intern(file));
  }
  for (std::uint32_t i = 0; i < 3; ++i) {
    Function f;
    f.rva = 0x10 + i * 0x60;
    f.size = 0x40;
    f.name = model.strings.intern("function" + std::to_string(i));
    f.mangled = model.strings.intern("_Zfunction" + std::to_string(i));
    f.first_line = static_cast<std::uint32_t>(model.lines.size());
    f.line_count = 24;
    for (std::uint32_t l = 0; l < f.line_count; ++l) {
      model.lines.push_back({f.rva + l * 2, 2, 10 + l % 5, l % 3 == 0 ? 1u : 0u});
    }
    f.first_inline = static_cast<std::uint32_t>(model.inlines.size());
    f.inline_count = 3;
    for (std::uint32_t d = 0; d < f.inline_count; ++d) {
      InlineSite site;
      site.name = model.strings.intern("inlined" + std::to_string(d));
      site.call_file = d % 2;
      site.call_line = 100 + d;
      site.depth = d;
      site.first_range = static_cast<std::uint32_t>(model.inline_ranges.size());
      site.range_count = 2;
      model.inline_ranges.push_back({f.rva + 4 + d, 8});
      model.inline_ranges.push_back({f.rva + 0x20 + d, 8});
      model.inlines.push_back(site);
    }
    model.functions.push_back(f);
    CfiRange range;
    range.rva = f.rva;
    range.size = f.size;
    range.rules = model.strings.intern(".cfa: $rsp 8 + .ra: .cfa -8 + ^");
    range.first_row = static_cast<std::uint32_t>(model.cfi_rows.size());
    range.row_count = 2;
    model.cfi_rows.push_back({f.rva + 1, model.strings.intern(".cfa: $rsp 16 +")});
    model.cfi_rows.push_back(
        {f.rva + 4, model.strings.intern(".cfa: $rbp 16 + $rbp: .cfa -16 + ^")});
    model.cfi_ranges.push_back(range);
    StackWin win;
    win.type = i == 0 ? 0 : 4;
    win.rva = f.rva;
    win.size = f.size;
    win.program = model.strings.intern("$T0 .raSearch = $eip $T0 ^ =");
    model.stack_win.push_back(win);
  }
  model.publics.push_back({0x150, 4, model.strings.intern("public"), 0, false});
  // What only nearest names have: a function without size, and one inside another.
  for (const std::uint32_t size : {0u, 4u}) {
    Function f;
    f.rva = 0x60 + size * 8;
    f.size = size;
    f.name = model.strings.intern("other" + std::to_string(size));
    model.functions.push_back(f);
  }
  return model;
}
constexpr std::uint64_t kSampleReach = 0x200;

}  // namespace symbols::damage
