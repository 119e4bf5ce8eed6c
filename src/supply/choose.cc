#include "supply/choose.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/sha256.h"
#include "base/text.h"
#include "ident/beside.h"

namespace supply {

using base::Error;
using base::Fault;
using ident::Artifact;
using ident::KeyKind;
using store::FileRecord;
using store::Found;

namespace {

// Raised when the makers change what they make: old files are then left alone and made anew.
constexpr std::string_view kMakersVersion = "4";
constexpr std::string_view kNobodyHas = "nobody has uploaded ";
constexpr std::string_view kNobodyAnswers =
    "an upstream server that may have it has not answered for a while, and is left alone";

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

using Rows = std::vector<std::vector<Found>>;

bool is_path(const Found& row) { return row.key.key.kind == KeyKind::path; }

// A code id or build id names a .sym's module, but is not what the .sym is called by.
bool is_other_name(const Found& row) {
  return row.key.key.kind == KeyKind::code_id || row.key.key.kind == KeyKind::build_id;
}

Choice choose_sym(const ident::SymbolRequest& request, const Rows& found, const Sources& sources) {
  // What somebody uploaded as .sym is served as it is, unless it has no functions and another one
  // or the module's own debug information has; a foreign file under the path only when there is
  // nothing better.
  const auto is_uploaded = [](const Found& row) {
    return row.key.verified && is_sym(row.file) && !is_other_name(row);
  };
  const auto has_functions = [&](const Found& row) {
    return is_uploaded(row) && row.file.has_debug;
  };
  const FileRecord* sym =
      find_first(found, [&](const Found& row) { return has_functions(row) && !row.key.is_try; });
  if (sym == nullptr) sym = find_first(found, has_functions);
  if (sym != nullptr) return Serve{*sym};
  sym = find_first(found, is_uploaded);
  if (sym != nullptr && sources.debug && sources.debug->has_debug) {
    return Make{Artifact::sym, sources, *sym};
  }
  if (sym != nullptr) return Serve{*sym};
  const FileRecord* file = find_first(found, is_path);
  const bool by_its_name = file != nullptr || find_first(found, [](const Found& row) {
                                                return !is_other_name(row) && row.key.verified;
                                              }) != nullptr;
  const FileRecord* other = find_first(found, [](const Found& row) {
    return is_other_name(row) && is_sym(row.file) && !row.file.debug_id.empty();
  });
  if (other == nullptr) {
    other = find_first(
        found, [](const Found& row) { return is_other_name(row) && !row.file.debug_id.empty(); });
  }
  if (!by_its_name && other != nullptr) return Move{*other};
  if (sources.image || sources.debug) return Make{Artifact::sym, sources, {}};
  if (file != nullptr) return Serve{*file};
  return nobody_has(request);
}

// Whether a text is of another module than the request names, which may name none.
bool is_of_another(const Found& row, const ident::SymbolRequest& request) {
  if (!is_sym(row.file) || request.keys.empty() || request.keys.front().name.empty()) return false;
  return row.key.key.name != request.keys.front().name;
}

// A module is known by its debug id. A text says its module's name, too, which must be the one
// asked for; a native file may be called anything. A text whose id is none is known by the path
// that it was sent to.
Choice choose_index(const ident::SymbolRequest& request, const Rows& found,
                    std::vector<Found> module_files) {
  std::erase_if(module_files, [&](const Found& row) { return is_of_another(row, request); });
  Sources sources = sources_of(module_files);
  if (sources.image || sources.debug || sources.sym) {
    return Make{Artifact::index, std::move(sources), {}};
  }
  const FileRecord* sym = find_first(found, [](const Found& row) {
    return is_path(row) && is_sym(row.file) && row.file.debug_id.empty();
  });
  if (sym == nullptr) return nobody_has(request);
  sources.sym = *sym;
  return Make{Artifact::index, std::move(sources), {}};
}

bool ends_in(std::string_view name, std::string_view end) { return name.ends_with(end); }

// Files of units that skeletons elsewhere refer to: no debug file by themselves.
bool holds_split_units(const FileRecord& file) {
  return file.format == "dwp" || file.format == "dwo";
}

// A PE file and its PDB share one debug id: the name says which of them is meant.
bool fits_name(const FileRecord& file, std::string_view name) {
  if (name.empty()) return true;
  const bool wants_pdb = ends_in(name, ".pdb");
  if (file.format == "pe") return !wants_pdb;
  if (file.format == "msfz") return false;  // only who asks for that container can read it
  if (file.format == "pdb" || file.format == "portable_pdb") return wants_pdb;
  return true;
}

// Who asks for a .pdb wants the plain container.
bool is_packed_pdb(const FileRecord& file, std::string_view name) {
  return file.format == "msfz" && ends_in(name, ".pdb");
}

bool fits(const ident::SymbolRequest& request, const Found& row) {
  const FileRecord& file = row.file;
  if (is_sym(file) && !is_path(row)) return false;
  switch (request.artifact) {
    case Artifact::debuginfo:
      if (!request.detail.empty() && file.format != request.detail) return false;
      return (file.has_debug || file.has_symbols) && !holds_split_units(file);
    case Artifact::executable:
      if (!request.detail.empty() && file.format != request.detail) return false;
      return file.has_code;
    case Artifact::dwp:
    case Artifact::dwo:
      return file.format == ident::name_of(request.artifact);
    case Artifact::msfz:
      return file.format == "msfz" || is_path(row);
    case Artifact::formatted:
      return file.format == request.detail || is_path(row) ||
             (request.detail == "pdb" && file.format == "portable_pdb");
    case Artifact::stored:
    case Artifact::cabinet:
      if (is_packed_pdb(file, row.key.key.name)) return false;
      // A PE image shares the debug id of its PDB, but is not what one asks for by that.
      if (is_path(row)) return true;
      return fits_name(file, row.key.key.name) &&
             !(file.format == "pe" && row.key.key.kind == KeyKind::debug_id);
    case Artifact::sym:
    case Artifact::index:
    case Artifact::section:
    case Artifact::package_or_debuginfo:
    case Artifact::skeleton_or_executable:
      return false;
  }
  return false;
}

// Whether these are the bytes that were compiled with the module: only portable PDBs have a
// checksum that says so.
bool has_content(const Rows& found, const FileRecord& file) {
  if (file.format != "portable_pdb") return true;
  return find_first(found, [&](const Found& row) {
           return row.key.key.kind == KeyKind::checksum && row.file.sha256 == file.sha256;
         }) != nullptr;
}

// The order of choose.h's head.
enum Rank : std::uint8_t { kVerifiedPath, kNamed, kBearsId, kWithoutCode, kUnverifiedPath, kNone };

// SSQP's keys of ELF and Mach-O modules mean the file that runs; for the debug file they have
// others.
bool wants_code(const ident::SymbolRequest& request) {
  if (request.artifact != Artifact::stored || request.keys.empty()) return false;
  const ident::SymbolKey& path = request.keys.front();
  return path.kind == KeyKind::path &&
         (path.id.starts_with("elf-buildid-") || path.id.starts_with("mach-uuid-"));
}

// Where a row for request.keys[i] stands in it; kNone when it is no answer.
Rank rank_of(const ident::SymbolRequest& request, const Rows& found, std::size_t i,
             const Found& row) {
  if (request.checks_content && !has_content(found, row.file)) return kNone;
  const std::string& name = request.keys[i].name;
  Rank rank = kBearsId;
  if (is_path(row)) {
    rank = row.key.verified ? kVerifiedPath : kUnverifiedPath;
  } else if (wants_code(request) && !row.file.has_code) {
    rank = kWithoutCode;
  } else if (row.key.key.name == name) {
    rank = kNamed;
  }
  // Bytes that nobody can read say nothing of what they hold.
  const bool unread = rank == kUnverifiedPath && !is_packed_pdb(row.file, row.key.key.name);
  // Who asks for a kind of file by an id that is the only one of its kind may call it anything.
  const bool by_name = request.artifact == Artifact::stored ||
                       request.artifact == Artifact::cabinet || request.artifact == Artifact::sym;
  const bool name_fits = is_path(row) || !by_name || fits_name(row.file, name);
  return unread || (fits(request, row) && name_fits) ? rank : kNone;
}

template <class Visit>
void for_answers(const ident::SymbolRequest& request, const Rows& found, Visit visit) {
  for (std::size_t i = 0; i < std::min(found.size(), request.keys.size()); ++i) {
    if (request.checks_content && request.keys[i].kind == KeyKind::checksum) continue;
    for (const Found& row : found[i]) {
      const Rank rank = rank_of(request, found, i, row);
      if (rank != kNone) visit(row, rank, request.keys[i].name);
    }
  }
}

// Whether `other` is the same file of the same module, before somebody stripped it: it has all
// that `file` has. A separate debug file has no code, so it never stands for an image, nor does a
// fat file for one of its slices.
bool is_same_unstripped(const Found& other, const Found& one) {
  const FileRecord& fuller = other.file;
  const FileRecord& file = one.file;
  const bool same_code =
      fuller.code_id.empty() || file.code_id.empty() || fuller.code_id == file.code_id;
  return other.key.verified && other.key.is_try <= one.key.is_try && fuller.format == file.format &&
         fuller.arch == file.arch && fuller.debug_id == file.debug_id && same_code &&
         fuller.has_code >= file.has_code && store::is_fuller(fuller, file);
}

// Under /try/ a regular file by the right name serves before one of a try build, whichever of them
// has the very path.
auto place_of(const Found& row, Rank rank) {
  return std::tuple(std::max(rank, kNamed), row.key.is_try, rank);
}

const Found* find_file(const ident::SymbolRequest& request, const Rows& found) {
  const Found* best = nullptr;
  Rank best_rank = kNone;
  for_answers(request, found, [&](const Found& row, Rank rank, std::string_view) {
    if (best != nullptr && place_of(row, rank) >= place_of(*best, best_rank)) return;
    best = &row;
    best_rank = rank;
  });
  // Bytes that do not say the path's id are no stripped module: nothing is fuller than they.
  if (best == nullptr || best_rank == kUnverifiedPath) return best;
  for_answers(request, found, [&](const Found& row, Rank rank, std::string_view name) {
    // Who keeps both calls them differently and asks for each by its name, but "_.debug" is none.
    const bool is_asked_for = rank <= kNamed || name.starts_with("_.");
    if (is_asked_for && is_same_unstripped(row, *best)) best = &row;
  });
  return best;
}

bool has_other_content(const ident::SymbolRequest& request, const Rows& found) {
  ident::SymbolRequest unchecked = request;
  unchecked.checks_content = false;
  std::erase_if(unchecked.keys, [](const auto& key) { return key.kind == KeyKind::checksum; });
  return find_file(unchecked, found) != nullptr;
}

// A PDB that is here in its compressed container alone, for somebody who wants it plain.
const FileRecord* find_packed_pdb(const ident::SymbolRequest& request, const Rows& found) {
  const bool wants_pdb = request.artifact == Artifact::stored ||
                         (request.artifact == Artifact::formatted && request.detail == "pdb");
  if (!wants_pdb) return nullptr;
  return find_first(found, [](const Found& row) {
    return row.key.verified && row.file.format == "msfz" &&
           (is_path(row) || row.key.key.kind == KeyKind::debug_id);
  });
}

bool has_package(const Rows& found) {
  return find_first(found, [](const Found& row) {
           return row.key.verified && row.file.format == "dwp";
         }) != nullptr;
}

// LLDB takes the package from /debuginfo, and then the file whose skeletons name its units from
// /executable, even when that is an image or a debug file alone.
const FileRecord* find_for_lldb(const ident::SymbolRequest& request, const Rows& found) {
  ident::SymbolRequest plain = request;
  const bool wants_package = request.artifact == Artifact::package_or_debuginfo;
  if (has_package(found)) {
    if (!wants_package) {
      const FileRecord* whole = find_first(found, [](const Found& row) {
        return row.key.verified && row.file.has_code && row.file.has_debug;
      });
      if (whole != nullptr) return whole;
    }
    plain.artifact = wants_package ? Artifact::dwp : Artifact::debuginfo;
    if (const Found* row = find_file(plain, found)) return &row->file;
  }
  plain.artifact = wants_package ? Artifact::debuginfo : Artifact::executable;
  const Found* row = find_file(plain, found);
  return row == nullptr ? nullptr : &row->file;
}

// Sections come from the file with the debug information, else from that with the code.
Cut choose_section(const ident::SymbolRequest& request, const Rows& found) {
  Cut cut;
  for (const Artifact artifact : {Artifact::debuginfo, Artifact::executable}) {
    ident::SymbolRequest whole = request;
    whole.artifact = artifact;
    whole.detail = "elf";
    const Found* row = find_file(whole, found);
    if (row != nullptr) cut.files.push_back(row->file);
  }
  return cut;
}

Choice choose_cabinet(const ident::SymbolRequest& request, const Rows& found) {
  const Found* row = find_file(request, found);
  if (row == nullptr) return nobody_has(request);
  if (row->file.format == "cab" || row->key.key == request.keys.front()) return Serve{row->file};
  return Pack{row->file};
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
  std::string what(kNobodyHas);
  what += ident::name_of(request.artifact);
  for (const ident::SymbolKey& key : request.keys) {
    if (key.kind == KeyKind::path && request.keys.size() > 1) continue;
    what.append(" ").append(ident::name_of(key.kind)).append(" ").append(key.id);
    break;
  }
  return {Fault::not_found, std::move(what)};
}

bool says_nobody_has(const Error& miss) {
  return miss.fault == Fault::not_found && miss.what.starts_with(kNobodyHas);
}

Error nobody_answers() { return {Fault::unavailable, std::string(kNobodyAnswers)}; }

bool says_nobody_answers(const Error& miss) {
  return miss.fault == Fault::unavailable && miss.what == kNobodyAnswers;
}

std::vector<ident::SymbolKey> pointer_keys(const ident::SymbolRequest& request) {
  std::vector<ident::SymbolKey> keys;
  if (request.artifact != Artifact::stored) return keys;
  for (const ident::SymbolKey& key : request.keys) {
    const std::string name = key.name.substr(0, key.name.find('/'));
    if (key.kind != KeyKind::path || key.name != fmt::format("{0}/{0}", name)) continue;
    keys.push_back({KeyKind::path, fmt::format("{}/file.ptr", name), key.id});
  }
  return keys;
}

std::optional<Follow> find_pointer(const Rows& found) {
  for (const std::vector<Found>& rows : found) {
    for (const Found& row : rows) {
      const std::string& name = row.key.key.name;
      return Follow{row.file, name.substr(0, name.find('/')), row.key.key.id};
    }
  }
  return std::nullopt;
}

bool wants_derived(Artifact artifact) {
  return artifact == Artifact::sym || artifact == Artifact::index;
}

std::string module_of(const std::vector<std::vector<Found>>& found) {
  const FileRecord* file = find_first(
      found, [](const Found& row) { return row.key.verified && !row.file.debug_id.empty(); });
  return file == nullptr ? "" : file->debug_id;
}

namespace {

// A source bundle, say, bears the ids of its module, but answers only who asks for a source bundle,
// or for the very path that it was sent to.
bool is_beside(const Found& row) { return ident::is_beside_format(row.file.format); }

Rows without_files_beside(Rows found) {
  for (std::vector<Found>& rows : found) {
    std::erase_if(rows, [](const Found& row) { return is_beside(row) && !is_path(row); });
  }
  return found;
}

bool has_files_beside(const Rows& found) {
  return std::any_of(found.begin(), found.end(), [](const std::vector<Found>& rows) {
    return std::any_of(rows.begin(), rows.end(), is_beside);
  });
}

Choice choose_among(const ident::SymbolRequest& request, const Rows& found,
                    const std::vector<Found>& module_files) {
  const Sources sources = sources_of(module_files);
  switch (request.artifact) {
    case Artifact::sym:
      return choose_sym(request, found, sources);
    case Artifact::index:
      return choose_index(request, found, module_files);
    case Artifact::section: {
      Cut cut = choose_section(request, found);
      if (cut.files.empty()) return nobody_has(request);
      return cut;
    }
    case Artifact::cabinet:
      return choose_cabinet(request, found);
    case Artifact::package_or_debuginfo:
    case Artifact::skeleton_or_executable:
      if (const FileRecord* file = find_for_lldb(request, found)) {
        return Serve{*file, has_package(found)};
      }
      return nobody_has(request);
    case Artifact::debuginfo:
    case Artifact::executable:
      if (const Found* row = find_file(request, found)) return Serve{row->file, has_package(found)};
      return nobody_has(request);
    default:
      break;
  }
  if (const Found* row = find_file(request, found)) return Serve{row->file};
  if (const FileRecord* packed = find_packed_pdb(request, found)) return Unpack{*packed};
  if (request.checks_content && has_other_content(request, found)) {
    return Error{Fault::not_found,
                 "the portable PDB that is here has another content than SymbolChecksum asks for"};
  }
  return nobody_has(request);
}

}  // namespace

Choice choose(const ident::SymbolRequest& request, const Rows& found,
              const std::vector<Found>& module_files) {
  if (request.artifact == Artifact::formatted || !has_files_beside(found)) {
    return choose_among(request, found, module_files);
  }
  return choose_among(request, without_files_beside(found), module_files);
}

}  // namespace supply
