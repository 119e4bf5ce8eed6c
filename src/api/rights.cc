#include "api/rights.h"

#include <algorithm>

#include "api/clients.h"
#include "base/base64.h"
#include "base/text.h"
#include "ident/scope.h"

namespace api {

using store::Right;
using store::Token;

namespace {

// Same length of time for every wrong secret of a length.
bool equal_secrets(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    difference |= static_cast<unsigned>(a[i] ^ b[i]);
  }
  return difference == 0;
}

std::string basic_password(std::string_view encoded) {
  const auto bytes = base::bytes_from_base64(encoded);
  if (!bytes) return "";
  const std::string_view text = base::text_of(*bytes);
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::string(text);
  const std::string_view password = text.substr(colon + 1);
  return std::string(password.empty() ? text.substr(0, colon) : password);
}

std::string authorization_token(std::string_view value) {
  const auto space = value.find(' ');
  if (space == std::string_view::npos) return "";
  const std::string_view scheme = value.substr(0, space);
  const std::string_view rest = base::trim(value.substr(space + 1));
  if (base::equal_ignoring_case(scheme, "Bearer")) return std::string(rest);
  if (base::equal_ignoring_case(scheme, "Basic")) return basic_password(rest);
  return "";
}

std::string text_of_project(const std::string& name) {
  return name.empty() ? "the default project" : "the project " + name;
}

}  // namespace

std::string token_of(const net::Request& request) {
  for (const std::string_view header : {"Auth-Token", "X-NuGet-ApiKey"}) {
    const std::string_view token = base::trim(request.header(header));
    if (!token.empty()) return std::string(token);
  }
  std::string token = authorization_token(request.header("Authorization"));
  if (!token.empty()) return token;
  const auto scoped = ident::split_scope(request.path);
  return scoped ? std::string(scoped->token) : "";
}

bool Gate::is_open_to_local() const {
  return options_.upload_token.empty() && !access_.has_upload_tokens();
}

bool Gate::is_admin_key(std::string_view secret) const {
  return !options_.admin_key.empty() && equal_secrets(secret, options_.admin_key);
}

bool Gate::shows_admin_key(const net::Request& request) const {
  return is_admin_key(token_of(request));
}

Admission Gate::who_is(const Token& token, const std::optional<std::string>& project) const {
  const bool everywhere = token.project == store::kEveryProject;
  // Without a project in the path a token's uploads go to its own.
  const std::string wanted = project && !project->empty() ? base::lower_ascii(*project)
                             : everywhere                 ? ""
                                                          : token.project;
  auto found = access_.find_project(wanted);
  if (!found) return Denial{Denial::Why::no_project, "there is no project " + wanted};
  if (!everywhere && token.project != wanted) {
    return Denial{Denial::Why::lacks_right, "this token is for " + text_of_project(token.project)};
  }
  Who who;
  who.name = token.label;
  who.token = token.id;
  who.project = std::move(*found);
  who.only_try = token.rights.has(Right::upload_try);
  if (token.id != 0) access_.note_use(token.id);
  return who;
}

Admission Gate::admit_any(const net::Request& request, std::initializer_list<Right> rights,
                          const std::optional<std::string>& project, std::string secret) const {
  if (secret.empty()) secret = token_of(request);
  const bool uploads = *rights.begin() == Right::upload;
  const auto as_local = [&]() -> std::optional<Admission> {
    if (!uploads || !is_open_to_local() || !is_local(request)) return std::nullopt;
    Token local;
    local.project = store::kEveryProject;
    return who_is(local, project);
  };
  if (secret.empty()) {
    if (auto local = as_local()) return *local;
    return Denial{Denial::Why::no_token, "this needs a token"};
  }
  const auto dash = secret.find('-');
  const bool may_be_uploader =
      std::find(rights.begin(), rights.end(), Right::upload) != rights.end();
  if (!options_.upload_token.empty() && may_be_uploader) {
    const std::string& good = options_.upload_token;
    const bool labelled = secret.size() > good.size() && secret[good.size()] == '-';
    if (equal_secrets(labelled ? secret.substr(0, good.size()) : secret, good)) {
      Token configured;
      configured.label = "configuration";
      configured.project = store::kEveryProject;
      return who_is(configured, project);
    }
  }
  if (is_admin_key(secret)) {
    Token admin;
    admin.label = "command line";
    admin.project = store::kEveryProject;
    return who_is(admin, project);
  }
  const auto token = access_.find_token(secret.substr(0, dash));
  if (!token) {
    // Clients that must have a token show any where none is asked for.
    if (auto local = as_local()) return *local;
    return Denial{Denial::Why::unknown_token, "no such token"};
  }
  if (token->is_expired(base::now())) return Denial{Denial::Why::expired, "the token has expired"};
  const bool allowed = std::any_of(rights.begin(), rights.end(),
                                   [&](Right right) { return token->rights.has(right); });
  if (!allowed) return Denial{Denial::Why::lacks_right, "this token lacks the right to do that"};
  return who_is(*token, project);
}

Admission Gate::admit_upload(const net::Request& request, const std::optional<std::string>& project,
                             std::string_view secret) const {
  return admit_any(request, {Right::upload, Right::upload_try}, project, std::string(secret));
}

Admission Gate::admit(const net::Request& request, Right right,
                      const std::optional<std::string>& project) const {
  if (right == Right::admin || right == Right::upload) {
    return admit_any(request, {right}, project, "");
  }
  return admit_any(request, {right, Right::admin}, project, "");
}

bool Gate::is_open(std::string_view project) const {
  const auto& open = options_.open_projects;
  return project.empty() || std::find(open.begin(), open.end(), project) != open.end();
}

Admission Gate::admit_read(const net::Request& request) const {
  const auto scoped = ident::split_scope(request.path);
  if (!scoped || scoped->scope.project.empty()) return Who{};
  const std::string& project = scoped->scope.project;
  const auto found = access_.find_project(project);
  if (!found) return Denial{Denial::Why::no_project, "there is no project " + project};
  if (is_local(request) || is_open(project)) {
    Who anybody;
    anybody.project = *found;
    return anybody;
  }
  return admit_any(request, {Right::read, Right::upload, Right::upload_try, Right::admin}, project,
                   "");
}

}  // namespace api
