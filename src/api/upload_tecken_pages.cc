// What Tecken's own pages ask about uploads, in its words:
//   GET /api/_auth/                    who is asking, and what they may do
//   GET /api/stats/                    how many uploads there were lately, and how large
//   GET /api/uploads/                  uploads, twenty a page;  /api/uploads/upload/ID  one of them
//   GET /api/uploads/files/            what they brought, forty a page;  /api/uploads/files/file/ID
//   GET /api/uploads/_possible_upload_urls/
// A user there is a token here, and the user's email its label. Tokens: upload_tecken_tokens.cc.
// Format: docs/protocols/upload-tecken.md
#include <algorithm>
#include <array>
#include <utility>

#include "api/admin_route.h"
#include "api/tecken_words.h"
#include "api/upload_common.h"
#include "api/upload_view.h"
#include "base/text.h"
#include "net/percent.h"

namespace api {

using base::JsonWriter;
using net::Answer;
using net::Request;
using store::UploadFilter;
using store::UploadRecord;

namespace {

constexpr std::uint64_t kUploadsOnAPage = 20, kFilesOnAPage = 40, kPagesMax = 1'000'000;
constexpr std::int64_t kDayUs = 86'400'000'000;
// Of a file of an upload: both numbers in one.
constexpr std::int64_t kPositionsOfOne = 1 << 20;

void write_time(JsonWriter& out, std::string_view key, base::Time time) {
  out.key(key);
  if (time.us == 0) {
    out.null();
  } else {
    out.string(base::iso8601(time));
  }
}

void write_user(JsonWriter& out, const store::Upload& upload) {
  out.key("user").begin_object().key("id").integer(upload.token);
  out.key("email").string(upload.user).end_object();
}

void write_texts(JsonWriter& out, std::string_view key, const std::vector<std::string>& texts) {
  out.key(key).begin_array();
  for (const std::string& text : texts) out.string(text);
  out.end_array();
}

// Uploads' sizes and places; what there is only one of has that one's name.
void write_upload_members(JsonWriter& out, const UploadRecord& record) {
  const store::Upload& upload = record.upload;
  out.key("id").integer(upload.id).key("filename").string(upload.file_name);
  write_user(out, upload);
  out.key("size").unsigned_integer(upload.size).key("bucket_name").string("faultline");
  out.key("bucket_region").null().key("bucket_endpoint_url").null();
  out.key("skipped_keys").begin_array();
  for (const store::UploadedFile& row : record.files) {
    if (row.was_known) out.string(row.path);
  }
  out.end_array();
  write_texts(out, "ignored_keys", upload.ignored);
  out.key("try_symbols").boolean(upload.is_try).key("download_url");
  if (upload.download_url.empty()) {
    out.null();
  } else {
    out.string(upload.download_url);
  }
  write_texts(out, "redirect_urls", upload.redirect_urls);
  write_time(out, "created_at", upload.created_at);
  write_time(out, "completed_at", record.completed_at);
}

void write_file_members(JsonWriter& out, const store::BroughtFile& file) {
  const store::UploadedFile& row = file.row;
  out.key("id").integer(file.upload.id * kPositionsOfOne + file.position);
  out.key("bucket_name").string("faultline").key("key").string(row.path);
  // Nothing is written over here, and everything is told of as it is when it is plain.
  out.key("update").boolean(false).key("compressed").boolean(false);
  out.key("size");
  if (row.file) {
    out.unsigned_integer(row.file->size);
  } else {
    out.null();
  }
  write_time(out, "created_at", file.upload.created_at);
  write_time(out, "completed_at", file.completed_at);
}

// Of a request, one for each right that it shows.
std::vector<Permission> permissions_of(const Context& context, const Request& request,
                                       std::string& email) {
  std::vector<Permission> permissions;
  const auto add = [&](const Admission& admission, Permission permission) {
    const Who* who = std::get_if<Who>(&admission);
    if (who == nullptr) return;
    email = who->name.empty() ? "a local request" : who->name;
    permissions.push_back(permission);
  };
  const Gate& gate = context->rooms.gate;
  const Admission uploads = gate.admit_upload(request);
  const Who* uploader = std::get_if<Who>(&uploads);
  const bool only_try = uploader != nullptr && uploader->only_try;
  add(uploads, only_try ? Permission::upload_try_symbols : Permission::upload_symbols);
  add(gate.admit(request, store::Right::view_uploads), Permission::view_all_uploads);
  add(admit_admin(request, gate), Permission::manage_tokens);
  return permissions;
}

Answer get_auth(const Context& context, const Request& request) {
  std::string email;
  const auto permissions = permissions_of(context, request, email);
  const std::string pages = own_url(context, request) + "/settings";
  JsonWriter out;
  out.begin_object().key("user");
  if (permissions.empty()) {
    out.null().key("sign_in_url").string(pages).end_object();
    return Answer::json(200, out.take());
  }
  const bool manages = permissions.back() == Permission::manage_tokens;
  out.begin_object().key("email").string(email).key("is_active").boolean(true);
  out.key("is_superuser").boolean(manages).key("permissions").begin_array();
  for (const Permission permission : permissions) {
    out.begin_object().key("id").integer(id_of(permission));
    out.key("codename").string(codename_of(permission));
    out.key("name").string(name_of(permission)).end_object();
  }
  out.end_array().end_object().key("sign_out_url").string(pages).end_object();
  return Answer::json(200, out.take());
}

Answer get_stats(const Context& context, const Request& request) {
  auto view = view_of(context, request);
  if (auto* refused = std::get_if<Answer>(&view)) return std::move(*refused);
  const UploadView& seen = std::get<UploadView>(view);
  const std::int64_t now = base::now().us;
  const std::int64_t today = now - now % kDayUs;
  struct Span {
    std::string_view name;
    std::int64_t from, until;
  };
  const std::array<Span, 3> spans{{{"today", today, now + 1},
                                   {"yesterday", today - kDayUs, today},
                                   {"last_30_days", now - 30 * kDayUs, now + 1}}};
  JsonWriter out;
  out.begin_object().key("stats").begin_object().key("uploads").begin_object();
  out.key("all_uploads").boolean(seen.sees_all);
  for (const Span& span : spans) {
    UploadFilter filter = seen.filter;
    filter.from = {span.from};
    filter.until = {span.until};
    const auto total = context->rooms.uploads.total(filter);
    if (!total.ok()) return upload_failed(context, tecken_dialect(), total.error());
    out.key(span.name).begin_object().key("count").unsigned_integer(total->uploads);
    out.key("total_size").unsigned_integer(total->bytes).end_object();
  }
  out.end_object().end_object().end_object();
  return Answer::json(200, out.take());
}

// Counted from 1; nothing when it is none.
std::optional<std::uint64_t> page_of(const Request& request) {
  const std::string text = request.query_value("page").value_or("");
  if (text.empty()) return 1;
  const auto page = base::parse_decimal(text);
  if (!page || *page > kPagesMax) return std::nullopt;
  return std::max<std::uint64_t>(*page, 1);
}

// The refusal, or the filter with what the query says.
std::optional<Answer> read_query(const Request& request, bool sees_all, UploadFilter& filter) {
  for (const std::string_view name : {"size", "created_at", "completed_at"}) {
    if (!request.query_value(name).value_or("").empty()) {
      return bad_parameter(name, "this server does not filter by it");
    }
  }
  std::string user = request.query_value("user").value_or("");
  if (!user.empty() && sees_all) {
    filter.is_not_user = user.starts_with('!');
    filter.user = base::to_valid_utf8(base::trim(filter.is_not_user ? user.substr(1) : user));
  }
  const std::string sort = request.query_value("sort").value_or("created_at");
  const std::string reverse = base::lower_ascii(request.query_value("reverse").value_or("true"));
  const bool rises = reverse != "true" && reverse != "1";
  using Order = UploadFilter::Order;
  if (sort == "created_at") {
    filter.order = rises ? Order::oldest : Order::newest;
  } else if (sort == "size") {
    filter.order = rises ? Order::smallest : Order::largest;
  } else {
    return bad_parameter("sort", "sort is size or created_at");
  }
  const auto page = page_of(request);
  if (!page) return bad_parameter("page", "expected a number from 1 on");
  filter.offset = (*page - 1) * kUploadsOnAPage;
  filter.limit = kUploadsOnAPage + 1;
  return std::nullopt;
}

void write_list_tail(JsonWriter& out, std::uint64_t batch_size, bool has_next,
                     std::uint64_t total) {
  out.key("batch_size").unsigned_integer(batch_size).key("has_next").boolean(has_next);
  out.key("total").unsigned_integer(total);
}

Answer list_uploads(const Context& context, const Request& request) {
  auto view = view_of(context, request);
  if (auto* refused = std::get_if<Answer>(&view)) return std::move(*refused);
  const bool sees_all = std::get<UploadView>(view).sees_all;
  UploadFilter filter = std::get<UploadView>(view).filter;
  if (auto refused = read_query(request, sees_all, filter)) return *std::move(refused);
  auto list = context->rooms.uploads.list(filter);
  if (!list.ok()) return upload_failed(context, tecken_dialect(), list.error());
  const auto total = context->rooms.uploads.total(filter);
  if (!total.ok()) return upload_failed(context, tecken_dialect(), total.error());
  const bool has_next = list->size() > kUploadsOnAPage;
  if (has_next) list->pop_back();
  JsonWriter out;
  out.begin_object().key("can_view_all").boolean(sees_all).key("uploads").begin_array();
  for (const UploadRecord& listed : *list) {
    // Gone between the two questions: as good as never listed.
    const auto record = context->rooms.uploads.load(listed.upload.id);
    if (!record.ok()) continue;
    out.begin_object();
    write_upload_members(out, *record);
    const auto brought = std::count_if(record->files.begin(), record->files.end(),
                                       [](const auto& row) { return !row.was_known; });
    out.key("files_count").integer(brought).key("files_incomplete_count").integer(0);
    out.end_object();
  }
  using Order = UploadFilter::Order;
  const bool by_size = filter.order == Order::largest || filter.order == Order::smallest;
  const bool reverse = filter.order == Order::newest || filter.order == Order::largest;
  out.end_array().key("order_by").begin_object();
  out.key("sort").string(by_size ? "size" : "created_at").key("reverse").boolean(reverse);
  out.end_object();
  write_list_tail(out, kUploadsOnAPage, has_next, total->uploads);
  out.end_object();
  return Answer::json(200, out.take());
}

Answer get_upload(const Context& context, const Request& request) {
  auto loaded = load_upload(context, request);
  if (auto* refused = std::get_if<Answer>(&loaded)) return std::move(*refused);
  const auto& record = std::get<store::UploadRecord>(loaded);
  store::BroughtFilter filter;
  filter.upload = record.upload.id;
  filter.limit = record.files.size();
  const auto files = context->rooms.uploads.list_brought(filter);
  if (!files.ok()) return upload_failed(context, tecken_dialect(), files.error());
  JsonWriter out;
  out.begin_object().key("upload").begin_object();
  write_upload_members(out, record);
  out.key("file_uploads").begin_array();
  for (const store::BroughtFile& file : *files) {
    out.begin_object();
    write_file_members(out, file);
    out.end_object();
  }
  // Uploads are not compared with one another here.
  out.end_array().key("related").begin_array().end_array().end_object().end_object();
  return Answer::json(200, out.take());
}

Answer list_files(const Context& context, const Request& request) {
  auto view = view_of(context, request);
  if (auto* refused = std::get_if<Answer>(&view)) return std::move(*refused);
  const UploadView& seen = std::get<UploadView>(view);
  if (!seen.sees_all) return json_error(403, "this needs the right to view all uploads");
  for (const std::string_view name : {"size", "created_at", "completed_at", "bucket_name"}) {
    if (!request.query_value(name).value_or("").empty()) {
      return bad_parameter(name, "this server does not filter by it");
    }
  }
  const auto page = page_of(request);
  if (!page) return bad_parameter("page", "expected a number from 1 on");
  store::BroughtFilter filter;
  filter.project = seen.filter.project;
  const std::string keys = request.query_value("key").value_or("");
  for (const std::string_view part : base::split(keys, ',')) {
    if (!base::trim(part).empty()) filter.parts.emplace_back(base::trim(part));
  }
  constexpr std::size_t kPartsMax = 8;
  if (filter.parts.size() > kPartsMax) return bad_parameter("key", "at most eight parts");
  for (std::string& part : filter.parts) part = base::to_valid_utf8(part);
  filter.offset = (*page - 1) * kFilesOnAPage;
  filter.limit = kFilesOnAPage + 1;
  auto list = context->rooms.uploads.list_brought(filter);
  if (!list.ok()) return upload_failed(context, tecken_dialect(), list.error());
  const bool has_next = list->size() > kFilesOnAPage;
  if (has_next) list->pop_back();
  JsonWriter out;
  out.begin_object().key("files").begin_array();
  for (const store::BroughtFile& file : *list) {
    out.begin_object();
    write_file_members(out, file);
    out.key("upload").begin_object().key("id").integer(file.upload.id);
    out.key("try_symbols").boolean(file.upload.is_try);
    write_user(out, file.upload);
    write_time(out, "created_at", file.upload.created_at);
    out.end_object().end_object();
  }
  out.end_array();
  // Tecken's number for "nobody has counted them".
  constexpr std::uint64_t kNotCounted = 1'000'000;
  write_list_tail(out, kFilesOnAPage, has_next, kNotCounted);
  out.end_object();
  return Answer::json(200, out.take());
}

// Where a GET finds it, below the project it was brought for.
std::string place_of(const store::BroughtFile& file) {
  std::string place = file.upload.project.empty() ? "" : "/p/" + file.upload.project;
  place.append("/").append(net::percent_encode(file.row.path, "/+()"));
  return file.upload.is_try ? place + "?try" : place;
}

Answer get_file(const Context& context, const Request& request) {
  auto view = view_of(context, request);
  if (auto* refused = std::get_if<Answer>(&view)) return std::move(*refused);
  const auto id = base::parse_decimal(request.path_parameter("id"));
  if (!id || *id > INT64_MAX) return json_error(404, "there is no such file");
  store::BroughtFilter filter;
  filter.upload = static_cast<std::int64_t>(*id) / kPositionsOfOne;
  filter.position = static_cast<std::int64_t>(*id) % kPositionsOfOne;
  const auto found = context->rooms.uploads.list_brought(filter);
  if (!found.ok()) return upload_failed(context, tecken_dialect(), found.error());
  if (found->empty()) return json_error(404, "there is no such file");
  const store::BroughtFile& file = found->front();
  if (!may_see(std::get<UploadView>(view), file.upload)) {
    return json_error(404, "there is no such file");
  }
  const auto record = context->rooms.uploads.load(file.upload.id);
  if (!record.ok()) return upload_failed(context, tecken_dialect(), record.error());
  JsonWriter out;
  out.begin_object().key("file").begin_object();
  write_file_members(out, file);
  out.key("url").string(place_of(file)).key("upload").begin_object();
  write_upload_members(out, *record);
  out.end_object().end_object().end_object();
  return Answer::json(200, out.take());
}

Answer get_upload_urls(const Context& context, const Request& request) {
  auto view = view_of(context, request);
  if (auto* refused = std::get_if<Answer>(&view)) return std::move(*refused);
  JsonWriter out;
  out.begin_object().key("urls").begin_array().begin_object();
  out.key("url").string(own_url(context, request)).key("bucket_name").string("faultline");
  out.key("default").boolean(true).end_object().end_array().end_object();
  return Answer::json(200, out.take());
}

}  // namespace

void add_tecken_page_routes(net::Router& router, const Context& context) {
  using Handler = Answer (*)(const Context&, const Request&);
  const auto add = [&](const char* pattern, Handler handler) {
    net::Route route;
    route.method = "GET";
    route.pattern = pattern;
    route.runs = net::Runs::pool;
    add_for_projects(router, std::move(route), [context, handler](Request& request) -> net::Reply {
      Answer answer = handler(context, request);
      answer.headers.set("Cache-Control", "no-store");
      return answer;
    });
  };
  add("/api/_auth/", get_auth);
  add("/api/stats/", get_stats);
  add("/api/uploads/", list_uploads);
  add("/api/uploads/_possible_upload_urls/", get_upload_urls);
  add("/api/uploads/upload/{id}", get_upload);
  add("/api/uploads/files/", list_files);
  add("/api/uploads/files/file/{id}", get_file);
}

}  // namespace api
