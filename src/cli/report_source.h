// Where `faultline report` finds its reports: a server, or a data directory that nobody serves.
// A directory that is served is reached through its server, at the address in its lock file.
// One thread. Fails with what the server or the directory says; not_found for unknown ids.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reports/report.h"

namespace cli {

struct OutgoingReport {
  std::vector<reports::Annotation> annotations;
  std::string dump_path;
  std::vector<std::string> attachment_paths;
};

class ReportSource {
 public:
  virtual ~ReportSource() = default;
  // JSON documents as in docs/protocols/reports-api.md.
  virtual base::Result<std::string> list(std::uint64_t limit) = 0;
  virtual base::Result<std::string> load(const std::string& id) = 0;
  virtual base::Result<void> reprocess(const std::string& id) = 0;
  virtual base::Result<std::string> send(const OutgoingReport& report) = 0;  // the new id
  // The address of the report's page, or "" where no server shows it.
  virtual std::string page_of(const std::string& id) const = 0;
};

base::Result<std::unique_ptr<ReportSource>> open_report_server(std::string url);
base::Result<std::unique_ptr<ReportSource>> open_report_directory(const std::string& path);

}  // namespace cli
