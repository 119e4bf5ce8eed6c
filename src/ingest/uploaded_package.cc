#include "ingest/uploaded_package.h"

#include <algorithm>

#include "base/text.h"
#include "ingest/debian_source.h"
#include "ingest/scan.h"
#include "ingest/source_pack.h"
#include "ingest/stored_text.h"

namespace ingest {

using base::Error;
using base::Fault;
using base::Result;

namespace {

// What the child could not do with it is the uploader's matter, in words without our paths.
Error told_to_uploader(Error error, const std::string& archive) {
  if (error.fault == Fault::unsupported) error.fault = Fault::malformed;
  if (error.fault == Fault::timed_out) error.fault = Fault::too_large;
  if (const auto at = error.what.find(archive); at != std::string::npos) {
    error.what.replace(at, archive.size(), "the package");
  }
  error.what = base::to_valid_utf8(error.what);
  return error;
}

}  // namespace

bool is_package_name(std::string_view name) {
  const std::string lower = base::lower_ascii(name);
  const auto packages = usual_packages();
  return !lower.ends_with(".zip") &&
         std::any_of(packages.begin(), packages.end(),
                     [&](const auto& one) { return lower.ends_with(one.first); });
}

Result<UnpackedPackage> unpack_uploaded(const Packages& packages, const std::string& tmp,
                                        const std::string& archive, std::string_view file_name) {
  if (!packages.unpack) return Error{Fault::unsupported, "packages are not unpacked here"};
  base::TemporaryDirectory directory = TRY(base::TemporaryDirectory::create_in(tmp, "package"));
  UnpackedPackage package{std::move(directory), {}, {}, {}};
  UnpackJob job;
  job.archive = archive;
  job.directory = package.directory.path();
  job.disk_free_min = packages.disk_free_min;
  Result<Unpacked> unpacked = packages.unpack(job);
  if (!unpacked.ok()) return told_to_uploader(unpacked.error(), archive);
  // A watched package gives what can be read of it. An upload is kept whole, or not at all.
  if (!unpacked->problem.empty()) {
    return told_to_uploader({Fault::malformed, unpacked->problem}, archive);
  }
  for (const UnpackedMember& member : unpacked->members) {
    if (member.name.empty()) {
      return Error{Fault::malformed, "the package is one compressed file, and no archive"};
    }
    std::string name(base::basename_of(member.name));
    if (!ident::is_allowed_name(name)) name = member.file;
    const std::string path = base::join_path(job.directory, member.file);
    const auto mapped = TRY(base::MappedFile::open(path));
    if (describe(mapped->bytes(), std::nullopt, name).keys.empty()) {
      package.ignored.push_back(stored_text(member.name));
      continue;
    }
    base::PendingFile file = TRY(base::PendingFile::adopt(path));
    TRY(file.sync_and_close());
    package.files.push_back({std::move(file), std::nullopt, std::move(name), false, PathIs::told,
                             stored_text(member.name)});
  }
  if (!unpacked->sources.empty() && packages.containers != nullptr) {
    base::PendingFile pack =
        TRY(base::PendingFile::adopt(base::join_path(job.directory, kPackName)));
    TRY(pack.sync_and_close());
    rename_debian_sources(file_name, unpacked->root, unpacked->sources);
    package.sources = PackedSources{std::move(pack), std::move(unpacked->sources)};
  }
  if (package.files.empty() && !package.sources) {
    return Error{Fault::malformed, "there is no file with an id in the package, and no source"};
  }
  return package;
}

Result<std::optional<PackedSources>> pack_zip_sources(base::Bytes zip,
                                                      const archive::ZipLimits& limits,
                                                      std::set<std::string, std::less<>> members,
                                                      const std::string& tmp) {
  SourcePack pack = TRY(SourcePack::create(tmp));
  archive::ZipReader reader = TRY(archive::ZipReader::open(zip, limits));
  for (;;) {
    const std::optional<archive::ZipMember> member = TRY(reader.next());
    if (!member) break;
    if (members.erase(member->name) == 0) continue;
    std::vector<std::uint8_t> content;
    bool is_too_large = false;
    const Result<void> done = reader.read([&](base::Bytes piece) -> Result<void> {
      is_too_large = content.size() + piece.size() > kSourceSizeMax;
      if (is_too_large) return Error{Fault::too_large, "enough was read"};
      content.insert(content.end(), piece.begin(), piece.end());
      return {};
    });
    if (is_too_large) continue;
    TRY(Result<void>(done));
    TRY(pack.add(fold_member_name(member->name), content));
  }
  PackedSources packed = TRY(std::move(pack).finish());
  if (packed.sources.empty()) return std::optional<PackedSources>();
  return std::optional<PackedSources>(std::move(packed));
}

}  // namespace ingest
