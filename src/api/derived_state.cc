#include "api/derived_state.h"

#include "base/file.h"
#include "symbols/index_file.h"

namespace api {
namespace {

std::string state_of(const supply::Found& found) {
  using State = supply::Found::State;
  switch (found.state()) {
    case State::here:
      return "ready";
    case State::missing:
      return "failed: " + found.miss().what;
    case State::working:
      return "working";
    case State::unknown:
      return "not asked for yet";
  }
  return "";
}

// From the tables' heads; nothing of an index that is gone or damaged.
std::optional<DerivedState::Counts> counts_of(const supply::Found& index) {
  if (!index.here()) return std::nullopt;
  auto mapped = base::MappedFile::open(index.file()->path);
  if (!mapped.ok()) return std::nullopt;
  const auto opened = symbols::IndexFile::open(std::move(*mapped));
  if (!opened.ok()) return std::nullopt;
  return DerivedState::Counts{(*opened)->functions.count(), (*opened)->publics.count()};
}

// Where clients ask for the .sym of a file: x.pdb/ID/x.sym, libx.so/ID/libx.so.sym.
ident::StorePath sym_path_of(const store::FileRecord& file) {
  std::string_view stem = file.name;
  if (stem.ends_with(".pdb")) stem.remove_suffix(4);
  return {file.name, file.debug_id, std::string(stem) + ".sym"};
}

// One conversion makes both, the .sym first; who asked for the .sym alone has its own answer.
std::string state_of_sym(supply::Supply& supply, const store::FileRecord& file,
                         const ident::Scope& scope, const supply::Found& index) {
  if (file.format == "breakpad_sym") return "uploaded";
  const auto asked = supply.local(ident::request_of(sym_path_of(file), scope));
  return state_of(asked.settled() ? asked : index);
}

}  // namespace

std::optional<DerivedState> find_derived(supply::Supply& supply, const store::FileRecord& file,
                                         const ident::Scope& scope) {
  const auto id = ident::DebugId::parse(file.debug_id);
  if (!id || !(file.has_debug || file.has_symbols || file.has_code)) return std::nullopt;
  const auto index = supply.local(ident::module_request(ident::Artifact::index, "", *id, scope));
  return DerivedState{state_of_sym(supply, file, scope, index), state_of(index), counts_of(index)};
}

}  // namespace api
