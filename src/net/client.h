// A blocking HTTP client for command-line tools, upstream downloads on worker threads, and tests:
// bodies from and to memory, files or functions, with caps on size and time.
// Not a cache and no retries: the caller knows what a failure is worth. Only http and https.
// A Client keeps its connections for the next request; one thread at a time. cancel-safe: a
// progress function that returns false ends the request with unavailable.
// Any HTTP status is an answer, not a failure (fault_of_status() makes one of it). Fails with
// malformed (URL, its protocol, coding), timed_out, too_large, denied (TLS, or on_refusal was
// told), unavailable (no connection, no HTTP, reset, ended early), or what a sink says.
// Redirects are followed by us: headers that could be secret go to the same server alone
// (net/origin.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "net/http.h"

namespace net {

struct ClientOptions {
  std::string user_agent = "faultline/1.0";
  std::chrono::milliseconds connect_timeout{15'000};
  std::chrono::milliseconds stall_timeout{60'000};        // slower than speed_min for this time
  std::uint64_t speed_min = 1;                            // bytes a second
  std::chrono::milliseconds total_timeout{0};             // with all redirects; 0: none
  std::uint64_t size_max = 16ull << 30;                   // of a body that comes, unpacked
  unsigned redirects_max = 6;                             // 0: a redirect is the answer
  bool accept_compressed = true;                          // and unpack what comes
  std::string proxy;                                      // "": as the environment says
  std::string ca_bundle, client_certificate, client_key;  // paths; "": the system's, none
  // Whether this address, as text without port, may be connected to; denied when it says no.
  // Asked after names are resolved, for every connection; of what a proxy is to fetch, before each
  // request: the proxy itself may be anywhere (net/outbound_proxy.h).
  std::function<bool(std::string_view address)> may_connect;
  // A stranger chose the URL: there is no proxy, whatever the environment says, so that may_connect
  // sees where it leads; and a refusal does not tell him what address a name of ours has.
  bool is_strangers = false;
  // Then may_connect is asked only where a redirect leads to another server than the request's.
  bool trusts_own_origin = false;
};

struct ClientAnswer {
  int status = 0;
  Headers headers;
  std::string body;  // unless it went elsewhere
  std::string url;   // of the last request, after redirects
};

struct ClientRequest {
  std::string method = "GET";
  std::string url;
  Headers headers;
  std::string body;       // for POST, PUT …
  std::string body_path;  // or the whole of this file, streamed
  // Bytes done and bytes in all (0 when not known), of whichever direction moves. False stops.
  std::function<bool(std::uint64_t done, std::uint64_t total)> progress;
  // We ourselves do not go there: may_connect says no, or a redirect leads away from https.
  std::function<void()> on_refusal = nullptr;
  // The head of the final answer, before its body; an error stops.
  std::function<base::Result<void>(const ClientAnswer& head)> on_head;
  // Takes the body of a 2xx instead of ClientAnswer::body; an error stops.
  std::function<base::Result<void>(std::string_view piece)> on_body;
};

class Client {
 public:
  explicit Client(ClientOptions options = {});
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  base::Result<ClientAnswer> send(const ClientRequest& request);
  base::Result<ClientAnswer> get(std::string_view url);
  base::Result<ClientAnswer> post(std::string_view url, std::string_view content_type,
                                  std::string body);
  // A 2xx body is appended to `file`; other bodies are in the answer.
  base::Result<ClientAnswer> download(ClientRequest request, base::PendingFile& file);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The fault that a status of 400 and above stands for.
base::Fault fault_of_status(int status);
// "http://h/a/" + "/b c" → "http://h/a/b%20c"; slashes in `path` stay.
std::string join_url(std::string_view base, std::string_view path);

}  // namespace net
