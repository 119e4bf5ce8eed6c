#include "cli/upload_search.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "extract/beside.h"
#include "formats/archive/archive_reader.h"
#include "formats/archive/cab.h"
#include "ident/beside.h"
#include "ingest/packed_files.h"
#include "ingest/uploaded_package.h"
#include "symstore/index_of.h"

namespace cli {

using base::Error;
using base::Fault;
using base::Result;
using extract::FileKind;

namespace {

// Object files and core dumps are ELF, but nobody asks a server for them.
std::string why_not_elf(const extract::Identity& identity, base::Bytes bytes) {
  constexpr std::uint8_t kRelocatable = 1;
  constexpr std::uint8_t kCore = 4;
  const bool big_endian = bytes.size() > 17 && bytes[5] == 2;
  const std::uint8_t type = bytes.size() > 17 ? bytes[big_endian ? 17 : 16] : 0;
  if (type == kCore) return "a core dump";
  if (type == kRelocatable && identity.build_id.empty()) return "an object file without build id";
  return "";
}

std::string why_not(const extract::Identity& identity, base::Bytes bytes) {
  switch (identity.kind) {
    case FileKind::elf:
    case FileKind::pe:
    case FileKind::pdb:
    case FileKind::portable_pdb:
    case FileKind::macho:
    case FileKind::wasm:
    case FileKind::breakpad_sym:
    case FileKind::perf_map:
    case FileKind::source_bundle:
      break;
    case FileKind::bcsymbolmap:
    case FileKind::uuid_map:
    case FileKind::il2cpp:
      if (!identity.debug_id.is_nil()) return "";
      return "its text does not say whose it is, and neither does its name (UUID.EXTENSION)";
    case FileKind::minidump:
      return "a crash dump: `faultline report send` takes those";
    case FileKind::unknown:
      return "not a debug file";
    default:
      return std::string(extract::name_of(identity.kind)) + " files are not sent";
  }
  if (!identity.dwo_ids.empty()) return "";  // split DWARF: found by its units' ids
  const bool has_own_id = !identity.old_id.empty() || !identity.uuid.empty();
  if (identity.debug_id.is_nil() && identity.code_id.empty() && !has_own_id) {
    return "has no id" + (identity.problem.empty() ? "" : ": " + identity.problem);
  }
  return identity.kind == FileKind::elf ? why_not_elf(identity, bytes) : "";
}

// Where the file goes: its debug id, or for a PE what debuggers ask for.
std::optional<ident::StorePath> path_for(const extract::Identity& identity,
                                         const std::string& file_name) {
  std::string name = file_name;
  std::string stored = file_name;
  std::string id = identity.debug_id.is_nil() ? "" : identity.debug_id.breakpad();
  if (identity.kind == FileKind::breakpad_sym) {
    if (!identity.name.empty()) name = identity.name;
    stored = ident::sym_file_name(name);
  } else if (identity.kind == FileKind::pe || identity.kind == FileKind::pdb) {
    if (const auto indexed = symstore::index_of(identity, file_name)) id = indexed->id;
  } else if (identity.kind == FileKind::perf_map) {
    id = "r2rmap-v1-" + identity.uuid;
  } else if (identity.kind == FileKind::source_bundle) {
    if (!identity.name.empty()) name = identity.name;
    stored = name + std::string(ident::kSourceBundleEnd);
  }
  if (id.empty()) id = identity.code_id;
  if (id.empty() && !identity.dwo_ids.empty()) id = identity.dwo_ids.front();
  if (!ident::is_allowed_name(name) || !ident::is_allowed_name(stored)) return std::nullopt;
  return ident::StorePath{name, id, stored};
}

std::string temporary_directory() {
  const char* root = std::getenv("TMPDIR");
  return root != nullptr ? root : "/tmp";
}

// What a packed file is, by the one file in it.
Result<void> take_after(const base::PendingFile& plain, const std::string& name,
                        UploadCandidate& candidate) {
  const auto mapped = TRY(base::MappedFile::open(plain.path()));
  const extract::Identity identity = extract::identify(mapped->bytes());
  candidate.why = why_not(identity, mapped->bytes());
  if (!candidate.why.empty()) {
    candidate.why.insert(0, "the file in it: ");
    return {};
  }
  candidate.format = extract::name_of(identity.kind);
  if (!identity.debug_id.is_nil()) candidate.debug_id = identity.debug_id.breakpad();
  candidate.path = path_for(identity, name);
  if (!candidate.path) candidate.why = "the name in it cannot stand in a path";
  return {};
}

// A cabinet is what the one file in it is, under the name that it has there. The server expands it.
Result<void> look_into_cab(base::Bytes cab, UploadCandidate& candidate) {
  base::PendingFile plain = TRY(base::PendingFile::create(temporary_directory()));
  const archive::CabMember member =
      TRY(archive::expand_cab(cab, {}, [&](base::Bytes piece) { return plain.append(piece); }));
  TRY(take_after(plain, std::string(base::basename_of(member.name)), candidate));
  if (candidate.path) candidate.path->file = archive::cab_name_of(candidate.path->file);
  return {};
}

// "foo.dbg.gz": kept packed, and known by what is in it.
Result<void> look_into_compressed(base::Bytes packed, UploadCandidate& candidate) {
  base::PendingFile plain = TRY(base::PendingFile::create(temporary_directory()));
  auto reader = TRY(
      archive::ArchiveReader::open(packed, archive::Limits(), archive::Reads::single_files_too));
  const auto member = TRY(reader.next());
  if (!member) return Error{Fault::malformed, "there is nothing in it"};
  TRY(reader.read([&](base::Bytes piece) { return plain.append(piece); }));
  const std::string name(base::basename_of(candidate.file));
  const std::string plain_name = ingest::plain_name_of(name);
  TRY(take_after(plain, plain_name, candidate));
  if (candidate.path) candidate.path->file += name.substr(plain_name.size());
  return {};
}

bool is_compressed_debug_file(base::Bytes bytes, std::string_view name) {
  return ingest::is_compressed_name(name) && !ingest::is_bundle_name(name) &&
         ingest::may_hold_debug_file(bytes.first(std::min(bytes.size(), ingest::kPackedHeadSize)),
                                     name);
}

enum class Named : std::uint8_t { in_tree, itself };  // on the command line

// Whether the file is one that holds others; then the candidate says what becomes of it.
bool is_archive(const std::string& file, FileKind kind, Named named, UploadCandidate& candidate) {
  if (kind == FileKind::zip && base::lower_ascii(file).ends_with(".zip")) {
    candidate.is_zip = true;
    return true;
  }
  if (!ingest::is_package_name(file)) return false;
  if (named == Named::in_tree && !ingest::is_bundle_name(file)) {
    candidate.why = "a package in a directory: name it itself to send it";
  } else if (!ident::is_allowed_name(base::basename_of(file))) {
    candidate.why = "its name cannot stand in a path";
  } else {
    candidate.is_package = true;
  }
  return true;
}

UploadCandidate look_at(const std::string& file, Named named) {
  UploadCandidate candidate;
  candidate.file = file;
  const auto mapped = base::MappedFile::open(file);
  if (!mapped.ok()) {
    candidate.why = mapped.error().what;
    return candidate;
  }
  const base::Bytes bytes = (*mapped)->bytes();
  candidate.size = bytes.size();
  extract::Identity identity = extract::identify(bytes);
  if (extract::is_told_its_id(identity.kind) && identity.debug_id.is_nil()) {
    identity.debug_id =
        extract::find_id_in_name(base::basename_of(file)).value_or(ident::DebugId{});
  }
  if (identity.kind != FileKind::unknown) candidate.format = extract::name_of(identity.kind);
  if (!identity.debug_id.is_nil()) candidate.debug_id = identity.debug_id.breakpad();
  if (is_archive(file, identity.kind, named, candidate)) return candidate;
  const bool is_cab = identity.kind == FileKind::cab;
  if (is_cab || is_compressed_debug_file(bytes, file)) {
    const auto looked =
        is_cab ? look_into_cab(bytes, candidate) : look_into_compressed(bytes, candidate);
    if (!looked.ok()) candidate.why = looked.error().what;
    return candidate;
  }
  candidate.why = why_not(identity, bytes);
  if (!candidate.why.empty()) {
    if (file.find(".dSYM/") != std::string::npos && identity.kind == FileKind::unknown) {
      candidate.why = "the bundle's own";  // Info.plist, Relocations
    }
    return candidate;
  }
  candidate.path = path_for(identity, std::string(base::basename_of(file)));
  if (!candidate.path) candidate.why = "its name cannot stand in a path";
  return candidate;
}

// A file of a symbol store tree: its place says under which key it is, also when it is a cabinet or
// nothing that we can read. `relative` is its path below the tree.
UploadCandidate look_in_store(const std::string& file, std::string_view relative) {
  UploadCandidate candidate = look_at(file, Named::in_tree);
  const auto path = ident::find_store_path(relative);
  const std::string_view name = base::basename_of(relative);
  if (relative.starts_with("000Admin/") || !path || name == "refs.ptr") {
    candidate.path.reset();
    candidate.why = "the symbol store's own (`faultline store import` keeps its transactions)";
  } else if (name == "file.ptr") {
    candidate.path.reset();
    candidate.why = "a pointer (`faultline store import` follows those)";
  } else if (!base::equal_ignoring_case(name, path->name) &&
             !archive::is_cab_name_of(name, path->name)) {
    return candidate;  // a guest, such as a .sym: by its own ids
  } else {
    candidate.path = path;
    candidate.why.clear();
    candidate.is_zip = candidate.is_package = false;
  }
  return candidate;
}

}  // namespace

Result<std::vector<UploadCandidate>> search_uploads(const std::vector<std::string>& paths) {
  std::vector<UploadCandidate> found;
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(path, ignored)) {
      if (!base::file_exists(path)) {
        return Error{Fault::not_found, path + ": no such file or directory"};
      }
      found.push_back(look_at(path, Named::itself));
      continue;
    }
    const std::vector<std::string> files = TRY(base::list_files(path));
    const bool is_store = base::file_exists(base::join_path(path, "000Admin"));
    const std::size_t prefix = base::join_path(path, "").size();
    for (const std::string& file : files) {
      found.push_back(is_store ? look_in_store(file, std::string_view(file).substr(prefix))
                               : look_at(file, Named::in_tree));
    }
  }
  return found;
}

}  // namespace cli
