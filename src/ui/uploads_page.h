// /settings/uploads: who brought what, and what was passed over and why; and one upload with each
// of its files, the keys that it gave, and what was made of it.
// Plain functions from values to text.
// Format: docs/operation.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/access.h"
#include "store/file_list.h"
#include "store/uploads.h"

namespace ui {

struct UploadRow {
  store::UploadRecord record;  // without its files
  store::UploadSums sums;
};

struct UploadsPage {
  std::vector<UploadRow> rows;         // the newest first
  bool is_first = true;                // of the pages
  std::int64_t next_before = 0;        // where the next page begins; 0: this is the last
  std::optional<std::string> project;  // whose these are; nothing: everybody's
  std::vector<std::string> projects;   // to choose from, without the default one
};

struct UploadedFileRow {
  store::UploadedFile file;
  store::FileKeys keys;  // of a file that is still here
  struct Derived {
    std::string sym, index;  // states in words; "ready", "working" and "failed: …" are marked
    std::optional<std::uint64_t> functions, publics;
  };
  std::optional<Derived> derived;  // nothing: nothing is made of such a file
};

struct UploadPage {
  store::UploadRecord record;  // without its files
  store::UploadSums sums;
  std::vector<UploadedFileRow> rows;  // of this page
  std::uint64_t page = 1, page_size = 100;
};

std::string uploads_page(const UploadsPage& shown);
std::string upload_page(const UploadPage& shown);

}  // namespace ui
