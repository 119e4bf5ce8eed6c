#include "ingest/ingest.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "ingest/cabinets.h"
#include "ingest/companions.h"
#include "ingest/packed_files.h"
#include "ingest/stored_text.h"
#include "ingest/uploaded_package.h"
#include "ingest/zip_members.h"
#include "store/transactions.h"

namespace ingest {

using base::Error;
using base::Fault;
using base::Result;

namespace {

// A project that asks for it takes nothing that is not what it is called.
Result<void> refuse_unverified(const store::NewFile& file) {
  if (file.keys.empty()) {
    return Error{Fault::malformed, file.path +
                                       ": this project is strict and takes only files "
                                       "that it can read"};
  }
  for (const store::KeyRecord& record : file.keys) {
    if (record.verified) continue;
    return Error{Fault::malformed, file.path +
                                       ": this project is strict, and the file's own ids "
                                       "are not those of its path"};
  }
  return {};
}

}  // namespace

store::Upload upload_of(const Bringer& bringer) {
  store::Upload upload;
  upload.id = bringer.upload_id;
  upload.peer = bringer.peer;
  upload.way = bringer.way;
  upload.project = bringer.project;
  upload.is_try = bringer.is_try;
  if (bringer.is_try) upload.expires_at = bringer.expires_at;
  upload.token = bringer.token;
  upload.user = bringer.user;
  upload.download_url = stored_text(bringer.download_url);
  for (const std::string& url : bringer.redirect_urls) {
    upload.redirect_urls.push_back(stored_text(url));
  }
  return upload;
}

Result<Receipt> Ingest::keep_file(const Bringer& bringer, Received received) {
  store::Upload upload = upload_of(bringer);
  if (received.for_store) upload.way = store::kTransactionWay;
  upload.file_name = received.path ? received.path->text() : received.name;
  upload.size = received.file.size();
  TRY(received.file.sync_and_close());
  std::vector<Received> all;
  all.push_back(std::move(received));
  return keep_all(bringer, std::move(upload), std::move(all));
}

Result<Receipt> Ingest::keep_zip(const Bringer& bringer, const std::string& file_name,
                                 base::Bytes zip, ZipKind kind) {
  ZipPlan plan = TRY(plan_zip(zip, zip_limits_, kind));
  // Everything is unpacked and synced before anything is kept: when the disk fills up half way,
  // the temporary files go and nothing else was touched.
  std::vector<Received> all;
  archive::ZipReader reader = TRY(archive::ZipReader::open(zip, zip_limits_));
  for (;;) {
    const std::optional<archive::ZipMember> member = TRY(reader.next());
    if (!member) break;
    const auto wanted = plan.wanted.find(member->name);
    if (wanted == plan.wanted.end()) continue;
    base::PendingFile file = TRY(blobs_.create());
    TRY(reader.read([&](base::Bytes piece) { return file.append(piece); }));
    TRY(file.sync_and_close());
    all.push_back({std::move(file), std::move(wanted->second.path), wanted->second.name, false,
                   PathIs::guessed, stored_text(fold_member_name(member->name))});
    plan.wanted.erase(wanted);  // the same name again brings the same file
  }
  std::optional<PackedSources> sources;
  if (packages_.containers != nullptr && !plan.sources.empty()) {
    sources = TRY(pack_zip_sources(zip, zip_limits_, std::move(plan.sources), blobs_.tmp()));
  }
  store::Upload upload = upload_of(bringer);
  upload.file_name = stored_text(file_name);
  upload.size = zip.size();
  for (const std::string& name : plan.ignored) upload.ignored.push_back(stored_text(name));
  std::vector<std::string> ignored = upload.ignored;
  Receipt receipt = TRY(keep_all(bringer, std::move(upload), std::move(all), std::move(sources)));
  receipt.ignored = std::move(ignored);
  return receipt;
}

Result<Receipt> Ingest::keep_package(const Bringer& bringer, const std::string& file_name,
                                     const std::string& path, std::uint64_t size) {
  UnpackedPackage package = TRY(unpack_uploaded(packages_, blobs_.tmp(), path, file_name));
  store::Upload upload = upload_of(bringer);
  upload.file_name = stored_text(file_name);
  upload.size = size;
  upload.ignored = package.ignored;
  Receipt receipt = TRY(
      keep_all(bringer, std::move(upload), std::move(package.files), std::move(package.sources)));
  receipt.ignored = std::move(package.ignored);
  return receipt;
}

struct Ingest::Arrived {
  std::vector<base::TemporaryDirectory> directories;  // where the files lie, so they go last
  std::vector<store::NewFile> described;
  std::vector<base::PendingFile> files;
  std::uint64_t unpacked_size = 0;

  Result<void> add(Received received) {
    const auto bytes = TRY(base::MappedFile::open(received.file.path()));
    described.push_back(describe(bytes->bytes(), received.path, received.name, received.path_is));
    described.back().member = std::move(received.member);
    files.push_back(std::move(received.file));
    return {};
  }
};

namespace {

// A packed file says nothing of itself: its path is good when it is that of what it holds.
bool bears(const store::NewFile& file, const ident::StorePath& path) {
  return std::any_of(file.keys.begin(), file.keys.end(), [&](const store::KeyRecord& record) {
    return record.verified && ident::spells(path.id, record.key);
  });
}

}  // namespace

// A packed debug file is kept under its path, and what it holds under its own ids. Without a place
// of its own it is what it holds.
Result<void> Ingest::arrive(Received received, std::uint64_t upload_size, Arrived& arrived) {
  if (received.for_store) return arrived.add(std::move(received));
  TRY(expand_cabinet(blobs_, zip_limits_, received));
  auto contents = TRY(unpack_packed(packages_, zip_limits_, blobs_.tmp(), received));
  if (!contents) return arrived.add(std::move(received));

  const std::size_t first = arrived.described.size();
  arrived.directories.push_back(std::move(contents->directory));
  for (Received& inside : contents->files) {
    arrived.unpacked_size += inside.file.size();
    inside.member = received.member;
    TRY(arrived.add(std::move(inside)));
  }
  if (arrived.unpacked_size > zip_limits_.ratio_free_size &&
      arrived.unpacked_size / zip_limits_.ratio_max > upload_size) {
    return Error{Fault::too_large,
                 "the compressed files expand to more than the upload's size times " +
                     std::to_string(zip_limits_.ratio_max)};
  }
  if (!received.path) return {};
  const bool verified = std::any_of(
      arrived.described.begin() + static_cast<std::ptrdiff_t>(first), arrived.described.end(),
      [&](const store::NewFile& file) { return bears(file, *received.path); });
  const bool is_meant = received.path_is == PathIs::told || verified ||
                        is_named_after(received.path->file, received.path->name);
  if (!is_meant) return {};
  TRY(arrived.add(std::move(received)));
  for (store::KeyRecord& record : arrived.described.back().keys) record.verified = verified;
  // Who brought it looks for what it brought before what we made of it.
  std::rotate(arrived.described.begin() + static_cast<std::ptrdiff_t>(first),
              arrived.described.end() - 1, arrived.described.end());
  std::rotate(arrived.files.begin() + static_cast<std::ptrdiff_t>(first), arrived.files.end() - 1,
              arrived.files.end());
  return {};
}

// REQUIRES: each file is synced. Blobs first, then rows.
Result<Receipt> Ingest::keep_all(const Bringer& bringer, store::Upload upload,
                                 std::vector<Received> all, std::optional<PackedSources> sources) {
  Arrived arrived;
  for (Received& received : all) TRY(arrive(std::move(received), upload.size, arrived));
  std::vector<store::NewFile>& described = arrived.described;
  for (const store::NewFile& file : described) {
    if (bringer.is_strict) TRY(refuse_unverified(file));
  }
  const ident::Scope scope{bringer.project, bringer.is_try};
  TRY(join_packages(catalog_, scope, described));
  const std::shared_lock in_use(blobs_.in_use());
  const auto admit = [&](const std::vector<base::Sha256>& hashes) -> Result<void> {
    std::vector<store::FileRecord> records;
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      described[i].file.sha256 = hashes[i];
      records.push_back(described[i].file);
    }
    return catalog_.check_quota(upload.project, records, upload.token);
  };
  TRY(blobs_.put_all(std::move(arrived.files), admit));

  store::Container package;
  if (sources) package.pack = TRY(blobs_.put(std::move(sources->pack)));

  upload.created_at = base::now();
  const auto also = [&](db::Session& session, std::int64_t upload_id) -> Result<void> {
    if (!sources) return {};
    return packages_.containers->keep_uploaded(session, upload_id, upload, package,
                                               sources->sources);
  };
  const store::Catalog::Committed committed = TRY(catalog_.commit(upload, described, also));
  // From here on the upload is ours, whatever happens.
  if (const auto joined = join_waiting_packages(catalog_, scope, described); !joined.ok()) {
    base::log::warning("packages of split DWARF stay alone: {}", joined.error().what);
  }
  Receipt receipt;
  receipt.upload_id = committed.upload_id;
  receipt.created_at = upload.created_at;
  for (std::size_t i = 0; i < described.size(); ++i) {
    receipt.files.push_back({std::move(described[i]), committed.was_known[i]});
  }
  return receipt;
}

}  // namespace ingest
