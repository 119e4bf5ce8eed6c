// A place for tests of Mozilla's symbolication server: a symbol server to ask, the programs on free
// ports, and requests in the first servers' words.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/codec.h"
#include "base/file.h"
#include "base/json.h"
#include "testing/free_port.h"
#include "testing/peer_process.h"
#include "testing/scripted_server.h"
#include "testing/server_process.h"
#include "upload_dialects.h"

namespace mozilla {

inline constexpr const char* kId = "44E4EC8C2F41492B9369D6B9A059577C2";

// A function at 0x1000, a public at 0x2000, and names that no packing makes small.
inline std::string sym(const std::string& name, const std::string& function, std::size_t size = 0) {
  std::string text = "MODULE windows x86_64 " + std::string(kId) + " " + name + "\n";
  text += "FUNC 1000 10 0 " + function + "\nPUBLIC 2000 0 last\n";
  std::uint64_t seed = 1;
  for (std::size_t number = 0; text.size() < size; ++number) {
    text += "PUBLIC 3";
    text += std::to_string(100000 + number);
    text += " 0 f";
    for (int i = 0; i < 4; ++i) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      text += std::to_string(seed);
    }
    text += '\n';
  }
  return text;
}

inline std::string frames(const std::string& module, const std::string& list,
                          const std::string& more = "") {
  return R"j({"version": 4, "memoryMap": [[")j" + module + R"j(", ")j" + kId +
         R"j("]], "stacks": [[)j" + list + "]]" + more + "}";
}

inline std::string known(const std::string& texts, const char* is_known = "true") {
  return R"j({"symbolicatedStacks": [[)j" + texts + R"j(]], "knownModules": [)j" + is_known + "]}";
}

// A symbol server that says what it was asked for, and when.
class Symbols {
 public:
  explicit Symbols(const std::string& spool)
      : server_(spool, [this](net::Request& request) { return answer(request); }) {}

  void put(const std::string& path, const std::string& text) {
    const std::lock_guard lock(mutex_);
    files_[path] = text;
  }
  // What is there comes with this Content-Encoding from now on: gzip, x-gzip or deflate.
  void pack_as(const std::string& coding) {
    const std::lock_guard lock(mutex_);
    coding_ = coding;
  }
  // What was asked for, as it was sent.
  std::vector<std::string> targets() {
    const std::lock_guard lock(mutex_);
    return targets_;
  }
  void fail_with(int status) {
    const std::lock_guard lock(mutex_);
    failure_ = status;
  }
  std::vector<std::chrono::steady_clock::time_point> asked(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return asked_[path];
  }
  std::string url() const { return server_.url() + "/s/"; }

 private:
  net::Answer answer(const net::Request& request) {
    const std::lock_guard lock(mutex_);
    const std::string path = request.path.substr(3);
    asked_[path].push_back(std::chrono::steady_clock::now());
    targets_.push_back(request.target);
    if (failure_ != 0) return net::Answer::text(failure_, "not now");
    const auto at = files_.find(path);
    if (at == files_.end()) return net::Answer::text(404, "no");
    if (coding_.empty()) return net::Answer::text(200, at->second);
    const std::vector<std::uint8_t> packed = base::gzip(base::bytes_of(at->second));
    std::string body(base::text_of(packed));
    // Between its head and its end a gzip member is a raw deflate stream.
    if (coding_ == "deflate") body = body.substr(10, body.size() - 18);
    net::Answer answer = net::Answer::text(200, body);
    answer.headers.set("Content-Encoding", coding_);
    return answer;
  }

  std::mutex mutex_;
  std::map<std::string, std::string> files_;
  std::map<std::string, std::vector<std::chrono::steady_clock::time_point>> asked_;
  std::vector<std::string> targets_;
  std::string coding_;
  int failure_ = 0;
  testing_support::ScriptedServer server_;
};

class Place : public testing::Test {
 protected:
  using Program = std::unique_ptr<testing_support::PeerProcess>;

  // `keys`: of DiskCache, after its directory and port.
  Program disk_cache(const std::string& keys) {
    const std::uint16_t port = testing_support::free_port();
    const std::string json = R"j({"DiskCache": {"cachePath": ")j" + path("cache") +
                             R"j(", "listenAddress": "127.0.0.1", "port": )j" +
                             std::to_string(port) + R"j(, "log": {"path": ")j" +
                             path("DiskCache.log") + R"j(", "level": 10}, )j" + keys + "}}";
    return program({"diskcache", "--configJSON", json}, port);
  }
  std::string urls() const { return R"j("symbolURLs": [")j" + symbols_.url() + "\"]"; }
  Program memcached(std::uint16_t port) {
    return std::make_unique<testing_support::PeerProcess>(
        std::vector<std::string>{"memcached", "-u", "nobody", "-U", "0", "-l", "127.0.0.1", "-p",
                                 std::to_string(port)},
        port, path("memcached.log"));
  }
  Program program(const std::vector<std::string>& words, std::uint16_t port) {
    std::vector<std::string> all{testing_support::faultline_program()};
    all.insert(all.end(), words.begin(), words.end());
    return std::make_unique<testing_support::PeerProcess>(all, port, path(words[0] + ".out"));
  }
  std::string path(const std::string& name) const { return root_.path() + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(base::write_file_durably(path(name), base::bytes_of(text)).ok());
  }

  static net::ClientAnswer post(const std::string& url, const std::string& body,
                                const uploads::Fields& headers = {}) {
    return uploads::send(url, "POST", "/", body, headers);
  }
  static std::string ask(const std::string& url, const std::string& body) {
    return post(url, body).body;
  }
  static std::string act(const std::string& url, const std::string& action,
                         const std::string& more = "") {
    return ask(url, R"j({"debug": true, "action": ")j" + action + "\"" + more + "}");
  }
  static std::string of_module(const std::string& name) {
    return R"j(, "libName": ")j" + name + R"j(", "breakpadId": ")j" + kId + "\"";
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("mozilla").value();
  Symbols symbols_{root_.path()};
};

}  // namespace mozilla
