#include "store/access.h"

#include <algorithm>
#include <array>

#include "base/random.h"
#include "base/sha256.h"
#include "base/text.h"
#include "ident/scope.h"
#include "store/audit_rows.h"

namespace store {

using base::Error;
using base::Fault;
using base::Result;
using db::Row;
using db::Rows;
using db::Session;

namespace {

constexpr std::array<std::string_view, 5> kRightNames{"upload", "upload-try", "read",
                                                      "view-uploads", "admin"};
constexpr std::size_t kLabelSizeMax = 200;

std::string hash_of(std::string_view secret) {
  return base::sha256_of(base::bytes_of(secret)).hex();
}

std::int64_t flag(bool value) { return value ? 1 : 0; }

Project project_of(const Row& row) {
  Project project;
  project.name = row.text(0);
  project.strict = row.integer(1) != 0;
  project.two_tier = row.integer(2) != 0;
  project.cabinets = row.integer(3) != 0;
  project.created_at = {row.integer(4)};
  project.quota = static_cast<std::uint64_t>(row.integer(5));
  return project;
}

Result<Token> token_of(const Row& row) {
  Token token;
  token.id = row.integer(0);
  token.label = row.text(2);
  token.rights = TRY(Rights::parse(row.text(3)));
  token.project = row.text(4);
  token.created_at = {row.integer(5)};
  token.expires_at = {row.integer(6)};
  token.revoked_at = {row.integer(7)};
  token.used_at = {row.integer(8)};
  token.quota = static_cast<std::uint64_t>(row.integer(9));
  return token;
}

Result<void> check_label(const std::string& label) {
  const bool plain = base::is_utf8(label) && std::none_of(label.begin(), label.end(), [](char c) {
                       return static_cast<unsigned char>(c) < ' ';
                     });
  if (!plain || label.empty() || label.size() > kLabelSizeMax) {
    return Error{Fault::malformed, "a token needs a label of at most 200 printable characters"};
  }
  return {};
}

Result<void> check_quota_size(std::uint64_t quota) {
  if (quota > INT64_MAX) return Error{Fault::malformed, "a quota is at most 8 EiB"};
  return {};
}

// For the audit log.
std::string quota_text(std::uint64_t quota) {
  return quota == 0 ? "" : " quota " + std::to_string(quota);
}

Error no_such_token(std::int64_t id) {
  return {Fault::not_found, "there is no good token " + std::to_string(id)};
}

std::string new_secret() {
  std::array<std::uint8_t, 16> bytes{};
  base::fill_random(bytes);
  return base::hex_of(bytes);
}

}  // namespace

std::string_view name_of(Right right) { return kRightNames[static_cast<std::size_t>(right)]; }

std::string Rights::text() const {
  std::string text;
  for (std::size_t i = 0; i < kRightNames.size(); ++i) {
    if (!has(static_cast<Right>(i))) continue;
    if (!text.empty()) text += ',';
    text += kRightNames[i];
  }
  return text;
}

Result<Rights> Rights::parse(std::string_view text) {
  Rights rights;
  for (const std::string_view part : base::split(text, ',')) {
    const std::string_view word = base::trim(part);
    if (word.empty()) continue;
    const auto* const found = std::find(kRightNames.begin(), kRightNames.end(), word);
    if (found == kRightNames.end()) {
      return Error{Fault::malformed, base::to_valid_utf8(word) +
                                         " is no right; there are upload, upload-try, read, "
                                         "view-uploads and admin"};
    }
    rights.add(static_cast<Right>(found - kRightNames.begin()));
  }
  if (rights.empty()) return Error{Fault::malformed, "a token needs at least one right"};
  if (rights.has(Right::upload) && rights.has(Right::upload_try)) {
    return Error{Fault::malformed,
                 "a token has one of upload and upload-try, since its uploads are of one kind"};
  }
  return rights;
}

std::shared_ptr<const Access::Known> Access::known() const {
  const std::lock_guard lock(mutex_);
  return known_;
}

Result<void> Access::reload() {
  auto fresh = std::make_shared<Known>();
  TRY(database_.read([&](Session& session) -> Result<void> {
    *fresh = {};
    const Rows projects = TRY(
        session.query("SELECT name, strict, two_tier, cabinets, created_at, quota FROM project"));
    for (const Row& row : projects) fresh->projects[row.text(0)] = project_of(row);
    const Rows tokens =
        TRY(session.query("SELECT id, hash, label, rights, project, created_at, expires_at, "
                          "revoked_at, used_at, quota FROM token ORDER BY id"));
    for (const Row& row : tokens) {
      Token token = TRY(token_of(row));
      fresh->tokens[row.text(1)] = std::move(token);
    }
    return {};
  }));
  const std::lock_guard lock(mutex_);
  known_ = std::move(fresh);
  return {};
}

std::optional<Project> Access::find_project(std::string_view name) const {
  if (name.empty()) return Project{};
  const auto all = known();
  const auto found = all->projects.find(base::lower_ascii(name));
  if (found == all->projects.end()) return std::nullopt;
  return found->second;
}

std::optional<Token> Access::find_token(std::string_view secret) const {
  const auto all = known();
  if (all->tokens.empty()) return std::nullopt;
  // By hash: how long the search takes says nothing about the secret.
  const auto found = all->tokens.find(hash_of(secret));
  if (found == all->tokens.end() || found->second.revoked_at.us != 0) return std::nullopt;
  return found->second;
}

bool Access::has_upload_tokens() const {
  const auto all = known();
  return std::any_of(all->tokens.begin(), all->tokens.end(), [](const auto& entry) {
    const Rights& rights = entry.second.rights;
    return rights.has(Right::upload) || rights.has(Right::upload_try);
  });
}

std::vector<Project> Access::project_list() const {
  std::vector<Project> list;
  const auto all = known();
  list.reserve(all->projects.size());
  for (const auto& [name, project] : all->projects) list.push_back(project);
  return list;
}

std::vector<Token> Access::token_list() const {
  std::vector<Token> list;
  const auto all = known();
  list.reserve(all->tokens.size());
  for (const auto& [hash, token] : all->tokens) {
    list.push_back(token);
    list.back().used_at = std::max(token.used_at, uses_.last(token.id));
  }
  std::sort(list.begin(), list.end(), [](const Token& a, const Token& b) { return a.id < b.id; });
  return list;
}

Result<Project> Access::keep_project(Project project, const Actor& actor) {
  project.name = base::lower_ascii(project.name);
  if (!ident::is_project_name(project.name)) {
    return Error{Fault::malformed,
                 "a project's name is up to 64 letters, digits, '-', '_' and '.', and does not "
                 "begin with a dot"};
  }
  TRY(check_quota_size(project.quota));
  if (project.created_at.us == 0) project.created_at = base::now();
  TRY(database_.write([&](Session& session) -> Result<void> {
    TRY(session.execute(
        "INSERT INTO project (name, strict, two_tier, cabinets, created_at, quota) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET strict = excluded.strict, "
        "two_tier = excluded.two_tier, cabinets = excluded.cabinets, quota = excluded.quota",
        {project.name, flag(project.strict), flag(project.two_tier), flag(project.cabinets),
         project.created_at.us, static_cast<std::int64_t>(project.quota)}));
    return record_audit(session, actor, "project",
                        project.name + (project.strict ? " strict" : "") +
                            (project.two_tier ? " two-tier" : "") +
                            (project.cabinets ? "" : " no-cabinets") + quota_text(project.quota));
  }));
  TRY(reload());
  return project;
}

Result<Access::NewToken> Access::create_token(Token wanted, const Actor& actor) {
  TRY(check_label(wanted.label));
  TRY(Rights::parse(wanted.rights.text()));
  TRY(check_quota_size(wanted.quota));
  wanted.project = base::lower_ascii(wanted.project);
  if (wanted.project != kEveryProject && !find_project(wanted.project)) {
    return Error{Fault::not_found, "there is no project " + base::to_valid_utf8(wanted.project)};
  }
  wanted.created_at = base::now();
  wanted.revoked_at = {};
  const std::string secret = new_secret();
  TRY(database_.write([&](Session& session) -> Result<void> {
    const Rows rows = TRY(session.query(
        "INSERT INTO token (hash, label, rights, project, created_at, expires_at, revoked_at, "
        "quota) VALUES (?, ?, ?, ?, ?, ?, 0, ?) RETURNING id",
        {hash_of(secret), wanted.label, wanted.rights.text(), wanted.project, wanted.created_at.us,
         wanted.expires_at.us, static_cast<std::int64_t>(wanted.quota)}));
    if (rows.empty()) return Error{Fault::internal, "INSERT INTO token returned no id"};
    wanted.id = rows.front().integer(0);
    return record_audit(session, actor, "token create",
                        std::to_string(wanted.id) + " " + wanted.label + " (" +
                            wanted.rights.text() + ") for " +
                            (wanted.project.empty() ? "the default project" : wanted.project) +
                            quota_text(wanted.quota));
  }));
  TRY(reload());
  return NewToken{std::move(wanted), secret};
}

Result<void> Access::revoke_token(std::int64_t id, const Actor& actor) {
  TRY(database_.write([&](Session& session) -> Result<void> {
    const std::int64_t changed = TRY(session.execute(
        "UPDATE token SET revoked_at = ? WHERE id = ? AND revoked_at = 0", {base::now().us, id}));
    if (changed == 0) return no_such_token(id);
    return record_audit(session, actor, "token revoke", std::to_string(id));
  }));
  return reload();
}

Result<Token> Access::token_after(std::int64_t id) {
  TRY(reload());
  for (Token& token : token_list()) {
    if (token.id == id) return std::move(token);
  }
  return no_such_token(id);
}

Result<Token> Access::extend_token(std::int64_t id, base::Time expires_at, const Actor& actor) {
  TRY(database_.write([&](Session& session) -> Result<void> {
    const std::int64_t changed = TRY(session.execute(
        "UPDATE token SET expires_at = ? WHERE id = ? AND revoked_at = 0", {expires_at.us, id}));
    if (changed == 0) return no_such_token(id);
    return record_audit(
        session, actor, "token extend",
        std::to_string(id) +
            (expires_at.us == 0 ? " for ever" : " to " + base::iso8601(expires_at)));
  }));
  return token_after(id);
}

Result<Token> Access::limit_token(std::int64_t id, std::uint64_t quota, const Actor& actor) {
  TRY(check_quota_size(quota));
  TRY(database_.write([&](Session& session) -> Result<void> {
    const std::int64_t changed =
        TRY(session.execute("UPDATE token SET quota = ? WHERE id = ? AND revoked_at = 0",
                            {static_cast<std::int64_t>(quota), id}));
    if (changed == 0) return no_such_token(id);
    return record_audit(session, actor, "token quota",
                        std::to_string(id) + (quota == 0 ? " none" : quota_text(quota)));
  }));
  return token_after(id);
}

Result<void> Access::note(const Actor& actor, std::string_view action, const std::string& detail) {
  return database_.write([&](Session& session) -> Result<void> {
    return record_audit(session, actor, action, detail);
  });
}

Result<std::vector<AuditEntry>> Access::audit_log(std::uint64_t limit) {
  std::vector<AuditEntry> entries;
  TRY(database_.read([&](Session& session) -> Result<void> {
    entries.clear();
    const Rows rows =
        TRY(session.query("SELECT created_at, actor, peer, action, detail FROM audit "
                          "ORDER BY id DESC LIMIT ?",
                          {static_cast<std::int64_t>(limit)}));
    for (const Row& row : rows) {
      entries.push_back({{row.integer(0)}, row.text(1), row.text(2), row.text(3), row.text(4)});
    }
    return {};
  }));
  return entries;
}

}  // namespace store
