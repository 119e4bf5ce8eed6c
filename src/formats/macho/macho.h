// A Mach-O file opened for reading, thin or fat: its slices, and of each slice the header, UUID,
// segments' sections and load commands.
// Not a converter and not an identity: extract/ makes symbols and keys of what is here.
// Views point into the bytes given to parse(); keep those alive.
// Immutable after parse(); any thread may read.
// parse() fails with malformed when the first bytes are no Mach-O header. Of a fat file, slices
// that cannot be read are left out, and problems() says so; load commands that lie outside a
// slice end the reading of that slice, with a problem. 32 and 64 bits, either byte order.
// Format: docs/formats/macho.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace macho {

constexpr std::uint32_t kMaxSlices = 44;  // Java classes share the magic; their next number is 45
constexpr std::uint32_t kMaxCommands = 1u << 16;
constexpr std::uint32_t kMaxSections = 1u << 16;

enum CpuType : std::uint32_t {
  kCpuX86 = 7,
  kCpuArm = 12,
  kCpuPpc = 18,
  kCpuX86_64 = 0x01000007,
  kCpuArm64 = 0x0100000c,
  kCpuPpc64 = 0x01000012,
  kCpuArm64_32 = 0x0200000c,
};

enum FileType : std::uint32_t {
  kObject = 1,
  kExecute = 2,
  kCore = 4,
  kDylib = 6,
  kDylinker = 7,
  kBundle = 8,
  kDylibStub = 9,
  kDsym = 10,
  kKext = 11,
};

enum Command : std::uint32_t {
  kSegment32 = 1,
  kSymtab = 2,
  kIdDylib = 0xd,
  kSegment64 = 0x19,
  kUuid = 0x1b,
  kVersionMinMac = 0x24,
  kVersionMinIphone = 0x25,
  kFunctionStarts = 0x26,
  kVersionMinTv = 0x2f,
  kVersionMinWatch = 0x30,
  kBuildVersion = 0x32,
};

struct LoadCommand {
  std::uint32_t command = 0;
  base::Bytes bytes;  // whole, with its 8 bytes of head
};

struct Section {
  std::string_view segment;
  std::string_view name;
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  std::uint32_t offset = 0;  // 0 where the bytes are in another file, as in a dSYM
  std::uint32_t flags = 0;
};

class Slice {
 public:
  // One Mach-O file that is not fat.
  static base::Result<Slice> parse(base::Bytes bytes);

  base::Bytes bytes() const { return bytes_; }
  bool is_64() const { return is_64_; }
  base::Endian endian() const { return endian_; }
  std::uint32_t cpu_type() const { return cpu_type_; }
  std::uint32_t cpu_subtype() const { return cpu_subtype_; }
  std::uint32_t file_type() const { return file_type_; }
  // "x86", "x86_64", "x86_64h", "arm", "armv7", "armv7s", "arm64", "arm64e", "arm64_32", …
  std::string arch() const;
  std::string_view os() const;  // Breakpad's word: "mac" or "ios"

  const std::optional<base::Bytes>& uuid() const { return uuid_; }  // 16 bytes
  std::string_view install_name() const { return install_name_; }   // of a dylib; "" without
  const std::vector<LoadCommand>& commands() const { return commands_; }
  const std::vector<Section>& sections() const { return sections_; }
  const std::string& problem() const { return problem_; }

  bool has_dwarf() const;
  bool has_code() const;
  bool has_unwind_info() const;
  bool has_symbol_table() const;

 private:
  Slice() = default;
  void read_commands(base::Reader& r, std::uint32_t count, std::uint32_t size);
  void read_command(const LoadCommand& command);
  void read_segment(const LoadCommand& command);
  bool has_bytes(const Section& section) const;

  base::Bytes bytes_;
  bool is_64_ = false;
  base::Endian endian_ = base::Endian::little;
  std::uint32_t cpu_type_ = 0;
  std::uint32_t cpu_subtype_ = 0;
  std::uint32_t file_type_ = 0;
  std::uint32_t platform_ = 0;
  std::uint32_t symbol_count_ = 0;
  std::optional<base::Bytes> uuid_;
  std::string_view install_name_;
  std::vector<LoadCommand> commands_;
  std::vector<Section> sections_;
  std::string problem_;
};

class File {
 public:
  static base::Result<File> parse(base::Bytes bytes);
  static bool has_magic(base::Bytes bytes);

  bool is_fat() const { return is_fat_; }
  const std::vector<Slice>& slices() const { return slices_; }  // at least one
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  File() = default;
  base::Result<void> read_fat(base::Bytes bytes, base::Endian endian, bool is_64);

  bool is_fat_ = false;
  std::vector<Slice> slices_;
  std::vector<std::string> problems_;
};

// The parts of a path into a bundle: "A.dSYM/Contents/Resources/DWARF/A" → "A". Nothing when the
// path does not have that shape; Info.plist and relocations have none.
std::optional<std::string_view> find_dsym_binary(std::string_view path);

}  // namespace macho
