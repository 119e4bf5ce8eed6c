// For tests of this room: a crash with one thread, its stack put together word by word, and
// modules whose symbols are written down in the test.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "snapshot/crash.h"
#include "symbols/index_writer.h"
#include "symbols/map.h"
#include "testing/assembler.h"
#include "unwind/walker.h"

namespace unwind {

// The symbols of one module, written down.
class SymbolSketch {
 public:
  SymbolSketch& function(std::uint64_t rva, std::uint32_t size, std::string_view name,
                         std::uint32_t parameters = 0) {
    symbols::Function f;
    f.rva = rva;
    f.size = size;
    f.parameter_size = parameters;
    f.name = model_.strings.intern(name);
    f.first_line = static_cast<std::uint32_t>(model_.lines.size());
    f.first_inline = static_cast<std::uint32_t>(model_.inlines.size());
    model_.functions.push_back(f);
    return *this;
  }
  SymbolSketch& public_symbol(std::uint64_t rva, std::string_view name) {
    symbols::Public p;
    p.rva = rva;
    p.name = model_.strings.intern(name);
    model_.publics.push_back(p);
    return *this;
  }
  SymbolSketch& cfi(std::uint64_t rva, std::uint32_t size, std::string_view init,
                    const std::vector<std::pair<std::uint64_t, std::string>>& rows = {}) {
    symbols::CfiRange range;
    range.rva = rva;
    range.size = size;
    range.rules = model_.strings.intern(init);
    range.first_row = static_cast<std::uint32_t>(model_.cfi_rows.size());
    range.row_count = static_cast<std::uint32_t>(rows.size());
    for (const auto& [at, rules] : rows) {
      model_.cfi_rows.push_back({at, model_.strings.intern(rules)});
    }
    model_.cfi_ranges.push_back(range);
    return *this;
  }
  SymbolSketch& stack_win(symbols::StackWin record, std::string_view program = "") {
    record.program = model_.strings.intern(program);
    model_.stack_win.push_back(record);
    return *this;
  }
  std::shared_ptr<const symbols::Map> must_map() const {
    auto bytes = symbols::write_index(model_);
    EXPECT_TRUE(bytes.ok());
    auto map = symbols::Map::open(base::MappedFile::from_bytes(std::move(*bytes)));
    EXPECT_TRUE(map.ok());
    return std::move(*map);
  }

 private:
  symbols::Model model_;
};

class WalkFixture : public testing::Test, public SymbolSource {
 public:
  static constexpr std::uint64_t kStackBase = 0x80000000;

  ModuleSymbols find_symbols(std::size_t module) override {
    asked_.insert(module);
    const auto found = maps_.find(module);
    if (found == maps_.end()) return {SymbolState::missing, nullptr};
    return {SymbolState::loaded, found->second};
  }

  void start(snapshot::Cpu cpu, snapshot::Os os) {
    crash_.system.cpu = cpu;
    crash_.system.os = os;
    context_.cpu = cpu;
  }

  std::size_t add_module(std::uint64_t base, std::uint64_t size, std::string_view name) {
    snapshot::Module module;
    module.base = {base};
    module.size = size;
    module.code_file = name;
    crash_.modules.push_back(module);
    return crash_.modules.size() - 1;
  }
  void add_symbols(std::size_t module, const SymbolSketch& sketch) {
    maps_[module] = sketch.must_map();
  }

  WalkFixture& set(std::string_view name, std::uint64_t value) {
    context_.set(name, value);
    return *this;
  }

  Walk walk(const std::vector<std::uint8_t>& stack, Limits limits = {}) {
    stack_ = stack;
    snapshot::Thread thread;
    thread.id = 1;
    thread.registers = context_;
    thread.stack = {{kStackBase}, stack_};
    crash_.threads = {thread};
    return walk_all(crash_, *this, 1, limits);
  }
  Stack walk_stack(const std::vector<std::uint8_t>& stack, Limits limits = {}) {
    return std::move(walk(stack, limits).threads.at(0));
  }

  snapshot::Crash crash_;
  snapshot::Registers context_;
  std::vector<std::uint8_t> stack_;
  std::map<std::size_t, std::shared_ptr<const symbols::Map>> maps_;
  std::set<std::size_t> asked_;
};

inline std::vector<std::uint64_t> instructions_of(const Stack& stack) {
  std::vector<std::uint64_t> out;
  out.reserve(stack.frames.size());
  for (const Frame& frame : stack.frames) out.push_back(frame.instruction.value);
  return out;
}

inline std::vector<Trust> trusts_of(const Stack& stack) {
  std::vector<Trust> out;
  out.reserve(stack.frames.size());
  for (const Frame& frame : stack.frames) out.push_back(frame.trust);
  return out;
}

inline void PrintTo(Trust trust, std::ostream* out) { *out << name_of(trust); }

}  // namespace unwind
