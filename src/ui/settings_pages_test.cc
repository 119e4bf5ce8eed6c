// The operator's pages as text: what strangers wrote stays text, states are told in words, long
// lists have pages.
#include <gtest/gtest.h>

#include "ui/files_page.h"
#include "ui/layout.h"
#include "ui/projects_page.h"
#include "ui/settings_overview.h"
#include "ui/storage_page.h"
#include "ui/tokens_page.h"
#include "ui/uploads_page.h"
#include "ui/upstreams_page.h"

namespace ui {
namespace {

constexpr const char* kHostile = "\"><script>alert(1)</script>";
constexpr std::int64_t kDay = 86'400'000'000;

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

void expect_harmless(const std::string& html) {
  EXPECT_FALSE(has(html, "<script>alert")) << html;
  EXPECT_TRUE(has(html, "&lt;script&gt;alert(1)")) << html;
  EXPECT_FALSE(has(html, "style=")) << html;
}

store::FileKeys hostile_keys() {
  store::FileKeys keys;
  keys.keys.push_back({{{ident::KeyKind::path, kHostile, kHostile}, false, true}, kHostile});
  keys.all = 1;
  return keys;
}

store::FileRecord hostile_file() {
  store::FileRecord file;
  file.id = 7;
  file.name = file.format = file.os = file.arch = kHostile;
  return file;
}

TEST(SettingsPages, AreInTheNavigation) {
  const std::string html = settings_overview_page({});
  EXPECT_TRUE(has(html, "<a href=\"/settings\" aria-current=\"page\">Settings</a>"));
  EXPECT_TRUE(has(html, "<a href=\"/settings\" aria-current=\"page\">Overview</a>"));
  EXPECT_TRUE(has(html, "<a href=\"/settings/upstreams\">Upstream servers</a>"));
  EXPECT_TRUE(has(page({"Crashes", Section::crashes, false}, [](Html&) {}),
                  "<a href=\"/settings\">Settings</a>"));
}

TEST(SettingsOverviewPage, SaysWhatItsFiguresMean) {
  SettingsOverview shown;
  std::string html = settings_overview_page(shown);
  EXPECT_TRUE(has(html, "What is not here is asked for nowhere else."));
  EXPECT_TRUE(has(html, "none yet"));
  EXPECT_TRUE(has(html, "Statistics are switched off"));
  EXPECT_TRUE(has(html, "Nobody uploads without one."));
  shown.is_open_to_local = true;
  shown.upstreams = 3;
  shown.upstreams_left_alone = 1;
  shown.files = 1;
  shown.bytes = 2048;
  shown.missing = 12;
  html = settings_overview_page(shown);
  EXPECT_TRUE(has(html, "1 of them does not answer and is left alone"));
  EXPECT_TRUE(has(html, "1 file, 2.0 kB")) << html;
  EXPECT_TRUE(has(html, "12 files"));
  EXPECT_TRUE(has(html, "Uploads from this machine need none yet"));
}

TEST(StoragePage, TellsWhatIsOverItsBoundAndWhatWasNotCounted) {
  StoragePage shown;
  shown.rows.resize(3);
  shown.rows[0].what = shown.rows[0].path = shown.rows[0].goes = kHostile;
  shown.rows[0].bytes = 2000;
  shown.rows[0].bytes_max = 1000;
  shown.rows[1].bytes = 2000;
  shown.rows[1].bytes_max = 1000;
  shown.rows[1].is_shared = true;
  shown.rows[2].files = 7;
  shown.rows[2].is_whole = false;
  shown.rows[2].oldest = {kDay};
  const std::string html = storage_page(shown);
  expect_harmless(html);
  EXPECT_EQ(count_of(html, "over its bound"), 1u) << "what is shared may be fuller on one side";
  EXPECT_TRUE(has(html, "1.0 kB, shared"));
  EXPECT_TRUE(has(html, "more than 7<"));
  EXPECT_TRUE(has(html, "<td class=\"number\"><bdi>none</bdi></td>"));
  EXPECT_EQ(count_of(html, ">–</td>"), 5u);
}

TEST(ProjectsPage, ShowsNothingOfOthersAsMarkup) {
  ProjectsPage shown;
  shown.rows.resize(1);
  shown.rows[0].project.name = kHostile;
  shown.rows[0].upstreams = {kHostile};
  expect_harmless(projects_page(shown));
}

TEST(ProjectsPage, TellsHowFullAProjectIsBeyondColour) {
  ProjectsPage shown;
  shown.rows.resize(4);
  for (std::size_t i = 0; i < 4; ++i) {
    shown.rows[i].project.name = "game" + std::to_string(i);
    shown.rows[i].project.quota = 1000;
  }
  shown.rows[0].used = 10;
  shown.rows[1].used = 950;
  shown.rows[2].used = 1001;
  shown.rows[3].project.quota = 0;
  shown.rows[3].is_open = true;
  const std::string html = projects_page(shown);
  EXPECT_TRUE(
      has(html, "(1%) <span class=\"tag tag-good\"><span aria-hidden=\"true\">✓</span> has room"));
  EXPECT_TRUE(has(html, "(95%)"));
  EXPECT_TRUE(has(html, "nearly full"));
  EXPECT_TRUE(has(html, "(100%)"));
  EXPECT_TRUE(has(html, "full: more is refused"));
  EXPECT_TRUE(has(html, "no quota"));
  EXPECT_EQ(count_of(html, "private</span>"), 3u);
  EXPECT_EQ(count_of(html, "public</span>"), 1u);
}

TEST(ProjectsPage, SaysThatTheDefaultProjectIsPublic) {
  ProjectsPage shown;
  shown.rows.resize(1);
  shown.rows[0].is_open = true;
  shown.rows[0].project.two_tier = true;
  shown.total = 1;
  const std::string html = projects_page(shown);
  EXPECT_TRUE(has(html, "<bdi>default project</bdi>"));
  EXPECT_TRUE(has(html, "public</span>: whoever reaches this server may read it"));
  EXPECT_TRUE(has(html, "two-tier: has index2.txt"));
  EXPECT_TRUE(has(html, "1 in all, page 1 of 1"));
}

store::Token token(std::int64_t id, const std::string& label) {
  store::Token token;
  token.id = id;
  token.label = label;
  token.rights.add(store::Right::upload);
  token.project = store::kEveryProject;
  token.created_at = {kDay};
  return token;
}

TEST(TokensPage, ShowsNothingOfOthersAsMarkup) {
  TokensPage shown;
  shown.tokens = {token(1, kHostile)};
  shown.tokens[0].project = kHostile;
  shown.total = 1;
  shown.projects = {kHostile};
  shown.note = shown.problem = shown.secret = shown.secret_label = kHostile;
  expect_harmless(tokens_page(shown));
}

TEST(TokensPage, TellsStatesByWordAndOffersToRevokeTheRest) {
  TokensPage shown;
  shown.now = {10 * kDay};
  shown.tokens = {token(3, "good"), token(2, "old"), token(1, "gone")};
  shown.tokens[0].expires_at = {20 * kDay};
  shown.tokens[1].expires_at = {9 * kDay};
  shown.tokens[2].revoked_at = {5 * kDay};
  shown.tokens[2].used_at = {4 * kDay};
  shown.tokens[0].quota = shown.tokens[1].quota = 10'000;
  shown.used[3] = 4000;
  shown.total = 3;
  const std::string html = tokens_page(shown);
  EXPECT_TRUE(has(html, "<td class=\"number\"><bdi>4.0 kB of 10.0 kB</bdi></td>"));
  EXPECT_TRUE(has(html, "<td class=\"number\"><bdi>10.0 kB</bdi></td>")) << "not counted";
  EXPECT_TRUE(has(html, "<td class=\"number\"><bdi>no limit</bdi></td>"));
  EXPECT_EQ(count_of(html, "</span> valid</span>"), 1u);
  EXPECT_EQ(count_of(html, "</span> expired</span>"), 1u);
  EXPECT_EQ(count_of(html, "</span> revoked</span>"), 1u);
  EXPECT_EQ(count_of(html, "action=\"/settings/tokens/revoke\""), 2u) << "the revoked one has none";
  EXPECT_EQ(count_of(html, "action=\"/settings/tokens/extend\""), 2u);
  EXPECT_TRUE(has(html, "Extend<span class=\"unseen\"> old, number 2</span>"));
  EXPECT_TRUE(has(html, "Revoke<span class=\"unseen\"> good, number 3</span>"));
  EXPECT_TRUE(has(html, ">never<"));
  EXPECT_EQ(count_of(html, ">not on record<"), 2u);
  EXPECT_TRUE(has(html, "1970-01-05"));
  EXPECT_TRUE(has(html, "<bdi>every project</bdi>"));
  EXPECT_FALSE(has(html, "secret; it is shown"));
}

TEST(TokensPage, ShowsASecretWithWhatItIs) {
  TokensPage shown;
  shown.secret = "0123456789abcdef";
  shown.secret_label = "ci";
  const std::string html = tokens_page(shown);
  EXPECT_TRUE(has(html, "<pre>0123456789abcdef</pre>"));
  EXPECT_TRUE(has(html, "shown this once"));
  EXPECT_TRUE(has(html, "There is none yet."));
}

TEST(TokensPage, HasPages) {
  TokensPage shown;
  shown.tokens = {token(3, "good")};
  shown.total = 250;
  shown.page = 2;
  const std::string html = tokens_page(shown);
  EXPECT_TRUE(has(html, "250 in all, page 2 of 3"));
  EXPECT_TRUE(has(html, "href=\"/settings/tokens\" rel=\"prev\""));
  EXPECT_TRUE(has(html, "href=\"/settings/tokens?page=3\" rel=\"next\""));
}

UploadRow upload_row(const std::string& text) {
  UploadRow row;
  row.record.upload.id = 12;
  row.record.upload.user = row.record.upload.peer = row.record.upload.way = text;
  row.record.upload.file_name = row.record.upload.project = text;
  row.record.upload.download_url = text;
  row.record.upload.ignored = {text};
  row.record.completed_at = {1};
  row.sums = {5, 2};
  return row;
}

TEST(UploadsPage, ShowsNothingOfOthersAsMarkup) {
  UploadsPage list;
  list.rows = {upload_row(kHostile)};
  expect_harmless(uploads_page(list));
  UploadPage one;
  one.record = list.rows[0].record;
  one.rows.resize(1);
  one.rows[0].file.path = kHostile;
  one.rows[0].file.file = hostile_file();
  one.rows[0].keys = hostile_keys();
  one.rows[0].derived = UploadedFileRow::Derived{std::string("failed: ") + kHostile, "ready", 1, 2};
  one.sums.files = 1;
  expect_harmless(upload_page(one));
}

TEST(UploadsPage, SaysWhoWhenAndWhatWasSkipped) {
  UploadsPage shown;
  shown.rows = {upload_row("ci"), upload_row("")};
  shown.rows[1].record.completed_at = {};
  shown.rows[1].record.upload.ignored.clear();
  shown.rows[1].sums = {};
  shown.next_before = 12;
  const std::string html = uploads_page(shown);
  EXPECT_TRUE(has(html, "<a href=\"/settings/uploads/12\">no.\u00a012</a>"));
  EXPECT_TRUE(has(html, "2 here already, 1 passed over"));
  EXPECT_TRUE(has(html, "<bdi>nothing</bdi>"));
  EXPECT_TRUE(has(html, "without a token"));
  EXPECT_TRUE(has(html, "announced</span>: nothing of it is here"));
  EXPECT_TRUE(has(html, "href=\"/settings/uploads?before=12\" rel=\"next\""));
  EXPECT_FALSE(has(html, "First page"));
  shown.is_first = false;
  shown.next_before = 0;
  EXPECT_TRUE(has(uploads_page(shown), "href=\"/settings/uploads\">← First page"));
  EXPECT_TRUE(has(uploads_page({}), "Nothing was uploaded yet."));
}

TEST(UploadsPage, OffersProjectsAndKeepsTheChosenOneFromPageToPage) {
  UploadsPage shown;
  shown.projects = {"game", "tools"};
  EXPECT_TRUE(has(uploads_page(shown), "value=\"*\" selected=\"\">every project<"));
  EXPECT_TRUE(has(uploads_page(shown), "<option value=\"game\">game</option>"));
  shown.project = "game";
  shown.is_first = false;
  shown.next_before = 12;
  const std::string html = uploads_page(shown);
  EXPECT_TRUE(has(html, "<option value=\"game\" selected=\"\">game</option>"));
  EXPECT_EQ(count_of(html, " selected=\"\""), 1u);
  EXPECT_TRUE(has(html, "href=\"/settings/uploads?project=game\">← First page"));
  EXPECT_TRUE(has(html, "?project=game&amp;before=12\" rel=\"next\""));
  // The default one has no name; one that is not offered stays all the same.
  shown.project = "";
  EXPECT_TRUE(has(uploads_page(shown), "value=\"\" selected=\"\">default project<"));
  EXPECT_TRUE(has(uploads_page(shown), "?project=&amp;before=12"));
  shown.project = "gone";
  EXPECT_TRUE(has(uploads_page(shown), "<option value=\"gone\" selected=\"\">gone</option>"));
  shown.is_first = true;
  EXPECT_TRUE(has(uploads_page(shown), "Nothing was uploaded to this project yet."));
  shown.project = kHostile;
  expect_harmless(uploads_page(shown));
}

TEST(UploadPage, SaysWhatEachFileGave) {
  UploadPage shown;
  shown.record.upload.id = 9;
  shown.rows.resize(3);
  shown.rows[0].file.file = store::FileRecord();
  shown.rows[0].keys.keys.push_back(
      {{{ident::KeyKind::build_id, "a.so", "c0de"}, true, false}, ""});
  shown.rows[0].keys.all = 1;
  shown.rows[0].derived = UploadedFileRow::Derived{"ready", "working", 120, 3};
  shown.rows[1].file.was_known = true;
  shown.rows[1].file.file = store::FileRecord();
  shown.sums = {250, 1};
  shown.page = 3;
  const std::string html = upload_page(shown);
  EXPECT_TRUE(has(html, "build_id <code><bdi>c0de</bdi></code> as <bdi>a.so</bdi>"));
  EXPECT_TRUE(has(html, "120 functions, 3 publics"));
  EXPECT_TRUE(has(html, "</span> working</span>"));
  EXPECT_TRUE(has(html, "</span> new</span>"));
  EXPECT_TRUE(has(html, "</span> was here already</span>"));
  EXPECT_TRUE(has(html, "</span> gone since</span>"));
  EXPECT_TRUE(has(html, "nothing is made of it"));
  EXPECT_TRUE(has(html, "250 in all, page 3 of 3"));
  EXPECT_TRUE(has(html, "href=\"/settings/uploads/9?page=2\""));
}

TEST(FilesPage, ShowsNothingOfOthersAsMarkup) {
  FilesPage shown;
  shown.rows.resize(1);
  shown.rows[0].listed.file = hostile_file();
  shown.rows[0].listed.keys = hostile_keys();
  shown.rows[0].places = {{FilePlace::Kind::upstream, kHostile, kHostile, kHostile}};
  shown.query.by = store::FileQuery::By::name;
  shown.query.text = kHostile;
  shown.has_more = true;
  expect_harmless(files_page(shown));
  shown.problem = kHostile;
  expect_harmless(files_page(shown));
}

TEST(FilesPage, SaysWhereAFileCameFromAndWhatHoldsIt) {
  FilesPage shown;
  shown.rows.resize(2);
  shown.rows[0].listed.file.name = "a.so";
  shown.rows[0].listed.uploads = 2;
  shown.rows[0].listed.last_upload = 9;
  shown.rows[0].listed.transactions = 1;
  shown.rows[1].places = {{FilePlace::Kind::upstream, "https://x/a", "", "nuget"},
                          {FilePlace::Kind::package, "/w/a.deb", "/usr/a", ""}};
  const std::string html = files_page(shown);
  EXPECT_TRUE(has(html, "uploaded, last by <a href=\"/settings/uploads/9\">upload no. 9</a>"));
  EXPECT_TRUE(has(html, "2 uploads, 1 transaction"));
  EXPECT_TRUE(has(html, "fetched from <bdi>nuget</bdi>: <bdi>https://x/a</bdi>"));
  EXPECT_TRUE(has(html, "in a watched package: <bdi>/w/a.deb</bdi>, in it <bdi>/usr/a</bdi>"));
  EXPECT_TRUE(has(html, "none: nobody can ask for it"));
}

TEST(FilesPage, KeepsTheQuestionFromPageToPage) {
  FilesPage shown;
  shown.query.by = store::FileQuery::By::name;
  shown.query.text = "lib a";
  shown.query.after = 9;
  shown.rows.resize(1);
  shown.rows[0].listed.file.id = 5;
  shown.rows[0].listed.file.name = "lib&b";
  shown.has_more = true;
  std::string html = files_page(shown);
  EXPECT_TRUE(has(html, "?name=lib%20a&amp;after=5&amp;after-name=lib%26b\" rel=\"next\"")) << html;
  EXPECT_TRUE(has(html, "href=\"/settings/files?name=lib%20a\">← First page"));
  EXPECT_TRUE(has(html, "name=\"name\" value=\"lib a\""));
  EXPECT_TRUE(has(html, "name=\"id\" value=\"\""));
  shown.query = {};
  html = files_page(shown);
  EXPECT_TRUE(has(html, "href=\"/settings/files?after=5\" rel=\"next\""));
  EXPECT_TRUE(has(files_page({}), "No file is stored yet."));
  shown.rows.clear();
  shown.query.by = store::FileQuery::By::key;
  EXPECT_TRUE(has(files_page(shown), "Nothing here has that id."));
}

UpstreamRow upstream_row(const std::string& text) {
  UpstreamRow row;
  row.number = 1;
  row.name = row.kind = row.layout = row.address = row.last_failure = text;
  row.projects = {"", text};
  row.kinds = row.allow = row.deny = {text};
  row.copies = {text};
  return row;
}

TEST(UpstreamsPage, ShowsNothingOfOthersAsMarkup) {
  UpstreamsPage shown;
  shown.rows = {upstream_row(kHostile)};
  shown.note = kHostile;
  expect_harmless(upstreams_page(shown));
}

TEST(UpstreamsPage, SaysWhatAServerIsNotAskedFor) {
  UpstreamsPage shown;
  shown.rows = {upstream_row("one"), upstream_row("two")};
  shown.rows[0].kinds = {"pdb", "pe"};
  shown.rows[0].allow.clear();
  shown.rows[0].deny.assign(22, "mso");
  shown.rows[1].kinds = shown.rows[1].deny = {};
  shown.rows[1].allow = {"ours.*"};
  const std::string html = upstreams_page(shown);
  EXPECT_TRUE(has(html, "Kinds of files</dt><dd><bdi>pdb, pe<"));
  EXPECT_TRUE(has(html, "mso, mso and 2 more<"));
  EXPECT_TRUE(has(html, "Names allowed</dt><dd><bdi>ours.*<"));
  EXPECT_EQ(count_of(html, "Kinds of files"), 1u);
  EXPECT_EQ(count_of(html, "Names allowed"), 1u);
  EXPECT_EQ(count_of(html, "Names denied"), 1u);
}

TEST(UpstreamsPage, TellsStatesByWord) {
  UpstreamsPage shown;
  shown.rows = {upstream_row("one"), upstream_row("two"), upstream_row("three")};
  shown.rows[0].last_failure = "";
  shown.rows[1].state = UpstreamRow::State::left_alone;
  shown.rows[1].rests = std::chrono::seconds(42);
  shown.rows[2].state = UpstreamRow::State::on_trial;
  shown.rows[2].remembered = 3;
  shown.may_cache = false;
  const std::string html = upstreams_page(shown);
  EXPECT_TRUE(has(html, "</span> is asked</span>"));
  EXPECT_TRUE(has(html, "did not answer; left alone for 42 s more"));
  EXPECT_TRUE(has(html, "the next request tries it again"));
  EXPECT_TRUE(has(html, "none since the server started"));
  EXPECT_TRUE(has(html, "nothing is fetched until there is room again"));
  EXPECT_EQ(count_of(html, " There are none now."), 2u);
  EXPECT_EQ(count_of(html, "action=\"/settings/upstreams\""), 4u);
  EXPECT_TRUE(has(upstreams_page({}), "None are configured"));
}

TEST(UpstreamsPage, CutsSecretsOutOfAddresses) {
  struct Row {
    const char* name;
    const char* address;
    const char* expected;
  };
  for (const Row& row : {
           Row{"plain", "https://host/symbols", "https://host/symbols"},
           Row{"user and password", "https://me:secret@host/symbols", "https://host/symbols"},
           Row{"an @ in a password", "https://me:a@b@host:8/x", "https://host:8/x"},
           Row{"an @ in the path", "https://host/a@b", "https://host/a@b"},
           Row{"query", "https://host/x?sig=secret", "https://host/x"},
           Row{"query without a path", "https://host?sig=a/b@c", "https://host"},
           Row{"fragment", "https://host/x#secret", "https://host/x"},
           Row{"bucket", "s3://bucket/prefix", "s3://bucket/prefix"},
           Row{"directory", "/srv/a@b?c", "/srv/a@b?c"},
       }) {
    EXPECT_EQ(address_without_secrets(row.address), row.expected) << row.name;
  }
}

}  // namespace
}  // namespace ui
