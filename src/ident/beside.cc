#include "ident/beside.h"

#include "base/text.h"

namespace ident {

bool is_beside_format(std::string_view format) {
  return format == kSourceBundle || format == "bcsymbolmap" || format == "uuidmap" ||
         format == "il2cpp";
}

bool is_source_bundle_name(std::string_view file) {
  return file.size() > kSourceBundleEnd.size() &&
         base::equal_ignoring_case(file.substr(file.size() - kSourceBundleEnd.size()),
                                   kSourceBundleEnd);
}

}  // namespace ident
