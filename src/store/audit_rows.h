// One line of the audit log, in the transaction of what it tells of.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "db/database.h"
#include "store/access.h"

namespace store {

base::Result<void> record_audit(db::Session& session, const Actor& actor, std::string_view action,
                                const std::string& detail);

}  // namespace store
