// From a file's bytes to its row and its keys. The bytes decide; the path that it was sent to
// only adds a key, unverified when the bytes say something else (docs/protocols/upload.md).
#include <algorithm>
#include <set>

#include "base/text.h"
#include "extract/beside.h"
#include "ident/beside.h"
#include "ingest/companions.h"
#include "ingest/content_keys.h"
#include "ingest/ingest.h"
#include "ingest/stored_text.h"

namespace ingest {

using ident::KeyKind;
using ident::SymbolKey;

namespace {

constexpr std::size_t kMaxIdDigits = 128;  // of a build id of 64 bytes: nobody can ask for more

// Under which names the file may be asked for: what it calls itself and what it was called.
std::vector<std::string> names_of(const extract::Identity& identity, const std::string& brought) {
  std::vector<std::string> names;
  // A .sym speaks of a module; its own name is not the module's.
  const bool is_sym = identity.kind == extract::FileKind::breakpad_sym;
  const bool names_itself = ident::is_allowed_name(identity.name);
  if (!is_sym || !names_itself) names.push_back(brought);
  if (names_itself && (is_sym || identity.name != brought)) names.push_back(identity.name);
  return names;
}

class Keys {
 public:
  void add(SymbolKey key) {
    if (seen_.insert(key).second) keys_.push_back(std::move(key));
  }
  void add(KeyKind kind, const std::string& name, const std::string& id) {
    // An id is digits, but a .sym may say anything.
    if (ident::is_allowed_id(id) && id.size() <= kMaxIdDigits)
      add(SymbolKey::from_text(kind, name, id));
  }
  void add(const std::string& name, const ident::DebugId& id) {
    if (!id.is_nil()) add(SymbolKey::from_debug_id(name, id));
  }
  std::vector<SymbolKey> take() { return std::move(keys_); }

 private:
  std::vector<SymbolKey> keys_;
  std::set<SymbolKey> seen_;
};

// Under every id that the bytes have, with each of the names.
void add_keys(const extract::Identity& identity, const std::string& name, Keys& keys) {
  keys.add(name, identity.debug_id);
  for (const ident::DebugId& id : identity.other_debug_ids) keys.add(name, id);
  keys.add(KeyKind::code_id, name, identity.code_id);
  // Found by its name only, as a code id is: the time stamp and age of a PDB without GUID.
  keys.add(KeyKind::code_id, name, identity.old_id);
  // A .sym is found by the ids of its module, but it is no file with that build id.
  if (identity.kind != extract::FileKind::breakpad_sym) {
    keys.add(KeyKind::build_id, name, identity.build_id);
  }
  keys.add(KeyKind::uuid, name, identity.uuid);
  keys.add(KeyKind::checksum, name, identity.checksum);
  for (const std::string& id : identity.dwo_ids) keys.add(KeyKind::dwo_id, name, id);
  for (std::size_t i = 0; i < identity.skeleton_ids.size() && i < kMaxSkeletonKeys; ++i) {
    keys.add(KeyKind::skeleton, name, identity.skeleton_ids[i]);
  }
  // Under the name of its PDB an image is part of the same module: it has the unwind rules.
  for (const ident::DebugFile& pdb : identity.pdbs) {
    if (ident::is_allowed_name(pdb.name)) keys.add(pdb.name, pdb.debug_id);
  }
}

std::vector<SymbolKey> own_keys(const std::vector<extract::Identity>& all,
                                const std::string& brought) {
  Keys keys;
  for (const extract::Identity& identity : all) {
    for (const std::string& name : names_of(identity, brought)) add_keys(identity, name, keys);
    // Who knows only the image asks for its .sym by that.
    if (ident::is_allowed_name(identity.code_file)) {
      keys.add(KeyKind::code_id, identity.code_file, identity.code_id);
    }
  }
  return keys.take();
}

// Units of split DWARF are no image and no debug file of one, and are never taken for them; nor
// is a PDB in the new container given to those who ask for a plain one.
std::string format_of(const extract::Identity& identity) {
  if (identity.kind == extract::FileKind::unknown) return "";
  if (identity.is_msfz) return "msfz";
  if (identity.split == extract::Split::dwo) return "dwo";
  if (identity.split == extract::Split::dwp) return "dwp";
  return std::string(extract::name_of(identity.kind));
}

// A fat file is all that its slices are; its row names the first one's ids and every machine.
std::string arches_of(const std::vector<extract::Identity>& all) {
  std::string text;
  for (const extract::Identity& identity : all) {
    if (!text.empty()) text += " ";
    text += identity.arch;
  }
  return text;
}

// Under the ids that the bytes have, and those that they are.
std::vector<SymbolKey> all_keys(base::Bytes bytes, const std::vector<extract::Identity>& all,
                                const std::string& brought,
                                const std::optional<ident::StorePath>& path) {
  std::vector<SymbolKey> keys = own_keys(all, brought);
  if (all.front().kind != extract::FileKind::unknown) return keys;
  for (SymbolKey& key : content_keys(bytes, brought, path)) keys.push_back(std::move(key));
  return keys;
}

// Whether NAME/HEX/FILE of an archive says where the file belongs. A .sym is found by its path,
// so there its uploader meant it.
bool is_symbol_path(base::Bytes bytes, const ident::StorePath& path,
                    const std::vector<extract::Identity>& all) {
  if (all.front().kind == extract::FileKind::breakpad_sym) return true;
  if (is_named_after(path.file, path.name)) return true;
  const std::vector<SymbolKey> keys = all_keys(bytes, all, path.file, path);
  return keys.empty() || std::any_of(keys.begin(), keys.end(), [&](const SymbolKey& key) {
           return ident::spells(path.id, key);
         });
}

bool is_hex_pair(std::string_view text) {
  return text.size() == 2 && base::bytes_from_hex(text).has_value();
}

// A file whose bytes do not say whose it is: its path does, the unified tree's ab/cdef…/uuidmap
// too, or its name.
ident::DebugId told_id(const std::optional<ident::StorePath>& path, const std::string& name) {
  std::optional<ident::DebugId> id;
  if (path && is_hex_pair(path->name) && ident::is_beside_format(path->file)) {
    id = ident::DebugId::parse(path->name + path->id);
  }
  if (path && !id) id = ident::DebugId::parse(path->id);
  if (!id) id = extract::find_id_in_name(path ? path->file : name);
  return id.value_or(ident::DebugId{});
}

// Unverified: nobody but the uploader says so.
void add_told_keys(const ident::DebugId& id, const std::string& name, store::NewFile& described) {
  if (id.is_nil()) return;
  const bool is_own = described.file.debug_id == id.breakpad();
  if (described.file.debug_id.empty()) described.file.debug_id = id.breakpad();
  if (!is_own) described.keys.push_back({SymbolKey::from_debug_id(name, id), false});
  if (id.age != 0) return;
  const std::string uuid = base::hex_of(id.guid);
  described.keys.push_back({SymbolKey::from_text(KeyKind::uuid, name, uuid), false});
}

}  // namespace

bool is_named_after(const std::string& file, const std::string& name) {
  const std::string lower = base::lower_ascii(file);
  const std::string module = base::lower_ascii(name);
  return lower == module || lower.starts_with(module + ".") ||
         ident::is_packed_name_of(file, name) ||
         lower == base::lower_ascii(ident::sym_file_name(name));
}

store::NewFile describe(base::Bytes bytes, const std::optional<ident::StorePath>& sent_to,
                        const std::string& name, PathIs path_is) {
  const std::vector<extract::Identity> all = extract::identify_all(bytes);
  const extract::Identity& identity = all.front();
  std::optional<ident::StorePath> path = sent_to;
  if (path && path_is == PathIs::guessed && !is_symbol_path(bytes, *path, all)) path.reset();
  const std::string brought = path ? path->name : name;
  store::NewFile described;
  store::FileRecord& file = described.file;
  file.size = bytes.size();
  file.format = format_of(identity);
  file.name = path ? path->file : name;
  file.os = stored_text(identity.os);
  file.arch = stored_text(arches_of(all));
  if (!identity.debug_id.is_nil()) file.debug_id = identity.debug_id.breakpad();
  file.code_id = stored_text(base::lower_ascii(identity.code_id));
  for (const extract::Identity& slice : all) {
    // Split DWARF is for debuggers that ask for it: it describes no module on its own.
    if (slice.split != extract::Split::none) continue;
    file.has_debug |= slice.has_debug_info;
    file.has_symbols |= slice.has_symbol_table;
    file.has_code |= slice.has_code;
  }
  file.added_at = base::now();

  bool verified_path = false;
  for (SymbolKey& key : all_keys(bytes, all, brought, path)) {
    verified_path = verified_path || (path && ident::spells(path->id, key));
    described.keys.push_back({std::move(key), true});
  }
  if (extract::is_told_its_id(identity.kind)) {
    add_told_keys(told_id(path, name), brought, described);
  }
  if (path) {
    described.keys.push_back({ident::path_key(*path), verified_path});
    described.path = path->text();
  } else {
    described.path = name;
  }
  return described;
}

}  // namespace ingest
