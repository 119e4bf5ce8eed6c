#include "formats/archive/zip.h"

#include "formats/archive/libarchive.h"

namespace archive {

using base::Error;
using base::Fault;
using base::Result;

struct ZipReader::State {
  Handle reader;
  std::uint64_t archive_size = 0;
  ZipLimits limits;
  std::uint64_t members = 0;
  std::uint64_t plain_size = 0;  // of all members read so far
  std::string member_name;

  Error damaged(std::string_view doing) const {
    const char* reason = ::archive_error_string(reader.get());
    std::string what = "zip: cannot ";
    what.append(doing).append(": ").append(reason == nullptr ? "damaged" : reason);
    return {Fault::malformed, std::move(what)};
  }

  // Called for each piece that comes out, before anybody keeps it.
  Result<void> check_limits(std::uint64_t member_size) const {
    if (member_size > limits.member_size_max) {
      return Error{Fault::too_large, "zip: member " + member_name + " is larger than " +
                                         std::to_string(limits.member_size_max) + " bytes"};
    }
    if (plain_size > limits.ratio_free_size && plain_size / limits.ratio_max > archive_size) {
      return Error{Fault::too_large, "zip: expands to more than " +
                                         std::to_string(limits.ratio_max) + " times its size"};
    }
    return {};
  }
};

ZipReader::ZipReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
ZipReader::ZipReader(ZipReader&&) noexcept = default;
ZipReader& ZipReader::operator=(ZipReader&&) noexcept = default;
ZipReader::~ZipReader() = default;

namespace {

// libarchive reads the whole directory before it gives the first member, a few hundred bytes of
// memory for each 46 of the file: a directory of millions must be refused before that. The mark
// of an entry is counted wherever it stands, so that no damage hides a directory from us that
// libarchive would find; inside of compressed members it comes by chance once in 4 GiB.
bool has_more_entries_than(base::Bytes zip, std::uint64_t limit) {
  constexpr std::string_view kEntry("PK\1\2");
  constexpr std::uint64_t kEntrySizeMin = 46;
  if (zip.size() / kEntrySizeMin <= limit) return false;
  const std::string_view text = base::text_of(zip);
  std::uint64_t entries = 0;
  for (auto at = text.find(kEntry); at != std::string_view::npos;
       at = text.find(kEntry, at + kEntry.size())) {
    if (++entries > limit) return true;
  }
  return false;
}

Error too_many_members(std::uint64_t limit) {
  return {Fault::too_large, "zip: has more than " + std::to_string(limit) + " members"};
}

}  // namespace

Result<ZipReader> ZipReader::open(base::Bytes bytes, const ZipLimits& limits) {
  if (has_more_entries_than(bytes, limits.members_max)) {
    return too_many_members(limits.members_max);
  }
  auto state = std::make_unique<State>();
  state->limits = limits;
  state->archive_size = bytes.size();
  state->reader.reset(::archive_read_new());
  if (state->reader == nullptr) return Error{Fault::unavailable, "zip: out of memory"};
  // Only by the directory at the end, as everybody else reads zips: a reader that trusted the
  // local headers would see other members in a forged file.
  ::archive_read_support_format_zip_seekable(state->reader.get());
  if (::archive_read_open_memory(state->reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) {
    return Error{Fault::malformed, "File is not a zip file"};
  }
  return ZipReader(std::move(state));
}

namespace {

ZipMember member_of(struct ::archive_entry* entry) {
  ZipMember member;
  const char* name = ::archive_entry_pathname(entry);
  if (name != nullptr) member.name = name;
  if (::archive_entry_size_is_set(entry) != 0 && ::archive_entry_size(entry) >= 0) {
    member.size = static_cast<std::uint64_t>(::archive_entry_size(entry));
  }
  switch (::archive_entry_filetype(entry)) {
    case AE_IFREG:
      member.kind = ZipMember::Kind::file;
      break;
    case AE_IFDIR:
      member.kind = ZipMember::Kind::directory;
      break;
    default:
      member.kind = ZipMember::Kind::other;
      break;
  }
  return member;
}

}  // namespace

Result<std::optional<ZipMember>> ZipReader::next() {
  const Utf8Locale names_are_utf8;
  struct ::archive_entry* entry = nullptr;
  const int status = ::archive_read_next_header(state_->reader.get(), &entry);
  if (status == ARCHIVE_EOF) return std::optional<ZipMember>();
  if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
    if (state_->members == 0) return Error{Fault::malformed, "File is not a zip file"};
    return state_->damaged("read the directory");
  }
  if (++state_->members > state_->limits.members_max) {
    return too_many_members(state_->limits.members_max);
  }
  std::optional<ZipMember> member = member_of(entry);
  state_->member_name = member->name;
  if (member->size) TRY(state_->check_limits(*member->size));
  return member;
}

Result<void> ZipReader::read(const Sink& sink) {
  std::uint64_t member_size = 0;
  for (;;) {
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int status = ::archive_read_data_block(state_->reader.get(), &data, &size, &offset);
    if (status == ARCHIVE_EOF) return {};
    if (status != ARCHIVE_OK) return state_->damaged("read member " + state_->member_name);
    member_size += size;
    state_->plain_size += size;
    TRY(state_->check_limits(member_size));
    TRY(sink({static_cast<const std::uint8_t*>(data), size}));
  }
}

}  // namespace archive
