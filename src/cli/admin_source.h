// What `faultline admin` asks: the server of a data directory that is served, with the secret that
// lies there; else the directory itself. Both answer with the JSON of the API.
// One thread. Fails with not_found (no such directory), unavailable, or as the question does.
// Format: docs/protocols/admin-api.md
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "cli/watched_work.h"

namespace cli {

class AdminSource {
 public:
  virtual ~AdminSource() = default;
  virtual base::Result<std::string> list(const std::string& what) = 0;
  virtual base::Result<std::string> create(const std::string& what, const std::string& json) = 0;
  virtual base::Result<void> revoke(const std::string& id) = 0;
  // `how`: "extend" or "quota".
  virtual base::Result<std::string> change(const std::string& id, const std::string& how,
                                           const std::string& json) = 0;
  // Upkeep (upkeep/run.h), to its end.
  virtual base::Result<std::string> run(const std::string& what, const std::string& options,
                                        const ShowNumbers& show) = 0;
};

// `database`: of a directory that nobody serves; "" is the one in there.
base::Result<std::unique_ptr<AdminSource>> open_admin_source(const std::string& data,
                                                             const std::string& database);

}  // namespace cli
