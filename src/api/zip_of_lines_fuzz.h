// A zip with good checksums out of a fuzzer's text: each line is a member, its name up to a TAB,
// then its content; one whose name begins with '@' is a link. With checksums in the way a fuzzer
// would never get behind the first member.
#pragma once

#include <string>
#include <string_view>

#include "base/text.h"
#include "testing/stored_zip.h"

namespace api {

inline std::string zip_of_lines(std::string_view lines) {
  testing_support::StoredZip zip;
  int count = 0;
  for (const std::string_view line : base::split(lines, '\n')) {
    if (++count > 200) break;
    const std::string_view name = line.substr(0, std::min<std::size_t>(line.find('\t'), 60'000));
    const std::string_view content = line.substr(std::min(name.size() + 1, line.size()));
    zip.add(name, content,
            name.starts_with('@') ? testing_support::StoredZip::kLink
                                  : testing_support::StoredZip::kFile);
  }
  return zip.finish();
}

}  // namespace api
