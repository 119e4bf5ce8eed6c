#include "supply/derived_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/clock.h"
#include "base/log.h"

namespace supply {

using base::Error;
using base::Fault;
using base::Result;
using ident::Artifact;

namespace {

constexpr std::string_view kVersionDirectory = "v1";

std::string extension_of(Artifact artifact) { return artifact == Artifact::sym ? ".sym" : ".idx"; }

}  // namespace

DerivedFiles::DerivedFiles(store::Blobs& blobs, Options options)
    : blobs_(blobs),
      options_(std::move(options)),
      pool_(std::make_unique<base::WorkerPool>(options_.threads)) {}

DerivedFiles::~DerivedFiles() {
  stopping_ = true;
  pool_.reset();  // runs what was posted: each flight sees that we stop
}

std::string DerivedFiles::path_of(const Sources& sources, Artifact artifact) const {
  const std::string name = sources.fingerprint();
  return options_.directory + "/" + std::string(kVersionDirectory) + "/" + name.substr(0, 2) + "/" +
         name + extension_of(artifact);
}

std::optional<Supplied> DerivedFiles::find(const Sources& sources, Artifact artifact) const {
  const std::string path = path_of(sources, artifact);
  auto fd = std::make_shared<base::Fd>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!fd->valid() || ::fstat(fd->get(), &info) != 0) return std::nullopt;
  Supplied supplied;
  supplied.fd = std::move(fd);
  supplied.size = static_cast<std::uint64_t>(info.st_size);
  supplied.path = path;
  supplied.content_tag = sources.fingerprint();
  supplied.name = sources.module_name() + extension_of(artifact);
  supplied.format = artifact == Artifact::sym ? "sym" : "index";
  return supplied;
}

void DerivedFiles::make(const Sources& sources, Artifact artifact, Done done) {
  const std::string fingerprint = sources.fingerprint();
  {
    const std::lock_guard lock(mutex_);
    std::vector<Waiter>& waiters = flights_[fingerprint];
    waiters.push_back({artifact, std::move(done)});
    if (waiters.size() > 1) return;  // it is being made already
    ++counts_.under_way;
  }
  pool_->post([this, sources] { finish(sources); });
}

void DerivedFiles::finish(const Sources& sources) {
  const std::int64_t started = base::monotonic_us();
  const Result<void> done =
      stopping_ ? Result<void>(Error{Fault::unavailable, "the server stops"}) : run(sources);
  std::vector<Waiter> waiters;
  {
    const std::lock_guard lock(mutex_);
    const auto flight = flights_.find(sources.fingerprint());
    waiters = std::move(flight->second);
    flights_.erase(flight);
    --counts_.under_way;
    ++(done.ok() ? counts_.made : counts_.failed);
  }
  if (done.ok()) {
    base::log::info("symbols of {} made in {} ms", sources.module_name(),
                    (base::monotonic_us() - started) / 1000);
  } else if (!stopping_) {
    base::log::write(base::log::level_of(base::policy_of(done.error().fault).loudness),
                     "symbols of " + sources.module_name() + " not made: " + done.error().what);
  }
  for (const Waiter& waiter : waiters) {
    if (!done.ok()) {
      waiter.done(done.error());
    } else if (auto supplied = find(sources, waiter.artifact)) {
      waiter.done(std::move(*supplied));
    } else {
      waiter.done(Error{Fault::internal, path_of(sources, waiter.artifact) + ": was not made"});
    }
  }
}

// Both files at once when the sources are native: reading them is the costly part.
Result<void> DerivedFiles::run(const Sources& sources) {
  ExtractJob job;
  job.module_name = sources.module_name();
  if (sources.image) job.image = blobs_.path_of(sources.image->sha256);
  if (sources.debug) job.debug = blobs_.path_of(sources.debug->sha256);
  if (job.debug == job.image) job.debug.clear();
  if (sources.sym) job.sym = blobs_.path_of(sources.sym->sha256);

  base::PendingFile index = TRY(base::PendingFile::create(options_.tmp));
  job.index_out = index.path();
  if (!job.sym.empty()) {
    TRY(options_.extractor(job, stopping_));
    return index.commit(path_of(sources, Artifact::index));
  }
  base::PendingFile sym = TRY(base::PendingFile::create(options_.tmp));
  job.sym_out = sym.path();
  TRY(options_.extractor(job, stopping_));
  TRY(sym.commit(path_of(sources, Artifact::sym)));
  return index.commit(path_of(sources, Artifact::index));
}

DerivedFiles::Counts DerivedFiles::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace supply
