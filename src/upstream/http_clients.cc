#include "upstream/http_clients.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "net/address.h"

namespace upstream {

using base::Error;
using base::Fault;
using base::Result;

namespace {

Error too_large(std::uint64_t size_max) {
  return {Fault::too_large, "the file is larger than " + base::human_size(size_max)};
}

// Of what comes out, when that is what is sent.
std::optional<std::uint64_t> size_of(const net::ClientAnswer& head) {
  const auto coding = head.headers.find("Content-Encoding");
  if (coding && !coding->empty() && !base::equal_ignoring_case(*coding, "identity")) {
    return std::nullopt;
  }
  return base::parse_decimal(head.headers.find("Content-Length").value_or(""));
}

}  // namespace

Result<net::ClientAnswer> HttpClients::download(net::ClientRequest request, base::PendingFile& into,
                                                const Ask& ask, const std::atomic<bool>& stop,
                                                const Progress& progress) {
  const std::uint64_t size_max = ask.size_max;
  std::unique_ptr<net::Client> client = take();
  request.progress = [&stop, &ask](std::uint64_t, std::uint64_t) {
    return !stop && (!ask.until || std::chrono::steady_clock::now() < *ask.until);
  };
  request.on_head = [&](const net::ClientAnswer& head) -> Result<void> {
    if (!is_good(head.status)) return {};
    const auto size = size_of(head);
    if (size && *size > size_max) return too_large(size_max);
    if (progress.began) progress.began(size);
    return {};
  };
  request.on_body = [&](std::string_view piece) -> Result<void> {
    if (piece.size() > size_max - std::min(size_max, into.size())) return too_large(size_max);
    if (ask.has_room && !ask.has_room()) return no_room();
    TRY(into.append(base::bytes_of(piece)));
    if (progress.grew) progress.grew(into.size());
    return {};
  };
  bool is_refused = false;
  request.on_refusal = [&is_refused] { is_refused = true; };
  auto answer = client->send(request);
  give_back(std::move(client));
  if (answer.ok() || answer.error().fault != Fault::denied) return answer;
  if (is_refused) {
    if (progress.refused) progress.refused();
    return answer;
  }
  // TLS: a certificate that cannot be trusted, or cannot be read. Nobody said anything about a
  // file.
  return Error{Fault::unavailable, answer.error().what};
}

std::unique_ptr<net::Client> HttpClients::take() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<net::Client>(options_);
  std::unique_ptr<net::Client> client = std::move(idle_.back());
  idle_.pop_back();
  return client;
}

void HttpClients::give_back(std::unique_ptr<net::Client> client) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(client));
}

net::ClientOptions client_options(const TransportOptions& options) {
  net::ClientOptions client;
  client.connect_timeout = options.connect_timeout;
  client.stall_timeout = options.stall_timeout;
  client.speed_min = options.speed_min;
  client.total_timeout = options.total_timeout;
  client.size_max = options.size_max;
  client.proxy = options.proxy;
  client.ca_bundle = options.ca_bundle;
  client.client_certificate = options.client_certificate;
  client.client_key = options.client_key;
  client.may_connect = [allowed = options.private_addresses](std::string_view address) {
    return net::is_public_address(address) || allowed.contains(address);
  };
  client.trusts_own_origin = !options.is_strangers;
  client.is_strangers = options.is_strangers;
  return client;
}

}  // namespace upstream
