// Real clients against a real server: curl, wrk, and a thousand idle connections.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>

#include "net/multipart.h"
#include "net/server.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/raw_http.h"

namespace net {
namespace {

struct Output {
  int status = -1;
  std::string text;
};

Output shell(const std::string& command) {
  Output out;
  // The tests write clients' commands as a user types them.
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");  // NOLINT(bugprone-command-processor)
  if (pipe == nullptr) return out;
  char buffer[65536];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0;) {
    out.text.append(buffer, n);
  }
  out.status = WEXITSTATUS(::pclose(pipe));
  return out;
}

class RealClients : public testing::Test {
 protected:
  void SetUp() override {
    auto directory = base::TemporaryDirectory::create("clients-test");
    ASSERT_TRUE(directory.ok());
    directory_.emplace(std::move(directory).value());
    for (int i = 0; content_.size() < 2'000'000; ++i) content_ += std::to_string(i) + "\n";
    ASSERT_TRUE(base::write_file_durably(path("file"), base::bytes_of(content_)).ok());
    const FileBody file{std::make_shared<const base::Fd>(::open(path("file").c_str(), O_RDONLY)),
                        content_.size()};
    Route get;
    get.method = "GET";
    get.pattern = "/file";
    get.handler = [file](Request&) {
      Answer answer = Answer::file(file, "text/plain", "\"f\"");
      answer.compressible = true;
      return answer;
    };
    Route form;
    form.method = "POST";
    form.pattern = "/form";
    form.body = BodyPolicy::file(1 << 30);
    form.runs = Runs::pool;
    form.handler = [](Request& request) {
      const auto parts = parse_multipart(request);
      if (!parts.ok()) return Answer::fault(parts.error().fault, parts.error().what);
      std::string text;
      for (const Part& part : *parts) {
        text += part.name + "," + part.filename.value_or("-") + "," +
                std::to_string(part.body.size()) + ";";
      }
      return Answer::text(200, text);
    };
    form.admit = [](const Request& request) -> std::optional<Answer> {
      if (request.query == "refuse") return Answer::text(403, "not you");
      return std::nullopt;
    };
    Router router;
    router.add(get);
    router.add(form);
    ServerOptions options;
    options.listen = "127.0.0.1:0";
    options.spool_directory = directory_->path();
    auto server = Server::start(options, std::move(router), pool_);
    ASSERT_TRUE(server.ok());
    server_ = std::move(server).value();
  }

  std::string path(std::string_view name) const {
    return base::join_path(directory_->path(), name);
  }
  std::string url(std::string_view path) const {
    return "http://" + server_->address() + std::string(path);
  }
  std::string must_read(std::string_view name) const {
    auto text = base::read_file(path(name));
    EXPECT_TRUE(text.ok()) << name;
    return std::move(text).value_or("");
  }

  std::optional<base::TemporaryDirectory> directory_;
  base::WorkerPool pool_{2};
  std::unique_ptr<Server> server_;
  std::string content_;
};

TEST_F(RealClients, CurlDownloadsResumesAndUnpacks) {
  REQUIRE_OR_SKIP(testing_support::have_command("curl"), "curl is not installed");
  for (const char* flags : {"", "--http1.0", "--compressed", "--limit-rate 20M", "-r 0-"}) {
    const auto run =
        shell("curl -sS " + std::string(flags) + " -o " + path("got") + " " + url("/file"));
    EXPECT_EQ(run.status, 0) << flags << run.text;
    EXPECT_EQ(must_read("got"), content_) << flags;
  }
  ASSERT_TRUE(
      base::write_file_durably(path("part"), base::bytes_of(content_.substr(0, 777777))).ok());
  EXPECT_EQ(shell("curl -sS -C - -o " + path("part") + " " + url("/file")).status, 0);
  EXPECT_EQ(must_read("part"), content_);
}

TEST_F(RealClients, CurlSendsForms) {
  REQUIRE_OR_SKIP(testing_support::have_command("curl"), "curl is not installed");
  const std::string form = " -F 'na\"me=val%ue' -F 'dump=@" + path("file") + ";filename=\"a b\"' ";
  const std::string expected = "na\"me,-,6;dump,a b," + std::to_string(content_.size()) + ";";
  for (const char* flags : {"", "-H 'Expect: 100-continue'", "-H 'Transfer-Encoding: chunked'",
                            "--http1.0 -H 'Expect:'"}) {
    const auto run = shell("curl -sS " + std::string(flags) + form + url("/form"));
    EXPECT_EQ(run.text, expected) << flags;
  }
  for (const char* flags : {"-H 'Expect:'", "-H 'Expect: 100-continue'"}) {
    const auto run =
        shell("curl -sS -w '%{http_code}' " + std::string(flags) + form + url("/form?refuse"));
    EXPECT_EQ(run.text, "not you403") << flags;
  }
}

TEST_F(RealClients, WrkSeesNoErrors) {
  if (!testing_support::have_command("wrk"))
    GTEST_SKIP() << "wrk is not installed";  // a peer, not for CI
  for (const char* target : {"/file", "/nothing"}) {
    const auto run = shell("wrk -t1 -c32 -d1s " + url(target));
    EXPECT_EQ(run.status, 0) << run.text;
    EXPECT_EQ(run.text.find("Socket errors"), std::string::npos) << run.text;
  }
}

TEST_F(RealClients, AThousandIdleConnectionsDoNotHinder) {
  std::vector<std::unique_ptr<testing_support::RawClient>> idle;
  for (int i = 0; i < 1000; ++i) {
    idle.push_back(std::make_unique<testing_support::RawClient>(server_->address()));
    idle.back()->send("HEAD /file HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  for (auto& client : idle) EXPECT_EQ(client->read_answer(true).status, 200);
  EXPECT_EQ(testing_support::raw_get(server_->address(), "/file").body, content_);
  for (auto& client : idle) client->send("HEAD /file HTTP/1.1\r\nHost: h\r\n\r\n");
  for (auto& client : idle) EXPECT_EQ(client->read_answer(true).status, 200);
}

}  // namespace
}  // namespace net
