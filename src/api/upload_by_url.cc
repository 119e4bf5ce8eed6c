#include "api/upload_by_url.h"

#include <algorithm>

#include "base/text.h"
#include "ingest/uploaded_package.h"
#include "net/address.h"
#include "net/client.h"
#include "net/percent.h"

namespace api {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr unsigned kRedirectsMax = 5;
constexpr std::chrono::minutes kFetchTimeMax{30};

bool is_listed(std::string_view host, std::string_view hosts) {
  for (const std::string_view part : base::split(hosts, ',')) {
    const std::string allowed = base::lower_ascii(base::trim(part));
    if (allowed.empty()) continue;
    if (host == allowed) return true;
    if (allowed.starts_with("*.") && host.ends_with(allowed.substr(1))) return true;
  }
  return false;
}

Result<void> check_archive_name(const std::string& name) {
  if (base::lower_ascii(name).ends_with(".zip") || ingest::is_package_name(name)) return {};
  const auto dot = name.rfind('.');
  return Error{Fault::malformed, "Unrecognized archive file extension \"" +
                                     (dot == std::string::npos ? "" : name.substr(dot)) + "\""};
}

// "https://h/a/b" and "/c" or "https://…": what a Location says.
std::string resolve(std::string_view base_url, std::string_view location) {
  if (location.find("://") != std::string_view::npos) return std::string(location);
  const auto path = base_url.find('/', 8);
  const std::string origin(base_url.substr(0, path));
  if (location.starts_with("//")) return "https:" + std::string(location);
  if (location.starts_with('/')) return origin + std::string(location);
  return origin + "/" + std::string(location);
}

// What libcurl takes as it is: it undoes "%", and maps what is not ASCII to what is.
bool is_plain_host(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  });
}

// Which other programs may end a host at, or leave out.
bool has_odd_bytes(std::string_view url) {
  return std::any_of(url.begin(), url.end(), [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || c == '\\';
  });
}

net::ClientOptions client_options(const Context& context) {
  net::ClientOptions options;
  options.redirects_max = 0;  // each step is looked at here
  options.size_max = context->options.body_size_max;
  options.total_timeout = kFetchTimeMax;
  options.accept_compressed = false;
  options.ca_bundle = context->options.url_ca_bundle;
  if (!context->options.url_private_hosts) options.may_connect = net::is_public_address;
  return options;
}

}  // namespace

std::string archive_name(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::string_view last = url.substr(url.rfind('/') + 1);
  return base::to_valid_utf8(net::percent_decode(last).value_or(std::string(last)));
}

Result<std::string> allowed_host(std::string_view url, std::string_view hosts) {
  constexpr std::string_view kScheme = "https://";
  if (!url.starts_with(kScheme)) return Error{Fault::malformed, "Insecure URL"};
  std::string_view host = url.substr(kScheme.size());
  host = host.substr(0, host.find_first_of("/?#"));
  // A name before an "@" is no host, but would look like one.
  const bool odd = host.find('@') != std::string_view::npos || has_odd_bytes(url);
  const std::string name = base::lower_ascii(host.substr(0, host.find(':')));
  if (odd || !is_plain_host(name) || !is_listed(name, hosts)) {
    return Error{Fault::denied,
                 "Not an allowed domain ('" + base::to_valid_utf8(name) + "') to download from."};
  }
  return name;
}

Result<void> check_hosts(std::string_view hosts) {
  for (const std::string_view part : base::split(hosts, ',')) {
    const std::string text = base::lower_ascii(base::trim(part));
    const std::string_view name = std::string_view(text).substr(text.starts_with("*.") ? 2 : 0);
    if (text.empty() || (!name.empty() && is_plain_host(name))) continue;
    return Error{Fault::malformed,
                 text +
                     ": expected names of hosts, such as example.com or *.example.com, with "
                     "commas between"};
  }
  return {};
}

Result<FetchedArchive> fetch_archive(const Context& context, const std::string& url) {
  net::Client client(client_options(context));
  std::string at = url;
  std::vector<std::string> redirects;
  const std::string name = archive_name(url);
  for (;;) {
    TRY(allowed_host(at, context->options.url_hosts));
    TRY(check_archive_name(name));
    FetchedArchive fetched{TRY(context->rooms.blobs.create()), name, redirects};
    net::ClientRequest request;
    request.url = at;
    request.progress = [&work = context->rooms.long_work](std::uint64_t, std::uint64_t) {
      return !work.is_stopping();  // asked about once a second, though nothing comes
    };
    const net::ClientAnswer answer = TRY(client.download(request, fetched.file));
    if (answer.status == 200) return fetched;
    const auto location = answer.headers.find("Location");
    if (answer.status < 300 || answer.status >= 400 || !location) {
      return Error{answer.status >= 500 ? Fault::unavailable : Fault::malformed,
                   "non-200 status code when retrieving " + base::to_valid_utf8(at)};
    }
    if (redirects.size() >= kRedirectsMax) {
      return Error{Fault::malformed, "Too many redirects trying to open " + url};
    }
    at = resolve(at, *location);
    redirects.push_back(base::to_valid_utf8(at));
  }
}

}  // namespace api
