// The record of uploads: who brought what, for whom, what each file was and what was skipped.
// Read only: Catalog::commit() writes it. It also keeps files' other hashes (SHA-1, MD5), by
// which some protocols ask for a file.
// Any thread may call; calls block.
// Fails with not_found, unavailable (database) or internal.
// Format: docs/formats/data-directory.md
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "store/catalog.h"

namespace store {

struct UploadedFile {
  std::string path;  // as the uploader called it
  base::Sha256 sha256;
  bool was_known = false;
  bool verified = false;
  std::optional<FileRecord> file;  // nothing: it has been removed since
};

struct UploadRecord {
  Upload upload;
  base::Time completed_at;  // of the last file so far; 0: none is here yet
  std::vector<UploadedFile> files;
};

struct UploadFilter {
  std::optional<std::string> project;  // nothing: every project
  std::optional<std::int64_t> token;   // nothing: whoever
  std::int64_t before = 0;             // uploads with a smaller id; 0: from the newest on
  std::string user;                    // a part of the uploader's label, in any case; "": all
  bool is_not_user = false;            // …all the others
  base::Time from, until;              // of created_at, the end not with it; 0: no bound
  enum class Order : std::uint8_t { newest, oldest, largest, smallest };
  Order order = Order::newest;
  std::uint64_t offset = 0;
  std::uint64_t limit = 100;
};

struct UploadTotals {
  std::uint64_t uploads = 0, bytes = 0;
};

// A row of what an upload brought: `position` among its files.
struct BroughtFile {
  Upload upload;  // without what it ignored
  base::Time completed_at;
  std::int64_t position = 0;
  UploadedFile row;
};

struct BroughtFilter {
  std::optional<std::string> project;    // nothing: every project
  std::vector<std::string> parts;        // of the path, all of them, in any case
  std::optional<std::int64_t> upload;    // this one alone
  std::optional<std::int64_t> position;  // this one alone of each
  std::uint64_t offset = 0, limit = 100;
};

struct UploadSums {
  std::uint64_t files = 0;
  std::uint64_t known = 0;  // of these, that were here before
};

// A content that somebody may want to send, and where to.
struct AskedFile {
  std::string sha256;  // lower-case hex
  std::string path;    // NAME/ID/FILE; NAME of a file that names itself; "" under any name
};

class Uploads {
 public:
  explicit Uploads(db::Database& database) : database_(database) {}

  // For each its file, if it need not be sent: the scope has keys of that content that a GET of
  // the path (or, for a NAME, of the file under its own id) looks for, and it is kept there
  // (store/ownership.h) whatever becomes of watched directories.
  base::Result<std::vector<std::optional<FileRecord>>> find_known(
      const std::vector<AskedFile>& asked, const ident::Scope& scope = {});

  base::Result<UploadRecord> load(std::int64_t id);
  // Without their files, the newest first unless the filter says otherwise.
  base::Result<std::vector<UploadRecord>> list(const UploadFilter& filter);
  // Of all that a filter names, whatever its offset and limit.
  base::Result<UploadTotals> total(const UploadFilter& filter);
  // What uploads brought that was new, the newest first.
  base::Result<std::vector<BroughtFile>> list_brought(const BroughtFilter& filter);

  // Of the uploads with ids from `first` to `last`; those without files are left out.
  base::Result<std::map<std::int64_t, UploadSums>> count_files(std::int64_t first,
                                                               std::int64_t last);

  // kind: "sha1" or "md5"; digest in lower-case hex. Several files may have one digest in theory.
  base::Result<void> keep_digest(std::string_view kind, std::string_view digest,
                                 const base::Sha256& file);
  // The file with that digest, if some key of the scope names it and it is kept there: one that
  // only a watched package has goes with that.
  base::Result<std::optional<FileRecord>> find_by_digest(std::string_view kind,
                                                         std::string_view digest,
                                                         const ident::Scope& scope);
  base::Result<bool> has_digest(std::string_view kind, std::string_view digest,
                                const base::Sha256& file);

  // Those of the files that somebody has brought to the scope since then, or was told that he need
  // not. Uploads for transactions do not count, which keep nothing by themselves.
  base::Result<std::set<std::int64_t>> brought_since(const std::vector<std::int64_t>& files,
                                                     const ident::Scope& scope, base::Time since);
  // Whether an upload of this way, token and scope has recorded the file since then.
  base::Result<bool> has_recorded(const Upload& upload, std::int64_t file, base::Time since);

 private:
  db::Database& database_;
};

}  // namespace store
