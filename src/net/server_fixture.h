// A server with one of everything, on a port of its own: for this room's tests.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <thread>

#include "net/growing_file.h"
#include "net/server.h"
#include "testing/raw_http.h"

namespace net {

using namespace std::chrono_literals;

inline constexpr std::string_view kGet = "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n";

inline std::string post(std::string_view path, std::string_view body,
                        std::string_view headers = "") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

inline Route route(std::string method, std::string pattern, Handler handler) {
  Route route;
  route.method = std::move(method);
  route.pattern = std::move(pattern);
  route.handler = std::move(handler);
  return route;
}

// A server with one of everything.
class ServerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto directory = base::TemporaryDirectory::create("net-test");
    ASSERT_TRUE(directory.ok());
    directory_.emplace(std::move(directory).value());
    options_.listen = "127.0.0.1:0";
    options_.spool_directory = directory_->path();
    options_.figures = std::make_shared<ServerFigures>();
  }

  void start() {
    add_routes();
    auto server = Server::start(options_, std::move(router_), pool_);
    ASSERT_TRUE(server.ok()) << server.error().what;
    server_ = std::move(server).value();
  }

  const std::string& address() const { return server_->address(); }
  void add_routes();
  void add_body_routes();
  void add_file_routes();

  FileBody file_of(std::string_view text) {
    const std::string path = base::join_path(directory_->path(), "file" + std::to_string(++files_));
    EXPECT_TRUE(base::write_file_durably(path, base::bytes_of(text)).ok());
    return {std::make_shared<const base::Fd>(::open(path.c_str(), O_RDONLY | O_CLOEXEC)),
            text.size()};
  }

  std::optional<base::TemporaryDirectory> directory_;
  base::WorkerPool pool_{2};
  ServerOptions options_;
  Router router_;
  std::unique_ptr<Server> server_;
  int files_ = 0;
  std::string large_;
  std::shared_ptr<base::PendingFile> growing_source_;
  std::shared_ptr<GrowingFile> growing_;
  std::shared_ptr<Completer> parked_;
  std::mutex parked_mutex_;
};

inline void ServerTest::add_routes() {
  router_.add(route("GET", "/hello", [](Request&) { return Answer::text(200, "hello\n"); }));
  router_.add(route("GET", "/echo/{word}", [](Request& request) {
    return Answer::text(200, std::string(request.path_parameter("word")) + "?" + request.query);
  }));
  router_.add(route("GET", "/bad-header", [](Request&) {
    Answer answer = Answer::text(200, "x");
    answer.headers.add("X-A", "1\r\nX-B: 2");
    return answer;
  }));
  router_.add(route("GET", "/throws", [](Request&) -> Reply { throw std::runtime_error("no"); }));
  router_.add(route("GET", "/reset", [](Request&) {
    Answer answer;
    answer.reset = true;
    return answer;
  }));
  router_.add(route("GET", "/later", [](Request&) {
    return Later{[](const std::shared_ptr<Completer>& completer) {
      std::thread([completer] {
        std::this_thread::sleep_for(20ms);
        completer->complete(Answer::text(200, "at last\n"));
        completer->complete(Answer::text(200, "twice\n"));
      }).detach();
    }};
  }));
  router_.add(route("GET", "/dropped",
                    [](Request&) { return Later{[](const std::shared_ptr<Completer>&) {}}; }));
  router_.add(route("GET", "/parked", [this](Request&) {
    return Later{[this](std::shared_ptr<Completer> completer) {
      const std::lock_guard lock(parked_mutex_);
      parked_ = std::move(completer);
    }};
  }));
  add_body_routes();
  add_file_routes();
}

inline void ServerTest::add_body_routes() {
  Route memory = route("POST", "/memory", [](Request& request) {
    return Answer::text(200, std::to_string(request.body.size()) + ":" + request.body);
  });
  memory.body = BodyPolicy::memory(1000);
  router_.add(memory);
  Route pool = route("POST", "/file", [](Request& request) {
    const auto bytes = request.body_bytes();
    if (!bytes.ok()) return Answer::fault(bytes.error().fault, bytes.error().what);
    std::uint64_t sum = 0;
    for (const std::uint8_t byte : *bytes) sum += byte;
    return Answer::text(200, std::to_string(bytes->size()) + ":" + std::to_string(sum));
  });
  pool.body = BodyPolicy::file(1 << 30);
  pool.runs = Runs::pool;
  router_.add(pool);
  Route guarded = route("POST", "/guarded", [](Request&) { return Answer::text(200, "in\n"); });
  guarded.body = BodyPolicy::memory(100 << 20);
  guarded.admit = [](const Request& request) -> std::optional<Answer> {
    if (request.header("Auth-Token") == "good") return std::nullopt;
    return Answer::text(403, "no token\n");
  };
  router_.add(guarded);
  Route worded = memory;
  worded.pattern = "/worded";
  worded.refuse_body = [](const Request& request, const base::Error& error) {
    return Answer::text(error.fault == base::Fault::too_large ? 413 : 400,
                        request.path + ": " + std::string(base::name_of(error.fault)));
  };
  router_.add(worded);
}

inline void ServerTest::add_file_routes() {
  for (std::size_t i = 0; large_.size() < 3'000'000; ++i) large_ += std::to_string(i * 7919) + "\n";
  const FileBody small = file_of("0123456789");
  router_.add(route("GET", "/small", [small](Request&) {
    return Answer::file(small, "application/octet-stream", "\"s1\"");
  }));
  const FileBody large = file_of(large_);
  router_.add(route("GET", "/large", [large](Request&) {
    Answer answer = Answer::file(large, "text/plain", "\"l1\"");
    answer.compressible = true;
    return answer;
  }));
  router_.add(route("GET", "/section", [small](Request&) {
    return Answer::file({small.fd, 4, 3}, "application/octet-stream", "\"s2\"");
  }));
  const FileBody lying{small.fd, 100, 0};
  router_.add(route("GET", "/shrunk", [lying](Request&) {
    return Answer::file(lying, "application/octet-stream", "");
  }));
  router_.add(route("GET", "/json", [](Request&) {
    Answer answer = Answer::json(200, "[" + std::string(5000, '1') + "]");
    answer.etag = "\"j1\"";
    return answer;
  }));
  router_.add(route("GET", "/producer/{count}", [](Request& request) {
    const int count = std::stoi(std::string(request.path_parameter("count")));
    Answer answer;
    answer.compressible = request.query == "gzip";
    answer.body = Producer([i = 0, count]() mutable -> base::Result<std::string> {
      if (count == -2) throw std::runtime_error("no");
      if (count < 0 && i == 3) return base::Error{base::Fault::unavailable, "upstream is gone"};
      if (count >= 0 && i == count) return std::string();
      return "piece " + std::to_string(i++) + "\n";
    });
    return answer;
  }));
  router_.add(route("GET", "/growing", [this](Request&) {
    Answer answer;
    answer.body = growing_;
    return answer;
  }));
}

}  // namespace net
