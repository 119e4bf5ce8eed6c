#include "ident/paths.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "ident/beside.h"
#include "ident/id_keys.h"

namespace ident {
namespace {

constexpr std::string_view kForbidden = "\\^`><{}[]#%\"'|/";

// What nearly every name is made of: visible ASCII that nothing forbids, and blanks.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7f; ++c) {
    plain[c] = kForbidden.find(static_cast<char>(c)) == std::string_view::npos;
  }
  return plain;
}();

bool ends_with_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() &&
         base::equal_ignoring_case(text.substr(text.size() - end.size()), end);
}

// symsrv's second tier: the first two letters of the name.
bool is_tier_of(std::string_view tier, std::string_view name) {
  return base::equal_ignoring_case(tier, name.substr(0, 2));
}

Artifact artifact_of(const StorePath& path) {
  if (path.is_msfz) return Artifact::msfz;
  if (ends_with_ignoring_case(path.file, ".sym")) return Artifact::sym;
  if (is_source_bundle_name(path.file)) return Artifact::formatted;
  if (find_after(path.id, "elf-buildid-sym-") || find_after(path.id, "mach-uuid-sym-")) {
    return Artifact::debuginfo;
  }
  if (is_packed_name_of(path.file, path.name)) return Artifact::cabinet;
  return Artifact::stored;
}

// Some web servers' clients write a blank as "+".
std::optional<StorePath> with_blanks(StorePath path) {
  bool changed = false;
  for (std::string* text : {&path.name, &path.file}) {
    changed = changed || text->find('+') != std::string::npos;
    std::replace(text->begin(), text->end(), '+', ' ');
  }
  if (!changed) return std::nullopt;
  return path;
}

std::optional<StorePath> store_path_of(Parts parts) {
  if (parts.size() > 3 && is_tier_of(parts[0], parts[1])) parts.erase(parts.begin());
  const bool is_msfz = parts.size() == 4 && base::equal_ignoring_case(parts[2], "msfz0");
  if (is_msfz) parts.erase(parts.begin() + 2);
  if (parts.size() != 3) return std::nullopt;
  StorePath found{std::string(parts[0]), std::string(parts[1]), std::string(parts[2]), is_msfz};
  if (!is_allowed_name(found.name) || !is_allowed_id(found.id) || !is_allowed_name(found.file)) {
    return std::nullopt;
  }
  return found;
}

}  // namespace

std::string_view name_of(Artifact artifact) {
  constexpr std::array<std::string_view, 13> kNames{"file",
                                                    "sym",
                                                    "debuginfo",
                                                    "executable",
                                                    "index",
                                                    "section",
                                                    "dwp",
                                                    "msfz",
                                                    "cabinet",
                                                    "file",
                                                    "dwo",
                                                    "dwp or debuginfo",
                                                    "executable or debuginfo"};
  return kNames.at(static_cast<std::size_t>(artifact));
}

std::string SymbolRequest::cache_key() const {
  constexpr std::size_t kWordsMax = 32;  // what stands between ids and names, of one key
  std::size_t size = kWordsMax;
  for (const SymbolKey& key : keys) size += key.id.size() + key.name.size() + kWordsMax;
  std::string text;
  text.reserve(size);
  text.append(name_of(artifact));
  for (const SymbolKey& key : keys) {
    text.append("|").append(name_of(key.kind)).append("|").append(key.id);
    text.append("|").append(key.name);
  }
  // "|" is in no name; a section may be called anything.
  if (!detail.empty()) text.append("|=").append(std::to_string(detail.size())).append(detail);
  if (!scope.project.empty()) text.append("|p/").append(scope.project);
  if (scope.include_try) text.append("|try/");
  if (checks_content) text.append("|checked");
  return text;
}

bool is_allowed_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameSize || name == "." || name == "..") return false;
  if (std::all_of(name.begin(), name.end(),
                  [](char c) { return kPlain[static_cast<unsigned char>(c)]; })) {
    return true;
  }
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
  const auto scoped = split_scope(path);
  if (!scoped) return std::nullopt;
  auto parts = find_parts(scoped->rest);
  if (!parts) return std::nullopt;
  return store_path_of(std::move(*parts));
}

SymbolRequest request_of(const StorePath& path, Scope scope) {
  SymbolRequest request;
  request.scope = std::move(scope);
  request.artifact = artifact_of(path);
  request.asked = path;
  request.keys.reserve(6);
  request.keys.push_back(path_key(path));
  if (request.artifact == Artifact::cabinet) {
    request.keys.push_back(path_key({path.name, path.id, path.name}));
  }
  if (auto in_hex = find_with_decimal_age(path.id)) {
    StorePath other = path;
    other.id = std::move(*in_hex);
    request.keys.push_back(path_key(other));
  }
  if (const auto spaced = with_blanks(path)) request.keys.push_back(path_key(*spaced));
  // An id stands for the file itself only when that file is asked for: NAME/ID/file.ptr is
  // answered by what was stored under that very path.
  const bool wants_bundle = request.artifact == Artifact::formatted;
  if (wants_bundle) request.detail = kSourceBundle;
  const bool asks_for_module = request.artifact == Artifact::sym || wants_bundle ||
                               request.artifact == Artifact::cabinet ||
                               base::equal_ignoring_case(path.name, path.file);
  if (asks_for_module) add_id_keys(path.name, path.id, request.keys);
  return request;
}

void demand_content(SymbolRequest& request, const std::vector<std::string>& checksums) {
  for (const std::string& checksum : checksums) {
    request.keys.push_back(SymbolKey::from_text(KeyKind::checksum, "", checksum));
  }
  request.checks_content = !checksums.empty();
}

SymbolRequest module_request(Artifact artifact, std::string_view debug_file, const DebugId& id,
                             Scope scope) {
  // An index is the module's, whatever name it goes by: one question, one answer.
  const std::string_view name = artifact == Artifact::index ? "" : debug_file;
  return {artifact, {SymbolKey::from_debug_id(name, id)}, std::move(scope), ""};
}

SymbolKey path_key(const StorePath& path) {
  return SymbolKey::from_text(KeyKind::path,
                              path.name + (path.is_msfz ? "/msfz0/" : "/") + path.file, path.id);
}

bool spells(std::string_view id, const SymbolKey& key) {
  if (base::equal_ignoring_case(id, key.id)) return true;
  std::vector<SymbolKey> keys;
  add_id_keys("", id, keys);
  return std::any_of(keys.begin(), keys.end(), [&](const SymbolKey& candidate) {
    return candidate.kind == key.kind && candidate.id == key.id;
  });
}

bool is_packed_name_of(std::string_view file, std::string_view name) {
  return file.size() == name.size() && file.ends_with('_') && !name.ends_with('_') &&
         base::equal_ignoring_case(file.substr(0, file.size() - 1),
                                   name.substr(0, name.size() - 1));
}

std::string sym_file_name(std::string_view debug_file) {
  if (ends_with_ignoring_case(debug_file, ".pdb")) {
    debug_file.remove_suffix(4);
  }
  return std::string(debug_file) + ".sym";
}

}  // namespace ident
