// faultline dump-syms: debug files → Breakpad .sym text or symbol index.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/pool.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/file_identity.h"
#include "cli/options.h"
#include "extract/breakpad_from_symbols.h"
#include "extract/extract.h"
#include "extract/identify.h"
#include "symbols/index_writer.h"

namespace cli {
namespace {

using base::Error;
using base::Fault;
using base::Result;

struct Arguments {
  std::vector<std::string> files;
  std::string output, store, format = "sym", debug_directory, report;
  bool inlines = true, no_cfi = false, cfi_only = false, header = false, strict = false;
  bool list_arch = false, keys = false, json = false;
  std::uint64_t threads = 0;

  unsigned thread_count() const {
    return threads == 0 ? base::default_thread_count()
                        : static_cast<unsigned>(std::min<std::uint64_t>(threads, 256));
  }
};

// The files of one module: an image, its debug file, or both.
struct Group {
  std::shared_ptr<const base::MappedFile> image, debug;
  extract::Identity identity;

  const base::MappedFile& named() const { return image ? *image : *debug; }
};

Error in_file(const std::string& path, const Error& error) {
  return {error.fault, path + ": " + error.what};
}

Error not_a_debug_file(const std::string& path, const extract::Identity& identity) {
  const std::string kind = identity.kind == extract::FileKind::unknown
                               ? "a file of unknown kind"
                               : "a " + std::string(extract::name_of(identity.kind)) + " file";
  return {Fault::unsupported, path + ": " + kind + "; an ELF file was expected"};
}

// Files with one id are one module: the one with code is the image, the one with debug
// information the debug file. More of a kind than one start modules of their own.
Result<std::vector<Group>> group_files(const std::vector<std::string>& paths) {
  std::vector<Group> groups;
  for (const std::string& path : paths) {
    const auto file = TRY(base::MappedFile::open(path));
    const extract::Identity identity = extract::identify(file->bytes());
    if (identity.kind != extract::FileKind::elf) return not_a_debug_file(path, identity);
    const bool is_debug = identity.has_debug_info && !identity.has_code;
    Group* home = nullptr;
    for (Group& group : groups) {
      const bool same = !identity.debug_id.is_nil() && group.identity.debug_id == identity.debug_id;
      const bool free = is_debug ? group.debug == nullptr : group.image == nullptr;
      if (same && free) home = &group;
    }
    if (home == nullptr) {
      groups.emplace_back();
      home = &groups.back();
      home->identity = identity;
    }
    (is_debug ? home->debug : home->image) = file;
  }
  return groups;
}

// Whether we can do more with them than name them.
bool all_are_converted(const std::vector<std::string>& paths) {
  return std::all_of(paths.begin(), paths.end(), [](const std::string& path) {
    const auto file = base::MappedFile::open(path);
    return !file.ok() || extract::identify((*file)->bytes()).kind == extract::FileKind::elf;
  });
}

// Where distributions keep debug files: by build id, and by the name in .gnu_debuglink.
void find_debug_file(const std::string& directory, Group& group) {
  if (group.debug || !group.image || group.identity.has_debug_info) return;
  std::vector<std::string> candidates;
  const std::string& id = group.identity.build_id;
  if (id.size() > 2) {
    const std::string tail = id.substr(0, 2) + "/" + id.substr(2) + ".debug";
    candidates.push_back(base::join_path(directory, ".build-id/" + tail));
    candidates.push_back(base::join_path(directory, tail));
  }
  if (!group.identity.debug_link.empty()) {
    const std::string name(base::basename_of(group.identity.debug_link));
    candidates.push_back(base::join_path(directory, name));
    const std::string beside(base::parent_of(group.image->path()));
    candidates.push_back(base::join_path(directory + "/" + beside, name));
  }
  for (const std::string& path : candidates) {
    if (!base::file_exists(path)) continue;
    const auto file = base::MappedFile::open(path);
    if (!file.ok()) continue;
    const extract::Identity found = extract::identify((*file)->bytes());
    if (found.debug_id != group.identity.debug_id && !found.debug_id.is_nil()) continue;
    group.debug = *file;
    return;
  }
}

extract::BreakpadOptions text_options(const Arguments& arguments) {
  extract::BreakpadOptions options;
  options.threads = arguments.thread_count();
  options.inlines = arguments.inlines;
  options.functions = !arguments.cfi_only;
  options.cfi = !arguments.no_cfi;
  options.header_only = arguments.header;
  return options;
}

Result<void> write_all(int fd, std::string_view text, std::optional<std::uint64_t> offset) {
  while (!text.empty()) {
    const ssize_t done = offset
                             ? ::pwrite(fd, text.data(), text.size(), static_cast<off_t>(*offset))
                             : ::write(fd, text.data(), text.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return base::error_from_errno(errno, "write", "output");
    text.remove_prefix(static_cast<std::size_t>(done));
    if (offset) *offset += static_cast<std::uint64_t>(done);
  }
  return {};
}

Result<void> write_stdout(const symbols::Model& model, const Arguments& arguments) {
  extract::BreakpadSink sink;
  sink.write = [](std::uint64_t, std::string_view text) {
    return write_all(STDOUT_FILENO, text, std::nullopt);
  };
  return extract::write_breakpad(model, text_options(arguments), sink);
}

Result<void> write_file(const symbols::Model& model, const Arguments& arguments,
                        const std::string& path) {
  if (arguments.format == "index") {
    symbols::IndexOptions options;
    options.threads = arguments.thread_count();
    options.durable = false;  // as below
    return symbols::write_index_file(model, path, options);
  }
  std::string directory(base::parent_of(path));
  if (directory.empty()) directory = path.starts_with('/') ? "/" : ".";
  TRY(base::make_directories(directory));
  auto pending = TRY(base::PendingFile::create(directory));
  extract::BreakpadSink sink;
  sink.any_order = true;
  sink.write = [&](std::uint64_t offset, std::string_view text) {
    return write_all(pending.fd(), text, offset);
  };
  TRY(extract::write_breakpad(model, text_options(arguments), sink));
  // No fsync: what a build makes can be made again, and a second of waiting cannot.
  return pending.rename_to(path);
}

// Devices and pipes, also those that /dev/stdout leads to, cannot be renamed onto: they are written
// as they stand.
bool is_plain_target(const std::string& path) {
  struct stat there{};
  if (::lstat(path.c_str(), &there) != 0 || S_ISREG(there.st_mode)) return true;
  if (S_ISLNK(there.st_mode)) return !path.starts_with("/dev/") && !path.starts_with("/proc/");
  return false;
}

Result<void> write_special(const symbols::Model& model, const Arguments& arguments,
                           const std::string& path) {
  const base::Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) return base::error_from_errno(errno, "open", path);
  extract::BreakpadSink sink;
  sink.write = [&](std::uint64_t, std::string_view text) {
    return write_all(fd.get(), text, std::nullopt);
  };
  return extract::write_breakpad(model, text_options(arguments), sink);
}

Result<void> write_output(const symbols::Model& model, const Arguments& arguments) {
  const bool index = arguments.format == "index";
  if (!arguments.store.empty()) {
    const std::string& name = model.info.name;
    const std::string stem =
        base::lower_ascii(name).ends_with(".pdb") ? name.substr(0, name.size() - 4) : name;
    const std::string path = arguments.store + "/" + name + "/" + model.info.debug_id.breakpad() +
                             "/" + stem + (index ? ".fidx" : ".sym");
    TRY(write_file(model, arguments, path));
    std::printf("%s\n", path.c_str());
    return {};
  }
  if (arguments.output.empty() || arguments.output == "-") {
    if (index)
      return Error{Fault::unsupported, "an index goes to a file: give -o OUT or --store DIR"};
    return write_stdout(model, arguments);
  }
  if (!index && !is_plain_target(arguments.output)) {
    return write_special(model, arguments, arguments.output);
  }
  return write_file(model, arguments, arguments.output);
}

Result<void> dump_group(const Group& group, const Arguments& arguments) {
  const std::string& path = group.named().path();
  extract::Module module;
  if (group.image) module.image = group.image->bytes();
  if (group.debug) module.debug = group.debug->bytes();
  module.name = std::string(base::basename_of(path));
  extract::Options options;
  options.threads = arguments.thread_count();
  options.functions = !arguments.cfi_only && !arguments.header;
  options.inlines = arguments.inlines;
  options.cfi = !arguments.no_cfi && !arguments.header;
  options.strict = arguments.strict;
  auto extracted = extract::extract(module, options);
  if (!extracted.ok()) return in_file(path, extracted.error());
  const auto written = write_output(extracted->model, arguments);
  if (!written.ok()) return written.error();
  if (!arguments.report.empty()) {
    TRY(base::write_file_durably(arguments.report,
                                 base::bytes_of(extracted->report.json(extracted->model) + "\n")));
  }
  const std::size_t skipped = extracted->report.skipped.size();
  if (skipped != 0) {
    const extract::Skipped& first = extracted->report.skipped.front();
    std::fprintf(stderr, "faultline: warning: %s: %zu part%s left out (%s%s%s)\n", path.c_str(),
                 skipped, skipped == 1 ? "" : "s", first.section.c_str(),
                 first.section.empty() ? "" : ": ", first.what.c_str());
  }
  return {};
}

void declare(Options& options, Arguments& a) {
  options.positionals("FILE", a.files, "ELF files; an image and its debug file are joined by id");
  options.text("-o,--output", a.output, "write to this file (default: standard output)");
  options.text("-s,--store", a.store, "write to DIR/NAME/ID/NAME.sym and print that path");
  options.choice("--format", a.format, {"sym", "index"}, "Breakpad text, or symbol index");
  options.flag("--inlines,!--no-inlines", a.inlines, "INLINE records (default: yes)");
  options.flag("--no-cfi", a.no_cfi, "leave out unwind rules");
  options.flag("--cfi-only", a.cfi_only, "nothing but unwind rules");
  options.flag("--header", a.header, "MODULE and INFO records only");
  options.flag("--list-arch", a.list_arch, "print the architectures of the files, and no more");
  options.flag("--keys", a.keys, "print all ids of the files and the paths they are served under");
  options.flag("--json", a.json, "with --keys: as JSON");
  options.text("--debug-dir", a.debug_directory,
               "look here for the debug file: by build id, or by .gnu_debuglink");
  options.number("-j,--jobs", a.threads, "threads (default: one for each processor)");
  options.flag("--strict", a.strict, "fail where a damaged part would be left out");
  options.text("--json-report", a.report, "write what was read and what was left out to this file");
  options.footer(
      "Examples:\n"
      "  faultline dump-syms build/app -o app.sym\n"
      "  faultline dump-syms --keys app.exe app.pdb\n"
      "  faultline dump-syms /usr/bin/app --debug-dir /usr/lib/debug --store symbols/");
}

}  // namespace

int run_dump_syms(int argc, char** argv) {
  Arguments arguments;
  Options options(argv[0], "Debug files to Breakpad symbols or a symbol index.");
  declare(options, arguments);
  if (const auto code = options.parse(argc, argv)) return *code;
  if (arguments.list_arch) return list_arches(arguments.files);
  if (arguments.keys) return print_keys(arguments.files, arguments.json);
  if (arguments.header && !all_are_converted(arguments.files)) {
    return print_headers(arguments.files);
  }
  auto groups = group_files(arguments.files);
  if (!groups.ok()) return fail(groups.error().what);
  if (groups->size() > 1 && !arguments.output.empty()) {
    fail("these files are " + std::to_string(groups->size()) +
         " modules, which one output cannot hold; use --store DIR");
    return kBadUsage;
  }
  int result = kDone;
  for (Group& group : *groups) {
    if (!arguments.debug_directory.empty()) find_debug_file(arguments.debug_directory, group);
    const auto done = dump_group(group, arguments);
    if (!done.ok()) result = fail(done.error().what);
  }
  // The system takes back a gigabyte of memory faster than our destructors give it.
  std::fflush(nullptr);
  ::_exit(result);
}

}  // namespace cli
