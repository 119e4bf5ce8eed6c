// What the operator's pages show, collected from the rooms that know it.
// Blocks: they ask the database. Fail with malformed (the query), not_found (no such upload) or as
// the rooms do.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "api/rights.h"
#include "db/database.h"
#include "ingest/extracted_files.h"
#include "server/options.h"
#include "server/upstream_wiring.h"
#include "statistics/statistics.h"
#include "store/access.h"
#include "store/catalog.h"
#include "store/containers.h"
#include "store/data_directory.h"
#include "store/disk_watch.h"
#include "store/uploads.h"
#include "supply/supply.h"
#include "ui/files_page.h"
#include "ui/projects_page.h"
#include "ui/settings_overview.h"
#include "ui/settings_parts.h"
#include "ui/storage_page.h"
#include "ui/tokens_page.h"
#include "ui/uploads_page.h"
#include "ui/upstreams_page.h"

namespace server {

struct SettingsRooms {
  const api::Gate& gate;
  store::Access& access;
  db::Database& database;
  store::Catalog& catalog;
  store::Containers& containers;
  store::Uploads& uploads;
  supply::Supply& supply;
  UpstreamWork& upstreams;
  const store::DiskWatch& disk;
  const ingest::ExtractedFiles& extracted;
  statistics::Statistics* statistics;  // null: they are switched off
  const Options& options;
  const store::DataDirectory& data;
};

base::Result<ui::SettingsOverview> overview_of(const SettingsRooms& rooms);
base::Result<ui::ProjectsPage> projects_of(const SettingsRooms& rooms, const net::Request& request);
ui::TokensPage tokens_of(const SettingsRooms& rooms, const net::Request& request);
base::Result<ui::UploadsPage> uploads_of(const SettingsRooms& rooms, const net::Request& request);
base::Result<ui::UploadPage> upload_of(const SettingsRooms& rooms, const net::Request& request);
// An id that is none is told on the page.
base::Result<ui::FilesPage> files_of(const SettingsRooms& rooms, const net::Request& request);
ui::UpstreamsPage upstreams_of(const SettingsRooms& rooms);
// Looks through the directories, for some seconds at most.
ui::StoragePage storage_of(const SettingsRooms& rooms);

std::string disk_words(const store::DiskWatch& disk);  // "The disk is …."

std::vector<std::string> project_names(const store::Access& access);  // without the default one

// A number of the query; 0 when there is none.
std::int64_t number_of(const net::Request& request, std::string_view name);
// The page that it asks for, from 1 on: one that there is.
std::uint64_t page_number(const net::Request& request, std::uint64_t total,
                          std::uint64_t page_size);
template <class T>
std::vector<T> page_of(std::vector<T> all, std::uint64_t page, std::uint64_t page_size) {
  const std::size_t begin = std::min<std::size_t>(all.size(), (page - 1) * page_size);
  const std::size_t end = std::min<std::size_t>(all.size(), begin + page_size);
  return {all.begin() + static_cast<std::ptrdiff_t>(begin),
          all.begin() + static_cast<std::ptrdiff_t>(end)};
}

}  // namespace server
