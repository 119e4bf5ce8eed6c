#include "ingest/source_pack.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/codec.h"
#include "base/text.h"

namespace ingest {

using base::Error;
using base::Fault;
using base::Result;
using store::PackedSource;

namespace {

constexpr std::size_t kFrameSize = 128 * 1024;

constexpr std::array<std::string_view, 40> kExtensions{
    "c",   "h",   "cc",  "hh",  "cpp", "hpp", "cxx", "hxx", "c++",   "h++",
    "inl", "inc", "ipp", "tcc", "def", "s",   "S",   "asm", "m",     "mm",
    "rs",  "go",  "d",   "di",  "f",   "f90", "f95", "F",   "for",   "ad",
    "adb", "ads", "y",   "l",   "yy",  "ll",  "pas", "zig", "swift", "vala"};

}  // namespace

bool is_source_path(std::string_view path) {
  if (path.find("/debian/patches/") != std::string_view::npos) return true;
  if (path.starts_with("/usr/src/") || path.find("/include/") != std::string_view::npos) {
    return true;
  }
  const std::string_view name = base::basename_of(path);
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  return std::find(kExtensions.begin(), kExtensions.end(), name.substr(dot + 1)) !=
         kExtensions.end();
}

Result<SourcePack> SourcePack::create(const std::string& directory) {
  base::PendingFile file = TRY(base::PendingFile::create(directory));
  return SourcePack(std::move(file));
}

Result<void> SourcePack::add(const std::string& path, base::Bytes content) {
  PackedSource source;
  source.path = path;
  source.skip = frame_.size();
  source.size = content.size();
  sources_.push_back(std::move(source));
  frame_.insert(frame_.end(), content.begin(), content.end());
  return frame_.size() < kFrameSize ? Result<void>() : flush();
}

Result<void> SourcePack::flush() {
  const std::vector<std::uint8_t> packed = base::compress_zstd(frame_);
  for (std::size_t i = frame_first_; i < sources_.size(); ++i) {
    sources_[i].at = file_.size();
    sources_[i].packed_size = packed.size();
    sources_[i].plain_size = frame_.size();
  }
  frame_first_ = sources_.size();
  frame_.clear();
  return file_.append(packed);
}

Result<std::vector<PackedSource>> SourcePack::finish(const std::string& target) {
  if (sources_.empty()) return std::vector<PackedSource>();
  if (frame_first_ < sources_.size()) TRY(flush());
  TRY(file_.rename_to(target));
  return std::move(sources_);
}

Result<PackedSources> SourcePack::finish() && {
  if (frame_first_ < sources_.size()) TRY(flush());
  return PackedSources{std::move(file_), std::move(sources_)};
}

Result<std::string> read_packed(const std::string& pack, const PackedSource& source) {
  const base::Fd fd(::open(pack.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return base::error_from_errno(errno, "cannot open", pack);
  if (source.packed_size > 2 * kSourceSizeMax || source.plain_size > 2 * kSourceSizeMax) {
    return Error{Fault::malformed, pack + ": a frame larger than we write"};
  }
  std::vector<std::uint8_t> packed(source.packed_size);
  std::size_t got = 0;
  while (got < packed.size()) {
    const ssize_t n = ::pread(fd.get(), packed.data() + got, packed.size() - got,
                              static_cast<off_t>(source.at + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::error_from_errno(errno, "cannot read", pack);
    if (n == 0) return Error{Fault::malformed, pack + ": ends before its frame"};
    got += static_cast<std::size_t>(n);
  }
  const auto plain = TRY(base::decompress_zstd_exactly(packed, source.plain_size));
  const auto content = base::find_slice(plain, source.skip, source.size);
  if (!content) return Error{Fault::malformed, pack + ": a source outside its frame"};
  return std::string(base::text_of(*content));
}

}  // namespace ingest
