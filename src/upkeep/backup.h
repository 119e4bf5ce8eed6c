// A backup of a data directory that may be served meanwhile, and a directory from a backup.
// What was acknowledged before backup() began is in it, whole: the database is copied as of one
// moment, then every blob that is there, and no blob goes between the two. Blobs are linked where
// the backup is on the same disk (Copies::linked) and copied elsewhere.
// Not in it: what can be had again (index/, extracted/, cache/) and uploads that are not finished.
// The file backup.json is written last: without it a backup is not complete.
// Blocks. Fails with malformed (there is something at the target; no backup), unsupported (a
// PostgreSQL database without Scope::blobs_only), unavailable (disk, database, somebody wants it
// to end) or internal.
// Format: docs/operation.md
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "upkeep/house.h"

namespace upkeep {

constexpr std::string_view kBackupDatabase = "faultline.db";
constexpr std::string_view kBackupProof = "backup.json";

struct BackedUp {
  std::string directory;
  std::uint64_t files = 0, bytes = 0;  // blobs
  bool has_database = true;
};

enum class Scope : std::uint8_t { everything, blobs_only };
enum class Copies : std::uint8_t { linked, own };  // own: the backup survives a bad sector here

// An absolute path, outside of the data directory or in its tmp/, which the next start empties.
base::Result<BackedUp> back_up(House& house, const std::string& target, Scope scope, Copies copies,
                               Progress& progress);
std::string json_of(const BackedUp& backup);

// Copies a backup to where nothing is yet. Nothing is checked: check_data() does that.
base::Result<BackedUp> restore(const std::string& backup, const std::string& target,
                               Progress& progress);

// What the proof of a backup says of it; malformed: there is none.
base::Result<BackedUp> read_proof(const std::string& backup);
// Whether a path below blobs/ is a blob's: "ab/ab…", by its hash. What else lies there is no blob,
// and in no backup.
bool is_blob_path(std::string_view path);
// The blobs below a directory blobs/, in name order, or why not each of them can be named:
// base::list_files() passes over what it may not read.
base::Result<std::vector<std::string>> list_blobs(const std::string& blobs);
// malformed: there is something already.
base::Result<void> must_be_new(const std::string& path);

}  // namespace upkeep
