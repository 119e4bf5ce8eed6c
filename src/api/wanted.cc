#include "api/wanted.h"

#include <algorithm>

#include "api/clients.h"
#include "base/text.h"
#include "net/round_trips.h"

namespace api {
namespace {

constexpr std::size_t kChecksumsMax = 8;
constexpr std::size_t kSha256Digits = 64;
constexpr std::string_view kMsfzType = "application/msfz0";

bool is_sha256(std::string_view text) {
  return text.size() == kSha256Digits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

// Other algorithms are left out: what we cannot check is no reason to hide a file.
std::vector<std::string> checksums_of(std::string_view header) {
  std::vector<std::string> checksums;
  for (const std::string_view part : base::split(header, ';')) {
    const auto colon = part.find(':');
    if (colon == std::string_view::npos || checksums.size() == kChecksumsMax) continue;
    const std::string_view digits = base::trim(part.substr(colon + 1));
    if (!base::equal_ignoring_case(base::trim(part.substr(0, colon)), "SHA256")) continue;
    if (is_sha256(digits)) checksums.emplace_back(digits);
  }
  return checksums;
}

// "application/msfz0" with a weight that is not 0; wild cards do not mean it.
bool accepts_msfz(std::string_view accept) {
  if (accept.empty()) return false;
  for (const std::string_view part : base::split(accept, ',')) {
    const auto semicolon = part.find(';');
    if (!base::equal_ignoring_case(base::trim(part.substr(0, semicolon)), kMsfzType)) continue;
    const std::string_view rest =
        semicolon == std::string_view::npos ? "" : base::trim(part.substr(semicolon + 1));
    return rest != "q=0" && rest != "q=0.0";
  }
  return false;
}

}  // namespace

std::string spelling_of(const net::Request& request) {
  if (!request.query.empty() || !request.header("SymbolChecksum").empty()) return "";
  if (accepts_msfz(request.header("Accept"))) return "";
  const bool for_lldb = is_buildid_path(request.path) && client_of(request) == Client::lldb;
  // A path begins with a slash.
  return for_lldb ? "lldb:" + request.path : request.path;
}

bool is_whole_wish(std::string_view path, const ident::SymbolRequest& wanted) {
  const auto scoped = ident::split_scope(path);
  return scoped && scoped->rest.size() + 1 == path.size() && wanted.scope == ident::Scope() &&
         wanted.artifact != ident::Artifact::cabinet;
}

bool has_query_name(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.substr(0, pair.find('=')) == name) return true;
  }
  return false;
}

std::optional<ident::SymbolRequest> find_wanted(const net::Request& request, const Wishes& wishes) {
  auto wanted = ident::find_request(request.path);
  if (!wanted) return std::nullopt;
  if (wanted->artifact == ident::Artifact::cabinet && !wishes.cabinets) {
    wanted->artifact = ident::Artifact::stored;
    wanted->keys.resize(1);
  }
  if (has_query_name(request.query, "try")) wanted->scope.include_try = true;
  wanted->asked_by = request.header(net::kAskedBy);
  if (wanted->artifact == ident::Artifact::stored) {
    ident::demand_content(*wanted, checksums_of(request.header("SymbolChecksum")));
  }
  return wanted;
}

std::optional<ident::SymbolRequest> find_wanted_msfz(const net::Request& request,
                                                     const ident::SymbolRequest& wanted) {
  if (wanted.artifact != ident::Artifact::stored) return std::nullopt;
  if (!accepts_msfz(request.header("Accept"))) return std::nullopt;
  auto path = ident::find_store_path(request.path);
  if (!path || !base::lower_ascii(path->file).ends_with(".pdb")) return std::nullopt;
  path->is_msfz = true;
  ident::SymbolRequest packed = ident::request_of(*path, wanted.scope);
  packed.asked_by = wanted.asked_by;
  return packed;
}

}  // namespace api
