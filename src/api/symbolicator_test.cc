#include "api/symbolicator.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace api
