#include "cli/server_of_directory.h"

#include "store/data_directory.h"

namespace cli {

namespace {

// As net/listener.h takes them, and as it tells them.
std::string_view reachable(std::string_view host) {
  if (host.empty() || host == "*" || host == "0.0.0.0") return "127.0.0.1";
  if (host == "::" || host == "[::]") return "[::1]";
  return host;
}

}  // namespace

std::string url_of_holder(std::string_view holder) {
  const std::string_view address = holder.substr(0, holder.find(' '));
  const auto colon = address.rfind(':');
  if (colon == std::string_view::npos) return "";
  std::string url = "http://";
  return url.append(reachable(address.substr(0, colon))).append(address.substr(colon));
}

base::Result<std::string> url_of_server(const std::string& data_directory, base::Error refused) {
  std::string url = url_of_holder(store::holder_of(data_directory));
  if (refused.fault != base::Fault::unavailable || url.empty()) return refused;
  return url;
}

}  // namespace cli
