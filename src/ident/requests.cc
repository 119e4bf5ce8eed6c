// Which file a path asks for: the trees and services of ident/paths.h that are no store path.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "ident/beside.h"
#include "ident/id_keys.h"
#include "ident/paths.h"

namespace ident {
namespace {

std::vector<SymbolKey> buildid_keys(std::string_view id) {
  std::vector<SymbolKey> keys;
  add_build_id("", id, keys);
  add_uuid("", id, keys);
  add_guid_and_age("", id, keys);
  return keys;
}

std::optional<SymbolRequest> buildid_request(std::string_view id, Artifact artifact,
                                             std::string detail, Scope scope) {
  if (!is_build_id(id)) return std::nullopt;
  return SymbolRequest{artifact, buildid_keys(id), std::move(scope), std::move(detail)};
}

std::optional<Artifact> find_word(std::string_view word) {
  if (word == "debuginfo") return Artifact::debuginfo;
  if (word == "executable") return Artifact::executable;
  return std::nullopt;
}

// What is below buildid/, artifacts/ or a tree of ids: everything but a store path.
using Found = std::optional<SymbolRequest>;

Found find_buildid_path(const Parts& parts, std::string_view rest, Scope scope) {
  if (parts.size() < 3) return std::nullopt;
  if (parts[2] != "section") {
    if (parts.size() != 3) return std::nullopt;
    return find_buildid_request(parts[1], parts[2], std::move(scope));
  }
  if (parts.size() < 4) return std::nullopt;
  const auto at = static_cast<std::size_t>(parts[3].data() - rest.data());
  return find_section_request(parts[1], rest.substr(at), std::move(scope));
}

struct ArtifactType {
  std::string_view type;
  Artifact artifact;
  std::string_view format;
};
constexpr std::array<ArtifactType, 17> kArtifactTypes{
    ArtifactType{"elf", Artifact::executable, "elf"},
    ArtifactType{"executable", Artifact::executable, ""},
    ArtifactType{"debug", Artifact::debuginfo, ""},
    ArtifactType{"debuginfo", Artifact::debuginfo, ""},
    ArtifactType{"dsym", Artifact::debuginfo, "macho"},
    ArtifactType{"macho", Artifact::executable, "macho"},
    ArtifactType{"dwp", Artifact::dwp, ""},
    ArtifactType{"dwo", Artifact::dwo, ""},
    ArtifactType{"pe", Artifact::formatted, "pe"},
    ArtifactType{"pdb", Artifact::formatted, "pdb"},
    ArtifactType{"sym", Artifact::sym, ""},
    ArtifactType{"index", Artifact::index, ""},
    ArtifactType{"file", Artifact::stored, ""},
    ArtifactType{"sourcebundle", Artifact::formatted, kSourceBundle},
    ArtifactType{"bcsymbolmap", Artifact::formatted, "bcsymbolmap"},
    ArtifactType{"uuidmap", Artifact::formatted, "uuidmap"},
    ArtifactType{"il2cpp", Artifact::formatted, "il2cpp"},
};

Found find_artifact_path(const Parts& parts, Scope scope) {
  if (parts.size() != 4) return std::nullopt;
  const auto* const type = std::find_if(
      kArtifactTypes.begin(), kArtifactTypes.end(),
      [&](const ArtifactType& row) { return base::equal_ignoring_case(row.type, parts[1]); });
  if (type == kArtifactTypes.end() || !is_allowed_id(parts[2]) || !is_allowed_name(parts[3])) {
    return std::nullopt;
  }
  SymbolRequest request{type->artifact, {}, std::move(scope), std::string(type->format)};
  add_id_keys(parts[3], parts[2], request.keys);
  if (is_beside_format(type->format)) add_folded_build_id(parts[3], parts[2], request.keys);
  if (type->artifact == Artifact::dwp || type->artifact == Artifact::dwo) {
    add_dwo_id(parts[3], parts[2], request.keys);
  }
  if (request.keys.empty()) return std::nullopt;
  return request;
}

// ab/cdef…/debuginfo; the id may be a build id, a UUID, or a PDB's debug id.
Found find_unified_path(const Parts& parts, const Scope& scope) {
  if (parts.size() != 3 || parts[0].size() != 2 || !is_hex(parts[0]) || !is_hex(parts[1])) {
    return std::nullopt;
  }
  const bool is_beside = is_beside_format(parts[2]);
  auto artifact = find_word(parts[2]);
  if (parts[2] == "breakpad") artifact = Artifact::sym;
  if (is_beside) artifact = Artifact::formatted;
  if (!artifact) return std::nullopt;
  SymbolRequest request{*artifact, {}, scope, is_beside ? std::string(parts[2]) : ""};
  const std::string id = std::string(parts[0]) + std::string(parts[1]);
  add_id_keys("", id, request.keys);
  if (is_beside) add_folded_build_id("", id, request.keys);
  return request;
}

// Symbolicator asks the other trees for a source bundle beside the module's own path.
SymbolRequest source_bundle_of(SymbolRequest request) {
  request.artifact = Artifact::formatted;
  request.detail = kSourceBundle;
  return request;
}

// ab/cdef….debug and ab/cdef…; behind both ".src.zip"
Found find_gnu_tree_path(Parts parts, const Scope& scope) {
  if (parts.size() == 3 && parts[0] == ".build-id") parts.erase(parts.begin());
  if (parts.size() != 2 || parts[0].size() != 2) return std::nullopt;
  if (is_source_bundle_name(parts[1])) {
    parts[1].remove_suffix(kSourceBundleEnd.size());
    auto module = find_gnu_tree_path(std::move(parts), scope);
    if (!module) return std::nullopt;
    add_folded_build_id("", module->keys.front().id, module->keys);
    return source_bundle_of(*std::move(module));
  }
  const bool is_debug = parts[1].ends_with(".debug");
  const std::string_view tail = parts[1].substr(0, parts[1].size() - (is_debug ? 6 : 0));
  return buildid_request(std::string(parts[0]) + std::string(tail),
                         is_debug ? Artifact::debuginfo : Artifact::executable, "", scope);
}

// A UUID's digits as five directories of four and twelve at the end.
Found find_uuid_tree_path(const Parts& parts, const Scope& scope) {
  if (parts.size() != 6) return std::nullopt;
  if (is_source_bundle_name(parts[5])) {
    Parts module_parts = parts;
    module_parts[5].remove_suffix(kSourceBundleEnd.size());
    auto module = find_uuid_tree_path(module_parts, scope);
    if (!module) return std::nullopt;
    return source_bundle_of(*std::move(module));
  }
  std::string digits;
  for (std::size_t i = 0; i < 5; ++i) {
    if (parts[i].size() != 4) return std::nullopt;
    digits += parts[i];
  }
  const bool is_code = parts[5].ends_with(".app");
  digits += parts[5].substr(0, parts[5].size() - (is_code ? 4 : 0));
  SymbolRequest request{is_code ? Artifact::executable : Artifact::debuginfo, {}, scope, ""};
  add_uuid("", digits, request.keys);
  if (request.keys.empty()) return std::nullopt;
  return request;
}

}  // namespace

std::optional<SymbolRequest> find_request(std::string_view path) {
  const auto scoped = split_scope(path);
  if (!scoped) return std::nullopt;
  auto parts = find_parts(scoped->rest);
  if (!parts || parts->size() < 2) return std::nullopt;
  const Scope& scope = scoped->scope;
  if ((*parts)[0] == "buildid") return find_buildid_path(*parts, scoped->rest, scope);
  if ((*parts)[0] == "artifacts") return find_artifact_path(*parts, scope);
  if (auto found = find_unified_path(*parts, scope)) return found;
  if (auto found = find_gnu_tree_path(*parts, scope)) return found;
  if (auto found = find_uuid_tree_path(*parts, scope)) return found;
  const auto store_path = find_store_path(path);
  if (!store_path) return std::nullopt;
  return request_of(*store_path, scope);
}

std::optional<SymbolRequest> find_buildid_request(std::string_view id, std::string_view what,
                                                  Scope scope) {
  const auto artifact = find_word(what);
  if (!artifact) return std::nullopt;
  return buildid_request(id, *artifact, "", std::move(scope));
}

SymbolRequest for_lldb(SymbolRequest request) {
  if (request.artifact == Artifact::debuginfo) request.artifact = Artifact::package_or_debuginfo;
  if (request.artifact == Artifact::executable) request.artifact = Artifact::skeleton_or_executable;
  return request;
}

std::optional<SymbolRequest> find_section_request(std::string_view id, std::string_view section,
                                                  Scope scope) {
  if (section.empty() || section.size() > kMaxNameSize || !base::is_utf8(section)) {
    return std::nullopt;
  }
  return buildid_request(id, Artifact::section, std::string(section), std::move(scope));
}

}  // namespace ident
