#include "formats/pdb/container.h"

#include <string>

namespace pdb {
namespace {

using namespace std::string_view_literals;
constexpr std::string_view kMsf7Magic =
    "Microsoft C/C++ MSF 7.00\r\n\x1a"
    "DS\0\0\0"sv;
constexpr std::string_view kMsf2Magic =
    "Microsoft C/C++ program database 2.00\r\n\x1a"
    "JG\0\0"sv;
constexpr std::string_view kMsfzMagic =
    "Microsoft MSFZ Container\r\n\x1a"
    "ALD\0\0"sv;

bool begins_with(base::Bytes file, std::string_view magic) {
  return file.size() >= magic.size() && base::text_of(file.first(magic.size())) == magic;
}

}  // namespace

bool has_msf7_magic(base::Bytes file) { return begins_with(file, kMsf7Magic); }
bool has_msf2_magic(base::Bytes file) { return begins_with(file, kMsf2Magic); }
bool has_msfz_magic(base::Bytes file) { return begins_with(file, kMsfzMagic); }

base::Result<StreamBytes> Container::read_all(std::uint32_t stream, std::uint64_t size_max) const {
  const std::uint64_t size = size_of(stream);
  if (size > size_max) {
    return base::Error{base::Fault::too_large, "PDB stream " + std::to_string(stream) + " has " +
                                                   std::to_string(size) + " bytes, the limit is " +
                                                   std::to_string(size_max)};
  }
  return read(stream, 0, size);
}

base::Result<std::unique_ptr<Container>> open_container(base::Bytes file) {
  if (has_msf7_magic(file)) return open_msf7(file);
  if (has_msfz_magic(file)) return open_msfz(file);
  if (has_msf2_magic(file)) return open_msf2(file);
  return base::Error{base::Fault::malformed,
                     "not a PDB: it begins with none of \"Microsoft C/C++ MSF 7.00\", \"Microsoft "
                     "C/C++ program database 2.00\" and \"Microsoft MSFZ Container\""};
}

}  // namespace pdb
