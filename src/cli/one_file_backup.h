// A backup in one file or on stdout, and back: made as a directory beside the blobs, where it costs
// next to nothing, and packed from there (upkeep/packed_backup.h). Whether a server serves the data
// is no matter.
// Until it is whole the file has another name; of what went to a pipe only the end tells.
// One thread; blocks. Fails as the backup does, or with malformed (there is such a file already,
// stdout is a terminal), denied or unavailable.
// Format: docs/operation.md
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "cli/watched_work.h"
#include "upkeep/backup.h"

namespace cli {

struct BackupWish {
  std::string target;  // a directory for who makes it
  bool blobs_only = false;
  bool own_copies = false;
};
std::string json_of(const BackupWish& wish);  // as upkeep/run.h takes it

// "-", or a name that ends in ".tar".
bool is_one_file(const std::string& target);

// `data` is an absolute path; `make` makes a backup in a directory and gives its JSON. The answer
// is that, with the file for the directory. `show`: how far the packing is.
base::Result<std::string> back_up_to_one_file(
    const std::string& data, const BackupWish& wish,
    const std::function<base::Result<std::string>(const BackupWish&)>& make,
    const ShowNumbers& show);

// From a directory, a file or stdin, to where nothing is yet.
base::Result<upkeep::BackedUp> restore_from(const std::string& backup, const std::string& data,
                                            const ShowNumbers& show);

// A server has another working directory than we.
std::string absolute_path(const std::string& path);

}  // namespace cli
