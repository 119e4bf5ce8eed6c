#include "cli/index_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/file.h"
#include "base/hash64.h"
#include "base/log.h"
#include "extract/symbols_from_breakpad.h"
#include "symbols/index_format.h"
#include "symbols/index_writer.h"

namespace cli {
namespace {

using SharedMap = std::shared_ptr<const symbols::Map>;

bool is_index(base::Bytes bytes) {
  constexpr std::size_t kSize = sizeof symbols::index::kMagic;
  return bytes.size() > kSize && std::memcmp(bytes.data(), symbols::index::kMagic, kSize) == 0;
}

// What the index of this state of the text is called, whatever the text is called.
std::string name_for(const std::string& path) {
  struct stat info{};
  char* real = ::realpath(path.c_str(), nullptr);
  if (real == nullptr || ::stat(real, &info) != 0) {
    std::free(real);
    return "";
  }
  const std::string state = fmt::format("{}\n{}\n{}.{:09}\n{}", real, info.st_size,
                                        info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_ino);
  std::free(real);
  return fmt::format("{:016x}{:016x}.fidx", base::hash64(base::bytes_of(state), 1),
                     base::hash64(base::bytes_of(state), 2));
}

// Whole or not at all, but without waiting for the disk: what a crash of the machine takes
// away is made again.
void keep(const std::string& path, base::Bytes bytes) {
  const std::string directory(base::parent_of(path));
  if (const auto made = base::make_directories(directory); !made.ok()) {
    base::log::info("symbol cache: {}", made.error().what);
    return;
  }
  std::string temporary = path + ".XXXXXX";
  base::Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.valid()) return;
  bool ok = true;
  while (ok && !bytes.empty()) {
    const ssize_t done = ::write(fd.get(), bytes.data(), bytes.size());
    ok = done > 0;
    if (ok) bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
  if (!ok || std::rename(temporary.c_str(), path.c_str()) != 0) ::unlink(temporary.c_str());
}

}  // namespace

base::Result<SharedMap> IndexCache::open_symbols(const std::string& path) const {
  const std::string name = directory_.empty() ? "" : name_for(path);
  const std::string kept =
      name.empty()
          ? ""
          : base::join_path(
                base::join_path(directory_, fmt::format("index-{}", symbols::index::kVersion)),
                name);
  if (!kept.empty() && base::file_exists(kept)) {
    if (auto file = base::MappedFile::open(kept); file.ok()) {
      if (auto map = symbols::Map::open(std::move(*file)); map.ok()) return map;
    }
    base::log::info("symbol cache: {} cannot be used and is made again", kept);
  }

  auto text = TRY(base::MappedFile::open(path));
  if (is_index(text->bytes())) return symbols::Map::open(std::move(text));
  std::string problem;
  extract::BreakpadReading reading;
  reading.threads = threads_;
  reading.problem = &problem;
  const symbols::Model model = extract::symbols_from_breakpad(std::move(text), reading);
  if (!problem.empty()) base::log::warning("{}: {}", path, problem);
  symbols::IndexOptions options;
  options.threads = threads_;
  auto index = TRY(symbols::write_index(model, options));
  if (!kept.empty()) keep(kept, index);
  return symbols::Map::open(base::MappedFile::from_bytes(std::move(index)));
}

}  // namespace cli
