// /settings/files: the stored files, the newest or those that were looked for, each with what it
// is, the keys that find it, where it came from and what holds it.
// Plain functions from values to text.
// Format: docs/operation.md
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/file_list.h"

namespace ui {

// A place where a file lies that nobody had to upload.
struct FilePlace {
  enum class Kind : std::uint8_t { watched, package, upload, upstream };
  Kind kind = Kind::watched;
  std::string path;    // of the file or package; of an upstream file its place there
  std::string member;  // of a package
  std::string server;  // of an upstream file: the server's name; "": no server of ours any more
};

struct FileRow {
  store::ListedFile listed;
  std::vector<FilePlace> places;
};

struct FilesPage {
  store::FileQuery query;
  std::string problem;  // why nothing was looked for
  std::vector<FileRow> rows;
  bool has_more = false;
};

std::string files_page(const FilesPage& shown);

}  // namespace ui
