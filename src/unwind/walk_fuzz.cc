// A whole walk over a crash made of the input: any CPU, any registers, any stack, modules with
// and without symbols. It must end, within its limits.
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "symbols/index_writer.h"
#include "unwind/walker.h"

namespace {

constexpr std::uint64_t kModuleBase = 0x10000;
constexpr std::uint64_t kStackBase = 0x80000000;

void add_function(symbols::Model& model, std::uint64_t rva, std::uint32_t size,
                  std::string_view name, std::string_view cfi) {
  symbols::Function function;
  function.rva = rva;
  function.size = size;
  function.name = model.strings.intern(name);
  model.functions.push_back(function);
  if (cfi.empty()) return;
  symbols::CfiRange range;
  range.rva = rva;
  range.size = size;
  range.rules = model.strings.intern(cfi);
  model.cfi_ranges.push_back(range);
}

std::shared_ptr<const symbols::Map> make_map() {
  symbols::Model model;
  add_function(model, 0x000, 0x40, "amd64", ".cfa: $rsp 16 + .ra: .cfa -8 + ^ $rbp: .cfa -16 + ^");
  add_function(model, 0x040, 0x40, "crawl", ".cfa: $rsp 1 + .ra: $rip");
  add_function(model, 0x080, 0x40, "arm64", ".cfa: sp 16 + .ra: x30 x29: .cfa -16 + ^");
  add_function(model, 0x0c0, 0x40, "arm", ".cfa: sp 8 + .ra: lr r11: .cfa -8 + ^");
  add_function(model, 0x100, 0x40, "x86", "");
  symbols::StackWin record;
  record.type = 4;
  record.rva = 0x100;
  record.size = 0x20;
  record.program = model.strings.intern("$T0 $ebp = $eip $T0 4 + ^ = $ebp $T0 ^ = $esp $T0 8 + =");
  model.stack_win.push_back(record);
  record.type = 0;
  record.rva = 0x120;
  record.program = 0;
  record.local_size = 0xfffffff0;
  record.parameter_size = 0xfffffff0;
  record.allocates_base_pointer = true;
  model.stack_win.push_back(record);
  auto bytes = symbols::write_index(model);
  if (!bytes.ok()) __builtin_trap();
  auto map = symbols::Map::open(base::MappedFile::from_bytes(std::move(*bytes)));
  if (!map.ok()) __builtin_trap();
  return std::move(*map);
}

class Source : public unwind::SymbolSource {
 public:
  unwind::ModuleSymbols find_symbols(std::size_t index) override {
    static const std::shared_ptr<const symbols::Map> kMap = make_map();
    if (index == 0) return {unwind::SymbolState::loaded, kMap};
    return {unwind::SymbolState::missing, nullptr};
  }
};

// Values that lead somewhere: into the module, into the stack, or anywhere.
std::uint64_t make_value(base::Reader& reader) {
  switch (reader.u8() % 3) {
    case 0:
      return kModuleBase + reader.u16() % 0x400;
    case 1:
      return kStackBase + reader.u16();
    default:
      return reader.u64();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  base::Reader reader({data, size});
  snapshot::Crash crash;
  crash.system.cpu = static_cast<snapshot::Cpu>(reader.u8() % 12);
  crash.system.os = static_cast<snapshot::Os>(reader.u8() % 10);
  crash.endian = reader.u8() % 2 == 0 ? base::Endian::little : base::Endian::big;
  for (int i = 0; i < 2; ++i) {
    snapshot::Module module;
    module.base = {i == 0 ? kModuleBase : make_value(reader)};
    module.size = i == 0 ? 0x200 : make_value(reader);
    crash.modules.push_back(module);
    crash.unloaded_modules.push_back({{make_value(reader)}, make_value(reader), "gone", 0});
  }
  snapshot::Registers registers;
  registers.cpu = crash.system.cpu;
  for (const std::string_view name : snapshot::register_names(crash.system.cpu).names) {
    registers.set(name, make_value(reader));
  }
  snapshot::Thread thread;
  thread.registers = registers;
  thread.stack.base = {kStackBase};
  thread.stack.bytes = reader.bytes(reader.remaining());
  crash.threads.push_back(thread);

  Source source;
  unwind::Limits limits;
  limits.frames_per_thread = 512;
  const unwind::Walk walk = unwind::walk_all(crash, source, 1, limits);
  if (walk.threads.at(0).frames.size() > limits.frames_per_thread) __builtin_trap();
  for (std::size_t i = 0; i < walk.threads[0].frames.size(); ++i) {
    (void)walk.threads[0].registers(i);
  }
  return 0;
}
