#include "ingest/fetched_files.h"

#include <algorithm>

#include "base/text.h"
#include "extract/identify.h"
#include "ingest/ingest.h"

namespace ingest {

using base::Error;
using base::Fault;
using base::Result;
using base::Sha256;
using ident::SymbolKey;
using store::Container;

namespace {

bool is_same(const SymbolKey& own, const SymbolKey& wanted) {
  if (own.kind != wanted.kind || own.id != wanted.id) return false;
  return own.id_is_unique() || own.name == wanted.name || wanted.name.empty();
}

bool has_id(const store::NewFile& file) {
  return std::any_of(file.keys.begin(), file.keys.end(), [](const store::KeyRecord& record) {
    return record.key.kind != ident::KeyKind::path;
  });
}

// Whether the bytes say that this is the file, or say nothing and came by its path.
bool is_what_was_wanted(const store::NewFile& file, const ident::SymbolRequest& wanted) {
  if (!has_id(file)) return wanted.asked.has_value();
  return std::any_of(file.keys.begin(), file.keys.end(), [&](const store::KeyRecord& record) {
    if (!record.verified) return false;
    return std::any_of(wanted.keys.begin(), wanted.keys.end(),
                       [&](const SymbolKey& key) { return is_same(record.key, key); });
  });
}

std::optional<ident::StorePath> path_of(const ident::SymbolRequest& wanted, bool is_pointer) {
  auto path = wanted.asked;
  if (path && is_pointer) path->file = "file.ptr";
  if (path && ident::is_packed_name_of(path->file, path->name)) path->file = path->name;
  return path;
}

}  // namespace

// DiskCache kept its texts under the symbol file's own name: addresses and names alone, with no
// sizes, lines or ids. Whoever has the symbols says more.
std::string_view find_stand_in(base::Bytes head) {
  const std::string_view text = base::text_of(head.first(std::min<std::size_t>(head.size(), 64)));
  const std::string words = base::lower_ascii(base::trim(text));
  if (words.starts_with("<!doctype html") || words.starts_with("<html")) return "a web page";
  return text.starts_with("DiskCache v.") ? "what DiskCache had made of symbols" : "";
}

Result<base::PendingFile> FetchedFiles::unpack(FetchedFile fetched) const {
  if (!fetched.is_cabinet) return std::move(fetched.file);
  const auto packed = TRY(base::MappedFile::open(fetched.file.path()));
  base::PendingFile plain = TRY(base::PendingFile::create(extracted_.tmp()));
  TRY(archive::expand_cab(packed->bytes(), limits_,
                          [&](base::Bytes piece) { return plain.append(piece); }));
  return plain;
}

Result<void> FetchedFiles::keep(FetchedFile fetched, const ident::SymbolRequest& wanted) {
  store::NewContainer added;
  added.container.project = wanted.scope.project;
  added.container.path = store::upstream_container_path(wanted.scope.project, fetched.from);
  added.container.kind = Container::Kind::upstream;
  const bool is_pointer = fetched.is_pointer;
  const std::string from = fetched.from;
  const std::string name = is_pointer ? "file.ptr" : fetched.name;
  base::PendingFile file = TRY(unpack(std::move(fetched)));
  store::NewFile described;
  {
    const auto mapped = TRY(base::MappedFile::open(file.path()));
    if (mapped->bytes().empty()) return Error{Fault::malformed, "it is empty"};
    if (const std::string_view found = find_stand_in(mapped->bytes()); !found.empty()) {
      return Error{Fault::malformed, std::string("it is ").append(found)};
    }
    described = describe(mapped->bytes(), path_of(wanted, is_pointer), name);
    if (!is_what_was_wanted(described, wanted)) {
      return Error{Fault::malformed, "it is another file: " + described.file.format + " " +
                                         described.file.debug_id + " " + described.file.code_id};
    }
    if (!has_id(described)) {
      // Cut short, above all: what says how long it should be lies at its end.
      const std::string problem = extract::identify(mapped->bytes()).problem;
      if (!problem.empty()) return Error{Fault::malformed, "it is damaged: " + problem};
    }
    described.file.sha256 = base::sha256_of(mapped->bytes());
  }
  described.convert_ahead = false;
  described.path = added.container.path;
  added.container.stamp.size = described.file.size;
  const Sha256 content = described.file.sha256;
  if (!blobs_.has(content)) {
    const auto taken = extracted_.take(file.path(), content, ExtractedFiles::Why::kAsked);
    if (!taken.ok()) {
      if (taken.error().fault == Fault::denied && refused_) refused_(described, from);
      return taken.error();
    }
  }
  added.members.push_back({std::move(described), "", 0});
  const std::vector<Sha256> gone = TRY(containers_.commit({added}));
  for (const Sha256& content_gone : gone) extracted_.remove(content_gone);
  return {};
}

Result<void> FetchedFiles::take_again(FetchedFile fetched, const Sha256& content) {
  const std::string from = fetched.from;
  const base::PendingFile file = TRY(unpack(std::move(fetched)));
  const Sha256 hash = TRY(store::sha256_of_file(file.path()));
  if (hash != content) {
    return Error{Fault::malformed, from + ": is another file now"};
  }
  return extracted_.take(file.path(), content, ExtractedFiles::Why::kAsked);
}

}  // namespace ingest
