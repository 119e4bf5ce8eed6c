// Who may do what: projects, and the tokens that give rights in them.
// Not the question itself (api/rights.h reads a request's headers and asks here).
// A token is 32 random hex digits, shown once; the database keeps its SHA-256. Everything is also
// held in memory: find_*(), *_list() and note_use() never touch the database, so network loops may
// call them. reload() reads what other processes changed. Any thread may call; all others block.
// Changes are recorded in the audit log, in the transaction that makes them.
// Fails with malformed (a name, a set of rights), not_found, unavailable or internal.
// Format: docs/formats/data-directory.md
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "db/database.h"
#include "store/token_uses.h"

namespace store {

enum class Right : std::uint8_t { upload, upload_try, read, view_uploads, admin };
std::string_view name_of(Right right);

// A set of rights. Nobody holds `upload` and `upload_try` in one token: which of them an upload
// is would not be known (Tecken's rule).
class Rights {
 public:
  bool has(Right right) const { return (bits_ >> static_cast<unsigned>(right) & 1u) != 0; }
  void add(Right right) { bits_ |= 1u << static_cast<unsigned>(right); }
  bool empty() const { return bits_ == 0; }
  std::string text() const;  // "upload,read"
  // malformed: an unknown word, none at all, or both kinds of upload.
  static base::Result<Rights> parse(std::string_view text);

 private:
  unsigned bits_ = 0;
};

struct Project {
  std::string name;         // lower case
  bool strict = false;      // refuses files whose bytes do not say what their path says
  bool two_tier = false;    // index2.txt exists
  bool cabinets = true;     // foo.pd_ is made from foo.pdb
  std::uint64_t quota = 0;  // bytes that it may keep (store/quota.h); 0: as many as there is room
  base::Time created_at;
};

struct Token {
  std::int64_t id = 0;
  std::string label;
  Rights rights;
  std::string project;  // the only one it is good for; kEveryProject for all
  base::Time created_at;
  base::Time expires_at;    // 0: never
  base::Time revoked_at;    // 0: it is good
  base::Time used_at;       // the last time; 0: never, as far as we know
  std::uint64_t quota = 0;  // bytes that are kept of what it brings (store/quota.h); 0: no limit
  bool is_expired(base::Time now) const { return expires_at.us != 0 && expires_at <= now; }
};
constexpr std::string_view kEveryProject = "*";

// Who changes something, for the audit log.
struct Actor {
  std::string name;  // a token's label, "admin", "command line"
  std::string peer;  // "" for the command line
};

struct AuditEntry {
  base::Time at;
  std::string actor, peer, action, detail;
};

class Access {
 public:
  explicit Access(db::Database& database) : database_(database) {}
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;

  base::Result<void> reload();

  // A project by its name in any case; "" is the default project and always there.
  std::optional<Project> find_project(std::string_view name) const;
  // Revoked tokens are not found; expired ones are.
  std::optional<Token> find_token(std::string_view secret) const;
  // Whether a token that may upload was ever made: from then on nobody uploads without one.
  bool has_upload_tokens() const;
  std::vector<Project> project_list() const;  // without the default one
  std::vector<Token> token_list() const;      // the revoked too

  // Makes it or changes it.
  base::Result<Project> keep_project(Project project, const Actor& actor);

  struct NewToken {
    Token token;
    std::string secret;
  };
  // Takes label, rights, project, expires_at and quota of `wanted`. not_found: no such project.
  base::Result<NewToken> create_token(Token wanted, const Actor& actor);
  base::Result<void> revoke_token(std::int64_t id, const Actor& actor);
  // Gives a token that was not revoked another end; one that has expired is good again.
  base::Result<Token> extend_token(std::int64_t id, base::Time expires_at, const Actor& actor);
  // How much may be kept of what a token brings that was not revoked; 0: no limit.
  base::Result<Token> limit_token(std::int64_t id, std::uint64_t quota, const Actor& actor);

  // Somebody was let in with it. Kept by save_uses(): whoever calls that now and then bounds how
  // often a token's row is written, and how much is forgotten when we die.
  void note_use(std::int64_t token, base::Time at = base::now()) { uses_.note(token, at); }
  base::Result<void> save_uses() { return uses_.save(database_); }

  // For what is no change of ours, such as a source file that was read.
  base::Result<void> note(const Actor& actor, std::string_view action, const std::string& detail);
  base::Result<std::vector<AuditEntry>> audit_log(std::uint64_t limit);  // the newest first

 private:
  struct Known {
    std::map<std::string, Project, std::less<>> projects;  // by name
    std::map<std::string, Token, std::less<>> tokens;      // by the secret's hash
  };
  std::shared_ptr<const Known> known() const;
  base::Result<Token> token_after(std::int64_t id);  // a change of it

  db::Database& database_;
  TokenUses uses_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Known> known_ = std::make_shared<Known>();  // guarded by mutex_
};

}  // namespace store
