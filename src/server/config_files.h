// Configuration from files: which one is meant, what kind it is, and the options that files,
// environment and flags make together.
//   faultline.toml                  ours
//   a JSON object                   pySymProxy's, or that of Mozilla's symbolication server
//   [General], [SymbolPaths] …      old Snappy's
//   an export of the registry       SymProxy's
// Each is recognised by its content, whatever its name.
// Reads files, and the environment of this process. Fails with what the disk says or with malformed
// (file, line and key are named).
// Format: docs/configuration.md, docs/pysymproxy.md,
// docs/mozilla-symbolication-server.md
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/options.h"

namespace server {

struct ConfigFile {
  std::string path;
  std::string kind = "faultline's";  // or "pySymProxy's", "SymProxy's", "Mozilla's", "Snappy's"
  std::vector<Setting> settings;
  std::vector<std::string> warnings;
  std::string shown;  // a foreign one without secrets; "" of ours

  bool is_foreign() const { return !shown.empty(); }
};

base::Result<ConfigFile> read_config(const std::string& path);

// What relative paths of other programs' files begin at.
base::Result<std::string> working_directory();

// The places that are tried without --config, beginning at the working directory.
std::vector<std::string> config_places();
// The first of them where a file is; "" when there is none.
std::string find_config();

// "\\server\share=/directory", as flags say it; `from` is the flag.
std::vector<Setting> share_settings(const std::vector<std::string>& shares,
                                    const std::string& from);

// What they make together, the environment aside: upstream servers are added up, of everything else
// the later file wins.
base::Result<Options> options_of(const std::vector<ConfigFile>& files,
                                 const std::vector<Setting>& later = {});

// The same with the environment between the files and the flags.
base::Result<Options> options_here(const std::vector<ConfigFile>& files,
                                   const std::vector<Setting>& flags);

// `configs` are the files to read; none: that of find_config(). `flags` win over all. What Eliot's
// environment says (options_from_eliot.h) comes before the files.
base::Result<Options> load_options(const std::vector<std::string>& configs,
                                   const std::vector<Setting>& flags);

}  // namespace server
