#include "net/client.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/text.h"
#include "net/origin.h"
#include "net/outbound_proxy.h"
#include "net/percent.h"

namespace net {
namespace {

using base::Error;
using base::Fault;
using base::Result;

constexpr std::size_t kErrorBodyMax = 1 << 20;  // of answers that are not what was asked for

void init_curl_once() {
  static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(once);
}

Fault fault_of(CURLcode code, std::string_view url) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_BAD_CONTENT_ENCODING:
      return Fault::malformed;
    case CURLE_UNSUPPORTED_PROTOCOL: {
      // libcurl says so of an answer that is no HTTP ("SSH-2.0-…"), too.
      const std::string scheme = origin_of(url).scheme;
      return scheme == "http" || scheme == "https" ? Fault::unavailable : Fault::malformed;
    }
    case CURLE_OPERATION_TIMEDOUT:
      return Fault::timed_out;
    case CURLE_FILESIZE_EXCEEDED:
      return Fault::too_large;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      return Fault::denied;
    default:
      return Fault::unavailable;
  }
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool harmless_elsewhere(std::string_view header) {
  const std::string name = base::lower_ascii(header);
  return name.starts_with("accept") || name == "user-agent" || name == "range" ||
         name == "content-type" || name == "content-encoding" || name == "if-none-match";
}

// Of the time that a request may take; 0 is without end, here and there.
Result<std::chrono::milliseconds> time_left(std::chrono::milliseconds total,
                                            std::chrono::steady_clock::time_point began,
                                            const std::string& url) {
  if (total.count() == 0) return total;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(
      total - (std::chrono::steady_clock::now() - began));
  if (left.count() > 0) return left;
  return Error{Fault::timed_out, url + ": the request took too long"};
}

Error refused_by_us(const ClientRequest& request, std::string what) {
  if (request.on_refusal) request.on_refusal();
  return {Fault::denied, std::move(what)};
}

// One request over the wire; curl calls back into it.
class Transfer {
 public:
  Transfer(const ClientRequest& request, const ClientOptions& options, CURL* easy)
      : request_(request), options_(options), easy_(easy) {}
  ~Transfer() { curl_slist_free_all(lines_); }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  Result<ClientAnswer> run(const std::string& url, const std::string& method,
                           const Headers& headers, bool may_redirect,
                           std::chrono::milliseconds timeout);

 private:
  Result<void> open_body();
  void set_options(const std::string& url, const std::string& method, const Headers& headers);
  void set_times(std::chrono::milliseconds timeout);
  void set_body(const std::string& method);
  bool is_at_own_server(const std::string& url) const {
    return is_same_server(origin_of(request_.url), origin_of(url));
  }
  Result<void> judge_what_a_proxy_fetches(const std::string& url);
  bool may_connect_to(const std::string& address, std::string_view port) const;
  Error may_not_connect(const std::string& url, std::string_view address) const;
  Result<void> take_head();
  Result<void> take(std::string_view piece);
  bool final_answer() const { return !may_redirect_ || !is_redirect(answer_.status); }

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_write(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_read(char* data, std::size_t size, std::size_t count, void* self);
  static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int on_seek(void* self, curl_off_t offset, int origin);
  static int on_progress(void* self, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                         curl_off_t up);

  const ClientRequest& request_;
  const ClientOptions& options_;
  CURL* easy_;
  curl_slist* lines_ = nullptr;
  base::Fd body_file_;
  std::uint64_t body_size_ = 0;
  std::uint64_t body_sent_ = 0;
  std::string proxy_;  // that curl may go through; "": none
  bool may_redirect_ = false;
  bool is_trusted_ = false;  // may_connect need not be asked
  bool head_taken_ = false;
  std::uint64_t received_ = 0;
  ClientAnswer answer_;
  std::string refused_;           // an address that we may not connect to
  std::optional<Error> failure_;  // of ours, behind a CURLE_WRITE_ERROR
};

Result<void> Transfer::open_body() {
  body_size_ = request_.body.size();
  if (request_.body_path.empty()) return {};
  body_file_ = base::Fd(::open(request_.body_path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!body_file_.valid() || ::fstat(body_file_.get(), &info) != 0) {
    return base::error_from_errno(errno, "cannot read", request_.body_path);
  }
  body_size_ = static_cast<std::uint64_t>(info.st_size);
  return {};
}

void Transfer::set_body(const std::string& method) {
  const bool has_body = body_file_.valid() || !request_.body.empty() || method == "POST" ||
                        method == "PUT" || method == "PATCH";
  if (method == "HEAD") {
    curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
    return;
  }
  if (method == "GET" || !has_body) {
    curl_easy_setopt(easy_, CURLOPT_HTTPGET, 1L);
    if (method != "GET") curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
    return;
  }
  curl_easy_setopt(easy_, CURLOPT_POST, 1L);
  curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_size_));
  curl_easy_setopt(easy_, CURLOPT_READFUNCTION, &Transfer::on_read);
  curl_easy_setopt(easy_, CURLOPT_READDATA, this);
  curl_easy_setopt(easy_, CURLOPT_SEEKFUNCTION, &Transfer::on_seek);
  curl_easy_setopt(easy_, CURLOPT_SEEKDATA, this);
  // curl would call it a form.
  if (!request_.headers.find("Content-Type")) lines_ = curl_slist_append(lines_, "Content-Type:");
}

void Transfer::set_times(std::chrono::milliseconds timeout) {
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(options_.connect_timeout.count()));
  curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(options_.speed_min));
  const auto stall = std::chrono::ceil<std::chrono::seconds>(options_.stall_timeout).count();
  curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_TIME, static_cast<long>(stall));
}

void Transfer::set_options(const std::string& url, const std::string& method,
                           const Headers& headers) {
  curl_easy_reset(easy_);  // keeps the connections
  curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_USERAGENT, options_.user_agent.c_str());
  curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, 128L * 1024);
  curl_easy_setopt(easy_, CURLOPT_UPLOAD_BUFFERSIZE, 128L * 1024);
  if (options_.accept_compressed) curl_easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, "");
  if (options_.is_strangers) {
    curl_easy_setopt(easy_, CURLOPT_PROXY, "");  // none of the environment's either
  } else if (!options_.proxy.empty()) {
    curl_easy_setopt(easy_, CURLOPT_PROXY, options_.proxy.c_str());
  }
  if (!options_.ca_bundle.empty()) {
    curl_easy_setopt(easy_, CURLOPT_CAINFO, options_.ca_bundle.c_str());
  }
  // What lets us in here is shown nowhere else.
  if (!options_.client_certificate.empty() && is_at_own_server(url)) {
    curl_easy_setopt(easy_, CURLOPT_SSLCERT, options_.client_certificate.c_str());
    curl_easy_setopt(easy_, CURLOPT_SSLKEY, options_.client_key.c_str());
  }
  if (options_.may_connect) {
    curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_socket);
    curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, this);
  }
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Transfer::on_write);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  if (request_.progress) {
    curl_easy_setopt(easy_, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy_, CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
    curl_easy_setopt(easy_, CURLOPT_XFERINFODATA, this);
  }
  for (const auto& [name, value] : headers.all()) {
    const bool splits = (name + value).find_first_of("\r\n") != std::string::npos;
    if (!splits) lines_ = curl_slist_append(lines_, fmt::format("{}: {}", name, value).c_str());
  }
  set_body(method);
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, lines_);
}

Result<void> Transfer::take_head() {
  if (std::exchange(head_taken_, true)) return {};
  if (!final_answer() || !request_.on_head) return {};
  answer_.url = request_.url;
  return request_.on_head(answer_);
}

Result<void> Transfer::take(std::string_view piece) {
  TRY(take_head());
  received_ += piece.size();
  if (received_ > options_.size_max) {
    return Error{Fault::too_large,
                 fmt::format("the answer is larger than {}", base::human_size(options_.size_max))};
  }
  const bool good = answer_.status >= 200 && answer_.status < 300;
  if (good && request_.on_body) return request_.on_body(piece);
  const std::size_t room =
      good ? piece.size() : kErrorBodyMax - std::min(kErrorBodyMax, answer_.body.size());
  answer_.body.append(piece.substr(0, room));
  return {};
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) {  // a new head: after 100, a proxy's CONNECT or a challenge
    transfer.answer_ = ClientAnswer();
    long status = 0;
    curl_easy_getinfo(transfer.easy_, CURLINFO_RESPONSE_CODE, &status);
    transfer.answer_.status = static_cast<int>(status);
  } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
    transfer.answer_.headers.add(base::trim(line.substr(0, colon)),
                                 base::trim(line.substr(colon + 1)));
  }
  return line.size();
}

std::size_t Transfer::on_write(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  auto taken = transfer.take({data, size * count});
  if (taken.ok()) return size * count;
  transfer.failure_ = std::move(taken).error();
  return 0;
}

std::size_t Transfer::on_read(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::size_t wanted = static_cast<std::size_t>(
      std::min<std::uint64_t>(size * count, transfer.body_size_ - transfer.body_sent_));
  if (!transfer.body_file_.valid()) {
    transfer.request_.body.copy(data, wanted, static_cast<std::size_t>(transfer.body_sent_));
    transfer.body_sent_ += wanted;
    return wanted;
  }
  const ssize_t n =
      ::pread(transfer.body_file_.get(), data, wanted, static_cast<off_t>(transfer.body_sent_));
  if (n < 0 || (n == 0 && wanted > 0)) {
    transfer.failure_ =
        base::error_from_errno(n < 0 ? errno : EIO, "cannot read", transfer.request_.body_path);
    return CURL_READFUNC_ABORT;
  }
  transfer.body_sent_ += static_cast<std::uint64_t>(n);
  return static_cast<std::size_t>(n);
}

curl_socket_t Transfer::on_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(self);
  char text[NI_MAXHOST] = "";
  char port[NI_MAXSERV] = "";
  if (::getnameinfo(&address->addr, address->addrlen, text, sizeof text, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0 ||
      !transfer.may_connect_to(text, port)) {
    transfer.refused_ = text;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

bool Transfer::may_connect_to(const std::string& address, std::string_view port) const {
  if (is_trusted_ || options_.may_connect(address)) return true;
  return !proxy_.empty() && is_at_proxy(proxy_, address, port);
}

// The connection will be the proxy's, and says nothing about where that goes for us.
Result<void> Transfer::judge_what_a_proxy_fetches(const std::string& url) {
  if (proxy_.empty() || is_trusted_ || !options_.may_connect) return {};
  const auto address = find_refused_address(url, options_.may_connect);
  if (!address) return {};
  return may_not_connect(url, *address);
}

Error Transfer::may_not_connect(const std::string& url, std::string_view address) const {
  if (options_.is_strangers) return refused_by_us(request_, url + ": it is at no public address");
  return refused_by_us(request_, fmt::format("{}: {} may not be connected to", url, address));
}

int Transfer::on_seek(void* self, curl_off_t offset, int origin) {
  if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
  static_cast<Transfer*>(self)->body_sent_ = static_cast<std::uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

int Transfer::on_progress(void* self, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                          curl_off_t up) {
  auto& transfer = *static_cast<Transfer*>(self);
  const bool uploading = up_total > 0 && up < up_total;
  const auto done = static_cast<std::uint64_t>(uploading ? up : down);
  const auto total = static_cast<std::uint64_t>(uploading ? up_total : down_total);
  if (transfer.request_.progress(done, total)) return 0;
  transfer.failure_ = Error{Fault::unavailable, "stopped"};
  return 1;
}

Result<ClientAnswer> Transfer::run(const std::string& url, const std::string& method,
                                   const Headers& headers, bool may_redirect,
                                   std::chrono::milliseconds timeout) {
  may_redirect_ = may_redirect;
  is_trusted_ = options_.trusts_own_origin && is_at_own_server(url);
  if (!options_.is_strangers) proxy_ = find_outbound_proxy(options_.proxy, url);
  TRY(judge_what_a_proxy_fetches(url));
  TRY(open_body());
  set_options(url, method, headers);
  set_times(timeout);
  char text[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, text);
  const CURLcode code = curl_easy_perform(easy_);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, nullptr);
  if (failure_) return base::with_context(url, std::move(*failure_));
  // A server that refuses early may close while we still send; its answer counts.
  const bool answered = code == CURLE_SEND_ERROR && answer_.status >= 400;
  if (code == CURLE_COULDNT_CONNECT && !refused_.empty()) {
    return may_not_connect(url, refused_);
  }
  if (code != CURLE_OK && !answered) {
    return Error{fault_of(code, url),
                 fmt::format("{}: {}", url, text[0] != '\0' ? text : curl_easy_strerror(code))};
  }
  auto head = take_head();
  if (!head.ok()) return base::with_context(url, std::move(head).error());
  answer_.url = url;
  return std::move(answer_);
}

}  // namespace

struct Client::State {
  ClientOptions options;
  CURL* easy = nullptr;
  ~State() {
    if (easy != nullptr) curl_easy_cleanup(easy);
  }
};

Client::Client(ClientOptions options) : state_(std::make_unique<State>()) {
  init_curl_once();
  state_->options = std::move(options);
  state_->easy = curl_easy_init();
}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<ClientAnswer> Client::send(const ClientRequest& request) {
  if (state_->easy == nullptr) return Error{Fault::internal, "libcurl cannot start"};
  std::string url = request.url;
  std::string method = request.method;
  Headers headers = request.headers;
  const auto began = std::chrono::steady_clock::now();
  for (unsigned hop = 0;; ++hop) {
    const bool may_redirect = hop < state_->options.redirects_max;
    const auto left = TRY(time_left(state_->options.total_timeout, began, url));
    Transfer transfer(request, state_->options, state_->easy);
    ClientAnswer answer = TRY(transfer.run(url, method, headers, may_redirect, left));
    char* next = nullptr;
    curl_easy_getinfo(state_->easy, CURLINFO_REDIRECT_URL, &next);
    if (!is_redirect(answer.status) || next == nullptr || state_->options.redirects_max == 0) {
      return answer;
    }
    if (!may_redirect) {
      return Error{Fault::unavailable, fmt::format("{}: more than {} redirects", request.url,
                                                   state_->options.redirects_max)};
    }
    const std::string target = next;
    const Origin here = origin_of(url), there = origin_of(target);
    if (here.scheme == "https" && there.scheme != "https") {
      return refused_by_us(request,
                           fmt::format("{}: redirects away from https to {}", url, target));
    }
    if (!is_same_server(here, there)) {
      Headers kept;
      for (const auto& [name, value] : headers.all()) {
        if (harmless_elsewhere(name)) kept.add(name, value);
      }
      headers = std::move(kept);
    }
    const bool becomes_get = answer.status == 303 || (answer.status < 303 && method == "POST");
    if (becomes_get && method != "HEAD") method = "GET";
    url = target;
  }
}

Result<ClientAnswer> Client::get(std::string_view url) {
  ClientRequest request;
  request.url = url;
  return send(request);
}

Result<ClientAnswer> Client::post(std::string_view url, std::string_view content_type,
                                  std::string body) {
  ClientRequest request;
  request.method = "POST";
  request.url = url;
  request.headers.add("Content-Type", content_type);
  request.body = std::move(body);
  return send(request);
}

Result<ClientAnswer> Client::download(ClientRequest request, base::PendingFile& file) {
  request.on_body = [&file](std::string_view piece) { return file.append(base::bytes_of(piece)); };
  return send(request);
}

base::Fault fault_of_status(int status) {
  switch (status) {
    case 401:
    case 403:
    case 407:
      return Fault::denied;
    case 404:
    case 410:
      return Fault::not_found;
    case 408:
    case 504:
      return Fault::timed_out;
    case 413:
      return Fault::too_large;
    default:
      break;
  }
  return status >= 500 || status == 429 ? Fault::unavailable : Fault::malformed;
}

std::string join_url(std::string_view base, std::string_view path) {
  while (base.ends_with('/')) base.remove_suffix(1);
  while (path.starts_with('/')) path.remove_prefix(1);
  return std::string(base) + "/" + percent_encode(path, "/+:@,;=$!()'*");
}

}  // namespace net
