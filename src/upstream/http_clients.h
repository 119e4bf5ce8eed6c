// HTTP clients for one upstream server, kept with their connections while nobody uses them.
// Any thread may call; download() blocks, and fails as net::Client does.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "net/client.h"
#include "upstream/transport.h"

namespace upstream {

class HttpClients {
 public:
  explicit HttpClients(net::ClientOptions options) : options_(std::move(options)) {}

  // A 2xx body is appended to `into`; of the `ask` its bounds count.
  base::Result<net::ClientAnswer> download(net::ClientRequest request, base::PendingFile& into,
                                           const Ask& ask, const std::atomic<bool>& stop,
                                           const Progress& progress);

 private:
  std::unique_ptr<net::Client> take();
  void give_back(std::unique_ptr<net::Client> client);

  const net::ClientOptions options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<net::Client>> idle_;  // guarded by mutex_
};

// As the operator set them; the server itself may be anywhere, others only at public addresses
// or those that he allowed.
net::ClientOptions client_options(const TransportOptions& options);

inline bool is_good(int status) { return status >= 200 && status < 300; }

}  // namespace upstream
