#include <mutex>

#include "base/text.h"
#include "net/address.h"
#include "net/client.h"
#include "upstream/transport.h"

namespace upstream {

using base::Error;
using base::Fault;
using base::Result;

namespace {

// Some static hosts say "may not" or "bad request" where a file is not there.
Fault fault_of(int status) {
  if (status == 400 || status == 403) return Fault::not_found;
  return net::fault_of_status(status);
}

bool is_good(int status) { return status >= 200 && status < 300; }

// Of what comes out, when that is what is sent.
std::optional<std::uint64_t> size_of(const net::ClientAnswer& head) {
  const auto coding = head.headers.find("Content-Encoding");
  if (coding && !coding->empty() && !base::equal_ignoring_case(*coding, "identity")) {
    return std::nullopt;
  }
  return base::parse_decimal(head.headers.find("Content-Length").value_or(""));
}

class HttpTransport : public Transport {
 public:
  explicit HttpTransport(const TransportOptions& options) : options_(options) {}

  Result<void> fetch(const std::string& path, base::PendingFile& into,
                     const std::atomic<bool>& stop, const Progress& progress) override {
    std::unique_ptr<net::Client> client = take_client();
    net::ClientRequest request;
    request.url = net::join_url(options_.location, path);
    for (const auto& [name, value] : options_.headers) request.headers.add(name, value);
    request.progress = [&stop](std::uint64_t, std::uint64_t) { return !stop; };
    if (progress.began) {
      request.on_head = [&](const net::ClientAnswer& head) -> Result<void> {
        if (is_good(head.status)) progress.began(size_of(head));
        return {};
      };
    }
    request.on_body = [&](std::string_view piece) -> Result<void> {
      TRY(into.append(base::bytes_of(piece)));
      if (progress.grew) progress.grew(into.size());
      return {};
    };
    const auto answer = client->send(request);
    give_back(std::move(client));
    if (!answer.ok()) return answer.error();
    if (is_good(answer->status)) return {};
    return Error{fault_of(answer->status),
                 options_.location + " answers " + std::to_string(answer->status) + " for " + path};
  }

 private:
  net::ClientOptions client_options() const {
    net::ClientOptions client;
    client.connect_timeout = options_.connect_timeout;
    client.stall_timeout = options_.stall_timeout;
    client.size_max = options_.size_max;
    client.proxy = options_.proxy;
    client.ca_bundle = options_.ca_bundle;
    client.client_certificate = options_.client_certificate;
    client.client_key = options_.client_key;
    client.may_connect = [this](std::string_view address) {
      return net::is_public_address(address) || options_.private_addresses.contains(address);
    };
    client.trusts_own_origin = true;  // the operator named it
    return client;
  }

  std::unique_ptr<net::Client> take_client() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return std::make_unique<net::Client>(client_options());
    std::unique_ptr<net::Client> client = std::move(idle_.back());
    idle_.pop_back();
    return client;
  }

  void give_back(std::unique_ptr<net::Client> client) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(client));
  }

  const TransportOptions options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<net::Client>> idle_;  // with their connections; guarded by mutex_
};

}  // namespace

std::unique_ptr<Transport> http_transport(const TransportOptions& options) {
  return std::make_unique<HttpTransport>(options);
}

}  // namespace upstream
