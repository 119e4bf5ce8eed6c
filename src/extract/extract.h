// The files of one module → its symbols: what dump-syms and the symbol server run.
// A stripped image and its separate debug file are one module: code, unwind tables and PLT come
// from the image; DWARF and the symbol table from the debug file. Either may be missing.
// Not for identity alone (identify.h), and opens no file: the caller maps them.
// The Model owns its strings, so the files may go afterwards.
// extract() fails with malformed or unsupported when no file can be read at all; a damaged unit
// or table is left out and stands in the report, unless `strict`. Output does not depend on
// `threads`.
// Formats: docs/formats/elf-dwarf.md
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "symbols/model.h"

namespace extract {

struct Module {
  base::Bytes image;  // the executable or library, stripped or not
  base::Bytes debug;  // its separate debug file; may be empty
  std::string name;   // for the MODULE record: file name without directory
};

struct Options {
  unsigned threads = 1;
  bool functions = true;  // FUNC, lines, PUBLIC
  bool inlines = true;
  bool cfi = true;
  bool strict = false;  // what would be left out is an error
};

struct Skipped {
  std::string section;
  std::uint64_t offset = 0;
  std::string what;
};

struct Report {
  std::vector<Skipped> skipped;
  std::uint64_t units = 0;
  std::uint64_t units_read = 0;
  std::vector<std::string> missing;  // files that would say more: "x.dwo", a dwz file

  std::string json(const symbols::Model& model) const;
};

struct Extracted {
  symbols::Model model;
  Report report;
};

base::Result<Extracted> extract(const Module& module, const Options& options);

}  // namespace extract
