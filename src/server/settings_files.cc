// What the pages about uploads, stored files and upstream servers show.
#include <algorithm>

#include "api/derived_state.h"
#include "base/text.h"
#include "server/settings_values.h"
#include "server/statistics_wiring.h"
#include "store/file_list.h"
#include "upstream/s3.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;
using net::Request;

namespace {

constexpr std::uint64_t kUploadsOnAPage = 50;
constexpr std::uint64_t kFilesOnAPage = 100;

std::string text_of(const Request& request, std::string_view name) {
  std::string text = base::to_valid_utf8(base::trim(request.query_value(name).value_or("")));
  std::erase(text, '\0');  // no database takes one
  return text;
}

std::optional<ui::UploadedFileRow::Derived> derived_of(const SettingsRooms& rooms,
                                                       const store::UploadedFile& file,
                                                       const ident::Scope& scope) {
  if (!file.file) return std::nullopt;
  const auto state = api::find_derived(rooms.supply, *file.file, scope);
  if (!state) return std::nullopt;
  ui::UploadedFileRow::Derived derived{state->sym, state->index, {}, {}};
  if (state->counts) {
    derived.functions = state->counts->functions;
    derived.publics = state->counts->publics;
  }
  return derived;
}

Result<std::vector<ui::UploadedFileRow>> rows_of(const SettingsRooms& rooms,
                                                 std::vector<store::UploadedFile> files,
                                                 const ident::Scope& scope) {
  std::vector<std::int64_t> ids;
  ids.reserve(files.size());
  for (const store::UploadedFile& file : files) ids.push_back(file.file ? file.file->id : 0);
  std::vector<store::FileKeys> keys = TRY(store::keys_of(rooms.database, ids, scope));
  std::vector<ui::UploadedFileRow> rows;
  for (std::size_t i = 0; i < files.size(); ++i) {
    auto derived = derived_of(rooms, files[i], scope);
    rows.push_back({std::move(files[i]), std::move(keys.at(i)), std::move(derived)});
  }
  return rows;
}

store::FileQuery query_of(const Request& request) {
  store::FileQuery query;
  query.limit = kFilesOnAPage;
  query.after = number_of(request, "after");
  query.after_name = text_of(request, "after-name");
  const std::string name = text_of(request, "name");
  const std::string id = text_of(request, "id");
  if (!id.empty()) {
    query.by = store::FileQuery::By::key;
    query.text = id;
  } else if (!name.empty()) {
    query.by = store::FileQuery::By::name;
    query.text = name;
  }
  return query;
}

ui::FilePlace::Kind kind_of(store::Container::Kind kind) {
  switch (kind) {
    case store::Container::Kind::file:
      return ui::FilePlace::Kind::watched;
    case store::Container::Kind::package:
      return ui::FilePlace::Kind::package;
    case store::Container::Kind::upload:
      return ui::FilePlace::Kind::upload;
    case store::Container::Kind::upstream:
      break;
  }
  return ui::FilePlace::Kind::upstream;
}

// The server of ours that a file came from; "": it is asked no more.
std::string server_at(const UpstreamWork& upstreams, std::string_view place) {
  const std::vector<std::string> names = upstream_names(upstreams);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (place.starts_with(upstreams.servers().at(i)->place() + "/")) return names[i];
  }
  return "";
}

ui::FilePlace place_of(const SettingsRooms& rooms, const store::Origin& origin) {
  const store::Container& container = origin.container;
  ui::FilePlace place;
  place.kind = kind_of(container.kind);
  place.member = origin.member;
  place.path = container.path;
  if (place.kind == ui::FilePlace::Kind::upstream) {
    const auto there = store::place_of_upstream_container(container.path, container.project);
    place.server = server_at(rooms.upstreams, there);
    place.path = ui::address_without_secrets(there);
  }
  return place;
}

std::string kind_of_server(const std::string& location) {
  if (upstream::is_s3(location)) return "S3";
  return location.starts_with("/") ? "directory" : "HTTP";
}

ui::UpstreamRow::State state_of(upstream::Breaker::State state) {
  switch (state) {
    case upstream::Breaker::State::closed:
      return ui::UpstreamRow::State::asked;
    case upstream::Breaker::State::open:
      return ui::UpstreamRow::State::left_alone;
    case upstream::Breaker::State::half_open:
      break;
  }
  return ui::UpstreamRow::State::on_trial;
}

// The words of a failure name the server, as it is configured.
std::string without_address(std::string words, const std::string& location) {
  const std::string address = ui::address_without_secrets(location);
  if (address == location) return words;
  for (auto at = words.find(location); at != std::string::npos; at = words.find(location, at)) {
    words.replace(at, location.size(), address);
    at += address.size();
  }
  return words;
}

ui::UpstreamRow row_of(const upstream::Server& server) {
  const upstream::ServerOptions& options = server.options();
  const upstream::Server::Counts counts = server.counts();
  ui::UpstreamRow row;
  row.kind = kind_of_server(server.place());
  row.layout = upstream::name_of(server.layout());
  row.address = ui::address_without_secrets(server.place());
  row.projects = options.projects;
  row.kinds = options.kinds;
  const std::shared_ptr<const upstream::FileFilter> filter = server.filter();
  if (filter->allowed() != std::vector<std::string>{".*"}) row.allow = filter->allowed();
  row.deny = filter->denied();
  row.state = state_of(server.breaker_state());
  row.rests = counts.rests;
  row.requests = counts.requests;
  row.hits = counts.hits;
  row.misses = counts.misses;
  row.failures = counts.failures;
  row.busy = counts.busy;
  row.waiting = counts.waiting;
  row.requests_max = options.requests_max;
  row.remembered = counts.remembered;
  row.remembered_max = options.misses_max;
  row.retry_seconds = static_cast<std::uint64_t>(options.retry_after.count());
  row.file_size_max = options.transport.size_max;
  if (const auto failure = server.last_failure()) {
    row.last_failure = without_address(failure->what, server.place());
    row.failed_at = failure->at;
  }
  return row;
}

}  // namespace

Result<ui::UploadsPage> uploads_of(const SettingsRooms& rooms, const Request& request) {
  store::UploadFilter filter;
  filter.before = number_of(request, "before");
  filter.limit = kUploadsOnAPage + 1;
  if (request.query_value("project").value_or("*") != store::kEveryProject) {
    filter.project = base::lower_ascii(text_of(request, "project"));
  }
  std::vector<store::UploadRecord> records = TRY(rooms.uploads.list(filter));
  ui::UploadsPage shown;
  shown.is_first = filter.before == 0;
  shown.project = filter.project;
  shown.projects = project_names(rooms.access);
  if (records.size() > kUploadsOnAPage) {
    records.pop_back();
    shown.next_before = records.back().upload.id;
  }
  if (records.empty()) return shown;
  auto sums = TRY(rooms.uploads.count_files(records.back().upload.id, records.front().upload.id));
  for (store::UploadRecord& record : records) {
    const store::UploadSums of_it = sums[record.upload.id];
    shown.rows.push_back({std::move(record), of_it});
  }
  return shown;
}

Result<ui::UploadPage> upload_of(const SettingsRooms& rooms, const Request& request) {
  const auto id = base::parse_decimal(request.path_parameter("id"));
  if (!id || *id > INT64_MAX) return Error{Fault::not_found, "there is no such upload"};
  ui::UploadPage shown;
  shown.record = TRY(rooms.uploads.load(static_cast<std::int64_t>(*id)));
  std::vector<store::UploadedFile> files = std::move(shown.record.files);
  shown.record.files.clear();
  shown.sums.files = files.size();
  shown.sums.known = static_cast<std::uint64_t>(
      std::count_if(files.begin(), files.end(), [](const auto& file) { return file.was_known; }));
  shown.page_size = kFilesOnAPage;
  shown.page = page_number(request, files.size(), kFilesOnAPage);
  files = page_of(std::move(files), shown.page, kFilesOnAPage);
  const store::Upload& upload = shown.record.upload;
  shown.rows = TRY(rows_of(rooms, std::move(files), {upload.project, upload.is_try}));
  return shown;
}

Result<ui::FilesPage> files_of(const SettingsRooms& rooms, const Request& request) {
  ui::FilesPage shown;
  shown.query = query_of(request);
  auto page = store::list_files(rooms.database, shown.query);
  if (!page.ok() && page.error().fault == Fault::malformed) {
    shown.problem = page.error().what;
    return shown;
  }
  store::FilePage found = TRY(std::move(page));
  shown.has_more = found.has_more;
  for (store::ListedFile& listed : found.files) {
    ui::FileRow row;
    const std::vector<store::Origin> origins = TRY(rooms.containers.origins_of(listed.file.sha256));
    for (const store::Origin& origin : origins) row.places.push_back(place_of(rooms, origin));
    row.listed = std::move(listed);
    shown.rows.push_back(std::move(row));
  }
  return shown;
}

ui::UpstreamsPage upstreams_of(const SettingsRooms& rooms) {
  ui::UpstreamsPage shown;
  const std::vector<std::string> names = upstream_names(rooms.upstreams);
  for (std::size_t i = 0; i < names.size(); ++i) {
    ui::UpstreamRow row = row_of(*rooms.upstreams.servers().at(i));
    row.number = i + 1;
    row.name = names[i];
    row.copies = rooms.options.upstreams.at(i).copies;
    shown.rows.push_back(std::move(row));
  }
  shown.may_cache = rooms.disk.may_cache();
  shown.cache_size = rooms.extracted.size();
  shown.cache_size_max = rooms.extracted.budget().size_max;
  shown.cache_days = rooms.options.cache_days;
  return shown;
}

}  // namespace server
