#include "cli/store_arguments.h"

#include <fmt/core.h>

#include <array>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "cli/options.h"

namespace cli {
namespace {

constexpr std::array<std::string_view, 6> kVerbs{"add",     "del",    "query",
                                                 "history", "import", "export"};

constexpr const char* kHelp =
    R"(Symbol stores: transactions of symbol files, on disk as Microsoft's symstore keeps them, or
in a server.

Usage: {0} add    --store STORE --product P [--version V] [--comment C] PATH…
       {0} del    --store STORE --id ID
       {0} query  --store STORE [PATH…]
       {0} history --store STORE
       {0} import --store SERVER TREE
       {0} export --store SERVER TREE
or with Microsoft's flags: add /r /f PATH /s STORE /t P [/v V] [/c C] [/compress] [/3] [/p [/-:MSG M]]
       [/g SHARE] [/x INDEX [/a]] [/y INDEX [/yi]];  del /i ID /s STORE;  query /r /f PATH /s STORE

STORE is a symbol store tree, a data directory of ours, or http://HOST:PORT. `{0} VERB --help`
explains one.
)";

bool looks_like_microsofts(int argc, char** argv) {
  for (int i = 2; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.size() == 2 && word[0] == '/' &&
        std::string_view("fsirxyFSIRXY").find(word[1]) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

struct ValueFlag {
  std::string_view name;
  std::string StoreArguments::* value;
};
constexpr std::array kValueFlags{
    ValueFlag{"s", &StoreArguments::store},     ValueFlag{"t", &StoreArguments::product},
    ValueFlag{"v", &StoreArguments::version},   ValueFlag{"c", &StoreArguments::comment},
    ValueFlag{"i", &StoreArguments::id},        ValueFlag{"g", &StoreArguments::share},
    ValueFlag{"x", &StoreArguments::index_out}, ValueFlag{"y", &StoreArguments::index_in},
    ValueFlag{"yi", &StoreArguments::index_in}, ValueFlag{"-:msg", &StoreArguments::message}};

struct PlainFlag {
  std::string_view name;
  bool StoreArguments::* value;
};
constexpr std::array kPlainFlags{
    PlainFlag{"r", &StoreArguments::recursive}, PlainFlag{"p", &StoreArguments::pointer},
    PlainFlag{"3", &StoreArguments::two_tiers}, PlainFlag{"compress", &StoreArguments::compress},
    PlainFlag{"a", &StoreArguments::append}};
// Taken and without meaning here: chatter, log files, checks of symstore.exe's own.
constexpr std::array<std::string_view, 4> kIgnoredPlain{"o", "l", "q", ":norefs"};
constexpr std::array<std::string_view, 4> kIgnoredValue{"d", "h", "m", "z"};

template <class List, class Name>
bool contains(const List& list, const Name& name) {
  for (const auto& item : list) {
    if (item == name) return true;
  }
  return false;
}

int bad_usage(const std::string& text) {
  fail(text);
  return kBadUsage;
}

std::optional<int> parse_microsofts(int argc, char** argv, StoreArguments& arguments) {
  arguments.microsoft = true;
  for (int i = 2; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.size() < 2 || (word[0] != '/' && word[0] != '-')) {
      return bad_usage(std::string(word) + ": expected one of symstore's flags");
    }
    const std::string name = base::lower_ascii(word.substr(1));
    bool known = contains(kIgnoredPlain, name);
    for (const PlainFlag& flag : kPlainFlags) {
      if (flag.name != name) continue;
      arguments.*flag.value = true;
      known = true;
    }
    if (known) continue;
    if (i + 1 == argc) return bad_usage(std::string(word) + ": its value is missing");
    const char* value = argv[i + 1];
    for (const ValueFlag& flag : kValueFlags) {
      if (flag.name != name) continue;
      arguments.*flag.value = value;
      known = true;
    }
    if (name == "f") arguments.files.emplace_back(value);
    if (name == "yi") arguments.append_id = true;
    if (!known && name != "f" && !contains(kIgnoredValue, name)) {
      return bad_usage(std::string(word) + ": symstore has no such flag");
    }
    ++i;
  }
  return std::nullopt;
}

void declare_common(Options& options, StoreArguments& arguments) {
  options.text("-s,--store", arguments.store, "symbol store tree, data directory or http://…");
  options.text("--token", arguments.token, "for a server (or FAULTLINE_TOKEN)");
  options.flag("--json", arguments.json, "print JSON");
}

std::optional<int> parse_ours(int argc, char** argv, StoreArguments& arguments) {
  std::string shown = std::string(argv[0]) + " " + arguments.verb;
  argv[1] = shown.data();
  const std::string& verb = arguments.verb;
  Options options(shown, verb == "add"     ? "Adds files as one transaction."
                         : verb == "del"   ? "Deletes a transaction; files that no other holds go."
                         : verb == "query" ? "Transactions, or who holds the files given."
                         : verb == "history" ? "All transactions that ever were, deletions too."
                         : verb == "import"  ? "Brings a symbol store tree into a server."
                                             : "Writes a server's transactions as a tree.");
  declare_common(options, arguments);
  if (verb == "add") {
    options.text("-t,--product", arguments.product, "name of the product");
    options.text("-v,--version", arguments.version, "its version");
    options.text("-c,--comment", arguments.comment, "a comment");
    options.flag("-p,--pointer", arguments.pointer, "store where the files are, not the files");
    options.text("--message", arguments.message, "with --pointer: a message instead of a place");
    options.flag("--compress", arguments.compress, "keep files in cabinets (foo.pd_)");
    options.flag("-3,--two-tier", arguments.two_tiers, "a new tree has two tiers");
    arguments.recursive = true;
    options.positionals("PATH", arguments.files, "files and directories");
  } else if (verb == "del") {
    options.text("-i,--id", arguments.id, "the transaction");
  } else if (verb == "query") {
    arguments.recursive = true;
    options.positionals("PATH", arguments.files, "files and directories", false);
  } else if (verb != "history") {
    options.positional("TREE", arguments.tree, "the symbol store tree");
    if (verb == "export") {
      options.flag("--compress", arguments.compress, "keep files in cabinets");
      options.flag("-3,--two-tier", arguments.two_tiers, "a new tree has two tiers");
      options.flag("--all", arguments.all, "files that came otherwise, too, as one transaction");
    } else {
      options.list("--pointers-beneath", arguments.pointer_directories,
                   "file.ptr may lead into this directory, too");
      options.list("--share", arguments.shares, "\\\\server\\share=DIRECTORY: where it is mounted");
    }
  }
  return options.parse(argc - 1, argv + 1);
}

}  // namespace

std::optional<int> parse_store_arguments(int argc, char** argv, StoreArguments& arguments) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "--help" || verb == "-h" || verb == "/?") {
    fmt::print(kHelp, argv[0]);
    return kDone;
  }
  arguments.verb = base::lower_ascii(verb);
  if (!contains(kVerbs, arguments.verb)) {
    fmt::print(stderr, kHelp, argv[0]);
    return kBadUsage;
  }
  const auto code = looks_like_microsofts(argc, argv) ? parse_microsofts(argc, argv, arguments)
                                                      : parse_ours(argc, argv, arguments);
  if (code) return code;
  const bool only_index = arguments.verb == "add" && !arguments.index_out.empty();
  if (arguments.store.empty() && !only_index)
    return bad_usage("the store is missing (--store, /s)");
  if (arguments.verb == "add" && arguments.product.empty() && !only_index) {
    return bad_usage("the product's name is missing (--product, /t)");
  }
  if (arguments.verb == "add" && arguments.files.empty() && arguments.index_in.empty()) {
    return bad_usage("the files are missing (/f)");
  }
  if (arguments.verb == "del" && arguments.id.empty()) {
    return bad_usage("the transaction is missing (--id, /i)");
  }
  const char* token = std::getenv("FAULTLINE_TOKEN");
  if (arguments.token.empty() && token != nullptr) arguments.token = token;
  return std::nullopt;
}

}  // namespace cli
