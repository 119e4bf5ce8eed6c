// `faultline admin token create|list|revoke` and `faultline admin project create|list`: through
// the server of a data directory that is served, with the secret that lies there; else on the
// directory itself.
#include <cstdio>
#include <memory>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/migrations.h"
#include "cli/options.h"
#include "net/client.h"
#include "store/access.h"
#include "store/access_json.h"
#include "store/data_directory.h"

namespace cli {
namespace {

using base::Error;
using base::Fault;
using base::JsonWriter;
using base::Result;

// The same questions to a server or to a directory; all answer with the JSON of the API.
class AdminSource {
 public:
  virtual ~AdminSource() = default;
  virtual Result<std::string> list(const std::string& what) = 0;
  virtual Result<std::string> create(const std::string& what, const std::string& json) = 0;
  virtual Result<void> revoke(const std::string& id) = 0;
};

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

 private:
  Result<std::string> send(const std::string& method, const std::string& what,
                           const std::string& body) {
    net::ClientRequest request;
    request.method = method;
    request.url = net::join_url(url_, "/api/v1/" + what);
    request.headers.add("Authorization", "Bearer " + secret_);
    request.headers.add("Content-Type", "application/json");
    request.body = body;
    const net::ClientAnswer answer = TRY(net::Client().send(request));
    if (answer.status < 300) return answer.body;
    const auto json = base::JsonValue::parse(answer.body);
    const std::string said(json.ok() ? (*json)["error"].text_or("") : "");
    return Error{net::fault_of_status(answer.status),
                 url_ + ": answered " + std::to_string(answer.status) + ": " + said};
  }
  std::string url_;
  std::string secret_;
};

class AdminDirectory final : public AdminSource {
 public:
  static Result<std::unique_ptr<AdminSource>> open(store::DataDirectory data) {
    auto database = TRY(db::Database::open(data.database_url()));
    TRY(database->migrate(all_migrations()));
    auto source =
        std::unique_ptr<AdminDirectory>(new AdminDirectory(std::move(data), std::move(database)));
    TRY(source->access_.reload());
    return std::unique_ptr<AdminSource>(std::move(source));
  }
  Result<std::string> list(const std::string& what) override {
    return what == "tokens" ? store::tokens_json(access_) : store::projects_json(access_);
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

 private:
  AdminDirectory(store::DataDirectory data, std::unique_ptr<db::Database> database)
      : data_(std::move(data)), database_(std::move(database)) {}
  store::DataDirectory data_;
  std::unique_ptr<db::Database> database_;
  store::Access access_{*database_};
  store::Actor actor_{"command line", ""};
};

Result<std::unique_ptr<AdminSource>> open_source(const std::string& path) {
  if (!base::file_exists(path)) {
    return Error{Fault::not_found, path + ": there is no such data directory"};
  }
  auto data = store::DataDirectory::open(path, "faultline admin");
  if (data.ok()) return AdminDirectory::open(std::move(data).value());
  const std::string holder = store::holder_of(path);
  const std::string address = holder.substr(0, holder.find(' '));
  if (data.error().fault != Fault::unavailable || address.find(':') == std::string::npos) {
    return std::move(data).error();
  }
  const std::string secret = TRY(base::read_file(base::join_path(path, "admin.key"), 4096));
  return std::unique_ptr<AdminSource>(
      std::make_unique<AdminServer>("http://" + address, std::string(base::trim(secret))));
}

void print_rows(const std::string& what, const std::string& text) {
  const auto json = base::JsonValue::parse(text);
  if (!json.ok()) return;
  const base::JsonValue& rows = (*json)[what];
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const base::JsonValue& row = rows.at(i);
    if (what == "projects") {
      const bool* strict = row["strict"].boolean();
      std::printf("%s%s\n", std::string(row["name"].text_or("")).c_str(),
                  strict != nullptr && *strict ? "  strict" : "");
      continue;
    }
    const std::string project(row["project"].text_or(""));
    std::printf("%4lld  %-24s  %-24s  %-12s  %s\n", static_cast<long long>(row["id"].integer_or(0)),
                std::string(row["label"].text_or("")).c_str(),
                std::string(row["rights"].text_or("")).c_str(),
                project.empty() ? "(default)" : project.c_str(),
                row["revoked_at"].is_null()
                    ? ("until " + std::string(row["expires_at"].text_or("revoked"))).c_str()
                    : "revoked");
  }
}

struct Arguments {
  std::string data = "faultline-data";
  std::string thing, action, name;
  std::string label, rights = "upload", project = "*";
  std::uint64_t days = 365;
  bool strict = false;
  bool two_tier = false;
  bool no_cabinets = false;
  bool json = false;
};

std::string request_json(const Arguments& arguments) {
  JsonWriter out;
  out.begin_object();
  if (arguments.thing == "project") {
    out.key("name").string(arguments.name).key("strict").boolean(arguments.strict);
    out.key("two_tier").boolean(arguments.two_tier);
    out.key("cabinets").boolean(!arguments.no_cabinets);
  } else {
    out.key("label").string(arguments.label.empty() ? arguments.name : arguments.label);
    out.key("rights").string(arguments.rights).key("project").string(arguments.project);
    out.key("days").unsigned_integer(arguments.days);
  }
  out.end_object();
  return out.take();
}

Result<void> run(const Arguments& arguments) {
  const auto source = TRY(open_source(arguments.data));
  const std::string what = arguments.thing + "s";
  if (arguments.action == "list") {
    const std::string text = TRY(source->list(what));
    if (arguments.json) {
      std::printf("%s\n", text.c_str());
    } else {
      print_rows(what, text);
    }
    return {};
  }
  if (arguments.action == "revoke") return source->revoke(arguments.name);
  const std::string text = TRY(source->create(what, request_json(arguments)));
  const auto made = base::JsonValue::parse(text);
  const std::string secret(made.ok() ? (*made)["token"].text_or("") : "");
  // The secret alone on a line: scripts take it as it is. It is shown this once.
  if (arguments.json || secret.empty()) {
    std::printf("%s\n", text.c_str());
  } else {
    std::printf("%s\n", secret.c_str());
  }
  return {};
}

bool is_known(const Arguments& arguments) {
  if (arguments.action == "create") return !arguments.name.empty();
  if (arguments.action == "list") return true;
  return arguments.thing == "token" && arguments.action == "revoke" && !arguments.name.empty();
}

}  // namespace

int run_admin(int argc, char** argv) {
  Arguments arguments;
  Options options(argv[0], "Projects and tokens of a server.");
  options.choice("thing", arguments.thing, {"token", "project"}, "token or project");
  options.choice("action", arguments.action, {"create", "list", "revoke"},
                 "create, list, or revoke (tokens)");
  options.positional("name", arguments.name,
                     "the project's name; the new token's label; the id of a token to revoke",
                     false);
  options.text("-d,--data", arguments.data, "data directory (default: faultline-data)");
  options.text("--rights", arguments.rights,
               "of a token, commas between: upload or upload-try, read, view-uploads, admin "
               "(default: upload)");
  options.text("--project", arguments.project, "the only one it is good for (default: all)");
  options.number("--days", arguments.days, "how long a token lives; 0: for ever (default: 365)");
  options.flag("--strict", arguments.strict, "a project that takes only what it can verify");
  options.flag("--two-tier", arguments.two_tier, "a project that is shown as a two-tier store");
  options.flag("--no-cabinets", arguments.no_cabinets,
               "a project that packs no foo.pd_ for those who ask");
  options.flag("--json", arguments.json, "print JSON");
  options.footer("A new token is printed once and cannot be shown again.");
  if (const auto code = options.parse(argc, argv)) return *code;
  if (!is_known(arguments)) {
    fail("say: admin token create LABEL | list | revoke ID, or admin project create NAME | list");
    return kBadUsage;
  }
  const auto done = run(arguments);
  return done.ok() ? kDone : fail(done.error().what);
}

}  // namespace cli
