// CrashpadInfo: annotations of the process and of its modules, in three generations.
#include <fmt/format.h>

#include "base/text.h"
#include "formats/minidump/list_stream.h"
#include "formats/minidump/streams.h"

namespace minidump {

using base::Bytes;
using base::Reader;
using base::Result;

namespace {

constexpr std::uint16_t kAnnotationString = 1;
constexpr std::uint32_t kModuleInfoVersion = 1;

Location read_location(Reader& reader) {
  Location location;
  location.size = reader.u32();
  location.rva = reader.u32();
  return location;
}

std::string read_uuid(Reader& reader) {
  const std::uint32_t a = reader.u32();
  const std::uint16_t b = reader.u16();
  const std::uint16_t c = reader.u16();
  const std::string rest = base::hex_of(reader.bytes(8));
  if (rest.size() != 16) return {};
  return fmt::format("{:08x}-{:04x}-{:04x}-{}-{}", a, b, c, rest.substr(0, 4), rest.substr(4));
}

// Gathers annotations; a list that cannot be read ends at the entry that could not.
class Annotations {
 public:
  explicit Annotations(const Minidump& dump) : dump_(dump) {}

  void add_dictionary(Location location, std::optional<std::uint32_t> module) {
    Reader reader = open(location);
    for (std::uint32_t left = reader.u32(); left > 0 && reader.ok(); --left) {
      const auto key = dump_.find_utf8(reader.u32());
      const auto value = dump_.find_utf8(reader.u32());
      if (!add(reader, key, value, module)) return;
    }
  }

  void add_messages(Location location, std::uint32_t module) {
    Reader reader = open(location);
    for (std::uint32_t left = reader.u32(); left > 0 && reader.ok(); --left) {
      if (!add(reader, "", dump_.find_utf8(reader.u32()), module)) return;
    }
  }

  // Objects of other types than text are a program's own; their bytes tell us nothing.
  void add_objects(Location location, std::uint32_t module) {
    Reader reader = open(location);
    for (std::uint32_t left = reader.u32(); left > 0 && reader.ok(); --left) {
      const auto name = dump_.find_utf8(reader.u32());
      const std::uint16_t type = reader.u16();
      reader.skip(2);
      const std::uint32_t value_rva = reader.u32();
      if (type != kAnnotationString) continue;
      if (!add(reader, name, find_value(value_rva), module)) return;
    }
  }

  Reader open(Location location) const {
    return dump_.reader(dump_.find_bytes(location).value_or(Bytes()));
  }

  std::vector<Annotation> take() { return std::move(annotations_); }

 private:
  // The value of an object is a byte array that ought to be text.
  std::optional<std::string> find_value(std::uint32_t rva) const {
    const auto head = dump_.find_bytes(rva, 4);
    if (!head) return std::nullopt;
    const std::uint32_t size = dump_.reader(*head).u32();
    const auto bytes = dump_.find_bytes(std::uint64_t{rva} + 4, size);
    if (!bytes || size > kMaxStringBytes) return std::nullopt;
    return base::to_valid_utf8(base::text_of(*bytes));
  }

  bool add(const Reader& reader, const std::optional<std::string>& key,
           const std::optional<std::string>& value, std::optional<std::uint32_t> module) {
    if (reader.failed() || !key || !value || annotations_.size() >= kMaxAnnotations) return false;
    bytes_ += key->size() + value->size();
    if (bytes_ > kMaxStringsTotal) return false;
    annotations_.push_back({*key, *value, module});
    return true;
  }

  const Minidump& dump_;
  std::vector<Annotation> annotations_;
  std::uint64_t bytes_ = 0;
};

}  // namespace

Result<CrashpadInfo> parse_crashpad_info(const Minidump& dump) {
  const Bytes stream = TRY(must_stream(dump, kCrashpadInfo));
  Reader reader = dump.reader(stream);
  const std::uint32_t version = reader.u32();
  CrashpadInfo info;
  info.report_id = read_uuid(reader);
  info.client_id = read_uuid(reader);
  const Location process_annotations = read_location(reader);
  const Location module_list = read_location(reader);
  TRY(reader.check("CrashpadInfoStream"));
  if (version == 0) return malformed_stream(kCrashpadInfo, "version 0");

  Annotations annotations(dump);
  annotations.add_dictionary(process_annotations, std::nullopt);
  Reader modules = annotations.open(module_list);
  for (std::uint32_t left = modules.u32(); left > 0 && modules.ok(); --left) {
    const std::uint32_t index = modules.u32();
    Reader module = annotations.open(read_location(modules));
    const std::uint32_t module_version = module.u32();
    const Location messages = read_location(module);
    const Location dictionary = read_location(module);
    const Location objects = read_location(module);
    if (module.failed() || module_version < kModuleInfoVersion) continue;
    annotations.add_messages(messages, index);
    annotations.add_dictionary(dictionary, index);
    annotations.add_objects(objects, index);
  }
  info.annotations = annotations.take();
  return info;
}

}  // namespace minidump
