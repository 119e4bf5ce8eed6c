// /settings/projects: every project, who may read it, how it is laid out, how much it may keep and
// has, and which upstream servers are asked for it.
// Plain functions from values to text.
// Format: docs/operation.md
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/access.h"

namespace ui {

struct ProjectRow {
  store::Project project;  // the default one has no name
  bool is_open = false;    // everybody may read it
  std::uint64_t used = 0;  // bytes; of the default project nothing is counted
  std::vector<std::string> upstreams;
};

struct ProjectsPage {
  std::vector<ProjectRow> rows;  // of this page
  std::uint64_t total = 0, page = 1, page_size = 50;
};

std::string projects_page(const ProjectsPage& shown);

}  // namespace ui
