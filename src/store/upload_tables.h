// The tables about uploads: projects, tokens, the audit log, whose each key is, and the record of
// who brought what. Migrations 120 to 129; part of Catalog::migrations().
#pragma once

#include <vector>

#include "db/database.h"

namespace store {
const std::vector<db::Migration>& upload_migrations();
}
