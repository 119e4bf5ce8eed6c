#include "ingest/packed_files.h"

#include <algorithm>
#include <array>

#include "base/log.h"
#include "base/text.h"
#include "extract/identify.h"
#include "formats/archive/archive_reader.h"
#include "formats/archive/cab.h"

namespace ingest {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::size_t kHeadSize = 4096;  // enough to know what kind of file it is
constexpr std::array<std::string_view, 4> kCompressions{".gz", ".xz", ".zst", ".bz2"};

bool ends_as(std::string_view name, std::string_view end) {
  return name.size() > end.size() &&
         base::equal_ignoring_case(name.substr(name.size() - end.size()), end);
}

// The first bytes of the only file that `head` begins to hold; "" when it is an archive.
std::vector<std::uint8_t> find_plain_head(base::Bytes head) {
  std::vector<std::uint8_t> plain;
  auto reader =
      archive::ArchiveReader::open(head, archive::Limits(), archive::Reads::single_files_too);
  if (!reader.ok()) return plain;
  const auto member = reader->next();
  if (!member.ok() || !*member || !(*member)->name.empty()) return plain;
  // A head ends early, so the reading fails: what came before counts.
  static_cast<void>(reader->read([&](base::Bytes piece) -> Result<void> {
    plain.insert(plain.end(), piece.begin(), piece.end());
    if (plain.size() >= kHeadSize) return Error{Fault::too_large, "enough was read"};
    return {};
  }));
  return plain;
}

// What the child could not do, as the uploader's matter; nothing when the file just stays as it is.
std::optional<Error> failure_of(Error error, const std::string& archive, const std::string& name) {
  if (error.fault == Fault::malformed || error.fault == Fault::unsupported) return std::nullopt;
  if (error.fault == Fault::timed_out) error.fault = Fault::too_large;
  if (const auto at = error.what.find(archive); at != std::string::npos) {
    error.what.replace(at, archive.size(), name);
  }
  error.what = base::to_valid_utf8(error.what);
  return error;
}

// A path that says where the packed file belongs says where its content would, too.
std::optional<ident::StorePath> path_of_content(const Received& received, bool is_bundle) {
  if (!received.path || is_bundle) return std::nullopt;
  ident::StorePath path = *received.path;
  path.file = plain_name_of(path.file);
  return path;
}

}  // namespace

bool is_compressed_name(std::string_view name) {
  return std::any_of(kCompressions.begin(), kCompressions.end(),
                     [&](std::string_view end) { return ends_as(name, end); });
}

bool is_bundle_name(std::string_view name) {
  return is_compressed_name(name) && ends_as(plain_name_of(name), ".dSYM.tar");
}

std::string plain_name_of(std::string_view compressed) {
  for (const std::string_view end : kCompressions) {
    if (ends_as(compressed, end)) {
      return std::string(compressed.substr(0, compressed.size() - end.size()));
    }
  }
  return std::string(compressed);
}

std::string name_in_packed(std::string_view path, std::string_view member) {
  const std::string_view file = base::basename_of(path);
  if (member.empty()) return plain_name_of(file);
  const std::string_view inner = base::basename_of(member);
  if (!file.ends_with('_') || archive::is_cab_name_of(file, inner)) return std::string(inner);
  const std::string folder(base::basename_of(base::parent_of(base::parent_of(path))));
  return archive::is_cab_name_of(file, folder) ? folder : std::string(inner);
}

bool may_hold_debug_file(base::Bytes head, std::string_view name) {
  if (name.ends_with('_')) return archive::is_cab(head);
  if (!is_compressed_name(name) || !archive::is_compressed(head)) return false;
  return is_bundle_name(name) || may_be_debug_file(find_plain_head(head));
}

Result<std::optional<PackedContents>> unpack_packed(const Packages& packages,
                                                    const archive::ZipLimits& limits,
                                                    const std::string& tmp,
                                                    const Received& received) {
  using Contents = std::optional<PackedContents>;
  const std::string name = received.path ? received.path->file : received.name;
  if (!packages.unpack || !is_compressed_name(name)) return Contents();
  const std::string archive = received.file.path();
  const auto head = TRY(base::read_head(archive, kPackedHeadSize));
  if (!may_hold_debug_file(head, name)) return Contents();

  base::TemporaryDirectory directory = TRY(base::TemporaryDirectory::create_in(tmp, "packed"));
  PackedContents contents{std::move(directory), {}};
  UnpackJob job;
  job.archive = archive;
  job.directory = contents.directory.path();
  job.disk_free_min = packages.disk_free_min;
  const Result<Unpacked> unpacked = packages.unpack(job);
  if (!unpacked.ok() || !unpacked->problem.empty()) {
    Error error = unpacked.ok() ? Error{Fault::malformed, unpacked->problem} : unpacked.error();
    if (auto failure = failure_of(error, archive, name)) return *failure;
    base::log::info("{} is kept as it came: {}", name, base::to_valid_utf8(error.what));
    return Contents();
  }
  for (const UnpackedMember& member : unpacked->members) {
    const std::string path = base::join_path(job.directory, member.file);
    std::string inner = name_in_packed(name, member.name);
    if (!ident::is_allowed_name(inner)) inner = member.file;
    {
      const auto mapped = TRY(base::MappedFile::open(path));
      if (mapped->bytes().size() > limits.member_size_max) {
        return Error{Fault::too_large,
                     name + ": holds more bytes than " + std::to_string(limits.member_size_max)};
      }
      if (describe(mapped->bytes(), std::nullopt, inner).keys.empty()) continue;
    }
    base::PendingFile file = TRY(base::PendingFile::adopt(path));
    TRY(file.sync_and_close());
    contents.files.push_back({std::move(file), path_of_content(received, is_bundle_name(name)),
                              std::move(inner), false, PathIs::guessed});
  }
  if (contents.files.empty()) return Contents();
  return Contents(std::move(contents));
}

}  // namespace ingest
