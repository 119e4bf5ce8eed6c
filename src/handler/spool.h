// The directory where reports wait to be sent, shared by handlers and uploaders:
//
//   SPOOL/tmp/          files being written; nobody looks here
//   SPOOL/pending/      ID.json and ID.dmp: to be sent
//   SPOOL/sent/         ID.json with the server's answer; the dump is deleted
//   SPOOL/rejected/     ID.json and ID.dmp: the server will not have it, or it is too old
//   SPOOL/upload.lock   held by the one uploader
//
// States: pending -> sent | rejected. A report is complete once pending/ID.dmp exists: ID.json
// gets its name before it. Both are written aside, synced, and renamed, the dump's signature last.
// Any process may store; only the holder of the lock moves reports. Functions fail with denied
// or unavailable (disk full), naming the path.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "snapshot/minidump_from_snapshot.h"

namespace handler {

constexpr std::size_t kPendingMax = 50;  // reports; the oldest make room
constexpr std::uint64_t kPendingBytesMax = 256u << 20;
constexpr std::size_t kFinishedMax = 200;  // records in sent/ and rejected/

struct Report {
  std::string id;                                  // a UUID
  std::int64_t time_s = 0;                         // of the crash
  std::string url;                                 // where it is to go; may be empty
  std::map<std::string, std::string> annotations;  // the form fields
  // What became of it:
  std::uint32_t tries = 0;
  std::int64_t next_try_s = 0;
  std::string remote_id;  // the server's answer
  std::string last_error;
};

std::string json_of(const Report& report);
base::Result<Report> parse_report(std::string_view json);

class Spool {
 public:
  // Makes the directories and checks that it may write there.
  static base::Result<Spool> open(const std::string& path);

  base::Result<void> store(const Report& report, const snapshot::MinidumpImage& dump) const;

  // Ids in pending/, oldest first. A dump without its ID.json counts too.
  std::vector<std::string> pending() const;
  Report load(const std::string& id) const;  // what is known: at least the id
  std::string dump_path(const std::string& id) const;
  base::Result<void> update(const Report& report) const;
  base::Result<void> finish_sent(const Report& report) const;
  base::Result<void> finish_rejected(const Report& report) const;
  // Deletes what exceeds the limits above, and files in tmp/ that nobody finished for an hour.
  void prune() const;

  const std::string& path() const { return path_; }

 private:
  explicit Spool(std::string path) : path_(std::move(path)) {}
  std::string file(std::string_view state, std::string_view id, std::string_view suffix) const;
  base::Result<base::PendingFile> begin_record(const Report& report) const;
  base::Result<void> write_record(const std::string& path, const Report& report) const;
  void remove_report(const std::string& state, const std::string& id) const;

  std::string path_;
};

std::string make_report_id();

}  // namespace handler
