#include "server/foreign_logging.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "server/foreign_paths.h"

namespace server {

using base::Result;

namespace {

// Python's levels are numbers with names.
constexpr std::uint64_t kNotSet = 0;
struct Level {
  std::string_view name;
  std::uint64_t number;
  std::string_view ours;
};
constexpr std::array<Level, 8> kLevels{{{"NOTSET", 0, "debug"},
                                        {"DEBUG", 10, "debug"},
                                        {"INFO", 20, "info"},
                                        {"WARNING", 30, "warning"},
                                        {"WARN", 30, "warning"},
                                        {"ERROR", 40, "error"},
                                        {"CRITICAL", 50, "error"},
                                        {"FATAL", 50, "error"}}};

class Logging {
 public:
  Logging(const std::string& directory, ForeignReader& reader)
      : directory_(directory), reader_(reader) {}

  Result<void> read(const Placed& logging) {
    TRY(reader_.must_be_object(logging));
    const Placed handlers = logging.member("handlers");
    TRY(reader_.must_be_object(handlers));
    if (const auto* all = handlers.value.object()) {
      for (const auto& [name, handler] : *all) TRY(read_handler(handlers.member(name)));
    }
    const Placed root = logging.member("root");
    TRY(reader_.must_be_object(root));
    // A logger without a name is the root as well.
    const Placed unnamed = logging.member("loggers").member("");
    const Placed level = (root.is_absent() ? unnamed : root).member("level");
    const std::optional<std::uint64_t> number = TRY(level_at(level));
    if (number) {
      const std::uint64_t lowest = std::max(*number, of_handlers_.value_or(kNotSet));
      reader_.set("log_level", std::string(name_of_python_level(lowest)), level);
    }
    return {};
  }

 private:
  Result<void> read_handler(const Placed& handler) {
    TRY(reader_.must_be_object(handler));
    const Placed of = handler.member("class");
    const std::optional<std::string> kind = TRY(reader_.text(of));
    const bool is_rotating = kind == "logging.handlers.RotatingFileHandler";
    if (is_rotating || kind == "logging.FileHandler") {
      TRY(read_file_handler(handler, is_rotating));
    } else if (kind != "logging.StreamHandler") {
      reader_.warn(handler,
                   "gets no lines: handlers that we have are logging.StreamHandler, "
                   "logging.FileHandler and logging.handlers.RotatingFileHandler");
      return {};
    }
    const std::optional<std::uint64_t> given = TRY(level_at(handler.member("level")));
    const std::uint64_t level = given.value_or(kNotSet);
    of_handlers_ = std::min(of_handlers_.value_or(level), level);
    return {};
  }

  Result<void> read_file_handler(const Placed& handler, bool is_rotating) {
    const Placed name = handler.member("filename");
    TRY(reader_.require(name));
    const std::optional<std::string> path = TRY(reader_.text(name));
    if (has_file_) {
      reader_.warn(handler, "gets no lines: one file is written, that of the handler before");
      return {};
    }
    has_file_ = true;
    reader_.set("log_file", absolute_path(*path, directory_), name);
    if (!is_rotating) return {};
    TRY(set_number("log_file_size", handler.member("maxBytes")));
    return set_number("log_file_count", handler.member("backupCount"));
  }

  Result<void> set_number(std::string key, const Placed& from) {
    const std::optional<std::uint64_t> number = TRY(reader_.number(from));
    if (number) reader_.set(std::move(key), std::to_string(*number), from);
    return {};
  }

  // A name or a number.
  Result<std::optional<std::uint64_t>> level_at(const Placed& at) {
    if (at.value.string() == nullptr) return reader_.number(at);
    if (const auto number = find_python_level(*at.value.string())) return number;
    reader_.warn(at, "is no level; it is ignored");
    return std::optional<std::uint64_t>();
  }

  const std::string& directory_;
  ForeignReader& reader_;
  std::optional<std::uint64_t> of_handlers_;  // the lowest
  bool has_file_ = false;
};

}  // namespace

std::optional<std::uint64_t> find_python_level(std::string_view name) {
  for (const Level& level : kLevels) {
    if (base::equal_ignoring_case(level.name, name)) return level.number;
  }
  return std::nullopt;
}

std::string_view name_of_python_level(std::uint64_t number) {
  std::string_view name = "debug";
  for (const Level& level : kLevels) {
    if (level.number <= number) name = level.ours;
  }
  return name;
}

Result<void> read_logging(const Placed& logging, const std::string& directory,
                          ForeignReader& reader) {
  return Logging(directory, reader).read(logging);
}

}  // namespace server
