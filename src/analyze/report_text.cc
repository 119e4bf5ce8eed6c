#include "analyze/report_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "analyze/text_frames.h"
#include "base/json.h"

namespace analyze {

using snapshot::Crash;

namespace {

template <class... Args>
void print(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

// One report as text. Members print one paragraph each, in order.
class Printer {
 public:
  explicit Printer(const Report& report)
      : report_(report),
        crash_(*report.crash),
        width_(2 * snapshot::address_width(crash_.system.cpu)) {}

  std::string print_all(TextLength length);

 private:
  void system();
  void crash_info();
  void instruction();
  void bit_flips();
  void inconsistencies();
  void mac();
  void requesting_thread(std::size_t index);
  void other_threads(std::optional<std::size_t> requesting);
  void modules();
  void unloaded_modules();
  void streams();
  void soft_errors();

  std::string address(std::uint64_t value) const { return fmt::format("0x{:0{}x}", value, width_); }
  std::string certificate(std::string_view name) const {
    const auto found = report_.extra.certificates.find(std::string(leaf_name(name)));
    return found == report_.extra.certificates.end() ? "" : fmt::format(" ({})", found->second);
  }

  const Report& report_;
  const Crash& crash_;
  unsigned width_;
  std::string out_;
};

std::string Printer::print_all(TextLength length) {
  const auto requesting = crash_.requesting_thread();
  system();
  out_ += '\n';
  crash_info();
  mac();
  if (const auto uptime = process_uptime(crash_)) {
    print(out_, "Process uptime: {} seconds\n", *uptime);
  } else {
    out_ += "Process uptime: not available\n";
  }
  out_ += '\n';
  if (crash_.linux_memory_map_count) {
    print(out_, "Linux memory map count: {}\n\n", *crash_.linux_memory_map_count);
  }
  if (requesting) requesting_thread(*requesting);
  if (length == TextLength::brief) return std::move(out_);
  other_threads(requesting);
  modules();
  unloaded_modules();
  streams();
  soft_errors();
  return std::move(out_);
}

void Printer::system() {
  const snapshot::SystemInfo& info = crash_.system;
  print(out_, "Operating system: {}\n                  {}\n", os_name(info), os_version(info));
  print(out_, "CPU: {}\n", cpu_name(info));
  if (const auto details = cpu_details(info)) print(out_, "     {}\n", *details);
  print(out_, "     {} CPU{}\n", info.cpu_count, info.cpu_count == 1 ? "" : "s");
  if (crash_.lsb_release) {
    const auto& lsb = *crash_.lsb_release;
    print(out_, "Linux {} {} - {} ({})\n", lsb.at("id"), lsb.at("release"), lsb.at("codename"),
          lsb.at("description"));
  }
}

void Printer::crash_info() {
  const CrashInfo& info = report_.info;
  if (!info.reason || !info.address) {
    out_ += "No crash\n";
    return;
  }
  print(out_, "Crash reason:  {}\n", *info.reason);
  print(out_, "Crash address: {}", address(*info.address));
  if (!info.adjusted_address) {
    out_ += '\n';
  } else if (info.adjusted_address->kind == AdjustedAddress::Kind::non_canonical) {
    print(out_, " **\n    ** Non-canonical address detected: {}\n",
          address(info.adjusted_address->value));
  } else {
    print(out_, " **\n    ** Null pointer detected with offset: {}\n",
          address(info.adjusted_address->value));
  }
  instruction();
  bit_flips();
  inconsistencies();
}

std::string_view access_name(AccessType type) {
  switch (type) {
    case AccessType::read:
      return "Read";
    case AccessType::write:
      return "Write";
    case AccessType::read_write:
      return "ReadWrite";
    case AccessType::unknown:
      break;
  }
  return "";
}

void Printer::instruction() {
  const CrashInfo& info = report_.info;
  if (info.instruction) print(out_, "Crashing instruction: `{}`\n", *info.instruction);
  if (info.memory_accesses && info.memory_accesses->empty()) {
    out_ += "No memory accessed by instruction\n";
  } else if (info.memory_accesses) {
    out_ += "Memory accessed by instruction:\n";
    std::size_t number = 0;
    for (const MemoryAccess& access : *info.memory_accesses) {
      print(out_, "  {}. Address: {}\n", number++, address(access.address));
      if (access.size) print(out_, "     Size: {}\n", *access.size);
      if (access.is_likely_guard_page) {
        out_ += "     This address falls in a likely guard page.\n";
      }
      if (access.type != AccessType::unknown) {
        print(out_, "     Access type: {}\n", access_name(access.type));
      }
    }
  }
  if (!info.has_pointer_update) return;
  if (info.instruction_pointer_update) {
    print(out_, "Instruction pointer update done by instruction:\n  Address: {}\n",
          address(*info.instruction_pointer_update));
  } else {
    out_ += "No instruction pointer update by instruction\n";
  }
}

// The likeliest first; JSON keeps them in order of discovery.
void Printer::bit_flips() {
  std::vector<const BitFlip*> flips;
  flips.reserve(report_.info.bit_flips.size());
  for (const BitFlip& flip : report_.info.bit_flips) flips.push_back(&flip);
  if (flips.empty()) return;
  std::sort(flips.begin(), flips.end(), [](const BitFlip* a, const BitFlip* b) {
    if (a->confidence > b->confidence || b->confidence > a->confidence) {
      return a->confidence > b->confidence;
    }
    return a->address != b->address ? a->address < b->address : a < b;
  });
  out_ += "Crashing address may be the result of a flipped bit:\n";
  for (std::size_t i = 0; i < flips.size(); ++i) {
    const BitFlip& flip = *flips[i];
    print(out_, "  {}. Valid address: {}{}{} ({:.3f})\n", i, flip.source_register,
          flip.source_register.empty() ? "" : "=", address(flip.address), flip.confidence);
  }
}

std::string_view inconsistency_sentence(std::string_view name) {
  struct Sentence {
    std::string_view name, text;
  };
  static constexpr Sentence kSentences[] = {
      {"int_div_by_zero_not_possible",
       "Crash reason is an integer division by zero but the crashing instruction is not a "
       "division"},
      {"priv_instruction_crash_without_priv_instruction",
       "Crash reason is a privileged instruction but crashing instruction is not a privileged "
       "one"},
      {"non_canonical_address_falsely_reported",
       "Crash address is reported as a non-canonical x86-64 address but the actual address is a "
       "canonical one"},
      {"access_violation_when_access_allowed",
       "Crash reason is access violation exception but access is allowed"},
      {"crashing_access_not_found_in_memory_accesses",
       "Crash address not found among the memory accesses of the crashing instruction"}};
  for (const Sentence& sentence : kSentences) {
    if (sentence.name == name) return sentence.text;
  }
  return name;
}

void Printer::inconsistencies() {
  const auto& names = report_.info.inconsistencies;
  if (!names || names->empty()) return;
  out_ += "Crash is inconsistent:\n";
  for (const std::string& name : *names) print(out_, "  {}\n", inconsistency_sentence(name));
}

void Printer::mac() {
  if (crash_.mac_crash_records) {
    out_ += "Mac Crash Info:\n";
    const auto number = [&](std::string_view name, const std::optional<std::uint64_t>& value) {
      // A decimal number behind "0x": so the field prints it.
      if (value) print(out_, "    {}: 0x{}\n", name, *value);
    };
    const auto text = [&](std::string_view name, const std::optional<std::string>& value) {
      if (value) print(out_, "    {}: {}\n", name, *value);
    };
    std::size_t index = 0;
    for (const snapshot::MacCrashRecord& record : *crash_.mac_crash_records) {
      print(out_, "  Record {}\n", index++);
      number("thread", record.thread);
      number("dialog mode", record.dialog_mode);
      number("abort_cause", record.abort_cause);
      text("module", record.module);
      text("message", record.message);
      text("signature string", record.signature_string);
      text("backtrace", record.backtrace);
      text("message2", record.message2);
    }
    out_ += '\n';
  }
  if (crash_.mac_boot_args) print(out_, "Mac Boot Args: {}\n\n", *crash_.mac_boot_args);
}

void Printer::requesting_thread(std::size_t index) {
  const snapshot::Thread& thread = crash_.threads[index];
  print(out_, "Thread {} {} ({}) - tid: {}\n", index, thread.name.value_or(""),
        crash_.exception ? "crashed" : "requested dump, did not crash", thread.id);
  append_frames(out_, report_, report_.walk.threads[index]);
  out_ += '\n';
}

void Printer::other_threads(std::optional<std::size_t> requesting) {
  for (std::size_t i = 0; i < crash_.threads.size(); ++i) {
    if (i == requesting || crash_.is_dump_thread(i)) continue;
    const snapshot::Thread& thread = crash_.threads[i];
    print(out_, "Thread {} {} - tid: {}\n", i, thread.name.value_or(""), thread.id);
    append_frames(out_, report_, report_.walk.threads[i]);
  }
}

// Those that an address lookup can find, by address: of overlapping ones the first.
void Printer::modules() {
  out_ += "\nLoaded modules:\n";
  std::vector<const snapshot::Module*> sorted;
  sorted.reserve(crash_.modules.size());
  for (const snapshot::Module& module : crash_.modules) sorted.push_back(&module);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
    if (a->base != b->base) return a->base < b->base;
    return a->size != b->size ? a->size < b->size : a < b;
  });
  std::optional<std::uint64_t> last;  // address printed
  for (const snapshot::Module* module : sorted) {
    if (last && module->base.value <= *last) continue;
    last = module->base.value + module->size - 1;
    print(out_, "0x{:08x} - 0x{:08x}  {}  {}", module->base.value, *last,
          leaf_name(module->code_file), module->version.value_or("???"));
    if (module->base == crash_.modules.front().base) out_ += "  (main)";
    out_ += certificate(module->code_file);
    out_ += '\n';
  }
}

void Printer::unloaded_modules() {
  out_ += "\nUnloaded modules:\n";
  std::vector<const snapshot::UnloadedModule*> sorted;
  sorted.reserve(crash_.unloaded_modules.size());
  for (const snapshot::UnloadedModule& module : crash_.unloaded_modules) sorted.push_back(&module);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
    if (a->base != b->base) return a->base < b->base;
    return a->size != b->size ? a->size < b->size : a < b;
  });
  for (const snapshot::UnloadedModule* module : sorted) {
    print(out_, "0x{:08x} - 0x{:08x}  {}{}\n", module->base.value,
          module->base.value + module->size - 1, leaf_name(module->name),
          certificate(module->name));
  }
}

void Printer::streams() {
  if (!crash_.unimplemented_streams.empty()) {
    out_ += "\nUnimplemented streams encountered:\n";
    for (const snapshot::StreamEntry& entry : crash_.unimplemented_streams) {
      print(out_, "Stream 0x{:08x} {} ({}) @ 0x{:08x}\n", entry.type, entry.name, entry.vendor,
            entry.rva);
    }
  }
  if (!crash_.unknown_streams.empty()) {
    out_ += "\nUnknown streams encountered:\n";
    for (const snapshot::StreamEntry& entry : crash_.unknown_streams) {
      print(out_, "Stream 0x{:08x} ({}) @ 0x{:08x}\n", entry.type, entry.vendor, entry.rva);
    }
  }
}

void Printer::soft_errors() {
  if (!crash_.soft_errors) return;
  const auto value = base::JsonValue::parse(*crash_.soft_errors);
  if (!value.ok()) return;
  base::JsonWriter json(base::JsonWriter::Style::pretty);
  value->write(json);
  print(out_, "\nSoft errors were encountered when minidump was written:\n{}\n", json.text());
}

}  // namespace

std::string report_text(const Report& report, TextLength length) {
  return Printer(report).print_all(length);
}

}  // namespace analyze
