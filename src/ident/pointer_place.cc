#include "ident/pointer_place.h"

#include "base/text.h"

namespace ident {

std::optional<StorePath> find_pointer_place(std::string_view path_on_disk) {
  constexpr std::string_view kPointer = "file.ptr";
  StorePath place;
  for (std::string* part : {&place.file, &place.id, &place.name}) {
    const auto slash = path_on_disk.rfind('/');
    if (slash == std::string_view::npos) return std::nullopt;
    *part = path_on_disk.substr(slash + 1);
    path_on_disk = path_on_disk.substr(0, slash);
  }
  const bool is_pointer = base::equal_ignoring_case(place.file, kPointer);
  if (!is_pointer || !is_allowed_name(place.name) || !is_allowed_id(place.id)) return std::nullopt;
  place.file = kPointer;
  return place;
}

}  // namespace ident
