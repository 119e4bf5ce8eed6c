// What single dialects promise beyond the common: NuGet's push, archives fetched by URL, try
// symbols that end, Basic credentials, a recorded exchange of sentry-cli, dSYM bundles in zips,
// packages that are unpacked.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <thread>

#include "base/child.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/free_port.h"
#include "testing/raw_http.h"
#include "testing/server_process.h"
#include "testing/stored_zip.h"
#include "testing/wrong_clock.h"
#include "upload_dialects.h"

extern char** environ;

namespace {

using namespace std::chrono_literals;
using base::JsonValue;
using testing_support::faultline_program;
using testing_support::ServerProcess;
using testing_support::StoredZip;
using uploads::form_end;
using uploads::form_header;
using uploads::form_part;

class UploadProtocols : public testing::Test {
 protected:
  void start(std::vector<std::string> environment = {}) {
    server_.emplace(ServerProcess::start({data(), {}, {}, std::move(environment)}));
    ASSERT_NE(server_->url(), "");
  }
  std::string data() const { return root_.path() + "/data"; }
  net::ClientAnswer send(const std::string& method, const std::string& path,
                         const std::string& body = "", const uploads::Fields& headers = {}) {
    return uploads::send(server_->url(), method, path, body, headers);
  }
  net::ClientAnswer post_file(const std::string& name, const std::string& content,
                              const std::string& more = "") {
    return send("POST", "/upload/",
                more + form_part("name=\"f\"; filename=\"" + name + "\"", content) + form_end(),
                form_header());
  }
  static JsonValue json_of(const net::ClientAnswer& answer) {
    auto json = JsonValue::parse(answer.body);
    return json.ok() ? std::move(*json) : JsonValue();
  }
  std::string admin(const std::string& arguments) {
    const auto end = base::run_child(
        "/bin/sh",
        {"sh", "-c", "exec " + faultline_program() + " admin " + arguments + " --data " + data()});
    EXPECT_TRUE(end.ok() && end->ok()) << arguments << (end.ok() ? end->describe() : "");
    return end.ok() ? std::string(base::trim(end->output)) : "";
  }
  static bool comes_true(const std::function<bool()>& is_true) {
    const auto until = std::chrono::steady_clock::now() + 30s;
    while (std::chrono::steady_clock::now() < until) {
      if (is_true()) return true;
      std::this_thread::sleep_for(50ms);
    }
    return false;
  }
  bool comes_to(const std::string& path, int status) {
    return comes_true([&] { return send("GET", path).status == status; });
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("protocols").value();
  std::optional<ServerProcess> server_;
};

std::string must_read(const std::string& path) {
  auto text = base::read_file(path);
  EXPECT_TRUE(text.ok()) << path;
  return text.ok() ? std::move(*text) : std::string();
}

std::string base64_of(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string coded;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      coded += i + k > text.size() ? '=' : kDigits[bits >> (18 - 6 * k) & 63];
    }
  }
  return coded;
}

TEST_F(UploadProtocols, NugetPushes) {
  start();
  const JsonValue index = json_of(send("GET", "/nuget/v3/index.json"));
  EXPECT_EQ(index["version"].text_or(""), "3.0.0");
  std::string place;
  for (std::size_t i = 0; i < index["resources"].size(); ++i) {
    const JsonValue& resource = index["resources"].at(i);
    if (resource["@type"].text_or("") == "SymbolPackagePublish/4.9.0") {
      place = resource["@id"].text_or("");
    }
  }
  ASSERT_TRUE(place.starts_with(server_->url())) << place;
  place = place.substr(server_->url().size());
  const std::string token = admin("token create nuget");
  const uploads::File file = uploads::elf_file("libnative.so", 5000);
  const std::string package = StoredZip()
                                  .add("x.nuspec", "<package/>")
                                  .add("_rels/.rels", "<Relationships/>")
                                  .add("runtimes/linux-x64/native/libnative.so", file.content)
                                  .finish();
  const std::string form = form_part("name=package; filename=x.snupkg", package) + form_end();
  const auto push = [&](const std::string& key, const std::string& body) {
    uploads::Fields headers = form_header();
    if (!key.empty()) headers["X-NuGet-ApiKey"] = key;
    return send("PUT", place, body, headers).status;
  };
  EXPECT_EQ(push("", form), 401);
  EXPECT_EQ(push("0123456789abcdef0123456789abcdef", form), 401);
  EXPECT_EQ(push(admin("token create reader --rights read"), form), 403);
  EXPECT_EQ(push(token, form_part("name=package; filename=x.snupkg", "no zip") + form_end()), 400);
  EXPECT_EQ(push(token, form_end()), 400);
  EXPECT_EQ(push(token, form), 201);
  EXPECT_EQ(push(token, form), 201) << "the same again is no error";
  EXPECT_EQ(send("GET", file.path).body, file.content);
  const auto record = json_of(send("GET", "/upload/1", "", {{"Auth-Token", token}}))["upload"];
  EXPECT_EQ(record["filename"].text_or(""), "x.snupkg") << send("GET", "/upload/1").body;
  EXPECT_EQ(record["ignored_keys"].size(), 2u);
}

TEST_F(UploadProtocols, BasicCredentialsGoodAndBad) {
  start();
  const std::string token = admin("token create ci");
  const uploads::File file = uploads::sym_file("basic.so", 500);
  const auto put_as = [&](const std::string& user_and_password) {
    const std::string code = base64_of(user_and_password);
    return send("PUT", file.path, file.content, {{"Authorization", "Basic " + code}}).status;
  };
  EXPECT_EQ(put_as("any:" + token), 201);
  EXPECT_EQ(put_as(token + ":"), 200);
  EXPECT_EQ(put_as("any:" + token + "-label"), 200);
  EXPECT_EQ(put_as("any:wrong"), 403);
  EXPECT_EQ(put_as(token + ":wrong"), 403) << "the password is asked, not the name";
  EXPECT_EQ(put_as(""), 403);
  EXPECT_EQ(send("PUT", file.path, "x", {{"Authorization", "Basic"}}).status, 403);
  EXPECT_EQ(send("PUT", file.path, "x", {{"Authorization", "Digest x"}}).status, 403);
}

// Try symbols whose time is over go, with their bytes; what was also uploaded for good stays.
TEST_F(UploadProtocols, TrySymbolsEnd) {
  constexpr std::int64_t kDay = 24 * 3600;
  testing_support::WrongClock clock(root_.path() + "/offset");
  start(clock.environment());
  const uploads::File gone = uploads::sym_file("gone.so", 500);
  const uploads::File both = uploads::sym_file("both.so", 500);
  const std::string zip = StoredZip()
                              .add(gone.path.substr(1), gone.content)
                              .add(both.path.substr(1), both.content)
                              .finish();
  EXPECT_EQ(post_file("z.zip", zip, form_part("name=\"try\"", "1")).status, 201);
  EXPECT_EQ(send("PUT", both.path, both.content).status, 201);
  EXPECT_EQ(send("GET", "/try" + gone.path).status, 200);
  EXPECT_EQ(send("GET", gone.path).status, 404);
  server_->stop();
  clock.set(31 * kDay);
  start(clock.environment());
  EXPECT_TRUE(comes_to("/try" + gone.path, 404)) << server_->log();
  EXPECT_EQ(send("GET", both.path).body, both.content);
  EXPECT_TRUE(comes_true([&] { return base::list_files(data() + "/blobs")->size() == 1; }));
  EXPECT_TRUE(comes_true([&] {
    return server_->log().find("try symbols expired") != std::string::npos;
  })) << server_->log();
}

// What sentry-cli's own tests record: three slices of a Mach-O file in one gzipped form.
TEST_F(UploadProtocols, ReplaysSentryClisGoldenExchange) {
  REQUIRE_CORPUS(corpus);
  start();
  const std::string place = corpus + "/symbols/upload/sentry-cli-golden/";
  const JsonValue golden = JsonValue::parse(must_read(place + "exchange.json")).value();
  const JsonValue& exchange = golden["exchange"];
  const auto line_of = [&](std::size_t step) {
    const auto words = base::split(exchange.at(step)["request"].text_or(""), ' ');
    return std::make_pair(std::string(words.at(0)), std::string(words.at(1)));
  };
  const auto options = send(line_of(0).first, line_of(0).second);
  EXPECT_EQ(json_of(options)["hashAlgorithm"].text_or(""), "sha1");
  // The request of the second step is in its answer: each file is one chunk.
  std::string assemble;
  for (const auto& [sha1, state] : *exchange.at(1)["response"].object()) {
    assemble += (assemble.empty() ? "{\"" : ",\"") + sha1 + R"(":{"name":"fibonacci","chunks":[")" +
                std::string(state["missingChunks"].at(0).text_or("")) + "\"]}";
  }
  assemble += "}";
  const JsonValue before = json_of(send(line_of(1).first, line_of(1).second, assemble));
  for (const auto& [sha1, state] : *exchange.at(1)["response"].object()) {
    EXPECT_EQ(before[sha1]["state"].text_or(""), "not_found");
    EXPECT_EQ(before[sha1]["missingChunks"].size(), 1u);
  }
  const std::string boundary(exchange.at(2)["boundary"].text_or(""));
  const auto sent =
      send(line_of(2).first, line_of(2).second,
           must_read(place + std::string(exchange.at(2)["request_body_file"].text_or(""))),
           {{"Content-Type", "multipart/form-data; boundary=" + boundary}});
  EXPECT_EQ(sent.status, 200) << sent.body;
  const JsonValue after = json_of(send(line_of(3).first, line_of(3).second, assemble));
  for (const auto& [sha1, state] : *exchange.at(3)["response"].object()) {
    EXPECT_EQ(after[sha1]["state"].text_or(""), "ok") << sha1;
    EXPECT_EQ(after[sha1]["missingChunks"].size(), 0u);
    EXPECT_EQ(after[sha1]["dif"]["debugId"].text_or("").size(), 36u);
  }
}

TEST_F(UploadProtocols, TakesDsymBundlesInZips) {
  REQUIRE_CORPUS(corpus);
  start();
  const std::string bundle = corpus + "/symbols/objects/macho/simple-dsym/main.dSYM/Contents/";
  const std::string binary = must_read(bundle + "Resources/DWARF/main");
  const std::string inside = "Payload/my main.app.dSYM/Contents/";
  const std::string zip = StoredZip()
                              .add(inside + "Info.plist", must_read(bundle + "Info.plist"))
                              .add(inside + "Resources/DWARF/main", binary)
                              .add(inside + "Resources/Relocations/x86_64/main.yml", "---\n")
                              .add("__MACOSX/Payload/._my main.app.dSYM", "\5\26\7")
                              .finish();
  const auto posted = post_file("app.dSYM.zip", zip);
  ASSERT_EQ(posted.status, 201) << posted.body;
  const JsonValue upload = json_of(posted)["upload"];
  ASSERT_EQ(upload["files"].size(), 1u);
  EXPECT_EQ(upload["ignored_keys"].size(), 3u);
  const std::string id(upload["files"].at(0)["debug_id"].text_or(""));
  ASSERT_EQ(id.size(), 33u);
  // As SSQP asks for it, and by the name and id of its module.
  const std::string uuid = base::lower_ascii(id.substr(0, 32));
  EXPECT_EQ(send("GET", "/_.dwarf/mach-uuid-sym-" + uuid + "/_.dwarf").body, binary);
  EXPECT_EQ(send("GET", "/main/" + id + "/main").body, binary);
}

TEST_F(UploadProtocols, UnpacksPackagesAsItDoesWatchedOnes) {
  REQUIRE_CORPUS(corpus);
  start();
  const std::string folder = corpus + "/symbols/archives/";
  const JsonValue expected = JsonValue::parse(must_read(folder + "expected.json")).value();
  int packages = 0, members = 0;
  for (std::size_t i = 0; i < expected["archives"].size(); ++i) {
    const JsonValue& archive = expected["archives"].at(i);
    const std::string path(archive["archive"].text_or(""));
    const std::string name(base::basename_of(path));
    std::vector<const JsonValue*> elves;
    for (std::size_t k = 0; k < archive["members"].size(); ++k) {
      const JsonValue& member = archive["members"].at(k);
      if (!member["elf"]["build_id"].text_or("").empty()) elves.push_back(&member);
    }
    if (elves.empty() || !(name.ends_with(".rpm") || name.ends_with(".deb") ||
                           name.find(".tar") != std::string::npos)) {
      continue;
    }
    SCOPED_TRACE(path);
    const std::string package = must_read(folder + path);
    // One half by the form, the other by name.
    const bool by_form = packages++ % 2 == 0;
    const auto answer =
        by_form ? post_file(name, package) : send("PUT", "/api/v1/files/" + name, package);
    ASSERT_EQ(answer.status, 201) << answer.body;
    for (const JsonValue* member : elves) {
      const std::string id((*member)["elf"]["build_id"].text_or(""));
      const std::string file(base::basename_of((*member)["path"].text_or("")));
      const auto found = send("GET", fmt::format("/{0}/elf-buildid-{1}/{0}", file, id));
      const auto debug = send("GET", "/buildid/" + id + "/debuginfo");
      const std::string want((*member)["sha256"].text_or(""));
      EXPECT_TRUE(base::sha256_of(base::bytes_of(found.body)).hex() == want ||
                  base::sha256_of(base::bytes_of(debug.body)).hex() == want)
          << file << " " << found.status << " " << debug.status;
      ++members;
    }
  }
  EXPECT_GE(packages, 10);
  EXPECT_GE(members, 15);
}

TEST_F(UploadProtocols, UnpacksATarWithoutTheCorpus) {
  start();
  const uploads::File file = uploads::elf_file("tarred.so", 50'000);
  ASSERT_TRUE(
      base::write_file_durably(root_.path() + "/tarred.so", base::bytes_of(file.content)).ok());
  const auto end = base::run_child(
      "/bin/sh",
      {"sh", "-c",
       "cd " + root_.path() + " && echo text > readme && tar -cJf x.tar.xz tarred.so readme"});
  ASSERT_TRUE(end.ok() && end->ok());
  const auto answer = post_file("x.tar.xz", must_read(root_.path() + "/x.tar.xz"));
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(send("GET", file.path).body, file.content);
  EXPECT_EQ(post_file("x.rar", "x").status, 400);
  // A member that nobody can use, and whose name no database takes as it is.
  const auto odd = base::run_child(
      "/bin/bash", {"bash", "-c",
                    "cd " + root_.path() +
                        " && head -c 64 tarred.so > $'odd\\x01\\xff.so' && tar -cf odd.tar *.so"});
  ASSERT_TRUE(odd.ok() && odd->ok());
  const auto kept = post_file("odd.tar", must_read(root_.path() + "/odd.tar"));
  EXPECT_EQ(kept.status, 201) << kept.body;
  EXPECT_NE(kept.body.find("odd\uFFFD\uFFFD.so"), std::string::npos) << kept.body;
}

// A host that takes connections and says nothing.
class SilentHost {
 public:
  SilentHost() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(fd_.get(), generic, size), 0);
    EXPECT_EQ(::listen(fd_.get(), 16), 0);
    EXPECT_EQ(::getsockname(fd_.get(), generic, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  std::string url() const { return "https://localhost:" + std::to_string(port_) + "/x.zip"; }

 private:
  base::Fd fd_;
  std::uint16_t port_ = 0;
};

// One worker, one thread for what takes long, one place to wait: archives that never come hold
// nobody else up, and the third is told to come again.
TEST_F(UploadProtocols, ArchivesThatNeverComeLeaveTheWorkersAlone) {
  const SilentHost host;
  start({"FAULTLINE_WORKERS=1", "FAULTLINE_UNPACKING_THREADS=1", "FAULTLINE_UNPACKING_WAITING=1",
         "FAULTLINE_UPLOAD_URL_HOSTS=localhost", "FAULTLINE_UPLOAD_URL_PRIVATE=yes"});
  const std::string form = form_part("name=\"url\"", host.url()) + form_end();
  const std::string request = "POST /upload/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: " +
                              form_header().at("Content-Type") +
                              "\r\nContent-Length: " + std::to_string(form.size()) + "\r\n\r\n" +
                              form;
  const std::string address = server_->url().substr(std::string_view("http://").size());
  std::array<testing_support::RawClient, 3> clients{testing_support::RawClient(address),
                                                    testing_support::RawClient(address),
                                                    testing_support::RawClient(address)};
  const auto begun = std::chrono::steady_clock::now();
  for (auto& client : clients) ASSERT_TRUE(client.send(request));
  // Whichever comes last; then the others have their places.
  std::string refused;
  while (refused.empty() && std::chrono::steady_clock::now() - begun < 8s) {
    for (auto& client : clients) refused += client.read_all(50ms);
  }
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 503")) << refused;
  EXPECT_NE(refused.find("Retry-After: "), std::string::npos) << refused;
  EXPECT_EQ(post_file("x.tar", uploads::tar_entry("x", "y") + uploads::tar_end()).status, 503);
  EXPECT_EQ(send("GET", "/readyz").status, 200);
  EXPECT_EQ(send("GET", "/metrics").status, 200);
  const uploads::File file = uploads::elf_file("beside.so", 5000);
  EXPECT_EQ(send("PUT", file.path, file.content).status, 201);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
  server_->kill();
}

// An nginx with TLS on loopback that has archives, and redirects good and bad.
class UploadByUrl : public UploadProtocols {
 protected:
  void SetUp() override {
    have_tools_ =
        testing_support::have_command("nginx") && testing_support::have_command("openssl");
    if (!have_tools_) return;
    place_ = root_.path() + "/nginx";
    ASSERT_TRUE(base::make_directories(place_ + "/files").ok());
    ASSERT_TRUE(
        run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
            "-days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout " +
            place_ + "/key.pem -out " + place_ + "/cert.pem 2>/dev/null"));
    const std::string zip = StoredZip().add(file_.path.substr(1), file_.content).finish();
    write("files/symbols.zip", zip);
    write("files/symbols.rar", zip);
    write("files/symbols.tar",
          uploads::tar_entry("usr/lib/" + packed_.name, packed_.content) + uploads::tar_end());
    write("files/damaged.tar", std::string(10240, 'x'));
    port_ = std::to_string(testing_support::free_port());
    write("nginx.conf", configuration());
    start_nginx();
    start({"FAULTLINE_UPLOAD_URL_HOSTS=localhost, *.example.test",
           "FAULTLINE_UPLOAD_URL_PRIVATE=yes",
           "FAULTLINE_UPLOAD_URL_CA_BUNDLE=" + place_ + "/cert.pem"});
  }
  void TearDown() override {
    if (nginx_ <= 0) return;
    ::kill(nginx_, SIGKILL);
    ::waitpid(nginx_, nullptr, 0);
  }
  std::string url(const std::string& path) const { return "https://localhost:" + port_ + path; }
  net::ClientAnswer fetch(const std::string& url) {
    return send("POST", "/upload/", form_part("name=\"url\"", url) + form_end(), form_header());
  }
  static bool run(const std::string& command) {
    const auto end = base::run_child("/bin/sh", {"sh", "-c", command});
    return end.ok() && end->ok();
  }

  uploads::File file_ = uploads::sym_file("fetched.so", 5000);
  uploads::File packed_ = uploads::elf_file("packed.so", 5000);
  std::string place_, port_;
  pid_t nginx_ = -1;
  bool have_tools_ = false;

 private:
  void write(const std::string& name, const std::string& content) {
    ASSERT_TRUE(base::write_file_durably(place_ + "/" + name, base::bytes_of(content)).ok());
  }
  std::string configuration() const {
    return "daemon off; master_process off; pid " + place_ + "/pid; error_log stderr;\n" +
           "events {}\nhttp { access_log off; client_body_temp_path " + place_ + "/t1; " +
           "proxy_temp_path " + place_ + "/t2; fastcgi_temp_path " + place_ +
           "/t3; uwsgi_temp_path " + place_ + "/t4; scgi_temp_path " + place_ + "/t5;\n" +
           "server { listen 127.0.0.1:" + port_ + " ssl; ssl_certificate " + place_ +
           "/cert.pem; ssl_certificate_key " + place_ + "/key.pem; root " + place_ + "/files;\n" +
           "location = /one.zip { return 302 /two; }\n"
           "location = /two { return 307 https://localhost:" +
           port_ + "/symbols.zip; }\n" +
           "location = /away.zip { return 302 https://forbidden.invalid/symbols.zip; }\n"
           "location = /plain.zip { return 302 http://localhost:" +
           port_ + "/symbols.zip; }\n" +
           "location = /loop.zip { return 302 /loop.zip; }\n"
           "location = /odd.zip { return 302 https://localhost@forbidden.invalid/; }\n"
           "location = /broken.zip { return 503; } } }\n";
  }
  void start_nginx() {
    std::vector<std::string> words{
        "nginx", "-e", "stderr", "-p", place_, "-c", place_ + "/nginx.conf"};
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    ASSERT_EQ(::posix_spawnp(&nginx_, "nginx", nullptr, nullptr, argv.data(), environ), 0);
    net::ClientOptions options;
    options.ca_bundle = place_ + "/cert.pem";
    for (int i = 0; i < 500; ++i) {
      net::ClientRequest request;
      request.url = url("/symbols.zip");
      const auto answer = net::Client(options).send(request);
      if (answer.ok() && answer->status == 200) return;
      std::this_thread::sleep_for(20ms);
    }
    FAIL() << "nginx does not answer";
  }
};

TEST_F(UploadByUrl, FetchesAndKeepsTheChainOfRedirects) {
  REQUIRE_OR_SKIP(have_tools_, "nginx or openssl is not installed");
  const auto straight = fetch(url("/symbols.zip"));
  ASSERT_EQ(straight.status, 201) << straight.body;
  EXPECT_EQ(json_of(straight)["upload"]["download_url"].text_or(""), url("/symbols.zip"));
  EXPECT_EQ(json_of(straight)["upload"]["redirect_urls"].size(), 0u);
  EXPECT_EQ(send("GET", file_.path).body, file_.content);
  const auto redirected = fetch(url("/one.zip"));
  ASSERT_EQ(redirected.status, 201) << redirected.body;
  const JsonValue upload = json_of(redirected)["upload"];
  ASSERT_EQ(upload["redirect_urls"].size(), 2u);
  EXPECT_EQ(upload["redirect_urls"].at(0).text_or(""), url("/two"));
  EXPECT_EQ(upload["redirect_urls"].at(1).text_or(""), url("/symbols.zip"));
  EXPECT_EQ(upload["skipped_keys"].size(), 1u);
  // And the record says it, too.
  const std::string id = std::to_string(upload["id"].integer_or(0));
  const JsonValue record = json_of(send("GET", "/upload/" + id))["upload"];
  EXPECT_EQ(record["redirect_urls"].size(), 2u);
}

TEST_F(UploadByUrl, FetchesPackages) {
  REQUIRE_OR_SKIP(have_tools_, "nginx or openssl is not installed");
  const auto fetched = fetch(url("/symbols.tar"));
  ASSERT_EQ(fetched.status, 201) << fetched.body;
  const JsonValue upload = json_of(fetched)["upload"];
  EXPECT_EQ(upload["filename"].text_or(""), "symbols.tar");
  EXPECT_EQ(upload["download_url"].text_or(""), url("/symbols.tar"));
  EXPECT_EQ(send("GET", packed_.path).body, packed_.content);
  EXPECT_EQ(fetch(url("/damaged.tar")).status, 400);
}

TEST_F(UploadByUrl, RefusesWhatIsNotAllowed) {
  REQUIRE_OR_SKIP(have_tools_, "nginx or openssl is not installed");
  struct Case {
    std::string url;
    int status;
    std::string words;
  };
  const std::vector<Case> cases{
      {url("/away.zip"), 400, "Not an allowed domain ('forbidden.invalid')"},
      {url("/odd.zip"), 400, "Not an allowed domain"},
      {url("/plain.zip"), 400, "Insecure URL"},
      {url("/loop.zip"), 400, "Too many redirects"},
      {url("/broken.zip"), 500, "non-200"},
      {url("/nothing.zip"), 400, "non-200"},
      {url("/symbols.rar"), 400, "Unrecognized archive file extension"},
      {"https://forbidden.invalid/x.zip", 400, "Not an allowed domain ('forbidden.invalid')"},
      {"https://localhost.evil.invalid/x.zip", 400, "Not an allowed domain"},
      {"https://evilexample.test/x.zip", 400, "Not an allowed domain"},
      {"https://localhost:" + port_ + "@forbidden.invalid/x.zip", 400, "Not an allowed domain"},
      {"http://localhost/x.zip", 400, "Insecure URL"},
      {"file:///etc/passwd", 400, "Insecure URL"},
      {"", 400, "Insecure URL"}};
  for (const Case& one : cases) {
    const auto answer = fetch(one.url);
    EXPECT_EQ(answer.status, one.status) << one.url << " " << answer.body;
    EXPECT_NE(answer.body.find(one.words), std::string::npos) << one.url << " " << answer.body;
  }
  EXPECT_EQ(json_of(send("GET", "/api/v1/uploads"))["uploads"].size(), 0u);
  // The last one's file goes when its request does, which is after the answer.
  EXPECT_TRUE(comes_true([&] { return base::list_files(data() + "/tmp")->empty(); }));
}

// Loopback is private, however good its name: without the setting nothing is fetched from there.
TEST_F(UploadByUrl, RefusesPrivateAddresses) {
  REQUIRE_OR_SKIP(have_tools_, "nginx or openssl is not installed");
  server_->stop();
  start({"FAULTLINE_UPLOAD_URL_HOSTS=localhost",
         "FAULTLINE_UPLOAD_URL_CA_BUNDLE=" + place_ + "/cert.pem"});
  const auto answer = fetch(url("/symbols.zip"));
  EXPECT_EQ(answer.status, 400) << answer.body;
  EXPECT_EQ(send("GET", file_.path).status, 404);
}

}  // namespace
