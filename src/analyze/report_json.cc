#include "analyze/report_json.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace analyze {

using base::JsonWriter;
using snapshot::Crash;

namespace {

// Writes one report. Members write one object or array each; keys stand in byte order, which is
// the contract, so nothing is sorted here.
class Printer {
 public:
  Printer(const Report& report, JsonWriter::Style style)
      : report_(report),
        crash_(*report.crash),
        out_(style),
        width_(2 * snapshot::address_width(crash_.system.cpu)),
        statuses_(symbol_statuses(report)) {}

  std::string print();

 private:
  void crash_info();
  void adjusted_address();
  void memory_accesses();
  void bit_flips();
  void thread(std::size_t index, bool as_crashing);
  void frame(const unwind::Stack& stack, std::size_t index, bool with_registers);
  void frame_function(const unwind::Frame& frame);
  void frame_module(const unwind::Frame& frame);
  void frame_unloaded(const unwind::Frame& frame);
  void inlines(const unwind::Frame& frame);
  void registers(const unwind::Stack& stack);
  void modules();
  void unloaded_modules();
  void handles();
  void mac_crash_info();
  void proc_limits();
  void soft_errors();
  void system_info();

  void address(std::uint64_t value) { out_.string(fmt::format("0x{:0{}x}", value, width_)); }
  void text(std::string_view key, const std::optional<std::string>& value) {
    out_.key(key);
    value ? out_.string(*value) : out_.null();
  }
  template <class T>
  void number(std::string_view key, const std::optional<T>& value) {
    out_.key(key);
    value ? out_.unsigned_integer(*value) : out_.null();
  }
  void optional_address(std::string_view key, const std::optional<std::uint64_t>& value) {
    out_.key(key);
    value ? address(*value) : static_cast<void>(out_.null());
  }
  void certificate(std::string_view module_name) {
    out_.key("cert_subject");
    const auto found = report_.extra.certificates.find(std::string(module_name));
    found == report_.extra.certificates.end() ? out_.null() : out_.string(found->second);
  }

  const Report& report_;
  const Crash& crash_;
  JsonWriter out_;
  unsigned width_;  // hex digits of an address
  std::vector<SymbolStatus> statuses_;
};

std::string Printer::print() {
  const auto requesting = crash_.requesting_thread();
  const bool has_crashing = requesting && !report_.walk.threads[*requesting].frames.empty();
  out_.begin_object();
  out_.key("crash_info");
  crash_info();
  if (has_crashing) {
    out_.key("crashing_thread");
    thread(*requesting, true);
  }
  out_.key("handles");
  handles();
  number("linux_memory_map_count", crash_.linux_memory_map_count);
  out_.key("lsb_release");
  if (crash_.lsb_release) {
    out_.begin_object();
    for (const auto& [name, value] : *crash_.lsb_release) out_.key(name).string(value);
    out_.end_object();
  } else {
    out_.null();
  }
  text("mac_boot_args", crash_.mac_boot_args);
  out_.key("mac_crash_info");
  mac_crash_info();
  out_.key("main_module").unsigned_integer(0);
  out_.key("modules");
  modules();
  out_.key("modules_contains_cert_info").boolean(report_.extra.has_certificates);
  number("pid", crash_.process_id);
  out_.key("proc_limits");
  proc_limits();
  number("process_uptime", process_uptime(crash_));
  out_.key("soft_errors");
  soft_errors();
  out_.key("status").string("OK");
  out_.key("system_info");
  system_info();
  out_.key("thread_count").unsigned_integer(crash_.threads.size());
  out_.key("threads").begin_array();
  for (std::size_t i = 0; i < crash_.threads.size(); ++i) thread(i, false);
  out_.end_array();
  out_.key("unloaded_modules");
  unloaded_modules();
  out_.end_object();
  return out_.take();
}

void Printer::crash_info() {
  const CrashInfo& info = report_.info;
  out_.begin_object();
  optional_address("address", info.address);
  out_.key("adjusted_address");
  adjusted_address();
  out_.key("assertion").null();  // never filled in this schema, whatever the dump says
  out_.key("crash_inconsistencies");
  if (info.inconsistencies) {
    out_.begin_array();
    for (const std::string& name : *info.inconsistencies) out_.string(name);
    out_.end_array();
  } else {
    out_.null();
  }
  number("crashing_thread", crash_.requesting_thread());  // an index, not an id
  text("instruction", info.instruction);
  out_.key("instruction_pointer_update");
  if (info.instruction_pointer_update) {
    out_.begin_object().key("address");
    address(*info.instruction_pointer_update);
    out_.end_object();
  } else {
    out_.null();
  }
  out_.key("memory_accesses");
  memory_accesses();
  out_.key("possible_bit_flips");
  bit_flips();
  text("type", info.reason);
  out_.end_object();
}

void Printer::adjusted_address() {
  const auto& adjusted = report_.info.adjusted_address;
  if (!adjusted) return static_cast<void>(out_.null());
  out_.begin_object();
  if (adjusted->kind == AdjustedAddress::Kind::non_canonical) {
    out_.key("address");
    address(adjusted->value);
    out_.key("kind").string("non-canonical");
  } else {
    out_.key("kind").string("null-pointer");
    out_.key("offset");
    address(adjusted->value);
  }
  out_.end_object();
}

void Printer::memory_accesses() {
  const auto& accesses = report_.info.memory_accesses;
  if (!accesses) return static_cast<void>(out_.null());
  out_.begin_array();
  for (const MemoryAccess& access : *accesses) {
    out_.begin_object();
    switch (access.type) {
      case AccessType::unknown:
        break;
      case AccessType::read:
        out_.key("access_type").string("read");
        break;
      case AccessType::write:
        out_.key("access_type").string("write");
        break;
      case AccessType::read_write:
        out_.key("access_type").string("readwrite");
        break;
    }
    out_.key("address");
    address(access.address);
    if (access.is_likely_guard_page) out_.key("is_likely_guard_page").boolean(true);
    number("size", access.size);
    out_.end_object();
  }
  out_.end_array();
}

void Printer::bit_flips() {
  const auto& flips = report_.info.bit_flips;
  if (flips.empty()) return static_cast<void>(out_.null());
  out_.begin_array();
  for (const BitFlip& flip : flips) {
    out_.begin_object().key("address");
    address(flip.address);
    out_.key("confidence").number(static_cast<double>(flip.confidence));
    out_.key("details").begin_object();
    out_.key("is_null").boolean(flip.is_null);
    out_.key("nearby_registers").unsigned_integer(flip.nearby_registers);
    out_.key("poison_registers").boolean(flip.poison_registers);
    out_.key("was_low").boolean(flip.was_low);
    out_.key("was_non_canonical").boolean(flip.was_non_canonical);
    out_.end_object().key("source_register");
    flip.source_register.empty() ? out_.null() : out_.string(flip.source_register);
    out_.end_object();
  }
  out_.end_array();
}

void Printer::thread(std::size_t index, bool as_crashing) {
  const snapshot::Thread& thread = crash_.threads[index];
  const unwind::Stack& stack = report_.walk.threads[index];
  // The thread that wrote the dump stays in the list, but nothing is said about it.
  const bool silent = crash_.is_dump_thread(index);
  out_.begin_object();
  out_.key("frame_count").unsigned_integer(stack.frames.size());
  out_.key("frames").begin_array();
  for (std::size_t i = 0; i < stack.frames.size(); ++i) frame(stack, i, as_crashing && i == 0);
  out_.end_array();
  text("last_error_value", last_error_text(crash_, index));
  out_.key("thread_id").unsigned_integer(thread.id);
  text("thread_name", silent ? std::nullopt : thread.name);
  if (as_crashing) out_.key("threads_index").unsigned_integer(index);
  out_.end_object();
}

void Printer::frame(const unwind::Stack& stack, std::size_t index, bool with_registers) {
  const unwind::Frame& frame = stack.frames[index];
  const symbols::SourceFrame& source = frame.symbol.physical;
  out_.begin_object().key("file");
  frame.has_symbol&& source.has_file ? out_.string(source.file) : out_.null();
  out_.key("frame").unsigned_integer(index);
  frame_function(frame);
  out_.key("inlines");
  inlines(frame);
  out_.key("line");
  frame.has_symbol&& source.has_line ? out_.unsigned_integer(source.line) : out_.null();
  out_.key("missing_symbols").boolean(!frame.has_symbol);
  frame_module(frame);
  out_.key("offset");
  address(frame.instruction.value);
  if (with_registers) {
    out_.key("registers");
    registers(stack);
  }
  out_.key("trust").string(unwind::name_of(frame.trust));
  out_.key("unloaded_modules");
  frame_unloaded(frame);
  out_.end_object();
}

void Printer::frame_function(const unwind::Frame& frame) {
  out_.key("function");
  if (!frame.has_symbol) {
    out_.null().key("function_offset").null();
    return;
  }
  out_.string(frame.symbol.physical.function).key("function_offset");
  const std::uint64_t base = frame.has_module() ? crash_.modules[frame.module].base.value : 0;
  address(frame.instruction.value - base - frame.symbol.start.value);
}

void Printer::frame_module(const unwind::Frame& frame) {
  out_.key("module");
  if (!frame.has_module()) {
    out_.null().key("module_offset").null();
    return;
  }
  const snapshot::Module& module = crash_.modules[frame.module];
  out_.string(leaf_name(module.code_file)).key("module_offset");
  address((frame.instruction - module.base).value);
}

void Printer::inlines(const unwind::Frame& frame) {
  if (!frame.has_symbol || frame.symbol.inlines.empty()) return static_cast<void>(out_.null());
  out_.begin_array();
  for (const symbols::SourceFrame& site : frame.symbol.inlines) {
    out_.begin_object().key("file");
    site.has_file ? out_.string(site.file) : out_.null();
    out_.key("function").string(site.function).key("line");
    site.has_line&& site.line != 0 ? out_.unsigned_integer(site.line) : out_.null();
    out_.end_object();
  }
  out_.end_array();
}

// One entry for each name, with all its offsets. frame.unloaded is sorted by name and offset.
void Printer::frame_unloaded(const unwind::Frame& frame) {
  if (frame.unloaded.empty()) return static_cast<void>(out_.null());
  out_.begin_array();
  for (std::size_t i = 0; i < frame.unloaded.size();) {
    const std::string& name = crash_.unloaded_modules[frame.unloaded[i].module].name;
    out_.begin_object().key("module").string(name).key("offsets").begin_array();
    for (; i < frame.unloaded.size(); ++i) {
      if (crash_.unloaded_modules[frame.unloaded[i].module].name != name) break;
      address(frame.unloaded[i].offset);
    }
    out_.end_array().end_object();
  }
  out_.end_array();
}

void Printer::registers(const unwind::Stack& stack) {
  const snapshot::Registers values = stack.registers(0);
  const snapshot::RegisterNames& table = snapshot::register_names(values.cpu);
  std::vector<std::pair<std::string_view, std::uint64_t>> known;
  for (std::size_t i = 0; i < table.printed; ++i) {
    if (values.valid[i]) known.emplace_back(table.names[i], values.values[i]);
  }
  std::sort(known.begin(), known.end());
  out_.begin_object();
  for (const auto& [name, value] : known) {
    out_.key(name).string(fmt::format("0x{:0{}x}", value, 2 * table.width));
  }
  out_.end_object();
}

void Printer::modules() {
  out_.begin_array();
  for (std::size_t i = 0; i < crash_.modules.size(); ++i) {
    const snapshot::Module& module = crash_.modules[i];
    const SymbolStatus& status = statuses_[i];
    out_.begin_object().key("base_addr");
    address(module.base.value);
    certificate(leaf_name(module.code_file));
    out_.key("code_id").string(module.code_id);
    out_.key("corrupt_symbols").boolean(status.corrupt);
    out_.key("debug_file").string(leaf_name(module.debug_file));
    out_.key("debug_id").string(module.debug_id_text);
    out_.key("end_addr");
    address(module.base.value + module.size);
    out_.key("filename").string(leaf_name(module.code_file));
    out_.key("loaded_symbols").boolean(status.loaded);
    out_.key("missing_symbols").boolean(status.missing);
    text("symbol_url", status.url);
    text("version", module.version);
    out_.end_object();
  }
  out_.end_array();
}

void Printer::unloaded_modules() {
  out_.begin_array();
  for (const snapshot::UnloadedModule& module : crash_.unloaded_modules) {
    out_.begin_object().key("base_addr");
    address(module.base.value);
    certificate(module.name);
    out_.key("code_id").string(fmt::format("{:08x}{:x}", module.time_date_stamp, module.size));
    out_.key("end_addr");
    address(module.base.value + module.size);
    out_.key("filename").string(module.name);
    out_.end_object();
  }
  out_.end_array();
}

void Printer::handles() {
  if (!crash_.handles) return static_cast<void>(out_.null());
  out_.begin_array();
  for (const snapshot::Handle& handle : *crash_.handles) {
    out_.begin_object().key("handle").unsigned_integer(handle.handle);
    text("object_name", handle.object_name);
    text("type_name", handle.type_name);
    out_.end_object();
  }
  out_.end_array();
}

void Printer::mac_crash_info() {
  if (!crash_.mac_crash_records) return static_cast<void>(out_.null());
  out_.begin_object();
  out_.key("num_records").unsigned_integer(crash_.mac_crash_records->size());
  out_.key("records").begin_array();
  for (const snapshot::MacCrashRecord& record : *crash_.mac_crash_records) {
    out_.begin_object();
    optional_address("abort_cause", record.abort_cause);
    text("backtrace", record.backtrace);
    optional_address("dialog_mode", record.dialog_mode);
    text("message", record.message);
    text("message2", record.message2);
    text("module", record.module);
    text("signature_string", record.signature_string);
    optional_address("thread", record.thread);
    out_.end_object();
  }
  out_.end_array().end_object();
}

void Printer::proc_limits() {
  if (!crash_.proc_limits) return static_cast<void>(out_.null());
  const auto limit = [&](std::string_view key, std::string_view value) {
    out_.key(key);
    if (value == "unlimited") {
      out_.string(value);
    } else {
      out_.unsigned_integer(base::parse_decimal(value).value_or(0));
    }
  };
  out_.begin_object().key("limits").begin_array();
  for (const snapshot::ProcLimit& row : *crash_.proc_limits) {
    out_.begin_object();
    limit("hard", row.hard);
    out_.key("name").string(row.name);
    limit("soft", row.soft);
    out_.key("unit").string(row.unit);
    out_.end_object();
  }
  out_.end_array().end_object();
}

void Printer::soft_errors() {
  if (!crash_.soft_errors) return static_cast<void>(out_.null());
  const auto value = base::JsonValue::parse(*crash_.soft_errors);
  value.ok() ? value->write(out_) : static_cast<void>(out_.null());
}

void Printer::system_info() {
  const snapshot::SystemInfo& system = crash_.system;
  out_.begin_object();
  out_.key("cpu_arch").string(cpu_name(system));
  out_.key("cpu_count").unsigned_integer(system.cpu_count);
  text("cpu_info", cpu_details(system));
  text("cpu_microcode_version", microcode_text(report_));
  out_.key("os").string(os_name(system));
  out_.key("os_ver").string(os_version(system));
  out_.end_object();
}

}  // namespace

std::string report_json(const Report& report, JsonWriter::Style style) {
  return Printer(report, style).print();
}

}  // namespace analyze
