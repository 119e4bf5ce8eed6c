#include "formats/archive/cab.h"

#include <algorithm>

#include "base/text.h"
#include "formats/archive/libarchive.h"

namespace archive {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::string_view kSignature = "MSCF";
constexpr std::uint16_t kHasPrevious = 1;
constexpr std::uint16_t kHasNext = 2;
constexpr std::uint16_t kHasReserve = 4;
constexpr unsigned kCompressionMask = 15;
constexpr unsigned kQuantum = 2;
constexpr unsigned kLzx = 3;

struct Head {
  std::uint64_t members = 0;
  std::uint64_t size = 0;  // of the cabinet; what follows in the file is not part of it
};

// libarchive says little about why it does not read a cabinet, and looks for one behind other
// bytes (self-extracting programs): the head is read here first.
Result<Head> read_head(base::Bytes bytes) {
  if (!is_cab(bytes)) return Error{Fault::malformed, "cabinet: no MSCF signature at its start"};
  base::Reader reader(bytes);
  reader.skip(8);
  Head head;
  head.size = reader.u32();
  reader.skip(4);
  const std::uint64_t files_at = reader.u32();
  reader.skip(6);  // reserved; version, 1.3 for all that exist
  const std::uint16_t folders = reader.u16();
  head.members = reader.u16();
  const std::uint16_t flags = reader.u16();
  reader.skip(4);  // set id, number in the set
  std::uint64_t folder_reserve = 0;
  if ((flags & kHasReserve) != 0) {
    const std::uint16_t header_reserve = reader.u16();
    folder_reserve = reader.u8();
    const std::uint8_t block_reserve = reader.u8();
    reader.skip(header_reserve);
    if (block_reserve != 0) {
      return Error{Fault::unsupported, "cabinet: has reserved bytes in each block"};
    }
  }
  if ((flags & (kHasPrevious | kHasNext)) != 0) {
    return Error{Fault::unsupported, "cabinet: it goes on in another file; give it whole"};
  }
  for (unsigned i = 0; i < folders && reader.ok(); ++i) {
    reader.skip(6);
    const unsigned compression = reader.u16() & kCompressionMask;
    reader.skip(folder_reserve);
    if (compression == kQuantum) {
      return Error{Fault::unsupported, "cabinet: packed with Quantum, which is not read"};
    }
    if (compression > kLzx) {
      return Error{Fault::malformed,
                   "cabinet: compression " + std::to_string(compression) + " does not exist"};
    }
  }
  TRY(reader.check("the head of a cabinet"));
  if (folders == 0 || head.members == 0) {
    return Error{Fault::malformed, "cabinet: there is no file in it"};
  }
  if (head.size > bytes.size() || files_at >= head.size) {
    return Error{Fault::malformed, "cabinet: ends early: has " + std::to_string(bytes.size()) +
                                       " bytes of " + std::to_string(head.size)};
  }
  return head;
}

}  // namespace

struct CabReader::State {
  struct ::libarchive_handle* reader = nullptr;
  Head head;
  CabLimits limits;
  std::uint64_t members = 0;
  std::uint64_t plain_size = 0;  // of all members read so far
  CabMember member;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { ::archive_read_free(reader); }

  Error damaged(std::string_view doing) const {
    const char* reason = ::archive_error_string(reader);
    std::string what = "cabinet: cannot ";
    what.append(doing).append(": ").append(reason == nullptr ? "damaged" : reason);
    return {Fault::malformed, std::move(what)};
  }

  Result<void> check_limits(std::uint64_t member_size) const {
    if (member_size > limits.member_size_max) {
      return Error{Fault::too_large, "cabinet: member " + member.name + " is larger than " +
                                         std::to_string(limits.member_size_max) + " bytes"};
    }
    if (plain_size > limits.ratio_free_size && plain_size / limits.ratio_max > head.size) {
      return Error{Fault::too_large, "cabinet: expands to more than " +
                                         std::to_string(limits.ratio_max) + " times its size"};
    }
    return {};
  }
};

CabReader::CabReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
CabReader::CabReader(CabReader&&) noexcept = default;
CabReader& CabReader::operator=(CabReader&&) noexcept = default;
CabReader::~CabReader() = default;

bool is_cab(base::Bytes bytes) { return base::text_of(bytes).starts_with(kSignature); }

Result<CabReader> CabReader::open(base::Bytes bytes, const CabLimits& limits) {
  auto state = std::make_unique<State>();
  state->head = TRY(read_head(bytes));
  state->limits = limits;
  if (state->head.members > limits.members_max) {
    return Error{Fault::too_large,
                 "cabinet: has more than " + std::to_string(limits.members_max) + " members"};
  }
  state->reader = ::archive_read_new();
  if (state->reader == nullptr) return Error{Fault::unavailable, "cabinet: out of memory"};
  ::archive_read_support_format_cab(state->reader);
  if (::archive_read_open_memory(state->reader, bytes.data(), state->head.size) != ARCHIVE_OK) {
    return state->damaged("read the head");
  }
  return CabReader(std::move(state));
}

std::uint64_t CabReader::member_count() const { return state_->head.members; }

Result<std::optional<CabMember>> CabReader::next() {
  const Utf8Locale names_are_utf8;
  struct ::archive_entry* entry = nullptr;
  const int status = ::archive_read_next_header(state_->reader, &entry);
  if (status == ARCHIVE_EOF) {
    if (state_->members == state_->head.members) return std::optional<CabMember>();
    return Error{Fault::malformed, "cabinet: fewer members than its head says"};
  }
  if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return state_->damaged("read the directory");
  if (++state_->members > state_->head.members) {
    return Error{Fault::malformed, "cabinet: more members than its head says"};
  }
  const char* name = ::archive_entry_pathname(entry);
  state_->member.name = name == nullptr ? "" : name;
  state_->member.size =
      static_cast<std::uint64_t>(std::max<la_int64_t>(0, ::archive_entry_size(entry)));
  TRY(state_->check_limits(state_->member.size));
  return std::optional<CabMember>(state_->member);
}

Result<void> CabReader::read(const Sink& sink) {
  std::uint64_t member_size = 0;
  for (;;) {
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int status = ::archive_read_data_block(state_->reader, &data, &size, &offset);
    if (status == ARCHIVE_EOF) break;
    if (status != ARCHIVE_OK) return state_->damaged("read member " + state_->member.name);
    member_size += size;
    state_->plain_size += size;
    TRY(state_->check_limits(member_size));
    TRY(sink({static_cast<const std::uint8_t*>(data), size}));
  }
  if (member_size == state_->member.size) return {};
  return Error{Fault::malformed, "cabinet: member " + state_->member.name + " ends after " +
                                     std::to_string(member_size) + " bytes of " +
                                     std::to_string(state_->member.size)};
}

Result<CabMember> expand_cab(base::Bytes cab, const CabLimits& limits,
                             const CabReader::Sink& sink) {
  CabReader reader = TRY(CabReader::open(cab, limits));
  if (reader.member_count() != 1) {
    return Error{Fault::malformed, "cabinet: holds " + std::to_string(reader.member_count()) +
                                       " files; a compressed symbol file holds one"};
  }
  const std::optional<CabMember> member = TRY(reader.next());
  if (!member) return Error{Fault::malformed, "cabinet: there is no file in it"};
  TRY(reader.read(sink));
  return *member;
}

std::string cab_name_of(std::string_view name) {
  // symstore replaces the last letter of an extension, and adds to a name without one.
  std::string packed(name);
  const auto dot = packed.rfind('.');
  if (dot == std::string::npos || dot + 1 == packed.size()) return packed + "_";
  // An extension of one or two letters has room left in the old 8.3 world.
  packed.back() = '_';
  return packed;
}

bool is_cab_name_of(std::string_view name, std::string_view plain) {
  return base::equal_ignoring_case(name, cab_name_of(plain));
}

}  // namespace archive
