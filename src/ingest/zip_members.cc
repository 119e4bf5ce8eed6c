#include "ingest/zip_members.h"

#include <algorithm>
#include <cctype>

#include "base/file.h"
#include "base/text.h"
#include "extract/beside.h"
#include "formats/macho/macho.h"
#include "ingest/content_keys.h"
#include "ingest/packed_files.h"
#include "ingest/unpack.h"

namespace ingest {

using base::Error;
using base::Fault;
using base::Result;

namespace {

// Enough of a member to know what kind of file it is.
constexpr std::size_t kHeadSize = 4096;
constexpr std::size_t kListSize = 1 << 20;

// What lies beside the binary in a dSYM bundle: Info.plist, relocations. And what macOS adds to
// every zip that it makes: __MACOSX/x/._y for the attributes of x/y.
bool is_furniture_of_mac(std::string_view name) {
  if (name.starts_with("__MACOSX/")) return true;
  if (macho::find_dsym_binary(name)) return false;
  const auto parts = base::split(name, '/');
  return std::any_of(parts.begin(), parts.end() - 1, [](std::string_view part) {
    constexpr std::string_view kBundle = ".dSYM";
    return part.size() > kBundle.size() &&
           base::equal_ignoring_case(part.substr(part.size() - kBundle.size()), kBundle);
  });
}

bool is_ignored(std::string_view name) {
  return base::basename_of(name) == ".DS_Store" || name.ends_with("-symbols.txt") ||
         is_furniture_of_mac(name);
}

// Names that climb, are absolute, or that some reader would take for a path of another system.
bool is_hostile(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find('\\') != std::string_view::npos) return true;
  for (std::string_view part : base::split(name, '/')) {
    if (!ident::is_allowed_name(part)) return true;
  }
  return false;
}

// The files in a NuGet symbol package that a debugger could ask for, but for the sources.
bool is_package_symbol(std::string_view name) {
  const std::string lower = base::lower_ascii(name);
  for (const std::string_view suffix :
       {".pdb", ".dll", ".exe", ".so", ".dylib", ".dbg", ".debug", ".r2rmap"}) {
    if (lower.ends_with(suffix)) return true;
  }
  return false;
}

bool is_hex(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return std::isxdigit(c) != 0; });
}

Error unrecognized(std::string_view name) {
  std::string what =
      "Unrecognized file pattern. Should only be <module>/<hex>/<file> or "
      "<name>-symbols.txt and nothing else. (First unrecognized pattern was '";
  what.append(base::to_valid_utf8(name)).append("')");
  return {Fault::malformed, std::move(what)};
}

std::optional<ident::StorePath> find_member_path(std::string_view name) {
  const auto parts = base::split(name, '/');
  constexpr std::string_view kSha1 = "sha1-";  // a source's: SSQP's main.cs/sha1-HEX/main.cs
  if (parts.size() != 3) return std::nullopt;
  const bool is_sha1 = parts[1].starts_with(kSha1) && is_hex(parts[1].substr(kSha1.size()));
  if (!is_hex(parts[1]) && !is_sha1) return std::nullopt;
  return ident::StorePath{std::string(parts[0]), std::string(parts[1]), std::string(parts[2])};
}

// A member that is under no path of ours must be a debug file, which names itself, maybe packed, or
// a source, whose content does. A .sym is refused here as Tecken refuses it: its path is how it is
// found.
Result<bool> names_itself(archive::ZipReader& reader, std::string_view name) {
  const bool is_packed = name.ends_with('_') || is_compressed_name(name);
  const bool is_list = name.ends_with(".plist");  // its key may stand anywhere
  const std::size_t enough_size = is_packed ? kPackedHeadSize : (is_list ? kListSize : kHeadSize);
  std::vector<std::uint8_t> head;
  const auto enough = [&](base::Bytes piece) -> Result<void> {
    head.insert(head.end(), piece.begin(), piece.end());
    if (head.size() >= enough_size) return Error{Fault::too_large, ""};  // stops the reading
    return {};
  };
  const Result<void> done = reader.read(enough);
  if (!done.ok() && head.size() < enough_size) return done.error();
  if (is_packed && may_hold_debug_file(head, name)) return true;
  if (is_source_text(name, head)) return true;
  const extract::FileKind kind = extract::identify(head).kind;
  if (extract::is_told_its_id(kind)) return extract::find_id_in_name(name).has_value();
  if (kind == extract::FileKind::source_bundle) return true;
  return may_be_debug_file(head) && kind != extract::FileKind::breakpad_sym;
}

// The one property list of a dSYM bundle that somebody asks for:
// A.dSYM/Contents/Resources/UUID.plist with the UUID that a bitcode build had.
Result<bool> is_uuid_map(archive::ZipReader& reader, std::string_view name) {
  const std::string_view file = base::basename_of(name);
  if (!file.ends_with(".plist") || !extract::find_id_in_name(file)) return false;
  return names_itself(reader, file);
}

}  // namespace

Result<ZipPlan> plan_zip(base::Bytes zip, const archive::ZipLimits& limits, ZipKind kind) {
  ZipPlan plan;
  bool has_symbols = false;
  std::map<std::string, std::optional<std::uint64_t>, std::less<>> sizes;
  archive::ZipReader reader = TRY(archive::ZipReader::open(zip, limits));
  for (;;) {
    const std::optional<archive::ZipMember> member = TRY(reader.next());
    if (!member) {
      if (kind == ZipKind::nuget && !has_symbols) {
        return Error{Fault::malformed, "there is no symbol file in the package"};
      }
      return plan;
    }
    if (member->kind == archive::ZipMember::Kind::directory) continue;
    const auto [seen, is_new] = sizes.emplace(member->name, member->size);
    if (!is_new && seen->second != member->size) {
      return Error{Fault::malformed, "The zipfile buffer contains two files both called " +
                                         base::to_valid_utf8(member->name) +
                                         " and they have difference sizes (" +
                                         std::to_string(member->size.value_or(0)) +
                                         " != " + std::to_string(seen->second.value_or(0)) + ")"};
    }
    // What NuGet itself puts into a package has brackets in its names.
    const bool is_symbol = is_package_symbol(member->name);
    const bool may_be_source = is_source_name(member->name) && !is_hostile(member->name);
    if (kind == ZipKind::nuget && !is_symbol && !may_be_source) {
      plan.ignored.push_back(member->name);
      continue;
    }
    if (is_hostile(member->name)) return unrecognized(member->name);
    const bool is_file = member->kind == archive::ZipMember::Kind::file;
    if (!is_file || is_ignored(member->name)) {
      bool is_wanted = false;
      if (is_file) is_wanted = TRY(is_uuid_map(reader, member->name));
      if (is_wanted) {
        plan.wanted.emplace(
            member->name, WantedMember{std::nullopt, std::string(base::basename_of(member->name))});
      } else {
        plan.ignored.push_back(member->name);
      }
      continue;
    }
    if (kind == ZipKind::tecken && fold_member_name(member->name).starts_with("/usr/src/")) {
      plan.sources.insert(member->name);
      continue;
    }
    WantedMember wanted{std::nullopt, std::string(base::basename_of(member->name))};
    if (kind == ZipKind::tecken) wanted.path = find_member_path(member->name);
    if (!wanted.path) {
      const bool is_wanted = TRY(names_itself(reader, wanted.name));
      if (!is_wanted && (is_symbol || kind == ZipKind::tecken)) return unrecognized(member->name);
      if (!is_wanted) {  // a source's name, and no text
        plan.ignored.push_back(member->name);
        continue;
      }
    }
    has_symbols |= is_symbol;
    plan.wanted.emplace(member->name, std::move(wanted));
  }
}

}  // namespace ingest
