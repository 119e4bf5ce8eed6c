#include "ui/uploads_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "net/percent.h"
#include "ui/file_cells.h"
#include "ui/layout.h"
#include "ui/settings_parts.h"

namespace ui {
namespace {

constexpr std::size_t kIgnoredShown = 200;
constexpr std::size_t kProjectsOffered = 200;  // the address takes any

std::string url_of(std::int64_t upload) { return "/settings/uploads/" + std::to_string(upload); }

void add_who(Html& html, const store::Upload& upload) {
  if (upload.user.empty()) {
    html.text("without a token");
  } else {
    html.element("bdi", upload.user);
  }
  if (!upload.peer.empty()) html.text(", from ").element("bdi", upload.peer);
}

std::string skipped_text(const UploadRow& row) {
  std::string text;
  if (row.sums.known != 0) text = fmt::format("{} here already", row.sums.known);
  const std::size_t ignored = row.record.upload.ignored.size();
  if (ignored != 0) text += fmt::format("{}{} passed over", text.empty() ? "" : ", ", ignored);
  return text.empty() ? "nothing" : text;
}

void add_state(Html& html, const store::UploadRecord& record) {
  if (record.completed_at.us == 0) {
    add_mark(html, "warn", "◌", "announced");
    html.text(": nothing of it is here");
  } else {
    add_mark(html, "good", "✓", "kept");
  }
}

std::string scope_text(const store::Upload& upload) {
  return project_text(upload.project) + (upload.is_try ? " (try build)" : "");
}

void add_filter(Html& html, const UploadsPage& shown) {
  const auto is_chosen = [&](std::string_view project) {
    return shown.project && *shown.project == project;
  };
  const std::size_t offered = std::min(shown.projects.size(), kProjectsOffered);
  bool has_chosen = !shown.project || shown.project->empty();
  html.open("form", {{"class", "filter"}, {"method", "get"}, {"action", "/settings/uploads"}});
  html.open("label").text("Project ").open("select", {{"name", "project"}});
  add_option(html, store::kEveryProject, "every project", !shown.project);
  add_option(html, "", project_text(""), is_chosen(""));
  for (std::size_t i = 0; i < offered; ++i) {
    const std::string& project = shown.projects[i];
    has_chosen = has_chosen || is_chosen(project);
    add_option(html, project, project, is_chosen(project));
  }
  if (!has_chosen) add_option(html, *shown.project, *shown.project, true);
  html.close().close();
  html.element("button", "Show").close();
}

void add_form(Html& html, const UploadsPage& shown) {
  html.open("section", {{"class", "card"}, {"aria-labelledby", "bring"}});
  html.element("h2", {{"id", "bring"}}, "Bring a file");
  html.open("form", {{"class", "fields"},
                     {"method", "post"},
                     {"enctype", "multipart/form-data"},
                     {"action", "/settings/uploads"}});
  html.open("label").text("A debug file or program, a zip of them, or a package ");
  html.leaf("input", {{"type", "file"}, {"name", "file"}, {"required", ""}}).close();
  html.open("label").text("Project ").open("select", {{"name", "project"}});
  add_option(html, "", project_text(""));
  for (std::size_t i = 0; i < shown.projects.size() && i < kProjectsOffered; ++i) {
    add_option(html, shown.projects[i], shown.projects[i]);
  }
  html.close().close();
  html.open("label");
  html.leaf("input", {{"type", "checkbox"}, {"name", "try"}, {"value", "1"}});
  html.text(" of a try build, which goes by itself").close();
  html.element("button", "Upload").close().close();
}

std::string url_of(const UploadsPage& shown) {
  std::string url = "/settings/uploads";
  if (shown.project) url += "?project=" + net::percent_encode(*shown.project);
  return url;
}

std::string next_url(const UploadsPage& shown) {
  if (shown.next_before == 0) return "";
  const std::string before = "before=" + std::to_string(shown.next_before);
  return url_of(shown) + (shown.project ? "&" : "?") + before;
}

std::string_view empty_text(const UploadsPage& shown) {
  if (!shown.is_first) return "There are no older ones.";
  return shown.project ? "Nothing was uploaded to this project yet." : "Nothing was uploaded yet.";
}

void add_row(Html& html, const UploadRow& row) {
  const store::Upload& upload = row.record.upload;
  html.open("tr").open("th", {{"scope", "row"}});
  const std::string url = url_of(upload.id);
  html.element("a", {{"href", url}}, "no.\u00a0" + std::to_string(upload.id)).close();
  html.open("td", {{"class", "when"}});
  add_time(html, upload.created_at);
  html.close().open("td");
  add_who(html, upload);
  html.close();
  add_cell(html, upload.way);
  add_long_cell(html, upload.file_name);
  add_cell(html, scope_text(upload));
  add_number_cell(html, row.sums.files);
  add_cell(html, skipped_text(row));
  html.open("td", {{"class", "number"}}).text(base::human_size(upload.size)).close();
  html.open("td");
  add_state(html, row.record);
  html.close().close();
}

void add_derived_state(Html& html, Literal what, const std::string& state) {
  html.open("div").text(what.view()).text(" ");
  constexpr std::string_view kFailed = "failed";
  if (state.starts_with(kFailed)) {
    add_mark(html, "bad", "✕", kFailed);
    html.element("bdi", std::string_view(state).substr(kFailed.size()));
  } else {
    const bool is_there = state == "ready" || state == "uploaded";
    add_mark(html, is_there ? "good" : "plain", is_there ? "✓" : "◌", state);
  }
  html.close();
}

void add_derived(Html& html, const UploadedFileRow& row) {
  html.open("td", {{"class", "long"}});
  if (!row.derived) {
    html.text("nothing is made of it");
  } else {
    add_derived_state(html, ".sym", row.derived->sym);
    add_derived_state(html, "index", row.derived->index);
    if (row.derived->functions) {
      html.open("div").text(count_text(*row.derived->functions, "function", "functions"));
      html.text(", ").text(count_text(row.derived->publics.value_or(0), "public", "publics"));
      html.close();
    }
  }
  html.close();
}

void add_outcome(Html& html, const store::UploadedFile& file) {
  html.open("td");
  if (!file.file) {
    add_mark(html, "bad", "✕", "gone since");
  } else if (file.was_known) {
    add_mark(html, "plain", "○", "was here already");
  } else {
    add_mark(html, "good", "✓", "new");
  }
  html.close();
}

void add_file(Html& html, const UploadedFileRow& row) {
  html.open("tr").open("th", {{"scope", "row"}}).element("bdi", row.file.path);
  const std::string hash = row.file.sha256.hex();
  const std::string url = "/settings/files?id=" + hash;
  html.open("div", {{"class", "hash"}}).element("a", {{"href", url}}, hash).close();
  html.close();
  add_outcome(html, row.file);
  if (row.file.file) {
    html.open("td", {{"class", "number"}}).text(base::human_size(row.file.file->size)).close();
    add_format_cell(html, *row.file.file);
    add_keys_cell(html, row.keys, Keys::open);
    add_derived(html, row);
  } else {
    html.open("td", {{"class", "number"}}).close();
    for (int i = 0; i < 3; ++i) html.open("td").close();
  }
  html.close();
}

void add_facts(Html& html, const store::UploadRecord& record) {
  const store::Upload& upload = record.upload;
  html.open("dl", {{"class", "facts"}});
  html.open("div").element("dt", "When (UTC)").open("dd");
  add_time(html, upload.created_at);
  html.close().close();
  html.open("div").element("dt", "Who").open("dd");
  add_who(html, upload);
  html.close().close();
  add_fact(html, "Way", upload.way);
  add_fact(html, "Called", upload.file_name);
  add_fact(html, "Sent", base::human_size(upload.size));
  add_fact(html, "Project", scope_text(upload));
  if (!upload.download_url.empty()) add_fact(html, "Fetched from", upload.download_url);
  html.open("div").element("dt", "State").open("dd");
  add_state(html, record);
  html.close().close();
  html.close();
}

void add_ignored(Html& html, const std::vector<std::string>& ignored) {
  if (ignored.empty()) return;
  html.open("details", {{"class", "more"}}).open("summary");
  html.text(count_text(ignored.size(), "name was passed over", "names were passed over"));
  html.text(": no symbol file, one without an id, or a name that nobody could ask for").close();
  html.open("ul", {{"class", "keys"}});
  for (std::size_t i = 0; i < ignored.size() && i < kIgnoredShown; ++i) {
    html.open("li").element("bdi", ignored[i]).close();
  }
  if (ignored.size() > kIgnoredShown) {
    html.element("li", fmt::format("and {} more", ignored.size() - kIgnoredShown));
  }
  html.close().close();
}

}  // namespace

std::string uploads_page(const UploadsPage& shown) {
  return settings_page(SettingsPart::uploads, "Uploads", [&](Html& html) {
    add_quiet(html,
              "“Here already”: the project had that content. “Passed over”: no symbol file, "
              "one without an id, or a name that nobody could ask for.");
    add_filter(html, shown);
    if (shown.rows.empty()) {
      html.element("p", empty_text(shown));
    } else {
      open_listing(html, "Uploads, the newest first",
                   {"Upload", "When (UTC)", "Who", "Way", "Called", "Project", "#Files", "Skipped",
                    "#Sent", "State"});
      for (const UploadRow& row : shown.rows) add_row(html, row);
      close_listing(html);
    }
    add_paging(html, shown.is_first ? "" : url_of(shown), next_url(shown));
    add_form(html, shown);
  });
}

std::string upload_page(const UploadPage& shown) {
  const std::int64_t id = shown.record.upload.id;
  const std::string title = "Upload no. " + std::to_string(id);
  return settings_page(SettingsPart::uploads, title, [&](Html& html) {
    add_facts(html, shown.record);
    html.element("h2",
                 fmt::format("{}, {} here already", count_text(shown.sums.files, "file", "files"),
                             shown.sums.known));
    add_ignored(html, shown.record.upload.ignored);
    if (shown.rows.empty()) {
      html.element("p", "No file of it is here.");
    } else {
      open_listing(html, "Files of this upload",
                   {"Sent as", "What came of it", "#Size", "Format", "Keys", "Made of it"});
      for (const UploadedFileRow& row : shown.rows) add_file(html, row);
      close_listing(html);
      add_numbered_paging(html, url_of(id), shown.sums.files, shown.page, shown.page_size);
    }
  });
}

}  // namespace ui
