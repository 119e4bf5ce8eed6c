#include "upkeep/tar_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/text.h"

namespace upkeep {

using base::Bytes;
using base::Error;
using base::Fault;
using base::Result;

namespace {

// Where the fields of a header begin, and how long they are.
struct Field {
  std::size_t at, size;
};
constexpr Field kName{0, 100}, kMode{100, 8}, kUser{108, 8}, kGroup{116, 8}, kSize{124, 12},
    kModified{136, 12}, kSum{148, 8}, kKind{156, 1}, kMagic{257, 8};

using Header = std::array<std::uint8_t, kTarBlock>;

void put_text(Header& header, Field field, std::string_view text) {
  std::copy(text.begin(), text.end(), header.begin() + static_cast<std::ptrdiff_t>(field.at));
}

void put_octal(Header& header, Field field, std::uint64_t number) {
  put_text(header, field, fmt::format("{:0{}o}", number, field.size - 1));
}

// Eleven octal digits have room for 8 GiB; beyond, the field is a number of its bytes, marked by
// its first bit.
void put_size(Header& header, std::uint64_t size) {
  constexpr std::uint64_t kOctalMax = 1ull << 33;
  if (size < kOctalMax) return put_octal(header, kSize, size);
  header[kSize.at] = 0x80;
  for (std::size_t i = 0; i < 8; ++i) {
    header[kSize.at + kSize.size - 1 - i] = static_cast<std::uint8_t>(size >> (8 * i));
  }
}

// The sum of all bytes, with blanks where it stands itself.
std::uint64_t sum_of(const Header& header) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const bool is_sum = i >= kSum.at && i < kSum.at + kSum.size;
    sum += is_sum ? std::uint64_t{' '} : header[i];
  }
  return sum;
}

std::string_view text_in(const Header& header, Field field) {
  const std::string_view all = base::text_of(Bytes(header).subspan(field.at, field.size));
  return all.substr(0, all.find('\0'));
}

std::optional<std::uint64_t> octal_in(const Header& header, Field field) {
  std::uint64_t number = 0;
  const std::string_view digits = base::trim(text_in(header, field));
  for (const char c : digits) {
    if (c < '0' || c > '7' || number >> 60 != 0) return std::nullopt;
    number = number * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return digits.empty() ? std::nullopt : std::optional(number);
}

std::optional<std::uint64_t> size_in(const Header& header) {
  if (header[kSize.at] < 0x80) return octal_in(header, kSize);
  if (header[kSize.at] != 0x80) return std::nullopt;
  std::uint64_t size = 0;
  for (std::size_t i = 1; i < kSize.size; ++i) {
    if (size >> 55 != 0) return std::nullopt;
    size = size << 8 | header[kSize.at + i];
  }
  return size;
}

std::size_t padding_of(std::uint64_t size) {
  return static_cast<std::size_t>((kTarBlock - size % kTarBlock) % kTarBlock);
}

Error no_tar(std::string_view what) {
  return {Fault::malformed, "the archive is not one of ours, or damaged: " + std::string(what)};
}

}  // namespace

Result<void> TarWriter::begin(std::string_view name, std::uint64_t size, std::int64_t modified_s) {
  ASSERT(left_ == 0 && !name.empty() && name.size() <= kTarNameMax);
  TRY(pad());
  Header header{};
  put_text(header, kName, name);
  put_octal(header, kMode, 0644);
  put_octal(header, kUser, 0);
  put_octal(header, kGroup, 0);
  put_size(header, size);
  put_octal(header, kModified, static_cast<std::uint64_t>(std::max<std::int64_t>(modified_s, 0)));
  put_text(header, kKind, "0");
  put_text(header, kMagic, std::string_view("ustar\00000", 8));
  put_text(header, kSum, fmt::format("{:06o}", sum_of(header)));
  header[kSum.at + 7] = ' ';
  size_ = left_ = size;
  return sink_(header);
}

Result<void> TarWriter::append(Bytes bytes) {
  ASSERT(bytes.size() <= left_);
  left_ -= bytes.size();
  return sink_(bytes);
}

Result<void> TarWriter::pad() {
  const Header zeros{};
  const std::size_t padding = padding_of(size_);
  size_ = 0;
  return padding == 0 ? Result<void>() : sink_(Bytes(zeros).first(padding));
}

Result<void> TarWriter::finish() {
  ASSERT(left_ == 0);
  TRY(pad());
  const std::array<std::uint8_t, 2 * kTarBlock> end{};
  return sink_(end);
}

Result<void> TarReader::fill(std::span<std::uint8_t> room) {
  while (!room.empty()) {
    const std::size_t n = TRY(source_(room));
    if (n == 0) return no_tar("it ends too early");
    room = room.subspan(n);
  }
  return {};
}

Result<void> TarReader::skip_rest() {
  Block block{};
  while (left_ != 0) {
    const auto part = std::span(block).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(left_, block.size())));
    TRY(fill(part));
    left_ -= part.size();
  }
  const std::size_t padding = std::exchange(pad_, 0);
  return fill(std::span(block).first(padding));
}

Result<std::optional<TarReader::Entry>> TarReader::next() {
  for (;;) {
    TRY(skip_rest());
    Header header{};
    TRY(fill(header));
    const bool is_end =
        std::all_of(header.begin(), header.end(), [](std::uint8_t byte) { return byte == 0; });
    if (is_end) return std::optional<Entry>();
    if (octal_in(header, kSum) != sum_of(header)) return no_tar("a header's sum is wrong");
    const auto size = size_in(header);
    if (!size) return no_tar("a header has no size");
    const char kind = static_cast<char>(header[kKind.at]);
    std::string name(text_in(header, kName));
    left_ = *size;
    pad_ = padding_of(*size);
    if (kind == '5' && *size == 0) continue;
    if (kind != '0' && kind != '\0') return no_tar(base::to_valid_utf8(name) + " is no plain file");
    if (name.starts_with("./")) name.erase(0, 2);
    return std::optional(Entry{std::move(name), *size});
  }
}

Result<std::size_t> TarReader::read(std::span<std::uint8_t> room) {
  const auto part =
      room.first(static_cast<std::size_t>(std::min<std::uint64_t>(left_, room.size())));
  if (part.empty()) return std::size_t{0};
  const std::size_t n = TRY(source_(part));
  if (n == 0) return no_tar("it ends too early");
  left_ -= n;
  return n;
}

}  // namespace upkeep
