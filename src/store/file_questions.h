// The SQL behind file_list.h: apart from it so that tests can ask how it is answered.
// Pure functions. Fail with malformed: the text is no id.
#pragma once

#include "store/file_list.h"
#include "store/ownership.h"

namespace store {

// Rows of kFileColumns, one more than the limit when there are more.
base::Result<Condition> question_of(const FileQuery& query, db::Engine engine);

}  // namespace store
