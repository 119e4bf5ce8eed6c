// Under which key of a symbol store a file belongs, by its bytes: the name's directory, the id's,
// and how much the file says. PDB and PE as symstore.exe writes them (ages without leading zeros
// in lower case, PE's size in lower case too); others as SSQP names them.
// Pure function; any thread. Finds nothing for files that have no id, and for Breakpad's .sym,
// which has the directory of its module and would lie beside the module's own file.
// Format: docs/formats/symstore.md
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "extract/identify.h"
#include "symstore/admin_files.h"

namespace symstore {

struct Indexed {
  std::string name;  // of the directory and of the file: "foo.pdb"
  std::string id;    // "F6301B4562FE4B4DB691192733ECE6B71"
  Form form = Form::binary;
};

std::optional<Indexed> index_of(const extract::Identity& identity, const std::string& file_name);

}  // namespace symstore
