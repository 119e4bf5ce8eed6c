// The files of a tree in symbol store layout that gets copies: those below NAME/ID/ alone, whoever
// wrote them; 000Admin and what lies nearer to the root are left alone, but for what a copy left
// there that was cut off. Links are not followed.
// Any thread; calls touch the disk, and may take long. What cannot be read counts as nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/sha256.h"

namespace server {

struct TreeFile {
  std::string path;
  std::uint64_t size = 0;
  std::int64_t used_at = 0;  // in nanoseconds: the last reading, as the disk tells, or writing
};

std::vector<TreeFile> list_tree(const std::string& directory, const std::function<bool()>& goes_on);

// And its folders, when nothing is in them any more. Fails as base::remove_file() does, but for
// what is gone already.
base::Result<void> remove_from_tree(const std::string& path);

// Whether these are the bytes, plain or in a cabinet that is called like one. `size`: theirs, when
// it is known; a file of another is not read.
bool holds_content(const TreeFile& file, const base::Sha256& content,
                   std::optional<std::uint64_t> size);

// Takes away what copies have left in the root that did not come to their end, when it was not
// written to since then; how many.
std::uint64_t remove_cut_off(const std::string& directory, base::Time since);

}  // namespace server
