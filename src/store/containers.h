// Where files of the catalogue lie that nobody uploaded: watched files and packages, their
// members; and the sources that packages bring, uploaded ones as well.
// Not the watching (ingest/scan.h) and not the bytes: those are extracted ahead or on demand.
// Rows of one container appear in one transaction with the files' own; a container that is
// committed again replaces what it had. What only a removed container had leaves the catalogue,
// and the catalogue's removal listeners hear of it; what somebody uploaded as well stays.
// Any thread may call; calls block. Fails with unavailable (database) or internal.
// Format: docs/formats/data-directory.md
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sha256.h"
#include "db/database.h"
#include "store/catalog.h"

namespace store {

// By these we see that a file is still the one that was read. A time stamp alone can be set back.
struct FileStamp {
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};
FileStamp stamp_of(const struct ::stat& info);
// not_found when there is no regular file (links are followed).
base::Result<FileStamp> stamp_of(const std::string& path);

struct Container {
  enum class Kind : std::uint8_t { file, package, upload, upstream };
  std::int64_t id = 0;
  std::string path;  // absolute; of an upload as uploaded_container_path() says; of an upstream
                     // file as upstream_container_path() does
  Kind kind = Kind::file;
  FileStamp stamp;
  std::string project;               // whose files these are; "" is the default project
  std::string problem;               // why not all of it could be read; "" when all is well
  std::optional<base::Sha256> pack;  // its sources: docs/formats/source-pack.md
};

struct ContainerMember {
  NewFile file;
  std::string name;  // "/usr/bin/x"; "" when the container is the file
  std::uint64_t ordinal = 0;
};

struct PackedSource {
  std::string path;               // as compilers write it: absolute
  std::uint64_t at = 0;           // of its frame in the pack
  std::uint64_t packed_size = 0;  // of the frame
  std::uint64_t plain_size = 0;
  std::uint64_t skip = 0;  // in the plain frame
  std::uint64_t size = 0;
};

struct NewContainer {
  Container container;
  std::vector<ContainerMember> members;
  std::vector<PackedSource> sources;
};

struct Origin {
  Container container;
  std::string member;
  std::uint64_t ordinal = 0;
};

struct FoundSource {
  Container container;
  PackedSource source;
};

// An uploaded package, as its uploader called it, and its member.
struct UploadedOrigin {
  std::string archive;
  std::string member;
};

// "17/hello.rpm": unique, and never that of a watched file.
std::string uploaded_container_path(std::int64_t upload_id, std::string_view file_name);

// "games https://…": an upstream file in a project, unique in it; of the default project the place
// alone. And back.
std::string upstream_container_path(const std::string& project, const std::string& place);
std::string_view place_of_upstream_container(std::string_view path, std::string_view project);

class Containers {
 public:
  static const std::vector<db::Migration>& migrations();  // 130 to 139

  Containers(db::Database& database, Catalog& catalog) : database_(database), catalog_(catalog) {}
  Containers(const Containers&) = delete;
  Containers& operator=(const Containers&) = delete;

  // All or none; the catalogue's listeners have been told when it returns. Contents that are in
  // nobody's row any more are returned. REQUIRES: packs are durable.
  base::Result<std::vector<base::Sha256>> commit(const std::vector<NewContainer>& containers);
  base::Result<std::vector<base::Sha256>> remove(const std::vector<std::int64_t>& ids);

  // All watched ones (uploads and upstream files are not), by path; or the one at `path` and those
  // below it.
  base::Result<std::map<std::string, Container>> list(const std::string& path = "");
  // Files of upstream servers that came before.
  base::Result<std::vector<Container>> find_fetched_before(base::Time before);
  base::Result<std::vector<Origin>> origins_of(const base::Sha256& content);
  // Calls `sink` with every content that lies in a container, and every pack.
  base::Result<void> list_hashes(const std::function<void(const base::Sha256&)>& sink);
  // A source file that a package brings, for a build id that came from a package: of several the
  // one in the package whose path is most like that of the build id's. Of uploaded packages those
  // of the scope. REQUIRES: path is folded.
  base::Result<std::optional<FoundSource>> find_source(std::string_view build_id,
                                                       std::string_view path,
                                                       const ident::Scope& scope = {});
  // The same, in a package that brought the build id itself.
  base::Result<std::optional<FoundSource>> find_own_source(std::string_view build_id,
                                                           std::string_view path,
                                                           const ident::Scope& scope = {});

  // For uploaded packages. Inside the transaction of Catalog::commit(): the package's sources,
  // whose pack is a blob. Its files say themselves what the package calls them (NewFile::member).
  base::Result<void> keep_uploaded(db::Session& session, std::int64_t upload_id,
                                   const Upload& upload, const Container& container,
                                   const std::vector<PackedSource>& sources);
  // The newest uploaded package of that scope that brought this content.
  base::Result<std::optional<UploadedOrigin>> uploaded_origin_of(const base::Sha256& content,
                                                                 const ident::Scope& scope);
  // The packs of uploaded packages: blobs, unlike those of watched ones, which are made again. And
  // the taking away of one that is gone, with its sources' rows.
  base::Result<void> list_uploaded_packs(const std::function<void(const base::Sha256&)>& sink);
  base::Result<void> drop_uploaded_pack(const base::Sha256& pack);
  // Takes away the sources of try builds whose time has come, and returns their packs.
  base::Result<std::vector<base::Sha256>> expire_try(base::Time now);

 private:
  enum class Where : std::uint8_t { anywhere, own_package };
  base::Result<std::optional<FoundSource>> find_source_in(Where where, std::string_view build_id,
                                                          std::string_view path,
                                                          const ident::Scope& scope);
  db::Database& database_;
  Catalog& catalog_;
};

}  // namespace store
