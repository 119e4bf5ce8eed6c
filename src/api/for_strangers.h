// What of an error may be told to who is no operator: base/file.h writes the paths of this
// machine's disk into its errors, for the log.
// Not for what a client named himself (a route, a path of his build): that may be told as it is.
// Any thread may call. Never fails; logs what it keeps back.
#pragma once

#include "base/result.h"

namespace api {

// The same fault; in other words when its own name an absolute path.
base::Error for_strangers(const base::Error& error);

}  // namespace api
