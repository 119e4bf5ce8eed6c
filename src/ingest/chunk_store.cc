#include "ingest/chunk_store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "base/digest.h"
#include "base/text.h"

namespace ingest {

using base::DigestKind;
using base::Error;
using base::Fault;
using base::PendingFile;
using base::Result;

bool is_sha1(std::string_view text) {
  return text.size() == 40 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Result<std::unique_ptr<ChunkStore>> ChunkStore::open(const std::string& directory) {
  TRY(base::make_directories(directory));
  return std::unique_ptr<ChunkStore>(new ChunkStore(directory));
}

std::string ChunkStore::path_of(std::string_view sha1) const {
  return base::join_path(directory_, sha1);
}

bool ChunkStore::hold(std::string_view sha1) {
  return is_sha1(sha1) && ::utimensat(AT_FDCWD, path_of(sha1).c_str(), nullptr, 0) == 0;
}

Result<void> ChunkStore::put(std::string_view sha1, base::Bytes bytes) {
  if (!is_sha1(sha1) || base::hex_digest_of(bytes, DigestKind::sha1) != sha1) {
    return Error{Fault::malformed, "a chunk's name is not the SHA-1 of its bytes"};
  }
  PendingFile file = TRY(PendingFile::create(directory_));
  TRY(file.append(bytes));
  return file.rename_to(path_of(sha1));
}

Result<PendingFile> ChunkStore::join(const std::vector<std::string>& sha1s,
                                     std::string_view whole_sha1, const std::string& tmp,
                                     std::uint64_t size_max) {
  PendingFile whole = TRY(PendingFile::create(tmp));
  base::DigestStream digest(DigestKind::sha1);
  for (const std::string& sha1 : sha1s) {
    if (!is_sha1(sha1)) return Error{Fault::malformed, "a chunk's name is no SHA-1"};
    const auto piece = TRY(base::MappedFile::open(path_of(sha1)));
    if (base::hex_digest_of(piece->bytes(), DigestKind::sha1) != sha1) {
      static_cast<void>(base::remove_file(path_of(sha1)));
      return Error{Fault::not_found, "a chunk was damaged"};
    }
    if (whole.size() + piece->bytes().size() > size_max) {
      return Error{Fault::too_large, "the file is larger than the limit"};
    }
    digest.update(piece->bytes());
    TRY(whole.append(piece->bytes()));
  }
  if (digest.finish() != whole_sha1) {
    return Error{Fault::malformed, "the chunks do not make the file that was announced"};
  }
  return whole;
}

std::uint64_t ChunkStore::sweep(std::chrono::seconds age) {
  const auto files = base::list_files(directory_);
  if (!files.ok()) return 0;
  std::uint64_t removed = 0;
  const auto oldest = std::filesystem::file_time_type::clock::now() - age;
  for (const std::string& path : *files) {
    std::error_code error;
    const auto last = std::filesystem::last_write_time(path, error);
    if (!error && last < oldest && base::remove_file(path).ok()) ++removed;
  }
  return removed;
}

}  // namespace ingest
