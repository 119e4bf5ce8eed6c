// What was uploaded: find out what it is, give it its keys, keep it.
// Not the transport (api knows HTTP and forms) and not the making of derived files (supply hears
// of the commit and does that).
// keep_*() returns when bytes and rows are on disk: only then may the upload be acknowledged.
// Any thread may call; calls block. All files of one upload are kept, or none.
// Fails with malformed (no zip, a name that is not allowed, a strict project's refusal), too_large
// (a limit), unavailable (disk full) or internal. `what` can be shown to the uploader. Format:
// docs/protocols/upload.md
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "formats/archive/zip.h"
#include "ident/paths.h"
#include "ingest/source_pack.h"
#include "ingest/unpack_in_child.h"
#include "ingest/zip_members.h"
#include "store/blobs.h"
#include "store/catalog.h"
#include "store/containers.h"

namespace ingest {

// Who brings something, how, and for whom.
struct Bringer {
  std::string peer;
  std::string way;         // "put", "zip", "sentry" …
  std::string project;     // lower case; "" is the default project
  bool is_strict = false;  // the project takes only files that are what their path says
  bool is_try = false;
  base::Time expires_at;  // of a try build
  std::int64_t token = 0;
  std::string user;
  std::string download_url;
  std::vector<std::string> redirect_urls;
  std::int64_t upload_id = 0;  // that was begun, and gets the files; 0: a new one
};

// Whether somebody says where a file belongs, or an archive has a folder that looks like it:
// "bin/64/app.exe" is no app.exe with the id 64, and has no place there.
enum class PathIs : std::uint8_t { told, guessed };

store::Upload upload_of(const Bringer& bringer);  // as the catalogue records it

// One file as it was brought.
struct Received {
  base::PendingFile file;
  std::optional<ident::StorePath> path;  // where the uploader wants to find it again
  std::string name;                      // base name, when there is no path
  bool for_store = false;                // part of a store's transaction: kept exactly as it is
  PathIs path_is = PathIs::told;
  std::string member = {};  // "/usr/bin/x", of a package; "": it was brought by itself
};

struct Kept {
  store::NewFile file;
  bool was_known = false;  // the same content was here already
};

struct Receipt {
  std::int64_t upload_id = 0;
  base::Time created_at;
  std::vector<Kept> files;
  std::vector<std::string> ignored;  // members of an archive that nobody wants
};

// How uploaded packages are unpacked; without `unpack` they are not, without `containers` their
// sources are not kept.
struct Packages {
  Unpacker unpack;
  std::uint64_t disk_free_min = 0;  // what unpacking must leave on the disk
  store::Containers* containers = nullptr;
};

class Ingest {
 public:
  Ingest(store::Blobs& blobs, store::Catalog& catalog, const archive::ZipLimits& zip_limits,
         Packages packages = {})
      : blobs_(blobs), catalog_(catalog), zip_limits_(zip_limits), packages_(std::move(packages)) {}

  base::Result<Receipt> keep_file(const Bringer& bringer, Received received);
  // Tecken's archive: members are NAME/ID/FILE, or debug files under any name.
  base::Result<Receipt> keep_zip(const Bringer& bringer, const std::string& file_name,
                                 base::Bytes zip, ZipKind kind = ZipKind::tecken);

  // The debug files and programs in a package, and its sources, that lies at `path`
  // (uploaded_package.h).
  base::Result<Receipt> keep_package(const Bringer& bringer, const std::string& file_name,
                                     const std::string& path, std::uint64_t size);

 private:
  struct Arrived;  // files and the rows that they will get
  base::Result<Receipt> keep_all(const Bringer& bringer, store::Upload upload,
                                 std::vector<Received> all,
                                 std::optional<PackedSources> sources = std::nullopt);
  base::Result<void> arrive(Received received, std::uint64_t upload_size, Arrived& arrived);

  store::Blobs& blobs_;
  store::Catalog& catalog_;
  archive::ZipLimits zip_limits_;
  Packages packages_;
};

// The rows for one file, from its bytes and from what it was called; its hash is not filled in.
// A guessed path counts when an id in it is one of the file's own, when FILE is named after NAME,
// or when the bytes have no id; else the file goes by `name` alone.
store::NewFile describe(base::Bytes bytes, const std::optional<ident::StorePath>& path,
                        const std::string& name, PathIs path_is = PathIs::told);

// "foo.so" with "foo.so", "foo.so.dbg", "foo.so.sym"; "foo.pdb" with "foo.pd_", "foo.sym".
bool is_named_after(const std::string& file, const std::string& name);

}  // namespace ingest
