// Whose uploads somebody may see: who holds view-uploads all of a project, or of all; an uploader
// those of the same token; a local request, as long as it may upload without one, everything.
// view_of() and may_see() touch memory only, load_upload() the database.
// Format: docs/protocols/upload.md
#pragma once

#include <variant>

#include "api/upload_common.h"

namespace api {

struct UploadView {
  store::UploadFilter filter;  // what this asker may see
  bool sees_all = false;       // not only their own
};

std::variant<UploadView, net::Answer> view_of(const Context& context, const net::Request& request);
bool may_see(const UploadView& view, const store::Upload& upload);
// The one of the path's {id}; a 404 also for who may not see it.
std::variant<store::UploadRecord, net::Answer> load_upload(const Context& context,
                                                           const net::Request& request);

}  // namespace api
