#include "extract/extract.h"

#include <optional>
#include <thread>

#include "base/json.h"
#include "extract/dwarf_sections.h"
#include "extract/identify.h"
#include "extract/mini_debug_info.h"
#include "extract/symbol_names.h"
#include "extract/symbols_from_dwarf.h"
#include "extract/symbols_from_frames.h"
#include "extract/symbols_from_table.h"
#include "formats/dwarf/debug_info.h"
#include "formats/elf/elf.h"
#include "formats/elf/symbols.h"

namespace extract {
namespace {

// The files of a module opened, and which of them holds what.
struct Opened {
  std::optional<elf::File> image, debug;

  // The image's addresses count; a debug file keeps the same ones.
  const elf::File& main() const { return image ? *image : *debug; }
  const elf::File* find_with(std::string_view section) const {
    for (const auto* file : {&debug, &image}) {
      if (!file->has_value()) continue;
      const elf::Section* found = (*file)->find_debug_section(section);
      if (found != nullptr && !(*file)->raw(*found).empty()) return &**file;
    }
    return nullptr;
  }
};

base::Result<Opened> open_files(const Module& module) {
  Opened opened;
  if (!module.image.empty()) opened.image = TRY(elf::File::parse(module.image));
  if (!module.debug.empty()) opened.debug = TRY(elf::File::parse(module.debug));
  if (!opened.image && !opened.debug) {
    return base::Error{base::Fault::malformed, "the file is empty; an ELF file was expected"};
  }
  return opened;
}

symbols::ModuleInfo info_of(const Module& module) {
  const Identity identity = identify(module.image.empty() ? module.debug : module.image);
  symbols::ModuleInfo info;
  info.os = identity.os;
  info.arch = identity.arch;
  info.debug_id = identity.debug_id;
  info.code_id = identity.code_id;
  info.name = module.name;
  if (info.debug_id.is_nil() && !module.debug.empty()) {
    const Identity other = identify(module.debug);
    info.debug_id = other.debug_id;
    info.code_id = other.code_id;
  }
  return info;
}

std::vector<dwarf::AddressRange> code_of(const elf::File& file) {
  std::vector<dwarf::AddressRange> code;
  for (const elf::File::CodeRange& range : file.code_ranges())
    code.push_back({range.start, range.end});
  return code;
}

// What .gnu_debugdata holds, opened: the names of its symbols point into it.
struct Mini {
  std::vector<std::uint8_t> bytes;
  std::optional<elf::File> file;
};

base::Result<Mini> open_mini(const elf::File& image) {
  Mini mini;
  auto bytes = TRY(find_mini_debug_info(image));
  if (!bytes) return mini;
  mini.bytes = std::move(*bytes);
  mini.file = TRY(elf::File::parse(mini.bytes));
  return mini;
}

void add_functions(const Opened& files, const Options& options, symbols::Model& model,
                   Report& report) {
  const elf::File& main = files.main();
  // A debug file has the full symbol table; a stripped image may still have a .dynsym.
  SymbolNames names = files.debug ? SymbolNames::make(*files.debug) : SymbolNames();
  Mini mini;  // outlives the names
  if (names.empty()) {
    auto opened = open_mini(main);
    if (!opened.ok()) report.skipped.push_back({".gnu_debugdata", 0, opened.error().what});
    if (opened.ok()) mini = std::move(*opened);
    names = SymbolNames::make(main, mini.file ? &*mini.file : nullptr);
  }

  const std::vector<dwarf::AddressRange> code = code_of(main);
  FileTable source_files(model);
  std::vector<symbols::Line> orphans;
  if (const elf::File* file = files.find_with(".debug_info")) {
    DwarfBytes bytes = read_dwarf_sections(*file, options.threads);
    for (Skipped& skipped : bytes.skipped) report.skipped.push_back(std::move(skipped));
    auto info = dwarf::DebugInfo::open(bytes.sections, options.threads);
    orphans =
        add_dwarf({info, names, code, main.image_base()}, options, source_files, model, report);
  }
  const std::vector<elf::PltStub> stubs = elf::read_plt_stubs(main);
  add_table_symbols({names, stubs, code, orphans, main.image_base()}, options.threads, source_files,
                    model);
}

// .eh_frame first: in a debug file it has no bytes, so the image's is read. .debug_frame adds what
// the former lacks (assembly, code built without unwind tables).
struct Frames {
  std::vector<FrameRules> rules;
  std::vector<Skipped> skipped;
};

Frames read_frames(const Opened& files, unsigned threads) {
  Frames out;
  const elf::File& main = files.main();
  const std::vector<dwarf::AddressRange> code = code_of(main);
  for (const std::string_view name : {".eh_frame", ".debug_frame"}) {
    const elf::File* file = files.find_with(name);
    if (file == nullptr) continue;
    const elf::Section* section = file->find_debug_section(name);
    const auto contents = file->contents(*section);
    if (!contents.ok()) {
      out.skipped.push_back({std::string(name), 0, contents.error().what});
      continue;
    }
    dwarf::FrameSection frames;
    frames.bytes = contents->bytes;
    frames.address = section->address;
    frames.endian = file->endian();
    frames.address_size = file->is_64() ? 8 : 4;
    frames.is_eh_frame = name == ".eh_frame";
    const auto table = dwarf::FrameTable::parse(frames);
    for (const dwarf::Problem& problem : table.problems()) {
      out.skipped.push_back({problem.section, problem.offset, problem.what});
    }
    out.rules.push_back(
        convert_frames({table, register_names(main.arch()), code, main.image_base()}, threads));
  }
  return out;
}

}  // namespace

base::Result<Extracted> extract(const Module& module, const Options& options) {
  Extracted out;
  const Opened files = TRY(open_files(module));
  out.model.info = info_of(module);
  for (const auto* file : {&files.image, &files.debug}) {
    if (!file->has_value()) continue;
    for (const std::string& problem : (*file)->problems()) {
      out.report.skipped.push_back({"", 0, problem});
    }
  }
  // Unwind rules need nothing of the functions: they fill the processors where the merge of the
  // units keeps only one busy.
  Frames frames;
  const bool beside = options.cfi && options.functions && options.threads > 1;
  std::thread frames_thread;
  if (beside) frames_thread = std::thread([&] { frames = read_frames(files, 1); });
  if (options.functions) add_functions(files, options, out.model, out.report);
  if (beside) frames_thread.join();
  if (options.cfi && !beside) frames = read_frames(files, options.threads);
  for (const FrameRules& rules : frames.rules) add_frames(rules, out.model);
  for (Skipped& skipped : frames.skipped) out.report.skipped.push_back(std::move(skipped));
  if (options.strict && !out.report.skipped.empty()) {
    const Skipped& first = out.report.skipped.front();
    return base::Error{base::Fault::malformed,
                       (first.section.empty()
                            ? ""
                            : first.section + " at offset " + std::to_string(first.offset) + ": ") +
                           first.what};
  }
  return out;
}

std::string Report::json(const symbols::Model& model) const {
  base::JsonWriter w(base::JsonWriter::Style::pretty);
  w.begin_object();
  w.key("module").string(model.info.name);
  w.key("debug_id").string(model.info.debug_id.breakpad());
  w.key("code_id").string(model.info.code_id);
  w.key("units").unsigned_integer(units);
  w.key("units_read").unsigned_integer(units_read);
  w.key("functions").unsigned_integer(model.functions.size());
  w.key("lines").unsigned_integer(model.lines.size());
  w.key("inlines").unsigned_integer(model.inlines.size());
  w.key("publics").unsigned_integer(model.publics.size());
  w.key("cfi_ranges").unsigned_integer(model.cfi_ranges.size());
  w.key("missing").begin_array();
  for (const std::string& name : missing) w.string(name);
  w.end_array();
  w.key("skipped").begin_array();
  for (const Skipped& skip : skipped) {
    w.begin_object();
    w.key("section").string(skip.section);
    w.key("offset").unsigned_integer(skip.offset);
    w.key("what").string(skip.what);
    w.end_object();
  }
  w.end_array();
  w.end_object();
  return w.take();
}

}  // namespace extract
