// `faultline export-tree`: a directory tree that debuggers search by themselves, made of debug
// files wherever they lie, such as a server's blobs/. Files are linked (hard links, else copied),
// so that a tree on the same disk costs nothing.
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "extract/identify.h"

namespace cli {
namespace {

using base::Result;

constexpr std::size_t kUuidDigits = 32;

// How much a file says; the fullest gets the place.
int fullness(const extract::Identity& identity) {
  return (identity.has_debug_info ? 2 : 0) + (identity.has_symbol_table ? 1 : 0);
}

struct Candidate {
  std::string file;
  int fullness = 0;
};
using Places = std::map<std::string, Candidate>;  // by path in the tree

void offer(Places& places, const std::string& place, const std::string& file, int fullness) {
  Candidate& candidate = places[place];
  if (candidate.file.empty() || fullness > candidate.fullness) candidate = {file, fullness};
}

// .build-id/ab/cdef…  and  .build-id/ab/cdef….debug
void offer_by_build_id(Places& places, const extract::Identity& identity, const std::string& file) {
  if (identity.build_id.size() < 4) return;
  const std::string place =
      ".build-id/" + identity.build_id.substr(0, 2) + "/" + identity.build_id.substr(2);
  if (identity.has_code) offer(places, place, file, identity.has_debug_info ? 0 : 1);
  if (fullness(identity) > 0) offer(places, place + ".debug", file, fullness(identity));
}

// 2351/6BE4/29BE/350C/91C9/F36E7999F0F1, with .app for the binary.
void offer_by_uuid(Places& places, const extract::Identity& identity, const std::string& file) {
  std::string digits = base::upper_ascii(identity.uuid.empty() ? identity.build_id : identity.uuid);
  if (digits.size() != kUuidDigits) return;
  std::string place;
  for (std::size_t at = 0; at < 20; at += 4) place.append(digits.substr(at, 4)).append("/");
  place += digits.substr(20);
  if (fullness(identity) > 0) offer(places, place, file, fullness(identity));
  if (identity.has_code) offer(places, place + ".app", file, identity.has_debug_info ? 0 : 1);
}

Result<void> put(const std::string& file, const std::string& target) {
  TRY(base::make_directories(std::string(base::parent_of(target))));
  const std::string temporary = target + "." + std::to_string(::getpid());
  std::error_code failed;
  std::filesystem::create_hard_link(file, temporary, failed);
  if (failed) {
    std::filesystem::copy_file(file, temporary, std::filesystem::copy_options::overwrite_existing,
                               failed);
  }
  if (failed) return base::error_from_errno(failed.value(), "cannot write", target);
  // A link to the same file: rename() would do nothing and leave both names.
  if (std::filesystem::exists(target) && std::filesystem::equivalent(temporary, target)) {
    return base::remove_file(temporary);
  }
  if (::rename(temporary.c_str(), target.c_str()) != 0) {
    return base::error_from_errno(errno, "cannot write", target);
  }
  return {};
}

Result<std::vector<std::string>> files_below(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (!std::filesystem::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    const std::vector<std::string> found = TRY(base::list_files(path));
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

std::uint64_t size_of(const std::vector<std::string>& files) {
  std::uint64_t size = 0;
  for (const std::string& file : files) {
    std::error_code unknown;
    const auto one = std::filesystem::file_size(file, unknown);
    if (!unknown) size += one;
  }
  return size;
}

Result<std::size_t> export_tree(const std::vector<std::string>& paths, const std::string& layout,
                                const std::string& directory) {
  Places places;
  const std::vector<std::string> files = TRY(files_below(paths));
  Progress progress("reading", files.size(), size_of(files));
  for (const std::string& file : files) {
    const auto mapped = TRY(base::MappedFile::open(file));
    for (const extract::Identity& identity : extract::identify_all(mapped->bytes())) {
      if (layout == "build-id") {
        offer_by_build_id(places, identity, file);
      } else {
        offer_by_uuid(places, identity, file);
      }
    }
    progress.advance(mapped->bytes().size());
    progress.finish_one();
  }
  for (const auto& [place, candidate] : places) {
    TRY(put(candidate.file, fmt::format("{}/{}", directory, place)));
  }
  return places.size();
}

}  // namespace

int run_export_tree(int argc, char** argv) {
  std::string layout = "build-id";
  std::string directory;
  std::vector<std::string> paths;
  Options options(argv[0], "Links debug files into a tree that debuggers search by themselves.");
  options.choice("--layout", layout, {"build-id", "lldb-uuid"},
                 "build-id: gdb and LLDB; lldb-uuid: LLDB on macOS (default: build-id)");
  options.positional("TREE", directory, "the directory to fill");
  options.positionals("PATH", paths,
                      "debug files, or directories of them (a server's blobs/, too)");
  options.footer("How debuggers use it: docs/lldb-and-gdb.md");
  if (const auto code = options.parse(argc, argv)) return *code;
  const auto exported = export_tree(paths, layout, directory);
  if (!exported.ok()) return fail(exported.error().what);
  fmt::print("{} files in {}\n", *exported, directory);
  return kDone;
}

}  // namespace cli
