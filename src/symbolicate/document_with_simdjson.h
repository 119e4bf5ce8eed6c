// A body as simdjson sees it: for the files of this room whose names say so.
// One document at a time for each thread; what it gives lasts as long as the Document, and until
// the thread reads the next.
// read() fails with malformed.
#pragma once

#include <simdjson.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace symbolicate {

class Document {
 public:
  base::Result<void> read(std::string_view body);
  simdjson::dom::element root() const { return root_; }

 private:
  simdjson::error_code parse(std::string_view text);

  std::unique_ptr<simdjson::dom::parser> own_;
  simdjson::dom::element root_;
};

}  // namespace symbolicate
