// A server that watches directories and is killed at random moments: whatever kind of package or
// file a scan was about, nothing is ever served by half, what was served once is served again at
// once, and the next start takes up what was left and says what it did.
// FAULTLINE_LONG=1 kills it some hundred times.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <list>
#include <random>
#include <set>
#include <thread>

#include "base/codec.h"
#include "base/file.h"
#include "base/sha256.h"
#include "testing/packages.h"
#include "testing/server_process.h"
#include "testing/stored_zip.h"
#include "upload_dialects.h"

namespace {

using namespace std::chrono_literals;
using testing_support::ServerProcess;
using uploads::File;
using uploads::send;
using Files = std::vector<File>;

bool is_long() {
  const char* value = std::getenv("FAULTLINE_LONG");
  return value != nullptr && std::string_view(value) == "1";
}

testing_support::PackedFiles packed(const Files& files) {
  testing_support::PackedFiles all;
  for (const File& file : files) all.emplace_back("usr/lib/" + file.name, file.content);
  return all;
}

std::string tar_of(const Files& files) {
  std::string tar;
  for (const File& file : files) tar += uploads::tar_entry("usr/lib/" + file.name, file.content);
  return tar + uploads::tar_end();
}

std::string gzip(const std::string& text) {
  const auto bytes = base::gzip(base::bytes_of(text));
  return {bytes.begin(), bytes.end()};
}

std::string zip_of(const Files& files) {
  testing_support::StoredZip zip;
  for (const File& file : files) zip.add("usr/lib/" + file.name, file.content);
  return zip.finish();
}

// How files lie in a watched directory; without `pack` as they are.
struct Kind {
  std::string extension;
  std::function<std::string(const Files&)> pack;
};
const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kAll{
      {".deb",
       [](const Files& files) {
         return testing_support::deb_of(
             gzip(uploads::tar_entry("control", "Package: lamp\n") + uploads::tar_end()),
             gzip(tar_of(files)));
       }},
      {".rpm",
       [](const Files& files) {
         return testing_support::rpm_of(gzip(testing_support::cpio_of(packed(files))));
       }},
      {".zip", zip_of},
      {".tar.gz", [](const Files& files) { return gzip(tar_of(files)); }},
      {"", nullptr},
  };
  return kAll;
}

class KilledScan : public testing::Test {
 protected:
  struct Lying {  // one package, or a directory of files
    std::string path;
    Files files;
    bool is_gone = false;
  };

  // By one rename: what watches sees it whole. The server is not running, or it is.
  void lay_down(const Kind& kind, int round) {
    Lying lying;
    const std::string name =
        (kind.pack ? kind.extension.substr(1) : "tree") + "-" + std::to_string(round);
    for (int i = 0; i < 3; ++i) {
      const std::size_t size = 50'000 + random_() % 400'000;
      lying.files.push_back(uploads::elf_file(name + "-" + std::to_string(i) + ".so", size));
    }
    const std::string aside = root_.path() + "/aside";
    std::filesystem::remove_all(aside);
    if (kind.pack) {
      write(aside, kind.pack(lying.files));
    } else {
      for (const File& file : lying.files) write(aside + "/" + file.name, file.content);
    }
    lying.path = watched_ + "/" + name + kind.extension;
    std::filesystem::rename(aside, lying.path);
    lying_.push_back(std::move(lying));
  }
  static void write(const std::string& path, const std::string& text) {
    ASSERT_TRUE(base::make_directories(std::string(base::parent_of(path))).ok());
    ASSERT_TRUE(base::write_file_durably(path, base::bytes_of(text)).ok());
  }

  ServerProcess start() {
    std::vector<std::string> environment{"FAULTLINE_SCAN_PATHS=" + watched_,
                                         "FAULTLINE_SCAN_SECONDS=1"};
    // Without a budget members are unpacked again when somebody asks: that is killed as well.
    if (random_() % 3 == 0) environment.push_back("FAULTLINE_SCAN_EXTRACTED=1");
    auto server = ServerProcess::start({data_, {}, {}, environment});
    EXPECT_NE(server.url(), "");
    const std::string log = server.log();
    if (log.find("unfinished files from") != std::string::npos) ++swept_;
    if (log.find("extracted files of no package") != std::string::npos) ++unclaimed_;
    return server;
  }

  // True when it is there. Whole, or not there; never something else.
  static bool is_there(const std::string& url, const File& file, std::atomic<bool>* server_gone) {
    const auto answer = send(url, "GET", file.path);
    if (answer.status == 0) {
      if (server_gone != nullptr) *server_gone = true;
      return false;
    }
    EXPECT_TRUE(answer.status == 200 || answer.status == 404) << answer.status << file.name;
    if (answer.status == 200) EXPECT_TRUE(answer.body == file.content) << file.name;
    return answer.status == 200;
  }
  // Asks for everything until the server is gone.
  void ask_on(const std::string& url) {
    std::atomic<bool> gone = false;
    while (!gone) {
      for (const Lying& lying : lying_) {
        for (const File& file : lying.files) {
          if (lying.is_gone || gone) continue;
          if (is_there(url, file, &gone) && seen_.insert(&file).second) ++seen_now_;
        }
      }
    }
  }
  void wait_for_progress() const {
    const auto until = std::chrono::steady_clock::now() + 5s;
    while (seen_now_ == 0 && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(1ms);
    }
  }
  static bool comes_to(const std::string& url, const File& file, int status) {
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (std::chrono::steady_clock::now() < until) {
      if (is_there(url, file, nullptr) == (status == 200)) return true;
      std::this_thread::sleep_for(20ms);
    }
    return false;
  }
  void take_one_away(int round) {
    for (Lying& lying : lying_) {
      if (lying.is_gone || lying.path.find("-" + std::to_string(round)) == std::string::npos) {
        continue;
      }
      std::filesystem::remove_all(lying.path);
      lying.is_gone = true;
      for (const File& file : lying.files) seen_.erase(&file);
      return;
    }
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("scan-kill").value();
  std::string data_ = root_.path() + "/data";
  std::string watched_ = root_.path() + "/watched";
  unsigned seed_ = std::random_device()();
  std::mt19937 random_{seed_};
  std::list<Lying> lying_;
  std::set<const File*> seen_;     // that were answered once
  std::atomic<int> seen_now_ = 0;  // for the first time, in this round
  int swept_ = 0, unclaimed_ = 0;
};

TEST_F(KilledScan, ServesNothingByHalfWhateverItReads) {
  ASSERT_TRUE(base::make_directories(watched_).ok());
  SCOPED_TRACE("seed " + std::to_string(seed_));
  const int rounds = is_long() ? 300 : 8;
  constexpr int kRoundsMax = 400;  // by then one start has had something to repair
  for (int round = 0; round < rounds || (swept_ + unclaimed_ == 0 && round < kRoundsMax); ++round) {
    for (const Kind& kind : kinds()) lay_down(kind, round);
    auto server = start();
    for (const File* file : seen_)
      EXPECT_TRUE(is_there(server.url(), *file, nullptr)) << file->name;
    seen_now_ = 0;
    std::thread asking([&] { ask_on(server.url()); });
    // Whatever this machine's speed: some kills come before anything was read, some in the middle.
    if (round % 3 != 0) wait_for_progress();
    std::this_thread::sleep_for(std::chrono::microseconds(random_() % 200'000));
    server.kill();
    asking.join();
    if (round % 2 == 1) take_one_away(round - 1);
  }
  EXPECT_FALSE(seen_.empty());
  EXPECT_GT(swept_ + unclaimed_, 0) << "no start has said that it removed anything";

  auto server = start();
  for (const Lying& lying : lying_) {
    for (const File& file : lying.files) {
      ASSERT_TRUE(comes_to(server.url(), file, lying.is_gone ? 404 : 200))
          << lying.path << " " << file.name << (lying.is_gone ? " is gone" : "") << server.log();
    }
  }
  EXPECT_EQ(server.log().find(" error "), std::string::npos) << server.log();
  EXPECT_EQ(server.stop(), 0);
  EXPECT_TRUE(base::list_files(data_ + "/tmp")->empty());
  const auto extracted = base::list_files(data_ + "/extracted").value();
  for (const std::string& path : extracted) {
    EXPECT_EQ(base::sha256_of(base::bytes_of(base::read_file(path).value())).hex(),
              base::basename_of(path));
  }
  std::printf("%zu packages, %zu files seen before the end, %d starts swept tmp, %d extracted\n",
              lying_.size(), seen_.size(), swept_, unclaimed_);
}

}  // namespace
