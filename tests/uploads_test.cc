// Every way of getting symbols in, as its clients use it: Tecken's cases, recorded exchanges of
// real clients, and who may do what, against a real server.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <thread>

#include "base/child.h"
#include "base/codec.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "net/client.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/raw_http.h"
#include "testing/server_process.h"

namespace {

using base::JsonValue;
using testing_support::faultline_program;
using testing_support::ServerProcess;

constexpr const char* kSym =
    "MODULE Linux x86_64 0403020106050807090A0B0C0D0E0F100 libfoo.so\nFUNC 1000 10 0 main\n";
constexpr const char* kSymPath = "/libfoo.so/0403020106050807090A0B0C0D0E0F100/libfoo.so.sym";

std::string must_read(const std::string& path) {
  auto text = base::read_file(path);
  EXPECT_TRUE(text.ok()) << path;
  return text.ok() ? std::move(*text) : std::string();
}

class Uploads : public testing::Test {
 protected:
  void start(std::vector<std::string> environment = {}) {
    server_.emplace(ServerProcess::start({data(), {}, {}, std::move(environment)}));
    ASSERT_NE(server_->url(), "");
  }
  std::string data() const { return root_.path() + "/data"; }
  std::string address() const { return server_->url().substr(7); }

  net::ClientAnswer send(const std::string& method, const std::string& path,
                         const std::string& body = "",
                         const std::map<std::string, std::string>& headers = {}) {
    net::ClientRequest request;
    request.method = method;
    request.url = path.starts_with("http") ? path : server_->url() + path;
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    request.body = body;
    net::ClientOptions options;
    options.redirects_max = 0;
    options.accept_compressed = false;
    const auto answer = net::Client(options).send(request);
    EXPECT_TRUE(answer.ok()) << method << " " << path;
    return answer.ok() ? *answer : net::ClientAnswer{};
  }
  static JsonValue json_of(const net::ClientAnswer& answer) {
    auto json = JsonValue::parse(answer.body);
    return json.ok() ? *json : JsonValue();
  }
  // What `faultline admin …` prints.
  std::string admin(const std::string& arguments) {
    const auto end = base::run_child(
        "/bin/sh",
        {"sh", "-c", "exec " + faultline_program() + " admin " + arguments + " --data " + data()});
    EXPECT_TRUE(end.ok() && end->ok()) << arguments << (end.ok() ? end->describe() : "");
    return end.ok() ? std::string(base::trim(end->output)) : "";
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("uploads").value();
  std::optional<ServerProcess> server_;
};

std::string form_of(const std::string& name, const std::string& content) {
  return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"" + name +
         "\"\r\n\r\n" + content + "\r\n--b--\r\n";
}
constexpr std::string_view kFormType = "multipart/form-data; boundary=b";

TEST_F(Uploads, TokensDecideFromTheirFirstOn) {
  start();
  EXPECT_EQ(send("PUT", kSymPath, kSym).status, 201);  // local, and no token was ever made
  const std::string token = admin("token create ci");
  ASSERT_EQ(token.size(), 32u);
  EXPECT_EQ(send("PUT", kSymPath, kSym).status, 403);
  for (const std::string& value : {token, token + "-label"}) {
    EXPECT_EQ(send("PUT", kSymPath, kSym, {{"Auth-Token", value}}).status, 200);
  }
  EXPECT_EQ(send("PUT", kSymPath, kSym, {{"Authorization", "Bearer " + token}}).status, 200);
  EXPECT_EQ(send("PUT", kSymPath, kSym, {{"Authorization", "Basic !"}}).status, 403);
  EXPECT_EQ(json_of(send("POST", "/upload/", "x"))["error"].text_or(""),
            "This requires an Auth-Token to authenticate the request");
  EXPECT_EQ(json_of(send("POST", "/upload/", "x", {{"Auth-Token", "no"}}))["error"].text_or(""),
            "API Token not matched");
  const std::string reader = admin("token create reader --rights read");
  EXPECT_EQ(json_of(send("POST", "/upload/", "x", {{"Auth-Token", reader}}))["error"].text_or(""),
            "Forbidden");
  admin("token revoke 1");
  EXPECT_EQ(send("PUT", kSymPath, kSym, {{"Auth-Token", token}}).status, 403);
  EXPECT_EQ(send("PUT", kSymPath, kSym).status, 403) << "revoking all does not open the door";
  EXPECT_EQ(send("GET", "/api/v1/tokens").status, 403);
}

TEST_F(Uploads, ProjectsDoNotSeeEachOther) {
  start();
  EXPECT_EQ(send("PUT", std::string("/p/game") + kSymPath, kSym).status, 404);
  admin("project create game");
  const auto missed = send("GET", std::string("/p/game") + kSymPath);
  EXPECT_EQ(missed.status, 404);
  EXPECT_EQ(missed.headers.find("Cache-Control"), "no-store") << "the upload comes in a moment";
  EXPECT_EQ(send("PUT", std::string("/p/game") + kSymPath, kSym).status, 201);
  EXPECT_EQ(send("GET", kSymPath).status, 404);
  EXPECT_EQ(send("GET", std::string("/p/game") + kSymPath).status, 200);
  const std::map<std::string, std::string> stranger{{"Via", "1.1 proxy"}};
  EXPECT_EQ(send("GET", std::string("/p/game") + kSymPath, "", stranger).status, 401);
  const std::string reader = admin("token create r --rights read --project game");
  const auto read = send("GET", "/p/game/t/" + reader + kSymPath, "", stranger);
  EXPECT_EQ(read.status, 200);
  EXPECT_EQ(read.headers.find("Cache-Control"), "private, max-age=300");
  EXPECT_EQ(send("GET", std::string("/p/careful") + kSymPath, "", stranger).status, 404);
  admin("project create careful --strict");
  // In a browser or a script one is told that it is not for him; clients that would drop us are
  // not.
  EXPECT_EQ(send("GET", "/p/careful/t/" + reader + kSymPath, "", stranger).status, 403);
  EXPECT_EQ(send("PUT", std::string("/p/careful") + kSymPath, kSym).status, 201);
  EXPECT_EQ(send("PUT", "/p/careful/a/AB12/a", "opaque").status, 400);
}

TEST_F(Uploads, AProjectHasItsOwnFactsAndItsOwnSearch) {
  REQUIRE_OR_SKIP(testing_support::have_command("cc"), "no C compiler");
  start();
  admin("project create game");
  admin("project create other");
  const std::string built = root_.path() + "/libbar.so";
  const auto compiled =
      base::run_child("/bin/sh", {"sh", "-c",
                                  "echo 'int f(void) { return 1; }' | cc -shared -g -x c - -o " +
                                      built + " -Wl,--build-id=sha1"});
  ASSERT_TRUE(compiled.ok() && compiled->ok());
  const auto kept = json_of(send("PUT", "/p/game/libbar.so/1/libbar.so", must_read(built)));
  EXPECT_EQ(send("PUT", std::string("/p/game") + kSymPath, kSym).status, 201);
  const std::string code_id(kept["code_id"].text_or(""));
  ASSERT_NE(code_id, "");
  const std::string search = "/metadata?key=buildid&value=" + code_id;
  const std::string facts = "/api/syminfo/libfoo.so/0403020106050807090A0B0C0D0E0F100";
  const std::map<std::string, std::string> stranger{{"Via", "1.1 proxy"}};
  const std::string reader = admin("token create r --rights read --project game");
  const std::string other = admin("token create o --rights read --project other");
  EXPECT_EQ(json_of(send("GET", search))["results"].array()->size(), 0u);
  EXPECT_EQ(send("GET", facts).status, 404);
  for (const auto& [prefix, from] : std::vector<std::pair<std::string, bool>>{
           {"/p/game", false}, {"/p/GAME", false}, {"/p/game/t/" + reader, true}}) {
    const auto headers = from ? stranger : std::map<std::string, std::string>();
    const auto found = json_of(send("GET", prefix + search, "", headers));
    ASSERT_NE(found["results"].array(), nullptr) << prefix;
    ASSERT_GE(found["results"].array()->size(), 1u) << prefix;
    EXPECT_EQ((*found["results"].array())[0]["buildid"].text_or(""), code_id);
    const auto told = json_of(send("GET", prefix + facts, "", headers));
    EXPECT_EQ(told["debug_filename"].text_or(""), "libfoo.so") << prefix;
    EXPECT_EQ(send("GET", std::string(told["url"].text_or("")), "", headers).body, kSym);
  }
  for (const std::string& what : {search, facts}) {
    EXPECT_EQ(send("GET", "/p/game" + what, "", stranger).status, 401) << what;
    std::string with_other = "/p/game/t/";
    with_other.append(other).append(what);
    EXPECT_EQ(send("GET", with_other, "", stranger).status, 403) << what;
    EXPECT_EQ(send("GET", "/p/nobody" + what).status, 404) << what;
  }
}

TEST_F(Uploads, TrySymbolsAreSeenUnderTryOnly) {
  start();
  EXPECT_EQ(send("PUT", std::string("/try") + kSymPath, kSym).status, 201);
  EXPECT_EQ(send("GET", kSymPath).status, 404);
  EXPECT_EQ(send("GET", std::string("/try") + kSymPath).status, 200);
}

TEST_F(Uploads, TeckenV2ResumesAndSkips) {
  start();
  const std::string body = kSym;
  const std::string md5 = base::hex_digest_of(base::bytes_of(body), base::DigestKind::md5);
  const std::string manifest = R"({"files":[{"key":")" + std::string(kSymPath).substr(1) +
                               R"(","size":)" + std::to_string(body.size()) + R"(,"md5_hash":")" +
                               md5 + "\"}]}";
  const auto first = send("POST", "/upload/v2/", manifest);
  ASSERT_EQ(first.status, 201) << first.body;
  const JsonValue answer = json_of(first);
  EXPECT_EQ(answer["upload_protocol"].text_or(""), "gcs-resumable");
  const JsonValue& action = answer["files"].at(0)["action"];
  ASSERT_EQ(action["type"].text_or(""), "upload");
  EXPECT_EQ(action["content_encoding"].text_or(""), "gzip");
  const std::string url(action["url"].text_or(""));
  const auto packed = base::gzip(base::bytes_of(body));
  const std::string sent(packed.begin(), packed.end());
  const std::string total = std::to_string(sent.size());
  const auto part = send("PUT", url, sent.substr(0, 10), {{"Content-Range", "bytes 0-9/" + total}});
  EXPECT_EQ(part.status, 308);
  EXPECT_EQ(part.headers.find("Range").value_or(""), "bytes=0-9");
  EXPECT_EQ(send("PUT", url, "", {{"Content-Range", "bytes */" + total}}).status, 308);
  const auto rest =
      send("PUT", url, sent.substr(10),
           {{"Content-Range", "bytes 10-" + std::to_string(sent.size() - 1) + "/" + total}});
  EXPECT_EQ(rest.status, 200) << rest.body;
  EXPECT_EQ(send("GET", kSymPath).body, body);
  const JsonValue again = json_of(send("POST", "/upload/v2/", manifest));
  EXPECT_EQ(again["files"].at(0)["action"]["type"].text_or(""), "skip");
  // Each request has a record, with what it skipped.
  const std::int64_t first_id = answer["id"].integer_or(0), id = again["id"].integer_or(0);
  ASSERT_GT(first_id, 0);
  EXPECT_GT(id, first_id);
  const JsonValue record = json_of(send("GET", "/upload/" + std::to_string(id)))["upload"];
  EXPECT_EQ(record["way"].text_or(""), "tecken-v2");
  ASSERT_EQ(record["skipped_keys"].size(), 1u);
  EXPECT_EQ(record["skipped_keys"].at(0).text_or(""), std::string(kSymPath).substr(1));
  EXPECT_EQ(record["files"].at(0)["debug_id"].text_or(""), "0403020106050807090A0B0C0D0E0F100");
  const JsonValue before = json_of(send("GET", "/upload/" + std::to_string(first_id)))["upload"];
  ASSERT_EQ(before["files"].size(), 1u) << "what was sent since";
  EXPECT_EQ(before["skipped_keys"].size(), 0u);
}

TEST_F(Uploads, TeckenV2RecordsWhatItRefused) {
  start();
  const JsonValue answer =
      json_of(send("POST", "/upload/v2/",
                   R"({"files":[{"key":"no path",)"
                   R"("size":1,"md5_hash":"0123456789abcdef0123456789abcdef"}]})"));
  ASSERT_EQ(answer["files"].at(0)["action"]["type"].text_or(""), "error");
  const std::string id = std::to_string(answer["id"].integer_or(0));
  const JsonValue record = json_of(send("GET", "/upload/" + id))["upload"];
  ASSERT_EQ(record["ignored_keys"].size(), 1u);
  EXPECT_EQ(record["ignored_keys"].at(0).text_or(""), "no path");
}

// Every case that the corpus has of Tecken.
TEST_F(Uploads, AnswersTeckensCases) {
  REQUIRE_CORPUS(corpus);
  start();
  const std::string token = admin("token create ci");
  const std::string reader = admin("token create reader --rights read");
  const std::string place = corpus + "/symbols/upload/";
  const JsonValue all = *JsonValue::parse(must_read(place + "tecken-cases.json"));
  const JsonValue& cases = all["cases"];
  ASSERT_GT(cases.size(), 10u);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const JsonValue& one = cases.at(i);
    SCOPED_TRACE(std::string(one["id"].text_or("")));
    std::map<std::string, std::string> headers;
    if (const auto* given = one["headers"].object()) {
      for (const auto& [name, value] : *given) {
        const std::string_view text = value.text_or("");
        headers[name] = text == "TOKEN" ? token : text == "TOKEN-WITHOUT-UPLOAD" ? reader : text;
      }
    }
    std::string body;
    if (const JsonValue& file = one["multipart"]; !file.is_null()) {
      headers.emplace("Content-Type", kFormType);
      body = form_of(
          std::string(file["field_and_filename"].text_or("")),
          must_read(place + "tecken-zips/" + std::string(file["content_file"].text_or(""))));
    } else if (const JsonValue& form = one["form"]; !form.is_null()) {
      headers.emplace("Content-Type", kFormType);
      body = "--b\r\nContent-Disposition: form-data; name=\"url\"\r\n\r\n" +
             std::string(form["url"].text_or("")) + "\r\n--b--\r\n";
    } else if (const JsonValue& request = one["request"]; !request.is_null()) {
      base::JsonWriter out;
      request.write(out);
      body = out.take();
    } else if (const std::string note(one["note"].text_or("")); note.starts_with("body: ")) {
      body = note.substr(6);
    }
    const auto answer = send(std::string(one["method"].text_or("")),
                             std::string(one["route"].text_or("")), body, headers);
    const JsonValue& expect = one["expect"];
    EXPECT_EQ(answer.status, expect["status"].integer_or(0)) << answer.body;
    const JsonValue said = json_of(answer);
    if (const auto* error = expect["json_error"].string()) {
      EXPECT_EQ(said["error"].text_or(""), *error);
    }
    for (std::size_t k = 0; k < expect["files"].size(); ++k) {
      EXPECT_EQ(said["files"].at(k)["action"]["msg"].text_or(""),
                expect["files"].at(k)["action"]["msg"].text_or(""));
    }
  }
}

// What a recorded client sent, with our address and our keys in the place of the stub's.
std::string replay(const std::string& address, std::string request,
                   const std::map<std::string, std::string>& swaps) {
  for (const auto& [from, to] : swaps) {
    if (const auto at = request.find(from); at != std::string::npos) {
      request.replace(at, from.size(), to);
    }
  }
  return testing_support::raw_exchange(address, request).received;
}

TEST_F(Uploads, TakesWhatSymUploadSent) {
  REQUIRE_CORPUS(corpus);
  start();
  const std::string place = corpus + "/symbols/upload/";
  const std::string v1 =
      replay(address(), must_read(place + "sym_upload-v1-lantern/01.request"), {});
  EXPECT_NE(v1.find("HTTP/1.1 200 "), std::string::npos) << v1;
  EXPECT_EQ(send("GET",
                 "/liblantern-dwarf5.so/CB94F3C8F9E6EBB9E00F1EE606223AAC0/"
                 "liblantern-dwarf5.so.sym")
                .status,
            200);
  for (const std::string_view name : {"sym_upload-v2-lantern", "sym_upload-v2-elf-lantern"}) {
    SCOPED_TRACE(name);
    const std::string requests = place + std::string(name);
    const std::string created = replay(address(), must_read(requests + "/02.request"), {});
    const auto at = created.find("\"uploadKey\": \"");
    ASSERT_NE(at, std::string::npos) << created;
    const std::string key = created.substr(at + 14, 32);
    const std::map<std::string, std::string> swaps{{"/put/KEY1", "/v1/uploads/" + key},
                                                   {"/v1/uploads/KEY1", "/v1/uploads/" + key}};
    EXPECT_NE(replay(address(), must_read(requests + "/03.request"), swaps).find(" 200 "),
              std::string::npos);
    const std::string done = replay(address(), must_read(requests + "/04.request"), swaps);
    EXPECT_TRUE(done.find("{\"result\": \"OK\"}") != std::string::npos ||
                done.find("{\"result\": \"DUPLICATE_DATA\"}") != std::string::npos)
        << done;
    EXPECT_NE(
        replay(address(), must_read(requests + "/01.request"), {}).find("\"status\": \"FOUND\""),
        std::string::npos);
  }
}

TEST_F(Uploads, TakesWhatSentryCliSent) {
  REQUIRE_CORPUS(corpus);
  start();
  const std::string place = corpus + "/symbols/upload/sentry-cli-lantern/";
  const std::string options = replay(address(), must_read(place + "01.request"), {});
  EXPECT_NE(options.find("\"hashAlgorithm\":\"sha1\""), std::string::npos) << options;
  const std::string first = replay(address(), must_read(place + "02.request"), {});
  EXPECT_NE(first.find("\"state\":\"not_found\""), std::string::npos) << first;
  EXPECT_NE(first.find("df26a320e4806b5cbb4f7f97dd418e254c404943"), std::string::npos);
  EXPECT_NE(replay(address(), must_read(place + "03.request"), {}).find(" 200 "),
            std::string::npos);
  const std::string second = replay(address(), must_read(place + "04.request"), {});
  EXPECT_EQ(second.find("not_found"), std::string::npos) << second;
  EXPECT_NE(second.find("\"state\":\"ok\""), std::string::npos) << second;
  EXPECT_NE(second.find("cb94f3c8-f9e6-ebb9-e00f-1ee606223aac"), std::string::npos) << second;
}

// sentry-cli sends a chunk that two files share once, and gives up when it is asked for again.
TEST_F(Uploads, TwoFilesOfSentryCliShareAChunk) {
  start();
  const auto sha1 = [](const std::string& text) {
    return base::hex_digest_of(base::bytes_of(text), base::DigestKind::sha1);
  };
  const std::string head = kSym;
  const std::vector<std::string> tails{"PUBLIC 1000 0 one\n", "PUBLIC 1000 0 two\n"};
  std::string form;
  for (const std::string& chunk : std::vector<std::string>{head, tails[0], tails[1]}) {
    form += "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + sha1(chunk) +
            "\"\r\n\r\n" + chunk + "\r\n";
  }
  form += "--B--\r\n";
  ASSERT_EQ(send("POST", "/api/0/organizations/o/chunk-upload/", form,
                 {{"Content-Type", "multipart/form-data; boundary=B"}})
                .status,
            200);
  const auto assemble = [&](const std::string& tail) {
    const std::string whole = sha1(head + tail);
    const std::string body = "{\"" + whole + "\":{\"name\":\"libfoo.so.sym\",\"chunks\":[\"" +
                             sha1(head) + "\",\"" + sha1(tail) + "\"]}}";
    const auto answer = json_of(send("POST", "/api/0/projects/o/p/files/difs/assemble/", body));
    return std::string(answer[whole]["state"].text_or(""));
  };
  EXPECT_EQ(assemble(tails[0]), "ok");
  EXPECT_EQ(assemble(tails[1]), "ok");
}

// The memory that is the server's own, in bytes.
std::uint64_t anonymous_memory(pid_t pid) {
  const auto text = base::read_file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  if (!text.ok()) return 0;
  const auto at = text->find("\nAnonymous:");
  const std::string_view rest = base::trim(std::string_view(*text).substr(at + 11));
  return base::parse_decimal(rest.substr(0, rest.find(' '))).value_or(0) * 1024;
}

TEST_F(Uploads, ALargeUploadStaysOutOfMemory) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "a sanitizer keeps freed memory";
#endif
#endif
  start();
  send("PUT", kSymPath, kSym);  // what is allocated once is
  const std::string big = root_.path() + "/big";
  constexpr std::uint64_t kSize = 200ull << 20;
  {
    auto file = base::PendingFile::create(root_.path()).value();
    std::vector<std::uint8_t> block(1 << 20);
    for (std::uint64_t i = 0; i < kSize >> 20; ++i) {
      for (std::size_t k = 0; k < block.size(); k += 8) {
        block[k] = static_cast<std::uint8_t>(i * 31 + k / 8 * 7);
      }
      ASSERT_TRUE(file.append(block).ok());
    }
    ASSERT_TRUE(file.rename_to(big).ok());
  }
  const std::uint64_t before = anonymous_memory(server_->pid());
  ASSERT_GT(before, 0u);
  net::ClientRequest request;
  request.method = "PUT";
  request.url = server_->url() + "/big/AB12/big";
  request.body_path = big;
  const auto answer = net::Client().send(request);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->status, 201) << answer->body;
  const std::uint64_t after = anonymous_memory(server_->pid());
  EXPECT_LE(after, before + (8u << 20)) << (after - before) / 1024 << " KiB more";
}

// A server that takes connections and never says a word.
class SilentServer {
 public:
  SilentServer() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(fd_.get(), any, size), 0);
    EXPECT_EQ(::listen(fd_.get(), 100), 0);
    EXPECT_EQ(::getsockname(fd_.get(), any, &size), 0);
    url_ = "https://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/s.zip";
  }
  const std::string& url() const { return url_; }
  // Whether somebody has come, after ten seconds at most.
  bool has_client() const {
    pollfd listening{fd_.get(), POLLIN, 0};
    return ::poll(&listening, 1, 10'000) == 1;
  }

 private:
  base::Fd fd_;
  std::string url_;
};

// A fetch by URL may take half an hour, and there are eight threads for all that waits.
TEST_F(Uploads, FetchesThatHangStopNobody) {
  start({"FAULTLINE_UPLOAD_URL_HOSTS=127.0.0.1", "FAULTLINE_UPLOAD_URL_PRIVATE=yes",
         "FAULTLINE_DRAIN_SECONDS=1"});
  const SilentServer silent;
  const std::string form = "--b\r\nContent-Disposition: form-data; name=\"url\"\r\n\r\n" +
                           silent.url() + "\r\n--b--\r\n";
  const std::string request =
      "POST /upload/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: " + std::string(kFormType) +
      "\r\nContent-Length: " + std::to_string(form.size()) + "\r\n\r\n" + form;
  std::vector<std::unique_ptr<testing_support::RawClient>> fetching;
  for (int i = 0; i < 30; ++i) {  // two run, sixteen wait
    fetching.push_back(std::make_unique<testing_support::RawClient>(address()));
    ASSERT_TRUE(fetching.back()->send(request));
    // Several loops take connections: another one may be first.
    if (i == 0) ASSERT_TRUE(silent.has_client());
  }
  EXPECT_EQ(send("GET", "/readyz").status, 200);
  EXPECT_EQ(send("PUT", kSymPath, kSym).status, 201);
  EXPECT_EQ(send("GET", "/metrics").status, 200);
  // All that while no fetch has come to its end.
  EXPECT_EQ(fetching.front()->read_all(std::chrono::milliseconds(1)), "");
  EXPECT_EQ(fetching.front()->end(), testing_support::RawClient::End::open);
  // Once one is refused, all places are taken.
  const auto is_refused = [](const auto& client) {
    return !client->read_all(std::chrono::milliseconds(10)).empty();
  };
  while (std::none_of(fetching.begin() + 1, fetching.end(), is_refused)) {
  }
  testing_support::RawClient late(address());
  ASSERT_TRUE(late.send(request));
  const testing_support::RawAnswer refused = late.read_answer();
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_EQ(refused.header("Retry-After"), "60");
  EXPECT_EQ(server_->stop(), 0) << "the end of the server waits for no fetch";
}

TEST_F(Uploads, SaysWhatAnUploadGave) {
  start();
  send("PUT", kSymPath, kSym);
  const JsonValue list = json_of(send("GET", "/api/v1/uploads"));
  ASSERT_EQ(list["uploads"].size(), 1u);
  const std::string id = std::to_string(list["uploads"].at(0)["id"].integer_or(0));
  const JsonValue record = json_of(send("GET", "/upload/" + id))["upload"];
  EXPECT_EQ(record["files"].at(0)["debug_id"].text_or(""), "0403020106050807090A0B0C0D0E0F100");
  EXPECT_EQ(record["files"].at(0)["path"].text_or(""), std::string(kSymPath).substr(1));
}

TEST_F(Uploads, SaysWhatWasMadeOfAModule) {
  start();
  send("PUT", kSymPath, std::string(kSym) + "FUNC 2000 10 0 other\nPUBLIC 3000 0 pub\n");
  JsonValue derived;
  for (int i = 0; i < 200 && derived["index"].text_or("") != "ready"; ++i) {
    derived = json_of(send("GET", "/upload/1"))["upload"]["files"].at(0)["derived"];
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(derived["index"].text_or(""), "ready");
  EXPECT_EQ(derived["functions"].integer_or(0), 2);
  EXPECT_EQ(derived["publics"].integer_or(0), 1);
  EXPECT_NE(derived["sym"].text_or(""), "");
  EXPECT_EQ(send("GET", kSymPath).status, 200);
}

TEST_F(Uploads, RecordsAreSeenByViewersAndByWhoBroughtThem) {
  start();
  const std::map<std::string, std::string> one{{"Auth-Token", admin("token create one")}};
  const std::map<std::string, std::string> two{{"Auth-Token", admin("token create two")}};
  const std::map<std::string, std::string> viewer{
      {"Auth-Token", admin("token create v --rights view-uploads")}};
  const std::map<std::string, std::string> reader{
      {"Auth-Token", admin("token create r --rights read")}};
  ASSERT_EQ(send("PUT", kSymPath, kSym, one).status, 201);
  ASSERT_EQ(send("PUT", "/b/AB12/b", "opaque", two).status, 201);
  EXPECT_EQ(json_of(send("GET", "/api/v1/uploads", "", viewer))["uploads"].size(), 2u);
  for (const char* id : {"1", "2"}) {
    EXPECT_EQ(send("GET", std::string("/upload/") + id, "", viewer).status, 200);
    EXPECT_EQ(send("GET", std::string("/upload/") + id, "", reader).status, 403);
    EXPECT_EQ(send("GET", std::string("/upload/") + id).status, 403) << "nobody";
  }
  const JsonValue own = json_of(send("GET", "/api/v1/uploads", "", one));
  ASSERT_EQ(own["uploads"].size(), 1u);
  EXPECT_EQ(own["uploads"].at(0)["user"].text_or(""), "one");
  EXPECT_EQ(send("GET", "/upload/1", "", one).status, 200);
  EXPECT_EQ(send("GET", "/upload/2", "", one).status, 404) << "another's";
  EXPECT_EQ(send("GET", "/api/v1/uploads/2/files", "", one).status, 404);
  EXPECT_EQ(send("GET", "/api/v1/uploads", "", reader).status, 403);
}

// The log and the status page say whether anybody on this machine may upload.
TEST_F(Uploads, ThatNoTokenIsNeededIsSaid) {
  constexpr std::string_view kLogged = "uploads need no token from this machine";
  constexpr std::string_view kShown = "allowed from this machine, until the first upload token";
  start();
  // It comes after the line that says where the server is.
  EXPECT_TRUE(server_->log_comes_to_say(kLogged)) << server_->log();
  EXPECT_NE(send("GET", "/status").body.find(kShown), std::string::npos);
  admin("token create first");
  EXPECT_EQ(send("GET", "/status").body.find(kShown), std::string::npos);
  server_->stop();
  start();
  EXPECT_EQ(server_->log().find(kLogged), std::string::npos) << server_->log();
  EXPECT_NE(send("GET", "/status").body.find("refused"), std::string::npos);
}

}  // namespace
