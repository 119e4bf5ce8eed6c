// Streams that only some writers emit: handles, Mozilla's, text.
#include <fmt/format.h>

#include "base/text.h"
#include "formats/minidump/list_stream.h"
#include "formats/minidump/streams.h"

namespace minidump {

using base::Bytes;
using base::Reader;
using base::Result;

// The chain of object-information records behind each handle is not followed: it says nothing
// that we report, and a chain that points back at itself has no end.
Result<std::vector<Handle>> parse_handle_data(const Minidump& dump) {
  const Records records = TRY(ex_list(dump, kHandleData, CountWidth::u32, kMaxHandles));
  if (records.entry_size != kHandleSize && records.entry_size != kHandle2Size) {
    return malformed_stream(kHandleData, fmt::format("descriptor size {}", records.entry_size));
  }
  std::vector<Handle> handles;
  handles.reserve(records.count);
  Reader reader = dump.reader(records.bytes);
  for (std::uint32_t i = 0; i < records.count; ++i) {
    Handle handle;
    handle.handle = reader.u64();
    const std::uint32_t type_name = reader.u32();
    const std::uint32_t object_name = reader.u32();
    handle.attributes = reader.u32();
    handle.granted_access = reader.u32();
    reader.skip(records.entry_size - 24);
    if (type_name != 0) handle.type_name = dump.find_utf16(type_name);
    if (object_name != 0) handle.object_name = dump.find_utf16(object_name);
    handles.push_back(std::move(handle));
  }
  TRY(reader.check("HandleDataStream"));
  return handles;
}

namespace {

// Fails on bytes that are not UTF-8, as on a missing zero.
std::string mac_string(Reader& reader) {
  const std::string_view text = reader.c_string();
  if (!base::is_utf8(text)) reader.fail();
  return std::string(text);
}

// Numbers first, then at texts_at the texts, each with its zero. Versions are minimums: Apple's
// 2 and 3 say no more than 1, and what comes after 5 is read as 5.
Result<MacCrashRecord> parse_mac_record(const Minidump& dump, Bytes bytes, std::uint32_t texts_at) {
  MacCrashRecord record;
  Reader reader = dump.reader(bytes);
  reader.skip(8);  // the stream's type again
  record.version = reader.u64();
  if (record.version >= 4) {
    record.thread = reader.u64();
    record.dialog_mode = reader.u64();
  }
  if (record.version >= 5) record.abort_cause = reader.u64();
  TRY(reader.check("MozMacosCrashInfoStream"));
  if (reader.offset() > texts_at) {
    return malformed_stream(kMozMacosCrashInfo, fmt::format("texts at {}", texts_at));
  }
  if (record.version < 4) return record;
  reader.seek(texts_at);
  record.module = mac_string(reader);
  record.message = mac_string(reader);
  record.signature_string = mac_string(reader);
  record.backtrace = mac_string(reader);
  record.message2 = mac_string(reader);
  TRY(reader.check("MozMacosCrashInfoStream"));
  return record;
}

}  // namespace

Result<std::vector<MacCrashRecord>> parse_mac_crash_info(const Minidump& dump) {
  const Bytes stream = TRY(must_stream(dump, kMozMacosCrashInfo));
  Reader reader = dump.reader(stream);
  reader.skip(4);  // the stream's type again
  const std::uint32_t count = reader.u32();
  const std::uint32_t texts_at = reader.u32();
  // The stream has room for all records it might have, used or not.
  Reader places = dump.reader(reader.bytes(8 * kMaxMacCrashRecords));
  TRY(reader.check("MozMacosCrashInfoStream"));
  if (count > kMaxMacCrashRecords) {
    return malformed_stream(kMozMacosCrashInfo, fmt::format("{} records", count));
  }
  std::vector<MacCrashRecord> records;
  for (std::uint32_t i = 0; i < count; ++i) {
    Location location;
    location.size = places.u32();
    location.rva = places.u32();
    const auto bytes = dump.find_bytes(location);
    if (!bytes) return malformed_stream(kMozMacosCrashInfo, "a record is not in the file");
    MacCrashRecord record = TRY(parse_mac_record(dump, *bytes, texts_at));
    if (record.version == 0) continue;
    if (!records.empty() && records.front().version != record.version) {
      return malformed_stream(kMozMacosCrashInfo, "records of two versions");
    }
    records.push_back(std::move(record));
  }
  return records;
}

Result<std::string> parse_mac_boot_args(const Minidump& dump) {
  const Bytes stream = TRY(must_stream(dump, kMozMacosBootargs));
  Reader reader = dump.reader(stream);
  reader.skip(4);  // the stream's type again
  const std::uint64_t rva = reader.u64();
  TRY(reader.check("MozMacosBootargsStream"));
  auto text = dump.find_utf16(rva);
  if (!text) return malformed_stream(kMozMacosBootargs, "the text cannot be read");
  return std::move(*text);
}

Result<std::string_view> parse_text_stream(const Minidump& dump, std::uint32_t type) {
  const Bytes stream = TRY(must_stream(dump, type));
  if (stream.size() > kMaxTextStream) {
    base::Error error = malformed_stream(type, fmt::format("{} bytes of text", stream.size()));
    error.fault = base::Fault::too_large;
    return error;
  }
  return base::text_of(stream);
}

}  // namespace minidump
