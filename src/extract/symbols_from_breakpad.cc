#include "extract/symbols_from_breakpad.h"

#include <algorithm>
#include <unordered_map>

#include "base/large_pages.h"
#include "base/pool.h"
#include "base/text.h"
#include "formats/breakpad/sym_reader.h"

namespace extract {
namespace {

using breakpad::SymFile;
using symbols::Model;

// FILE and INLINE_ORIGIN numbers are mostly dense but need not be: a vector for the usual ones,
// a map for the rest. The last record with a number counts, wherever it stands in the file.
class NumberMap {
 public:
  explicit NumberMap(std::size_t expected) : dense_max_(expected * 2 + 1024) {}

  void set(std::uint32_t number, std::uint32_t value) {
    if (number >= dense_max_) {
      sparse_[number] = value;
      return;
    }
    if (number >= dense_.size()) dense_.resize(number + std::size_t{1}, kMissing);
    dense_[number] = value;
  }
  std::uint32_t get(std::uint32_t number, std::uint32_t otherwise) const {
    if (number < dense_.size()) {
      return dense_[number] == kMissing ? otherwise : dense_[number];
    }
    if (sparse_.empty()) return otherwise;
    const auto found = sparse_.find(number);
    return found == sparse_.end() ? otherwise : found->second;
  }

 private:
  static constexpr std::uint32_t kMissing = 0xffffffff;
  std::size_t dense_max_;
  std::vector<std::uint32_t> dense_;
  std::unordered_map<std::uint32_t, std::uint32_t> sparse_;
};

struct Base {  // where a part's records begin in the Model
  std::size_t functions = 0, lines = 0, inlines = 0, ranges = 0, names = 0;
};

class Converter {
 public:
  Converter(const SymFile& file, unsigned threads)
      : file_(file),
        threads_(threads),
        file_ids_(count(&breakpad::Part::files)),
        origin_ids_(count(&breakpad::Part::origins)) {}

  Model convert() {
    add_info();
    add_files();
    add_origins();
    add_functions();
    add_small_records();
    return std::move(model_);
  }

 private:
  template <class T>
  std::size_t count(std::vector<T> breakpad::Part::* records) const {
    std::size_t total = 0;
    for (const breakpad::Part& part : file_.parts) total += (part.*records).size();
    return total;
  }

  void add_info() {
    symbols::ModuleInfo& info = model_.info;
    info.os = file_.module.os;
    info.arch = file_.module.cpu;
    info.name = file_.module.name;
    if (const auto id = ident::DebugId::parse(file_.module.id)) info.debug_id = *id;
    for (const breakpad::Part& part : file_.parts) {
      if (part.has_url) info.symbol_url = part.url;
      for (const std::string_view line : part.infos) add_info_line(line);
    }
  }

  void add_info_line(std::string_view line) {
    constexpr std::string_view kCodeId = "CODE_ID ";
    if (line.starts_with(kCodeId)) {
      const std::string_view rest = base::trim(line.substr(kCodeId.size()));
      const std::size_t space = std::min(rest.find(' '), rest.size());
      model_.info.code_id = base::lower_ascii(rest.substr(0, space));
      model_.info.code_file = base::to_valid_utf8(base::trim(rest.substr(space)));
    } else {
      model_.info.extra_info.push_back(base::to_valid_utf8(line));
    }
  }

  void add_files() {
    for (const breakpad::Part& part : file_.parts) {
      for (const breakpad::Named& named : part.files) {
        file_ids_.set(named.number, static_cast<std::uint32_t>(model_.files.size()));
        model_.files.push_back(model_.strings.add_view(named.name));
      }
    }
  }

  void add_origins() {
    for (const breakpad::Part& part : file_.parts) {
      for (const breakpad::Named& named : part.origins) {
        std::string_view name = named.name;
        if (file_.older_inlines) {  // "INLINE_ORIGIN id file name"
          const std::size_t blank = name.find(' ');
          if (blank != std::string_view::npos && base::parse_decimal(name.substr(0, blank))) {
            name.remove_prefix(blank + 1);
          }
        }
        origin_ids_.set(named.number, model_.strings.add_view(name));
      }
    }
  }

  void add_functions() {
    std::vector<Base> bases;
    Base next;
    next.names = model_.strings.size();
    for (const breakpad::Part& part : file_.parts) {
      bases.push_back(next);
      next.functions += part.functions.size();
      next.lines += part.lines.size();
      next.inlines += part.inlines.size();
      next.ranges += part.inline_ranges.size();
      for (const breakpad::Func& func : part.functions) model_.strings.add_view(func.name);
    }
    base::resize_large(model_.functions, next.functions);
    base::resize_large(model_.lines, next.lines);
    base::resize_large(model_.inlines, next.inlines);
    base::resize_large(model_.inline_ranges, next.ranges);
    base::parallel_for(file_.parts.size(), threads_, [&](std::size_t i) {
      bases[i].names = next.names + bases[i].functions;
      add_part(file_.parts[i], bases[i]);
    });
  }

  void add_part(const breakpad::Part& part, const Base& base) {
    for (std::size_t i = 0; i < part.functions.size(); ++i) {
      const breakpad::Func& from = part.functions[i];
      symbols::Function& to = model_.functions[base.functions + i];
      to.rva = from.address;
      to.size = from.size;
      to.parameter_size = from.parameter_size;
      to.name = static_cast<symbols::StringId>(base.names + i);
      to.group = static_cast<std::uint32_t>(base.functions + i);
      to.first_line = static_cast<std::uint32_t>(base.lines + from.first_line);
      to.line_count = from.line_count;
      to.first_inline = static_cast<std::uint32_t>(base.inlines + from.first_inline);
      to.inline_count = from.inline_count;
      to.multiple = from.multiple;
    }
    for (std::size_t i = 0; i < part.lines.size(); ++i) {
      const breakpad::LineRecord& from = part.lines[i];
      model_.lines[base.lines + i] = {from.address, from.size, from.line,
                                      file_ids_.get(from.file, symbols::kNoFile)};
    }
    for (std::size_t i = 0; i < part.inlines.size(); ++i) {
      const breakpad::InlineRecord& from = part.inlines[i];
      symbols::InlineSite& to = model_.inlines[base.inlines + i];
      to.name = origin_ids_.get(from.origin, symbols::kNoName);
      to.call_file = file_ids_.get(from.call_file, symbols::kNoFile);
      to.call_line = from.call_line;
      to.depth = from.depth;
      to.first_range = static_cast<std::uint32_t>(base.ranges + from.first_range);
      to.range_count = from.range_count;
    }
    for (std::size_t i = 0; i < part.inline_ranges.size(); ++i) {
      const breakpad::RangeRecord& from = part.inline_ranges[i];
      model_.inline_ranges[base.ranges + i] = {from.address, from.size};
    }
  }

  void add_small_records() {
    for (const breakpad::Part& part : file_.parts) {
      for (const breakpad::PublicRecord& from : part.publics) {
        model_.publics.push_back({from.address, from.parameter_size,
                                  model_.strings.add_view(from.name), 0, from.multiple});
      }
      for (const breakpad::CfiInit& from : part.cfi_inits) add_cfi(part, from);
      for (const breakpad::StackWin& from : part.stack_win) add_stack_win(from);
    }
  }

  // The same few hundred rule texts recur a hundred thousand times.
  void add_cfi(const breakpad::Part& part, const breakpad::CfiInit& from) {
    symbols::CfiRange to;
    to.rva = from.address;
    to.size = from.size;
    to.rules = rules_id(from.rules);
    to.first_row = static_cast<std::uint32_t>(model_.cfi_rows.size());
    to.row_count = from.row_count;
    for (std::uint32_t i = 0; i < from.row_count; ++i) {
      const breakpad::CfiRow& row = part.cfi_rows[from.first_row + i];
      model_.cfi_rows.push_back({row.address, rules_id(row.rules)});
    }
    model_.cfi_ranges.push_back(to);
  }

  symbols::StringId rules_id(std::string_view rules) {
    const auto [found, is_new] = rule_ids_.try_emplace(rules, 0);
    if (is_new) found->second = model_.strings.add_view(rules);
    return found->second;
  }

  void add_stack_win(const breakpad::StackWin& from) {
    symbols::StackWin to;
    to.type = from.type;
    to.rva = from.address;
    to.size = from.sizes[0];
    to.prolog_size = from.sizes[1];
    to.epilog_size = from.sizes[2];
    to.parameter_size = from.sizes[3];
    to.saved_register_size = from.sizes[4];
    to.local_size = from.sizes[5];
    to.max_stack_size = from.sizes[6];
    to.program = model_.strings.add_view(from.program);
    to.allocates_base_pointer = from.allocates_base_pointer;
    model_.stack_win.push_back(to);
  }

  const SymFile& file_;
  unsigned threads_;
  NumberMap file_ids_;
  NumberMap origin_ids_;
  std::unordered_map<std::string_view, symbols::StringId> rule_ids_;
  Model model_;
};

}  // namespace

Model symbols_from_breakpad(base::Bytes text, std::shared_ptr<const void> owner,
                            const BreakpadReading& reading) {
  const unsigned threads = reading.threads != 0 ? reading.threads : base::default_thread_count();
  const auto mode = reading.lenient ? breakpad::Reading::kLenient : breakpad::Reading::kStrict;
  SymFile file = breakpad::read(text, mode, threads);
  const bool corrupt = file.corrupt;
  const std::string problem = file.problem;
  if (corrupt) file = breakpad::read(text, breakpad::Reading::kLenient, threads);
  Model model = Converter(file, threads).convert();
  model.info.corrupt = corrupt;
  if (owner != nullptr) model.strings.keep_alive(std::move(owner));
  if (file.last_line != nullptr) model.strings.keep_alive(file.last_line);
  if (file.converted != nullptr) model.strings.keep_alive(file.converted);
  if (reading.problem != nullptr) {
    *reading.problem = problem;
    if (!corrupt && file.skipped_lines > 0) {
      *reading.problem = std::to_string(file.skipped_lines) + " lines were skipped";
    }
  }
  return model;
}

Model symbols_from_breakpad(std::shared_ptr<const base::MappedFile> file,
                            const BreakpadReading& reading) {
  const base::Bytes text = file->bytes();
  return symbols_from_breakpad(text, std::move(file), reading);
}

}  // namespace extract
