// What we have and how it is called: files by content hash, the keys that name them, and who
// brought them.
// Not the bytes (store/blobs.h) and not a cache (supply): every call asks the database.
// A file's row is committed only after its blob is durable, so a row always has its blob; when
// commit() has returned, the listeners have been told which keys it brought.
// Any thread may call; calls block, so never from a network loop.
// Fails with unavailable (database) or internal.
// Format: docs/formats/data-directory.md
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/sha256.h"
#include "db/database.h"
#include "ident/scope.h"
#include "ident/symbol_key.h"
#include "store/default_quota.h"

namespace store {

struct FileRecord {
  std::int64_t id = 0;  // rises with time; 0 until committed
  base::Sha256 sha256;
  std::uint64_t size = 0;
  std::string format;        // "elf", "breakpad", "pdb", …; "" when we cannot read it
  std::string name;          // base name as it was brought
  std::string os;            // "Linux", …; "" when not known
  std::string arch;          // "x86_64", …; "" when not known
  std::string debug_id;      // as Breakpad prints it; "" when there is none
  std::string code_id;       // lower-case hex; "" when there is none
  bool has_debug = false;    // line or function information
  bool has_symbols = false;  // a symbol table
  bool has_code = false;     // the instructions
  base::Time added_at;
};

// Debug information > symbol table > stripped; of ties the one that was known first serves, always.
bool is_fuller(const FileRecord& a, const FileRecord& b);

struct KeyRecord {
  ident::SymbolKey key;
  bool verified = false;  // the bytes themselves say so
  bool is_try = false;    // of a try build: found only where Scope::include_try says so
};

struct NewFile {
  FileRecord file;
  std::vector<KeyRecord> keys;
  std::string path;    // as the uploader called it
  std::string member;  // "/usr/bin/x" of an uploaded package; "": it came by itself
  ident::Scope scope;  // commit() fills it in for listeners: where the file can be found
  bool path_is_verified() const;
  // Its .sym and index are made before anybody asks. Not of watched files: there may be millions.
  bool convert_ahead = true;
};

// Every debug id under which these files are found, as Breakpad prints it: a fat file has one for
// each slice, an image those of all its PDBs.
std::vector<std::string> debug_ids_of(const std::vector<NewFile>& files);

struct Upload {
  std::int64_t id = 0;
  base::Time created_at;
  std::string peer;
  std::string way;        // "put", "zip", "sentry" …
  std::string file_name;  // of the archive, or of the one file
  std::uint64_t size = 0;

  std::string project;                     // whose the files become; "" is the default project
  bool is_try = false;                     // of a try build: found under /try/ only, until
  base::Time expires_at;                   // … then; REQUIRES: not 0 for a try build
  std::int64_t token = 0;                  // that was shown; 0: none
  std::string user;                        // its label
  std::string download_url;                // where the archive was fetched from
  std::vector<std::string> redirect_urls;  // on the way there
  std::vector<std::string> ignored;        // members that nobody wants
};

struct Found {
  FileRecord file;
  KeyRecord key;
};

struct Counts {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t keys = 0;
};

class Catalog {
 public:
  static const std::vector<db::Migration>& migrations();  // numbers 100 to 199

  explicit Catalog(db::Database& database) : database_(database) {}
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  struct Committed {
    std::int64_t upload_id = 0;
    std::vector<bool> was_known;  // for each file: its content was here before, in this scope
  };
  // All of them or none. What is here already gets the keys that it had not, and its row what is
  // known better now. With an id, the files are added to that upload if it is there and for the
  // same scope. `also` writes further rows of the upload in the same transaction, which may be
  // tried again. REQUIRES: each file's blob is durable.
  using AlsoWrite = std::function<base::Result<void>(db::Session&, std::int64_t upload_id)>;
  base::Result<Committed> commit(const Upload& upload, const std::vector<NewFile>& files,
                                 const AlsoWrite& also = nullptr);
  // An upload whose files come one by one, or need not come: its id. `skipped` are here: each is
  // recorded with its path, while its row and its keys stay as they are; but a try build's keys
  // live on until upload.expires_at.
  base::Result<std::int64_t> begin_upload(const Upload& upload,
                                          const std::vector<NewFile>& skipped);

  // What the default project may keep; 0: as much as there is room for. Before anybody uploads.
  void limit_default_project(std::uint64_t bytes) { default_quota_.set(bytes); }
  // Whether these files may come to what a project keeps, and to what is kept of a token
  // (store/quota.h): before they are put.
  base::Result<void> check_quota(const std::string& project, const std::vector<FileRecord>& files,
                                 std::int64_t token = 0);

  // More keys in that scope for a file that is here: `added.file` is its row as find() gave it.
  base::Result<void> add_keys(const NewFile& added, const ident::Scope& scope = {});

  // For each key what it names in that scope: what is no try build first, then verified, the
  // fullest, the oldest. The key's name is compared only where the id alone is not unique.
  base::Result<std::vector<std::vector<Found>>> find(const std::vector<ident::SymbolKey>& keys,
                                                     const ident::Scope& scope = {});

  // Takes away the keys of try builds whose time has come, and the files that have no other.
  // Returns the contents whose rows went: their blobs are nobody's now.
  base::Result<std::vector<base::Sha256>> expire_try(base::Time now);
  base::Result<bool> has(const base::Sha256& file);

  // Those that a key of the scope names, the newest first.
  base::Result<std::vector<FileRecord>> list_files(std::uint64_t limit, std::uint64_t offset = 0,
                                                   const ident::Scope& scope = {});
  base::Result<Counts> count();
  // Calls `sink` with the hash of every file, with kind and id of every key; in portions, since
  // there may be millions.
  base::Result<void> list_hashes(const std::function<void(const base::Sha256&)>& sink);
  base::Result<void> list_ids(
      const std::function<void(ident::KeyKind kind, std::string_view id)>& sink);
  base::Result<void> check_alive();  // one short question to the database

  // Called after each commit, on the committing thread, before commit() returns.
  using Listener = std::function<void(const std::vector<NewFile>&)>;
  void add_listener(Listener listener);
  // For other rooms of the store that change keys: tells the listeners as a commit would.
  void announce(const std::vector<NewFile>& files);
  // The same after rows were taken away, with the ids that no longer find what they found.
  using RemovalListener = std::function<void(const std::vector<std::string>& ids)>;
  void add_removal_listener(RemovalListener listener);

  // For store/containers.h, which brings files that nobody uploads. Inside its transaction: the
  // rows of the files in a project, and the taking away of those of `files` that no container of
  // their project has any more and nobody else keeps (store/ownership.h). A purged content gets no
  // row: its id is 0. Afterwards: telling the
  // listeners.
  using OwnedFiles = std::set<std::pair<std::string, std::int64_t>>;  // by project
  base::Result<std::vector<std::int64_t>> keep(db::Session& session,
                                               const std::vector<NewFile>& files,
                                               const std::string& project);
  base::Result<void> drop_unowned(db::Session& session, const OwnedFiles& files,
                                  std::vector<base::Sha256>& contents,
                                  std::vector<std::string>& ids);
  void announce_removed(const std::vector<std::string>& ids);

 private:
  db::Database& database_;
  DefaultQuota default_quota_;
  std::mutex mutex_;
  std::vector<Listener> listeners_;                 // guarded by mutex_
  std::vector<RemovalListener> removal_listeners_;  // guarded by mutex_
};

}  // namespace store
