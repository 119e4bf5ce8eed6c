#include "sources/web.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/text.h"
#include "net/address.h"

namespace sources {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr unsigned kMaxRedirects = 5;
constexpr std::size_t kMaxFailures = 10'000;
constexpr std::uint64_t kMaxCredentials = 1 << 20;

std::string shown(const Origin& origin) { return origin.host + ":" + std::to_string(origin.port); }

int value_of_base64(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

// The URL that a redirect leads to, when it is absolute or begins with a slash.
std::optional<std::string> find_target(const net::ClientAnswer& answer, const std::string& from) {
  const auto location = answer.headers.find("Location");
  if (!location) return std::nullopt;
  if (location->find("://") != std::string_view::npos) return std::string(*location);
  if (!location->starts_with('/') || location->starts_with("//")) return std::nullopt;
  const auto host_end = from.find('/', from.find("://") + 3);
  return from.substr(0, host_end) + std::string(*location);
}

std::string name_of_key(const std::string& key) {
  return base::sha256_of(base::bytes_of(key)).hex();
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

std::optional<std::string> from_base64(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  bool ended = false;
  for (const char c : text) {
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
    if (c == '=') {
      ended = true;
      continue;
    }
    const int value = value_of_base64(c);
    if (value < 0 || ended) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xff);
  }
  if (count == 6) return std::nullopt;  // one letter is no byte
  return out;
}

Result<HostRules> Web::read_rules(const WebOptions& options) {
  if (options.credentials_file.empty()) return HostRules::parse(options.hosts, "");
  auto credentials = base::read_file(options.credentials_file, kMaxCredentials);
  if (!credentials.ok()) {
    return base::with_context("sources.credentials", std::move(credentials).error());
  }
  return HostRules::parse(options.hosts, *credentials);
}

Result<std::unique_ptr<Web>> Web::open(const WebOptions& options) {
  HostRules rules = TRY(read_rules(options));
  auto web = std::unique_ptr<Web>(new Web(options, std::move(rules)));
  TRY(web->read_cache());
  return web;
}

// What earlier runs kept, the oldest first.
Result<void> Web::read_cache() {
  TRY(base::make_directories(options_.cache_directory));
  struct Old {
    std::string name;
    std::int64_t changed = 0;
    std::uint64_t size = 0;
  };
  std::vector<Old> files;
  const std::vector<std::string> paths = TRY(base::list_files(options_.cache_directory));
  for (const std::string& path : paths) {
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) continue;
    files.push_back({std::string(base::basename_of(path)), info.st_mtime,
                     static_cast<std::uint64_t>(info.st_size)});
  }
  std::sort(files.begin(), files.end(),
            [](const Old& a, const Old& b) { return a.changed < b.changed; });
  const std::lock_guard lock(mutex_);
  for (Old& file : files) {
    kept_[file.name] = {file.size, order_.insert(order_.end(), file.name)};
    kept_size_ += file.size;
  }
  return {};
}

std::string Web::path_of(const std::string& name) const {
  return base::join_path(options_.cache_directory, name.substr(0, 2) + "/" + name);
}

std::optional<std::string> Web::find_cached(const std::string& name) {
  {
    const std::lock_guard lock(mutex_);
    const auto at = kept_.find(name);
    if (at == kept_.end()) return std::nullopt;
    order_.splice(order_.end(), order_, at->second.place);
  }
  auto bytes = base::read_file(path_of(name), options_.file_size_max);
  if (!bytes.ok()) return std::nullopt;
  return std::move(*bytes);
}

void Web::keep(const std::string& key, std::string_view bytes) {
  const std::string name = name_of_key(key);
  if (options_.may_cache && !options_.may_cache()) return;
  auto file = base::PendingFile::create(options_.tmp);
  if (!file.ok() || !file->append(base::bytes_of(bytes)).ok() ||
      !file->commit(path_of(name)).ok()) {
    base::log::warning("sources: {} cannot be written", options_.cache_directory);
    return;
  }
  std::vector<std::string> gone;
  {
    const std::lock_guard lock(mutex_);
    const auto [at, is_new] = kept_.try_emplace(name);
    if (is_new) {
      at->second = {bytes.size(), order_.insert(order_.end(), name)};
      kept_size_ += bytes.size();
    }
    while (kept_size_ > options_.cache_size_max && order_.size() > 1) {
      const auto oldest = kept_.find(order_.front());
      kept_size_ -= oldest->second.size;
      gone.push_back(order_.front());
      order_.pop_front();
      kept_.erase(oldest);
    }
  }
  for (const std::string& old : gone) (void)base::remove_file(path_of(old));
}

// One request, without following a redirect. The list decides, then the address.
Result<net::ClientAnswer> Web::get(const std::string& url, Clock::time_point deadline) const {
  const auto origin = find_origin(url);
  if (!origin) return Error{Fault::denied, "the symbols name a source server by no proper URL"};
  const Trust trust = rules_.trust_in(*origin);
  if (trust == Trust::none) {
    return Error{Fault::denied,
                 "the source server " + shown(*origin) + " is not in the list sources.hosts"};
  }
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
  const auto timeout = std::min(options_.timeout, left);
  if (timeout.count() <= 0) return Error{Fault::timed_out, "the time for this source is over"};
  net::ClientOptions client;
  client.connect_timeout = timeout;
  client.stall_timeout = timeout;
  client.total_timeout = timeout;
  client.size_max = options_.file_size_max * 4 / 3 + 4;  // base64 is that much longer
  client.redirects_max = 0;
  if (trust == Trust::by_domain) client.may_connect = net::is_public_address;
  net::ClientRequest request;
  request.url = url;
  request.headers = rules_.headers_for(*origin);
  auto answer = net::Client(client).send(request);
  if (!answer.ok()) {
    return Error{answer.error().fault, "the source server " + shown(*origin) + " did not answer"};
  }
  return answer;
}

Result<std::string> Web::download(const srcsrv::Location& location, Clock::time_point deadline) {
  std::string url = location.url;
  for (unsigned hops = 0; hops <= kMaxRedirects; ++hops) {
    net::ClientAnswer answer = TRY(get(url, deadline));
    if (is_redirect(answer.status)) {
      auto target = find_target(answer, url);
      if (!target) break;
      url = std::move(*target);
      continue;
    }
    const std::string host = shown(*find_origin(url));
    if (answer.status != 200) {
      // 401 and 403 are ours to settle, and to the asker the file is not there.
      base::log::info("sources: {} answered {}", host, answer.status);
      return Error{answer.status < 500 ? Fault::not_found : Fault::unavailable,
                   "the source server " + host + " answered " + std::to_string(answer.status)};
    }
    if (location.packing == srcsrv::Packing::base64) {
      auto plain = from_base64(answer.body);
      if (!plain) return Error{Fault::malformed, "the source server " + host + " sent no base64"};
      answer.body = std::move(*plain);
    }
    if (answer.body.size() > options_.file_size_max) {
      return Error{Fault::too_large, "the source file is larger than the limit sources.file_size"};
    }
    return std::move(answer.body);
  }
  return Error{Fault::not_found, "the source server redirects without end or to nowhere"};
}

std::optional<Error> Web::find_failure(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto failed = failures_.find(name);
  if (failed == failures_.end() || failed->second.until <= Clock::now()) return std::nullopt;
  return failed->second.error;
}

void Web::note_failure(const std::string& name, const Error& error) {
  const std::lock_guard lock(mutex_);
  if (failures_.size() >= kMaxFailures) failures_.clear();
  failures_[name] = {error, Clock::now() + base::policy_of(error.fault).remember};
}

Result<std::string> Web::fetch(const srcsrv::Location& location, Clock::time_point deadline) {
  const std::string name = name_of_key(location.url);
  return fetch_once(location.url, deadline, [&]() -> Result<std::string> {
    if (auto failure = find_failure(name)) return std::move(*failure);
    auto bytes = download(location, deadline);
    if (bytes.ok()) {
      keep(location.url, *bytes);
    } else if (Clock::now() < deadline) {
      note_failure(name, bytes.error());
    }
    return bytes;
  });
}

Result<std::string> Web::fetch_once(const std::string& key, Clock::time_point deadline,
                                    const Download& download) {
  const std::string name = name_of_key(key);
  {
    std::unique_lock lock(mutex_);
    if (!landed_.wait_until(lock, deadline, [&] { return !flights_.contains(name); })) {
      return Error{Fault::timed_out, "the source server has not answered yet"};
    }
    flights_.insert(name);
  }
  auto cached = find_cached(name);
  Result<std::string> bytes = cached ? Result<std::string>(std::move(*cached)) : download();
  const std::lock_guard lock(mutex_);
  flights_.erase(name);
  landed_.notify_all();
  return bytes;
}

}  // namespace sources
