// The operator's pages below /settings: who may see them, and the buttons on them. What each shows
// is collected by settings_values.h.
// Who may use the admin API may see them, and nobody else; a browser is asked for a token. Buttons
// work for pages of ours alone.
// What is passed by reference must outlive the server.
// Format: docs/operation.md
#pragma once

#include "api/upload.h"
#include "net/http.h"
#include "server/settings_values.h"

namespace server {

void add_settings_pages(net::Router& router, const SettingsRooms& rooms);
// The form of /settings/uploads that brings a file.
void add_upload_form(net::Router& router, const api::UploadRooms& rooms,
                     const api::UploadOptions& options);

}  // namespace server
