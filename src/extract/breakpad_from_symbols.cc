#include "extract/breakpad_from_symbols.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <numeric>

#include "base/pool.h"
#include "extract/text_buffer.h"

namespace extract {
namespace {

using symbols::Function;
using symbols::InlineSite;
using symbols::Line;
using symbols::Model;
using symbols::Range;

constexpr std::size_t kChunkRecords = 20'000;  // lines and inlined ranges in one piece of text
constexpr std::uint32_t kUnnumbered = 0xffffffff;

// What a record has to say about order: equal keys keep the model's order.
template <class T, class Key>
std::vector<std::uint32_t> order_by(const std::vector<T>& items, Key key) {
  std::vector<std::uint32_t> order(items.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto less = [&](std::uint32_t a, std::uint32_t b) {
    const auto key_a = key(items[a]), key_b = key(items[b]);
    return key_a != key_b ? key_a < key_b : a < b;
  };
  if (!std::is_sorted(order.begin(), order.end(), less))
    std::sort(order.begin(), order.end(), less);
  return order;
}

// Files and inline origins that some function uses, numbered in order of first use.
struct Numbers {
  std::vector<std::uint32_t> of_file;    // FileId → number in the text
  std::vector<std::uint32_t> files;      // number → FileId
  std::vector<std::uint32_t> of_origin;  // StringId → number
  std::vector<std::uint32_t> origins;    // number → StringId

  static void use(std::vector<std::uint32_t>& of, std::vector<std::uint32_t>& list,
                  std::uint32_t id) {
    if (id >= of.size() || of[id] != kUnnumbered) return;
    of[id] = static_cast<std::uint32_t>(list.size());
    list.push_back(id);
  }
};

class Writer {
 public:
  Writer(const Model& model, const BreakpadOptions& options) : model_(model), options_(options) {}

  base::Result<void> write(const BreakpadSink& sink);

 private:
  struct Chunk {
    enum class Kind : unsigned char { head, files, origins, functions, publics, win, cfi };
    Kind kind;
    std::size_t first, last;
  };

  void number_everything();
  void plan();
  void plan_even(Chunk::Kind kind, std::size_t count, std::size_t step);
  void format(const Chunk& chunk, TextBuffer& out) const;
  void format_function(const Function& function, TextBuffer& out,
                       std::vector<std::uint64_t>& edges) const;
  void format_inline(const InlineSite& site, TextBuffer& out,
                     std::vector<std::uint64_t>& edges) const;
  void format_line(const Line& line, const std::vector<std::uint64_t>& edges,
                   TextBuffer& out) const;
  void format_public(const symbols::Public& symbol, TextBuffer& out) const;
  void format_win(const symbols::StackWin& win, TextBuffer& out) const;
  void format_cfi(const symbols::CfiRange& range, TextBuffer& out) const;

  const Model& model_;
  const BreakpadOptions& options_;
  Numbers numbers_;
  std::vector<std::uint32_t> functions_, publics_, cfi_;  // sorted by address
  std::vector<Chunk> chunks_;
};

void Writer::number_everything() {
  numbers_.of_file.assign(model_.files.size(), kUnnumbered);
  numbers_.of_origin.assign(model_.strings.size(), kUnnumbered);
  for (const std::uint32_t index : functions_) {
    const Function& f = model_.functions[index];
    for (std::uint32_t i = 0; i < f.line_count; ++i) {
      Numbers::use(numbers_.of_file, numbers_.files, model_.lines[f.first_line + i].file);
    }
    if (!options_.inlines) continue;
    for (std::uint32_t i = 0; i < f.inline_count; ++i) {
      const InlineSite& site = model_.inlines[f.first_inline + i];
      Numbers::use(numbers_.of_file, numbers_.files, site.call_file);
      Numbers::use(numbers_.of_origin, numbers_.origins, site.name);
    }
  }
}

void Writer::plan_even(Chunk::Kind kind, std::size_t count, std::size_t step) {
  for (std::size_t first = 0; first < count; first += step) {
    chunks_.push_back({kind, first, std::min(count, first + step)});
  }
}

void Writer::plan() {
  chunks_.push_back({Chunk::Kind::head, 0, 0});
  if (options_.header_only) return;
  if (options_.functions) {
    functions_ = order_by(model_.functions, [](const Function& f) { return f.rva; });
    publics_ = order_by(model_.publics, [](const symbols::Public& p) { return p.rva; });
    number_everything();
    plan_even(Chunk::Kind::files, numbers_.files.size(), 10'000);
    plan_even(Chunk::Kind::origins, numbers_.origins.size(), 4'000);
    std::size_t records = 0, first = 0;
    for (std::size_t i = 0; i < functions_.size(); ++i) {
      const Function& f = model_.functions[functions_[i]];
      records += 1 + f.line_count + std::size_t{2} * f.inline_count;
      if (records < kChunkRecords && i + 1 != functions_.size()) continue;
      chunks_.push_back({Chunk::Kind::functions, first, i + 1});
      first = i + 1;
      records = 0;
    }
    plan_even(Chunk::Kind::publics, publics_.size(), 10'000);
  }
  if (options_.cfi) {
    cfi_ = order_by(model_.cfi_ranges, [](const symbols::CfiRange& r) { return r.rva; });
    plan_even(Chunk::Kind::win, model_.stack_win.size(), 10'000);
    plan_even(Chunk::Kind::cfi, cfi_.size(), 4'000);
  }
}

void Writer::format(const Chunk& chunk, TextBuffer& out) const {
  std::vector<std::uint64_t> edges;
  if (chunk.kind == Chunk::Kind::head) out.raw(breakpad_header(model_.info));
  for (std::size_t i = chunk.first; i < chunk.last; ++i) {
    switch (chunk.kind) {
      case Chunk::Kind::head:
        break;
      case Chunk::Kind::files:
        out.raw("FILE ").decimal(i).raw(" ").name(model_.strings[model_.files[numbers_.files[i]]]);
        out.raw("\n");
        break;
      case Chunk::Kind::origins:
        out.raw("INLINE_ORIGIN ").decimal(i).raw(" ").name(model_.strings[numbers_.origins[i]]);
        out.raw("\n");
        break;
      case Chunk::Kind::functions:
        format_function(model_.functions[functions_[i]], out, edges);
        break;
      case Chunk::Kind::publics:
        format_public(model_.publics[publics_[i]], out);
        break;
      case Chunk::Kind::win:
        format_win(model_.stack_win[i], out);
        break;
      case Chunk::Kind::cfi:
        format_cfi(model_.cfi_ranges[cfi_[i]], out);
        break;
    }
  }
}

void Writer::format_function(const Function& f, TextBuffer& out,
                             std::vector<std::uint64_t>& edges) const {
  out.raw(f.multiple ? "FUNC m " : "FUNC ").hex(f.rva).raw(" ").hex(f.size).raw(" ");
  out.hex(f.parameter_size).raw(" ").name(model_.strings[f.name]).raw("\n");
  edges.clear();
  if (options_.inlines) {
    for (std::uint32_t i = 0; i < f.inline_count; ++i) {
      format_inline(model_.inlines[f.first_inline + i], out, edges);
    }
    std::sort(edges.begin(), edges.end());
    edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  }
  for (std::uint32_t i = 0; i < f.line_count; ++i) {
    format_line(model_.lines[f.first_line + i], edges, out);
  }
}

void Writer::format_inline(const InlineSite& site, TextBuffer& out,
                           std::vector<std::uint64_t>& edges) const {
  if (site.range_count == 0) return;  // a record without a range would not parse
  out.raw("INLINE ").decimal(site.depth).raw(" ").decimal(site.call_line).raw(" ");
  out.decimal(site.call_file < numbers_.of_file.size() ? numbers_.of_file[site.call_file]
                                                       : kUnnumbered);
  out.raw(" ").decimal(numbers_.of_origin[site.name]);
  for (std::uint32_t i = 0; i < site.range_count; ++i) {
    const Range& range = model_.inline_ranges[site.first_range + i];
    out.raw(" ").hex(range.rva).raw(" ").hex(range.size);
    // A callee often fills its caller's range: the same edges again.
    const std::uint64_t end = range.rva + range.size;
    const std::size_t count = edges.size();
    if (count >= 2 && edges[count - 1] == end && edges[count - 2] == range.rva) continue;
    edges.push_back(range.rva);
    edges.push_back(end);
  }
  out.raw("\n");
}

void Writer::format_line(const Line& line, const std::vector<std::uint64_t>& edges,
                         TextBuffer& out) const {
  if (line.file == symbols::kNoFile) return;
  const std::uint64_t end = line.rva + line.size;
  std::uint64_t start = line.rva;
  auto edge = std::upper_bound(edges.begin(), edges.end(), start);
  while (start < end) {
    const std::uint64_t stop = edge != edges.end() && *edge < end ? *edge++ : end;
    out.hex(start).raw(" ").hex(stop - start).raw(" ").decimal(line.line).raw(" ");
    out.decimal(numbers_.of_file[line.file]).raw("\n");
    start = stop;
  }
}

void Writer::format_public(const symbols::Public& symbol, TextBuffer& out) const {
  out.raw(symbol.multiple ? "PUBLIC m " : "PUBLIC ").hex(symbol.rva).raw(" ");
  out.hex(symbol.parameter_size).raw(" ").name(model_.strings[symbol.name]).raw("\n");
}

void Writer::format_win(const symbols::StackWin& w, TextBuffer& out) const {
  out.raw("STACK WIN ").hex(w.type);
  for (const std::uint64_t number :
       {w.rva, std::uint64_t{w.size}, std::uint64_t{w.prolog_size}, std::uint64_t{w.epilog_size},
        std::uint64_t{w.parameter_size}, std::uint64_t{w.saved_register_size},
        std::uint64_t{w.local_size}, std::uint64_t{w.max_stack_size}}) {
    out.raw(" ").hex(number);
  }
  const std::string_view program = model_.strings[w.program];
  if (w.type == 4 || !program.empty()) {
    out.raw(" 1 ").name(program).raw("\n");
  } else {
    out.raw(" 0 ").raw(w.allocates_base_pointer ? "1\n" : "0\n");
  }
}

void Writer::format_cfi(const symbols::CfiRange& range, TextBuffer& out) const {
  out.raw("STACK CFI INIT ").hex(range.rva).raw(" ").hex(range.size).raw(" ");
  out.name(model_.strings[range.rules]).raw("\n");
  for (std::uint32_t i = 0; i < range.row_count; ++i) {
    const symbols::CfiRow& row = model_.cfi_rows[range.first_row + i];
    out.raw("STACK CFI ").hex(row.rva).raw(" ").name(model_.strings[row.rules]).raw("\n");
  }
}

// Workers take chunks in order, so whoever waits for its offset waits for work already begun.
base::Result<void> Writer::write(const BreakpadSink& sink) {
  plan();
  std::mutex mutex;
  std::condition_variable turn;
  std::size_t next_placed = 0;  // guarded by mutex
  std::uint64_t offset = 0;     // guarded by mutex
  base::Result<void> failure;   // guarded by mutex; the first one stays
  std::atomic<std::size_t> next{0};
  const auto work = [&](std::size_t) {
    TextBuffer out;
    for (std::size_t i = next++; i < chunks_.size(); i = next++) {
      out.clear();
      format(chunks_[i], out);
      std::unique_lock lock(mutex);
      turn.wait(lock, [&] { return next_placed == i; });
      const std::uint64_t place = offset;
      offset += out.text().size();
      base::Result<void> written;
      if (!sink.any_order && failure.ok()) written = sink.write(place, out.text());
      const bool failed_before = !failure.ok();
      if (!written.ok()) failure = written;
      ++next_placed;
      turn.notify_all();
      lock.unlock();
      if (!sink.any_order || failed_before) continue;
      written = sink.write(place, out.text());
      if (written.ok()) continue;
      lock.lock();
      failure = written;
    }
  };
  base::parallel_for(std::max(1u, options_.threads), std::max(1u, options_.threads), work);
  return failure;
}

}  // namespace

std::string breakpad_header(const symbols::ModuleInfo& info) {
  TextBuffer out;
  out.raw("MODULE ").raw(info.os).raw(" ").raw(info.arch).raw(" ").raw(info.debug_id.breakpad());
  out.raw(" ").name(info.name).raw("\n");
  if (!info.code_id.empty()) {
    std::string code_id = info.code_id;
    std::transform(code_id.begin(), code_id.end(), code_id.begin(),
                   [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c; });
    out.raw("INFO CODE_ID ").raw(code_id);
    if (!info.code_file.empty()) out.raw(" ").name(info.code_file);
    out.raw("\n");
  }
  for (const std::string& line : info.extra_info) out.raw("INFO ").name(line).raw("\n");
  if (!info.symbol_url.empty()) out.raw("INFO URL ").name(info.symbol_url).raw("\n");
  return std::string(out.text());
}

base::Result<void> write_breakpad(const Model& model, const BreakpadOptions& options,
                                  const BreakpadSink& sink) {
  return Writer(model, options).write(sink);
}

std::string breakpad_text(const Model& model, const BreakpadOptions& options) {
  std::string text;
  BreakpadSink sink;
  sink.write = [&](std::uint64_t, std::string_view piece) -> base::Result<void> {
    text += piece;
    return {};
  };
  const auto written = write_breakpad(model, options, sink);
  ASSERT(written.ok());
  return text;
}

}  // namespace extract
