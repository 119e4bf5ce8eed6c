// Files that came from upstream servers: filed like any other, kept in extracted/ as long as there
// is room, and fetched again when somebody wants one that had to go.
// Not the fetching (upstream) and not the decision to ask (supply).
// Any thread may call; calls touch disk and database.
// keep() fails with malformed (it is not what was wanted, or a broken cabinet), too_large, denied
// (purged) or unavailable (disk, database).
// Format: docs/protocols/upstreams.md
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "base/sha256.h"
#include "formats/archive/cab.h"
#include "ident/paths.h"
#include "ingest/extracted_files.h"
#include "store/blobs.h"
#include "store/containers.h"

namespace ingest {

struct FetchedFile {
  base::PendingFile file;
  std::string name;         // what it is called, unpacked
  std::string from;         // where it came from: its container's path
  bool is_cabinet = false;  // one file, packed
  bool is_pointer = false;  // a file.ptr, which says where it is
};

// What stands where a file should be: "a web page", as some servers say with 200 where there is no
// such file, or what Mozilla's DiskCache had made of symbols. "" when it is neither. `head`: 64
// bytes are enough.
std::string_view find_stand_in(base::Bytes head);

class FetchedFiles {
 public:
  FetchedFiles(const store::Blobs& blobs, store::Containers& containers, ExtractedFiles& extracted,
               const archive::CabLimits& limits)
      : blobs_(blobs), containers_(containers), extracted_(extracted), limits_(limits) {}

  // Told of what keep() does not keep since it was purged: what it is, and where it came from. Any
  // thread. Before any other call.
  using Refused = std::function<void(const store::NewFile& file, const std::string& from)>;
  void on_refused(Refused refused) { refused_ = std::move(refused); }

  // When this returns, whoever asks the catalogue for it finds it. A file that has ids must bear
  // one that was wanted; one that we cannot read is what its path says.
  base::Result<void> keep(FetchedFile fetched, const ident::SymbolRequest& wanted);
  // The content itself, of a file that went meanwhile; malformed when the server has another now.
  base::Result<void> take_again(FetchedFile fetched, const base::Sha256& content);

 private:
  base::Result<base::PendingFile> unpack(FetchedFile fetched) const;

  const store::Blobs& blobs_;
  store::Containers& containers_;
  ExtractedFiles& extracted_;
  const archive::CabLimits limits_;
  Refused refused_;
};

}  // namespace ingest
