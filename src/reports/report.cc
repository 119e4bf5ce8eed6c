#include "reports/report.h"

namespace reports {

std::string_view name_of(State state) {
  switch (state) {
    case State::queued:
      return "queued";
    case State::processing:
      return "processing";
    case State::done:
      return "done";
    case State::failed:
      return "failed";
  }
  return "unknown";
}

const StoredFile* Report::main_dump() const {
  const StoredFile* first = nullptr;
  for (const StoredFile& file : files) {
    if (file.kind != FileKind::dump) continue;
    if (file.name == "upload_file_minidump") return &file;
    if (first == nullptr) first = &file;
  }
  return first;
}

std::string_view Report::annotation(std::string_view name) const {
  for (const Annotation& annotation : annotations) {
    if (annotation.name == name) return annotation.value;
  }
  return {};
}

}  // namespace reports
