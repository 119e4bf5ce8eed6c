// Files that come in pieces, or whose name comes after their bytes: what was announced
// (ID.json) and what has come so far (ID.part), on disk, so that neither a lost connection nor a
// restart of ours loses it. An id is 128 random bits: who knows it may go on with the upload.
// Not an upload yet: nothing here is found by anybody until ingest has kept it.
// Any thread may call; calls block. A held session belongs to one thread; a second hold() of it
// fails with unavailable until the first is gone.
// Fails with not_found (never begun, done or too old), unavailable or internal.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "ident/paths.h"
#include "ingest/ingest.h"

namespace ingest {

struct Announced {
  Bringer bringer;
  std::optional<ident::StorePath> path;
  std::uint64_t size = 0;  // 0: not said
  std::string md5;         // of the plain bytes; "": not said
  bool is_gzip = false;    // the bytes come packed
};

class UploadSessions {
 public:
  static base::Result<std::unique_ptr<UploadSessions>> open(const std::string& directory);

  base::Result<std::string> begin(const Announced& announced);  // its id

  class Held {
   public:
    Held(Held&& other) noexcept;
    Held& operator=(Held&&) = delete;
    ~Held();
    const Announced& announced() const { return announced_; }
    std::uint64_t size() const { return part_.size(); }
    base::Result<void> append(base::Bytes bytes) { return part_.append(bytes); }
    base::Result<void> replace(base::Bytes bytes);
    const std::string& path() const { return part_.path(); }
    // The session ends; the bytes are the caller's.
    base::PendingFile take();

   private:
    friend class UploadSessions;
    Held(UploadSessions& owner, std::string id, Announced announced, base::PendingFile part)
        : owner_(&owner),
          id_(std::move(id)),
          announced_(std::move(announced)),
          part_(std::move(part)) {}
    UploadSessions* owner_;
    std::string id_;
    Announced announced_;
    base::PendingFile part_;
    bool taken_ = false;
  };
  base::Result<Held> hold(std::string_view id);

  // Removes what nobody has touched since; returns how many.
  std::uint64_t sweep(std::chrono::seconds age);

 private:
  explicit UploadSessions(std::string directory) : directory_(std::move(directory)) {}
  std::string place(std::string_view id, std::string_view suffix) const;

  const std::string directory_;
  std::mutex mutex_;
  std::set<std::string, std::less<>> held_;  // guarded by mutex_
};

// The text of an ID.json, and back; malformed when it is none of ours.
std::string json_of(const Announced& announced);
base::Result<Announced> announced_from_json(std::string_view text);

}  // namespace ingest
