// Crash reports as clients and operators see them, on the real server: what is acknowledged is
// on disk and stays there, whatever happens to the process or the disk.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <thread>

#include "base/child.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "net/client.h"
#include "testing/corpus.h"
#include "testing/raw_http.h"
#include "testing/server_process.h"
#include "testing/small_disk.h"

namespace {

using namespace std::chrono_literals;
using base::JsonValue;
using testing_support::faultline_program;
using testing_support::ServerProcess;

constexpr std::string_view kBoundary = "----tests-own-boundary";

std::string submission(std::string_view dump) {
  std::string body;
  const auto add = [&](std::string_view disposition, std::string_view content) {
    body += "--" + std::string(kBoundary) + "\r\nContent-Disposition: form-data; " +
            std::string(disposition) + "\r\n\r\n" + std::string(content) + "\r\n";
  };
  add("name=\"prod\"", "Test");
  add("name=\"ver\"", "1");
  add("name=\"upload_file_minidump\"; filename=\"a.dmp\"", dump);
  return body + "--" + std::string(kBoundary) + "--\r\n";
}

base::Result<net::ClientAnswer> post_report(net::Client& client, const std::string& url,
                                            std::string_view dump) {
  return client.post(url + "/submit", "multipart/form-data; boundary=" + std::string(kBoundary),
                     submission(dump));
}

// The id without "bp-", or "" when the report was not acknowledged.
std::string id_in(const base::Result<net::ClientAnswer>& answer) {
  constexpr std::string_view kStart = "CrashID=bp-";
  if (!answer.ok() || answer->status != 200 || !answer->body.starts_with(kStart)) return {};
  return std::string(base::trim(answer->body).substr(kStart.size()));
}

std::string must_submit(const std::string& url, std::string_view dump) {
  net::Client client;
  const auto answer = post_report(client, url, dump);
  const std::string id = id_in(answer);
  EXPECT_FALSE(id.empty()) << (answer.ok() ? answer->body : answer.error().what);
  return id;
}

JsonValue report_of(const std::string& url, const std::string& id) {
  net::Client client;
  const auto answer = client.get(url + "/api/v1/reports/" + id);
  if (!answer.ok() || answer->status != 200) return {};
  return JsonValue::parse(answer->body).value();
}

// Once it is "done" or "failed"; the last seen otherwise.
JsonValue settled_report(const std::string& url, const std::string& id) {
  const auto until = std::chrono::steady_clock::now() + 60s;
  for (;;) {
    JsonValue report = report_of(url, id);
    const std::string_view state = report["state"].text_or("");
    if (state == "done" || state == "failed" || std::chrono::steady_clock::now() > until)
      return report;
    std::this_thread::sleep_for(50ms);
  }
}

std::string must_run(const std::vector<std::string>& arguments) {
  const auto end = base::run_child(faultline_program(), arguments);
  EXPECT_TRUE(end.ok() && end->ok()) << (end.ok() ? end->describe() : end.error().what);
  return end.ok() ? end->output : "";
}

std::string sha256_of(std::string_view bytes) {
  return base::sha256_of(base::bytes_of(bytes)).hex();
}

class CrashReports : public testing::Test {
 protected:
  ServerProcess start(std::vector<std::string> wrapper = {}) {
    return ServerProcess::start({data_, {}, std::move(wrapper), {}});
  }
  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("crash-reports").value();
  std::string data_ = root_.path() + "/data";
};

// ---- what a client and an operator see

TEST_F(CrashReports, AreProcessedAndShown) {
  REQUIRE_CORPUS(corpus);
  const std::string dump = corpus + "/minidumps/dumps/rust-minidump/linux-mini.dmp";
  const ServerProcess server = start();
  const std::string sent = must_run({"faultline", "report", "send", dump, "--url", server.url(),
                                     "-a", "prod=Demo", "-a", "ver=2"});
  const std::string id = sent.substr(3, 36);
  const JsonValue report = settled_report(server.url(), id);
  EXPECT_EQ(report["state"].text_or(""), "done");
  EXPECT_EQ(report["reason"].text_or(""), "SIGSEGV");
  EXPECT_EQ(report["product"].text_or(""), "Demo");

  // The command finds the directory served, and goes to its server.
  const std::string shown = must_run({"faultline", "report", "show", id, "--data", data_});
  EXPECT_NE(shown.find("crash+0x1d72"), std::string::npos) << shown;
  EXPECT_NE(shown.find(server.url() + "/crashes/" + id), std::string::npos) << shown;
  EXPECT_NE(must_run({"faultline", "report", "list", "--url", server.url()}).find(id),
            std::string::npos);

  net::Client client;
  const auto raw = client.get(server.url() + "/api/v1/reports/" + id + "/dump");
  ASSERT_TRUE(raw.ok());
  EXPECT_EQ(raw->body, base::read_file(dump).value());
}

TEST_F(CrashReports, HealWhenTheirSymbolsArrive) {
  REQUIRE_CORPUS(corpus);
  const ServerProcess server = start();
  const std::string id = must_submit(
      server.url(),
      base::read_file(corpus + "/minidumps/dumps/rust-minidump/pipeline-inlines-macos-segv.dmp")
          .value());
  EXPECT_EQ(settled_report(server.url(), id)["signature"].text_or(""), "crash-client@0x14cd4");
  must_run({"faultline", "upload-symbols", "--url", server.url(),
            corpus + "/minidumps/symbols/crash-client"});
  // Nobody asks for it: the upload itself has the report processed again.
  const auto until = std::chrono::steady_clock::now() + 30s;
  JsonValue report;
  do {
    std::this_thread::sleep_for(50ms);
    report = settled_report(server.url(), id);
  } while (report["revision"].integer_or(0) < 2 && std::chrono::steady_clock::now() < until);
  EXPECT_EQ(report["processed"]["crashing_thread"]["frames"].at(0)["function"].text_or(""),
            "sadness_generator::raise_segfault");
}

// Nobody has to upload what another symbol server has.
TEST_F(CrashReports, GetTheirSymbolsFromUpstream) {
  REQUIRE_CORPUS(corpus);
  const std::string config = root_.path() + "/faultline.toml";
  const std::string table =
      "[[upstream]]\nurl = \"" + corpus + "/minidumps/symbols\"\nlayout = \"breakpad\"\n";
  ASSERT_TRUE(base::write_file_durably(config, base::bytes_of(table)).ok());
  const ServerProcess server = ServerProcess::start({data_, {"--config", config}, {}, {}});
  const std::string id = must_submit(
      server.url(),
      base::read_file(corpus + "/minidumps/dumps/rust-minidump/pipeline-inlines-macos-segv.dmp")
          .value());
  const JsonValue report = settled_report(server.url(), id);
  EXPECT_EQ(report["processed"]["crashing_thread"]["frames"].at(0)["function"].text_or(""),
            "sadness_generator::raise_segfault");
}

// A Mach-O image for two machines that says its UUIDs and nothing else.
std::string fat_image(const std::vector<std::string>& uuids) {
  constexpr std::uint32_t kSliceAt = 4096;
  std::string file;
  const auto big = [&](std::uint32_t value) {
    for (const int shift : {24, 16, 8, 0}) file += static_cast<char>(value >> shift & 0xff);
  };
  const auto little = [&](std::uint32_t value) {
    for (const int shift : {0, 8, 16, 24}) file += static_cast<char>(value >> shift & 0xff);
  };
  const std::vector<std::uint32_t> machines{0x01000007, 0x0100000c};
  big(0xcafebabe);
  big(2);
  for (std::uint32_t i = 0; i < 2; ++i) {
    for (const std::uint32_t value : {machines.at(i), 0u, kSliceAt * (i + 1), 56u, 12u}) big(value);
  }
  for (std::uint32_t i = 0; i < 2; ++i) {
    file.resize(kSliceAt * (i + 1), '\0');
    for (const std::uint32_t value :
         {0xfeedfacfu, machines.at(i), 0u, 2u, 1u, 24u, 0u, 0u, 0x1bu, 24u}) {
      little(value);
    }
    for (std::size_t k = 0; k < 32; k += 2) {
      file += static_cast<char>(std::stoi(uuids.at(i).substr(k, 2), nullptr, 16));
    }
  }
  return file;
}

TEST_F(CrashReports, AreAskedAgainForTheIdOfAnySlice) {
  REQUIRE_CORPUS(corpus);
  const ServerProcess server = start();
  const std::string id = must_submit(
      server.url(),
      base::read_file(corpus + "/minidumps/dumps/rust-minidump/pipeline-inlines-macos-segv.dmp")
          .value());
  ASSERT_EQ(settled_report(server.url(), id)["revision"].integer_or(0), 1);
  net::ClientRequest put;
  put.method = "PUT";
  put.url = server.url() + "/api/v1/files/crash-client";
  put.body = fat_image({"0102030405060708090a0b0c0d0e0f10", "509c0610949836f7b70bd88bcf03e540"});
  const auto kept = net::Client().send(put);
  ASSERT_TRUE(kept.ok());
  ASSERT_EQ(kept->status, 201) << kept->body;
  const auto until = std::chrono::steady_clock::now() + 30s;
  std::int64_t revision = 1;
  while (revision < 2 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(50ms);
    revision = settled_report(server.url(), id)["revision"].integer_or(0);
  }
  EXPECT_EQ(revision, 2);
}

// Among all the other routes, with the limits that the program has by itself: the status is as
// the index says. What is kept is checked in api/submit_corpus_test.cc.
TEST_F(CrashReports, GetTheStatusThatTheCollectorCorpusExpects) {
  REQUIRE_CORPUS(corpus);
  const std::string folder = corpus + "/collector/";
  const JsonValue index = JsonValue::parse(base::read_file(folder + "index.json").value()).value();
  const ServerProcess server = start();
  const std::string address = server.url().substr(std::string_view("http://").size());
  int count = 0;
  for (std::size_t i = 0; i < index.size(); ++i) {
    const JsonValue& entry = index.at(i);
    const std::string_view path = entry["path"].text_or("");
    if (path.substr(0, path.find('?')) != "/submit" || entry["limits"].object() != nullptr)
      continue;
    SCOPED_TRACE(entry["name"].text_or(""));
    ++count;
    const std::string bytes =
        base::read_file(folder + std::string(entry["file"].text_or(""))).value();
    const auto exchange = testing_support::raw_exchange(address, bytes);
    const JsonValue& expected = entry["expected_status"];
    bool fits = expected.integer_or(-1) == exchange.status();
    for (std::size_t j = 0; j < expected.size(); ++j) {
      fits = fits || expected.at(j).integer_or(0) == exchange.status();
    }
    EXPECT_TRUE(fits) << exchange.status() << ": " << exchange.received.substr(0, 200);
  }
  EXPECT_GE(count, 130);
}

TEST_F(CrashReports, AreReadWithoutAServer) {
  std::string id;
  {
    ServerProcess server = start();
    id = must_submit(server.url(), "no dump at all");
    EXPECT_EQ(settled_report(server.url(), id)["state"].text_or(""), "done");
    EXPECT_EQ(server.stop(), 0);
  }
  const auto shown =
      JsonValue::parse(must_run({"faultline", "report", "show", id, "--data", data_, "--json"}));
  ASSERT_TRUE(shown.ok());
  EXPECT_FALSE((*shown)["error"].text_or("").empty());
  must_run({"faultline", "report", "reprocess", id, "--data", data_});
  ServerProcess server = start();
  EXPECT_EQ(settled_report(server.url(), id)["revision"].integer_or(0), 2);
}

TEST_F(CrashReports, ShareTheBlobOfEqualDumps) {
  ServerProcess server = start();
  const std::string first = must_submit(server.url(), "MDMP the same");
  const std::string second = must_submit(server.url(), "MDMP the same");
  EXPECT_NE(first, second);
  EXPECT_EQ(report_of(server.url(), first)["files"].at(0)["sha256"].text_or(""),
            report_of(server.url(), second)["files"].at(0)["sha256"].text_or("x"));
  EXPECT_EQ(base::list_files(data_ + "/blobs").value().size(), 1u);
}

// ---- durability

// The place of the first line, at or after `from`, that holds all of `words`.
std::size_t find_line(const std::vector<std::string_view>& lines, std::size_t from,
                      std::initializer_list<std::string_view> words) {
  for (std::size_t i = from; i < lines.size(); ++i) {
    const auto holds = [&](std::string_view w) {
      return lines[i].find(w) != std::string_view::npos;
    };
    if (std::all_of(words.begin(), words.end(), holds)) return i;
  }
  ADD_FAILURE() << "no system call like " << *words.begin() << " after line " << from;
  return lines.size();
}

TEST_F(CrashReports, AreOnDiskBeforeTheAnswer) {
  REQUIRE_OR_SKIP(base::file_exists("/usr/bin/strace"), "no strace on this machine");
  const std::string trace_path = root_.path() + "/trace";
  const std::string dump = "MDMP to be found in the trace";
  ServerProcess server =
      start({"strace", "-f", "-y", "-s", "400", "-o", trace_path, "-e",
             "trace=write,pwrite64,writev,sendto,sendmsg,fsync,fdatasync,rename"});
  ASSERT_FALSE(server.url().empty());
  must_submit(server.url(), dump);
  EXPECT_EQ(server.stop(), 0);

  const std::string trace = base::read_file(trace_path).value();
  const auto lines = base::split(trace, '\n');
  const std::string hash = sha256_of(dump);
  const std::string folder = "/blobs/" + hash.substr(0, 2) + ">";
  // write, fsync(file), rename, fsync(directory), commit, answer
  std::size_t at = find_line(lines, 0, {"write(", ", \"MDMP to be found"});
  const std::string_view written = lines[at];
  const auto name_start = written.find('<') + 1;
  const std::string file(written.substr(name_start, written.find('>') - name_start));
  at = find_line(lines, at + 1, {"fsync(", file + ">"});
  at = find_line(lines, at + 1, {"rename(", file, hash});
  at = find_line(lines, at + 1, {"fsync(", folder});
  at = find_line(lines, at + 1, {"pwrite64(", "faultline.db-wal"});
  const std::size_t answer = find_line(lines, at, {"CrashID=bp-"});
  // The last fsync of the journal before the answer comes after the last write to it, of the thread
  // that wrote the report: others may be writing something else already.
  const std::string_view thread = lines[at].substr(0, lines[at].find(' ') + 1);
  std::size_t last_write = 0, last_sync = 0;
  for (std::size_t i = at; i < answer; ++i) {
    const bool journal =
        lines[i].starts_with(thread) && lines[i].find("faultline.db-wal") != std::string_view::npos;
    if (journal && lines[i].find("pwrite64(") != std::string_view::npos) last_write = i;
    if (journal && lines[i].find("sync(") != std::string_view::npos) last_sync = i;
  }
  EXPECT_GT(last_sync, last_write);
}

// Sends until the server is gone; what was acknowledged goes to `kept`.
void submit_until_dead(const std::string& url, int round, int sender,
                       std::vector<std::pair<std::string, std::string>>& kept) {
  net::Client client;
  for (int i = 0;; ++i) {
    const std::string dump = "MDMP " + std::to_string(round) + "." + std::to_string(sender) + "." +
                             std::to_string(i) +
                             std::string(static_cast<std::size_t>(i) * 977 % 60'000, 'x');
    const auto answer = post_report(client, url, dump);
    if (!answer.ok()) return;
    const std::string id = id_in(answer);
    if (!id.empty()) kept.emplace_back(id, sha256_of(dump));
  }
}

TEST_F(CrashReports, SurviveAKillAtAnyMoment) {
  std::vector<std::pair<std::string, std::string>> kept;
  const auto seed = std::random_device{}();
  std::mt19937 random(seed);
  SCOPED_TRACE("seed " + std::to_string(seed));
  constexpr int kRounds = 12;
  for (int round = 0; round < kRounds; ++round) {
    ServerProcess server = start();
    ASSERT_FALSE(server.url().empty());
    std::vector<std::pair<std::string, std::string>> of_sender[2];
    std::thread first([&] { submit_until_dead(server.url(), round, 0, of_sender[0]); });
    std::thread second([&] { submit_until_dead(server.url(), round, 1, of_sender[1]); });
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 120'000));
    server.kill();
    first.join();
    second.join();
    for (auto& of_one : of_sender) kept.insert(kept.end(), of_one.begin(), of_one.end());
  }
  ASSERT_FALSE(kept.empty());
  ServerProcess server = start();
  for (const auto& [id, hash] : kept) {
    const JsonValue report = settled_report(server.url(), id);
    ASSERT_EQ(report["state"].text_or(""), "done") << id;
    ASSERT_EQ(report["revision"].integer_or(0), 1) << id << " was ended twice";
    ASSERT_EQ(report["files"].at(0)["sha256"].text_or(""), hash);
    const std::string blob = data_ + "/blobs/" + hash.substr(0, 2) + "/" + hash;
    ASSERT_EQ(sha256_of(base::read_file(blob).value_or("")), hash);
  }
}

TEST_F(CrashReports, AreRefusedOnAFullDiskAndKeptAllTheSame) {
  auto disk = testing_support::SmallDisk::mount("6m");
  REQUIRE_OR_SKIP(disk.has_value(), "needs the right to mount a small tmpfs");
  data_ = disk->path() + "/data";
  ServerProcess server = start();
  ASSERT_FALSE(server.url().empty());
  std::vector<std::string> kept;
  int refused = 0;
  net::Client client;
  for (int i = 0; i < 60 && refused < 3; ++i) {
    const std::string dump = "MDMP " + std::to_string(i) + std::string(300'000, 'x');
    const auto answer = post_report(client, server.url(), dump);
    ASSERT_TRUE(answer.ok()) << answer.error().what;
    const std::string id = id_in(answer);
    if (!id.empty()) {
      kept.push_back(id);
    } else {
      EXPECT_TRUE(answer->status == 503 || answer->status == 507) << answer->status;
      ++refused;
    }
  }
  EXPECT_GE(kept.size(), 3u);
  EXPECT_EQ(refused, 3) << "the disk never filled";
  for (const std::string& id : kept) {
    EXPECT_EQ(report_of(server.url(), id)["id"].text_or(""), id);
  }
  // With room again it goes on, without a restart.
  disk->resize("40m");
  kept.push_back(must_submit(server.url(), "MDMP with room again"));
  for (const std::string& id : kept) {
    EXPECT_EQ(settled_report(server.url(), id)["state"].text_or(""), "done");
  }
  EXPECT_EQ(server.stop(), 0);
}

}  // namespace
