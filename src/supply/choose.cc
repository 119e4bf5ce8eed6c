#include "supply/choose.h"

#include <algorithm>

#include "base/sha256.h"
#include "base/text.h"

namespace supply {

using base::Error;
using base::Fault;
using ident::Artifact;
using ident::KeyKind;
using store::FileRecord;
using store::Found;

namespace {

// Raised when the makers change what they make: old files are then left alone and made anew.
constexpr std::string_view kMakersVersion = "1";

bool is_sym(const FileRecord& file) { return file.format == "breakpad_sym"; }
bool is_native(const FileRecord& file) { return file.format == "elf"; }

template <class Accept>
const FileRecord* find_first(const std::vector<std::vector<Found>>& found, Accept accept) {
  for (const std::vector<Found>& rows : found) {
    for (const Found& row : rows) {
      if (accept(row)) return &row.file;
    }
  }
  return nullptr;
}

Sources sources_of(const std::vector<Found>& files) {
  Sources sources;
  for (const Found& row : files) {  // the fullest first
    const FileRecord& file = row.file;
    if (is_sym(file) && !sources.sym) sources.sym = file;
    if (!is_native(file)) continue;
    if (file.has_code && !sources.image) sources.image = file;
    if ((file.has_debug || file.has_symbols) && !sources.debug) sources.debug = file;
  }
  // A stripped image has nothing that a .sym with functions lacks, but for unwind rules, which
  // it has too.
  const bool native_says_more = sources.debug && sources.debug->has_debug;
  if (sources.sym && sources.sym->has_debug && !native_says_more) {
    sources.image.reset();
    sources.debug.reset();
  } else if (sources.image || sources.debug) {
    sources.sym.reset();
  }
  return sources;
}

Choice choose_sym(const ident::SymbolRequest& request, const std::vector<std::vector<Found>>& found,
                  const Sources& sources) {
  // What somebody uploaded as .sym is served as it is; a foreign file under the path only when
  // there is nothing better.
  if (const FileRecord* file = find_first(
          found, [](const Found& row) { return row.key.verified && is_sym(row.file); })) {
    return Serve{*file};
  }
  if (sources.image || sources.debug) return Make{Artifact::sym, sources};
  if (const FileRecord* file =
          find_first(found, [](const Found& row) { return row.key.key.kind == KeyKind::path; })) {
    return Serve{*file};
  }
  return nobody_has(request);
}

bool fits(Artifact artifact, const Found& row) {
  const FileRecord& file = row.file;
  switch (artifact) {
    case Artifact::debuginfo:
      return !is_sym(file) && (file.has_debug || file.has_symbols);
    case Artifact::executable:
      return !is_sym(file) && file.has_code;
    case Artifact::stored:
      // By its id the file itself is meant, not what was made from it elsewhere. A PE image
      // shares the debug id of its PDB, but is not what one asks for by that.
      if (row.key.key.kind == KeyKind::path) return true;
      return !is_sym(file) && !(file.format == "pe" && row.key.key.kind == KeyKind::debug_id);
    case Artifact::sym:
    case Artifact::index:
      return false;
  }
  return false;
}

}  // namespace

std::string Sources::fingerprint() const {
  std::string text(kMakersVersion);
  for (const auto* file : {&image, &debug, &sym}) {
    text.append("|").append(*file ? (*file)->sha256.hex() : "");
  }
  text.append("|").append(module_name());
  return base::sha256_of(base::bytes_of(text)).hex().substr(0, 40);
}

std::string Sources::module_name() const {
  if (image) return image->name;
  if (sym) return sym->name;
  if (!debug) return "";
  // "libfoo.so.debug" is how a separate file is called, not the module.
  std::string_view name = debug->name;
  for (const std::string_view suffix : {".debug", ".dbg"}) {
    if (name.size() > suffix.size() && name.ends_with(suffix)) name.remove_suffix(suffix.size());
  }
  return std::string(name);
}

Error nobody_has(const ident::SymbolRequest& request) {
  std::string what = "nobody has uploaded ";
  what += ident::name_of(request.artifact);
  for (const ident::SymbolKey& key : request.keys) {
    if (key.kind == KeyKind::path && request.keys.size() > 1) continue;
    what.append(" ").append(ident::name_of(key.kind)).append(" ").append(key.id);
    break;
  }
  return {Fault::not_found, std::move(what)};
}

bool wants_derived(Artifact artifact) {
  return artifact == Artifact::sym || artifact == Artifact::index;
}

std::string module_of(const std::vector<std::vector<Found>>& found) {
  const FileRecord* file = find_first(
      found, [](const Found& row) { return row.key.verified && !row.file.debug_id.empty(); });
  return file == nullptr ? "" : file->debug_id;
}

Choice choose(const ident::SymbolRequest& request, const std::vector<std::vector<Found>>& found,
              const std::vector<Found>& module_files) {
  const Sources sources = sources_of(module_files);
  if (request.artifact == Artifact::sym) return choose_sym(request, found, sources);
  if (request.artifact == Artifact::index) {
    if (sources.image || sources.debug || sources.sym) return Make{Artifact::index, sources};
    return nobody_has(request);
  }
  if (const FileRecord* file =
          find_first(found, [&](const Found& row) { return fits(request.artifact, row); })) {
    return Serve{*file};
  }
  return nobody_has(request);
}

}  // namespace supply
