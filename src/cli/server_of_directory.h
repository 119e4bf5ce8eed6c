// The server that holds a data directory, as a command on the same machine reaches it.
// Not whether it answers: who asks it hears that.
// One thread. Reads the lock file alone.
// Format: docs/formats/data-directory.md
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cli {

// "127.0.0.1:7070 (process 4711)" → "http://127.0.0.1:7070"; "" when that text, of a lock file,
// names no server. One that listens on every address is asked on loopback: to it we are local.
std::string url_of_holder(std::string_view holder);

// Where to ask instead of opening the directory, which `refused`: that very error when it was not
// because a server has it.
base::Result<std::string> url_of_server(const std::string& data_directory, base::Error refused);

}  // namespace cli
