// faultline symbolicate: offsets in a module → functions, files and lines, inlined frames too.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/symbolicate_forms.h"
#include "extract/symbols_from_breakpad.h"
#include "symbolicate/batch.h"
#include "symbolicate/frames.h"
#include "symbols/index_format.h"
#include "symbols/index_writer.h"
#include "symbols/map.h"

namespace cli {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using SharedMap = std::shared_ptr<const symbols::Map>;

constexpr std::size_t kReadSize = 1 << 20;

struct Arguments {
  std::vector<std::string> symbols;
  std::vector<std::string> words;  // MODULE/ID OFFSET…
  std::string module;              // NAME/ID, or "" when the only symbols are one file
  std::vector<std::string> offsets;
  std::string save_index;  // keep the index that was made
  bool json = false;
  FileQuestion file;
};

std::optional<std::uint64_t> parse_offset(std::string_view text) {
  text = base::trim(text);
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  return base::parse_hex(text);
}

// The symbols in a file: an index as it is, a .sym text through an index in memory.
Result<SharedMap> open_symbols(const std::string& path, const std::string& save_index) {
  auto file = TRY(base::MappedFile::open(path));
  const std::string_view magic = base::text_of(symbols::index::kMagic);
  if (base::text_of(file->bytes()).starts_with(magic)) return symbols::Map::open(file);
  std::string problem;
  extract::BreakpadReading reading;
  reading.lenient = true;
  reading.problem = &problem;
  const symbols::Model model = extract::symbols_from_breakpad(file, reading);
  if (model.functions.empty() && model.publics.empty() && model.info.name.empty()) {
    return Error{Fault::malformed, path + ": neither a symbol index nor a Breakpad .sym text"};
  }
  if (!problem.empty()) {
    std::fprintf(stderr, "faultline: warning: %s: %s\n", path.c_str(), problem.c_str());
  }
  auto bytes = TRY(symbols::write_index(model));
  if (!save_index.empty()) TRY(base::write_file_durably(save_index, bytes));
  return symbols::Map::open(base::MappedFile::from_bytes(std::move(bytes)));
}

// NAME/ID/NAME.sym below a directory, with .pdb replaced; an index of that name comes first.
std::string find_in_tree(const std::string& tree, const std::string& module) {
  const std::string name = module.substr(0, module.find('/'));
  const bool pdb = base::lower_ascii(name).ends_with(".pdb");
  const std::string stem = pdb ? name.substr(0, name.size() - 4) : name;
  for (const std::string& directory :
       {module, name + "/" + base::upper_ascii(module.substr(name.size() + 1))}) {
    for (const char* suffix : {".fidx", ".sym"}) {
      const std::string path = fmt::format("{}/{}/{}{}", tree, directory, stem, suffix);
      if (base::file_exists(path)) return path;
    }
  }
  return "";
}

bool is_module(const symbols::ModuleInfo& info, const std::string& module) {
  const std::size_t slash = module.find('/');
  return info.name == module.substr(0, slash) &&
         base::equal_ignoring_case(info.debug_id.breakpad(), module.substr(slash + 1));
}

bool is_directory(const std::string& path) { return base::file_exists(path + "/."); }

Result<SharedMap> find_symbols(const Arguments& arguments) {
  for (const std::string& place : arguments.symbols) {
    if (is_directory(place)) {
      if (arguments.module.empty()) {
        return Error{Fault::not_found, place + " is a directory: name the module as NAME/ID"};
      }
      const std::string path = find_in_tree(place, arguments.module);
      if (!path.empty()) return open_symbols(path, arguments.save_index);
    } else {
      SharedMap map = TRY(open_symbols(place, arguments.save_index));
      if (arguments.module.empty() || is_module(map->info(), arguments.module)) return map;
    }
  }
  return Error{Fault::not_found, "no symbols for " + arguments.module + " in the --symbols given"};
}

Result<void> print(std::string_view text) {
  while (!text.empty()) {
    const ssize_t done = ::write(STDOUT_FILENO, text.data(), text.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return base::error_from_errno(errno, "write", "standard output");
    text.remove_prefix(static_cast<std::size_t>(done));
  }
  return {};
}

// The offsets asked for, each as it was written, in the caller's order.
class Questions {
 public:
  explicit Questions(SharedMap map) : map_(std::move(map)) {}

  Result<void> add(std::string_view text) {
    const auto offset = parse_offset(text);
    if (!offset) {
      return Error{Fault::malformed, "'" + std::string(text) + "' is no offset: hex digits wanted"};
    }
    texts_.emplace_back(base::trim(text));
    places_.push_back({0, base::Rva{*offset}});
    return {};
  }

  // Answers what was added since the last time.
  std::string answer(symbolicate::Style style) {
    std::vector<std::string> answers(places_.size());
    symbolicate::find_all({&map_, 1}, places_, [&](std::size_t i, const symbols::Hit* hit) {
      symbolicate::append_frames(answers[i], places_[i].rva, hit, style);
    });
    std::string out;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      out += texts_[i];
      out += '\n';
      out += answers[i];
      if (style == symbolicate::Style::kTabs) out += '\n';
    }
    clear();
    return out;
  }

  // One object for each offset, a line each.
  std::string answer_json() {
    std::vector<std::string> answers(places_.size());
    symbolicate::find_all({&map_, 1}, places_, [&](std::size_t i, const symbols::Hit* hit) {
      base::JsonWriter json;
      json.begin_object().key("offset").string(texts_[i]).key("frames");
      symbolicate::write_frames(json, places_[i].rva, hit);
      json.end_object();
      answers[i] = json.take() + "\n";
    });
    std::string out;
    for (const std::string& answer : answers) out += answer;
    clear();
    return out;
  }

 private:
  void clear() {
    texts_.clear();
    places_.clear();
  }

  SharedMap map_;
  std::vector<std::string> texts_;
  std::vector<symbolicate::Place> places_;
};

// Offsets from standard input, one a line. What has arrived is answered at once, so a program at
// the other end may wait for each answer.
Result<void> answer_stdin(Questions& questions, bool json) {
  std::string text;
  std::vector<char> buffer(kReadSize);
  while (true) {
    const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::error_from_errno(errno, "read", "standard input");
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (got == 0 && !text.empty()) text += '\n';
    std::size_t from = 0;
    for (std::size_t end; (end = text.find('\n', from)) != std::string::npos; from = end + 1) {
      const std::string_view line = base::trim(std::string_view(text).substr(from, end - from));
      if (!line.empty()) TRY(questions.add(line));
    }
    text.erase(0, from);
    TRY(print(json ? questions.answer_json() : questions.answer(symbolicate::Style::kTabs)));
    if (got == 0) return {};
  }
}

Result<void> run(const Arguments& arguments) {
  auto symbols = TRY(find_symbols(arguments));
  Questions questions(std::move(symbols));
  if (arguments.offsets.size() == 1 && arguments.offsets[0] == "-") {
    return answer_stdin(questions, arguments.json);
  }
  for (const std::string& offset : arguments.offsets) TRY(questions.add(offset));
  return print(arguments.json ? questions.answer_json()
                              : questions.answer(symbolicate::Style::kHuman));
}

// The first word names the module unless it is an offset itself.
bool split_words(Arguments& arguments) {
  auto word = arguments.words.begin();
  if (word != arguments.words.end() && word->find('/') != std::string::npos) {
    arguments.module = *word++;
  }
  arguments.offsets.assign(word, arguments.words.end());
  return !arguments.offsets.empty();
}

}  // namespace

int run_symbolicate(int argc, char** argv) {
  Arguments arguments;
  Options options(argv[0], "Offsets in a module to functions, files and lines, innermost first.");
  options.positionals("[MODULE/ID] OFFSET", arguments.words,
                      "the module, not needed if the symbols are one file; then hex offsets from "
                      "its base, or - to read them from standard input. Without any: standard "
                      "input has a symbolication server's question, as v4 or v5 has it",
                      false);
  options.list(
      "--symbols", arguments.symbols,
      "a symbol index, a .sym file, a tree of NAME/ID/NAME.sym, or for a server's question "
      "also the URL of a symbol server; may be repeated");
  options.text("--save-index", arguments.save_index,
               "write the index made from a .sym to this file: the next run starts at once");
  options.flag("--json", arguments.json, "one JSON object a line");
  options.text("-e,--exe", arguments.file.file,
               "addresses in this file instead, answered as addr2line does; -f, -i and -a are its");
  options.flag("-f,--functions", arguments.file.functions, "with -e: functions, too");
  options.flag("-i,--inlines", arguments.file.inlines, "with -e: the frames around inlined ones");
  options.flag("-a,--addresses", arguments.file.addresses_too, "with -e: the address first");
  options.footer(
      "Examples:\n"
      "  faultline symbolicate --symbols symbols/ app/44E4EC8C2F41492B9369D6B9A059577C2 1a2b 1a40\n"
      "  nm-like-tool | faultline symbolicate --symbols app.sym -\n"
      "  faultline symbolicate --symbols symbols/ < question.json\n"
      "  faultline symbolicate -e app -fi 401a2b");
  if (const auto code = options.parse(argc, argv)) return *code;
  if (!arguments.file.file.empty()) {
    arguments.file.addresses = arguments.words;
    const auto done = answer_as_addr2line(arguments.file);
    return done.ok() ? kDone : fail(done.error().what);
  }
  if (arguments.symbols.empty()) {
    fail("where are the symbols? give --symbols FILE or --symbols DIR");
    return kBadUsage;
  }
  if (arguments.words.empty() && ::isatty(STDIN_FILENO) == 0) {
    const auto done = answer_question(arguments.symbols);
    return done.ok() ? kDone : fail(done.error().what);
  }
  if (!split_words(arguments)) {
    fail("no offsets: give hex numbers, or - to read them from standard input");
    return kBadUsage;
  }
  const auto done = run(arguments);
  return done.ok() ? kDone : fail(done.error().what);
}

}  // namespace cli
