// Scan's second half: the bytes of what is known, but not kept, are made again from where they lie.
#include <algorithm>

#include "base/log.h"
#include "ingest/copy_file.h"
#include "ingest/scan.h"

namespace ingest {

using base::Error;
using base::Fault;
using base::Result;
using base::Sha256;
using store::Container;

void Scan::bring(std::vector<Sha256> contents, FetchAgain fetch_again,
                 const std::function<void(Result<void> brought)>& done) {
  const auto bring = [this, contents, fetch_again = std::move(fetch_again), done] {
    done(bring_all(contents, fetch_again));
  };
  {
    const std::lock_guard lock(mutex_);  // stop() ends the bringers once it has had this
    if (!stop_) {
      bringers_->post([this, contents = std::move(contents), bring] {
        if (options_.run_aside && waits_for_others(contents)) {
          options_.run_aside(bring);
        } else {
          bring();
        }
      });
      return;
    }
  }
  done(Error{Fault::unavailable, "the server is stopping"});
}

Result<void> Scan::bring_all(const std::vector<Sha256>& contents, const FetchAgain& fetch_again) {
  Result<void> all;
  for (const Sha256& content : contents) {
    const Result<void> brought = bring_one(content, fetch_again);
    if (brought.ok()) continue;
    base::log::warning("extracting: {}", brought.error().what);
    all = brought.error();
  }
  return all;
}

// An upstream server may be slow, and there are few bringers.
bool Scan::waits_for_others(const std::vector<Sha256>& contents) {
  return std::any_of(contents.begin(), contents.end(), [this](const Sha256& content) {
    const auto origins = containers_.origins_of(content);
    return origins.ok() &&
           std::any_of(origins->begin(), origins->end(), [](const store::Origin& origin) {
             return origin.container.kind == Container::Kind::upstream;
           });
  });
}

Result<void> Scan::bring_one(const Sha256& content, const FetchAgain& fetch_again) {
  if (blobs_.has(content) || extracted_.has(content)) return {};
  TRY(extracted_.check_allowed(content));
  const std::vector<store::Origin> origins = TRY(containers_.origins_of(content));
  Error last{Fault::not_found, content.hex() + ": lies nowhere any more"};
  for (const store::Origin& origin : origins) {
    if (stop_) return Error{Fault::unavailable, "the server stops"};
    if (origin.container.kind == Container::Kind::upstream) {
      const Result<void> fetched = bring_from_upstream(origin, content, fetch_again);
      if (fetched.ok()) return {};
      last = fetched.error();
      continue;
    }
    if (origin.container.kind != Container::Kind::upload) {
      const Result<void> here = check_place(origin.container);
      if (!here.ok() && here.error().fault != Fault::not_found) last = here.error();
      if (!here.ok()) continue;
    }
    const Result<void> brought = bring_from(origin, content);
    if (brought.ok()) {
      ++brought_;
      return {};
    }
    last = brought.error();
  }
  return last;
}

// What is gone, or another file now, which the next pass reads, leaves the catalogue: not_found.
Result<void> Scan::check_place(const Container& container) {
  const auto stamp = store::stamp_of(container.path);
  if (stamp.ok() && *stamp == container.stamp) return {};
  // A network disk that fails for a moment says nothing of its files.
  if (!stamp.ok() && stamp.error().fault != Fault::not_found) {
    return Error{Fault::unavailable, stamp.error().what};
  }
  const std::vector<Sha256> gone = TRY(containers_.remove({container.id}));
  forget_contents(gone);
  ++removed_;
  if (stamp.ok()) scan_now();
  return Error{Fault::not_found, container.path + ": is gone, or another file now"};
}

Result<void> Scan::bring_from_upstream(const store::Origin& origin, const Sha256& content,
                                       const FetchAgain& fetch_again) {
  Result<void> fetched = Error{Fault::not_found, "no upstream server is asked any more"};
  if (fetch_again) {
    const std::string_view place =
        store::place_of_upstream_container(origin.container.path, origin.container.project);
    fetched = fetch_again(std::string(place), content);
  }
  if (fetched.ok()) {
    ++brought_;
    return {};
  }
  const Fault fault = fetched.error().fault;
  if (fault == Fault::not_found || fault == Fault::malformed) {
    const std::vector<Sha256> gone = TRY(containers_.remove({origin.container.id}));
    forget_contents(gone);
    ++removed_;
  }
  return fetched;
}

Result<void> Scan::bring_from(const store::Origin& origin, const Sha256& content) {
  const auto take = [&](const std::string& path) -> Result<void> {
    const Sha256 hash = TRY(store::sha256_of_file(path));
    if (hash != content) return Error{Fault::internal, origin.container.path + ": other bytes"};
    return extracted_.take(path, content, ExtractedFiles::Why::kAsked);
  };
  if (origin.container.kind != Container::Kind::package) {
    const base::PendingFile copy = TRY(copy_file(origin.container.path, extracted_.tmp()));
    return take(copy.path());
  }
  Wanted wanted;
  wanted.path = origin.container.path;
  wanted.command = command_of(wanted.path);
  UnpackJob job;
  const base::TemporaryDirectory directory = TRY(open_package(wanted, job));
  job.only = origin.ordinal;
  const Unpacked unpacked = TRY(unpack_(job));
  if (unpacked.members.empty()) {
    return Error{Fault::not_found, wanted.path + ": has no such member any more"};
  }
  return take(base::join_path(job.directory, unpacked.members.front().file));
}

Result<std::string> Scan::path_of_pack(const Container& container) {
  if (!container.pack) return Error{Fault::not_found, container.path + ": has no sources"};
  if (blobs_.has(*container.pack)) return blobs_.path_of(*container.pack);
  if (extracted_.has(*container.pack)) return extracted_.path_of(*container.pack);
  const store::FileStamp stamp = TRY(store::stamp_of(container.path));
  if (stamp != container.stamp) {
    return Error{Fault::not_found, container.path + ": is another file now"};
  }
  Wanted wanted;
  wanted.path = container.path;
  wanted.command = command_of(wanted.path);
  UnpackJob job;
  const base::TemporaryDirectory directory = TRY(open_package(wanted, job));
  TRY(unpack_(job));
  const std::string pack = base::join_path(job.directory, kPackName);
  const Sha256 hash = TRY(store::sha256_of_file(pack));
  if (hash != *container.pack) return Error{Fault::internal, container.path + ": other sources"};
  TRY(extracted_.take(pack, hash, ExtractedFiles::Why::kAsked));
  return extracted_.path_of(hash);
}

}  // namespace ingest
