// /status: is everything moving? Counts, the queue, and what became poison.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/archive.h"
#include "reports/queue.h"

namespace ui {

// A line of the table of figures that another part of the program brings.
struct StatusFigure {
  std::string name;
  std::string value;
};

struct Status {
  reports::Counts reports;
  reports::QueueCounts queue;
  std::vector<StatusFigure> more;
};

std::string status_page(const Status& status, base::Time now);

}  // namespace ui
