// Tokens as Tecken's page asks for them and changes them:
//   GET /api/tokens/?state=            the good ones; "expired", "all"
//   POST /api/tokens/                  form: permissions (numbers), expires (days), notes
//   POST /api/tokens/token/ID/extend   form: days
//   DELETE /api/tokens/token/ID
// Needs the right `admin`, of a token for everything, as our own routes do (admin.h): tokens
// belong to nobody here. Format: docs/protocols/upload-tecken.md
#include <algorithm>
#include <map>
#include <string>

#include "api/admin_route.h"
#include "api/tecken_words.h"
#include "api/upload_common.h"
#include "base/text.h"
#include "net/multipart.h"
#include "net/percent.h"
#include "store/access_json.h"

namespace api {

using base::Error;
using base::Fault;
using base::JsonWriter;
using base::Result;
using net::Answer;
using net::Request;
using store::Access;
using store::Actor;
using store::Token;

namespace {

constexpr std::int64_t kDayUs = 86'400'000'000;
constexpr std::uint64_t kDaysUsual = 365, kDaysMax = 36'500;

using Form = std::map<std::string, std::string, std::less<>>;

// Scripts send the one kind of form, pages the other.
Form form_of(const Request& request) {
  Form form;
  if (const auto parts = net::parse_multipart(request); parts.ok()) {
    for (const net::Part& part : *parts) form[part.name] = base::text_of(part.body);
    return form;
  }
  for (auto& [name, value] : net::parse_form(request.body)) form[name] = std::move(value);
  return form;
}

std::string_view value_of(const Form& form, std::string_view name) {
  const auto found = form.find(name);
  return found == form.end() ? std::string_view() : base::trim(found->second);
}

void write_permission(JsonWriter& out, Permission permission) {
  out.begin_object().key("id").integer(id_of(permission));
  out.key("name").string(name_of(permission)).end_object();
}

void write_token(JsonWriter& out, const Token& token, base::Time now) {
  out.begin_object().key("id").integer(token.id).key("expires_at");
  if (token.expires_at.us == 0) {
    out.null();
  } else {
    out.string(base::iso8601(token.expires_at));
  }
  // The secret is shown once, when it is made.
  out.key("is_expired").boolean(token.is_expired(now)).key("key").null();
  out.key("permissions").begin_array();
  for (const Permission permission : kPermissions) {
    if (token.rights.has(right_of(permission))) write_permission(out, permission);
  }
  out.end_array().key("notes").string(token.label).key("project").string(token.project);
  out.key("created_at").string(base::iso8601(token.created_at)).end_object();
}

Answer list_tokens(const Access& access, const Request& request) {
  const std::string state = request.query_value("state").value_or("");
  if (!state.empty() && state != "all" && state != "expired") {
    return bad_parameter("state", "state is all or expired");
  }
  std::vector<Token> tokens = access.token_list();
  std::erase_if(tokens, [](const Token& token) { return token.revoked_at.us != 0; });
  const base::Time now = base::now();
  const auto expired = std::count_if(tokens.begin(), tokens.end(),
                                     [&](const Token& token) { return token.is_expired(now); });
  const auto all = static_cast<std::int64_t>(tokens.size());
  if (state != "all") {
    std::erase_if(
        tokens, [&](const Token& token) { return token.is_expired(now) != (state == "expired"); });
  }
  std::sort(tokens.begin(), tokens.end(),
            [](const Token& a, const Token& b) { return a.id > b.id; });
  JsonWriter out;
  out.begin_object().key("tokens").begin_array();
  for (const Token& token : tokens) write_token(out, token, now);
  out.end_array().key("permissions").begin_array();
  for (const Permission permission : kPermissions) write_permission(out, permission);
  out.end_array().key("totals").begin_object().key("all").integer(all);
  out.key("active").integer(all - expired).key("expired").integer(expired);
  out.end_object().end_object();
  return Answer::json(200, out.take());
}

// Numbers with commas between; malformed names the form's field.
Result<std::string> rights_of(std::string_view permissions) {
  std::string rights;
  for (const std::string_view id : base::split(permissions, ',')) {
    const auto permission = find_permission(id);
    if (!permission) return Error{Fault::malformed, "there is no permission " + std::string(id)};
    rights.append(rights.empty() ? "" : ",").append(store::name_of(right_of(*permission)));
  }
  return rights;
}

Answer create_token(Access& access, const Request& request, const Actor& actor) {
  const Form form = form_of(request);
  const auto rights = rights_of(value_of(form, "permissions"));
  if (!rights.ok()) return bad_parameter("permissions", base::to_valid_utf8(rights.error().what));
  const auto days = base::parse_decimal(value_of(form, "expires"));
  if (!days || *days > kDaysMax) return bad_parameter("expires", "expected a number of days");
  const std::string_view project = value_of(form, "project");
  const std::string_view notes = value_of(form, "notes");
  auto wanted =
      store::token_wanted(base::to_valid_utf8(notes.empty() ? "made by Tecken's form" : notes),
                          *rights, std::string(project.empty() ? store::kEveryProject : project),
                          static_cast<std::int64_t>(*days));
  if (!wanted.ok()) return bad_parameter("permissions", wanted.error().what);
  const auto made = access.create_token(std::move(*wanted), actor);
  if (!made.ok()) {
    return made.error().fault == Fault::malformed ? bad_parameter("notes", made.error().what)
                                                  : admin_failed(made.error());
  }
  JsonWriter out;
  out.begin_object().key("ok").boolean(true).key("id").integer(made->token.id);
  out.key("key").string(made->secret).end_object();
  return Answer::json(201, out.take());
}

std::optional<Token> find_token(const Access& access, const Request& request) {
  const auto id = base::parse_decimal(request.path_parameter("id"));
  for (Token& token : access.token_list()) {
    if (id && token.id == static_cast<std::int64_t>(*id) && token.revoked_at.us == 0) {
      return std::move(token);
    }
  }
  return std::nullopt;
}

Answer delete_token(Access& access, const Request& request, const Actor& actor) {
  const auto token = find_token(access, request);
  if (!token) return json_error(404, "there is no such token");
  const auto revoked = access.revoke_token(token->id, actor);
  return revoked.ok() ? Answer::json(200, R"({"ok":true})") : admin_failed(revoked.error());
}

// From its end on, as Tecken counts, and not from today; one without an end keeps having none.
Answer extend_token(Access& access, const Request& request, const Actor& actor) {
  const auto token = find_token(access, request);
  if (!token) return json_error(404, "there is no such token");
  const Form form = form_of(request);
  const std::string_view text = value_of(form, "days");
  const auto given = base::parse_decimal(text);
  if ((!text.empty() && !given) || given.value_or(0) > kDaysMax) {
    return bad_parameter("days", "expected a number of days");
  }
  const std::uint64_t days = given.value_or(0) == 0 ? kDaysUsual : *given;
  if (token->expires_at.us != 0) {
    const base::Time end{token->expires_at.us + static_cast<std::int64_t>(days) * kDayUs};
    const auto extended = access.extend_token(token->id, end, actor);
    if (!extended.ok()) return admin_failed(extended.error());
  }
  JsonWriter out;
  out.begin_object().key("ok").boolean(true).key("days").unsigned_integer(days).end_object();
  return Answer::json(200, out.take());
}

void add_refusal(net::Router& router, const char* pattern, std::string_view allow) {
  net::Route route;
  route.method = "GET";
  route.pattern = pattern;
  route.handler = [allow](Request& request) -> net::Reply { return wrong_method(request, allow); };
  router.add(std::move(route));
}

}  // namespace

void add_tecken_token_routes(net::Router& router, const Context& context) {
  const Gate& gate = context->rooms.gate;
  Access& access = context->rooms.access;
  add_admin_route(router, gate, "GET", "/api/tokens/", [&access](Request& request, const Actor&) {
    return list_tokens(access, request);
  });
  add_admin_route(router, gate, "POST", "/api/tokens/",
                  [&access](Request& request, const Actor& actor) {
                    return create_token(access, request, actor);
                  });
  add_admin_route(router, gate, "POST", "/api/tokens/token/{id}/extend",
                  [&access](Request& request, const Actor& actor) {
                    return extend_token(access, request, actor);
                  });
  add_admin_route(router, gate, "DELETE", "/api/tokens/token/{id}",
                  [&access](Request& request, const Actor& actor) {
                    return delete_token(access, request, actor);
                  });
  add_refusal(router, "/api/tokens/token/{id}", "DELETE");
  add_refusal(router, "/api/tokens/token/{id}/extend", "POST");
}

}  // namespace api
