#include "supply/derived_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.h"
#include "base/log.h"
#include "formats/archive/cab.h"

namespace supply {

using base::Error;
using base::Fault;
using base::Result;
using ident::Artifact;

namespace {

constexpr std::string_view kVersionDirectory = "v1";

constexpr std::string_view kCabinetExtension = ".cab";
constexpr std::string_view kPdbExtension = ".pdb";

std::string path_in(const std::string& directory, const std::string& name,
                    std::string_view extension) {
  return directory + "/" + std::string(kVersionDirectory) + "/" + name.substr(0, 2) + "/" + name +
         std::string(extension);
}

std::string extension_of(Artifact artifact) { return artifact == Artifact::sym ? ".sym" : ".idx"; }

std::vector<base::Sha256> contents_of(const Sources& sources) {
  std::vector<base::Sha256> contents;
  for (const auto* file : {&sources.image, &sources.debug, &sources.sym}) {
    if (*file) contents.push_back((*file)->sha256);
  }
  return contents;
}

Supplied made_at(const std::string& path, const struct stat& info) {
  Supplied supplied;
  supplied.size = static_cast<std::uint64_t>(info.st_size);
  supplied.path = path;
  supplied.modified = {std::int64_t{info.st_mtim.tv_sec} * 1'000'000};
  return supplied;
}

std::optional<Supplied> open_made(const std::string& path) {
  auto fd = std::make_shared<base::Fd>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!fd->valid() || ::fstat(fd->get(), &info) != 0) return std::nullopt;
  Supplied supplied = made_at(path, info);
  supplied.fd = std::move(fd);
  return supplied;
}

std::optional<Supplied> find_for_mapping(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  Supplied supplied = made_at(path, info);
  supplied.is_for_mapping = true;
  return supplied;
}

}  // namespace

DerivedFiles::DerivedFiles(store::Blobs& blobs, Options options)
    : blobs_(blobs),
      options_(std::move(options)),
      pool_(std::make_unique<base::WorkerPool>(options_.threads)) {}

DerivedFiles::~DerivedFiles() {
  stopping_ = true;
  pool_.reset();  // runs what was posted: each flight sees that we stop
}

std::string DerivedFiles::path_of(const std::string& name, std::string_view extension) const {
  return path_in(options_.directory, name, extension);
}

std::string DerivedFiles::index_path(const std::string& directory, const Sources& sources) {
  return path_in(directory, sources.fingerprint(), extension_of(Artifact::index));
}

std::string DerivedFiles::path_of(const Sources& sources, Artifact artifact) const {
  return path_of(sources.fingerprint(), extension_of(artifact));
}

std::optional<Supplied> DerivedFiles::find(const Sources& sources, Artifact artifact) const {
  const std::string path = path_of(sources, artifact);
  auto supplied = artifact == Artifact::index ? find_for_mapping(path) : open_made(path);
  if (!supplied) return std::nullopt;
  supplied->content_tag = sources.fingerprint();
  supplied->name = sources.module_name() + extension_of(artifact);
  supplied->format = artifact == Artifact::sym ? "sym" : "index";
  return supplied;
}

void DerivedFiles::make(const Sources& sources, Artifact artifact, Done done) {
  make_once(
      sources.fingerprint(), "symbols of " + sources.module_name(), {artifact, std::move(done)},
      [this, sources] { return run(sources); },
      [this, sources](Artifact wanted) { return find(sources, wanted); });
}

std::optional<Supplied> DerivedFiles::find_cabinet(const store::FileRecord& file) const {
  auto supplied = open_made(path_of(file.sha256.hex(), kCabinetExtension));
  if (!supplied) return std::nullopt;
  supplied->content_tag = file.sha256.hex().substr(0, 36) + "-cab";
  supplied->name = archive::cab_name_of(file.name);
  supplied->format = "cab";
  supplied->modified = file.added_at;
  return supplied;
}

void DerivedFiles::make_cabinet(const store::FileRecord& file, Done done) {
  make_once(
      file.sha256.hex(), "a cabinet of " + file.name, {Artifact::cabinet, std::move(done)},
      [this, file] { return pack(file); }, [this, file](Artifact) { return find_cabinet(file); });
}

std::optional<Supplied> DerivedFiles::find_plain_pdb(const store::FileRecord& file) const {
  auto supplied = open_made(path_of(file.sha256.hex(), kPdbExtension));
  if (!supplied) return std::nullopt;
  supplied->content_tag = file.sha256.hex().substr(0, 36) + "-pdb";
  supplied->name = file.name;
  supplied->format = "pdb";
  supplied->modified = file.added_at;
  return supplied;
}

void DerivedFiles::make_plain_pdb(const store::FileRecord& file, Done done) {
  make_once(
      file.sha256.hex() + std::string(kPdbExtension), "a plain PDB of " + file.name,
      {Artifact::stored, std::move(done)}, [this, file] { return unpack(file); },
      [this, file](Artifact) { return find_plain_pdb(file); });
}

void DerivedFiles::make_once(const std::string& name, std::string what, Waiter waiter, Maker maker,
                             Finder finder) {
  {
    const std::lock_guard lock(mutex_);
    std::vector<Waiter>& waiters = flights_[name];
    waiters.push_back(std::move(waiter));
    if (waiters.size() > 1) return;  // it is being made already
    ++counts_.under_way;
  }
  pool_->post([this, name, what = std::move(what), maker = std::move(maker),
               finder = std::move(finder)] { finish(name, what, maker, finder); });
}

void DerivedFiles::finish(const std::string& name, const std::string& what, const Maker& maker,
                          const Finder& finder) {
  const std::int64_t started = base::monotonic_us();
  const Result<void> done =
      stopping_ ? Result<void>(Error{Fault::unavailable, "the server stops"}) : maker();
  if (options_.trim) options_.trim();
  std::vector<Waiter> waiters;
  {
    const std::lock_guard lock(mutex_);
    const auto flight = flights_.find(name);
    waiters = std::move(flight->second);
    flights_.erase(flight);
    --counts_.under_way;
    ++(done.ok() ? counts_.made : counts_.failed);
  }
  if (done.ok()) {
    base::log::info("{} made in {} ms", what, (base::monotonic_us() - started) / 1000);
  } else if (!stopping_) {
    base::log::write(base::log::level_of(base::policy_of(done.error().fault).loudness),
                     what + " not made: " + done.error().what);
  }
  for (const Waiter& waiter : waiters) {
    if (!done.ok()) {
      waiter.done(done.error());
    } else if (auto supplied = finder(waiter.artifact)) {
      waiter.done(std::move(*supplied));
    } else {
      waiter.done(Error{Fault::internal, what + ": was not made"});
    }
  }
}

// Its size is the disk's to tell: a child may have written it.
Result<void> DerivedFiles::commit(base::PendingFile& file, const std::string& path,
                                  const std::vector<base::Sha256>& made_of) const {
  struct stat info{};
  const bool is_counted = options_.reserve && ::stat(file.path().c_str(), &info) == 0;
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (is_counted) options_.reserve(path, size);
  Result<void> placed = place(file, path, made_of);
  if (!placed.ok() && options_.removed) options_.removed(path);
  if (placed.ok() && is_counted) options_.reserve(path, size);
  return placed;
}

// A purge bars a content first and then looks for what was made of it: what it did not find yet,
// because it came later, is taken away here.
Result<void> DerivedFiles::place(base::PendingFile& file, const std::string& path,
                                 const std::vector<base::Sha256>& made_of) const {
  TRY(file.commit(path));
  if (!options_.refuse) return {};
  for (const base::Sha256& content : made_of) {
    auto allowed = options_.refuse(content);
    if (allowed.ok()) continue;
    static_cast<void>(base::remove_file(path));  // the purge may have been quicker
    return allowed;
  }
  return {};
}

Result<void> DerivedFiles::pack(const store::FileRecord& file) {
  const auto plain = TRY(base::MappedFile::open(blobs_.place_of(file.sha256)));
  base::PendingFile cabinet = TRY(base::PendingFile::create(options_.tmp));
  TRY(archive::write_cab(file.name, plain->bytes(), file.added_at, cabinet));
  return commit(cabinet, path_of(file.sha256.hex(), kCabinetExtension), {file.sha256});
}

// In the child: what is in such a container is a stranger's.
Result<void> DerivedFiles::unpack(const store::FileRecord& file) {
  base::PendingFile plain = TRY(base::PendingFile::create(options_.tmp));
  ExtractJob job;
  job.module_name = file.name;
  job.msfz = blobs_.place_of(file.sha256);
  job.pdb_out = plain.path();
  TRY(options_.extractor(job, stopping_));
  return commit(plain, path_of(file.sha256.hex(), kPdbExtension), {file.sha256});
}

// One that is made alone has all processors: somebody waits for it.
unsigned DerivedFiles::threads_for_a_job() const {
  const std::uint64_t jobs =
      std::clamp<std::uint64_t>(counts().under_way, 1, std::max(1u, options_.threads));
  return std::max(1u, static_cast<unsigned>(options_.processors / jobs));
}

// Both files at once when the sources are native: reading them is the costly part.
Result<void> DerivedFiles::run(const Sources& sources) {
  ExtractJob job;
  job.module_name = sources.module_name();
  job.threads = threads_for_a_job();
  if (sources.image) job.image = blobs_.place_of(sources.image->sha256);
  if (sources.debug) job.debug = blobs_.place_of(sources.debug->sha256);
  if (job.debug == job.image) job.debug.clear();
  if (sources.sym) job.sym = blobs_.place_of(sources.sym->sha256);

  base::PendingFile index = TRY(base::PendingFile::create(options_.tmp));
  job.index_out = index.path();
  if (!job.sym.empty()) {
    TRY(options_.extractor(job, stopping_));
    return commit(index, path_of(sources, Artifact::index), contents_of(sources));
  }
  base::PendingFile sym = TRY(base::PendingFile::create(options_.tmp));
  job.sym_out = sym.path();
  TRY(options_.extractor(job, stopping_));
  TRY(commit(sym, path_of(sources, Artifact::sym), contents_of(sources)));
  return commit(index, path_of(sources, Artifact::index), contents_of(sources));
}

DerivedFiles::Counts DerivedFiles::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace supply
