#include <cstdlib>

#include "base/clock.h"
#include "base/log.h"
#include "net/percent.h"
#include "upstream/http_clients.h"
#include "upstream/s3.h"
#include "upstream/sigv4.h"
#include "upstream/transport.h"

namespace upstream {

using base::Error;
using base::Result;

namespace {

class S3Transport : public Transport {
 public:
  S3Transport(const TransportOptions& options, S3Address address)
      : location_(options.location),
        headers_(options.headers),
        credentials_(options.s3.credentials),
        scope_{options.s3.region, "s3"},
        address_(std::move(address)),
        clients_(s3_client_options(options)) {}

  Result<void> fetch(const Ask& ask, base::PendingFile& into, const std::atomic<bool>& stop,
                     const Progress& progress) override {
    for (bool is_second = false;; is_second = true) {
      const net::ClientAnswer answer = TRY(download(ask, into, stop, progress));
      if (is_good(answer.status)) {
        is_hidden_ = false;
        return {};
      }
      S3Refusal refusal = refused_by_s3(answer.status, answer.headers, answer.body);
      if (refusal.meaning == S3Meaning::clock && !is_second && follow_clock(answer)) continue;
      if (refusal.meaning == S3Meaning::hidden) note_hidden(refusal.error);
      if (refusal.meaning == S3Meaning::hidden && ask.was_there) {
        refusal.error.fault = base::Fault::denied;
      }
      return base::with_context(location_ + ": " + ask.path, std::move(refusal.error));
    }
  }

 private:
  static net::ClientOptions s3_client_options(const TransportOptions& options) {
    net::ClientOptions client = client_options(options);
    client.redirects_max = 0;
    return client;
  }

  Result<net::ClientAnswer> download(const Ask& ask, base::PendingFile& into,
                                     const std::atomic<bool>& stop, const Progress& progress) {
    const std::string encoded = address_.path + net::percent_encode(ask.path, "/");
    net::ClientRequest request;
    request.url = address_.origin + encoded;
    const bool is_signed = !credentials_.empty();
    for (const auto& [name, value] : headers_) {
      if (!is_signed || !must_be_signed(name)) request.headers.add(name, value);
    }
    if (is_signed) {
      const base::Time now{base::now().us + clock_offset_s_ * 1'000'000};
      for (const auto& [name, value] :
           aws_signed_headers(address_.host, encoded, credentials_, scope_, now, headers_)) {
        request.headers.add(name, value);
      }
    }
    return clients_.download(std::move(request), into, ask, stop, progress);
  }

  // A signature holds for some minutes around its time. When the server says that ours is off, its
  // own clock counts: for this server, until it says so again.
  bool follow_clock(const net::ClientAnswer& answer) {
    const auto theirs = net::find_http_date(std::string(answer.headers.find("Date").value_or("")));
    if (!theirs) return false;
    const std::int64_t offset = *theirs - base::now().us / 1'000'000;
    clock_offset_s_ = offset;
    base::log::warning("{}: our clock is {} s {} the server's, which counts from now on", location_,
                       std::abs(offset), offset > 0 ? "behind" : "before");
    return true;
  }

  // Nobody can tell the two apart; who set us up can.
  void note_hidden(const Error& error) {
    if (is_hidden_.exchange(true)) return;
    base::log::info("{} {}; with the right s3:ListBucket it would say which. This counts as a miss",
                    location_, error.what);
  }

  const std::string location_;
  const std::vector<std::pair<std::string, std::string>> headers_;
  const AwsCredentials credentials_;
  const AwsScope scope_;
  const S3Address address_;
  HttpClients clients_;
  std::atomic<std::int64_t> clock_offset_s_ = 0;
  std::atomic<bool> is_hidden_ = false;
};

}  // namespace

Result<std::unique_ptr<Transport>> s3_transport(const TransportOptions& options) {
  S3Address address = TRY(s3_address(options.location, options.s3));
  return std::unique_ptr<Transport>(std::make_unique<S3Transport>(options, std::move(address)));
}

}  // namespace upstream
