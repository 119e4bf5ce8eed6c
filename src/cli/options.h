// Command-line options of one sub-command: declared once, parsed, explained by --help.
// A thin face before CLI11, which only options.cc includes.
// The variables bound by flag(), text() … belong to the caller and must outlive parse().
// One thread. parse() prints help to stdout and errors to stderr itself and says with which
// code to exit: 0 after help, 2 after bad usage; nothing means go on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kBadUsage = 2;

class Options {
 public:
  // `name` as the user typed it: "faultline dump-syms".
  Options(const std::string& name, const std::string& description);
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  // Names as in "-o,--output". A flag may have a negative: "--inlines,!--no-inlines".
  void flag(const std::string& names, bool& value, const std::string& help);
  void text(const std::string& names, std::string& value, const std::string& help);
  void number(const std::string& names, std::uint64_t& value, const std::string& help);
  void list(const std::string& names, std::vector<std::string>& values, const std::string& help);
  void choice(const std::string& names, std::string& value, const std::vector<std::string>& allowed,
              const std::string& help);
  // Positional arguments, in order of declaration.
  void positional(const std::string& name, std::string& value, const std::string& help,
                  bool required = true);
  void positionals(const std::string& name, std::vector<std::string>& values,
                   const std::string& help, bool required = true);
  void footer(const std::string& text);   // examples, after the list of options
  void version(const std::string& text);  // what -V and --version print
  // True when the user gave this option (after parse()).
  bool given(const std::string& name) const;

  std::optional<int> parse(int argc, char** argv);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// "faultline: error: TEXT" on stderr, one line; returns kFailed, so that callers can `return` it.
int fail(std::string_view text);

}  // namespace cli
