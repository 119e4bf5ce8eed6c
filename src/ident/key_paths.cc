#include "ident/key_paths.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "ident/paths.h"

namespace ident {
namespace {

constexpr std::size_t kSsqpBuildIdDigits = 40;
constexpr std::size_t kUuidDigits = 32;

std::string in_folder(std::string_view name, std::string_view id, std::string_view file) {
  return std::string(name).append("/").append(id).append("/").append(file);
}

std::string in_folder(std::string_view name, std::string_view id) {
  return in_folder(name, id, name);
}

std::string padded(std::string_view id, std::size_t digits) {
  std::string text(id);
  if (text.size() < digits) text.resize(digits, '0');
  return text;
}

// SSQP writes names, GUIDs and ages in lower case, but a portable PDB's age in capitals.
std::string ssqp_debug_id(const DebugId& id, bool portable) {
  const std::string text = base::lower_ascii(id.breakpad());
  return portable ? text.substr(0, kUuidDigits) + "FFFFFFFF" : text;
}

class Paths {
 public:
  explicit Paths(const ModuleNames& module) : m_(module), lower_name_(base::lower_ascii(m_.name)) {}

  std::vector<KeyPath> all() {
    switch (m_.form) {
      case Form::elf:
        add_elf();
        break;
      case Form::pe:
        add_pe();
        break;
      case Form::pdb:
      case Form::portable_pdb:
        add_pdb({m_.name, m_.debug_id, m_.old_id, m_.form == Form::portable_pdb}, m_.is_msfz);
        break;
      case Form::macho:
        add_macho();
        break;
      case Form::wasm:
        add_wasm();
        break;
      case Form::perf_map:
        add_perf_map({m_.name, m_.uuid});
        break;
      case Form::sym:
        add_sym(m_.name, m_.debug_id);
        break;
      case Form::beside:
        add_beside();
        break;
      case Form::other:
        break;
    }
    return in_order_of_protocols();
  }

 private:
  std::vector<KeyPath> in_order_of_protocols() {
    std::vector<KeyPath> sorted;
    for (const Protocol protocol :
         {Protocol::breakpad, Protocol::symstore, Protocol::ssqp, Protocol::debuginfod,
          Protocol::native_tree, Protocol::unified}) {
      for (KeyPath& found : paths_) {
        if (found.protocol == protocol) sorted.push_back(std::move(found));
      }
    }
    return sorted;
  }

  void add(Protocol protocol, Role role, std::string path) {
    KeyPath found{protocol, role, std::move(path)};
    if (std::find(paths_.begin(), paths_.end(), found) == paths_.end()) {
      paths_.push_back(std::move(found));
    }
  }

  void add_sym(const std::string& name, const DebugId& id) {
    if (id.is_nil()) return;
    add(Protocol::breakpad, Role::sym, in_folder(name, id.breakpad(), sym_file_name(name)));
    add_unified(base::lower_ascii(id.breakpad()), Role::sym);
  }

  void add_unified(std::string_view id, Role role) {
    if (id.size() < 3) return;
    const std::string_view word = role == Role::code     ? "executable"
                                  : role == Role::debug  ? "debuginfo"
                                  : role == Role::beside ? std::string_view(m_.word)
                                                         : "breakpad";
    add(Protocol::unified, role, in_folder(id.substr(0, 2), id.substr(2), word));
  }

  void add_elf() {
    add_sym(m_.name, m_.debug_id);
    const std::string& id = m_.build_id;
    if (id.size() < 4) return;
    const std::string ssqp_id = padded(id, kSsqpBuildIdDigits);
    add(Protocol::ssqp, Role::code, in_folder(lower_name_, "elf-buildid-" + ssqp_id));
    add(Protocol::ssqp, Role::debug, in_folder("_.debug", "elf-buildid-sym-" + ssqp_id));
    if (m_.has_code) add(Protocol::debuginfod, Role::code, "/buildid/" + id + "/executable");
    if (m_.has_debug) add(Protocol::debuginfod, Role::debug, "/buildid/" + id + "/debuginfo");
    const std::string tree = id.substr(0, 2) + "/" + id.substr(2);
    if (m_.has_code) add(Protocol::native_tree, Role::code, tree);
    add(Protocol::native_tree, Role::debug, tree + ".debug");
    if (m_.has_code) add_unified(id, Role::code);
    if (m_.has_debug) add_unified(id, Role::debug);
  }

  void add_macho() {
    add_sym(m_.name, m_.debug_id);
    const std::string& id = m_.uuid;
    if (id.size() != kUuidDigits) return;
    if (!m_.is_dsym) add(Protocol::ssqp, Role::code, in_folder(lower_name_, "mach-uuid-" + id));
    add(Protocol::ssqp, Role::debug, in_folder("_.dwarf", "mach-uuid-sym-" + id));
    std::string tree = base::upper_ascii(id);
    for (const std::size_t at : {20u, 16u, 12u, 8u, 4u}) tree.insert(at, "/");
    add(Protocol::native_tree, m_.is_dsym ? Role::debug : Role::code, tree);
    add_unified(id, m_.is_dsym ? Role::debug : Role::code);
  }

  void add_pe() {
    if (!m_.code_id.empty()) {
      add(Protocol::symstore, Role::code, in_folder(m_.name, m_.code_id));
      add(Protocol::ssqp, Role::code, in_folder(lower_name_, m_.code_id));
    }
    if (!m_.debug_id.is_nil()) add_unified(base::lower_ascii(m_.debug_id.breakpad()), Role::code);
    for (const DebugFile& pdb : m_.debug_files) add_pdb(pdb, false);
    for (const PerfMapFile& map : m_.perf_maps) add_perf_map(map);
    add_clr();
  }

  void add_pdb(const DebugFile& pdb, bool msfz) {
    std::string lower = base::lower_ascii(pdb.name);
    if (msfz && lower.ends_with(".pdz")) lower.back() = 'b';  // it is asked for as a .pdb
    if (pdb.debug_id.is_nil()) {
      if (pdb.old_id.empty()) return;
      add(Protocol::symstore, Role::debug, in_folder(pdb.name, base::upper_ascii(pdb.old_id)));
      add(Protocol::ssqp, Role::debug, in_folder(lower, pdb.old_id));
      return;
    }
    const std::string ssqp_id = ssqp_debug_id(pdb.debug_id, pdb.portable);
    add(Protocol::ssqp, Role::debug, in_folder(lower, ssqp_id + (msfz ? "/msfz0" : "")));
    if (pdb.portable || msfz) return;  // symstore knows neither
    add(Protocol::symstore, Role::debug, in_folder(pdb.name, pdb.debug_id.breakpad()));
    add_sym(pdb.name, pdb.debug_id);
    add_unified(base::lower_ascii(pdb.debug_id.breakpad()), Role::debug);
  }

  void add_wasm() {
    if (m_.build_id.empty()) return;
    add_sym(m_.name, m_.debug_id);
    add(Protocol::ssqp, Role::code, in_folder(lower_name_, m_.build_id));
    if (m_.has_code) add_unified(m_.build_id, Role::code);
    if (m_.has_debug) add_unified(m_.build_id, Role::debug);
  }

  void add_perf_map(const PerfMapFile& map) {
    if (map.signature.size() != kUuidDigits) return;
    add(Protocol::ssqp, Role::perf_map,
        in_folder(base::lower_ascii(map.name), "r2rmap-v1-" + map.signature));
  }

  // By the id that the tree has for the module itself.
  void add_beside() {
    if (!m_.build_id.empty()) {
      add_unified(m_.build_id, Role::beside);
    } else if (!m_.uuid.empty()) {
      add_unified(m_.uuid, Role::beside);
    } else if (!m_.debug_id.is_nil()) {
      add_unified(base::lower_ascii(m_.debug_id.breakpad()), Role::beside);
    }
  }

  // .NET's runtime is debugged with helpers that are filed under the runtime's own id, for each
  // machine that the debugger may run on.
  void add_clr() {
    const bool core = lower_name_ == "coreclr.dll";
    if ((!core && lower_name_ != "clr.dll") || m_.code_id.empty()) return;
    const auto add_helper = [&](const std::string& file) {
      add(Protocol::ssqp, Role::clr, in_folder(file, m_.code_id));
    };
    const std::string dac = core ? "mscordaccore" : "mscordacwks";
    add_helper(dac + ".dll");
    add_helper("mscordbi.dll");
    if (m_.file_version.empty()) return;
    const std::string target = m_.arch == "x86_64" ? "amd64" : m_.arch;
    std::vector<std::string> hosts{target};
    if (target == "arm64") hosts.emplace_back("amd64");
    if (target == "arm") hosts.emplace_back("x86");
    for (const std::string& host : hosts) {
      const std::string tail = fmt::format("_{}_{}_{}.dll", host, target, m_.file_version);
      add_helper(dac + tail);
      if (!core) add_helper("sos" + tail);
    }
  }

  const ModuleNames& m_;
  std::string lower_name_;
  std::vector<KeyPath> paths_;
};

}  // namespace

std::string_view name_of(Protocol protocol) {
  constexpr std::array<std::string_view, 6> kNames{"breakpad",   "symstore",    "ssqp",
                                                   "debuginfod", "native_tree", "unified"};
  return kNames.at(static_cast<std::size_t>(protocol));
}

std::string_view name_of(Role role) {
  constexpr std::array<std::string_view, 6> kNames{"code",     "debug", "sym",
                                                   "perf_map", "clr",   "beside"};
  return kNames.at(static_cast<std::size_t>(role));
}

std::vector<KeyPath> key_paths(const ModuleNames& module) { return Paths(module).all(); }

}  // namespace ident
