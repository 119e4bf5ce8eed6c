#include "api/symbolicator.h"

#include <gtest/gtest.h>

#include <future>
#include <mutex>

#include "api/empty_store_fixture.h"

namespace api {
namespace {

Symbolicator::Options options_in(const EmptyStore& store) {
  Symbolicator::Options options;
  options.tmp = store.data.tmp();
  return options;
}

constexpr const char* kPosts[] = {"/symbolicate", "/p/game/symbolicate", "/minidump",
                                  "/applecrashreport"};

TEST(Symbolicator, SaysThatThereIsNoRoomAndNotWhy) {
  EmptyStore store;
  Symbolicator symbolicator(*store.supply, *store.maps, options_in(store));
  net::Router router;
  symbolicator.add_routes(router);
  for (const char* path : kPosts) {
    net::Request request = net::Request::of("POST", path);
    const net::Route* route = router.match(request).route;
    ASSERT_NE(route, nullptr) << path;
    const net::Answer full =
        route->refuse_body(request, {base::Fault::unavailable, "/data/tmp/x: no space left"});
    EXPECT_EQ(full.status, 503) << path;
    EXPECT_EQ(std::get<std::string>(full.body),
              R"({"detail":"there is no room for the request: ask again"})");
    EXPECT_EQ(route->refuse_body(request, {base::Fault::too_large, "large"}).status, 413);
    EXPECT_EQ(route->refuse_body(request, {base::Fault::malformed, "bad"}).status, 400);
  }
}

TEST(Symbolicator, QuestionsShareOneBudgetOfMemory) {
  EmptyStore store;
  Symbolicator symbolicator(*store.supply, *store.maps, options_in(store));
  net::Router router;
  symbolicator.add_routes(router);
  const auto budget_of = [&](const char* path) {
    net::Request request = net::Request::of("POST", path);
    const net::Route* route = router.match(request).route;
    return route == nullptr ? nullptr : route->body.budget.get();
  };
  EXPECT_NE(budget_of("/symbolicate"), nullptr);
  EXPECT_EQ(budget_of("/try/symbolicate"), budget_of("/symbolicate"));
  EXPECT_EQ(budget_of("/p/game/symbolicate"), budget_of("/symbolicate"));
}

class Unheard final : public net::Completer {
 public:
  void complete(net::Answer) override {}
};

// A question whose module never comes.
TEST(Symbolicator, NothingOfItIsLeftWhenTheServerStops) {
  std::weak_ptr<int> lives;
  std::promise<void> asked;
  std::once_flag first;
  {
    EmptyStore store([&](const ident::SymbolRequest&, const supply::Supply::Options::Hearer&) {
      std::call_once(first, [&] { asked.set_value(); });
    });
    auto part = std::make_shared<int>(1);
    lives = part;
    Symbolicator::Options options = options_in(store);
    options.allows = [part = std::move(part)](const net::Request&) -> std::optional<net::Answer> {
      return std::nullopt;
    };
    net::Request request = net::Request::of(
        "POST", "/symbolicate", R"({"stacktraces":[{"frames":[{"instruction_addr":"0x10010"}]}],
          "modules":[{"type":"elf","debug_file":"a","image_addr":"0x10000",
                      "debug_id":"000000000000000000000000000000AA0"}]})");
    request.deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
    {
      Symbolicator symbolicator(*store.supply, *store.maps, std::move(options));
      net::Router router;
      symbolicator.add_routes(router);
      net::Reply reply = router.match(request).route->handler(request);
      ASSERT_TRUE(std::holds_alternative<net::Later>(reply));
      std::get<net::Later>(reply).start(std::make_shared<Unheard>());
      ASSERT_EQ(asked.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
    }
  }
  EXPECT_TRUE(lives.expired());
}

}  // namespace
}  // namespace api
