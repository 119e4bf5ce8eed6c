#include "api/dispatch.h"

#include <gtest/gtest.h>

#include <future>

#include "api/clients.h"
#include "api/symbols.h"
#include "ingest/ingest.h"
#include "store/data_directory.h"

namespace api {
namespace {

using namespace std::chrono_literals;

constexpr const char* kId = "0403020106050807090A0B0C0D0E0F100";
constexpr std::string_view kSym =
    "MODULE Linux x86_64 0403020106050807090A0B0C0D0E0F100 x\nFUNC 1000 10 0 main\n";

// A store with a supply whose conversions end when `gate` opens.
struct Place {
  base::TemporaryDirectory root = base::TemporaryDirectory::create("dispatch-test").value();
  store::DataDirectory data = store::DataDirectory::open(root.path(), "test").value();
  store::Blobs blobs = store::Blobs::open(data.blobs(), data.tmp()).value();
  std::unique_ptr<db::Database> database = db::Database::open(data.database_url()).value();
  store::Catalog catalog{*database};
  ingest::Ingest ingest{blobs, catalog, {}};
  std::atomic<bool> gate = false;
  std::unique_ptr<supply::Supply> supply;

  Place() {
    EXPECT_TRUE(database->migrate(store::Catalog::migrations()).ok());
    supply::Supply::Options options;
    options.derived = {data.index(), data.tmp(), 1,
                       [this](const supply::ExtractJob& job, const std::atomic<bool>& stop) {
                         while (!gate && !stop) std::this_thread::sleep_for(1ms);
                         return base::write_file_durably(job.index_out, base::bytes_of("index"));
                       }};
    supply = std::make_unique<supply::Supply>(blobs, catalog, std::move(options));
    base::PendingFile file = blobs.create().value();
    EXPECT_TRUE(file.append(base::bytes_of(kSym)).ok());
    EXPECT_TRUE(ingest.keep_file({}, {std::move(file), std::nullopt, "x.sym"}).ok());
  }
};

class Waiting final : public net::Completer {
 public:
  void complete(net::Answer answer) override { answer_.set_value(std::move(answer)); }
  std::future<net::Answer> future() { return answer_.get_future(); }

 private:
  std::promise<net::Answer> answer_;
};

// Answers with the number of passes it took, and says when it was the last one.
struct Handler {
  std::shared_ptr<std::atomic<int>> passes = std::make_shared<std::atomic<int>>(0);

  Outcome operator()(const net::Request&, supply::Supply& supply, Pass pass) const {
    ++*passes;
    const auto wanted =
        ident::module_request(ident::Artifact::index, "x", *ident::DebugId::parse(kId));
    if (supply.local(wanted).here()) return net::Answer::text(200, "here");
    if (pass == Pass::kFinal) return net::Answer::text(503, "final");
    return Missing{{wanted}};
  }
};

net::Answer must_wait_for(const net::Handler& handler, net::Request& request) {
  net::Reply reply = handler(request);
  if (auto* answer = std::get_if<net::Answer>(&reply)) return std::move(*answer);
  auto waiting = std::make_shared<Waiting>();
  auto future = waiting->future();
  std::get<net::Later>(reply).start(waiting);
  EXPECT_EQ(future.wait_for(20s), std::future_status::ready);
  return future.get();
}

TEST(Dispatch, RunsTheHandlerAgainWhenItIsSettled) {
  Place place;
  Handler handler;
  const auto passes = handler.passes;
  const auto dispatched = dispatch(handler, *place.supply, [](const auto&) { return 10'000ms; });
  net::Request request = net::Request::of("GET", "/x");
  std::thread opener([&] {
    std::this_thread::sleep_for(50ms);
    place.gate = true;
  });
  EXPECT_EQ(must_wait_for(dispatched, request).status, 200);
  opener.join();
  EXPECT_EQ(*passes, 2);
  EXPECT_EQ(must_wait_for(dispatched, request).status, 200);  // now at once
  EXPECT_EQ(*passes, 3);
}

TEST(Dispatch, RunsItOnceMoreWhenPatienceIsOver) {
  Place place;
  Handler handler;
  const auto dispatched = dispatch(handler, *place.supply, [](const auto&) { return 30ms; });
  net::Request request = net::Request::of("GET", "/x");
  const net::Answer answer = must_wait_for(dispatched, request);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(std::get<std::string>(answer.body), "final");
}

TEST(Dispatch, AnswersThoseWhoWaitWhenTheSupplyStops) {
  Place place;
  const auto dispatched = dispatch(Handler(), *place.supply, [](const auto&) { return 1h; });
  net::Request request = net::Request::of("GET", "/x");
  request.deadline += 2h;
  net::Reply reply = dispatched(request);
  auto waiting = std::make_shared<Waiting>();
  auto future = waiting->future();
  std::get<net::Later>(reply).start(waiting);
  place.supply.reset();
  EXPECT_EQ(future.wait_for(10s), std::future_status::ready);
}

TEST(StoreRoutes, ReservedSegmentsAreNoNames) {
  EXPECT_TRUE(is_reserved("crashes"));
  EXPECT_TRUE(is_reserved("buildid"));
  EXPECT_FALSE(is_reserved("symbols"));
  EXPECT_FALSE(is_reserved("libfoo.so"));
}

}  // namespace
}  // namespace api
