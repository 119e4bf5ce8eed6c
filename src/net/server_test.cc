#include "net/server.h"

#include <atomic>
#include <future>
#include <thread>

#include "base/codec.h"
#include "net/server_fixture.h"

namespace net {
namespace {

using testing_support::raw_exchange;
using testing_support::raw_get;
using testing_support::RawAnswer;
using testing_support::RawClient;

std::string unpacked(const RawAnswer& answer) {
  const auto plain = base::gunzip(base::bytes_of(answer.body), 1 << 24);
  return plain.ok() ? std::string(base::text_of(*plain)) : plain.error().what;
}

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
  start();
  RawClient client(address());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.send(kGet));
    const RawAnswer answer = client.read_answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "hello\n");
    EXPECT_EQ(answer.header("Server"), "faultline");
    EXPECT_EQ(answer.header("Date").size(), 29u);
    EXPECT_EQ(answer.header("Connection"), "");
  }
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  start();
  std::string requests;
  for (int i = 0; i < 500; ++i) {
    requests += "GET /echo/" + std::to_string(i) + "?q HTTP/1.1\r\nHost: h\r\n\r\n";
  }
  requests += "GET /later HTTP/1.1\r\nHost: h\r\n\r\n" + post("/file", "abc") + std::string(kGet);
  const auto result = raw_exchange(address(), requests);
  ASSERT_EQ(result.answers.size(), 503u);
  for (std::size_t i = 0; i < 500; ++i) {
    EXPECT_EQ(result.answers[i].body, std::to_string(i) + "?q");
  }
  EXPECT_EQ(result.answers[500].body, "at last\n");
  EXPECT_EQ(result.answers[501].body, "3:294");
  EXPECT_EQ(result.answers[502].body, "hello\n");
}

TEST_F(ServerTest, TakesRequestsByteByByte) {
  start();
  RawClient client(address());
  const std::string requests =
      std::string(kGet) +
      "POST /memory HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;x=\"y\"\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n";
  for (const char c : requests) ASSERT_TRUE(client.send({&c, 1}));
  EXPECT_EQ(client.read_answer().body, "hello\n");
  EXPECT_EQ(client.read_answer().body, "5:abcde");
}

TEST_F(ServerTest, SpeaksHttp10) {
  start();
  const auto once = raw_exchange(address(), "GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_EQ(once.answers.at(0).header("Connection"), "close");
  EXPECT_EQ(once.end, RawClient::End::closed);
  RawClient client(address());
  client.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(client.read_answer().header("Connection"), "keep-alive");
  client.send("GET /producer/2 HTTP/1.0\r\n\r\n");
  const auto stream = testing_support::parse_answers(client.read_all());
  ASSERT_EQ(stream.size(), 1u);
  EXPECT_EQ(stream[0].body, "piece 0\npiece 1\n");
}

TEST_F(ServerTest, HeadHasHeadersAndNoBody) {
  start();
  for (const char* path : {"/hello", "/large", "/producer/3", "/nothing"}) {
    RawClient client(address());
    client.send("HEAD " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n\r\n");
    client.half_close();
    const std::string all = client.read_all();
    EXPECT_TRUE(all.ends_with("\r\n\r\n")) << path;
    if (std::string_view(path) == "/large") {
      EXPECT_NE(all.find("Content-Length: " + std::to_string(large_.size())), std::string::npos);
    }
  }
}

TEST_F(ServerTest, UnknownPathsAndMethods) {
  start();
  EXPECT_EQ(raw_get(address(), "/nothing").status, 404);
  const auto refused =
      raw_exchange(address(), "DELETE /hello HTTP/1.1\r\nHost: h\r\n\r\n" + std::string(kGet));
  ASSERT_EQ(refused.answers.size(), 2u);
  EXPECT_EQ(refused.answers[0].status, 405);
  EXPECT_EQ(refused.answers[0].header("Allow"), "GET, HEAD");
  EXPECT_EQ(refused.answers[0].body, R"({"error":"Method Not Allowed (DELETE): /hello"})");
}

// The answers that no handler gives are told of with their reason, even where no request was read.
TEST_F(ServerTest, TellsOfWhatItRefusesItself) {
  std::mutex mutex;
  std::string told;
  options_.on_end = [&](const Request& request, const Ending& ending) {
    const std::lock_guard lock(mutex);
    told += request.method_text + " " + request.path + " " + std::to_string(ending.status) + " " +
            ending.note + "\n";
  };
  start();
  EXPECT_EQ(raw_get(address(), "/nothing").status, 404);
  EXPECT_EQ(raw_exchange(address(), "DELETE /hello HTTP/1.1\r\nHost: h\r\n\r\n").status(), 405);
  EXPECT_EQ(raw_exchange(address(), "GET /hello HTTP/1.1\r\n\r\n").status(), 400);
  EXPECT_EQ(raw_exchange(address(), post("/memory", std::string(1001, 'x'))).status(), 413);
  server_.reset();
  const std::lock_guard lock(mutex);
  EXPECT_NE(told.find("GET /nothing 404 nothing is here\n"), std::string::npos) << told;
  EXPECT_NE(told.find("DELETE /hello 405 this method is not for this path\n"), std::string::npos)
      << told;
  EXPECT_NE(told.find("- - 400 HTTP/1.1 needs a Host header\n"), std::string::npos) << told;
  EXPECT_NE(told.find("POST /memory 413 "), std::string::npos) << told;
}

TEST_F(ServerTest, BodiesAreHeldAgainstTheirLimit) {
  start();
  EXPECT_EQ(
      raw_exchange(address(), post("/memory", std::string(1000, 'x'))).answers.at(0).body.size(),
      1005u);
  const auto declared = raw_exchange(address(), post("/memory", std::string(1001, 'x')));
  EXPECT_EQ(declared.status(), 413);
  EXPECT_EQ(declared.answers.size(), 1u);
  EXPECT_EQ(declared.end, RawClient::End::closed);
  const auto chunked = raw_exchange(
      address(), "POST /memory HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                     std::string(1001, 'x') + "\r\n0\r\n\r\n" + std::string(kGet));
  EXPECT_EQ(chunked.status(), 413);
  EXPECT_EQ(chunked.answers.size(), 1u);
}

TEST_F(ServerTest, RefusalsReachAClientThatIsStillSending) {
  start();
  RawClient client(address());
  const std::string body(20 << 20, 'x');
  EXPECT_TRUE(client.send(post("/guarded", body)));  // the rest is read and dropped
  const RawAnswer answer = client.read_answer();
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.body, "no token\n");
  EXPECT_EQ(answer.header("Connection"), "close");
}

TEST_F(ServerTest, ContinueIsSentOnlyAfterAdmission) {
  start();
  RawClient good(address());
  good.send(
      "POST /guarded HTTP/1.1\r\nHost: h\r\nAuth-Token: good\r\nExpect: 100-continue\r\n"
      "Content-Length: 3\r\n\r\n");
  EXPECT_EQ(good.read_all(200ms), "HTTP/1.1 100 Continue\r\n\r\n");
  good.send("abc");
  EXPECT_EQ(good.read_answer().body, "in\n");
  RawClient bad(address());
  bad.send(
      "POST /guarded HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_TRUE(bad.read_all(200ms).starts_with("HTTP/1.1 403"));
}

TEST_F(ServerTest, PackedBodiesAreUnpacked) {
  start();
  const std::string plain(900, 'a');
  const auto gz = base::gzip(base::bytes_of(plain));
  const auto zst = base::compress_zstd(base::bytes_of(plain));
  const auto send = [&](const std::vector<std::uint8_t>& body, const char* coding) {
    return raw_exchange(address(), post("/memory", base::text_of(body),
                                        std::string("Content-Encoding: ") + coding + "\r\n"));
  };
  EXPECT_EQ(send(gz, "gzip").answers.at(0).body, "900:" + plain);
  EXPECT_EQ(send(zst, "zstd").answers.at(0).body, "900:" + plain);
  auto two = gz;
  two.insert(two.end(), gz.begin(), gz.end());
  EXPECT_EQ(send(two, "gzip").status(), 413);  // 1800 plain bytes
  auto cut = gz;
  cut.resize(cut.size() - 4);
  EXPECT_EQ(send(cut, "gzip").status(), 400);
  EXPECT_EQ(send(zst, "gzip").status(), 400);
  EXPECT_EQ(send(gz, "br").status(), 415);
  EXPECT_EQ(send(gz, "gzip, gzip").status(), 415);
}

TEST_F(ServerTest, ExpansionHasARatio) {
  start();
  const auto bomb = base::gzip(base::bytes_of(std::string(80 << 20, '\0')));
  ASSERT_LT(bomb.size(), std::size_t{400 * 1024});
  const auto refused =
      raw_exchange(address(), post("/file", base::text_of(bomb), "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(refused.status(), 413);
}

TEST_F(ServerTest, BodyFilesVanishWithTheirRequest) {
  start();
  EXPECT_EQ(raw_exchange(address(), post("/file", "abc")).answers.at(0).body, "3:294");
  EXPECT_EQ(raw_exchange(address(), post("/file", "")).answers.at(0).body, "0:0");
  raw_exchange(address(), "POST /file HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  server_->stop();
  const auto left = base::list_files(directory_->path());
  ASSERT_TRUE(left.ok());
  for (const auto& path : *left) {
    EXPECT_EQ(path.find("pending-"), std::string::npos) << path;
  }
}

TEST_F(ServerTest, FilesAreServedWholeAndInRanges) {
  start();
  EXPECT_EQ(raw_get(address(), "/large").body, large_);
  struct Row {
    const char* range;
    int status;
    const char *body, *content_range;
  };
  const Row rows[] = {
      {"bytes=0-3", 206, "0123", "bytes 0-3/10"}, {"bytes=4-", 206, "456789", "bytes 4-9/10"},
      {"bytes=-2", 206, "89", "bytes 8-9/10"},    {"bytes=-20", 206, "0123456789", "bytes 0-9/10"},
      {"bytes=8-99", 206, "89", "bytes 8-9/10"},  {"bytes=10-", 416, "", "bytes */10"},
      {"bytes=-0", 416, "", "bytes */10"},        {"bytes=0-1,3-4", 200, "0123456789", ""},
      {"bytes=5-2", 200, "0123456789", ""},       {"lines=1-2", 200, "0123456789", ""},
      {"bytes=x-", 200, "0123456789", ""},
  };
  for (const Row& row : rows) {
    const auto answer = raw_get(address(), "/small", std::string("Range: ") + row.range + "\r\n");
    EXPECT_EQ(answer.status, row.status) << row.range;
    EXPECT_EQ(answer.body, row.body) << row.range;
    EXPECT_EQ(answer.header("Content-Range"), row.content_range) << row.range;
    EXPECT_EQ(answer.header("Accept-Ranges"), "bytes");
  }
  EXPECT_EQ(raw_get(address(), "/section").body, "345" + std::string("6"));
  EXPECT_EQ(raw_get(address(), "/section", "Range: bytes=1-2\r\n").body, "45");
  EXPECT_EQ(raw_get(address(), "/small", "Range: bytes=1-2\r\nIf-Range: \"s1\"\r\n").status, 206);
  EXPECT_EQ(raw_get(address(), "/small", "Range: bytes=1-2\r\nIf-Range: \"old\"\r\n").status, 200);
}

TEST_F(ServerTest, ConditionsAnswerNotModified) {
  start();
  const auto same = raw_get(address(), "/small", "If-None-Match: \"x\", W/\"s1\"\r\n");
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.header("ETag"), "\"s1\"");
  EXPECT_EQ(same.header("Content-Length"), "");
  EXPECT_EQ(raw_get(address(), "/small", "If-None-Match: \"x\"\r\n").status, 200);
  const std::string gzip = "Accept-Encoding: gzip\r\n";
  EXPECT_EQ(raw_get(address(), "/json", gzip + "If-None-Match: \"j1-gzip\"\r\n").status, 304);
  EXPECT_EQ(raw_get(address(), "/json", gzip + "If-None-Match: \"j1\"\r\n").status, 200);
}

TEST_F(ServerTest, GzipsForThoseWhoAcceptIt) {
  start();
  const auto json = raw_get(address(), "/json", "Accept-Encoding: br;q=0.4, gzip;q=0.5\r\n");
  EXPECT_EQ(json.header("Content-Encoding"), "gzip");
  EXPECT_EQ(json.header("ETag"), "\"j1-gzip\"");
  EXPECT_EQ(json.header("Vary"), "Accept-Encoding");
  EXPECT_EQ(unpacked(json).size(), 5002u);
  const auto plain = raw_get(address(), "/json", "Accept-Encoding: gzip;q=0\r\n");
  EXPECT_EQ(plain.header("Content-Encoding"), "");
  EXPECT_EQ(plain.header("Vary"), "Accept-Encoding");
  EXPECT_EQ(unpacked(raw_get(address(), "/large", "Accept-Encoding: gzip\r\n")), large_);
  const auto ranged = raw_get(address(), "/large", "Accept-Encoding: gzip\r\nRange: bytes=0-3\r\n");
  EXPECT_EQ(ranged.status, 206);
  EXPECT_EQ(ranged.body, large_.substr(0, 4));
  EXPECT_EQ(unpacked(raw_get(address(), "/producer/2?gzip", "Accept-Encoding: gzip\r\n")),
            "piece 0\npiece 1\n");
}

// The next piece is made while the one before is sent, and no more than that one.
TEST_F(ServerTest, ProducersAreOnePieceAhead) {
  constexpr std::size_t kPiece = 16u << 20;  // more than any socket's buffers
  std::atomic<int> made{0};
  router_.add(route("GET", "/pieces", [&](Request&) {
    Answer answer;
    answer.body = Producer([&]() -> base::Result<std::string> {
      const int number = ++made;
      return number > 3 ? std::string() : std::string(kPiece, static_cast<char>('0' + number));
    });
    return answer;
  }));
  start();
  RawClient client(address());
  client.send("GET /pieces HTTP/1.1\r\nHost: h\r\n\r\n");
  while (made < 2) std::this_thread::sleep_for(1ms);
  const RawAnswer answer = client.read_answer();
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.body,
            std::string(kPiece, '1') + std::string(kPiece, '2') + std::string(kPiece, '3'));
  EXPECT_EQ(made, 4);
}

// Every other piece from another thread, later; the others at once, from the loop.
TEST_F(ServerTest, PiecesThatComeLaterAreSentInOrder) {
  base::WorkerPool others(1);
  router_.add(route("GET", "/pieces/{count}", [&](Request& request) {
    const int count = std::stoi(std::string(request.path_parameter("count")));
    Answer answer;
    answer.compressible = request.query == "gzip";
    answer.body = LaterProducer([&others, i = 0, count](const auto& then) mutable {
      const int number = i++;
      const auto make = [number, count, then] {
        if (count < 0 && number == 3) return then(base::Error{base::Fault::unavailable, "gone"});
        if (number == count) return then(std::string());
        then("piece " + std::to_string(number) + "\n");
      };
      number % 2 == 0 ? make() : others.post(make);
    });
    return answer;
  }));
  start();
  for (const char* count : {"0", "1", "2", "501"}) {
    const std::string path = std::string("/pieces/") + count;
    const std::string whole = raw_get(address(), std::string("/producer/") + count).body;
    const RawAnswer answer = raw_get(address(), path);
    EXPECT_TRUE(answer.complete);
    EXPECT_EQ(answer.body, whole);
    EXPECT_EQ(unpacked(raw_get(address(), path + "?gzip", "Accept-Encoding: gzip\r\n")), whole);
  }
  for (const char* path : {"/pieces/-1", "/pieces/-1?gzip"}) {
    RawClient client(address());
    client.send("GET " + std::string(path) +
                " HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n");
    client.read_all();
    EXPECT_EQ(client.end(), RawClient::End::reset) << path;
  }
}

TEST_F(ServerTest, APieceThatComesAfterTheClientWentIsDropped) {
  using Then = std::function<void(base::Result<std::string>)>;
  std::promise<Then> first;
  router_.add(route("GET", "/pieces", [&](Request&) {
    Answer answer;
    answer.body = LaterProducer([&, is_first = true](Then then) mutable {
      if (std::exchange(is_first, false)) first.set_value(std::move(then));
    });
    return answer;
  }));
  start();
  RawClient client(address());
  client.send("GET /pieces HTTP/1.1\r\nHost: h\r\n\r\n");
  const Then then = first.get_future().get();
  client.reset();
  EXPECT_EQ(raw_get(address(), "/hello").body, "hello\n");
  then(std::string("too late"));
  EXPECT_EQ(raw_get(address(), "/hello").body, "hello\n");
}

TEST_F(ServerTest, ProducersAreChunked) {
  start();
  const auto answer = raw_get(address(), "/producer/100");
  EXPECT_EQ(answer.header("Transfer-Encoding"), "chunked");
  EXPECT_TRUE(answer.complete);
  EXPECT_TRUE(answer.body.ends_with("piece 99\n"));
  EXPECT_TRUE(raw_get(address(), "/producer/0").complete);
}

TEST_F(ServerTest, BrokenStreamsEndByReset) {
  start();
  for (const char* path : {"/producer/-1", "/producer/-2", "/shrunk", "/reset"}) {
    RawClient client(address());
    client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n\r\n");
    const std::string all = client.read_all();
    EXPECT_EQ(client.end(), RawClient::End::reset) << path;
    EXPECT_EQ(all.find("\r\n0\r\n"), std::string::npos) << path;
  }
}

TEST_F(ServerTest, GrowingFilesAreFollowed) {
  for (const bool with_total : {true, false}) {
    auto source = base::PendingFile::create(directory_->path());
    ASSERT_TRUE(source.ok());
    growing_ = GrowingFile::create(*source,
                                   with_total ? std::optional<std::uint64_t>(600000) : std::nullopt)
                   .value();
    if (!server_) start();
    std::vector<std::thread> clients;
    clients.reserve(4);
    std::atomic<int> good{0};
    for (int i = 0; i < 4; ++i) {
      clients.emplace_back([&] {
        const auto answer = raw_get(address(), "/growing");
        if (answer.complete && answer.body == std::string(600000, 'g')) ++good;
      });
    }
    for (int i = 0; i < 60; ++i) {
      ASSERT_TRUE(growing_->append(*source, base::bytes_of(std::string(10000, 'g'))).ok());
      if (i % 20 == 0) std::this_thread::sleep_for(5ms);
    }
    growing_->finish();
    for (auto& client : clients) client.join();
    EXPECT_EQ(good, 4);
    EXPECT_TRUE(raw_get(address(), "/growing").complete);  // after its end
  }
}

TEST(GrowingFile, CallsAFollowerOnceUntilItFollowsAnew) {
  const auto root = base::TemporaryDirectory::create("growing").value();
  auto source = base::PendingFile::create(root.path()).value();
  const auto growing = GrowingFile::create(source).value();
  int calls = 0;
  const auto follow = [&] { growing->follow([&] { ++calls; }); };
  follow();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(growing->append(source, base::bytes_of("x")).ok());
  EXPECT_EQ(calls, 1);
  follow();
  growing->unfollow(growing->follow([&] { calls += 100; }));
  growing->finish();
  EXPECT_EQ(calls, 2);
  follow();
  growing->fail();
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(growing->state().size, 3u);
}

// A thousand clients and a piece of a few kilobytes: no wake-up for each of them.
TEST(GrowingFile, ACrowdIsCalledWhenItIsWorthIt) {
  const auto root = base::TemporaryDirectory::create("growing").value();
  auto source = base::PendingFile::create(root.path()).value();
  const auto growing = GrowingFile::create(source).value();
  int calls = 0;
  for (int i = 0; i < 1000; ++i) growing->follow([&] { ++calls; });
  for (std::uint64_t size = 10'000; size <= 250'000; size += 10'000) growing->grew_to(size);
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(growing->state().size, 250'000u);  // for whoever looks
  growing->grew_to(300'000);
  EXPECT_EQ(calls, 1000);
  growing->follow([&] { ++calls; });
  growing->grew_to(300'001);
  EXPECT_EQ(calls, 1001);
  for (int i = 0; i < 1000; ++i) growing->follow([&] { ++calls; });
  growing->grew_to(300'002);
  growing->finish();
  EXPECT_EQ(calls, 2001);
}

// …and yet what has come reaches everybody, though nothing more comes for long.
TEST_F(ServerTest, ACrowdIsNotLeftWithoutTheLastPiece) {
  auto source = base::PendingFile::create(directory_->path());
  growing_ = GrowingFile::create(*source).value();
  start();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(std::make_unique<RawClient>(address()));
    clients.back()->send("GET /growing HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  for (const auto& client : clients) client->read_all(20ms);  // its head: all of them follow
  ASSERT_TRUE(growing_->append(*source, base::bytes_of("a piece")).ok());
  std::this_thread::sleep_for(2s);  // a few looks
  for (const auto& client : clients) {
    EXPECT_NE(client->read_all(20ms).find("a piece"), std::string::npos);
  }
  growing_->finish();
}

TEST_F(ServerTest, FailedGrowthResetsItsFollowers) {
  auto source = base::PendingFile::create(directory_->path());
  growing_ = GrowingFile::create(*source).value();
  start();
  ASSERT_TRUE(growing_->append(*source, base::bytes_of("begin")).ok());
  RawClient client(address());
  client.send("GET /growing HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(client.read_all(100ms).find("begin"), std::string::npos);
  growing_->fail();
  client.read_all();
  EXPECT_EQ(client.end(), RawClient::End::reset);
}

TEST_F(ServerTest, LaterAnswersComeFromAnyThread) {
  start();
  RawClient client(address());
  client.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n" + std::string(kGet));
  EXPECT_EQ(client.read_answer().body, "at last\n");
  EXPECT_EQ(client.read_answer().body, "hello\n");
  EXPECT_EQ(raw_get(address(), "/dropped").status, 500);
  EXPECT_EQ(raw_get(address(), "/throws").status, 500);
}

TEST_F(ServerTest, AClientMayLeaveWhileItIsParked) {
  start();
  {
    RawClient client(address());
    client.send("GET /parked HTTP/1.1\r\nHost: h\r\n\r\n");
    for (;;) {
      const std::lock_guard lock(parked_mutex_);
      if (parked_) break;
    }
    client.reset();
  }
  parked_->complete(Answer::text(200, std::string(1 << 20, 'x')));
  EXPECT_EQ(raw_get(address(), "/hello").status, 200);
}

TEST_F(ServerTest, HeaderValuesCannotSplitTheAnswer) {
  start();
  const auto answer = raw_get(address(), "/bad-header");
  EXPECT_EQ(answer.header("X-B"), "");
  EXPECT_EQ(answer.header("X-A"), "1  X-B: 2");
}

TEST_F(ServerTest, AWrongBodyEndsTheConnection) {
  Route picky = route("POST", "/picky", [](Request&) { return Answer::text(400, "wrong\n"); });
  picky.body = BodyPolicy::memory(1000);
  router_.add(picky);
  start();
  const auto result = raw_exchange(address(), post("/picky", "abc") + std::string(kGet));
  ASSERT_EQ(result.answers.size(), 1u);
  EXPECT_EQ(result.answers[0].header("Connection"), "close");
}

TEST_F(ServerTest, LetsARouteWordTheRefusalOfABody) {
  start();
  const auto large = raw_exchange(address(), post("/worded", std::string(2000, 'x')));
  ASSERT_EQ(large.status(), 413);
  EXPECT_EQ(large.answers[0].body, "/worded: too_large");
  const auto damaged = raw_exchange(address(), post("/worded", "x", "Content-Encoding: gzip\r\n"));
  ASSERT_EQ(damaged.status(), 400);
  EXPECT_EQ(damaged.answers[0].body, "/worded: malformed");
}

}  // namespace
}  // namespace net
