#include "ident/paths.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace ident {
namespace {

constexpr std::size_t kMaxParts = 16;
constexpr std::string_view kForbidden = "\\^`><{}[]#%\"'|/";
constexpr std::size_t kBuildIdDigitsMin = 4;
constexpr std::size_t kBuildIdDigitsMax = 128;

bool ends_with_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() &&
         base::equal_ignoring_case(text.substr(text.size() - end.size()), end);
}

std::optional<std::string_view> find_after(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size()) return std::nullopt;
  if (!base::equal_ignoring_case(text.substr(0, prefix.size()), prefix)) return std::nullopt;
  return text.substr(prefix.size());
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

bool is_build_id(std::string_view id) {
  return id.size() >= kBuildIdDigitsMin && id.size() <= kBuildIdDigitsMax && id.size() % 2 == 0 &&
         is_hex(id);
}

// "//symbols/foo.pdb//ID/foo.pdb" → {"foo.pdb", "ID", "foo.pdb"}; nothing when there are too many.
std::optional<std::vector<std::string_view>> find_parts(std::string_view path) {
  std::vector<std::string_view> parts;
  if (path.size() > kMaxPathSize) return std::nullopt;
  const auto scoped = split_scope(path);
  if (!scoped) return std::nullopt;
  for (const std::string_view part : base::split(scoped->rest, '/')) {
    if (part.empty()) continue;
    if (parts.size() == kMaxParts) return std::nullopt;
    parts.push_back(part);
  }
  return parts;
}

// symsrv's second tier: the first two letters of the name.
bool is_tier_of(std::string_view tier, std::string_view name) {
  return base::equal_ignoring_case(tier, name.substr(0, 2));
}

// Debug ids in a path have 32 digits and an age, or at least nothing else.
std::optional<DebugId> find_debug_id(std::string_view id) {
  if (!is_hex(id)) return std::nullopt;
  return DebugId::parse(id);
}

void add_id_keys(std::string_view name, std::string_view id, std::vector<SymbolKey>& keys) {
  if (const auto digits = find_after(id, "elf-buildid-sym-")) {
    if (is_build_id(*digits))
      keys.push_back(SymbolKey::from_text(KeyKind::build_id, name, *digits));
    return;
  }
  if (const auto digits = find_after(id, "elf-buildid-")) {
    if (is_build_id(*digits))
      keys.push_back(SymbolKey::from_text(KeyKind::build_id, name, *digits));
    return;
  }
  const auto debug_id = find_debug_id(id);
  if (debug_id && !debug_id->is_nil()) keys.push_back(SymbolKey::from_debug_id(name, *debug_id));
  if (is_hex(id)) keys.push_back(SymbolKey::from_text(KeyKind::code_id, name, id));
  if (is_build_id(id)) keys.push_back(SymbolKey::from_text(KeyKind::build_id, name, id));
}

Artifact artifact_of(const StorePath& path) {
  if (ends_with_ignoring_case(path.file, ".sym")) return Artifact::sym;
  if (find_after(path.id, "elf-buildid-sym-")) return Artifact::debuginfo;
  return Artifact::stored;
}

}  // namespace

std::string_view name_of(Artifact artifact) {
  constexpr std::array<std::string_view, 5> kNames{"file", "sym", "debuginfo", "executable",
                                                   "index"};
  return kNames.at(static_cast<std::size_t>(artifact));
}

std::string SymbolRequest::cache_key() const {
  std::string text(name_of(artifact));
  for (const SymbolKey& key : keys) {
    text.append("|").append(name_of(key.kind)).append("|").append(key.id);
    text.append("|").append(key.name);
  }
  // "|" is in no name.
  if (!scope.project.empty()) text.append("|p/").append(scope.project);
  if (scope.include_try) text.append("|try/");
  return text;
}

bool is_allowed_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameSize || name == "." || name == "..") return false;
  if (!base::is_utf8(name)) return false;  // databases and JSON take nothing else
  return std::none_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f || kForbidden.find(c) != std::string_view::npos;
  });
}

bool is_allowed_id(std::string_view id) {
  return is_allowed_name(id) && id.find(' ') == std::string_view::npos;
}

std::optional<StorePath> find_store_path(std::string_view path) {
  auto parts = find_parts(path);
  if (!parts) return std::nullopt;
  if (parts->size() == 4 && is_tier_of((*parts)[0], (*parts)[1])) parts->erase(parts->begin());
  if (parts->size() != 3) return std::nullopt;
  StorePath found{std::string((*parts)[0]), std::string((*parts)[1]), std::string((*parts)[2])};
  if (!is_allowed_name(found.name) || !is_allowed_id(found.id) || !is_allowed_name(found.file)) {
    return std::nullopt;
  }
  return found;
}

SymbolRequest request_of(const StorePath& path, Scope scope) {
  SymbolRequest request;
  request.scope = std::move(scope);
  request.artifact = artifact_of(path);
  request.keys.push_back(path_key(path));
  // An id stands for the file itself only when that file is asked for: NAME/ID/file.ptr or
  // NAME/ID/NAME_ (a cabinet) are answered by what was stored under that very path.
  const bool asks_for_module =
      request.artifact == Artifact::sym || base::equal_ignoring_case(path.name, path.file);
  if (asks_for_module) add_id_keys(path.name, path.id, request.keys);
  return request;
}

std::optional<SymbolRequest> find_buildid_request(std::string_view id, std::string_view what,
                                                  Scope scope) {
  if (!is_build_id(id)) return std::nullopt;
  SymbolRequest request;
  request.scope = std::move(scope);
  if (what == "debuginfo") {
    request.artifact = Artifact::debuginfo;
  } else if (what == "executable") {
    request.artifact = Artifact::executable;
  } else {
    return std::nullopt;
  }
  request.keys.push_back(SymbolKey::from_text(KeyKind::build_id, "", id));
  return request;
}

SymbolRequest module_request(Artifact artifact, std::string_view debug_file, const DebugId& id,
                             Scope scope) {
  // An index is the module's, whatever name it goes by: one question, one answer.
  const std::string_view name = artifact == Artifact::index ? "" : debug_file;
  return {artifact, {SymbolKey::from_debug_id(name, id)}, std::move(scope)};
}

SymbolKey path_key(const StorePath& path) {
  return SymbolKey::from_text(KeyKind::path, path.name + "/" + path.file, path.id);
}

bool spells(std::string_view id, const SymbolKey& key) {
  if (base::equal_ignoring_case(id, key.id)) return true;
  std::vector<SymbolKey> keys;
  add_id_keys("", id, keys);
  return std::any_of(keys.begin(), keys.end(), [&](const SymbolKey& candidate) {
    return candidate.kind == key.kind && candidate.id == key.id;
  });
}

std::string sym_file_name(std::string_view debug_file) {
  if (ends_with_ignoring_case(debug_file, ".pdb")) {
    debug_file.remove_suffix(4);
  }
  return std::string(debug_file) + ".sym";
}

}  // namespace ident
