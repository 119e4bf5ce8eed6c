#include "store/audit_rows.h"

#include "base/clock.h"

namespace store {

base::Result<void> record_audit(db::Session& session, const Actor& actor, std::string_view action,
                                const std::string& detail) {
  TRY(session.execute(
      "INSERT INTO audit (created_at, actor, peer, action, detail) VALUES (?, ?, ?, ?, ?)",
      {base::now().us, actor.name, actor.peer, std::string(action), detail}));
  return {};
}

}  // namespace store
