#include "ingest/upload_sessions.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/json.h"
#include "base/random.h"
#include "base/text.h"

namespace ingest {

using base::Error;
using base::Fault;
using base::PendingFile;
using base::Result;

namespace {

constexpr std::size_t kIdSize = 32;
constexpr std::uint64_t kJsonSizeMax = 64 * 1024;

bool is_id(std::string_view id) {
  return id.size() == kIdSize && std::all_of(id.begin(), id.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

std::string json_of(const Announced& announced) {
  const Bringer& bringer = announced.bringer;
  base::JsonWriter out;
  out.begin_object();
  out.key("peer").string(bringer.peer).key("way").string(bringer.way);
  out.key("project").string(bringer.project).key("is_strict").boolean(bringer.is_strict);
  out.key("is_try").boolean(bringer.is_try).key("expires_at").integer(bringer.expires_at.us);
  out.key("upload_id").integer(bringer.upload_id);
  out.key("token").integer(bringer.token).key("user").string(bringer.user);
  if (announced.path) {
    out.key("path").begin_array();
    out.string(announced.path->name).string(announced.path->id).string(announced.path->file);
    out.end_array();
  }
  out.key("size").string(std::to_string(announced.size)).key("md5").string(announced.md5);
  out.key("is_gzip").boolean(announced.is_gzip);
  out.end_object();
  return out.take();
}

Result<Announced> announced_from_json(std::string_view text) {
  const base::JsonValue json = TRY(base::JsonValue::parse(text));
  if (json.object() == nullptr) return Error{Fault::malformed, "no announced upload"};
  const auto truth = [&](std::string_view name) {
    const bool* value = json[name].boolean();
    return value != nullptr && *value;
  };
  Announced announced;
  Bringer& bringer = announced.bringer;
  bringer.peer = json["peer"].text_or("");
  bringer.way = json["way"].text_or("");
  bringer.project = json["project"].text_or("");
  bringer.is_strict = truth("is_strict");
  bringer.is_try = truth("is_try");
  bringer.expires_at = {json["expires_at"].integer_or(0)};
  bringer.upload_id = json["upload_id"].integer_or(0);
  bringer.token = json["token"].integer_or(0);
  bringer.user = json["user"].text_or("");
  const base::JsonValue& path = json["path"];
  if (path.size() == 3) {
    announced.path =
        ident::StorePath{std::string(path.at(0).text_or("")), std::string(path.at(1).text_or("")),
                         std::string(path.at(2).text_or(""))};
  }
  announced.size = base::parse_decimal(json["size"].text_or("0")).value_or(0);
  announced.md5 = json["md5"].text_or("");
  announced.is_gzip = truth("is_gzip");
  return announced;
}

Result<std::unique_ptr<UploadSessions>> UploadSessions::open(const std::string& directory) {
  TRY(base::make_directories(directory));
  return std::unique_ptr<UploadSessions>(new UploadSessions(directory));
}

std::string UploadSessions::place(std::string_view id, std::string_view suffix) const {
  return base::join_path(directory_, std::string(id) + std::string(suffix));
}

Result<std::string> UploadSessions::begin(const Announced& announced) {
  std::array<std::uint8_t, kIdSize / 2> bytes{};
  base::fill_random(bytes);
  const std::string id = base::hex_of(bytes);
  PendingFile part = TRY(PendingFile::create(directory_));
  TRY(part.rename_to(place(id, ".part")));
  TRY(base::write_file_durably(place(id, ".json"), base::bytes_of(json_of(announced))));
  return id;
}

Result<UploadSessions::Held> UploadSessions::hold(std::string_view id) {
  if (!is_id(id)) return Error{Fault::not_found, "there is no such upload"};
  {
    const std::lock_guard lock(mutex_);
    if (!held_.insert(std::string(id)).second) {
      return Error{Fault::unavailable, "this upload is being written by another request"};
    }
  }
  const auto let_go = [&](Error error) {
    const std::lock_guard lock(mutex_);
    held_.erase(std::string(id));
    if (error.fault == Fault::not_found) error.what = "there is no such upload";
    return error;
  };
  const auto text = base::read_file(place(id, ".json"), kJsonSizeMax);
  if (!text.ok()) return let_go(text.error());
  auto announced = announced_from_json(*text);
  if (!announced.ok()) return let_go(announced.error());
  auto part = PendingFile::adopt(place(id, ".part"));
  if (!part.ok()) return let_go(part.error());
  return Held(*this, std::string(id), std::move(*announced), std::move(*part));
}

UploadSessions::Held::Held(Held&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)),
      id_(std::move(other.id_)),
      announced_(std::move(other.announced_)),
      part_(std::move(other.part_)),
      taken_(other.taken_) {}

UploadSessions::Held::~Held() {
  if (owner_ == nullptr) return;
  if (!taken_) part_.release();
  const std::lock_guard lock(owner_->mutex_);
  owner_->held_.erase(id_);
}

Result<void> UploadSessions::Held::replace(base::Bytes bytes) {
  TRY(part_.truncate(0));
  return part_.append(bytes);
}

PendingFile UploadSessions::Held::take() {
  taken_ = true;
  static_cast<void>(base::remove_file(owner_->place(id_, ".json")));
  return std::move(part_);
}

std::uint64_t UploadSessions::sweep(std::chrono::seconds age) {
  const auto files = base::list_files(directory_);
  if (!files.ok()) return 0;
  std::uint64_t removed = 0;
  const auto oldest = std::filesystem::file_time_type::clock::now() - age;
  for (const std::string& path : *files) {
    const std::string id(base::basename_of(path).substr(0, kIdSize));
    std::error_code error;
    const auto last =
        std::filesystem::last_write_time(is_id(id) ? place(id, ".part") : path, error);
    if (!error && last >= oldest) continue;
    const std::lock_guard lock(mutex_);
    if (held_.contains(id)) continue;
    if (base::remove_file(path).ok()) ++removed;
  }
  return removed;
}

}  // namespace ingest
