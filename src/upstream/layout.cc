#include "upstream/layout.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "ident/nil_id.h"

namespace upstream {
namespace {

using ident::Artifact;
using ident::KeyKind;
using ident::StorePath;
using ident::SymbolRequest;

constexpr std::array<std::pair<Layout, std::string_view>, 8> kNames{{
    {Layout::symstore, "symstore"},
    {Layout::symstore_two_tier, "symstore-two-tier"},
    {Layout::ssqp, "ssqp"},
    {Layout::breakpad, "breakpad"},
    {Layout::debuginfod, "debuginfod"},
    {Layout::unified, "unified"},
    {Layout::native, "native"},
    {Layout::slashsymbols, "slashsymbols"},
}};

// The places so far, each once.
class Places {
 public:
  void add(std::string path, std::string name) { add(Place{std::move(path), std::move(name)}); }
  void add(Place place) {
    if (std::find(all_.begin(), all_.end(), place) == all_.end()) all_.push_back(std::move(place));
  }
  std::vector<Place> take() && { return std::move(all_); }

 private:
  std::vector<Place> all_;
};

bool is_hex(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

constexpr std::size_t kGuidDigits = 32, kAgeDigitsMax = 7;  // with 8 it is as long as a build id

bool is_guid_and_age(std::string_view id) {
  return is_hex(id) && id.size() > kGuidDigits && id.size() <= kGuidDigits + kAgeDigitsMax;
}

// A GUID is written in upper case, its age in lower case; likewise a time stamp and a size.
std::string symstore_id(std::string_view id) {
  constexpr std::size_t kStampDigits = 8, kPeDigitsMax = 16;
  if (!is_hex(id)) return base::lower_ascii(id);
  if (id.size() > kStampDigits && id.size() <= kPeDigitsMax) {
    return base::upper_ascii(id.substr(0, kStampDigits)) +
           base::lower_ascii(id.substr(kStampDigits));
  }
  if (!is_guid_and_age(id))
    return id.size() > kGuidDigits ? base::upper_ascii(id) : std::string(id);
  return base::upper_ascii(id.substr(0, kGuidDigits)) + base::lower_ascii(id.substr(kGuidDigits));
}

bool wants_text(const SymbolRequest& request) {
  return request.artifact == Artifact::sym || request.artifact == Artifact::index;
}

bool wants_code(Artifact artifact) {
  return artifact == Artifact::executable || artifact == Artifact::skeleton_or_executable;
}

bool wants_debug(Artifact artifact) {
  return artifact == Artifact::debuginfo || artifact == Artifact::package_or_debuginfo;
}

std::string id_of(const SymbolRequest& request, KeyKind kind) {
  for (const ident::SymbolKey& key : request.keys) {
    if (key.kind == kind) return key.id;
  }
  return "";
}

std::string cabinet_name(std::string_view name) {
  return name.empty() ? "" : std::string(name.substr(0, name.size() - 1)) + "_";
}

// A packed file is asked for as the plain one: it is packed again when somebody wants it so.
std::string plain_file(const StorePath& path) {
  return ident::is_packed_name_of(path.file, path.name) ? path.name : path.file;
}

// NAME/ID/NAME, also packed. What else lies there, such as file.ptr, is the store's own.
bool asks_for_module(const SymbolRequest& request) {
  return request.asked && !wants_text(request) && !request.asked->is_msfz &&
         base::equal_ignoring_case(plain_file(*request.asked), request.asked->name);
}

// Before NAME: in a store of two tiers its first two letters, as it was spelled when the first such
// file came; other programs write them small.
std::vector<std::string> tiers_of(std::string_view name, bool two_tier) {
  if (!two_tier) return {""};
  const std::string spelled(name.substr(0, 2)), lower = base::lower_ascii(spelled);
  if (spelled == lower) return {lower + "/"};
  return {spelled + "/", lower + "/"};
}

void add_store_places(const SymbolRequest& request, bool two_tier, const AlsoAsked& also,
                      Places& places) {
  if (!asks_for_module(request)) return;
  const StorePath& asked = *request.asked;
  const std::string file = plain_file(asked);
  if (two_tier && asked.name.starts_with("..")) return;  // it would lie beside the store
  // Some tools write the age as its GUID.
  const std::string loud = is_guid_and_age(asked.id) ? base::upper_ascii(asked.id) : asked.id;
  for (const std::string& tier : tiers_of(asked.name, two_tier)) {
    for (const std::string& id : std::vector<std::string>{asked.id, symstore_id(asked.id), loud}) {
      std::string folder = tier;
      folder.append(asked.name).append("/").append(id).append("/");
      places.add(folder + file, file);
      if (also.cabinets) places.add(Place{folder + cabinet_name(file), file, true});
      if (also.pointers) places.add(Place{folder + "file.ptr", file, false, true});
    }
  }
}

void add_ssqp_places(const SymbolRequest& request, Places& places) {
  if (asks_for_module(request)) {
    const StorePath& asked = *request.asked;
    const std::string file = plain_file(asked);
    places.add(asked.name + "/" + asked.id + "/" + file, file);
    places.add(base::lower_ascii(asked.name + "/" + asked.id + "/" + file), file);
  }
  if (!wants_debug(request.artifact)) return;
  if (const std::string id = id_of(request, KeyKind::build_id); !id.empty()) {
    places.add("_.debug/elf-buildid-sym-" + id + "/_.debug", "_.debug");
  }
  if (const std::string id = id_of(request, KeyKind::uuid); !id.empty()) {
    places.add("_.dwarf/mach-uuid-sym-" + id + "/_.dwarf", "_.dwarf");
  }
}

// A module may be called anything by who asks; as part of a path it may lead nowhere else.
bool is_one_step(std::string_view name) {
  const auto leads_on = [](char c) {
    return c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
  };
  return !name.empty() && name != "." && name != ".." &&
         std::none_of(name.begin(), name.end(), leads_on);
}

void add_breakpad_places(const SymbolRequest& request, Places& places) {
  if (!wants_text(request)) return;
  if (request.asked) {
    const StorePath& asked = *request.asked;
    const std::string file = ident::sym_file_name(asked.name);
    places.add(asked.name + "/" + asked.id + "/" + file, file);
    places.add(asked.name + "/" + base::upper_ascii(asked.id) + "/" + file, file);
    return;
  }
  for (const ident::SymbolKey& key : request.keys) {
    if (key.kind != KeyKind::debug_id || !is_one_step(key.name)) continue;
    const std::string file = ident::sym_file_name(key.name);
    places.add(key.name + "/" + base::upper_ascii(key.id) + "/" + file, file);
  }
}

void add_debuginfod_places(const SymbolRequest& request, Places& places) {
  const std::string id = id_of(request, KeyKind::build_id);
  if (id.empty() || wants_text(request)) return;
  // A file asked for by its name is whichever of both has that name; so are two kinds at once.
  const bool either = !wants_code(request.artifact) && !wants_debug(request.artifact);
  const std::string name = request.asked ? request.asked->name : id;
  if (either || wants_code(request.artifact)) places.add("buildid/" + id + "/executable", name);
  if (either || wants_debug(request.artifact)) places.add("buildid/" + id + "/debuginfo", name);
}

void add_unified_places(const SymbolRequest& request, Places& places) {
  for (const ident::SymbolKey& key : request.keys) {
    const bool is_id =
        key.kind == KeyKind::build_id || key.kind == KeyKind::uuid || key.kind == KeyKind::debug_id;
    if (!is_id || key.id.size() < 3) continue;
    const std::string folder = key.id.substr(0, 2) + "/" + key.id.substr(2) + "/";
    if (wants_text(request)) {
      places.add(folder + "breakpad", key.name.empty() ? key.id : key.name);
    } else if (wants_code(request.artifact)) {
      places.add(folder + "executable", key.name.empty() ? key.id : key.name);
    } else {
      places.add(folder + "debuginfo", key.name.empty() ? key.id : key.name);
    }
  }
}

void add_native_places(const SymbolRequest& request, const AlsoAsked& also, Places& places) {
  if (wants_text(request)) return add_breakpad_places(request, places);
  const std::string_view kind = kind_of(request);
  if (kind == "pdb" || kind == "pe") return add_store_places(request, false, also, places);
  const std::string tail = wants_code(request.artifact) ? "" : ".debug";
  const std::string name = request.asked ? request.asked->name : "";
  if (const std::string id = id_of(request, KeyKind::build_id); id.size() > 2) {
    places.add(id.substr(0, 2) + "/" + id.substr(2) + tail, name.empty() ? id + tail : name);
  }
  if (const std::string id = base::upper_ascii(id_of(request, KeyKind::uuid)); id.size() == 32) {
    std::string path;
    for (std::size_t at = 0; at < 20; at += 4) path += id.substr(at, 4) + "/";
    path += id.substr(20);
    if (wants_code(request.artifact)) path += ".app";
    places.add(std::move(path), name.empty() ? id : name);
  }
}

void add_slashsymbols_places(const SymbolRequest& request, Places& places) {
  if (wants_text(request)) return;
  for (const ident::SymbolKey& key : request.keys) {
    if (key.kind != KeyKind::build_id) continue;
    const std::string name = request.asked ? request.asked->name : key.name;
    if (!is_one_step(name)) continue;
    places.add(name + "/" + base::lower_ascii(key.id) + "/symbols", name);
    places.add(name + "/" + base::upper_ascii(key.id) + "/symbols", name);
  }
}

// That of debuginfod's own begins where its web address ends.
std::string spelled(const std::string& path, Casing casing) {
  constexpr std::string_view kDebuginfod = "buildid/";
  const std::string start(path.starts_with(kDebuginfod) ? kDebuginfod : "");
  const std::string rest = path.substr(start.size());
  return start + (casing == Casing::lower ? base::lower_ascii(rest) : base::upper_ascii(rest));
}

}  // namespace

std::vector<Place> in_casing(std::vector<Place> places, Casing casing) {
  if (casing == Casing::of_layout) return places;
  Places spelled_places;
  for (Place& place : places) {
    place.path = spelled(place.path, casing);
    spelled_places.add(std::move(place));
  }
  return std::move(spelled_places).take();
}

std::string path_in_tiers(std::string_view path, bool two_tier) {
  constexpr std::size_t kParts = 3;
  const std::vector<std::string_view> parts = base::split(path, '/');
  if (parts.size() != kParts && parts.size() != kParts + 1) return std::string(path);
  const std::string_view name = parts[parts.size() - kParts];
  std::string moved;
  if (two_tier && !name.starts_with("..")) moved.append(name.substr(0, 2)).append("/");
  return moved.append(path.substr(static_cast<std::size_t>(name.data() - path.data())));
}

std::string_view name_of(Layout layout) {
  for (const auto& [value, name] : kNames) {
    if (value == layout) return name;
  }
  return "";
}

std::optional<Layout> find_layout(std::string_view name) {
  for (const auto& [value, known] : kNames) {
    if (known == name) return value;
  }
  return std::nullopt;
}

std::string_view kind_of(const SymbolRequest& request) {
  if (wants_text(request)) return "breakpad";
  if (request.asked && base::lower_ascii(plain_file(*request.asked)).ends_with(".pdb")) {
    return "pdb";
  }
  if (!id_of(request, KeyKind::build_id).empty()) return "elf";
  return id_of(request, KeyKind::uuid).empty() ? "pe" : "macho";
}

std::optional<Place> find_source_place(Layout layout, std::string_view build_id,
                                       std::string_view path) {
  if (layout != Layout::debuginfod || !is_hex(build_id) || !path.starts_with('/')) {
    return std::nullopt;
  }
  return Place{"buildid/" + std::string(build_id) + "/source" + std::string(path),
               std::string(base::basename_of(path))};
}

// NAME/ID/FILE tells by its FILE; other layouts have no packed files.
Place place_at(std::string path) {
  const std::string file(base::basename_of(path));
  const std::string name(base::basename_of(base::parent_of(base::parent_of(path))));
  if (ident::is_packed_name_of(file, name)) return {std::move(path), name, true};
  if (file == "file.ptr") return {std::move(path), name, false, true};
  return {std::move(path), file};
}

std::vector<Place> places_of(Layout layout, const SymbolRequest& request, const AlsoAsked& also) {
  Places places;
  if (request.asked && ident::is_nil_id(request.asked->id)) return {};
  switch (layout) {
    case Layout::symstore:
    case Layout::symstore_two_tier:
      add_store_places(request, layout == Layout::symstore_two_tier, also, places);
      break;
    case Layout::ssqp:
      add_ssqp_places(request, places);
      break;
    case Layout::breakpad:
      add_breakpad_places(request, places);
      break;
    case Layout::debuginfod:
      add_debuginfod_places(request, places);
      break;
    case Layout::unified:
      add_unified_places(request, places);
      break;
    case Layout::native:
      add_native_places(request, also, places);
      break;
    case Layout::slashsymbols:
      add_slashsymbols_places(request, places);
      break;
  }
  return std::move(places).take();
}

}  // namespace upstream
