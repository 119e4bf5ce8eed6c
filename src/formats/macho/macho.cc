#include "formats/macho/macho.h"

#include <algorithm>

#include "base/text.h"

namespace macho {
namespace {

using base::Bytes;
using base::Endian;
using base::Error;
using base::Fault;
using base::Result;

constexpr std::uint32_t kMagic32 = 0xfeedface;
constexpr std::uint32_t kMagic64 = 0xfeedfacf;
constexpr std::uint32_t kFat32 = 0xcafebabe;
constexpr std::uint32_t kFat64 = 0xcafebabf;
constexpr std::uint32_t kSubtypeMask = 0x00ffffff;  // the top byte holds capabilities
constexpr std::uint32_t kMaxPlatformMac = 1;

Error malformed(std::string what) { return {Fault::malformed, "Mach-O: " + std::move(what)}; }

// The magic as it reads in the byte order in which it makes sense.
struct Magic {
  std::uint32_t value = 0;
  Endian endian = Endian::little;
};

Magic magic_of(Bytes bytes) {
  for (const Endian endian : {Endian::little, Endian::big}) {
    base::Reader r(bytes, endian);
    const std::uint32_t value = r.u32();
    if (value == kMagic32 || value == kMagic64 || value == kFat32 || value == kFat64) {
      return {value, endian};
    }
  }
  return {};
}

std::string_view fixed_text(Bytes bytes) {
  const std::string_view text = base::text_of(bytes);
  return text.substr(0, std::min(text.find('\0'), text.size()));
}

std::string_view arm_arch(std::uint32_t subtype) {
  switch (subtype) {
    case 5:
      return "armv4t";
    case 6:
      return "armv6";
    case 7:
      return "armv5";
    case 9:
      return "armv7";
    case 10:
      return "armv7f";
    case 11:
      return "armv7s";
    case 12:
      return "armv7k";
    case 14:
      return "armv6m";
    case 15:
      return "armv7m";
    case 16:
      return "armv7em";
    default:
      return "arm";
  }
}

}  // namespace

bool File::has_magic(Bytes bytes) {
  const Magic magic = magic_of(bytes);
  if (magic.value != kFat32) return magic.value != 0;
  base::Reader r(bytes, magic.endian);
  r.u32();
  return r.u32() <= kMaxSlices && r.ok();
}

Result<Slice> Slice::parse(Bytes bytes) {
  const Magic magic = magic_of(bytes);
  if (magic.value != kMagic32 && magic.value != kMagic64) {
    return malformed("it does not begin with FEEDFACE or FEEDFACF in either byte order");
  }
  Slice slice;
  slice.bytes_ = bytes;
  slice.is_64_ = magic.value == kMagic64;
  slice.endian_ = magic.endian;
  base::Reader r(bytes, magic.endian);
  r.u32();
  slice.cpu_type_ = r.u32();
  slice.cpu_subtype_ = r.u32() & kSubtypeMask;
  slice.file_type_ = r.u32();
  const std::uint32_t count = r.u32();
  const std::uint32_t size = r.u32();
  r.u32();  // flags
  if (slice.is_64_) r.u32();
  TRY(r.check("Mach-O header"));
  slice.read_commands(r, count, size);
  return slice;
}

void Slice::read_commands(base::Reader& r, std::uint32_t count, std::uint32_t size) {
  const std::uint64_t end = std::min<std::uint64_t>(r.offset() + size, r.size());
  const bool cut = r.offset() + size > r.size();
  for (std::uint32_t i = 0; i < count && i < kMaxCommands; ++i) {
    const std::uint64_t at = r.offset();
    const std::uint32_t command = r.u32();
    const std::uint32_t command_size = r.u32();
    if (r.failed() || command_size < 8 || command_size > end - at) {
      problem_ = "load command " + std::to_string(i) + " of " + std::to_string(count) +
                 (cut ? " lies outside the file" : " lies outside the table");
      return;
    }
    commands_.push_back({command, bytes_.subspan(static_cast<std::size_t>(at), command_size)});
    read_command(commands_.back());
    r.seek(at + command_size);
  }
}

void Slice::read_command(const LoadCommand& command) {
  base::Reader r(command.bytes, endian_);
  r.skip(8);
  switch (command.command) {
    case kUuid: {
      const Bytes uuid = r.bytes(16);
      if (r.ok() && !uuid_) uuid_ = uuid;
      break;
    }
    case kIdDylib: {
      const std::uint32_t at = r.u32();
      if (at < command.bytes.size()) install_name_ = fixed_text(command.bytes.subspan(at));
      break;
    }
    case kSymtab:
      r.u32();
      symbol_count_ = r.u32();
      break;
    case kBuildVersion:
      platform_ = r.u32();
      break;
    case kVersionMinMac:
      platform_ = 1;
      break;
    case kVersionMinIphone:
      platform_ = 2;
      break;
    case kVersionMinTv:
      platform_ = 3;
      break;
    case kVersionMinWatch:
      platform_ = 4;
      break;
    case kSegment32:
    case kSegment64:
      read_segment(command);
      break;
    default:
      break;
  }
}

void Slice::read_segment(const LoadCommand& command) {
  const bool wide = command.command == kSegment64;
  const unsigned word = wide ? 8 : 4;
  base::Reader r(command.bytes, endian_);
  r.skip(8 + 16);
  r.skip(4ull * word);
  r.skip(8);  // protection
  const std::uint32_t count = r.u32();
  r.u32();  // flags
  for (std::uint32_t i = 0; i < count && sections_.size() < kMaxSections; ++i) {
    Section section;
    section.name = fixed_text(r.bytes(16));
    section.segment = fixed_text(r.bytes(16));
    section.address = r.sized(word);
    section.size = r.sized(word);
    section.offset = r.u32();
    r.skip(12);
    section.flags = r.u32();
    r.skip(wide ? 12 : 8);
    if (r.failed()) {
      problem_ = "section " + std::to_string(i) + " lies outside its load command";
      return;
    }
    sections_.push_back(section);
  }
}

bool Slice::has_bytes(const Section& section) const {
  constexpr std::uint32_t kZeroFill = 1;
  return section.offset != 0 && section.size != 0 && (section.flags & 0xff) != kZeroFill &&
         base::find_slice(bytes_, section.offset, section.size).has_value();
}

bool Slice::has_dwarf() const {
  return std::any_of(sections_.begin(), sections_.end(), [&](const Section& s) {
    return (s.name == "__debug_info" || s.name == "__zdebug_info") && has_bytes(s);
  });
}

bool Slice::has_code() const {
  return file_type_ != kDsym && std::any_of(sections_.begin(), sections_.end(), [&](const auto& s) {
           return s.segment == "__TEXT" && s.name == "__text" && has_bytes(s);
         });
}

bool Slice::has_unwind_info() const {
  return std::any_of(sections_.begin(), sections_.end(), [&](const Section& s) {
    return (s.name == "__unwind_info" || s.name == "__eh_frame" || s.name == "__debug_frame" ||
            s.name == "__compact_unwind") &&
           has_bytes(s);
  });
}

bool Slice::has_symbol_table() const { return symbol_count_ != 0; }

std::string Slice::arch() const {
  switch (cpu_type_) {
    case kCpuX86:
      return "x86";
    case kCpuX86_64:
      return cpu_subtype_ == 8 ? "x86_64h" : "x86_64";
    case kCpuArm:
      return std::string(arm_arch(cpu_subtype_));
    case kCpuArm64:
      return cpu_subtype_ == 2 ? "arm64e" : "arm64";
    case kCpuArm64_32:
      return "arm64_32";
    case kCpuPpc:
      return "ppc";
    case kCpuPpc64:
      return "ppc64";
    default:
      return "unknown";
  }
}

std::string_view Slice::os() const { return platform_ > kMaxPlatformMac ? "ios" : "mac"; }

Result<File> File::parse(Bytes bytes) {
  File file;
  const Magic magic = magic_of(bytes);
  if (magic.value == kFat32 || magic.value == kFat64) {
    TRY(file.read_fat(bytes, magic.endian, magic.value == kFat64));
  } else {
    Slice slice = TRY(Slice::parse(bytes));
    file.slices_.push_back(std::move(slice));
    if (!file.slices_[0].problem().empty()) file.problems_.push_back(file.slices_[0].problem());
  }
  return file;
}

Result<void> File::read_fat(Bytes bytes, Endian endian, bool is_64) {
  is_fat_ = true;
  base::Reader r(bytes, endian);
  r.u32();
  const std::uint32_t count = r.u32();
  TRY(r.check("fat header"));
  if (count > kMaxSlices) return malformed("fat file of " + std::to_string(count) + " slices");
  for (std::uint32_t i = 0; i < count; ++i) {
    r.skip(8);  // CPU: the slice says it too
    const std::uint64_t offset = r.sized(is_64 ? 8 : 4);
    const std::uint64_t size = r.sized(is_64 ? 8 : 4);
    r.skip(is_64 ? 8 : 4);
    const auto part = base::find_slice(bytes, offset, size);
    if (r.failed() || !part) {
      problems_.push_back("slice " + std::to_string(i) + " lies outside the file");
      continue;
    }
    auto slice = Slice::parse(*part);
    if (!slice.ok()) {
      problems_.push_back("slice " + std::to_string(i) + ": " + slice.error().what);
      continue;
    }
    if (!slice->problem().empty()) problems_.push_back(slice->problem());
    slices_.push_back(std::move(*slice));
  }
  if (slices_.empty()) {
    return malformed("no slice of the fat file can be read" +
                     (problems_.empty() ? std::string() : ": " + problems_.front()));
  }
  return {};
}

std::optional<std::string_view> find_dsym_binary(std::string_view path) {
  const auto parts = base::split(path, '/');
  if (parts.size() < 5) return std::nullopt;
  const std::size_t n = parts.size();
  const bool shape =
      parts[n - 5].size() > 5 &&
      base::equal_ignoring_case(parts[n - 5].substr(parts[n - 5].size() - 5), ".dSYM") &&
      parts[n - 4] == "Contents" && parts[n - 3] == "Resources" && parts[n - 2] == "DWARF" &&
      !parts[n - 1].empty();
  if (!shape) return std::nullopt;
  return parts[n - 1];
}

}  // namespace macho
