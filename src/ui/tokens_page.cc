#include "ui/tokens_page.h"

#include "base/text.h"
#include "ui/layout.h"
#include "ui/settings_parts.h"

namespace ui {
namespace {

constexpr std::size_t kProjectsOffered = 200;  // in the form; the command line takes any

void add_time_cell(Html& html, base::Time time, std::string_view otherwise) {
  html.open("td", {{"class", "day"}});  // three of them would push the buttons out of sight
  if (time.us == 0) {
    html.text(otherwise);
  } else {
    add_time(html, time);
  }
  html.close();
}

void add_state(Html& html, const store::Token& token, base::Time now) {
  html.open("td");
  if (token.revoked_at.us != 0) {
    add_mark(html, "bad", "✕", "revoked");
    html.text(" ");
    add_time(html, token.revoked_at);
  } else if (token.is_expired(now)) {
    add_mark(html, "warn", "◌", "expired");
  } else {
    add_mark(html, "good", "✓", "valid");
  }
  html.close();
}

void add_extend(Html& html, const store::Token& token, const std::string& id) {
  html.open("form", {{"method", "post"}, {"action", "/settings/tokens/extend"}});
  html.leaf("input", {{"type", "hidden"}, {"name", "id"}, {"value", id}});
  html.leaf("input", {{"type", "number"},
                      {"name", "days"},
                      {"value", "365"},
                      {"min", "0"},
                      {"max", "36500"},
                      {"aria-label", "days from now on that it is good; 0: for ever"}});
  html.open("button").text("Extend");
  html.element("span", {{"class", "unseen"}}, " " + token.label + ", number " + id);
  html.close().close();
}

void add_buttons(Html& html, const store::Token& token) {
  html.open("td");
  if (token.revoked_at.us == 0) {
    const std::string id = std::to_string(token.id);
    add_extend(html, token, id);
    html.open("form", {{"method", "post"}, {"action", "/settings/tokens/revoke"}});
    html.leaf("input", {{"type", "hidden"}, {"name", "id"}, {"value", id}});
    html.open("button").text("Revoke");
    html.element("span", {{"class", "unseen"}}, " " + token.label + ", number " + id);
    html.close().close();
  }
  html.close();
}

std::string rights_text(const store::Token& token) {
  const std::string rights = token.rights.text();
  std::string text;
  for (const std::string_view right : base::split(rights, ',')) {
    text.append(text.empty() ? "" : ", ").append(right);
  }
  return text;
}

std::string scope_text(const store::Token& token) {
  return token.project == store::kEveryProject ? "every project" : project_text(token.project);
}

// "4.0 kB of 10.0 kB"
std::string quota_text(const store::Token& token, const TokensPage& shown) {
  if (token.quota == 0) return "no limit";
  const auto used = shown.used.find(token.id);
  const std::string of = used == shown.used.end() ? "" : base::human_size(used->second) + " of ";
  return of + base::human_size(token.quota);
}

void add_row(Html& html, const store::Token& token, const TokensPage& shown) {
  html.open("tr").open("th", {{"scope", "row"}}).element("bdi", token.label).close();
  add_number_cell(html, static_cast<std::uint64_t>(token.id));
  add_cell(html, rights_text(token));
  add_cell(html, scope_text(token));
  add_time_cell(html, token.created_at, "");
  add_time_cell(html, token.expires_at, "never");
  add_time_cell(html, token.used_at, "not on record");
  html.open("td", {{"class", "number"}}).element("bdi", quota_text(token, shown)).close();
  add_state(html, token, shown.now);
  add_buttons(html, token);
  html.close();
}

void add_right(Html& html, store::Right right, Literal meaning) {
  html.open("label");
  html.leaf("input", {{"type", "checkbox"}, {"name", "right"}, {"value", store::name_of(right)}});
  html.text(" ").element("b", store::name_of(right)).text(": ").text(meaning.view()).close();
}

void add_form(Html& html, const TokensPage& shown) {
  html.open("section", {{"class", "card"}, {"aria-labelledby", "make"}});
  html.element("h2", {{"id", "make"}}, "Make a token");
  html.open("form", {{"class", "fields"}, {"method", "post"}, {"action", "/settings/tokens"}});
  html.open("label").text("Label ");
  html.leaf("input", {{"name", "label"}, {"required", ""}, {"maxlength", "100"}}).close();
  html.open("fieldset").element("legend", "Rights");
  add_right(html, store::Right::upload, "brings files");
  add_right(html, store::Right::upload_try, "brings files of try builds, which go by themselves");
  add_right(html, store::Right::read, "reads the project");
  add_right(html, store::Right::view_uploads, "sees everybody's uploads");
  add_right(html, store::Right::admin, "may do all that these pages can");
  html.close();
  html.open("label").text("Project ").open("select", {{"name", "project"}});
  add_option(html, store::kEveryProject, "every project");
  add_option(html, "", "default project");
  for (std::size_t i = 0; i < shown.projects.size() && i < kProjectsOffered; ++i) {
    add_option(html, shown.projects[i], shown.projects[i]);
  }
  html.close().close();
  html.open("label").text("Good for ");
  html.leaf(
      "input",
      {{"type", "number"}, {"name", "days"}, {"value", "365"}, {"min", "0"}, {"max", "36500"}});
  html.text(" days; 0: for ever").close();
  html.open("label").text("Of what it brings may be kept ");
  html.leaf("input", {{"name", "quota"}, {"placeholder", "no limit"}, {"maxlength", "20"}});
  html.text(" such as 20 GiB").close();
  html.element("button", "Make token").close().close();
}

void add_secret(Html& html, const TokensPage& shown) {
  if (shown.secret.empty()) return;
  html.open("div", {{"class", "banner"}, {"role", "status"}});
  html.open("p").text("The token ").element("bdi", shown.secret_label);
  html.text(" was made. This is its secret; it is shown this once and kept nowhere:").close();
  html.element("pre", shown.secret);
  html.close();
}

}  // namespace

std::string tokens_page(const TokensPage& shown) {
  return settings_page(SettingsPart::tokens, "Tokens", [&](Html& html) {
    add_note(html, shown.note);
    if (!shown.problem.empty()) {
      html.open("p", {{"class", "banner bad"}, {"role", "alert"}});
      html.text("No token was made: ").element("bdi", shown.problem).close();
    }
    add_secret(html, shown);
    add_quiet(html,
              "Who brings a token may do what its rights say. Of a token we keep a hash, not "
              "the secret. A use is on record when somebody was let in; of one just before a crash "
              "we may not know.");
    if (shown.total == 0) {
      html.element("p", "There is none yet.");
    } else {
      open_listing(html, "Tokens",
                   {"Label", "#Number", "Rights", "Project", "Made", "Ends", "Last used", "#Quota",
                    "State", "Extend, revoke"});
      for (const store::Token& token : shown.tokens) add_row(html, token, shown);
      close_listing(html);
      add_numbered_paging(html, "/settings/tokens", shown.total, shown.page, shown.page_size);
    }
    add_form(html, shown);
  });
}

}  // namespace ui
