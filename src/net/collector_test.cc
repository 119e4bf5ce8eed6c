// The framing half of the reference corpus: requests as crash clients send them, byte for byte,
// against a server whose only route asks whether the body is multipart.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/json.h"
#include "base/sha256.h"
#include "net/multipart.h"
#include "net/server.h"
#include "testing/corpus.h"
#include "testing/raw_http.h"

namespace net {
namespace {

using namespace std::chrono_literals;
using testing_support::raw_exchange;
using testing_support::RawClient;

// What the route saw, one "name=sha256" a line.
Reply submit(Request& request) {
  if (!request.header("Content-Type").starts_with("multipart/") &&
      request.path != "/submit") {  // envelopes, Unreal's container, raw dumps
    return Answer::text(200, "=" + base::sha256_of(base::bytes_of(request.body)).hex());
  }
  const auto parts = parse_multipart(request);
  if (!parts.ok()) {
    const int status = parts.error().fault == base::Fault::too_large ? 413 : 400;
    return Answer::text(status, parts.error().what);
  }
  if (parts->empty()) return Answer::text(400, "no parts");
  std::string text;
  for (const Part& part : *parts) text += part.name + "=" + base::sha256_of(part.body).hex() + "\n";
  return Answer::text(200, text);
}

class CollectorCorpus : public testing::Test {
 protected:
  void start(std::uint64_t plain_size_max) {
    Route route;
    route.method = "POST";
    route.pattern = "/**";
    route.body = BodyPolicy::memory(100 << 20);
    route.body.plain_size_max = plain_size_max;
    route.handler = submit;
    Router router;
    router.add(route);
    ServerOptions options;
    options.listen = "127.0.0.1:0";
    options.body_stall_timeout = 1s;
    options.head_timeout = 1s;
    auto server = Server::start(options, std::move(router), pool_);
    ASSERT_TRUE(server.ok());
    server_ = std::move(server).value();
  }

  base::WorkerPool pool_{1};
  std::unique_ptr<Server> server_;
};

base::JsonValue must_read_index(const std::string& corpus) {
  auto text = base::read_file(corpus + "/collector/index.json");
  EXPECT_TRUE(text.ok());
  auto index = base::JsonValue::parse(std::move(text).value_or(""));
  EXPECT_TRUE(index.ok());
  return std::move(index).value_or(base::JsonValue());
}

std::string must_read_sample(const std::string& corpus, const base::JsonValue& entry) {
  const std::string path = corpus + "/collector/" + std::string(entry["file"].text_or(""));
  auto bytes = base::read_file(path);
  EXPECT_TRUE(bytes.ok()) << path;
  return std::move(bytes).value_or("");
}

// What the route above cannot know: the meaning of annotations and containers.
bool is_framing(std::string_view name) {
  for (const std::string_view meaning :
       {"json-", "client-supplied-uuid", "no-annotations", "envelope-", "unreal-"}) {
    if (name.starts_with(meaning)) return false;
  }
  return true;
}

TEST_F(CollectorCorpus, ValidRequestsArriveWhole) {
  REQUIRE_CORPUS(corpus);
  start(0);
  int seen = 0;
  const base::JsonValue index = must_read_index(corpus);
  for (const base::JsonValue& entry : *index.array()) {
    const std::string_view name = entry["name"].text_or("");
    if (!entry["file"].text_or("").starts_with("valid/")) continue;
    const auto result = raw_exchange(server_->address(), must_read_sample(corpus, entry));
    ASSERT_EQ(result.answers.size(), 1u) << name;
    EXPECT_EQ(result.status(), 200) << name << ": " << result.answers[0].body;
    ++seen;
    if (!entry["path"].text_or("").starts_with("/submit")) continue;
    const base::JsonValue::Object* dumps = entry["expected_dumps"].object();
    if (dumps == nullptr) continue;
    for (const auto& [part, dump] : *dumps) {
      std::string_view hash = dump["as_sent_sha256"].text_or("");
      if (hash.empty()) hash = dump["sha256"].text_or("");
      EXPECT_NE(result.answers[0].body.find("=" + std::string(hash)), std::string::npos)
          << name << ": " << part;
    }
  }
  EXPECT_EQ(seen, 62);
}

TEST_F(CollectorCorpus, MalformedRequestsAreRefusedAsListed) {
  REQUIRE_CORPUS(corpus);
  start(33554432);
  int seen = 0;
  const base::JsonValue index = must_read_index(corpus);
  for (const base::JsonValue& entry : *index.array()) {
    const std::string_view name = entry["name"].text_or("");
    if (!entry["file"].text_or("").starts_with("malformed/") || !is_framing(name)) continue;
    ++seen;
    std::set<std::int64_t> statuses;
    const base::JsonValue& expected = entry["expected_status"];
    if (expected.array() == nullptr) statuses.insert(expected.integer_or(0));
    for (std::size_t i = 0; i < expected.size(); ++i) statuses.insert(expected.at(i).integer_or(0));

    RawClient client(server_->address());
    client.send(must_read_sample(corpus, entry));
    const bool must_close = entry["must_close"].boolean() != nullptr;
    if (!must_close) client.half_close();  // else we wait for the server to do it
    const auto answers = testing_support::parse_answers(client.read_all());
    EXPECT_NE(client.end(), RawClient::End::open) << name;
    ASSERT_LE(answers.size(), 1u) << name << ": the rest was read as another request";
    const int status = answers.empty() ? 0 : answers[0].status;  // 0 stands for "close"
    EXPECT_TRUE(statuses.contains(status)) << name << ": " << status;
  }
  EXPECT_GT(seen, 80);
}

}  // namespace
}  // namespace net
