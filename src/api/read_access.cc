#include "api/read_access.h"

#include <algorithm>

#include "api/clients.h"
#include "ident/scope.h"

namespace api {
namespace {

// The same time for every wrong token of a length.
bool equal_secrets(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    difference |= static_cast<unsigned>(a[i] ^ b[i]);
  }
  return difference == 0;
}

std::optional<Reader> reader_of(const Admission& admission) {
  const auto* who = std::get_if<Who>(&admission);
  if (who == nullptr) return std::nullopt;
  return Reader{who->name};
}

}  // namespace

std::optional<Reader> find_source_reader(const net::Request& request, const Gate& gate,
                                         std::string_view token) {
  const auto scoped = ident::split_scope(request.path);
  if (!scoped) return std::nullopt;
  if (!scoped->scope.project.empty()) return reader_of(gate.admit_read(request));
  if (token.empty() || is_local(request)) return Reader{};
  if (equal_secrets(token_of(request), token)) return Reader{"sources.token"};
  return reader_of(gate.admit(request, store::Right::read, ""));
}

std::optional<net::Answer> refuse_reader(const net::Request& request, const Gate& gate) {
  const Admission admission = gate.admit_read(request);
  const auto* denial = std::get_if<Denial>(&admission);
  if (denial == nullptr) return std::nullopt;
  if (denial->why == Denial::Why::no_project) {
    return answer_miss(request, {base::Fault::not_found, denial->what}, "");
  }
  return answer_denied(request, denial->why != Denial::Why::no_token, denial->what);
}

ident::Scope scope_of(const net::Request& request) {
  const auto scoped = ident::split_scope(request.path);
  return scoped ? scoped->scope : ident::Scope{};
}

std::optional<net::Answer> refuse_scope(
    const net::Request& request,
    const std::function<std::optional<net::Answer>(const net::Request&)>& allows,
    ident::Scope& scope) {
  scope = {};
  if (request.path_parameter("project").empty()) return std::nullopt;
  const auto scoped = ident::split_scope(request.path);
  if (!scoped || scoped->scope.project.empty() || !allows) {
    return answer_miss(request, {base::Fault::not_found, "there is no such project"}, "");
  }
  scope = scoped->scope;
  return allows(request);
}

}  // namespace api
