// A Windows image opened for reading: headers, sections, and what its debug directory says about
// the PDB that belongs to it.
// Not a converter and not an identity: extract/ makes symbols and keys of what is here.
// Views point into the bytes given to parse(); keep those alive.
// Immutable after parse(); any thread may read.
// parse() fails with malformed when there is no sane PE header. Sections, directories and debug
// entries that lie outside the file are left out, and problems() says so: a cut file still has
// its code id.
// Format: docs/formats/pe.md
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace pe {

constexpr std::uint32_t kMaxDebugEntries = 256;
constexpr std::uint32_t kMaxResourceEntries = 4096;
constexpr std::size_t kMaxPathSize = 4096;  // of a PDB, as the linker wrote it

enum Machine : std::uint16_t {
  kMachineI386 = 0x14c,
  kMachineArm = 0x1c0,
  kMachineThumb = 0x1c2,
  kMachineArmNt = 0x1c4,
  kMachineIa64 = 0x200,
  kMachineRiscv64 = 0x5064,
  kMachineLoongarch64 = 0x6264,
  kMachineAmd64 = 0x8664,
  kMachineArm64Ec = 0xa641,
  kMachineArm64X = 0xa64e,
  kMachineArm64 = 0xaa64,
};

enum DirectoryIndex : std::uint8_t {
  kDirectoryExport = 0,
  kDirectoryResource = 2,
  kDirectoryException = 3,
  kDirectoryDebug = 6,
  kDirectoryClr = 14,
};

enum DebugType : std::uint32_t {
  kDebugCodeView = 2,
  kDebugRepro = 16,
  kDebugEmbeddedPortablePdb = 17,
  kDebugPdbChecksum = 19,
  kDebugPerfMap = 21,
};

struct Section {
  std::string_view name;  // long names of MinGW ("/123") are resolved
  std::uint32_t virtual_size = 0;
  std::uint32_t rva = 0;
  std::uint32_t raw_size = 0;
  std::uint32_t offset = 0;
  std::uint32_t characteristics = 0;

  bool is_code() const { return (characteristics & 0x20000020) != 0; }
};

struct Directory {
  std::uint32_t rva = 0;
  std::uint32_t size = 0;
};

struct DebugEntry {
  std::uint32_t stamp = 0;
  std::uint16_t major = 0;
  std::uint16_t minor = 0;
  std::uint32_t type = 0;
  base::Bytes data;  // empty when it lies outside the file
};

// The link to a PDB. There may be several: native images of .NET name two.
struct CodeView {
  enum class Kind : unsigned char { rsds, nb10 };
  Kind kind = Kind::rsds;
  std::array<std::uint8_t, 16> guid{};  // RSDS, as it stands in the file
  std::uint32_t signature = 0;          // NB10: a time stamp
  std::uint32_t age = 0;
  std::string_view path;    // as the linker wrote it, often with directories
  bool portable = false;    // the PDB is a portable one
  std::uint32_t stamp = 0;  // of the debug entry; a portable PDB's id ends in it
};

struct PdbChecksum {
  std::string_view algorithm;  // "SHA256"
  base::Bytes checksum;
};

// A map of ReadyToRun code, in a file of its own.
struct PerfMap {
  std::uint32_t version = 0;
  base::Bytes signature;
  std::string_view path;
};

// A portable PDB inside the image, packed as raw deflate.
struct EmbeddedPdb {
  std::uint32_t size = 0;  // as it says, unpacked
  base::Bytes packed;
};

struct FileVersion {
  std::uint16_t major = 0, minor = 0, build = 0, revision = 0;
  bool is_debug = false;
};

class File {
 public:
  static base::Result<File> parse(base::Bytes bytes);
  static bool has_magic(base::Bytes bytes);  // "MZ", and "PE" where it says

  base::Bytes bytes() const { return bytes_; }
  bool is_64() const { return is_64_; }
  std::uint16_t machine() const { return machine_; }
  // Breakpad's word: "x86", "x86_64", "arm", "arm64" …; "unknown". ReadyToRun images for other
  // systems disguise their machine; that is undone.
  std::string_view arch() const;
  std::uint32_t timestamp() const { return timestamp_; }  // a hash with /Brepro
  std::uint32_t size_of_image() const { return size_of_image_; }
  std::uint64_t image_base() const { return image_base_; }
  std::uint16_t characteristics() const { return characteristics_; }

  // Time stamp with 8 digits, upper case; size of the image in hex, lower case, no padding.
  std::string code_id() const;

  const std::vector<Section>& sections() const { return sections_; }
  const Section* find_section(std::string_view name) const;
  base::Bytes raw(const Section& section) const;
  Directory directory(DirectoryIndex index) const;
  base::Bytes from_rva(std::uint64_t rva) const;  // to the end of its section; empty outside
  std::optional<base::Bytes> find_rva(std::uint64_t rva, std::uint64_t size) const;
  const std::vector<std::string>& problems() const { return problems_; }

  // In the order of the debug directory; "MPDB" and other embedded things are no links.
  const std::vector<DebugEntry>& debug_entries() const { return debug_entries_; }
  std::vector<CodeView> code_views() const;
  std::vector<PdbChecksum> pdb_checksums() const;
  std::vector<PerfMap> perf_maps() const;
  std::optional<EmbeddedPdb> find_embedded_pdb() const;
  std::optional<FileVersion> find_file_version() const;  // of the version resource

 private:
  File() = default;
  void read_sections(base::Reader& r, std::uint32_t count, std::uint64_t strings_at);
  void read_debug_directory();

  base::Bytes bytes_;
  bool is_64_ = false;
  std::uint16_t machine_ = 0;
  std::uint16_t characteristics_ = 0;
  std::uint32_t timestamp_ = 0;
  std::uint32_t size_of_image_ = 0;
  std::uint64_t image_base_ = 0;
  std::vector<Section> sections_;
  std::vector<Directory> directories_;
  std::vector<DebugEntry> debug_entries_;
  std::vector<std::string> problems_;
};

}  // namespace pe
