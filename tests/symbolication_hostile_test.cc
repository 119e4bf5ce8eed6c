// Requests for symbols by people who mean harm, or have a bug: a million jobs, ten million frames,
// nesting without end, numbers and texts that are none; more bodies than there is memory for; and
// index files that somebody damages under a running server. It answers in the words of the dialect,
// within a bound of memory, and lives.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "symbolication_fixture.h"
#include "testing/raw_http.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FAULTLINE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FAULTLINE_SANITIZED 1
#endif
#endif

namespace {

using base::JsonValue;
using symbolication::must_parse;
using testing_support::RawClient;

constexpr const char* kDialects[] = {"/symbolicate/v5", "/symbolicate/v4", "/"};
constexpr std::size_t kMillion = 1'000'000;

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  out.reserve(text.size() * count);
  for (std::size_t i = 0; i < count; ++i) out += text;
  if (!out.empty() && out.back() == ',') out.pop_back();
  return out;
}

// A question that every dialect takes.
std::string question(std::string_view modules, std::string_view stacks) {
  std::string out = R"({"version":4,"memoryMap":[)";
  out.append(modules).append(R"(],"stacks":[)").append(stacks).append("]}");
  return out;
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string_view::npos; ++count) {
    at += part.size();
  }
  return count;
}

class HostileSymbolication : public symbolication::Symbolication {
 protected:
  void TearDown() override {
    if (!server_) return;
    EXPECT_EQ(post("/symbolicate/v4", question(R"j(["a","B"])j", "[[0,1]]")).body,
              R"j({"symbolicatedStacks":[["0x1 (in a)"]],"knownModules":[false]})j")
        << "it lives";
    EXPECT_LT(memory_peak_mib(), memory_max_mib_);
    EXPECT_EQ(server_->stop(), 0) << server_->log();
  }

  // What the server has had in memory at most; sanitizers need memory of their own.
  std::uint64_t memory_peak_mib() const {
#ifdef FAULTLINE_SANITIZED
    return 0;
#else
    const std::string status =
        symbolication::must_read("/proc/" + std::to_string(server_->pid()) + "/status");
    const auto at = status.find("VmHWM:");
    return at == std::string::npos ? ~0ull : std::stoull(status.substr(at + 6)) / 1024;
#endif
  }

  // A refusal as the dialect words it: a title, but for the first servers, which say nothing.
  static void expect_refusal(const std::string& path, const net::ClientAnswer& answer, int status,
                             std::string_view title = "") {
    EXPECT_EQ(answer.status, status) << path << answer.body.substr(0, 200);
    if (path == "/") {
      EXPECT_EQ(answer.body, "");
      return;
    }
    const std::string said(must_parse(answer.body)["title"].text_or(""));
    EXPECT_NE(said, "") << path;
    if (!title.empty()) {
      EXPECT_EQ(said, title) << path;
    }
  }

  std::uint64_t memory_max_mib_ = 1500;
};

TEST_F(HostileSymbolication, AMillionJobs) {
  start();
  std::string body = R"({"jobs":[)";
  body += repeated(R"({"stacks":[[]],"memoryMap":[]},)", kMillion) + "]}";
  const auto answer = post("/symbolicate/v5", body);
  ASSERT_EQ(answer.status, 200) << answer.body.substr(0, 200);
  EXPECT_EQ(count_of(answer.body, R"({"stacks":[[]],"found_modules":{}})"), kMillion);
}

TEST_F(HostileSymbolication, TenMillionFrames) {
  start();
  const std::string frames = repeated("[0,1],", 10 * kMillion);
  for (const std::string path : kDialects) {
    expect_refusal(path, post(path, question(R"(["a","B"])", "[" + frames + "]")), 413);
  }
}

// As large as Mozilla's server took them (its configuration says so here, too): 60 MB, answered by
// more than twice as much, which is not in memory as a whole.
TEST_F(HostileSymbolication, TenMillionFramesWhereTheOriginalsBodiesAreTaken) {
  start({"FAULTLINE_SYMBOLICATION_BODY=100 MiB"});
  net::ClientRequest request;
  request.method = "POST";
  request.url = server_->url() + "/";
  request.body = question(R"(["a","B"])", "[" + repeated("[0,1],", 10 * kMillion) + "]");
  std::size_t size = 0;
  std::size_t frames = 0;
  request.on_body = [&](std::string_view piece) {
    size += piece.size();
    frames += static_cast<std::size_t>(std::count(piece.begin(), piece.end(), '('));
    return base::Result<void>();
  };
  net::ClientOptions options;
  options.accept_compressed = false;
  const auto answer = net::Client(options).send(request);
  ASSERT_TRUE(answer.ok()) << answer.error().what;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(frames, 10 * kMillion);
  EXPECT_GT(size, 10 * kMillion * std::string_view(R"j("0x1 (in a)", )j").size());
}

TEST_F(HostileSymbolication, AsManyFramesAndStacksAsABodyHolds) {
  start();
  const std::string frames = "[" + repeated("[0,1],", 5 * kMillion) + "]";
  const auto answer = post("/symbolicate/v4", question(R"(["a","B"])", frames));
  ASSERT_EQ(answer.status, 200) << answer.body.substr(0, 200);
  EXPECT_EQ(count_of(answer.body, R"j("0x1 (in a)")j"), 5 * kMillion);
  const std::string stacks = repeated("[],", 10 * kMillion);
  for (const std::string path : {"/symbolicate/v4", "/"}) {
    const auto empty = post(path, question("", stacks));
    ASSERT_EQ(empty.status, 200) << path;
    EXPECT_EQ(count_of(empty.body, "[]"), 10 * kMillion + 1) << path;
  }
}

TEST_F(HostileSymbolication, TenThousandModulesThatNobodyHas) {
  start();
  std::string modules;
  std::string frames;
  constexpr std::size_t kModules = 10'000;
  for (std::size_t i = 0; i < kModules; ++i) {
    const std::string number = std::to_string(100'000 + i);
    if (i > 0) modules += ',';
    modules.append(R"(["m)").append(number);
    modules.append(R"(.so","00000000000000000000000000)").append(number).append(R"(0"])");
    if (i > 0) frames += ',';
    frames.append("[").append(std::to_string(i)).append(",4096]");
  }
  const std::string body = question(modules, "[" + frames + "]");
  const auto answer = post("/symbolicate/v5", body);
  ASSERT_EQ(answer.status, 200) << answer.body.substr(0, 200);
  const JsonValue result = must_parse(answer.body)["results"].at(0);
  EXPECT_EQ(result["stacks"].at(0).size(), kModules);
  EXPECT_EQ(count_of(answer.body, "\":false"), kModules);
  EXPECT_TRUE(result["module_errors"].is_null()) << "nobody has them, and in time";
}

TEST_F(HostileSymbolication, MillionsOfModulesThatNobodyAsksAbout) {
  start();
  const std::string modules = repeated(R"(["a","B"],)", 3 * kMillion);
  const auto answer = post("/symbolicate/v4", question(modules, "[]"));
  ASSERT_EQ(answer.status, 200) << answer.body.substr(0, 200);
  EXPECT_EQ(count_of(answer.body, "null"), 3 * kMillion);
}

TEST_F(HostileSymbolication, NestingWithoutEnd) {
  start();
  for (const std::string path : kDialects) {
    for (const std::string& body :
         {std::string(kMillion, '['), repeated(R"({"a":)", kMillion),
          question("", "[]" + repeated(",[", kMillion) + std::string(kMillion, ']')),
          R"({"x":)" + std::string(2000, '[') + std::string(2000, ']') + "," +
              question("", "[]").substr(1)}) {
      expect_refusal(path, post(path, body), 400, "Payload is not valid JSON");
    }
    const std::string shallow = R"({"x":)" + std::string(100, '[') + std::string(100, ']') + "," +
                                question("", "[]").substr(1);
    EXPECT_EQ(post(path, shallow).status, 200) << path;
  }
}

TEST_F(HostileSymbolication, NumbersThatAreNone) {
  start();
  for (const std::string path : kDialects) {
    const auto ask = [&](const std::string& frame) {
      return post(path, question(R"(["a","B"])", "[" + frame + "]"));
    };
    for (const char* number : {"1.5", "1.8446744073709552e+19", "null", "\"1\"", "[1]", "{}"}) {
      expect_refusal(path, ask(std::string("[0,") + number + "]"), 400,
                     "job 0 has invalid stacks: stack 0 frame 0 has an invalid module_offset");
      expect_refusal(path, ask(std::string("[") + number + ",1]"), 400,
                     "job 0 has invalid stacks: stack 0 frame 0 has an invalid module_index");
    }
    expect_refusal(path, ask("[0," + std::string(kMillion, '9') + "]"), 400);
    expect_refusal(path, ask("[0,1e400]"), 400);
    expect_refusal(path, ask("[0,01]"), 400, "Payload is not valid JSON");
    expect_refusal(path, ask("[4294967296,1]"), 400);
    expect_refusal(path, ask("[18446744073709551616,1]"), 400,
                   "job 0 has invalid stacks: stack 0 frame 0 has a module_index that isn't in "
                   "modules");
    for (const auto& [number, hex] : {std::pair("18446744073709551615", "\"0xffffffffffffffff"),
                                      std::pair("18446744073709551616", "\"0x10000000000000000")}) {
      for (const char* index : {"0", "-1"}) {
        const auto most = ask(std::string("[").append(index).append(",").append(number) + "]");
        EXPECT_EQ(most.status, 200) << path;
        EXPECT_NE(most.body.find(hex), std::string::npos) << most.body;
      }
    }
    const auto least = ask("[0,-9223372036854775809]");
    EXPECT_EQ(least.status, path == "/" ? 200 : 400) << path << least.body;
  }
}

// Thousands of the longest numbers that are taken.
TEST_F(HostileSymbolication, ManyLongNumbersAreAnsweredSoon) {
  start();
  const std::string frame = "[-1," + std::string(4300, '9') + "],";
  const auto answer = post("/symbolicate/v4", question("", "[" + repeated(frame, 2000) + "]"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(count_of(answer.body, " (in <unknown>)"), 2000u);
}

TEST_F(HostileSymbolication, TextsThatAreNone) {
  start();
  for (const std::string path : kDialects) {
    for (const char* name : {"\xff\xfe", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80", "a\nb"}) {
      const std::string module = std::string("[\"") + name + R"(","B"])";
      expect_refusal(path, post(path, question(module, "[[0,1]]")), 400,
                     "Payload is not valid JSON");
    }
    for (const char* name : {R"(\ud800)", R"(\udc00\ud800)", R"(\u0000)", R"(..\/..\/etc)"}) {
      const std::string module = std::string("[\"") + name + R"(","B"])";
      const auto answer = post(path, question(module, "[[0,1]]"));
      EXPECT_EQ(answer.status, 200) << path << name << answer.body;
      EXPECT_TRUE(JsonValue::parse(answer.body).ok()) << answer.body;
    }
    const std::string long_name(kMillion, 'x');
    const auto answer = post(path, question("[\"" + long_name + "\",\"B\"]", "[[0,1]]"));
    EXPECT_EQ(answer.status, 200);
  }
}

// Large bodies that never end take all there is; small ones pass, and so do large ones afterwards.
TEST_F(HostileSymbolication, BodiesShareABound) {
  start({"FAULTLINE_SYMBOLICATION_BODIES=1000000"});
  const std::string address = server_->url().substr(std::string("http://").size());
  const std::string head =
      "POST /symbolicate/v5 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n";
  std::vector<std::unique_ptr<RawClient>> slow;
  const std::string most = question("", "[" + std::string(600'000, ' '));
  for (int i = 0; i < 2; ++i) {
    slow.push_back(std::make_unique<RawClient>(address));
    slow.back()->send(head + most);
  }
  // One of the two has met the bound; the other waits for the rest of its body.
  const std::string large = question("", "[" + std::string(600'000, ' ') + "]");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (const std::string path : kDialects) {
    net::ClientAnswer answer = post(path, large);
    while (answer.status == 200 && std::chrono::steady_clock::now() < deadline) {
      answer = post(path, large);  // the first has not been read yet
    }
    expect_refusal(path, answer, 503);
    EXPECT_EQ(answer.headers.find("Retry-After").value_or(""), "1");
    EXPECT_EQ(post(path, question("", "[]")).status, 200) << path;
  }
  slow.clear();
  while (post("/symbolicate/v5", large).status != 200) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "the bound is not given back";
  }
}

TEST_F(HostileSymbolication, ManyLargeBodiesAtOnce) {
  memory_max_mib_ = 2500;
  start();
  const std::string body = question(R"(["a","B"])", "[" + repeated("[0,1],", 5 * kMillion) + "]");
  std::vector<std::thread> clients;
  std::vector<int> statuses(12);
  clients.reserve(statuses.size());
  for (int& status : statuses) {
    clients.emplace_back([&, this] {
      net::ClientRequest request;
      request.method = "POST";
      request.url = server_->url() + "/symbolicate/v4";
      request.body = body;
      request.on_body = [](std::string_view) { return base::Result<void>(); };
      const auto answer = net::Client().send(request);
      status = answer.ok() ? answer->status : 0;
    });
  }
  for (std::thread& client : clients) client.join();
  for (const int status : statuses) EXPECT_TRUE(status == 200 || status == 503) << status;
  EXPECT_GE(std::count(statuses.begin(), statuses.end(), 200), 1);
}

// ---- damaged indexes ----

class DamagedIndexes : public HostileSymbolication {
 protected:
  void SetUp() override {
    start();
    std::string sym = "MODULE Linux x86_64 000102030405060708090A0B0C0D0E0F0 a.so\nFILE 0 a.cc\n";
    std::string frames;
    for (unsigned i = 0; i < kFunctions; ++i) {
      const std::string number = std::to_string(1000 + i);
      sym.append("FUNC ").append(number).append("0 10 0 function_").append(number);
      sym.append("()\n").append(number).append("0 10 7 0\n");
      // Decimal digits that are read as hexadecimal ones.
      const unsigned long offset = std::stoul(number + "4", nullptr, 16);
      if (i > 0) frames += ',';
      frames.append("[0,").append(std::to_string(offset)).append("]");
    }
    const std::string url = "/a.so/000102030405060708090A0B0C0D0E0F0/a.so.sym";
    ASSERT_EQ(uploads::send(server_->url(), "PUT", url, sym).status, 201);
    ask_ = question(R"(["a.so","000102030405060708090A0B0C0D0E0F0"])", "[" + frames + "]");
    good_ = post("/symbolicate/v5", ask_).body;
    ASSERT_EQ(count_of(good_, R"("function":"function_)"), kFunctions) << good_.substr(0, 300);
    const auto files = base::list_files(root_.path() + "/data/index");
    ASSERT_TRUE(files.ok());
    for (const std::string& file : *files) {
      if (file.ends_with(".idx")) index_ = file;
    }
    ASSERT_NE(index_, "");
    sound_ = symbolication::must_read(index_);
  }
  // Whatever was done to the file, the answer has its form; and soon it is whole again.
  void expect_recovery(std::size_t at) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (;;) {
      const auto answer = post("/symbolicate/v5", ask_);
      ASSERT_EQ(answer.status, 200) << at;
      if (answer.body == good_) return;
      const JsonValue stacks = must_parse(answer.body)["results"].at(0)["stacks"];
      ASSERT_EQ(stacks.at(0).size(), kFunctions) << at;
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << at << answer.body.substr(0, 300);
    }
  }

  static constexpr unsigned kFunctions = 400;
  std::string ask_, good_, index_, sound_;
};

TEST_F(DamagedIndexes, CutShortUnderARunningServer) {
  // (SymbolMaps' own test cuts at every 64 bytes.)
  for (std::size_t size = 0; size < sound_.size(); size += size < 512 ? 128 : sound_.size() / 6) {
    ASSERT_EQ(::chmod(index_.c_str(), 0644), 0);
    ASSERT_EQ(::truncate(index_.c_str(), static_cast<off_t>(size)), 0) << size;
    expect_recovery(size);
  }
}

TEST_F(DamagedIndexes, WithFlippedBytesWhenTheServerStarts) {
  for (std::size_t at = 40; at < sound_.size(); at += sound_.size() / 6) {
    ASSERT_EQ(server_->stop(), 0);
    std::string bytes = sound_;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    ASSERT_TRUE(base::write_file_durably(index_, base::bytes_of(bytes)).ok());
    start();
    expect_recovery(at);
  }
}

}  // namespace
