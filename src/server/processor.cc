#include "server/processor.h"

#include "analyze/process_in_child.h"
#include "supply/symbol_maps.h"

namespace server {
namespace {

// All modules of a dump together: what is not made by then is processed again when it is.
constexpr std::chrono::seconds kSymbolsPatience{120};

std::vector<analyze::Supplied> find_indexes(supply::Supply& supply,
                                            const std::vector<analyze::ModuleKey>& lacking) {
  std::vector<ident::SymbolRequest> requests;
  std::vector<std::size_t> places;  // in the answer, of each request
  for (std::size_t i = 0; i < lacking.size(); ++i) {
    const auto id = ident::DebugId::parse(lacking[i].debug_id);
    if (!id || id->is_nil()) continue;
    requests.push_back(
        supply::SymbolMaps::request_for(lacking[i].debug_file, lacking[i].debug_id, {}));
    places.push_back(i);
  }
  std::vector<analyze::Supplied> answer(lacking.size());
  const auto found = supply.wait_for_all(requests, supply::Supply::Clock::now() + kSymbolsPatience);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i].here()) answer[places[i]].index_path = found[i].file()->path;
  }
  return answer;
}

}  // namespace

reports::Processor make_processor(supply::Supply& supply) {
  return [&supply](const std::string& dump_path) -> base::Result<std::string> {
    const auto supplier = [&supply](const std::vector<analyze::ModuleKey>& lacking) {
      return find_indexes(supply, lacking);
    };
    analyze::ChildOptions options;
    options.with_text = false;
    const analyze::Processed processed =
        TRY(analyze::process_in_child(dump_path, supplier, options));
    return processed.json;
  };
}

}  // namespace server
