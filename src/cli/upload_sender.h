// One connection of `upload-symbols`: sends a file, small ones at once, big ones in parts so that
// an interruption costs one part; asks what the server has; tries again what may pass. One thread
// each. Fails with denied (the server will not have it), unavailable or timed_out after the last
// attempt, or what the disk says. Format: docs/protocols/upload.md
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/progress.h"
#include "cli/upload_search.h"
#include "net/client.h"

namespace cli {

struct UploadSettings {
  std::string url;
  std::string token;
  std::uint64_t attempts = 5;
  std::uint64_t part_size = 8ull << 20;  // files of more than two parts go in parts
};

class UploadSender {
 public:
  UploadSender(const UploadSettings& settings, Progress& progress);

  enum class Outcome : std::uint8_t { sent, known };
  base::Result<Outcome> send(const UploadCandidate& candidate, const std::string& sha256);

  // Which of these contents need not be sent, as each is there at every path that it is asked for;
  // unsupported when the server does not say. One that knows no paths tells of the content alone.
  struct Question {
    std::string sha256;
    std::string path;
  };
  base::Result<std::set<std::string>> known(const std::vector<Question>& questions);
  // The same for one file by its path, asked as every server understands it.
  bool has_at_path(const UploadCandidate& candidate, const std::string& sha256);

 private:
  net::ClientRequest request_for(const char* method, const std::string& path) const;
  base::Result<net::ClientAnswer> send_with_retries(const net::ClientRequest& request,
                                                    const std::string& what);
  base::Result<Outcome> send_whole(const UploadCandidate& candidate);
  base::Result<Outcome> send_package(const UploadCandidate& candidate);
  base::Result<Outcome> put(const UploadCandidate& candidate, const std::string& path);
  base::Result<Outcome> send_zip(const UploadCandidate& candidate);
  base::Result<Outcome> send_in_parts(const UploadCandidate& candidate, const std::string& sha256);

  const UploadSettings& settings_;
  Progress& progress_;
  net::Client client_;
  bool has_parts_ = true;  // until the server says otherwise
};

}  // namespace cli
