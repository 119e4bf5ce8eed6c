#include "formats/archive/archive_reader.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "formats/archive/libarchive.h"

namespace archive {

using base::Bytes;
using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::size_t kZerosSize = 64 * 1024;

// Those that read no other file and start no other program: not mtree, which names files of this
// machine, and none of the filters that libarchive hands to a program.
bool support_formats(struct ::libarchive_handle* reader) {
  const std::array results{
      ::archive_read_support_format_tar(reader),
      ::archive_read_support_format_cpio(reader),
      ::archive_read_support_format_zip_seekable(reader),
      ::archive_read_support_format_7zip(reader),
      ::archive_read_support_filter_gzip(reader),
      ::archive_read_support_filter_bzip2(reader),
      ::archive_read_support_filter_compress(reader),
      ::archive_read_support_filter_lzma(reader),
      ::archive_read_support_filter_xz(reader),
      ::archive_read_support_filter_lz4(reader),
      ::archive_read_support_filter_zstd(reader),
      ::archive_read_support_filter_rpm(reader),
  };
  // ARCHIVE_WARN is said of a filter that would be an outside program: none of ours is, as
  // Debian builds libarchive.
  return std::all_of(results.begin(), results.end(),
                     [](int result) { return result == ARCHIVE_OK; });
}

}  // namespace

struct ArchiveReader::State {
  Handle reader;
  std::uint64_t archive_size = 0;
  Limits limits;
  std::uint64_t members = 0;
  std::uint64_t plain_size = 0;  // of all members so far, read or passed over
  std::string member_name;
  std::uint64_t member_unread = 0;  // of the member's size, as its header gives it

  Error damaged(std::string_view doing) const {
    const char* reason = ::archive_error_string(reader.get());
    std::string what = "archive: cannot ";
    what.append(doing).append(": ").append(reason == nullptr ? "damaged" : reason);
    return {Fault::malformed, std::move(what)};
  }

  Error too_large(std::string what, std::uint64_t limit) const {
    what.append(" ").append(std::to_string(limit));
    return {Fault::too_large, std::move(what)};
  }

  // Called for each piece that is to come out, before anybody keeps it.
  Result<void> check_limits(std::uint64_t member_size) const {
    if (member_size > limits.member_size_max) {
      return too_large("archive: member " + member_name + " has more bytes than",
                       limits.member_size_max);
    }
    if (plain_size > limits.plain_size_max) {
      return too_large("archive: expands to more bytes than", limits.plain_size_max);
    }
    if (plain_size > limits.ratio_free_size && plain_size / limits.ratio_max > archive_size) {
      return too_large("archive: expands to more than its size times", limits.ratio_max);
    }
    return {};
  }
};

ArchiveReader::ArchiveReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
ArchiveReader::ArchiveReader(ArchiveReader&&) noexcept = default;
ArchiveReader& ArchiveReader::operator=(ArchiveReader&&) noexcept = default;
ArchiveReader::~ArchiveReader() = default;

Result<ArchiveReader> ArchiveReader::open(Bytes bytes, const Limits& limits, Reads reads) {
  const std::optional<Bytes> inner = TRY(find_package_data(bytes));
  const Bytes content = inner.value_or(bytes);
  auto state = std::make_unique<State>();
  state->limits = limits;
  state->archive_size = bytes.size();
  state->reader.reset(::archive_read_new());
  if (!state->reader || !support_formats(state->reader.get())) {
    return Error{Fault::unavailable, "archive: libarchive does not start"};
  }
  // libarchive takes anything for "raw", when nothing else fits: what is not compressed is kept
  // out.
  if (reads == Reads::single_files_too && is_compressed(bytes) &&
      ::archive_read_support_format_raw(state->reader.get()) != ARCHIVE_OK) {
    return Error{Fault::unavailable, "archive: libarchive does not start"};
  }
  if (::archive_read_open_memory(state->reader.get(), content.data(), content.size()) !=
      ARCHIVE_OK) {
    return Error{Fault::unsupported, "no archive that we read"};
  }
  return ArchiveReader(std::move(state));
}

namespace {

Member::Kind kind_of(struct ::archive_entry* entry) {
  switch (::archive_entry_filetype(entry)) {
    case AE_IFREG:
      return Member::Kind::file;
    case AE_IFLNK:
      return Member::Kind::link;
    case AE_IFDIR:
      return Member::Kind::directory;
    default:
      // A hard link in a tar has no type of its own.
      return ::archive_entry_hardlink(entry) != nullptr ? Member::Kind::file : Member::Kind::other;
  }
}

}  // namespace

Result<std::optional<Member>> ArchiveReader::next() {
  // What the caller did not read costs as much as what it did.
  state_->plain_size += state_->member_unread;
  TRY(state_->check_limits(state_->member_unread));
  state_->member_unread = 0;
  const Utf8Locale names_are_utf8;
  struct ::archive_entry* entry = nullptr;
  const int status = ::archive_read_next_header(state_->reader.get(), &entry);
  if (status == ARCHIVE_EOF) return std::optional<Member>();
  if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
    if (state_->members == 0) return Error{Fault::unsupported, "no archive that we read"};
    return state_->damaged("find the member behind " + state_->member_name);
  }
  if (state_->members >= state_->limits.members_max) {
    return state_->too_large("archive: has more members than", state_->limits.members_max);
  }
  Member member;
  member.ordinal = state_->members++;
  member.kind = kind_of(entry);
  const bool is_raw = ::archive_format(state_->reader.get()) == ARCHIVE_FORMAT_RAW;
  const char* name = ::archive_entry_pathname(entry);
  if (name != nullptr && !is_raw) member.name = name;
  state_->member_name = member.name;
  if (::archive_entry_mtime_is_set(entry) != 0) member.modified_s = ::archive_entry_mtime(entry);
  if (::archive_entry_size_is_set(entry) != 0) {
    state_->member_unread =
        static_cast<std::uint64_t>(std::max<la_int64_t>(::archive_entry_size(entry), 0));
  }
  return std::optional<Member>(std::move(member));
}

Result<void> ArchiveReader::read(const Sink& sink) {
  static const std::array<std::uint8_t, kZerosSize> kZeros{};
  std::uint64_t position = 0;  // in the member; holes of sparse members count
  const auto give = [&](Bytes piece) -> Result<void> {
    position += piece.size();
    state_->plain_size += piece.size();
    state_->member_unread -= std::min<std::uint64_t>(state_->member_unread, piece.size());
    TRY(state_->check_limits(position));
    return sink(piece);
  };
  for (;;) {
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int status = ::archive_read_data_block(state_->reader.get(), &data, &size, &offset);
    if (status != ARCHIVE_OK && status != ARCHIVE_EOF) {
      return state_->damaged("read member " + state_->member_name);
    }
    // At the end the offset is that of the end: a sparse member may close with a hole.
    const auto start = static_cast<std::uint64_t>(std::max<la_int64_t>(offset, 0));
    TRY(state_->check_limits(start));
    while (position < start) {
      const std::uint64_t hole = std::min<std::uint64_t>(start - position, kZeros.size());
      TRY(give(Bytes(kZeros).first(static_cast<std::size_t>(hole))));
    }
    if (status == ARCHIVE_EOF) return {};
    TRY(give({static_cast<const std::uint8_t*>(data), size}));
  }
}

bool is_compressed(Bytes head) {
  using namespace std::string_view_literals;
  constexpr std::array kMagics{"\x1f\x8b"sv, "BZh"sv,
                               "\xfd"
                               "7zXZ\0"sv,
                               "\x28\xb5\x2f\xfd"sv};
  const std::string_view text = base::text_of(head);
  return std::any_of(kMagics.begin(), kMagics.end(),
                     [&](std::string_view magic) { return text.starts_with(magic); });
}

bool may_be_archive(Bytes head) {
  using namespace std::string_view_literals;
  constexpr std::array kMagics{"!<arch>\ndebian-binary"sv,
                               "\xed\xab\xee\xdb"sv,
                               "PK\x03\x04"sv,
                               "PK\x05\x06"sv,
                               "\x1f\x8b"sv,
                               "BZh"sv,
                               "\xfd"
                               "7zXZ\0"sv,
                               "\x28\xb5\x2f\xfd"sv,
                               "\x04\x22\x4d\x18"sv,
                               "\x5d\0\0"sv,
                               "\x1f\x9d"sv,
                               "7z\xbc\xaf\x27\x1c"sv,
                               "070701"sv,
                               "070702"sv,
                               "070707"sv};
  const std::string_view text = base::text_of(head);
  return std::any_of(kMagics.begin(), kMagics.end(),
                     [&](std::string_view magic) { return text.starts_with(magic); }) ||
         (text.size() >= 262 && text.substr(257, 5) == "ustar");
}

}  // namespace archive
