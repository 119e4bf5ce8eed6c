#include "base/result.h"

namespace base {

Error with_context(std::string_view context, Error error) {
  error.what.insert(0, ": ");
  error.what.insert(0, context);
  return error;
}

}  // namespace base
