#include "handler/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <memory>

#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "base/text.h"

namespace handler {

namespace {

constexpr mode_t kPrivate = 0600;  // dumps hold what was in memory
constexpr std::time_t kTemporaryAgeMaxS = 3600;
constexpr std::uint64_t kRecordSizeMax = 4 << 20;

struct Entry {
  std::string name;
  std::int64_t time_ns = 0;
  std::uint64_t size = 0;
};

// Regular files of a directory, oldest first.
std::vector<Entry> entries_of(const std::string& directory) {
  std::vector<Entry> entries;
  const std::unique_ptr<DIR, int (*)(DIR*)> opened(::opendir(directory.c_str()), &::closedir);
  if (!opened) return entries;
  while (const dirent* item = ::readdir(opened.get())) {
    struct stat info{};
    if (::fstatat(::dirfd(opened.get()), item->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISREG(info.st_mode)) continue;
    entries.push_back(
        {item->d_name,
         static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1'000'000'000 + info.st_mtim.tv_nsec,
         static_cast<std::uint64_t>(info.st_size)});
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.time_ns != b.time_ns ? a.time_ns < b.time_ns : a.name < b.name;
  });
  return entries;
}

// A short write, as on a full disk, fails here and leaves nothing but the temporary file, which
// goes with `file`.
base::Result<void> write_dump(base::PendingFile& file, const snapshot::MinidumpImage& dump) {
  constexpr std::size_t kSignatureSize = 4;
  std::vector<std::uint8_t> head = dump.head;
  if (head.size() < kSignatureSize) return base::Error{base::Fault::internal, "an empty dump"};
  std::fill_n(head.begin(), kSignatureSize, std::uint8_t{0});
  TRY(file.append(head));
  for (const base::Bytes part : dump.memory) TRY(file.append(part));
  if (::pwrite(file.fd(), dump.head.data(), kSignatureSize, 0) != kSignatureSize) {
    return base::error_from_errno(errno, "cannot write", file.path());
  }
  return {};
}

base::Result<base::PendingFile> create_private(const std::string& directory) {
  base::PendingFile file = TRY(base::PendingFile::create(directory));
  ::fchmod(file.fd(), kPrivate);
  return file;
}

}  // namespace

std::string make_report_id() {
  std::array<std::uint8_t, 16> bytes;
  base::fill_random(bytes);
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  std::string id = base::hex_of(bytes);
  for (const std::size_t at : {8u, 13u, 18u, 23u}) id.insert(at, 1, '-');
  return id;
}

std::string json_of(const Report& report) {
  base::JsonWriter json(base::JsonWriter::Style::pretty);
  json.begin_object();
  json.key("id").string(report.id);
  json.key("time").integer(report.time_s);
  json.key("url").string(report.url);
  json.key("annotations").begin_object();
  for (const auto& [key, value] : report.annotations) json.key(key).string(value);
  json.end_object();
  json.key("tries").unsigned_integer(report.tries);
  json.key("next_try").integer(report.next_try_s);
  json.key("remote_id").string(report.remote_id);
  json.key("last_error").string(report.last_error);
  json.end_object();
  return json.take() + "\n";
}

base::Result<Report> parse_report(std::string_view text) {
  const base::JsonValue json = TRY(base::JsonValue::parse(text));
  Report report;
  report.id = json["id"].text_or("");
  report.time_s = json["time"].integer_or(0);
  report.url = json["url"].text_or("");
  if (const auto* annotations = json["annotations"].object()) {
    for (const auto& [key, value] : *annotations) report.annotations[key] = value.text_or("");
  }
  report.tries = static_cast<std::uint32_t>(json["tries"].integer_or(0));
  report.next_try_s = json["next_try"].integer_or(0);
  report.remote_id = json["remote_id"].text_or("");
  report.last_error = json["last_error"].text_or("");
  return report;
}

base::Result<Spool> Spool::open(const std::string& path) {
  Spool spool(path);
  for (const char* part : {"tmp", "pending", "sent", "rejected"}) {
    TRY(base::make_directories(base::join_path(path, part)));
  }
  ::chmod(path.c_str(), 0700);
  const std::string tmp = base::join_path(path, "tmp");
  if (::access(tmp.c_str(), W_OK | X_OK) != 0) {
    return base::error_from_errno(errno, "cannot write into", tmp);
  }
  return spool;
}

std::string Spool::file(std::string_view state, std::string_view id,
                        std::string_view suffix) const {
  std::string name(id);
  name += suffix;
  return base::join_path(base::join_path(path_, state), name);
}

std::string Spool::dump_path(const std::string& id) const { return file("pending", id, ".dmp"); }

base::Result<base::PendingFile> Spool::begin_record(const Report& report) const {
  base::PendingFile record = TRY(create_private(base::join_path(path_, "tmp")));
  const std::string json = json_of(report);
  TRY(record.append(base::bytes_of(json)));
  return record;
}

base::Result<void> Spool::write_record(const std::string& path, const Report& report) const {
  base::PendingFile record = TRY(begin_record(report));
  return record.commit(path);
}

// The crashed program waits for this: both files are synced, then named, and their directory is
// synced once.
base::Result<void> Spool::store(const Report& report, const snapshot::MinidumpImage& dump) const {
  base::PendingFile file = TRY(create_private(base::join_path(path_, "tmp")));
  TRY(write_dump(file, dump));
  base::PendingFile record = TRY(begin_record(report));
  TRY(file.sync());
  TRY(record.sync());
  const std::string record_path = this->file("pending", report.id, ".json");
  TRY(record.rename_to(record_path));
  auto named = file.rename_to(dump_path(report.id));
  if (!named) {
    ::unlink(record_path.c_str());
    return named;
  }
  return base::sync_directory(base::join_path(path_, "pending"));
}

std::vector<std::string> Spool::pending() const {
  std::vector<std::string> ids;
  for (const Entry& entry : entries_of(base::join_path(path_, "pending"))) {
    constexpr std::string_view kSuffix = ".dmp";
    if (!entry.name.ends_with(kSuffix)) continue;
    ids.push_back(entry.name.substr(0, entry.name.size() - kSuffix.size()));
  }
  return ids;
}

Report Spool::load(const std::string& id) const {
  Report report;
  if (auto text = base::read_file(file("pending", id, ".json"), kRecordSizeMax)) {
    if (auto parsed = parse_report(*text)) report = std::move(parsed).value();
  }
  report.id = id;
  return report;
}

base::Result<void> Spool::update(const Report& report) const {
  return write_record(file("pending", report.id, ".json"), report);
}

// The record of the answer first: should we die between the two steps, the report is sent twice
// rather than lost.
base::Result<void> Spool::finish_sent(const Report& report) const {
  TRY(write_record(file("sent", report.id, ".json"), report));
  remove_report("pending", report.id);
  return {};
}

base::Result<void> Spool::finish_rejected(const Report& report) const {
  TRY(write_record(file("rejected", report.id, ".json"), report));
  const std::string target = file("rejected", report.id, ".dmp");
  if (::rename(dump_path(report.id).c_str(), target.c_str()) != 0) {
    return base::error_from_errno(errno, "cannot move to", target);
  }
  remove_report("pending", report.id);
  return {};
}

void Spool::remove_report(const std::string& state, const std::string& id) const {
  ::unlink(file(state, id, ".dmp").c_str());
  ::unlink(file(state, id, ".json").c_str());
}

void Spool::prune() const {
  const auto stem = [](const std::string& name) { return name.substr(0, name.rfind('.')); };
  const auto dumps = entries_of(base::join_path(path_, "pending"));
  std::size_t count = pending().size();
  std::uint64_t size = 0;
  for (const Entry& entry : dumps) size += entry.size;
  for (const Entry& entry : dumps) {
    if (count <= kPendingMax && size <= kPendingBytesMax) break;
    if (!entry.name.ends_with(".dmp")) continue;
    remove_report("pending", stem(entry.name));
    --count;
    size -= entry.size;
  }
  for (const std::string state : {"sent", "rejected"}) {
    const auto records = entries_of(base::join_path(path_, state));
    for (std::size_t i = 0; i + kFinishedMax < records.size(); ++i) {
      remove_report(state, stem(records[i].name));
    }
  }
  const std::string tmp = base::join_path(path_, "tmp");
  const std::int64_t oldest_ns = (std::time(nullptr) - kTemporaryAgeMaxS) * 1'000'000'000;
  for (const Entry& entry : entries_of(tmp)) {
    if (entry.time_ns < oldest_ns) ::unlink(base::join_path(tmp, entry.name).c_str());
  }
}

}  // namespace handler
