#include "server/settings_values.h"

#include <algorithm>

#include "base/text.h"
#include "server/room_options.h"
#include "server/statistics_wiring.h"
#include "store/quota.h"

namespace server {

using base::Result;
using net::Request;

namespace {

// Each costs a look at all that the project has.
constexpr std::uint64_t kProjectsOnAPage = 50;
constexpr std::uint64_t kTokensOnAPage = 100;

void count_tokens(const store::Access& access, ui::SettingsOverview& shown) {
  const base::Time now = base::now();
  for (const store::Token& token : access.token_list()) {
    if (token.revoked_at.us != 0) {
      ++shown.tokens_revoked;
    } else if (token.is_expired(now)) {
      ++shown.tokens_expired;
    } else {
      ++shown.tokens_good;
    }
  }
}

void count_upstreams(const UpstreamWork& upstreams, ui::SettingsOverview& shown) {
  for (const auto& server : upstreams.servers()) {
    ++shown.upstreams;
    if (server->breaker_state() == upstream::Breaker::State::open) ++shown.upstreams_left_alone;
    shown.misses_remembered += server->counts().remembered;
  }
}

Result<std::uint64_t> count_missing(statistics::Statistics& statistics) {
  TRY(statistics.save_soon());
  statistics::MissingQuery query;
  query.limit = 1;
  const statistics::MissingPage page = TRY(statistics.missing().list(query));
  return page.total;
}

store::Project default_project(const SettingsRooms& rooms) {
  const api::Layout layout = layout_of(rooms.options, rooms.access, "");
  store::Project project;
  project.two_tier = layout.two_tier;
  project.cabinets = layout.cabinets;
  project.quota = rooms.options.limit_default_project;
  return project;
}

std::vector<std::string> upstreams_of_project(const UpstreamWork& upstreams,
                                              const std::string& project) {
  std::vector<std::string> names;
  const std::vector<std::string> all = upstream_names(upstreams);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::vector<std::string>& projects = upstreams.servers().at(i)->options().projects;
    if (std::find(projects.begin(), projects.end(), project) != projects.end()) {
      names.push_back(all[i]);
    }
  }
  return names;
}

}  // namespace

std::vector<std::string> project_names(const store::Access& access) {
  const std::vector<store::Project> projects = access.project_list();
  std::vector<std::string> names;
  names.reserve(projects.size());
  for (const store::Project& project : projects) names.push_back(project.name);
  return names;
}

std::string disk_words(const store::DiskWatch& disk) {
  return "The disk is " + std::string(store::name_of(disk.level())) + ".";
}

std::int64_t number_of(const Request& request, std::string_view name) {
  const auto given = base::parse_decimal(request.query_value(name).value_or(""));
  return static_cast<std::int64_t>(std::min<std::uint64_t>(given.value_or(0), INT64_MAX));
}

std::uint64_t page_number(const Request& request, std::uint64_t total, std::uint64_t page_size) {
  const std::uint64_t pages = std::max<std::uint64_t>(1, (total + page_size - 1) / page_size);
  const auto asked = static_cast<std::uint64_t>(number_of(request, "page"));
  return std::clamp<std::uint64_t>(asked, 1, pages);
}

Result<ui::SettingsOverview> overview_of(const SettingsRooms& rooms) {
  ui::SettingsOverview shown;
  shown.projects = rooms.access.project_list().size();
  count_tokens(rooms.access, shown);
  shown.is_open_to_local = rooms.gate.is_open_to_local();
  const store::Counts counts = TRY(rooms.catalog.count());
  shown.files = counts.files;
  shown.bytes = counts.bytes;
  shown.keys = counts.keys;
  store::UploadFilter last;
  last.limit = 1;
  const std::vector<store::UploadRecord> uploads = TRY(rooms.uploads.list(last));
  if (!uploads.empty()) shown.last_upload = uploads.front().upload.id;
  count_upstreams(rooms.upstreams, shown);
  if (rooms.statistics != nullptr) shown.missing = TRY(count_missing(*rooms.statistics));
  shown.disk_free = rooms.disk.free_bytes();
  shown.disk_state = disk_words(rooms.disk);
  return shown;
}

Result<ui::ProjectsPage> projects_of(const SettingsRooms& rooms, const Request& request) {
  std::vector<store::Project> projects = rooms.access.project_list();
  projects.insert(projects.begin(), default_project(rooms));
  ui::ProjectsPage shown;
  shown.total = projects.size();
  shown.page_size = kProjectsOnAPage;
  shown.page = page_number(request, shown.total, shown.page_size);
  for (store::Project& project : page_of(std::move(projects), shown.page, shown.page_size)) {
    ui::ProjectRow row;
    row.is_open = rooms.gate.is_open(project.name);
    // Of the default project that takes a while, and is not shown without a limit.
    const bool is_counted = !project.name.empty() || project.quota != 0;
    if (is_counted) row.used = TRY(store::used_by(rooms.database, project.name));
    row.upstreams = upstreams_of_project(rooms.upstreams, project.name);
    row.project = std::move(project);
    shown.rows.push_back(std::move(row));
  }
  return shown;
}

ui::TokensPage tokens_of(const SettingsRooms& rooms, const Request& request) {
  std::vector<store::Token> tokens = rooms.access.token_list();
  std::reverse(tokens.begin(), tokens.end());
  ui::TokensPage shown;
  shown.total = tokens.size();
  shown.page_size = kTokensOnAPage;
  shown.page = page_number(request, shown.total, shown.page_size);
  const std::int64_t revoked = number_of(request, "revoked");
  const std::int64_t extended = number_of(request, "extended");
  for (const store::Token& token : tokens) {
    if (token.id == extended && token.revoked_at.us == 0) {
      shown.note = "The token " + token.label + " has another end.";
    }
    if (token.id == revoked && token.revoked_at.us != 0) {
      shown.note = "The token " + token.label + " was revoked: nobody is let in with it any more.";
    }
  }
  shown.tokens = page_of(std::move(tokens), shown.page, shown.page_size);
  for (const store::Token& token : shown.tokens) {
    if (token.quota == 0) continue;
    const auto used = store::used_by_token(rooms.database, token.id);
    if (used.ok()) shown.used[token.id] = *used;
  }
  shown.projects = project_names(rooms.access);
  shown.now = base::now();
  return shown;
}

}  // namespace server
