#include "cli/dsym_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <thread>

#include "base/text.h"
#include "cli/plist.h"
#include "extract/identify.h"
#include "net/client.h"

namespace cli {

using base::Error;
using base::Fault;
using base::Result;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds kBelieveMiss{600};
constexpr std::size_t kUuidDigits = 32;

std::string place_of(const DsymOptions& options, const ModuleId& id, std::string_view part) {
  return options.cache + "/" + std::string(part) + "/" + id.shown();
}

// The file name to keep: no path of the server's, and never hidden.
std::string kept_name(std::string_view told, const ModuleId& id) {
  std::string name(base::basename_of(told));
  for (const std::string_view suffix : {".debug", ".dbg", ".dwarf"}) {
    if (name.size() > suffix.size() && name.ends_with(suffix)) {
      name.resize(name.size() - suffix.size());
    }
  }
  const bool printable = std::all_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != ':';
  });
  if (name.empty() || name.starts_with('.') || name.size() > 200 || !printable) {
    return id.shown();
  }
  return name;
}

// Another run may be fetching the same: wait for it, within the time that we have.
Result<base::Fd> lock(const DsymOptions& options, const ModuleId& id, Clock::time_point deadline) {
  TRY(base::make_directories(options.cache + "/locks"));
  const std::string path = place_of(options, id, "locks");
  base::Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd.valid()) return base::error_from_errno(errno, "cannot open", path);
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return base::error_from_errno(errno, "cannot lock", path);
    }
    if (Clock::now() >= deadline) {
      return Error{Fault::timed_out, "another download of these symbols takes too long"};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return fd;
}

// The only file in a directory; "" when there is none.
std::string only_file(const std::string& directory) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    if (entry.is_regular_file(ignored)) return entry.path().string();
  }
  return "";
}

std::string find_symbols(const DsymOptions& options, const ModuleId& id) {
  std::error_code ignored;
  const std::string directory = place_of(options, id, "dsyms");
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    if (entry.path().extension() != ".dSYM") continue;
    std::string file = only_file(entry.path().string() + "/Contents/Resources/DWARF");
    if (!file.empty()) return file;
  }
  return "";
}

std::optional<std::string> find_miss(const DsymOptions& options, const ModuleId& id) {
  if (options.ignore_misses) return std::nullopt;
  const std::string path = place_of(options, id, "misses");
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  if (std::time(nullptr) - info.st_mtime > kBelieveMiss.count()) return std::nullopt;
  auto text = base::read_file(path, 4096);
  if (!text.ok()) return std::nullopt;
  return std::string(base::trim(*text));
}

struct Download {
  base::PendingFile file;
  std::string name;
};

Result<Download> download(const std::string& url, const DsymOptions& options, const ModuleId& id,
                          Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
  if (left.count() <= 0) return Error{Fault::timed_out, "no time is left for " + url};
  net::ClientOptions client;
  client.total_timeout = left;
  net::ClientRequest request;
  request.url = url;
  if (!options.token.empty()) request.headers.set("Authorization", "Bearer " + options.token);
  TRY(base::make_directories(options.cache + "/tmp"));
  Download result{TRY(base::PendingFile::create(options.cache + "/tmp")), ""};
  const net::ClientAnswer answer = TRY(net::Client(client).download(request, result.file));
  if (answer.status != 200) {
    return Error{net::fault_of_status(answer.status),
                 url + ": the server answered " + std::to_string(answer.status)};
  }
  result.name = kept_name(answer.headers.find("X-DEBUGINFOD-FILE").value_or(""), id);
  return result;
}

// By build id, which is also how debuginfod's clients ask for a Mach-O; then as .NET asks.
Result<Download> download_symbols(const DsymOptions& options, const ModuleId& id,
                                  Clock::time_point deadline) {
  auto first = download(net::join_url(options.url, "/buildid/" + id.hex + "/debuginfo"), options,
                        id, deadline);
  if (first.ok() || first.error().fault != Fault::not_found || id.hex.size() != kUuidDigits) {
    return first;
  }
  return download(net::join_url(options.url, "/_.dwarf/mach-uuid-sym-" + id.hex + "/_.dwarf"),
                  options, id, deadline);
}

Result<void> link_to(const std::string& target, const std::string& path) {
  TRY(base::make_directories(std::string(base::parent_of(path))));
  const std::string temporary = path + "." + std::to_string(::getpid());
  if (::symlink(target.c_str(), temporary.c_str()) != 0 ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    return base::error_from_errno(errno, "cannot link", path);
  }
  return {};
}

// The id by which debuggers ask for that slice; nothing when it has none.
std::optional<ModuleId> id_of(const extract::Identity& slice) {
  if (!slice.build_id.empty()) return ModuleId{slice.build_id};
  if (!slice.uuid.empty()) return ModuleId{slice.uuid};
  if (slice.debug_id.is_nil()) return std::nullopt;
  return ModuleId{base::lower_ascii(slice.debug_id.breakpad()).substr(0, kUuidDigits)};
}

// Of the slice with that id, or of the file's only one. "arm64" and "x86_64" are Apple's words,
// too; "x86" is its i386.
std::string apple_arch(const std::string& path, const ModuleId& id) {
  const auto file = base::MappedFile::open(path);
  if (!file.ok()) return "";
  const std::vector<extract::Identity> slices = extract::identify_all((*file)->bytes());
  const auto found =
      std::find_if(slices.begin(), slices.end(), [&](const extract::Identity& slice) {
        const auto own = id_of(slice);
        return own && own->hex == id.hex;
      });
  if (found == slices.end() && slices.size() > 1) return "";
  const std::string& arch = found == slices.end() ? slices.front().arch : found->arch;
  if (arch == "x86") return "i386";
  return arch == "unknown" ? "" : arch;
}

Result<void> write_bundle_texts(const DsymOptions& options, const ModuleId& id,
                                const std::string& bundle, const std::string& arch) {
  Plist info = Plist::dictionary();
  info.add("CFBundleIdentifier", "com.apple.xcode.dsym." + id.shown());
  info.add("CFBundlePackageType", "dSYM");
  const std::string info_text = info.document();
  TRY(base::write_file_durably(bundle + "/Contents/Info.plist", base::bytes_of(info_text)));

  // LLDB reads the dictionary of source paths from here only, not from what we print.
  Plist own = Plist::dictionary();
  if (!arch.empty()) own.add("DBGArchitecture", arch);
  if (!options.source_maps.empty()) {
    own.add("DBGBuildSourcePath", options.source_maps.front().build);
    own.add("DBGSourcePath", options.source_maps.front().present);
    own.add("DBGVersion", "3");
    Plist all = Plist::dictionary();
    for (const SourceMap& map : options.source_maps) all.add(map.build, map.present);
    own.add("DBGSourcePathRemapping", std::move(all));
  }
  const std::string text = own.document();
  return base::write_file_durably(bundle + "/Contents/Resources/" + id.shown() + ".plist",
                                  base::bytes_of(text));
}

Result<void> add_links(const DsymOptions& options, const ModuleId& id, const std::string& symbols) {
  const std::string absolute = std::filesystem::absolute(symbols).string();
  TRY(link_to(absolute, options.cache + "/.build-id/" + id.hex.substr(0, 2) + "/" +
                            id.hex.substr(2) + ".debug"));
  if (id.hex.size() != kUuidDigits) return {};
  std::string path = options.cache + "/uuids";
  const std::string digits = base::upper_ascii(id.hex);
  for (std::size_t at = 0; at < 20; at += 4) path.append("/").append(digits.substr(at, 4));
  return link_to(absolute, path + "/" + digits.substr(20));
}

Result<std::string> fetch_symbols(const DsymOptions& options, const ModuleId& id,
                                  Clock::time_point deadline) {
  Download got = TRY(download_symbols(options, id, deadline));
  const std::string bundle = place_of(options, id, "dsyms") + "/" + got.name + ".dSYM";
  const std::string path = bundle + "/Contents/Resources/DWARF/" + got.name;
  TRY(base::make_directories(std::string(base::parent_of(path))));
  TRY(write_bundle_texts(options, id, bundle, apple_arch(got.file.path(), id)));
  TRY(got.file.commit(path));
  TRY(add_links(options, id, path));
  return path;
}

std::string fetch_executable(const DsymOptions& options, const ModuleId& id,
                             Clock::time_point deadline) {
  const std::string directory = place_of(options, id, "dsyms") + "/executable";
  std::string have = only_file(directory);
  if (!have.empty()) return have;
  auto got = download(net::join_url(options.url, "/buildid/" + id.hex + "/executable"), options, id,
                      deadline);
  if (!got.ok()) return "";
  const std::string path = directory + "/" + got->name;
  return got->file.commit(path).ok() ? path : "";
}

}  // namespace

std::optional<ModuleId> ModuleId::find(std::string_view text) {
  ModuleId id{base::lower_ascii(text)};
  id.hex.erase(std::remove(id.hex.begin(), id.hex.end(), '-'), id.hex.end());
  if (id.hex.size() < 8 || id.hex.size() > 128 || !base::bytes_from_hex(id.hex)) {
    return std::nullopt;
  }
  return id;
}

std::string ModuleId::shown() const {
  std::string text = base::upper_ascii(hex);
  if (hex.size() != kUuidDigits) return text;
  for (const std::size_t at : {20u, 16u, 12u, 8u}) text.insert(at, "-");
  return text;
}

Result<std::vector<ModuleId>> ids_of_file(const std::string& path) {
  const auto file = base::MappedFile::open(path);
  if (!file.ok()) {
    return Error{Fault::not_found, path + ": neither a UUID nor a file that can be read"};
  }
  std::vector<ModuleId> ids;
  const auto slices = extract::identify_all((*file)->bytes());
  for (const extract::Identity& slice : slices) {
    auto id = id_of(slice);
    if (!id) continue;
    const bool is_new = std::none_of(ids.begin(), ids.end(),
                                     [&](const ModuleId& other) { return other.hex == id->hex; });
    if (is_new) ids.push_back(std::move(*id));
  }
  if (ids.empty()) return Error{Fault::not_found, path + ": has no UUID or build id"};
  return ids;
}

Result<Located> locate(const ModuleId& id, const DsymOptions& options) {
  const Clock::time_point deadline = Clock::now() + options.timeout;
  const base::Fd held = TRY(lock(options, id, deadline));
  Located located;
  located.symbols = find_symbols(options, id);
  if (located.symbols.empty()) {
    if (const auto miss = find_miss(options, id)) return Error{Fault::not_found, *miss};
    auto fetched = fetch_symbols(options, id, deadline);
    if (!fetched.ok()) {
      if (fetched.error().fault == Fault::not_found) {
        const std::string text = fetched.error().what + "\n";
        TRY(base::make_directories(options.cache + "/misses"));
        TRY(base::write_file_durably(place_of(options, id, "misses"), base::bytes_of(text)));
      }
      return std::move(fetched).error();
    }
    located.symbols = std::move(*fetched);
    (void)base::remove_file(place_of(options, id, "misses"));
  }
  located.arch = apple_arch(located.symbols, id);
  if (options.want_executable) located.executable = fetch_executable(options, id, deadline);
  return located;
}

}  // namespace cli
