#include "formats/wasm/wasm.h"

#include <algorithm>

namespace wasm {
namespace {

using base::Bytes;

constexpr std::string_view kMagic("\0asm", 4);

// A vector of bytes: its length, then so many. Empty when it does not fit.
Bytes vector_of(Bytes bytes) {
  base::Reader r(bytes);
  const Bytes found = r.bytes(r.uleb());
  return r.ok() ? found : Bytes();
}

// Newer tools (LLVM, lld) write the id as a vector, older ones (Sentry's, .NET's) as it is. An id
// that begins with its own length is possible and unlikely.
Bytes id_of(Bytes section) {
  const Bytes found = vector_of(section);
  return !found.empty() && base::Reader(section).u8() + 1u == section.size() ? found : section;
}

}  // namespace

bool File::has_magic(Bytes bytes) {
  return bytes.size() >= kMagic.size() && base::text_of(bytes.first(kMagic.size())) == kMagic;
}

base::Result<File> File::parse(Bytes bytes) {
  if (!has_magic(bytes)) {
    return base::Error{base::Fault::malformed, "WASM: it does not begin with 00 \"asm\""};
  }
  base::Reader r(bytes);
  r.skip(4);
  const std::uint32_t version = r.u32();
  TRY(r.check("WASM header"));
  if (version != 1) {
    return base::Error{base::Fault::unsupported, "WASM: version " + std::to_string(version)};
  }
  File file;
  while (!r.at_end() && file.sections_.size() < kMaxSections) {
    Section section;
    section.id = r.u8();
    const std::uint64_t size = r.uleb();
    const std::uint64_t at = r.offset();
    section.bytes = r.bytes(size);
    if (r.failed()) {
      file.problem_ = "section " + std::to_string(file.sections_.size()) + " at offset " +
                      std::to_string(at) + " lies outside the file";
      break;
    }
    if (section.id == kCustom) {
      base::Reader head(section.bytes);
      section.name = base::text_of(head.bytes(head.uleb()));
      if (head.failed()) continue;  // no name, no use
      section.bytes = section.bytes.subspan(static_cast<std::size_t>(head.offset()));
    }
    file.sections_.push_back(section);
  }
  if (const Section* id = file.find_custom("build_id")) {
    file.build_id_ = id_of(id->bytes);
    file.build_id_section_ = id->bytes;
  }
  if (const Section* link = file.find_custom("external_debug_info")) {
    file.external_debug_info_ = base::text_of(vector_of(link->bytes));
  }
  return file;
}

const Section* File::find_custom(std::string_view name) const {
  for (const Section& section : sections_) {
    if (section.id == kCustom && section.name == name) return &section;
  }
  return nullptr;
}

bool File::has_code() const {
  return std::any_of(sections_.begin(), sections_.end(),
                     [](const Section& s) { return s.id == kCode && s.bytes.size() > 1; });
}

}  // namespace wasm
