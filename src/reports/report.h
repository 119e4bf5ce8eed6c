// A crash report as the other rooms see it: what a client sent, and what we keep of it.
// Plain values, owning their text. Annotation values are bytes as they came, not always UTF-8;
// names are UTF-8 without control characters, repaired when they came otherwise.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"

namespace reports {

struct Annotation {
  std::string name;
  std::string value;
};

enum class FileKind : std::uint8_t { dump = 0, attachment = 1 };

// What a client sent, taken apart by its protocol (api/). Views must outlive Intake::accept().
struct Submission {
  struct File {
    FileKind kind = FileKind::dump;
    std::string name;       // of the part: "upload_file_minidump"
    std::string file_name;  // as the client called it; text for people, never a path
    std::string content_type;
    base::Bytes bytes;
    std::string sent_sha256;  // of the part as it came, when it was compressed or wrapped
  };
  std::vector<Annotation> annotations;  // names are unique
  std::vector<File> files;
  std::vector<std::string> notes;  // what was odd: "annotation ProductName came twice"
};

struct StoredFile {
  FileKind kind = FileKind::dump;
  std::string name;
  std::string file_name;
  std::string content_type;
  std::string sha256;
  std::uint64_t size = 0;
  std::string sent_sha256;
};

// new → queued → processing → done | failed; a reprocess starts again at queued.
enum class State : std::uint8_t { queued = 0, processing = 1, done = 2, failed = 3 };
std::string_view name_of(State state);

// What lists show: one row, no blobs.
struct Summary {
  std::int64_t number = 0;  // of the row; order of receipt
  std::string id;
  base::Time received;
  State state = State::queued;
  std::string product;
  std::string version;
  // Of the last processing; empty before it.
  std::string signature;
  std::string reason;
  std::string address;
  std::string system;  // "Linux 6.1.0 amd64"
  std::string error;   // why processing failed, or what it could not read
};

struct Report {
  Summary summary;
  base::Time processed;          // 0 before
  std::int64_t revision = 0;     // processings finished
  std::string processed_sha256;  // of the processed JSON, "" before
  std::vector<Annotation> annotations;
  std::vector<StoredFile> files;
  std::vector<std::string> notes;

  // The dump to process: named upload_file_minidump, else the first.
  const StoredFile* main_dump() const;
  std::string_view annotation(std::string_view name) const;  // "" when there is none
};

}  // namespace reports
