#include "server/purged_answers.h"

#include <variant>
#include <vector>

#include "base/file.h"
#include "supply/choose.h"

namespace server {

bool PurgedAnswers::has(const ident::SymbolRequest& request) const {
  std::vector<std::vector<store::Found>> found;
  found.reserve(request.keys.size());
  bool is_any = false;
  for (const ident::SymbolKey& key : request.keys) {
    found.push_back(tombstones_.find(key));
    is_any = is_any || !found.back().empty();
  }
  if (!is_any) return false;
  const supply::Choice choice = supply::choose(request, found, {});
  return !std::holds_alternative<base::Error>(choice) &&
         !std::holds_alternative<supply::Make>(choice);
}

bool PurgedAnswers::has(const upstream::Place& place) const {
  std::string path = place.path;
  if (!place.is_plain()) {
    path = base::join_path(base::parent_of(place.path), place.name);
  }
  const auto request = ident::find_request(path);
  return request && has(*request);
}

}  // namespace server
