#include "sources/named_files.h"

#include <algorithm>

#include "base/hash64.h"
#include "base/text.h"
#include "sources/path.h"

// The text, line by line; the first letter says what stands there:
//
//   faultline-sources 1
//   I 8cb8…            an id of the module
//   F md5:5d41… /a.c   a file, its checksum or "-", its path
//   L 123              a Source Link document of so many bytes follows, then a line end
//   S 456              the same for a srcsrv stream
namespace sources {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::string_view kHead = "faultline-sources 1\n";

std::uint64_t hash_of(std::string_view canonical_path) {
  return base::hash64(base::bytes_of(canonical_path));
}

void append_block(std::string& out, char kind, std::string_view text) {
  out.append(1, kind).append(" ").append(std::to_string(text.size())).append("\n");
  out.append(text).append("\n");
}

Error damaged() { return {Fault::malformed, "the list of source files is damaged"}; }

}  // namespace

std::string NamedFiles::text_of(const extract::SourceFiles& files) {
  std::string out(kHead);
  for (const std::string& id : files.ids) out.append("I ").append(id).append("\n");
  for (const extract::SourceFile& file : files.files) {
    out.append("F ").append(file.checksum.empty() ? "-" : file.checksum).append(" ");
    out.append(file.path).append("\n");
  }
  for (const std::string& link : files.source_links) append_block(out, 'L', link);
  if (!files.srcsrv.empty()) append_block(out, 'S', files.srcsrv);
  return out;
}

Result<void> NamedFiles::read_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  if (end == std::string_view::npos || end < 3 || rest[1] != ' ') return damaged();
  const char kind = rest[0];
  const std::string_view value = rest.substr(2, end - 2);
  rest.remove_prefix(end + 1);
  if (kind == 'I') {
    ids_.emplace_back(value);
    return {};
  }
  if (kind == 'F') {
    const auto space = value.find(' ');
    if (space == std::string_view::npos || files_.size() >= UINT32_MAX) return damaged();
    const std::string_view checksum = value.substr(0, space);
    files_.push_back({value.substr(space + 1), checksum == "-" ? std::string_view() : checksum});
    return {};
  }
  const auto size = base::parse_decimal(value);
  if (!size || *size >= rest.size()) return damaged();
  const std::string_view block = rest.substr(0, static_cast<std::size_t>(*size));
  rest.remove_prefix(block.size() + 1);
  // What a stranger's PDB says about places may be nonsense: then it says nothing.
  if (kind == 'L') {
    auto link = srcsrv::SourceLink::parse(block);
    if (link.ok()) source_links_.push_back(std::move(*link));
  } else if (kind == 'S') {
    auto stream = srcsrv::Stream::parse(std::string(block));
    if (stream.ok()) srcsrv_ = std::move(*stream);
  } else {
    return damaged();
  }
  return {};
}

Result<NamedFiles> NamedFiles::parse(std::string text) {
  NamedFiles named;
  named.text_ = std::make_unique<const std::string>(std::move(text));
  std::string_view rest = *named.text_;
  if (!rest.starts_with(kHead)) return damaged();
  rest.remove_prefix(kHead.size());
  while (!rest.empty()) TRY(named.read_line(rest));
  named.slots_.reserve(named.files_.size());
  for (std::uint32_t i = 0; i < named.files_.size(); ++i) {
    named.slots_.push_back({hash_of(canonical(named.files_[i].path)), i});
  }
  std::sort(named.slots_.begin(), named.slots_.end(), [](const Slot& a, const Slot& b) {
    return a.hash != b.hash ? a.hash < b.hash : a.index < b.index;
  });
  return named;
}

std::optional<NamedFile> NamedFiles::find(std::string_view path) const {
  const std::string wanted = canonical(path);
  const std::uint64_t hash = hash_of(wanted);
  auto at = std::lower_bound(slots_.begin(), slots_.end(), hash,
                             [](const Slot& slot, std::uint64_t h) { return slot.hash < h; });
  std::optional<NamedFile> found;
  for (; at != slots_.end() && at->hash == hash; ++at) {
    const NamedFile& file = files_[at->index];
    if (canonical(file.path) != wanted) continue;
    // Several spellings of one file: one that knows the checksum.
    if (!found || (found->checksum.empty() && !file.checksum.empty())) found = file;
  }
  return found;
}

Result<srcsrv::Location> NamedFiles::locate(std::string_view path) const {
  if (auto location = srcsrv::find_vcs_location(path)) return std::move(*location);
  for (const srcsrv::SourceLink& link : source_links_) {
    if (auto location = link.find(path)) return std::move(*location);
  }
  if (srcsrv_) return srcsrv_->locate(path);
  return Error{Fault::not_found, "the symbols do not say where their sources are"};
}

std::size_t NamedFiles::size_in_memory() const {
  return text_->size() + files_.size() * sizeof(NamedFile) + slots_.size() * sizeof(Slot);
}

}  // namespace sources
