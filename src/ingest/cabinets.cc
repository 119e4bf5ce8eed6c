#include "ingest/cabinets.h"

#include "base/log.h"
#include "formats/archive/cab.h"

namespace ingest {

using base::Fault;
using base::Result;

namespace {

archive::CabLimits cab_limits(const archive::ZipLimits& limits) {
  archive::CabLimits cab;
  cab.member_size_max = limits.member_size_max;
  cab.ratio_free_size = limits.ratio_free_size;
  cab.ratio_max = limits.ratio_max;
  return cab;
}

bool is_compressed_name(std::string_view name) { return name.ends_with('_'); }

}  // namespace

Result<void> expand_cabinet(const store::Blobs& blobs, const archive::ZipLimits& limits,
                            Received& received) {
  const std::string& brought = received.path ? received.path->file : received.name;
  if (!is_compressed_name(brought)) return {};
  const bool is_elsewhere = received.path && !archive::is_cab_name_of(brought, received.path->name);
  if (is_elsewhere && received.path_is == PathIs::told) return {};
  const auto packed = TRY(base::MappedFile::open(received.file.path()));
  if (!archive::is_cab(packed->bytes())) return {};

  base::PendingFile plain = TRY(blobs.create());
  std::optional<base::Error> disk;  // our own trouble is not the cabinet's
  const auto member =
      archive::expand_cab(packed->bytes(), cab_limits(limits), [&](base::Bytes piece) {
        Result<void> written = plain.append(piece);
        if (!written.ok()) disk = written.error();
        return written;
      });
  if (disk) return *disk;
  if (!member.ok()) {
    if (member.error().fault == Fault::too_large) return member.error();
    base::log::info("{} is kept as it came: {}", brought, member.error().what);
    return {};
  }
  if (received.path && !is_elsewhere) {
    received.path->file = received.path->name;
    received.name = received.path->name;
  } else {
    const std::string name(base::basename_of(member->name));
    if (!ident::is_allowed_name(name) || !archive::is_cab_name_of(brought, name)) return {};
    received.path.reset();  // a guess that does not fit
    received.name = name;
  }
  TRY(plain.sync_and_close());
  received.file = std::move(plain);
  return {};
}

}  // namespace ingest
