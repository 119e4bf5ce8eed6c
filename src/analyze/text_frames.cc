#include "analyze/text_frames.h"

#include <fmt/format.h>

namespace analyze {

namespace {

// " name@0xoffset|0xoffset" for each unloaded module that once covered the address.
void append_unloaded(std::string& out, const Report& report, const unwind::Frame& frame) {
  for (std::size_t i = 0; i < frame.unloaded.size();) {
    const std::string& name = report.crash->unloaded_modules[frame.unloaded[i].module].name;
    fmt::format_to(std::back_inserter(out), " (unloaded {}@", name);
    for (const char* separator = ""; i < frame.unloaded.size(); ++i, separator = "|") {
      if (report.crash->unloaded_modules[frame.unloaded[i].module].name != name) break;
      fmt::format_to(std::back_inserter(out), "{}0x{:x}", separator, frame.unloaded[i].offset);
    }
    out += ')';
  }
}

// How far the address is behind the beginning of its line's code.
std::uint64_t offset_in_line(const Report& report, const unwind::Frame& frame) {
  const base::Rva rva{(frame.instruction - report.crash->modules[frame.module].base).value};
  const auto& map = report.walk.modules[frame.module].map;
  const auto start = map ? map->find_line_start(rva) : std::nullopt;
  return rva.value - start.value_or(frame.symbol.start).value;
}

void append_place(std::string& out, const Report& report, const unwind::Frame& frame) {
  if (!frame.has_module()) {
    fmt::format_to(std::back_inserter(out), "0x{:x}", frame.instruction.value);
    append_unloaded(out, report, frame);
    return;
  }
  const snapshot::Module& module = report.crash->modules[frame.module];
  const std::uint64_t offset = (frame.instruction - module.base).value;
  out += leaf_name(module.code_file);
  if (!frame.has_symbol) {
    fmt::format_to(std::back_inserter(out), " + 0x{:x}", offset);
    return;
  }
  const symbols::SourceFrame& source = frame.symbol.physical;
  fmt::format_to(std::back_inserter(out), "!{}", source.function);
  if (source.has_file && source.has_line) {
    fmt::format_to(std::back_inserter(out), " [{} : {} + 0x{:x}]", leaf_name(source.file),
                   source.line, offset_in_line(report, frame));
  } else {
    fmt::format_to(std::back_inserter(out), " + 0x{:x}", offset - frame.symbol.start.value);
  }
}

// Six characters for a name, as many columns as fit.
void append_registers(std::string& out, const unwind::Stack& stack, std::size_t index) {
  constexpr std::size_t kColumns = 81;
  const snapshot::Registers values = stack.registers(index);
  const snapshot::RegisterNames& table = snapshot::register_names(values.cpu);
  std::string line;
  for (std::size_t i = 0; i < table.printed; ++i) {
    if (!values.valid[i]) continue;
    const std::string entry =
        fmt::format(" {:>6} = 0x{:0{}x}", table.names[i], values.values[i], 2 * table.width);
    if (!line.empty() && line.size() + entry.size() > kColumns) {
      out += line + "\n";
      line.clear();
    }
    if (line.empty()) line = " ";
    line += entry;
  }
  if (!line.empty()) out += line + "\n";
}

void append_inlines(std::string& out, const Report& report, const unwind::Frame& frame,
                    std::size_t& number) {
  if (!frame.has_symbol || !frame.has_module()) return;
  for (const symbols::SourceFrame& site : frame.symbol.inlines) {
    fmt::format_to(std::back_inserter(out), "{:2}  {}!{}", number++,
                   leaf_name(report.crash->modules[frame.module].code_file), site.function);
    if (site.has_file && site.has_line && site.line != 0) {
      fmt::format_to(std::back_inserter(out), " [{} : {}]", leaf_name(site.file), site.line);
    }
    out += "\n    Found by: inlining\n";
  }
}

}  // namespace

void append_frames(std::string& out, const Report& report, const unwind::Stack& stack) {
  if (stack.frames.empty()) {
    out += "<no frames>\n";
    return;
  }
  std::size_t number = 0;  // inlined frames count here, though not in JSON
  for (std::size_t i = 0; i < stack.frames.size(); ++i) {
    const unwind::Frame& frame = stack.frames[i];
    append_inlines(out, report, frame, number);
    fmt::format_to(std::back_inserter(out), "{:2}  ", number++);
    append_place(out, report, frame);
    out += '\n';
    append_registers(out, stack, i);
    fmt::format_to(std::back_inserter(out), "    Found by: {}\n", unwind::sentence_of(frame.trust));
  }
}

}  // namespace analyze
