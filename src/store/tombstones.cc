#include "store/tombstones.h"

#include "store/audit_rows.h"
#include "store/blobs.h"
#include "store/values.h"

namespace store {

using base::Error;
using base::Fault;
using base::Result;
using base::Sha256;
using db::Row;
using db::Rows;
using db::Session;

Error purged_error(const Sha256& content) {
  return {Fault::denied,
          "the content " + content.hex() +
              " was purged here and may not come back; an administrator can allow it again: "
              "`faultline admin purge --lift " +
              content.hex() + "`"};
}

Result<void> Tombstones::reload() {
  std::set<Sha256> fresh;
  TRY(database_.read([&](Session& session) -> Result<void> {
    fresh.clear();
    const Rows rows = TRY(session.query("SELECT sha256 FROM purged_content"));
    for (const Row& row : rows) {
      if (const auto hash = find_sha256(row.text(0))) fresh.insert(*hash);
    }
    return {};
  }));
  const std::lock_guard lock(mutex_);
  contents_ = std::move(fresh);
  return {};
}

Result<void> Tombstones::refuse(const Sha256& content) const {
  const std::lock_guard lock(mutex_);
  if (contents_.contains(content)) return purged_error(content);
  return {};
}

Result<std::vector<Tombstone>> Tombstones::list() {
  std::vector<Tombstone> all;
  TRY(database_.read([&](Session& session) -> Result<void> {
    all.clear();
    const Rows rows =
        TRY(session.query("SELECT sha256, purged_at, actor, name, size FROM purged_content "
                          "ORDER BY purged_at DESC, sha256"));
    for (const Row& row : rows) {
      all.push_back({find_sha256(row.text(0)).value_or(Sha256{}),
                     {row.integer(1)},
                     row.text(2),
                     row.text(3),
                     static_cast<std::uint64_t>(row.integer(4))});
    }
    return {};
  }));
  return all;
}

Result<void> Tombstones::put(Session& session, const Tombstone& stone) {
  TRY(session.execute(
      "INSERT INTO purged_content (sha256, purged_at, actor, name, size) VALUES (?, ?, ?, ?, ?) "
      "ON CONFLICT (sha256) DO NOTHING",
      {stone.sha256.hex(), stone.purged_at.us, stone.actor, stone.name, number(stone.size)}));
  return {};
}

void Tombstones::remember(const Sha256& content) {
  const std::lock_guard lock(mutex_);
  contents_.insert(content);
}

Result<void> Tombstones::lift(const Sha256& content, const Actor& actor) {
  TRY(database_.write([&](Session& session) -> Result<void> {
    const std::int64_t gone =
        TRY(session.execute("DELETE FROM purged_content WHERE sha256 = ?", {content.hex()}));
    if (gone == 0) return Error{Fault::not_found, content.hex() + " is not purged"};
    return record_audit(session, actor, "purge lift", content.hex());
  }));
  const std::lock_guard lock(mutex_);
  contents_.erase(content);
  return {};
}

}  // namespace store
