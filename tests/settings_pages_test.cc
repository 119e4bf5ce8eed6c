// The operator's pages against a real server: what each shows, who may see it, and that buttons
// work from our own pages only.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/child.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/text.h"
#include "testing/scripted_server.h"
#include "testing/server_process.h"
#include "upload_dialects.h"

namespace {

using testing_support::ScriptedServer;
using testing_support::ServerProcess;

bool has(const net::ClientAnswer& answer, std::string_view text) {
  return answer.body.find(text) != std::string::npos;
}

std::string basic(const std::string& token) {
  return "Basic " + base::base64_of(base::bytes_of("me:" + token));
}

class SettingsPages : public testing::Test {
 protected:
  void SetUp() override {
    const std::string configuration = "[[upstream]]\nname = \"first\"\nurl = \"" + upstream_.url() +
                                      "/store\"\nfailures_max = 1\nrest_seconds = "
                                      "600\n[[upstream]]\nname = \"second\"\nurl = \"" +
                                      root_.path() + "/store\"\nprojects = [\"game\", \"\"]\n";
    const std::string config = root_.path() + "/faultline.toml";
    ASSERT_TRUE(base::write_file_durably(root_.path() + "/store/here", {}).ok());
    ASSERT_TRUE(base::write_file_durably(config, base::bytes_of(configuration)).ok());
    server_.emplace(ServerProcess::start({data(), {"--config", config}, {}, {}}));
    ASSERT_NE(server_->url(), "");
    run_admin("project create game --quota 100kB --two-tier");
    uploader_ = run_admin("token create uploader");
    admin_ = run_admin("token create boss --rights admin");
    gamer_ = run_admin("token create gamer --project game");
  }
  std::string data() const { return root_.path() + "/data"; }
  std::string run_admin(const std::string& arguments) const {
    const auto end = base::run_child("/bin/sh", {"sh", "-c",
                                                 "exec " + testing_support::faultline_program() +
                                                     " admin " + arguments + " --data " + data()});
    EXPECT_TRUE(end.ok() && end->ok()) << arguments << (end.ok() ? end->describe() : "");
    return end.ok() ? std::string(base::trim(end->output)) : "";
  }
  net::ClientAnswer get(const std::string& path) const {
    return uploads::send(server_->url(), "GET", path, "", {{"Authorization", basic(admin_)}});
  }
  net::ClientAnswer post(const std::string& path, const std::string& form,
                         uploads::Fields more = {}) const {
    more["Authorization"] = basic(admin_);
    more["Content-Type"] = "application/x-www-form-urlencoded";
    return uploads::send(server_->url(), "POST", path, form, more);
  }
  void put(const std::string& token, const std::string& path, const std::string& content) const {
    EXPECT_EQ(uploads::send(server_->url(), "PUT", path, content, {{"Auth-Token", token}}).status,
              201)
        << path;
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("settings-pages").value();
  ScriptedServer upstream_{root_.path(),
                           [](net::Request&) { return net::Answer::text(503, "not now"); }};
  std::optional<ServerProcess> server_;
  std::string uploader_, admin_, gamer_;
};

const std::vector<std::string>& pages() {
  static const std::vector<std::string> kPages{
      "/settings",           "/settings/projects", "/settings/tokens",    "/settings/uploads",
      "/settings/uploads/1", "/settings/files",    "/settings/upstreams", "/settings/storage"};
  return kPages;
}

TEST_F(SettingsPages, AreForAdministratorsWhomABrowserCanBe) {
  const uploads::File file = uploads::sym_file("libours.so", 500);
  put(uploader_, file.path, file.content);
  for (const std::string& page : pages()) {
    SCOPED_TRACE(page);
    const auto good = get(page);
    EXPECT_EQ(good.status, 200) << good.body;
    EXPECT_EQ(good.headers.find("Cache-Control").value_or(""), "no-store");
    EXPECT_TRUE(has(good, "aria-current=\"page\">Settings</a>"));
    EXPECT_TRUE(good.headers.find("Content-Security-Policy").has_value());
    const auto nobody = uploads::send(server_->url(), "GET", page);
    EXPECT_EQ(nobody.status, 401);
    EXPECT_TRUE(nobody.headers.find("WWW-Authenticate").value_or("").starts_with("Basic "));
    EXPECT_TRUE(has(nobody, "faultline admin token create"));
    // Somebody else: a browser may ask again, a program is told.
    const auto other =
        uploads::send(server_->url(), "GET", page, "", {{"Authorization", basic(uploader_)}});
    EXPECT_EQ(other.status, 401);
    EXPECT_FALSE(has(other, "libours.so"));
    EXPECT_EQ(uploads::send(server_->url(), "GET", page, "", {{"Auth-Token", uploader_}}).status,
              403);
  }
  // The server's own secret is as good.
  const std::string key(base::trim(base::read_file(data() + "/admin.key").value()));
  EXPECT_EQ(uploads::send(server_->url(), "GET", "/settings", "", {{"Auth-Token", key}}).status,
            200);
}

TEST_F(SettingsPages, ShowProjectsWithWhatTheyHaveAndWhomTheyAsk) {
  const uploads::File file = uploads::sym_file("libgame.so", 50'000);
  put(gamer_, "/p/game" + file.path, file.content);
  const auto page = get("/settings/projects");
  EXPECT_TRUE(has(page, "<bdi>default project</bdi>"));
  EXPECT_TRUE(has(page, "<bdi>game</bdi>"));
  EXPECT_TRUE(has(page, fmt::format("{} of 100.0 kB", base::human_size(file.content.size()))))
      << page.body;
  EXPECT_TRUE(has(page, "two-tier: has index2.txt"));
  EXPECT_TRUE(has(page, "<bdi>first</bdi>, <bdi>second</bdi>"));
  EXPECT_TRUE(has(page, "<td class=\"long\"><bdi>second</bdi></td>"));
  EXPECT_TRUE(has(get("/settings"), "1 project<"));
}

TEST_F(SettingsPages, ShowUploadsAndWhatEachFileGave) {
  const uploads::File file = uploads::sym_file("libours.so", 500);
  put(uploader_, file.path, file.content);
  const auto list = get("/settings/uploads");
  EXPECT_TRUE(has(list, "<bdi>uploader</bdi>"));
  EXPECT_TRUE(has(list, "href=\"/settings/uploads/1\""));
  const auto one = get("/settings/uploads/1");
  EXPECT_TRUE(has(one, "libours.so")) << one.body;
  EXPECT_TRUE(has(one, base::lower_ascii(file.id)));
  EXPECT_TRUE(has(one, "</span> uploaded</span>")) << "its .sym";
  EXPECT_TRUE(has(one, base::sha256_of(base::bytes_of(file.content)).hex()));
  const uploads::File other = uploads::sym_file("libgame.so", 500);
  put(gamer_, "/p/game" + other.path, other.content);
  const auto of_game = get("/settings/uploads?project=Game");
  EXPECT_TRUE(has(of_game, "href=\"/settings/uploads/2\""));
  EXPECT_FALSE(has(of_game, "href=\"/settings/uploads/1\""));
  const auto of_default = get("/settings/uploads?project=");
  EXPECT_TRUE(has(of_default, "href=\"/settings/uploads/1\""));
  EXPECT_FALSE(has(of_default, "href=\"/settings/uploads/2\""));
  EXPECT_TRUE(has(get("/settings/uploads?project=*"), "href=\"/settings/uploads/2\""));
  EXPECT_EQ(get("/settings/uploads/99").status, 404);
  EXPECT_EQ(get("/settings/uploads/x").status, 404);
}

TEST_F(SettingsPages, SayWhenATokenWasLastUsed) {
  const auto unused = [&] {
    const std::string page = get("/settings/tokens").body;
    std::size_t count = 0;
    for (auto at = page.find("not on record"); at != std::string::npos;
         at = page.find("not on record", at + 1)) {
      ++count;
    }
    return count;
  };
  EXPECT_EQ(unused(), 2u) << "the administrator's shows us the page";
  const uploads::File file = uploads::sym_file("libours.so", 500);
  put(uploader_, file.path, file.content);
  EXPECT_EQ(unused(), 1u);
  EXPECT_EQ(server_->stop(), 0);
  server_.emplace(ServerProcess::start({data(), {}, {}, {}}));
  EXPECT_EQ(unused(), 1u) << "kept over a restart";
}

TEST_F(SettingsPages, FindFilesByNameAndId) {
  const uploads::File ours = uploads::sym_file("libours.so", 500);
  const uploads::File theirs = uploads::sym_file("libtheirs.so", 500);
  put(uploader_, ours.path, ours.content);
  put(gamer_, "/p/game" + theirs.path, theirs.content);
  put(uploader_, "/lib%26lt;.so/abc1/lib%26lt;.so", "whatever");
  const auto all = get("/settings/files");
  EXPECT_TRUE(has(all, "libours.so") && has(all, "libtheirs.so"));
  EXPECT_TRUE(has(all, "<bdi>lib&amp;lt;.so</bdi>")) << all.body;
  EXPECT_TRUE(has(get("/settings/files?name=%22%3E%3Cb%3E"), "value=\"&quot;&gt;&lt;b&gt;\""));
  const auto named = get("/settings/files?name=LIBTH");
  EXPECT_TRUE(has(named, "libtheirs.so"));
  EXPECT_TRUE(has(named, "<bdi>game</bdi>"));
  EXPECT_FALSE(has(named, "libours.so"));
  EXPECT_TRUE(has(named, "upload no. 2"));
  const auto by_id = get("/settings/files?id=" + ours.id);
  EXPECT_TRUE(has(by_id, "libours.so") && !has(by_id, "libtheirs.so")) << by_id.body;
  EXPECT_TRUE(has(get("/settings/files?id=0123"), "Nothing here has that id."));
  EXPECT_TRUE(has(get("/settings/files?id=a/b/c/d"), "no NAME/ID/FILE"));
}

TEST_F(SettingsPages, FilesHavePages) {
  for (int i = 0; i < 101; ++i) {
    const std::string name = fmt::format("many{:03}.bin", i);
    put(uploader_, fmt::format("/{0}/abc1/{0}", name), name);
  }
  const auto first = get("/settings/files?name=many");
  EXPECT_TRUE(has(first, "many000.bin") && has(first, "many099.bin"));
  EXPECT_FALSE(has(first, "many100.bin"));
  const std::string start = "href=\"/settings/files?name=many&amp;after=100&amp;after-name=";
  EXPECT_TRUE(has(first, start + "many099.bin\"")) << first.body.substr(first.body.size() - 1000);
  const auto second = get("/settings/files?name=many&after=100&after-name=many099.bin");
  EXPECT_TRUE(has(second, "many100.bin") && !has(second, "many099.bin"));
  EXPECT_TRUE(has(second, "First page"));
}

TEST_F(SettingsPages, ShowHowUpstreamServersDoAndForgetTheirMisses) {
  const std::string asked = "/app.bin/0123456789ABCDEF0123456789ABCDEF1/app.bin";
  uploads::send(server_->url(), "GET", asked);
  auto page = get("/settings/upstreams");
  EXPECT_TRUE(has(page, "1. <bdi>first</bdi>"));
  EXPECT_TRUE(has(page, "2. <bdi>second</bdi>"));
  EXPECT_TRUE(has(page, "<bdi>" + upstream_.url() + "/store</bdi>"));
  EXPECT_TRUE(has(page, "did not answer; left alone for"));
  EXPECT_TRUE(has(page, "answers 503")) << page.body;
  EXPECT_TRUE(has(page, "<bdi>game, default project</bdi>"));
  EXPECT_TRUE(has(page, "<bdi>0 of at most 100000, each for 60 s</bdi>")) << "of the first";
  EXPECT_TRUE(has(page, "<bdi>3 of at most 100000, each for 60 s</bdi>")) << page.body;
  EXPECT_EQ(post("/settings/upstreams", "server=all", {{"Origin", "http://evil.example"}}).status,
            403);
  EXPECT_EQ(post("/settings/upstreams", "server=all", {{"Sec-Fetch-Site", "cross-site"}}).status,
            403);
  EXPECT_EQ(post("/settings/upstreams", "server=3").status, 404);
  EXPECT_EQ(post("/settings/upstreams", "").status, 404);
  const auto forgotten = post("/settings/upstreams", "server=2", {{"Origin", server_->url()}});
  EXPECT_EQ(forgotten.status, 303);
  const std::string to(forgotten.headers.find("Location").value_or(""));
  EXPECT_EQ(to, "/settings/upstreams?forgotten=2");
  page = get(to);
  EXPECT_TRUE(has(page, "The remembered misses of second were forgotten."));
  EXPECT_FALSE(has(page, "<bdi>3 of at most"));
  EXPECT_EQ(post("/settings/upstreams", "server=all").status, 303);
}

TEST_F(SettingsPages, TakeAFileFromABrowser) {
  EXPECT_TRUE(has(get("/settings/uploads"), "enctype=\"multipart/form-data\""));
  const uploads::File file = uploads::sym_file("libform.so", 500);
  const auto bring = [&](const std::string& name, const std::string& content,
                         const std::string& project, uploads::Fields more = {}) {
    more["Authorization"] = basic(admin_);
    more.insert(uploads::form_header().begin(), uploads::form_header().end());
    const std::string form =
        uploads::form_part("name=\"file\"; filename=\"" + name + "\"", content) +
        uploads::form_part("name=\"project\"", project) + uploads::form_end();
    return uploads::send(server_->url(), "POST", "/settings/uploads", form, more);
  };
  EXPECT_EQ(bring("a.sym", file.content, "", {{"Origin", "http://evil.example"}}).status, 403);
  const auto kept = bring("C:\\build\\libform.so.sym", file.content, "game");
  EXPECT_EQ(kept.status, 303) << kept.body;
  const auto page = get(std::string(kept.headers.find("Location").value_or("")));
  EXPECT_EQ(page.status, 200);
  EXPECT_TRUE(has(page, "libform.so")) << page.body;
  EXPECT_EQ(uploads::send(server_->url(), "GET", "/p/game" + file.path).status, 200);
  EXPECT_EQ(uploads::send(server_->url(), "GET", file.path).status, 404) << "the project's alone";
  EXPECT_EQ(bring("a.sym", file.content, "nowhere").status, 404);
  EXPECT_EQ(bring("", "", "").status, 400);
  EXPECT_EQ(bring("no.zip", "no zip", "").status, 400);
  EXPECT_EQ(bring("photo.jpg", "no debug file", "").status, 400) << "nobody could find it";
}

TEST_F(SettingsPages, MakeATokenWhoseSecretIsShownOnce) {
  const std::string form = "label=from+the+page&right=upload&right=read&project=game&days=7";
  EXPECT_EQ(post("/settings/tokens", form, {{"Origin", "http://evil.example"}}).status, 403);
  EXPECT_EQ(
      uploads::send(server_->url(), "POST", "/settings/tokens", form, {{"Auth-Token", uploader_}})
          .status,
      403);
  EXPECT_FALSE(has(get("/settings/tokens"), "from the page")) << "nothing was made";
  const auto made = post("/settings/tokens", form, {{"Origin", server_->url()}});
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.headers.find("Cache-Control").value_or(""), "no-store");
  const auto at = made.body.find("<pre>");
  ASSERT_NE(at, std::string::npos) << made.body;
  const std::string secret = made.body.substr(at + 5, 32);
  EXPECT_EQ(secret.find_first_not_of("0123456789abcdef"), std::string::npos) << secret;
  const uploads::File file = uploads::sym_file("libgame.so", 500);
  put(secret, "/p/game" + file.path, file.content);
  auto page = get("/settings/tokens");
  EXPECT_TRUE(has(page, "<bdi>from the page</bdi>"));
  EXPECT_TRUE(has(page, "<bdi>upload, read</bdi>"));
  EXPECT_FALSE(has(page, secret));

  EXPECT_EQ(post("/settings/tokens/extend", "id=4&days=soon").status, 400);
  const auto extended = post("/settings/tokens/extend", "id=4&days=0");
  EXPECT_EQ(extended.status, 303);
  page = get(std::string(extended.headers.find("Location").value_or("")));
  EXPECT_TRUE(has(page, "The token from the page has another end")) << page.body;
  const auto revoked = post("/settings/tokens/revoke", "id=4");
  EXPECT_EQ(revoked.status, 303);
  page = get(std::string(revoked.headers.find("Location").value_or("")));
  EXPECT_TRUE(has(page, "The token from the page was revoked")) << page.body;
  EXPECT_TRUE(has(page, "</span> revoked</span>"));
  EXPECT_EQ(uploads::send(server_->url(), "PUT", file.path, "x", {{"Auth-Token", secret}}).status,
            403);
  EXPECT_EQ(post("/settings/tokens/revoke", "id=4").status, 404);
  EXPECT_EQ(post("/settings/tokens/extend", "id=4&days=1").status, 404);
}

TEST_F(SettingsPages, SayWhyATokenWasNotMade) {
  for (const std::string& form : std::vector<std::string>{
           "label=x&project=*&days=7", "label=&right=read&project=*&days=7",
           "label=x&right=read&project=*&days=soon", "label=x&right=read&project=*&days=99999",
           "label=x&right=upload&right=upload-try&project=*&days=7"}) {
    const auto answer = post("/settings/tokens", form);
    EXPECT_EQ(answer.status, 400) << form;
    EXPECT_TRUE(has(answer, "No token was made:")) << form;
  }
  EXPECT_EQ(post("/settings/tokens", "label=x&right=read&project=nowhere&days=7").status, 404);
}

}  // namespace
