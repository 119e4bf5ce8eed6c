// The pages: /, /crashes, /crashes/{id}, /status, and the embedded files under /static/.
// Rendered here, readable without script. Handlers run on the pool (they ask the database).
#pragma once

#include <functional>
#include <vector>

#include "net/http.h"
#include "reports/archive.h"
#include "reports/queue.h"
#include "ui/status_page.h"

namespace ui {

struct Pages {
  reports::Archive& archive;
  reports::Queue& queue;
  // More lines for /status, asked for each time: version, files, disk. May be empty.
  std::function<std::vector<StatusFigure>()> figures;
  // Answers "/" itself, or nothing: then our page is shown. May be empty.
  std::function<std::optional<net::Answer>(const net::Request&)> home = nullptr;
};

// What `pages` refers to must outlive the server.
void add_routes(net::Router& router, const Pages& pages);

}  // namespace ui
