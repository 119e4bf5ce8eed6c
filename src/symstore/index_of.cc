#include "symstore/index_of.h"

#include "base/text.h"
#include "ident/paths.h"

namespace symstore {

using extract::FileKind;

namespace {

constexpr std::size_t kGuidDigits = 32;
constexpr std::size_t kTimeStampDigits = 8;

// GUID upper case, age lower case: "C9A61DDDD7E44353A668E39AC614A7EAa".
std::string pdb_id(const ident::DebugId& id) {
  const std::string text = id.breakpad();
  return base::upper_ascii(text.substr(0, kGuidDigits)) +
         base::lower_ascii(text.substr(kGuidDigits));
}

// Time stamp upper case, size lower case: "5A0BC0C6c83000".
std::string pe_id(std::string_view code_id) {
  const std::string_view stamp = code_id.substr(0, kTimeStampDigits);
  return base::upper_ascii(stamp) + base::lower_ascii(code_id.substr(stamp.size()));
}

// SSQP pads ids that are shorter than 20 bytes.
std::string ssqp_elf_id(std::string id) {
  constexpr std::size_t kDigits = 40;
  if (id.size() < kDigits) id.append(kDigits - id.size(), '0');
  return id;
}

}  // namespace

std::optional<Indexed> index_of(const extract::Identity& identity, const std::string& file_name) {
  Indexed indexed{file_name, "", Form::binary};
  const bool has_debug_id = !identity.debug_id.is_nil();
  const Form by_symbols = identity.has_debug_info ? Form::private_symbols : Form::public_symbols;
  switch (identity.kind) {
    case FileKind::pdb:
      indexed.id = has_debug_id ? pdb_id(identity.debug_id) : base::upper_ascii(identity.old_id);
      indexed.form = by_symbols;
      break;
    case FileKind::portable_pdb:
      if (has_debug_id) {
        indexed.id = base::upper_ascii(identity.debug_id.breakpad().substr(0, kGuidDigits));
        indexed.id += "FFFFFFFF";
      }
      indexed.form = by_symbols;
      break;
    case FileKind::pe:
      if (identity.code_id.size() > kTimeStampDigits) indexed.id = pe_id(identity.code_id);
      break;
    case FileKind::elf:
      if (!identity.build_id.empty()) {
        const bool debug_only = identity.has_debug_info && !identity.has_code;
        indexed.id = (debug_only ? "elf-buildid-sym-" : "elf-buildid-") +
                     ssqp_elf_id(base::lower_ascii(identity.build_id));
        if (debug_only) indexed.name = "_.debug";
      }
      break;
    case FileKind::macho:
      if (has_debug_id) {
        const bool debug_only = identity.has_debug_info && !identity.has_code;
        indexed.id = (debug_only ? "mach-uuid-sym-" : "mach-uuid-") +
                     base::lower_ascii(identity.debug_id.breakpad().substr(0, kGuidDigits));
        if (debug_only) indexed.name = "_.dwarf";
      }
      break;
    default:
      break;
  }
  if (indexed.id.empty()) return std::nullopt;
  if (!ident::is_allowed_name(indexed.name)) return std::nullopt;
  return indexed;
}

}  // namespace symstore
