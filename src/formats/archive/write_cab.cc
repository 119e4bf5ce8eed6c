// The cabinet writer. One folder, one member, MSZIP:
//
//   CFHEADER   36 bytes   "MSCF", size of the whole, where CFFILE is, counts
//   CFFOLDER    8 bytes   where the data is, number of blocks, compression
//   CFFILE     16 bytes   size, place in the folder, DOS date and time, attributes, name, 0
//   CFDATA…     8 bytes   checksum, packed size, plain size; then "CK" and deflate data
//
// Each block holds 32 KiB of plain bytes and is a deflate stream that ends, but it may look back
// into the block before: that is deflateSetDictionary. The sizes at the front are known only at
// the end, so the head is written last.
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <vector>

#include "formats/archive/cab.h"

namespace archive {

using base::Bytes;
using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::size_t kBlockSize = 32'768;
constexpr std::size_t kPackedBlockMax = kBlockSize + 12;  // what decompressors make room for
constexpr std::uint64_t kHeadSize = 36 + 8;
constexpr std::uint16_t kMszip = 1;
constexpr std::uint16_t kArchiveAttribute = 0x20;
constexpr std::uint16_t kNameIsUtf8 = 0x80;
constexpr std::size_t kNameMax = 255;

class ByteList {
 public:
  ByteList& u16(std::uint64_t value) { return number(value, 2); }
  ByteList& u32(std::uint64_t value) { return number(value, 4); }
  ByteList& text(std::string_view text) {
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    return *this;
  }
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }

 private:
  ByteList& number(std::uint64_t value, unsigned width) {
    for (unsigned i = 0; i < width; ++i)
      bytes_.push_back(static_cast<std::uint8_t>(value >> 8 * i));
    return *this;
  }
  std::vector<std::uint8_t> bytes_;
};

// The checksum of the format: 32-bit words XORed; what is left at the end counts from the top.
std::uint32_t checksum(Bytes bytes, std::uint32_t seed) {
  std::uint32_t sum = seed;
  std::size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4) {
    sum ^= static_cast<std::uint32_t>(bytes[at]) | static_cast<std::uint32_t>(bytes[at + 1]) << 8 |
           static_cast<std::uint32_t>(bytes[at + 2]) << 16 |
           static_cast<std::uint32_t>(bytes[at + 3]) << 24;
  }
  std::uint32_t rest = 0;
  for (; at < bytes.size(); ++at) rest = rest << 8 | bytes[at];
  return sum ^ rest;
}

struct DosTime {
  std::uint16_t date = 0;
  std::uint16_t time = 0;
};

DosTime dos_time_of(base::Time when) {
  const auto seconds = static_cast<std::time_t>(when.us / 1'000'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  const int year = std::clamp(parts.tm_year - 80, 0, 127);
  return {static_cast<std::uint16_t>(year << 9 | (parts.tm_mon + 1) << 5 | parts.tm_mday),
          static_cast<std::uint16_t>(parts.tm_hour << 11 | parts.tm_min << 5 | parts.tm_sec / 2)};
}

class Packer {
 public:
  Packer() { ready_ = deflateInit2(&stream_, 6, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) == Z_OK; }
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;
  ~Packer() {
    if (ready_) deflateEnd(&stream_);
  }
  bool ready() const { return ready_; }

  // "CK" and one deflate stream. `before` is the plain block in front of this one.
  Result<Bytes> pack(Bytes block, Bytes before) {
    packed_[0] = 'C';
    packed_[1] = 'K';
    bool good = deflateReset(&stream_) == Z_OK;
    if (!before.empty()) {
      good = good && deflateSetDictionary(&stream_, before.data(),
                                          static_cast<uInt>(before.size())) == Z_OK;
    }
    if (!good) return Error{Fault::internal, "cabinet: zlib refuses to begin a block"};
    stream_.next_in = const_cast<Bytef*>(block.data());
    stream_.avail_in = static_cast<uInt>(block.size());
    stream_.next_out = packed_.data() + 2;
    stream_.avail_out = static_cast<uInt>(packed_.size() - 2);
    if (deflate(&stream_, Z_FINISH) == Z_STREAM_END) {
      return Bytes(packed_).first(packed_.size() - stream_.avail_out);
    }
    return store(block);  // noise: longer packed than plain
  }

 private:
  Bytes store(Bytes block) {
    const auto size = static_cast<std::uint16_t>(block.size());
    const auto inverse = static_cast<std::uint16_t>(~size);
    packed_[2] = 1;  // last block, stored
    packed_[3] = static_cast<std::uint8_t>(size);
    packed_[4] = static_cast<std::uint8_t>(size >> 8);
    packed_[5] = static_cast<std::uint8_t>(inverse);
    packed_[6] = static_cast<std::uint8_t>(inverse >> 8);
    std::copy(block.begin(), block.end(), packed_.begin() + 7);
    return Bytes(packed_).first(7 + block.size());
  }

  z_stream stream_{};
  bool ready_ = false;
  std::array<std::uint8_t, kPackedBlockMax> packed_{};
};

std::vector<std::uint8_t> head_of(std::uint64_t size, std::uint64_t data_at, std::uint64_t blocks) {
  ByteList head;
  head.text("MSCF").u32(0).u32(size).u32(0).u32(kHeadSize).u32(0);
  head.u16(0x0103).u16(1).u16(1).u16(0).u16(0).u16(0);  // version, folders, files, flags, set
  head.u32(data_at).u16(blocks).u16(kMszip);
  return head.bytes();
}

std::vector<std::uint8_t> member_of(std::string_view name, std::uint64_t size, DosTime when) {
  const bool ascii = std::all_of(name.begin(), name.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  ByteList member;
  member.u32(size).u32(0).u16(0).u16(when.date).u16(when.time);
  member.u16(kArchiveAttribute | (ascii ? 0 : kNameIsUtf8)).text(name).text({"\0", 1});
  return member.bytes();
}

Result<void> write_head(const base::PendingFile& out, const std::vector<std::uint8_t>& head) {
  const ::ssize_t written = ::pwrite(out.fd(), head.data(), head.size(), 0);
  if (written == static_cast<::ssize_t>(head.size())) return {};
  return base::error_from_errno(errno, "cannot write", out.path());
}

}  // namespace

Result<void> write_cab(std::string_view name, Bytes plain, base::Time modified,
                       base::PendingFile& out) {
  ASSERT(out.size() == 0);
  if (plain.size() > kCabPlainMax) {
    return Error{Fault::too_large, "cabinet: " + std::string(name) + " has " +
                                       std::to_string(plain.size()) + " bytes; at most " +
                                       std::to_string(kCabPlainMax) + " fit"};
  }
  if (name.empty() || name.size() > kNameMax || name.find('\0') != std::string_view::npos) {
    return Error{Fault::malformed, "cabinet: a member's name has 1 to 255 bytes"};
  }
  Packer packer;
  if (!packer.ready()) return Error{Fault::unavailable, "cabinet: out of memory"};
  const auto member = member_of(name, plain.size(), dos_time_of(modified));
  TRY(out.append(std::vector<std::uint8_t>(kHeadSize, 0)));
  TRY(out.append(member));

  Bytes before;
  std::uint64_t blocks = 0;
  for (Bytes rest = plain; !rest.empty(); ++blocks) {
    const Bytes block = rest.first(std::min(rest.size(), kBlockSize));
    const Bytes packed = TRY(packer.pack(block, before));
    ByteList sizes;
    sizes.u16(packed.size()).u16(block.size());
    ByteList header;
    header.u32(checksum(sizes.bytes(), checksum(packed, 0)));
    TRY(out.append(header.bytes()));
    TRY(out.append(sizes.bytes()));
    TRY(out.append(packed));
    before = block;
    rest = rest.subspan(block.size());
  }
  return write_head(out, head_of(out.size(), kHeadSize + member.size(), blocks));
}

}  // namespace archive
