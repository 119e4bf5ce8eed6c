#include "reports/intake.h"

#include "base/text.h"
#include "reports/queue.h"
#include "reports/report_id.h"

namespace reports {
namespace {

using base::Result;

// Clients do not agree on the names: Mozilla, Breakpad and Crashpad, Electron, BugSplat.
constexpr std::string_view kProductNames[] = {"ProductName", "prod", "_productName", "product"};
constexpr std::string_view kVersionNames[] = {"Version", "ver", "_version", "version"};
constexpr std::size_t kProductLengthMax = 200;

// Columns hold what can be shown and compared: valid UTF-8, no control characters, not endless.
std::string column_text(std::string_view bytes, std::size_t length_max) {
  std::string text = base::to_valid_utf8(bytes.substr(0, length_max));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

template <std::size_t N>
std::string first_annotation(const Submission& submission, const std::string_view (&names)[N]) {
  for (const std::string_view name : names) {
    for (const Annotation& annotation : submission.annotations) {
      if (annotation.name == name && !annotation.value.empty()) {
        return column_text(annotation.value, kProductLengthMax);
      }
    }
  }
  return {};
}

db::Blob blob_of(std::string_view bytes) { return db::Blob(bytes.begin(), bytes.end()); }

Result<void> insert_report(db::Session& session, const Submission& submission,
                           const std::vector<StoredFile>& files, const std::string& id,
                           base::Time received) {
  const db::Rows rows = TRY(
      session.query("INSERT INTO crash_report (uuid, received_at, state, product, version)"
                    " VALUES (?, ?, ?, ?, ?) RETURNING id",
                    {id, received.us, std::int64_t{0}, first_annotation(submission, kProductNames),
                     first_annotation(submission, kVersionNames)}));
  const std::int64_t report = rows.at(0).integer(0);
  std::int64_t position = 0;
  for (const Annotation& annotation : submission.annotations) {
    TRY(
        session.execute("INSERT INTO crash_annotation (report, position, name, value)"
                        " VALUES (?, ?, ?, ?)",
                        {report, position++, annotation.name, blob_of(annotation.value)}));
  }
  position = 0;
  for (const std::string& note : submission.notes) {
    TRY(session.execute("INSERT INTO crash_note (report, position, text) VALUES (?, ?, ?)",
                        {report, position++, column_text(note, 4000)}));
  }
  position = 0;
  for (const StoredFile& file : files) {
    TRY(session.execute(
        "INSERT INTO crash_file (report, position, kind, name, file_name, content_type, sha256,"
        " size, sent_sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {report, position++, static_cast<std::int64_t>(file.kind), file.name, file.file_name,
         file.content_type, file.sha256, static_cast<std::int64_t>(file.size), file.sent_sha256}));
  }
  return insert_job(session, report, id, received);
}

}  // namespace

Result<std::vector<StoredFile>> Intake::keep_files(const Submission& submission) {
  std::vector<StoredFile> kept;
  for (const Submission::File& file : submission.files) {
    base::PendingFile pending = TRY(blobs_.create());
    TRY(pending.append(file.bytes));
    const base::Sha256 hash = TRY(blobs_.put(std::move(pending)));
    kept.push_back({file.kind, column_text(file.name, 1000), column_text(file.file_name, 1000),
                    column_text(file.content_type, 200), hash.hex(), file.bytes.size(),
                    file.sent_sha256});
  }
  return kept;
}

Result<std::string> Intake::accept(const Submission& submission, base::Time received) {
  const std::string id = make_report_id(received);
  const std::shared_lock in_use(blobs_.in_use());
  const std::vector<StoredFile> files = TRY(keep_files(submission));
  // From here on every byte is durable; the row makes it a report.
  TRY(database_.write([&](db::Session& session) {
    return insert_report(session, submission, files, id, received);
  }));
  if (wake_) wake_();
  return id;
}

}  // namespace reports
