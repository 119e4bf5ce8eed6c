// The outer layer of a Debian package: an ar archive of debian-binary, control.tar.* and
// data.tar.*, whose members lie in it as they are. deb(5), ar(5).
#include <string_view>

#include "base/text.h"
#include "formats/archive/archive_reader.h"

namespace archive {

using base::Bytes;
using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::string_view kMagic = "!<arch>\n";
constexpr std::size_t kHeaderSize = 60;
constexpr std::size_t kControlMax = 1 << 20;
constexpr int kMembersMax = 64;  // of the outer archive; a package has three or four

// A header's field: text, padded with spaces.
std::string_view field(Bytes header, std::size_t offset, std::size_t size) {
  return base::trim(base::text_of(header.subspan(offset, size)));
}

// The first member of the outer archive whose name begins so.
Result<std::optional<Bytes>> find_part(Bytes bytes, std::string_view wanted) {
  if (!base::text_of(bytes).starts_with(kMagic)) return std::optional<Bytes>();
  std::uint64_t at = kMagic.size();
  for (int i = 0; i < kMembersMax; ++i) {
    const auto header = base::find_slice(bytes, at, kHeaderSize);
    if (!header) break;
    std::string_view name = field(*header, 0, 16);
    if (name.ends_with('/')) name.remove_suffix(1);  // as GNU ar ends names
    const auto size = base::parse_decimal(field(*header, 48, 10));
    if (field(*header, 58, 2) != "`" || !size) {
      return Error{Fault::malformed, "ar: no member header at offset " + std::to_string(at)};
    }
    if (i == 0 && name != "debian-binary") {
      return Error{Fault::unsupported, "an ar archive, but no Debian package"};
    }
    const auto content = base::find_slice(bytes, at + kHeaderSize, *size);
    if (!content) {
      return Error{Fault::malformed,
                   "deb: member " + base::to_valid_utf8(name) + " ends behind the end of the file"};
    }
    if (name.starts_with(wanted)) return std::optional<Bytes>(content);
    at += kHeaderSize + *size + (*size & 1);
  }
  return Error{Fault::malformed, "deb: no member " + std::string(wanted)};
}

}  // namespace

Result<std::optional<Bytes>> find_package_data(Bytes bytes) { return find_part(bytes, "data.tar"); }

std::optional<std::string> find_package_control(Bytes bytes, const Limits& limits) {
  const auto part = find_part(bytes, "control.tar");
  if (!part.ok() || !*part) return std::nullopt;
  auto reader = ArchiveReader::open(**part, limits);
  if (!reader.ok()) return std::nullopt;
  for (;;) {
    const auto member = reader->next();
    if (!member.ok() || !*member) return std::nullopt;
    if ((*member)->name != "./control" && (*member)->name != "control") continue;
    std::string text;
    const Result<void> done = reader->read([&](Bytes piece) -> Result<void> {
      if (text.size() + piece.size() > kControlMax) return Error{Fault::too_large, "control"};
      text.append(base::text_of(piece));
      return {};
    });
    return done.ok() ? std::optional<std::string>(std::move(text)) : std::nullopt;
  }
}

}  // namespace archive
