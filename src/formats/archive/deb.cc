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
constexpr int kMembersMax = 64;  // of the outer archive; a package has three or four

// A header's field: text, padded with spaces.
std::string_view field(Bytes header, std::size_t offset, std::size_t size) {
  return base::trim(base::text_of(header.subspan(offset, size)));
}

}  // namespace

Result<std::optional<Bytes>> find_package_data(Bytes bytes) {
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
    if (name.starts_with("data.tar")) return std::optional<Bytes>(content);
    at += kHeaderSize + *size + (*size & 1);
  }
  return Error{Fault::malformed, "deb: no member data.tar"};
}

}  // namespace archive
