// Sources that requests name, as strangers may make them: slow, many, and all at once.
#include "server/request_sources.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <condition_variable>

#include "store/data_directory.h"
#include "testing/scripted_server.h"

namespace server {
namespace {

using Asked = supply::Supply::Options::Asked;
using base::Fault;
using testing_support::ScriptedServer;
using namespace std::chrono_literals;

constexpr auto kPatience = 60s;

// A server that leaves everybody without an answer until it is let go.
class SlowServer {
 public:
  explicit SlowServer(const std::string& spool)
      : server_(spool, [this](net::Request&) {
          std::unique_lock lock(mutex_);
          ++held_;
          changed_.notify_all();
          changed_.wait_for(lock, 2 * kPatience, [this] { return is_let_go_; });
          return net::Answer::text(404, "no");
        }) {}
  ~SlowServer() { let_go(); }
  void let_go() {
    const std::lock_guard lock(mutex_);
    is_let_go_ = true;
    changed_.notify_all();
  }
  bool holds(int requests) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return held_ >= requests; });
  }
  int held() {
    const std::lock_guard lock(mutex_);
    return held_;
  }
  std::string url() const { return server_.url(); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int held_ = 0;            // guarded by mutex_
  bool is_let_go_ = false;  // guarded by mutex_
  ScriptedServer server_;
};

// What was heard of the files that were asked for.
class Heard {
 public:
  supply::Supply::Options::Hearer hearer() {
    return {nullptr, [this](const Asked& asked) {
              const std::lock_guard lock(mutex_);
              heard_.push_back(asked);
              changed_.notify_all();
            }};
  }
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return heard_.size() >= count; });
  }
  std::vector<Asked> all() {
    const std::lock_guard lock(mutex_);
    return heard_;
  }
  std::size_t size() { return all().size(); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Asked> heard_;  // guarded by mutex_
};

class RequestSourcesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<db::Migration> tables = store::Catalog::migrations();
    const auto& more = store::Containers::migrations();
    tables.insert(tables.end(), more.begin(), more.end());
    ASSERT_TRUE(database_->migrate(tables).ok());
    ASSERT_TRUE(base::make_directories(root_.path() + "/extracted").ok());
    extracted_ =
        ingest::ExtractedFiles::open(root_.path() + "/extracted", data_.tmp(), {1 << 20, 0},
                                     [](const base::Sha256&) { return true; })
            .value();
    files_.emplace(blobs_, containers_, *extracted_, archive::CabLimits{});
    options_.private_addresses = net::AddressSet::parse({"127.0.0.0/8"}).value();
    options_.tmp = data_.tmp();
  }
  void open() { sources_.emplace(*files_, disk_, options_); }

  // The source at `url`, as one more of the many that may be there.
  api::TraceLookup admit(const std::string& url, int number = 0) {
    symbolicate::TraceSource source;
    source.id = "theirs";
    source.type = "http";
    source.url = fmt::format("{}/{}", url, number);
    source.layout = "breakpad";
    return sources_->admit(source, {}, "");
  }
  static ident::SymbolRequest file_of(const api::TraceLookup& lookup, int number = 0) {
    ident::SymbolRequest request =
        ident::find_request(fmt::format("a.pdb/{:032X}1/a.sym", number + 0x1000)).value();
    request.scope = lookup.scope;
    return request;
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("sources").value();
  store::DataDirectory data_ = store::DataDirectory::open(root_.path() + "/data", "test").value();
  std::unique_ptr<db::Database> database_ = db::Database::open(data_.database_url()).value();
  store::Blobs blobs_ = store::Blobs::open(data_.blobs(), data_.tmp()).value();
  store::Catalog catalog_{*database_};
  store::Containers containers_{*database_, catalog_};
  std::unique_ptr<ingest::ExtractedFiles> extracted_;
  std::optional<ingest::FetchedFiles> files_;
  store::DiskWatch disk_{data_.path(), {0, 0, 0}};
  RequestSources::Options options_;
  Heard heard_, heard_of_slow_;  // outlive who tells them
  std::optional<RequestSources> sources_;
};

TEST_F(RequestSourcesTest, ASlowSourceKeepsNobodyElseWaiting) {
  options_.threads = 3;
  SlowServer slow(root_.path());
  ScriptedServer quick(root_.path(), [](net::Request&) { return net::Answer::text(404, "no"); });
  open();
  const auto theirs = admit(slow.url()), ours = admit(quick.url());
  for (int i = 0; i < 20; ++i) sources_->ask(file_of(theirs, i), heard_of_slow_.hearer());
  ASSERT_TRUE(slow.holds(2));
  sources_->ask(file_of(ours), heard_.hearer());
  ASSERT_TRUE(heard_.wait_for(1));
  EXPECT_EQ(heard_.all().front().miss.fault, Fault::not_found);
  EXPECT_EQ(heard_of_slow_.size(), 0u);
  EXPECT_EQ(slow.held(), 2);
  slow.let_go();
  EXPECT_TRUE(heard_of_slow_.wait_for(20)) << "those that waited had their turns";
}

TEST_F(RequestSourcesTest, WhoWouldWaitBehindTooManyIsRefused) {
  options_.waiting_max = 5;
  SlowServer slow(root_.path());
  open();
  const auto theirs = admit(slow.url());
  for (int i = 0; i < 20; ++i) sources_->ask(file_of(theirs, i), heard_.hearer());
  EXPECT_GE(heard_.size(), 20u - 5 - 2);  // two may be with their threads already
  for (const Asked& asked : heard_.all()) EXPECT_EQ(asked.miss.fault, Fault::unavailable);
  slow.let_go();
  EXPECT_TRUE(heard_.wait_for(20));
}

TEST_F(RequestSourcesTest, WhoWaitsHearsThatWeStop) {
  SlowServer slow(root_.path());
  open();
  const auto theirs = admit(slow.url());
  for (int i = 0; i < 20; ++i) sources_->ask(file_of(theirs, i), heard_.hearer());
  ASSERT_TRUE(slow.holds(2));
  sources_->stop();
  ASSERT_EQ(heard_.size(), 20u);
  for (const Asked& asked : heard_.all()) EXPECT_EQ(asked.miss.fault, Fault::unavailable);
}

TEST_F(RequestSourcesTest, WhatIsUsedDoesNotGoForAnothersSake) {
  options_.idle_max = 2;
  options_.sources_max = 4;
  options_.use_time = 1h;
  open();
  std::vector<api::TraceLookup> admitted;
  admitted.reserve(4);
  for (int i = 0; i < 4; ++i) admitted.push_back(admit("http://192.0.2.1", i));
  for (const auto& lookup : admitted) {
    EXPECT_FALSE(lookup.refusal.has_value());
    EXPECT_TRUE(sources_->may_ask(file_of(lookup)));
  }
  const auto refused = admit("http://192.0.2.1", 4);
  ASSERT_TRUE(refused.refusal.has_value());
  EXPECT_EQ(refused.refusal->fault, Fault::unavailable);
  EXPECT_FALSE(admit("http://192.0.2.1", 0).refusal.has_value()) << "it is there";
}

TEST_F(RequestSourcesTest, ASchemeMayBeInCapitals) {
  open();
  EXPECT_FALSE(admit("HTTP://192.0.2.1").refusal.has_value());
  EXPECT_TRUE(admit("FTP://192.0.2.1").refusal.has_value());
}

TEST_F(RequestSourcesTest, WhatNobodyUsesGoesWhenOthersCome) {
  options_.idle_max = 2;
  options_.use_time = 0s;
  open();
  const auto first = admit("http://192.0.2.1", 0), second = admit("http://192.0.2.1", 1);
  EXPECT_TRUE(sources_->may_ask(file_of(first)));  // and so it was used last
  const auto third = admit("http://192.0.2.1", 2);
  EXPECT_TRUE(sources_->may_ask(file_of(first)));
  EXPECT_FALSE(sources_->may_ask(file_of(second)));
  EXPECT_TRUE(sources_->may_ask(file_of(third)));
}

TEST_F(RequestSourcesTest, ASourceThatIsAskedIsStoppedHoweverManyCameAfterIt) {
  options_.idle_max = 1;
  options_.use_time = 0s;
  SlowServer slow(root_.path());
  open();
  sources_->ask(file_of(admit(slow.url())), heard_.hearer());
  ASSERT_TRUE(slow.holds(1));
  for (int i = 0; i < 5; ++i) admit("http://192.0.2.1", i);
  sources_->stop();
  ASSERT_EQ(heard_.size(), 1u);
  // Not what it says when it is let go.
  EXPECT_EQ(heard_.all().front().miss.fault, Fault::unavailable);
}

}  // namespace
}  // namespace server
