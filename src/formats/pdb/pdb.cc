#include "formats/pdb/pdb.h"

#include <algorithm>

#include "base/text.h"

namespace pdb {
namespace {

using base::Bytes;
using base::Error;
using base::Fault;
using base::Result;

// The info stream has a GUID from this version on (Visual C++ 7); 2.00 files never reach it.
constexpr std::uint32_t kVersionVc70 = 19990604;
constexpr std::uint32_t kNewDbi = 0xffffffff;
constexpr std::uint64_t kDbiHeadSize = 64;

Error malformed(std::string what) { return {Fault::malformed, "PDB: " + std::move(what)}; }

}  // namespace

Result<File> File::open(Bytes bytes) {
  File file;
  file.container_ = TRY(open_container(bytes));
  TRY(file.read_info());
  if (const auto dbi = file.read_dbi_head(); !dbi.ok()) file.problem_ = dbi.error().what;
  return file;
}

Result<void> File::read_info() {
  const StreamBytes stream = TRY(container_->read_all(kInfoStream, kMaxInfoStreamSize));
  base::Reader r(stream.bytes());
  info_.version = r.u32();
  info_.signature = r.u32();
  info_.age = r.u32();
  TRY(r.check("PDB info stream"));
  if (info_.version < kVersionVc70) return {};  // no GUID, and names of another form
  const Bytes guid = r.bytes(info_.guid.size());
  TRY(r.check("PDB info stream"));
  std::copy(guid.begin(), guid.end(), info_.guid.begin());
  info_.has_guid = true;
  if (const auto names = read_names(r); !names.ok()) problem_ = names.error().what;
  return {};
}

// A buffer of zero-ended names, then a hash table from offsets in it to stream numbers:
// size, capacity, a bit for each bucket in use, a bit for each deleted one, the pairs.
Result<void> File::read_names(base::Reader& r) {
  const Bytes buffer = r.bytes(r.u32());
  const std::uint32_t size = r.u32();
  r.u32();  // capacity
  r.skip(r.u32() * 4ull);
  r.skip(r.u32() * 4ull);
  TRY(r.check("PDB names of streams"));
  if (size > kMaxNamedStreams || size > r.remaining() / 8) {
    return malformed("table of names says " + std::to_string(size) + " streams");
  }
  for (std::uint32_t i = 0; i < size; ++i) {
    const std::uint32_t at = r.u32();
    const std::uint32_t stream = r.u32();
    if (at >= buffer.size()) continue;
    const std::string_view rest = base::text_of(buffer.subspan(at));
    named_streams_.push_back({std::string(rest.substr(0, rest.find('\0'))), stream});
  }
  return {};
}

Result<void> File::read_dbi_head() {
  const std::uint64_t size = container_->size_of(kDbiStream);
  if (size == 0) return {};  // types only
  const StreamBytes stream =
      TRY(container_->read(kDbiStream, 0, std::min<std::uint64_t>(size, kDbiHeadSize)));
  base::Reader r(stream.bytes());
  if (r.u32() != kNewDbi) return {};  // before Visual C++ 5: no age of its own
  DbiHead head;
  head.version = r.u32();
  head.age = r.u32();
  head.global_stream = r.u16();
  r.u16();  // build number
  head.public_stream = r.u16();
  r.u16();  // version of the writer
  head.symbol_stream = r.u16();
  r.u16();
  head.module_info_size = r.u32();
  r.seek(56);
  head.flags = r.u16();
  head.machine = r.u16();
  TRY(r.check("PDB DBI stream"));
  dbi_ = head;
  return {};
}

std::string_view File::arch() const {
  const std::uint16_t machine = dbi_ ? dbi_->machine : std::uint16_t{kMachineUnknown};
  switch (machine) {
    case kMachineI386:
      return "x86";
    case kMachineAmd64:
      return "x86_64";
    case kMachineArmNt:
      return "arm";
    case kMachineArm64:
      return "arm64";
    default:
      return "unknown";
  }
}

std::optional<std::uint32_t> File::find_named_stream(std::string_view name) const {
  for (const NamedStream& named : named_streams_) {
    if (base::equal_ignoring_case(named.name, name)) return named.stream;
  }
  return std::nullopt;
}

bool File::has_source_link() const {
  return std::any_of(named_streams_.begin(), named_streams_.end(), [](const NamedStream& named) {
    return base::equal_ignoring_case(named.name, "sourcelink") ||
           base::lower_ascii(named.name).starts_with("sourcelink$");
  });
}

Result<StreamBytes> File::read_named_stream(std::string_view name, std::uint64_t size_max) const {
  const auto stream = find_named_stream(name);
  if (!stream) {
    return Error{Fault::not_found, "PDB: there is no stream named \"" + std::string(name) + "\""};
  }
  return container_->read_all(*stream, size_max);
}

}  // namespace pdb
