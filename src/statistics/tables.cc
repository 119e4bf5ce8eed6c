#include "statistics/tables.h"

namespace statistics {
namespace {

// `folded` is the name in lower case; a total is named as in use_rows.cc.
constexpr const char* kUse = R"sql(
CREATE TABLE symbol_use (
  folded TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  requests BIGINT NOT NULL,
  invalid BIGINT NOT NULL,
  successes BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  refused BIGINT NOT NULL,
  hits BIGINT NOT NULL,
  serving_us BIGINT NOT NULL,
  last_at BIGINT NOT NULL
);
CREATE INDEX symbol_use_last ON symbol_use (last_at);

CREATE TABLE symbol_use_upstream (
  folded TEXT NOT NULL,
  upstream TEXT NOT NULL,
  hits BIGINT NOT NULL,
  misses BIGINT NOT NULL,
  PRIMARY KEY (folded, upstream)
);

CREATE TABLE symbol_use_total (
  name TEXT NOT NULL PRIMARY KEY,
  number BIGINT NOT NULL
);
)sql";

// `folded` is NAME/ID/FILE in lower case. The days are UTC's, counted from 1970; the ids those
// that a file which answers may bear.
constexpr const char* kMissing = R"sql(
CREATE TABLE missing_symbol (
  id {{bigserial}} PRIMARY KEY,
  folded TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  debug_id TEXT NOT NULL,
  file TEXT NOT NULL,
  code_file TEXT NOT NULL,
  code_id TEXT NOT NULL,
  times BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  modified_at BIGINT NOT NULL
);
CREATE INDEX missing_symbol_modified ON missing_symbol (modified_at);

CREATE TABLE missing_symbol_day (
  on_day BIGINT NOT NULL,
  missing BIGINT NOT NULL REFERENCES missing_symbol (id),
  times BIGINT NOT NULL,
  PRIMARY KEY (on_day, missing)
);
CREATE INDEX missing_symbol_day_missing ON missing_symbol_day (missing);

CREATE TABLE missing_symbol_key (
  key_id TEXT NOT NULL,
  missing BIGINT NOT NULL REFERENCES missing_symbol (id),
  PRIMARY KEY (key_id, missing)
);
CREATE INDEX missing_symbol_key_missing ON missing_symbol_key (missing);
)sql";

// Of the failures that were counted before nobody knows which were misses.
constexpr const char* kUseMisses = R"sql(
ALTER TABLE symbol_use ADD COLUMN misses BIGINT NOT NULL DEFAULT 0;
)sql";

}  // namespace

std::vector<db::Migration> migrations() {
  return {{300, "how often symbol files were asked for", kUse},
          {301, "symbol files that nobody had", kMissing},
          {302, "how often nobody had a symbol file", kUseMisses}};
}

}  // namespace statistics
