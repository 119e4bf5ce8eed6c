// A PDB opened for reading: who it is (GUID, age), its machine, and its streams by name.
// Not a converter: symbols, lines and types are read elsewhere, from the streams given here.
// Views point into the bytes given to open(); keep those alive.
// Immutable after open(); any thread may read.
// open() fails with malformed or unsupported when there is no container or no info stream. A DBI
// stream that cannot be read is left out, and problem() says so: a PDB of types alone has none.
// Format: docs/formats/pdb.md
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/pdb/container.h"

namespace pdb {

constexpr std::uint32_t kInfoStream = 1;
constexpr std::uint32_t kTypeStream = 2;
constexpr std::uint32_t kDbiStream = 3;
constexpr std::uint32_t kIdStream = 4;
constexpr std::uint64_t kMaxInfoStreamSize = 16ull << 20;  // names of injected sources stand in it
constexpr std::uint32_t kMaxNamedStreams = 1u << 16;

enum Machine : std::uint16_t {
  kMachineUnknown = 0,
  kMachineI386 = 0x14c,
  kMachineArmNt = 0x1c4,
  kMachineAmd64 = 0x8664,
  kMachineArm64 = 0xaa64,
};

// Stream 1.
struct Info {
  std::uint32_t version = 0;
  std::uint32_t signature = 0;  // time stamp; the id of a PDB 2.00
  std::uint32_t age = 0;        // grows when tools rewrite the file; not the one of the id
  bool has_guid = false;
  std::array<std::uint8_t, 16> guid{};  // as it stands in the file
};

// The head of stream 3.
struct DbiHead {
  std::uint32_t version = 0;
  std::uint32_t age = 0;  // the linker's: with the GUID it is the file's id
  std::uint16_t flags = 0;
  std::uint16_t machine = kMachineUnknown;
  std::uint16_t global_stream = 0xffff;
  std::uint16_t public_stream = 0xffff;
  std::uint16_t symbol_stream = 0xffff;
  std::uint32_t module_info_size = 0;

  bool is_incrementally_linked() const { return (flags & 1) != 0; }
  bool is_stripped() const { return (flags & 2) != 0; }
};

struct NamedStream {
  std::string name;
  std::uint32_t stream = 0;
};

class File {
 public:
  static base::Result<File> open(base::Bytes bytes);

  const Container& container() const { return *container_; }
  const Info& info() const { return info_; }
  const std::optional<DbiHead>& dbi() const { return dbi_; }
  const std::string& problem() const { return problem_; }

  // The age of the id: the DBI stream's, else the info stream's.
  std::uint32_t age() const { return dbi_ && dbi_->age != 0 ? dbi_->age : info_.age; }
  std::string_view arch() const;  // Breakpad's word: "x86", "x86_64", …; "unknown"

  // In the order of the table in the info stream.
  const std::vector<NamedStream>& named_streams() const { return named_streams_; }
  // Names are compared without case, as Microsoft's reader does.
  std::optional<std::uint32_t> find_named_stream(std::string_view name) const;
  // Whole, at most `size_max` bytes. not_found when no stream has the name.
  base::Result<StreamBytes> read_named_stream(std::string_view name, std::uint64_t size_max) const;

  // Source servers: "srcsrv" is an .ini text with commands, "sourcelink" the JSON of Source Link
  // (a second one, "sourcelink$1" and so on, when several were linked in).
  bool has_srcsrv() const { return find_named_stream("srcsrv").has_value(); }
  bool has_source_link() const;

 private:
  File() = default;
  base::Result<void> read_info();
  base::Result<void> read_names(base::Reader& r);
  base::Result<void> read_dbi_head();

  std::unique_ptr<Container> container_;
  Info info_;
  std::optional<DbiHead> dbi_;
  std::vector<NamedStream> named_streams_;
  std::string problem_;
};

}  // namespace pdb
