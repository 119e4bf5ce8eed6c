#include "cli/admin_source.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "base/pool.h"
#include "base/text.h"
#include "cli/keepers.h"
#include "cli/migrations.h"
#include "cli/server_of_directory.h"
#include "net/client.h"
#include "store/access.h"
#include "store/access_json.h"
#include "store/data_directory.h"
#include "upkeep/purge.h"
#include "upkeep/run.h"

namespace cli {
namespace {

using base::Error;
using base::Fault;
using base::JsonValue;
using base::Result;

constexpr std::chrono::milliseconds kFirstLook{20}, kLookEvery{250};

class AdminServer final : public AdminSource {
 public:
  AdminServer(std::string url, std::string secret)
      : url_(std::move(url)), secret_(std::move(secret)) {}
  Result<std::string> list(const std::string& what) override { return send("GET", what, ""); }
  Result<std::string> create(const std::string& what, const std::string& json) override {
    return send("POST", what, json);
  }
  Result<void> revoke(const std::string& id) override {
    TRY(send("POST", "tokens/" + id + "/revoke", "{}"));
    return {};
  }
  Result<std::string> change(const std::string& id, const std::string& how,
                             const std::string& json) override {
    return send("POST", "tokens/" + id + "/" + how, json);
  }
  Result<std::string> run(const std::string& what, const std::string& options,
                          const ShowNumbers& show) override;

 private:
  Result<std::string> send(const std::string& method, const std::string& what,
                           const std::string& body);
  std::string url_;
  std::string secret_;
};

Result<std::string> AdminServer::send(const std::string& method, const std::string& what,
                                      const std::string& body) {
  net::ClientRequest request;
  request.method = method;
  const auto query = what.find('?');
  request.url = net::join_url(url_, "/api/v1/" + what.substr(0, query));
  if (query != std::string::npos) request.url += what.substr(query);
  request.headers.add("Authorization", "Bearer " + secret_);
  request.headers.add("Content-Type", "application/json");
  request.body = body;
  const net::ClientAnswer answer = TRY(net::Client().send(request));
  if (answer.status < 300) return answer.body;
  const auto json = JsonValue::parse(answer.body);
  const std::string said(json.ok() ? (*json)["error"].text_or("") : "");
  return Error{net::fault_of_status(answer.status),
               url_ + ": answered " + std::to_string(answer.status) + ": " + said};
}

std::uint64_t number_in(const JsonValue& json, std::string_view name) {
  return static_cast<std::uint64_t>(json[name].integer_or(0));
}

// Asks until it is done: more often at first, since most of it is quick.
Result<std::string> AdminServer::run(const std::string& what, const std::string& options,
                                     const ShowNumbers& show) {
  const std::string started = TRY(send("POST", "upkeep/" + what, options));
  const JsonValue begun = TRY(JsonValue::parse(started));
  const std::string place = "upkeep/work/" + std::to_string(begun["work"].integer_or(0));
  for (auto pause = kFirstLook;; pause = std::min(pause * 2, kLookEvery)) {
    std::this_thread::sleep_for(pause);
    const std::string text = TRY(send("GET", place, ""));
    const JsonValue state = TRY(JsonValue::parse(text));
    show({number_in(state, "files"), number_in(state, "files_all"), number_in(state, "bytes"),
          number_in(state, "bytes_all")});
    const std::string_view word = state["state"].text_or("");
    if (word == "failed") return Error{Fault::unavailable, std::string(state["error"].text_or(""))};
    if (word != "done") continue;
    base::JsonWriter out;
    state["result"].write(out);
    return out.take();
  }
}

class AdminDirectory final : public AdminSource {
 public:
  static Result<std::unique_ptr<AdminSource>> open(store::DataDirectory data,
                                                   const std::string& url) {
    auto database = TRY(db::Database::open(url.empty() ? data.database_url() : url));
    TRY(database->migrate(all_migrations()));
    store::Blobs blobs = TRY(store::Blobs::open(data.blobs(), data.tmp()));
    auto source = std::unique_ptr<AdminDirectory>(
        new AdminDirectory(std::move(data), std::move(database), std::move(blobs)));
    TRY(source->access_.reload());
    TRY(source->tombstones_.reload());
    return std::unique_ptr<AdminSource>(std::move(source));
  }
  Result<std::string> list(const std::string& what) override {
    if (what == "tokens") return store::tokens_json(access_);
    if (what == "projects") return store::projects_json(access_);
    if (what == "purged") {
      const auto stones = TRY(tombstones_.list());
      return upkeep::json_of(stones);
    }
    return store::audit_json(access_, what);
  }
  Result<std::string> create(const std::string& what, const std::string& json) override {
    return what == "tokens" ? store::post_token(access_, json, actor_)
                            : store::post_project(access_, json, actor_);
  }
  Result<void> revoke(const std::string& id) override {
    const auto number = base::parse_decimal(id);
    if (!number || *number > INT64_MAX) return Error{Fault::malformed, id + " is no token's id"};
    return access_.revoke_token(static_cast<std::int64_t>(*number), actor_);
  }
  Result<std::string> change(const std::string& id, const std::string& how,
                             const std::string& json) override {
    return how == "quota" ? store::post_limit(access_, id, json, actor_)
                          : store::post_extend(access_, id, json, actor_);
  }
  Result<std::string> run(const std::string& what, const std::string& options,
                          const ShowNumbers& show) override;

 private:
  AdminDirectory(store::DataDirectory data, std::unique_ptr<db::Database> database,
                 store::Blobs blobs)
      : data_(std::move(data)), database_(std::move(database)), blobs_(std::move(blobs)) {
    blobs_.also_look_in(data_.extracted());
  }
  // A copy in extracted/ that nobody counts now.
  void drop_copy(const base::Sha256& content) const {
    const std::string hex = content.hex();
    const std::string place = base::join_path(hex.substr(0, 2), hex);
    static_cast<void>(base::remove_file(base::join_path(data_.extracted(), place)));
  }

  store::DataDirectory data_;
  std::unique_ptr<db::Database> database_;
  store::Blobs blobs_;
  store::Catalog catalog_{*database_};
  store::Containers containers_{*database_, catalog_};
  store::Access access_{*database_};
  store::Tombstones tombstones_{*database_};
  reports::Archive archive_{*database_, blobs_};
  sources::Uploaded uploaded_{*database_, blobs_};
  upkeep::House house_{*database_,
                       blobs_,
                       catalog_,
                       access_,
                       tombstones_,
                       data_.path(),
                       all_keepers(archive_, uploaded_, containers_),
                       [this](const base::Sha256& content) { drop_copy(content); },
                       base::default_thread_count(),
                       all_ageing(*database_, containers_,
                                  [this](const base::Sha256& content) { drop_copy(content); })};
  store::Actor actor_{"command line", ""};
};

Result<std::string> AdminDirectory::run(const std::string& what, const std::string& options,
                                        const ShowNumbers& show) {
  const JsonValue given = TRY(JsonValue::parse(options));
  upkeep::Progress progress;
  Result<std::string> end = std::string();
  run_watched(progress, show, [&] { end = upkeep::run(house_, what, given, actor_, progress); });
  return end;
}

}  // namespace

Result<std::unique_ptr<AdminSource>> open_admin_source(const std::string& path,
                                                       const std::string& database) {
  if (!base::file_exists(path)) {
    return Error{Fault::not_found, path + ": there is no such data directory"};
  }
  auto data = store::DataDirectory::open(path, "faultline admin");
  if (data.ok()) return AdminDirectory::open(std::move(data).value(), database);
  std::string url = TRY(url_of_server(path, std::move(data).error()));
  const std::string secret = TRY(base::read_file(base::join_path(path, "admin.key"), 4096));
  return std::unique_ptr<AdminSource>(
      std::make_unique<AdminServer>(std::move(url), std::string(base::trim(secret))));
}

}  // namespace cli
