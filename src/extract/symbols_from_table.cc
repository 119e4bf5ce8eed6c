#include "extract/symbols_from_table.h"

#include <algorithm>

#include "extract/name_table.h"

namespace extract {
namespace {

using dwarf::AddressRange;
using symbols::Line;

class Table {
 public:
  Table(const TableInput& input, unsigned threads, FileTable& files, symbols::Model& model)
      : input_(input), threads_(threads), files_(files), model_(model) {}

  void run();

 private:
  void list_covered();
  void list_symbols();
  std::uint64_t end_of_code(std::uint64_t address) const;
  // Whether it became a function that ends before `limit`.
  bool add_function(const NamedAddress& symbol, std::uint64_t limit);
  void append_lines(const NamedAddress& symbol, std::uint64_t limit, symbols::Function& function,
                    std::uint64_t& end);
  void name_everything();

  const TableInput& input_;
  unsigned threads_;
  FileTable& files_;
  symbols::Model& model_;
  std::vector<AddressRange> covered_;    // by functions of DWARF, sorted
  std::vector<NamedAddress> functions_;  // beside the functions added here
  std::vector<NamedAddress> publics_;
};

void Table::run() {
  list_covered();
  list_symbols();
  name_everything();
}

void Table::list_covered() {
  for (const symbols::Function& f : model_.functions) {
    covered_.push_back({f.rva + input_.image_base, f.rva + input_.image_base + f.size});
  }
  std::sort(covered_.begin(), covered_.end(),
            [](const AddressRange& a, const AddressRange& b) { return a.start < b.start; });
}

std::uint64_t Table::end_of_code(std::uint64_t address) const {
  for (const AddressRange& range : input_.code) {
    if (address >= range.start && address < range.end) return range.end;
  }
  return address;
}

void Table::list_symbols() {
  std::vector<NamedAddress> symbols = input_.names.best();
  for (const elf::PltStub& stub : input_.stubs) {
    if (input_.names.find_at(stub.address) == nullptr) {
      symbols.push_back({stub.address, 0, stub.name, {}, false});
    }
  }
  std::sort(symbols.begin(), symbols.end(), [](const NamedAddress& a, const NamedAddress& b) {
    return a.address != b.address ? a.address < b.address : a.name < b.name;
  });
  auto next = covered_.begin();  // the first that ends behind the symbol
  std::uint64_t done = 0;        // where the last function added here ends
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    const NamedAddress& symbol = symbols[i];
    while (next != covered_.end() && next->end <= symbol.address) ++next;
    if (symbol.address < std::max(done, input_.image_base)) continue;
    if (next != covered_.end() && next->start <= symbol.address) continue;
    std::uint64_t limit = end_of_code(symbol.address);
    if (next != covered_.end()) limit = std::min(limit, next->start);
    if (symbol.size != 0) {
      limit = std::min(limit, symbol.address + symbol.size);
    } else if (i + 1 < symbols.size()) {
      limit = std::min(limit, symbols[i + 1].address);
    }
    if (limit > symbol.address && add_function(symbol, limit)) {
      done = symbol.address + model_.functions.back().size;
    } else {
      publics_.push_back(symbol);
    }
  }
}

bool Table::add_function(const NamedAddress& symbol, std::uint64_t limit) {
  symbols::Function function;
  function.rva = symbol.address - input_.image_base;
  function.multiple = symbol.multiple;
  function.first_line = static_cast<std::uint32_t>(model_.lines.size());
  std::uint64_t end = symbol.address;
  append_lines(symbol, limit, function, end);
  if (function.line_count == 0) {
    if (symbol.file.empty()) return false;
    end = limit;
    model_.lines.push_back({function.rva, static_cast<std::uint32_t>(end - symbol.address), 0,
                            files_.id_of(symbol.file)});
    function.line_count = 1;
  }
  if (symbol.size != 0) end = limit;
  function.size =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(end - symbol.address, 0xffffffff));
  function.group = 0xffffffff - static_cast<std::uint32_t>(functions_.size());  // its own
  model_.functions.push_back(function);
  functions_.push_back(symbol);
  return true;
}

void Table::append_lines(const NamedAddress& symbol, std::uint64_t limit,
                         symbols::Function& function, std::uint64_t& end) {
  const auto lines = input_.orphan_lines;
  auto line = std::upper_bound(lines.begin(), lines.end(), symbol.address,
                               [](std::uint64_t a, const Line& l) { return a < l.rva; });
  if (line != lines.begin() && (line - 1)->rva + (line - 1)->size > symbol.address) --line;
  for (; line != lines.end() && line->rva < limit; ++line) {
    // Without a size the function ends where its lines do.
    if (symbol.size == 0 && line->rva > end) break;
    const std::uint64_t start = std::max(symbol.address, line->rva);
    const std::uint64_t stop = std::min(limit, line->rva + line->size);
    if (start >= stop) continue;
    Line made = *line;
    made.rva = start - input_.image_base;
    made.size = static_cast<std::uint32_t>(stop - start);
    model_.lines.push_back(made);
    ++function.line_count;
    end = stop;
  }
}

void Table::name_everything() {
  std::vector<std::string_view> texts;
  texts.reserve(functions_.size() + publics_.size());
  for (const NamedAddress& symbol : functions_) texts.push_back(symbol.name);
  for (const NamedAddress& symbol : publics_) texts.push_back(symbol.name);
  const std::vector<symbols::StringId> ids = demangle_all(texts, threads_, model_.strings);
  const auto mangled_of = [&](std::size_t i) {
    return model_.strings[ids[i]] == texts[i] ? 0 : model_.strings.intern(texts[i]);
  };
  const std::size_t first = model_.functions.size() - functions_.size();
  for (std::size_t i = 0; i < functions_.size(); ++i) {
    model_.functions[first + i].name = ids[i];
    model_.functions[first + i].mangled = mangled_of(i);
  }
  for (std::size_t i = 0; i < publics_.size(); ++i) {
    const std::size_t at = functions_.size() + i;
    model_.publics.push_back({publics_[i].address - input_.image_base, 0, ids[at], mangled_of(at),
                              publics_[i].multiple});
  }
}

}  // namespace

void add_table_symbols(const TableInput& input, unsigned threads, FileTable& files,
                       symbols::Model& model) {
  Table(input, threads, files, model).run();
}

}  // namespace extract
