// The requests that symsrv, .NET's tools and LLDB send, replayed from the lists in tests/requests/
// (README.md there describes them): each list over one connection, as those clients do, against a
// real server.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/child.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/text.h"
#include "net/client.h"
#include "testing/corpus.h"
#include "testing/raw_http.h"
#include "testing/server_process.h"

namespace {

using testing_support::RawAnswer;
using testing_support::RawClient;
using testing_support::ServerProcess;

constexpr const char* kLists = "/tests/requests";

std::string must_read(const std::string& path) {
  const auto text = base::read_file(path);
  EXPECT_TRUE(text.ok()) << path;
  return text.ok() ? *text : "";
}

std::string hash_of(std::string_view bytes) { return base::sha256_of(base::bytes_of(bytes)).hex(); }

// "a => b" → {"a", "b"}; the second is empty when the separator is not there.
std::pair<std::string, std::string> split_at(std::string_view text, std::string_view separator) {
  const auto at = text.find(separator);
  if (at == std::string_view::npos) return {std::string(base::trim(text)), ""};
  return {std::string(base::trim(text.substr(0, at))),
          std::string(base::trim(text.substr(at + separator.size())))};
}

std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> parts;
  for (;;) {
    const auto at = text.find(" | ");
    parts.emplace_back(base::trim(text.substr(0, at)));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 3);
  }
}

class Replay {
 public:
  explicit Replay(std::string corpus) : corpus_(std::move(corpus)) {}

  void run(const std::string& list) {
    std::size_t number = 0;
    for (const std::string_view line : base::split(list, '\n')) {
      ++number;
      const std::string_view text = base::trim(line);
      if (text.empty() || text.starts_with('#')) continue;
      const testing::ScopedTrace trace("", static_cast<int>(number), std::string(text));
      run_line(text);
      if (testing::Test::HasFatalFailure()) return;
    }
    EXPECT_GT(requests_, 0u) << "the list asks for nothing";
  }

 private:
  void run_line(std::string_view text) {
    const auto [verb, rest] = split_at(text, " ");
    if (verb == "set") {
      ASSERT_FALSE(server_) << "the server runs already";
      environment_.push_back(rest);
      return;
    }
    start();
    if (verb == "put") {
      put(rest);
    } else if (verb == "import") {
      import_tree(rest);
    } else if (verb == "project") {
      make_project(rest);
    } else if (verb == "with") {
      set_header(rest);
    } else {
      request(text);
    }
  }

  void start() {
    if (server_) return;
    server_.emplace(ServerProcess::start({root_.path() + "/data", {}, {}, environment_}));
    ASSERT_NE(server_->url(), "");
    client_.emplace(server_->url().substr(std::string("http://").size()));
  }

  // "< FILE" of the corpus, or "= TEXT".
  std::string content_of(std::string_view text) const {
    if (text.starts_with("= ")) return std::string(text.substr(2));
    return must_read(base::join_path(corpus_, text));
  }

  int send(const std::string& method, const std::string& path, const std::string& body,
           const net::Headers& headers = {}) const {
    net::ClientRequest request;
    request.method = method;
    request.url = server_->url() + path;
    request.body = body;
    request.headers = headers;
    const auto answer = net::Client().send(request);
    return answer.ok() ? answer->status : 0;
  }

  void put(const std::string& text) const {
    const bool is_file = text.find(" < ") != std::string::npos;
    const auto [path, content] = split_at(text, is_file ? " < " : " = ");
    const int status = send("PUT", path, content_of(is_file ? content : "= " + content));
    ASSERT_TRUE(status == 200 || status == 201) << status;
  }

  void import_tree(const std::string& tree) const {
    const auto end = base::run_child(testing_support::faultline_program(),
                                     {"faultline", "store", "import", "--store", server_->url(),
                                      base::join_path(corpus_, tree)});
    ASSERT_TRUE(end.ok());
    ASSERT_EQ(end->exit_code, 0) << end->errors;
  }

  void make_project(const std::string& json) const {
    net::Headers headers;
    headers.add("Authorization",
                "Bearer " + std::string(base::trim(must_read(root_.path() + "/data/admin.key"))));
    ASSERT_EQ(send("POST", "/api/v1/projects", json, headers), 201);
  }

  void set_header(const std::string& text) {
    const std::string name = split_at(text, ":").first;
    std::erase_if(headers_, [&](const std::string& header) {
      return base::equal_ignoring_case(split_at(header, ":").first, name);
    });
    headers_.push_back(text);
  }

  void request(std::string_view text) {
    const auto [asked, expected] = split_at(text, " => ");
    ASSERT_NE(expected, "") << "no line of a list";
    const std::vector<std::string> request = parts_of(asked);
    std::string message = request.front() + " HTTP/1.1\r\n";
    for (const std::string& header : headers_) message += header + "\r\n";
    for (std::size_t i = 1; i < request.size(); ++i) message += request[i] + "\r\n";
    ASSERT_TRUE(client_->send(message + "\r\n")) << "the server closed the connection";
    const RawAnswer answer = client_->read_answer(request.front().starts_with("HEAD "));
    ++requests_;
    ASSERT_TRUE(answer.complete) << "no whole answer came";
    const std::vector<std::string> wanted = parts_of(expected);
    EXPECT_EQ(std::to_string(answer.status), wanted.front()) << answer.body.substr(0, 300);
    for (std::size_t i = 1; i < wanted.size(); ++i) check(wanted[i], answer);
  }

  void check(const std::string& wanted, const RawAnswer& answer) const {
    const auto [verb, rest] = split_at(wanted, " ");
    if (verb == "is") {
      const std::string content = content_of(rest);
      EXPECT_EQ(answer.body.size(), content.size()) << wanted;
      EXPECT_EQ(hash_of(answer.body), hash_of(content)) << wanted;
    } else if (verb == "sha256") {
      EXPECT_EQ(hash_of(answer.body), rest);
    } else if (verb == "empty") {
      EXPECT_EQ(answer.body, "");
    } else if (verb == "says") {
      EXPECT_NE(answer.body.find(rest), std::string::npos) << wanted << "\n" << answer.body;
    } else {
      ASSERT_TRUE(verb.ends_with(":")) << "nothing that can be expected: " << wanted;
      const std::string found = answer.header(verb.substr(0, verb.size() - 1));
      if (rest == "!") {
        EXPECT_NE(found, "") << wanted;
      } else {
        EXPECT_EQ(found, rest == "~" ? "" : rest) << wanted;
      }
    }
  }

  const std::string corpus_;
  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("recorded").value();
  std::vector<std::string> environment_;
  std::vector<std::string> headers_{"Host: symbols.example"};
  std::optional<ServerProcess> server_;
  std::optional<RawClient> client_;
  std::size_t requests_ = 0;
};

std::vector<std::string> lists() {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(testing_support::source_root() + kLists)) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class RecordedRequests : public testing::TestWithParam<std::string> {};

TEST_P(RecordedRequests, AreAnswered) {
  REQUIRE_CORPUS(corpus);
  Replay replay(corpus);
  replay.run(must_read(testing_support::source_root() + kLists + "/" + GetParam() + ".txt"));
}

INSTANTIATE_TEST_SUITE_P(Lists, RecordedRequests, testing::ValuesIn(lists()),
                         [](const auto& info) { return info.param; });

}  // namespace
