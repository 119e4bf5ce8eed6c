#include "server/settings_wiring.h"

#include "api/actions.h"
#include "api/admin_route.h"
#include "api/upload_form.h"
#include "base/log.h"
#include "base/size_text.h"
#include "base/text.h"
#include "net/percent.h"
#include "store/access_json.h"
#include "ui/layout.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;
using net::Answer;
using net::Request;

namespace {

constexpr std::uint64_t kFormSizeMax = 16 * 1024;

Answer unkept(Answer answer) {
  answer.headers.set("Cache-Control", "no-store");
  return answer;
}

Answer shown(int status, std::string html) {
  return unkept(ui::page_answer(status, std::move(html)));
}

Answer failed(const Error& error) {
  const int status = base::policy_of(error.fault).http_status;
  return unkept(
      ui::error_page(status, status == 404 ? "Not found" : "That did not work", error.what));
}

// A browser is asked for a token, and for another one when its own is not good enough; a program
// that sends one in a header of its own is told no.
Answer refusal(const Request& request, const api::Denial& denial) {
  const bool may_be_asked =
      api::token_of(request).empty() || !request.header("Authorization").empty();
  Answer answer = ui::error_page(
      may_be_asked ? 401 : 403, "For administrators",
      denial.what +
          ". These pages want a token with the right admin, for every project or the "
          "default one: as password, with any name. On the server's machine, `faultline "
          "admin token create NAME --rights admin` makes one.");
  if (may_be_asked) {
    answer.headers.set("WWW-Authenticate", "Basic realm=\"Faultline settings\", charset=\"UTF-8\"");
  }
  return unkept(std::move(answer));
}

std::optional<Answer> refuse(const Request& request, const api::Gate& gate) {
  const api::Admission admission = api::admit_admin(request, gate);
  const auto* denial = std::get_if<api::Denial>(&admission);
  if (denial == nullptr) return std::nullopt;
  return refusal(request, *denial);
}

std::optional<Answer> refuse_button(const Request& request, const api::Gate& gate) {
  if (api::is_from_other_site(request)) {
    return unkept(ui::error_page(403, "Not from there", "A page of another site may not do this."));
  }
  return refuse(request, gate);
}

using Show = std::function<Result<std::string>(const Request& request)>;

void add_page(net::Router& router, const api::Gate& gate, std::string_view pattern, Show show) {
  router.add_get_on_pool(pattern, [&gate, show = std::move(show)](Request& request) -> net::Reply {
    if (auto refused = refuse(request, gate)) return *std::move(refused);
    auto html = show(request);
    return html.ok() ? shown(200, *std::move(html)) : failed(html.error());
  });
}

using Press = std::function<Result<Answer>(const Request& request, const store::Actor& actor)>;

void add_button(net::Router& router, const api::Gate& gate, std::string_view pattern, Press press) {
  router.add_post_on_pool(
      pattern, kFormSizeMax,
      [&gate](const Request& request) { return refuse_button(request, gate); },
      [&gate, press = std::move(press)](Request& request) -> net::Reply {
        const api::Admission admission = api::admit_admin(request, gate);
        const auto* who = std::get_if<api::Who>(&admission);
        if (who == nullptr) return refusal(request, std::get<api::Denial>(admission));
        auto answer = press(request, {who->name, request.peer});
        return answer.ok() ? unkept(*std::move(answer)) : failed(answer.error());
      });
}

std::string field_of(const Request& request, std::string_view name) {
  for (auto& [field, value] : net::parse_form(request.body)) {
    if (field == name) return std::move(value);
  }
  return "";
}

// The boxes that are ticked: "upload,read".
std::string rights_of(const Request& request) {
  std::string rights;
  for (const auto& [field, value] : net::parse_form(request.body)) {
    if (field == "right") rights.append(rights.empty() ? "" : ",").append(value);
  }
  return rights;
}

Result<store::Access::NewToken> make_token(store::Access& access, const Request& request,
                                           const store::Actor& actor) {
  const auto days = base::parse_decimal(base::trim(field_of(request, "days")));
  if (!days || *days > INT32_MAX) {
    return Error{Fault::malformed, "for how many days is it good? 0 is for ever"};
  }
  store::Token wanted =
      TRY(store::token_wanted(field_of(request, "label"), rights_of(request),
                              field_of(request, "project"), static_cast<std::int64_t>(*days)));
  const std::string quota(base::trim(field_of(request, "quota")));
  const auto bytes = quota.empty() ? std::uint64_t{0} : base::parse_size(quota);
  if (!bytes) return Error{Fault::malformed, quota + " is no size; say 500 MB or 20 GiB"};
  wanted.quota = *bytes;
  return access.create_token(std::move(wanted), actor);
}

// The page again: with the secret, which nobody can be shown later, or with what is wrong.
Answer post_token(const SettingsRooms& rooms, const Request& request, const store::Actor& actor) {
  const auto made = make_token(rooms.access, request, actor);
  ui::TokensPage page = tokens_of(rooms, request);
  if (made.ok()) {
    page.secret = made->secret;
    page.secret_label = made->token.label;
  } else {
    page.problem = made.error().what;
  }
  const int status = made.ok() ? 201 : base::policy_of(made.error().fault).http_status;
  return shown(status, ui::tokens_page(page));
}

Result<Answer> post_revoke(const SettingsRooms& rooms, const Request& request,
                           const store::Actor& actor) {
  const auto id = base::parse_decimal(field_of(request, "id"));
  if (!id || *id > INT64_MAX) return Error{Fault::not_found, "there is no such token"};
  TRY(rooms.access.revoke_token(static_cast<std::int64_t>(*id), actor));
  return Answer::redirect(303, "/settings/tokens?revoked=" + std::to_string(*id));
}

Result<Answer> post_extend(const SettingsRooms& rooms, const Request& request,
                           const store::Actor& actor) {
  const auto id = base::parse_decimal(field_of(request, "id"));
  if (!id || *id > INT64_MAX) return Error{Fault::not_found, "there is no such token"};
  const auto days = base::parse_decimal(base::trim(field_of(request, "days")));
  if (!days || *days > INT32_MAX) {
    return Error{Fault::malformed, "for how many days is it good? 0 is for ever"};
  }
  const base::Time end = TRY(store::end_after(static_cast<std::int64_t>(*days)));
  TRY(rooms.access.extend_token(static_cast<std::int64_t>(*id), end, actor));
  return Answer::redirect(303, "/settings/tokens?extended=" + std::to_string(*id));
}

Result<Answer> post_forget(const SettingsRooms& rooms, const Request& request,
                           const store::Actor& actor) {
  const std::string which = field_of(request, "server");
  const auto& servers = rooms.upstreams.servers();
  if (which == "all") {
    rooms.upstreams.forget_misses();
  } else {
    const auto number = base::parse_decimal(which);
    if (!number || *number == 0 || *number > servers.size()) {
      return Error{Fault::not_found, "there is no such upstream server"};
    }
    servers.at(*number - 1)->misses().forget_all();
  }
  // What clients were told of it lately, too.
  rooms.supply.forget_misses();
  base::log::info("{} from {} made us forget remembered misses of upstream servers: {}",
                  base::to_valid_utf8(actor.name), actor.peer, which);
  return Answer::redirect(303, "/settings/upstreams?forgotten=" + which);
}

Answer kept_or_not(const Result<std::int64_t>& upload) {
  if (!upload.ok()) return failed(upload.error());
  return unkept(Answer::redirect(303, "/settings/uploads/" + std::to_string(*upload)));
}

std::string forgotten_note(const Request& request, const ui::UpstreamsPage& page) {
  const std::string which = request.query_value("forgotten").value_or("");
  if (which == "all") return "All remembered misses were forgotten.";
  const auto number = base::parse_decimal(which);
  if (!number || *number == 0 || *number > page.rows.size()) return "";
  return "The remembered misses of " + page.rows.at(*number - 1).name + " were forgotten.";
}

}  // namespace

void add_settings_pages(net::Router& router, const SettingsRooms& rooms) {
  const auto page = [&](std::string_view pattern, Show show) {
    add_page(router, rooms.gate, pattern, std::move(show));
  };
  page("/settings", [rooms](const Request&) -> Result<std::string> {
    const ui::SettingsOverview values = TRY(overview_of(rooms));
    return ui::settings_overview_page(values);
  });
  page("/settings/projects", [rooms](const Request& request) -> Result<std::string> {
    const ui::ProjectsPage values = TRY(projects_of(rooms, request));
    return ui::projects_page(values);
  });
  page("/settings/tokens", [rooms](const Request& request) -> Result<std::string> {
    return ui::tokens_page(tokens_of(rooms, request));
  });
  page("/settings/uploads", [rooms](const Request& request) -> Result<std::string> {
    const ui::UploadsPage values = TRY(uploads_of(rooms, request));
    return ui::uploads_page(values);
  });
  page("/settings/uploads/{id}", [rooms](const Request& request) -> Result<std::string> {
    const ui::UploadPage values = TRY(upload_of(rooms, request));
    return ui::upload_page(values);
  });
  page("/settings/files", [rooms](const Request& request) -> Result<std::string> {
    const ui::FilesPage values = TRY(files_of(rooms, request));
    return ui::files_page(values);
  });
  page("/settings/upstreams", [rooms](const Request& request) -> Result<std::string> {
    ui::UpstreamsPage values = upstreams_of(rooms);
    values.note = forgotten_note(request, values);
    return ui::upstreams_page(values);
  });
  page("/settings/storage", [rooms](const Request&) -> Result<std::string> {
    return ui::storage_page(storage_of(rooms));
  });
  const auto button = [&](std::string_view pattern, Press press) {
    add_button(router, rooms.gate, pattern, std::move(press));
  };
  button("/settings/tokens",
         [rooms](const Request& request, const store::Actor& actor) -> Result<Answer> {
           return post_token(rooms, request, actor);
         });
  button("/settings/tokens/revoke", [rooms](const Request& request, const store::Actor& actor) {
    return post_revoke(rooms, request, actor);
  });
  button("/settings/tokens/extend", [rooms](const Request& request, const store::Actor& actor) {
    return post_extend(rooms, request, actor);
  });
  button("/settings/upstreams", [rooms](const Request& request, const store::Actor& actor) {
    return post_forget(rooms, request, actor);
  });
}

void add_upload_form(net::Router& router, const api::UploadRooms& rooms,
                     const api::UploadOptions& options) {
  const api::Gate& gate = rooms.gate;
  api::FormWays ways;
  ways.refuse = [&gate](const Request& request) { return refuse_button(request, gate); };
  ways.admit = [&gate](const Request& request) { return api::admit_admin(request, gate); };
  ways.tell = kept_or_not;
  api::add_form_route(router, rooms, options, "/settings/uploads", std::move(ways));
}

}  // namespace server
