#include "cli/options.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <iostream>

namespace cli {

struct Options::State {
  CLI::App app;
  explicit State(const std::string& description) : app(description) {}
};

Options::Options(const std::string& name, const std::string& description)
    : state_(std::make_unique<State>(description)) {
  state_->app.name(name);
  state_->app.option_defaults()->always_capture_default(false);
}

Options::~Options() = default;

void Options::flag(const std::string& names, bool& value, const std::string& help) {
  state_->app.add_flag(names, value, help);
}

void Options::text(const std::string& names, std::string& value, const std::string& help) {
  state_->app.add_option(names, value, help);
}

void Options::number(const std::string& names, std::uint64_t& value, const std::string& help) {
  state_->app.add_option(names, value, help);
}

void Options::list(const std::string& names, std::vector<std::string>& values,
                   const std::string& help) {
  state_->app.add_option(names, values, help)->expected(1)->take_all()->allow_extra_args(false);
}

void Options::choice(const std::string& names, std::string& value,
                     const std::vector<std::string>& allowed, const std::string& help) {
  state_->app.add_option(names, value, help)->check(CLI::IsMember(allowed));
}

void Options::positional(const std::string& name, std::string& value, const std::string& help,
                         bool required) {
  state_->app.add_option(name, value, help)->required(required);
}

void Options::positionals(const std::string& name, std::vector<std::string>& values,
                          const std::string& help, bool required) {
  state_->app.add_option(name, values, help)->required(required);
}

void Options::footer(const std::string& text) { state_->app.footer(text); }

void Options::version(const std::string& text) {
  state_->app.set_version_flag("-V,--version", text);
}

bool Options::given(const std::string& name) const { return state_->app.count(name) > 0; }

std::optional<int> Options::parse(int argc, char** argv) {
  try {
    state_->app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    state_->app.exit(asked, std::cout, std::cerr);
    return kDone;
  } catch (const CLI::Error& error) {
    std::cerr << state_->app.get_name() << ": " << error.what() << " (try --help)\n";
    return kBadUsage;
  }
  return std::nullopt;
}

int fail(std::string_view text) {
  std::fprintf(stderr, "faultline: error: %.*s\n", static_cast<int>(text.size()), text.data());
  return kFailed;
}

}  // namespace cli
