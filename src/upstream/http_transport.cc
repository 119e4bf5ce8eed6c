#include "base/log.h"
#include "base/text.h"
#include "net/percent.h"
#include "upstream/http_clients.h"
#include "upstream/transport.h"

namespace upstream {

using base::Error;
using base::Fault;
using base::Result;

namespace {

Fault fault_of(int status) {
  // Some static hosts say "may not" or "bad request" where a file is not there.
  if (status == 400 || status == 403) return Fault::not_found;
  // A proxy or a network between us asks who we are: that says nothing about the file.
  if (status == 407 || status == 511) return Fault::unavailable;
  return net::fault_of_status(status);
}

// A plus is coded, too: stores like S3 take a bare one for a blank, and libstdc++.so is not there.
std::string url_of(std::string_view location, std::string_view path) {
  while (location.ends_with('/')) location.remove_suffix(1);
  while (path.starts_with('/')) path.remove_prefix(1);
  return std::string(location).append("/").append(net::percent_encode(path, "/:@,;=$!()'*"));
}

bool is_refusal(int status) { return status == 401 || status == 403; }

class HttpTransport : public Transport {
 public:
  explicit HttpTransport(const TransportOptions& options)
      : location_(options.location),
        headers_(options.headers),
        has_credentials_(!options.headers.empty() || !options.client_certificate.empty()),
        clients_(client_options(options)) {}

  Result<void> fetch(const Ask& ask, base::PendingFile& into, const std::atomic<bool>& stop,
                     const Progress& progress) override {
    net::ClientRequest request;
    if (ask.is_head) request.method = "HEAD";
    request.url = url_of(location_, ask.path);
    for (const auto& [name, value] : headers_) request.headers.add(name, value);
    for (const auto& [name, value] : ask.headers) request.headers.add(name, value);
    const net::ClientAnswer answer =
        TRY(clients_.download(std::move(request), into, ask, stop, progress));
    if (progress.answered) progress.answered(answer.status, answer.headers);
    if (is_good(answer.status)) {
      is_refused_ = false;
      return {};
    }
    if (is_refusal(answer.status)) note_refusal(answer.status);
    const bool is_denied = ask.was_there && is_refusal(answer.status);
    return Error{is_denied ? Fault::denied : fault_of(answer.status),
                 location_ + " answers " + std::to_string(answer.status) + " for " + ask.path};
  }

 private:
  // It may be how this server says that a file is not there; but somebody gave us credentials, and
  // should hear of it when they are wrong. Once, until they let us in.
  void note_refusal(int status) {
    if (!has_credentials_ || is_refused_.exchange(true)) return;
    base::log::warning(
        "{} answers {}, though it is asked with headers or a certificate of its own: either it "
        "says "
        "so where a file is not there, or they let us in no more",
        location_, status);
  }

  const std::string location_;
  const std::vector<std::pair<std::string, std::string>> headers_;
  const bool has_credentials_;
  HttpClients clients_;
  std::atomic<bool> is_refused_ = false;
};

}  // namespace

std::unique_ptr<Transport> http_transport(const TransportOptions& options) {
  return std::make_unique<HttpTransport>(options);
}

}  // namespace upstream
