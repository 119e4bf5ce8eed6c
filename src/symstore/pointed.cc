#include "symstore/pointed.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/text.h"
#include "extract/identify.h"
#include "ident/paths.h"
#include "symstore/admin_files.h"
#include "symstore/foreign_file.h"
#include "symstore/index_of.h"

namespace symstore {

using base::Error;
using base::Fault;
using base::Result;

namespace {

// More than a PDB of 4 KiB blocks can have.
constexpr std::uint64_t kPointedSizeMax = 4ull << 30;
// What is larger is mapped: a few of its pages say who it is, and to read all of it would take its
// size in memory, and its time from everybody whose lookup waits meanwhile.
constexpr std::uint64_t kReadMax = 16ull << 20;

// Where NAME/ID would be in a tree at `root`; the tree need not have it, nor spell it so: what
// pointers say begins with "..".
std::vector<std::string> places_of(const std::string& given_root, const std::string& name,
                                   const std::string& id) {
  std::error_code failed;
  std::string root = std::filesystem::canonical(given_root, failed).string();
  if (failed) root = given_root;
  const std::string one = base::join_path(base::join_path(root, name), id);
  const std::string two =
      base::join_path(base::join_path(base::join_path(root, name.substr(0, 2)), name), id);
  return {one, two};
}

Result<extract::Identity> identify_target(const PointerTarget& target) {
  struct stat info{};
  if (::fstat(target.fd.get(), &info) != 0) {
    return base::error_from_errno(errno, "cannot stat", target.path);
  }
  if (static_cast<std::uint64_t>(info.st_size) <= kReadMax) {
    const auto bytes = TRY(read_foreign(target.fd, target.path, kReadMax));
    return extract::identify(bytes);
  }
  const auto mapped =
      TRY(base::MappedFile::open("/proc/self/fd/" + std::to_string(target.fd.get())));
  if (mapped->bytes().size() > kPointedSizeMax) {
    return Error{Fault::too_large, target.path + ": is larger than " +
                                       std::to_string(kPointedSizeMax) +
                                       " bytes, the most that is looked into"};
  }
  return extract::identify(mapped->bytes());
}

// Whether the bytes bear the id under which the pointer was stored.
Result<bool> bears(const PointerTarget& target, const std::string& name, const std::string& id) {
  const extract::Identity identity = TRY(identify_target(target));
  const auto indexed = index_of(identity, name);
  return indexed && base::equal_ignoring_case(indexed->id, id);
}

Result<PointerTarget> open_in(const std::string& root, std::string_view target,
                              const std::string& name, const std::string& id,
                              const PointerRoots& roots) {
  const bool is_relative =
      !target.starts_with('/') && !target.starts_with('\\') && target.find(':') != 1;
  if (!is_relative) return follow_pointer(root, root, target, roots);
  Error miss{Fault::not_found, "file.ptr leads to no file below " + root};
  for (const std::string& place : places_of(root, name, id)) {
    auto opened = follow_pointer(root, root, place + "/" + std::string(target), roots);
    if (opened.ok()) return opened;
    if (opened.error().fault != Fault::not_found) miss = std::move(opened).error();
  }
  return miss;
}

}  // namespace

Result<PointerTarget> open_pointed(std::string_view pointer_text, const std::string& name,
                                   const std::string& id, const PointerRoots& roots,
                                   const std::vector<std::string>& lies_in) {
  const Pointer pointer = parse_pointer(pointer_text);
  if (pointer.is_message) {
    return Error{Fault::not_found, "file.ptr says: " + base::to_valid_utf8(pointer.text)};
  }
  Error miss{Fault::denied, "file.ptr leads out of the directories that pointers may lead into"};
  const auto try_one = [&](Result<PointerTarget> opened) -> Result<std::optional<PointerTarget>> {
    if (!opened.ok()) {
      if (opened.error().fault != Fault::not_found) miss = std::move(opened).error();
      return std::optional<PointerTarget>();
    }
    const bool fits = TRY(bears(*opened, name, id));
    if (fits) return std::optional(std::move(opened).value());
    miss = {Fault::denied, "file.ptr points to a file that does not bear this id"};
    return std::optional<PointerTarget>();
  };
  for (const std::string& directory : lies_in) {
    // The watched directory above it is among the roots: nothing else is allowed to it either.
    auto found = TRY(try_one(follow_pointer("", directory, pointer.text, roots)));
    if (found) return std::move(*found);
  }
  for (const std::string& root : roots.directories) {
    auto found = TRY(try_one(open_in(root, pointer.text, name, id, roots)));
    if (found) return std::move(*found);
  }
  return miss;
}

Result<PointerRoots> parse_pointer_roots(std::string_view text) {
  PointerRoots roots;
  std::string lines(text);
  std::replace(lines.begin(), lines.end(), ';', '\n');
  for (const std::string_view part : base::split(lines, '\n')) {
    const std::string_view line = base::trim(part);
    if (line.empty()) continue;
    const auto equals = line.starts_with('/') ? std::string_view::npos : line.find('=');
    const std::string_view directory =
        equals == std::string_view::npos ? line : base::trim(line.substr(equals + 1));
    const std::string_view share = equals == std::string_view::npos ? "" : line.substr(0, equals);
    const bool is_share = share.starts_with("\\\\") || (share.size() > 1 && share[1] == ':');
    if (!directory.starts_with('/') || (!share.empty() && !is_share)) {
      return Error{Fault::malformed, base::to_valid_utf8(line) +
                                         ": expected /directory or \\\\server\\share=/directory"};
    }
    if (share.empty()) {
      roots.directories.emplace_back(directory);
    } else {
      roots.shares.push_back({std::string(base::trim(share)), std::string(directory)});
      roots.directories.emplace_back(directory);
    }
  }
  return roots;
}

}  // namespace symstore
