#include "reports/report_json.h"

#include "base/json.h"
#include "base/text.h"

namespace reports {
namespace {

using base::JsonWriter;

void write_text(JsonWriter& out, std::string_view key, std::string_view text) {
  out.key(key).string(text);
}

// The members of a summary, inside an object that is open.
void write_summary(JsonWriter& out, const Summary& report) {
  write_text(out, "id", report.id);
  write_text(out, "received", base::iso8601(report.received));
  write_text(out, "state", name_of(report.state));
  write_text(out, "product", report.product);
  write_text(out, "version", report.version);
  write_text(out, "signature", report.signature);
  write_text(out, "reason", report.reason);
  write_text(out, "address", report.address);
  write_text(out, "system", report.system);
  write_text(out, "error", report.error);
  write_text(out, "page", "/crashes/" + report.id);
}

void write_annotations(JsonWriter& out, const Report& report) {
  out.key("annotations").begin_array();
  for (const Annotation& annotation : report.annotations) {
    out.begin_object();
    write_text(out, "name", annotation.name);
    write_text(out, "value", annotation.value);
    // The value above has replacement characters then: these are the bytes.
    if (!base::is_utf8(annotation.value)) {
      write_text(out, "value_hex", base::hex_of(base::bytes_of(annotation.value)));
    }
    out.end_object();
  }
  out.end_array();
}

void write_files(JsonWriter& out, const Report& report) {
  out.key("files").begin_array();
  for (std::size_t i = 0; i < report.files.size(); ++i) {
    const StoredFile& file = report.files[i];
    out.begin_object();
    write_text(out, "kind", file.kind == FileKind::dump ? "dump" : "attachment");
    write_text(out, "name", file.name);
    write_text(out, "file_name", file.file_name);
    write_text(out, "content_type", file.content_type);
    write_text(out, "sha256", file.sha256);
    if (!file.sent_sha256.empty()) write_text(out, "sent_sha256", file.sent_sha256);
    out.key("size").unsigned_integer(file.size);
    write_text(out, "url", "/api/v1/reports/" + report.summary.id + "/files/" + std::to_string(i));
    out.end_object();
  }
  out.end_array();
}

}  // namespace

std::string page_as_json(const Page& page, std::int64_t limit) {
  JsonWriter out;
  out.begin_object().key("reports").begin_array();
  for (const Summary& report : page.reports) {
    out.begin_object();
    write_summary(out, report);
    out.end_object();
  }
  out.end_array().key("next");
  if (page.next_before == 0) {
    out.null();
  } else {
    out.string("/api/v1/reports?before=" + std::to_string(page.next_before) +
               "&limit=" + std::to_string(limit));
  }
  return out.end_object().take();
}

std::string report_as_json(const Report& report, std::string_view processed_json) {
  JsonWriter out;
  out.begin_object();
  write_summary(out, report.summary);
  out.key("revision").integer(report.revision);
  out.key("processed_at");
  if (report.processed.us == 0) {
    out.null();
  } else {
    out.string(base::iso8601(report.processed));
  }
  write_annotations(out, report);
  write_files(out, report);
  out.key("notes").begin_array();
  for (const std::string& note : report.notes) out.string(note);
  out.end_array().key("processed");
  if (processed_json.empty()) {
    out.null();
  } else {
    out.raw(processed_json);
  }
  return out.end_object().take();
}

}  // namespace reports
