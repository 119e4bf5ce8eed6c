#include "ui/layout.h"

#include "ui/assets.h"

namespace ui {
namespace {

constexpr std::string_view kContentPolicy =
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

void add_head(Html& html, const PageHead& head) {
  html.open("head");
  html.leaf("meta", {{"charset", "utf-8"}});
  html.leaf("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  html.leaf("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
  html.element("title", head.title + " · Faultline");
  html.leaf("link", {{"rel", "icon"}, {"href", icon_asset().url}});
  html.leaf("link", {{"rel", "stylesheet"}, {"href", style_asset().url}});
  html.open("script", {{"src", script_asset().url}, {"type", "module"}}).close();
  if (head.refresh) {
    html.open("noscript");
    html.leaf("meta", {{"http-equiv", "refresh"}, {"content", "3"}});
    html.close();
  }
  html.close();
}

void add_link(Html& html, Section current, Section section, std::string_view url,
              std::string_view name) {
  html.open("li");
  if (current == section) {
    html.element("a", {{"href", url}, {"aria-current", "page"}}, name);
  } else {
    html.element("a", {{"href", url}}, name);
  }
  html.close();
}

void add_navigation(Html& html, Section current) {
  html.element("a", {{"class", "skip"}, {"href", "#main"}}, "Skip to the content");
  html.open("header", {{"class", "bar"}});
  html.open("a", {{"class", "mark"}, {"href", "/"}});
  html.leaf("img", {{"src", icon_asset().url}, {"alt", ""}, {"width", "20"}, {"height", "20"}});
  html.text("Faultline").close();
  html.open("nav", {{"aria-label", "Main"}}).open("ul");
  add_link(html, current, Section::crashes, "/crashes", "Crashes");
  add_link(html, current, Section::symbols, "/status/symbols", "Symbols");
  add_link(html, current, Section::status, "/status", "Status");
  add_link(html, current, Section::settings, "/settings", "Settings");
  html.close().close();
  html.close();
}

}  // namespace

std::string page(const PageHead& head, const std::function<void(Html&)>& body) {
  Html html;
  html.markup("<!doctype html>\n");
  html.open("html", {{"lang", "en"}});
  add_head(html, head);
  html.open("body");
  add_navigation(html, head.section);
  html.open("main", {{"id", "main"}, {"tabindex", "-1"}});
  body(html);
  html.close();
  html.close().close();
  return html.take();
}

net::Answer page_answer(int status, std::string html) {
  net::Answer answer = net::Answer::html(status, std::move(html));
  answer.headers.set("Content-Security-Policy", kContentPolicy);
  answer.headers.set("X-Content-Type-Options", "nosniff");
  answer.headers.set("Referrer-Policy", "same-origin");
  answer.headers.set("Cache-Control", "no-cache");
  answer.compressible = true;
  return answer;
}

net::Answer error_page(int status, std::string_view title, std::string_view what) {
  return page_answer(status, page({std::string(title), Section::none, false}, [&](Html& html) {
                       html.element("h1", title);
                       html.element("p", what);
                       html.open("p").element("a", {{"href", "/crashes"}}, "All crashes").close();
                     }));
}

void add_time(Html& html, base::Time time) {
  const std::string iso = base::iso8601(time);  // 2026-11-24T19:30:07Z
  html.element("time", {{"datetime", iso}}, iso.substr(0, 10) + " " + iso.substr(11, 8));
}

void add_mark(Html& html, std::string_view kind, std::string_view shape, std::string_view word) {
  const std::string style = "tag tag-" + std::string(kind);
  html.open("span", {{"class", style}});
  html.element("span", {{"aria-hidden", "true"}}, shape);
  html.text(" ").text(word);
  html.close();
}

}  // namespace ui
