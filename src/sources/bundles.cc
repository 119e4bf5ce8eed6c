#include "sources/bundles.h"

#include <algorithm>
#include <set>

#include "formats/archive/source_bundle.h"
#include "ident/beside.h"
#include "sources/path.h"

namespace sources {

using base::Error;
using base::Fault;
using base::Result;
using ident::KeyKind;
using ident::SymbolKey;

namespace {

// An id does not say of which kind it is.
std::vector<SymbolKey> keys_of(const std::vector<std::string>& modules) {
  std::vector<SymbolKey> keys;
  for (const std::string& id : modules) {
    keys.push_back(SymbolKey::from_text(KeyKind::build_id, "", id));
    keys.push_back(SymbolKey::from_text(KeyKind::uuid, "", id));
    const auto debug_id = ident::DebugId::parse(id);
    if (debug_id) keys.push_back(SymbolKey::from_debug_id("", *debug_id));
  }
  return keys;
}

}  // namespace

Result<std::vector<store::FileRecord>> Bundles::find_for(const std::vector<std::string>& modules,
                                                         const ident::Scope& scope) {
  const auto found = TRY(catalog_.find(keys_of(modules), scope));
  std::vector<store::FileRecord> bundles;
  std::set<std::int64_t> seen;
  for (const std::vector<store::Found>& rows : found) {
    for (const store::Found& row : rows) {
      if (row.file.format != ident::kSourceBundle || !seen.insert(row.file.id).second) continue;
      bundles.push_back(row.file);
    }
  }
  std::sort(bundles.begin(), bundles.end(),
            [](const auto& a, const auto& b) { return a.id > b.id; });
  if (bundles.size() > kBundlesPerModuleMax) bundles.resize(kBundlesPerModuleMax);
  return bundles;
}

std::shared_ptr<const Bundles::Members> Bundles::find_kept(const base::Sha256& sha256) {
  const std::lock_guard lock(mutex_);
  const auto at = std::find_if(kept_.begin(), kept_.end(),
                               [&](const Kept& kept) { return kept.sha256 == sha256; });
  if (at == kept_.end()) return nullptr;
  kept_.splice(kept_.begin(), kept_, at);
  return kept_.front().members;
}

Result<std::shared_ptr<const Bundles::Members>> Bundles::members_of(const base::Sha256& sha256,
                                                                    base::Bytes bundle) {
  if (auto kept = find_kept(sha256)) return kept;
  const archive::SourceBundle opened = TRY(archive::SourceBundle::open(bundle));
  auto made = std::make_shared<Members>();
  constexpr std::size_t kNodeSize = 128;  // two texts and a node of a tree
  std::size_t size = kNodeSize;
  for (const archive::BundledFile& file : opened.files) {
    size += kNodeSize + file.path.size() + file.member.size();
    made->emplace(canonical(file.path), file.member);
  }
  std::shared_ptr<const Members> members = std::move(made);
  const std::lock_guard lock(mutex_);
  kept_.push_front({sha256, members, size});
  memory_ += size;
  while (memory_ > memory_max_ && kept_.size() > 1) {
    memory_ -= kept_.back().size;
    kept_.pop_back();
  }
  return members;
}

Result<std::string> Bundles::read(const store::FileRecord& bundle, std::string_view path,
                                  std::uint64_t size_max) {
  const auto file = TRY(base::MappedFile::open(blobs_.place_of(bundle.sha256)));
  const auto members = TRY(members_of(bundle.sha256, file->bytes()));
  const auto member = members->find(canonical(path));
  if (member == members->end()) {
    return Error{Fault::not_found, "the source bundle does not have this file"};
  }
  return archive::read_bundled(file->bytes(), member->second, size_max);
}

}  // namespace sources
