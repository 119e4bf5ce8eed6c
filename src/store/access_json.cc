#include "store/access_json.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"

namespace store {

using base::Error;
using base::Fault;
using base::JsonValue;
using base::JsonWriter;
using base::Result;

namespace {

constexpr std::int64_t kMicrosecondsPerDay = 86'400'000'000;
constexpr std::int64_t kDaysUsual = 365, kDaysMax = 36'500;

void write_project(JsonWriter& out, const Project& project) {
  out.begin_object().key("name").string(project.name).key("strict").boolean(project.strict);
  out.key("two_tier").boolean(project.two_tier).key("cabinets").boolean(project.cabinets);
  out.key("quota").unsigned_integer(project.quota);
  out.key("created_at").string(base::iso8601(project.created_at)).end_object();
}

void write_time(JsonWriter& out, base::Time time) {
  if (time.us == 0) {
    out.null();
  } else {
    out.string(base::iso8601(time));
  }
}

void write_token(JsonWriter& out, const Token& token) {
  out.key("id").integer(token.id).key("label").string(token.label);
  out.key("rights").string(token.rights.text()).key("project").string(token.project);
  out.key("created_at").string(base::iso8601(token.created_at));
  out.key("expires_at");
  write_time(out, token.expires_at);
  out.key("revoked_at");
  write_time(out, token.revoked_at);
  out.key("used_at");
  write_time(out, token.used_at);
  out.key("quota").unsigned_integer(token.quota);
}

Result<JsonValue> object_of(std::string_view json) {
  auto parsed = JsonValue::parse(json);
  if (!parsed.ok() || parsed->object() == nullptr) {
    return Error{Fault::malformed, "the body is no JSON object"};
  }
  return parsed;
}

bool truth(const JsonValue& value) {
  const bool* given = value.boolean();
  return given != nullptr && *given;
}

// 0, when it says none.
Result<std::uint64_t> quota_in(const JsonValue& given) {
  const std::int64_t quota = given["quota"].integer_or(0);
  if (quota < 0) return Error{Fault::malformed, "a quota is a number of bytes"};
  return static_cast<std::uint64_t>(quota);
}

Result<std::int64_t> token_id(std::string_view id) {
  const auto number = base::parse_decimal(id);
  if (!number || *number > INT64_MAX) return Error{Fault::not_found, "there is no such token"};
  return static_cast<std::int64_t>(*number);
}

std::string json_of(const Token& token) {
  JsonWriter out;
  out.begin_object();
  write_token(out, token);
  out.end_object();
  return out.take();
}

}  // namespace

std::string projects_json(const Access& access) {
  JsonWriter out;
  out.begin_object().key("projects").begin_array();
  for (const Project& project : access.project_list()) write_project(out, project);
  out.end_array().end_object();
  return out.take();
}

std::string tokens_json(const Access& access) {
  JsonWriter out;
  out.begin_object().key("tokens").begin_array();
  for (const Token& token : access.token_list()) {
    out.begin_object();
    write_token(out, token);
    out.end_object();
  }
  out.end_array().end_object();
  return out.take();
}

Result<std::string> audit_json(Access& access, std::string_view query) {
  constexpr std::string_view kLimit = "limit=";
  constexpr std::uint64_t kEntries = 100, kEntriesMax = 1000;
  const auto at = query.find(kLimit);
  const auto limit = at == std::string_view::npos
                         ? std::nullopt
                         : base::parse_decimal(query.substr(at + kLimit.size()));
  const auto entries = TRY(access.audit_log(std::min(limit.value_or(kEntries), kEntriesMax)));
  JsonWriter out;
  out.begin_object().key("entries").begin_array();
  for (const AuditEntry& entry : entries) {
    out.begin_object().key("at").string(base::iso8601(entry.at));
    out.key("actor").string(entry.actor).key("peer").string(entry.peer);
    out.key("action").string(entry.action).key("detail").string(entry.detail).end_object();
  }
  out.end_array().end_object();
  return out.take();
}

Result<std::string> post_project(Access& access, std::string_view json, const Actor& actor) {
  const JsonValue given = TRY(object_of(json));
  Project wanted;
  wanted.name = given["name"].text_or("");
  wanted.strict = truth(given["strict"]);
  wanted.two_tier = truth(given["two_tier"]);
  const bool* cabinets = given["cabinets"].boolean();
  wanted.cabinets = cabinets == nullptr || *cabinets;
  wanted.quota = TRY(quota_in(given));
  const Project kept = TRY(access.keep_project(wanted, actor));
  JsonWriter out;
  write_project(out, kept);
  return out.take();
}

Result<base::Time> end_after(std::int64_t days) {
  if (days < 0 || days > kDaysMax) return Error{Fault::malformed, "days is from 0 to 36500"};
  return base::Time{days == 0 ? 0 : base::now().us + days * kMicrosecondsPerDay};
}

Result<Token> token_wanted(std::string label, std::string_view rights, std::string project,
                           std::int64_t days) {
  Token wanted;
  wanted.label = std::move(label);
  wanted.rights = TRY(Rights::parse(rights));
  wanted.project = std::move(project);
  wanted.expires_at = TRY(end_after(days));
  return wanted;
}

Result<std::string> post_token(Access& access, std::string_view json, const Actor& actor) {
  const JsonValue given = TRY(object_of(json));
  Token wanted = TRY(token_wanted(
      std::string(given["label"].text_or("")), given["rights"].text_or(""),
      std::string(given["project"].text_or(kEveryProject)), given["days"].integer_or(kDaysUsual)));
  wanted.quota = TRY(quota_in(given));
  const Access::NewToken made = TRY(access.create_token(std::move(wanted), actor));
  JsonWriter out;
  out.begin_object().key("token").string(made.secret);
  write_token(out, made.token);
  out.end_object();
  return out.take();
}

Result<std::string> post_extend(Access& access, std::string_view id, std::string_view json,
                                const Actor& actor) {
  const std::int64_t number = TRY(token_id(id));
  const JsonValue given = TRY(object_of(json));
  const base::Time end = TRY(end_after(given["days"].integer_or(kDaysUsual)));
  const Token token = TRY(access.extend_token(number, end, actor));
  return json_of(token);
}

Result<std::string> post_limit(Access& access, std::string_view id, std::string_view json,
                               const Actor& actor) {
  const std::int64_t number = TRY(token_id(id));
  const JsonValue given = TRY(object_of(json));
  const std::uint64_t quota = TRY(quota_in(given));
  const Token token = TRY(access.limit_token(number, quota, actor));
  return json_of(token);
}

}  // namespace store
