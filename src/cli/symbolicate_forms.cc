#include "cli/symbolicate_forms.h"

#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <iterator>
#include <memory>

#include "base/file.h"
#include "base/pool.h"
#include "base/text.h"
#include "cli/index_cache.h"
#include "cli/symbol_files.h"
#include "extract/extract.h"
#include "extract/identify.h"
#include "formats/elf/elf.h"
#include "symbolicate/answer.h"
#include "symbols/index_writer.h"

namespace cli {

using base::Error;
using base::Fault;
using base::Result;
using symbolicate::ModuleAnswer;
using SharedMap = std::shared_ptr<const symbols::Map>;

namespace {

constexpr std::size_t kFramesAtOnce = 4096;

Result<void> print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    return base::error_from_errno(errno, "write", "standard output");
  }
  return {};
}

bool is_url(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

SymbolFilesOptions places_of(const std::vector<std::string>& symbols,
                             const std::string& downloads) {
  SymbolFilesOptions options;
  for (const std::string& place : symbols) {
    (is_url(place) ? options.urls : options.paths).push_back(place);
  }
  options.cache = downloads;
  options.temporary = downloads;
  return options;
}

// A module in the file, and where the linker meant it to be loaded.
struct LoadedFile {
  SharedMap map;
  std::uint64_t image_base = 0;
};

Result<LoadedFile> load(const std::string& path) {
  const auto file = TRY(base::MappedFile::open(path));
  const extract::Identity identity = extract::identify(file->bytes());
  if (identity.kind != extract::FileKind::elf) {
    const IndexCache no_cache("", 0);
    auto map = TRY(no_cache.open_symbols(path));
    if (map->info().corrupt && map->info().name.empty()) {
      return Error{Fault::malformed,
                   path + ": neither an ELF file, a Breakpad .sym text nor a symbol index"};
    }
    return LoadedFile{std::move(map), 0};
  }
  extract::Options options;
  options.threads = base::default_thread_count();
  options.cfi = false;
  const bool is_image = identity.has_code;
  const extract::Extracted extracted = TRY(extract::extract(
      {is_image ? file->bytes() : base::Bytes(), is_image ? base::Bytes() : file->bytes(),
       std::string(base::basename_of(path))},
      options));
  const auto head = TRY(elf::File::parse(file->bytes()));
  auto index = TRY(symbols::write_index(extracted.model));
  auto map = TRY(symbols::Map::open(base::MappedFile::from_bytes(std::move(index))));
  return LoadedFile{std::move(map), head.image_base()};
}

// Without a line addr2line says so in two ways: of an address that nothing covers, and of others.
void append_place(std::string& out, const symbols::SourceFrame& frame, bool functions,
                  bool is_covered) {
  if (functions) fmt::format_to(std::back_inserter(out), "{}\n", frame.function);
  if (!frame.has_file) {
    out += "??:";
  } else {
    fmt::format_to(std::back_inserter(out), "{}:", frame.file);
  }
  if (!frame.has_line || frame.line == 0) {
    out += is_covered ? "?\n" : "0\n";
  } else {
    fmt::format_to(std::back_inserter(out), "{}\n", frame.line);
  }
}

Result<void> answer_address(const LoadedFile& file, const FileQuestion& question,
                            std::string_view text) {
  std::string_view digits = base::trim(text);
  if (digits.starts_with("0x") || digits.starts_with("0X")) digits.remove_prefix(2);
  const auto address = base::parse_hex(digits);
  if (!address) {
    return Error{Fault::malformed, "'" + std::string(text) + "' is no address: hex digits wanted"};
  }
  std::string out;
  if (question.addresses_too) fmt::format_to(std::back_inserter(out), "0x{:016x}\n", *address);
  symbols::Hit hit;
  const bool found =
      *address >= file.image_base && file.map->find(base::Rva{*address - file.image_base}, hit);
  if (!found) {
    hit = {};
    hit.physical.function = "??";
  }
  if (question.inlines || hit.inlines.empty()) {
    for (const symbols::SourceFrame& frame : hit.inlines) {
      append_place(out, frame, question.functions, found);
    }
    append_place(out, hit.physical, question.functions, found);
  } else {
    append_place(out, hit.inlines.front(), question.functions, found);
  }
  return print(out);
}

}  // namespace

Result<void> answer_question(const std::vector<std::string>& symbols) {
  const std::string body{std::istreambuf_iterator<char>(std::cin), {}};
  const symbolicate::Question question = TRY(symbolicate::find_question(body));
  const auto downloads = TRY(base::TemporaryDirectory::create("symbolicate"));
  const SymbolFiles files(places_of(symbols, downloads.path()));
  std::vector<symbolicate::JobAnswer> answers;
  for (const symbolicate::Job& job : question.jobs) {
    const std::vector<bool> wanted = symbolicate::wanted_modules(job, question.dialect);
    symbolicate::JobAnswer answer(job.modules.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (!wanted[i]) continue;
      analyze::ModuleKey key;
      key.debug_file = job.modules[i].name;
      key.debug_id = job.modules[i].id;
      answer[i].map = files.find(key).map;
      answer[i].state = answer[i].map ? ModuleAnswer::State::found : ModuleAnswer::State::missing;
    }
    answers.push_back(std::move(answer));
  }
  symbolicate::AnswerWriter writer(question, answers);
  while (!writer.is_done()) TRY(print(writer.next(kFramesAtOnce)));
  return print("\n");
}

Result<void> answer_as_addr2line(const FileQuestion& question) {
  const LoadedFile file = TRY(load(question.file));
  for (const std::string& address : question.addresses) {
    TRY(answer_address(file, question, address));
  }
  if (!question.addresses.empty()) return {};
  for (std::string line; std::getline(std::cin, line);) {
    if (base::trim(line).empty()) continue;
    TRY(answer_address(file, question, line));
    std::fflush(stdout);  // a program at the other end may wait for each answer
  }
  return {};
}

}  // namespace cli
