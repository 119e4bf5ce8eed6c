// The `logging` object of a Python program's configuration, as logging.config.dictConfig takes it,
// as settings: levels, the console, and the first file that lines go to.
// Others of its handlers get no lines from us, which is a warning.
// Fails with malformed (a value of another kind).
// Format: docs/pysymproxy.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/foreign_reader.h"

namespace server {

base::Result<void> read_logging(const Placed& logging, const std::string& directory,
                                ForeignReader& reader);

// Python's number of a level's name, in any case; nothing for what is no name.
std::optional<std::uint64_t> find_python_level(std::string_view name);
// Ours for the highest of Python's that is not above the number.
std::string_view name_of_python_level(std::uint64_t number);

}  // namespace server
