#include "net/http.h"

#include <gtest/gtest.h>

#include "net/percent.h"

namespace net {
namespace {

Route route(std::string method, std::string pattern) {
  Route route;
  route.method = std::move(method);
  route.pattern = std::move(pattern);
  return route;
}

std::string routed(const Router& router, Request request) {
  const auto match = router.match(request);
  if (match.route == nullptr) {
    std::string out = "none";
    for (const auto& method : match.allowed) out += " " + method;
    return out;
  }
  std::string out = match.route->pattern;
  if (out.ends_with("**")) out.append(" **=").append(request.path_rest());
  for (const auto& [name, value] : request.path_parameters)
    out.append(" ").append(name).append("=").append(value);
  return out;
}

Router example_router() {
  Router router;
  router.add(route("GET", "/"));
  router.add(route("POST", "/"));
  router.add(route("GET", "/crashes"));
  router.add(route("GET", "/crashes/{id}"));
  router.add(route("DELETE", "/crashes/{id}"));
  router.add(route("GET", "/buildid/{id}/source/**"));
  router.add(route("POST", "/v1/uploads/{key}:complete"));
  router.add(route("POST", "/upload/"));
  router.add(route("GET", "/static/**"));
  router.add(route("GET", "/{name}/{id}/{file}"));
  router.add(route("PUT", "/{name}/{id}/{file}"));
  return router;
}

TEST(Router, AGuardIsAskedBeforeTheRoutesOwn) {
  Router router;
  const auto add = [&](std::string_view pattern, bool has_own) {
    Route made;
    made.method = "GET";
    made.pattern = pattern;
    made.handler = [](Request&) -> Reply { return Answer::text(200, ""); };
    if (has_own) {
      made.admit = [](const Request&) { return std::optional<Answer>(Answer::text(401, "")); };
    }
    router.add(std::move(made));
  };
  bool is_busy = true;
  add("/before", false);
  router.guard([&](const Request&) -> std::optional<Answer> {
    if (is_busy) return Answer::text(429, "");
    return std::nullopt;
  });
  add("/guarded", false);
  add("/both", true);
  router.guard(nullptr);
  add("/after", false);
  const auto refused = [&](std::string_view path) {
    Request request = Request::of("GET", path);
    const Route* found = router.match(request).route;
    const auto answer = found->admit ? found->admit(request) : std::nullopt;
    return answer ? answer->status : 0;
  };
  EXPECT_EQ(refused("/before"), 0);
  EXPECT_EQ(refused("/guarded"), 429);
  EXPECT_EQ(refused("/both"), 429);
  EXPECT_EQ(refused("/after"), 0);
  is_busy = false;
  EXPECT_EQ(refused("/guarded"), 0);
  EXPECT_EQ(refused("/both"), 401);
}

TEST(Router, PicksTheFirstThatFits) {
  const Router router = example_router();
  struct Row {
    const char *method, *target, *expected;
  };
  const Row rows[] = {
      {"GET", "/", "/"},
      {"HEAD", "/", "/"},
      {"POST", "/?a=1", "/"},
      {"GET", "/crashes", "/crashes"},
      {"GET", "/crashes/12", "/crashes/{id} id=12"},
      {"POST", "/crashes/12", "none GET HEAD DELETE"},
      {"GET", "/crashes/", "none"},
      {"GET", "/crashes/1/2/3", "none"},
      {"GET", "/buildid/ab/source/usr/a.c", "/buildid/{id}/source/** **=usr/a.c id=ab"},
      {"GET", "/buildid/ab/source//usr/a.c", "/buildid/{id}/source/** **=/usr/a.c id=ab"},
      {"GET", "/buildid/ab/source/%2Fusr%2Fa.c", "/buildid/{id}/source/** **=/usr/a.c id=ab"},
      {"POST", "/v1/uploads/k7:complete", "/v1/uploads/{key}:complete key=k7"},
      {"POST", "/v1/uploads/:complete", "none GET HEAD PUT"},  // fits the last pattern
      {"POST", "/upload/", "/upload/"},
      {"POST", "/upload", "none"},
      {"GET", "/static/", "/static/** **="},
      {"GET", "/static/a/b.js", "/static/** **=a/b.js"},
      {"GET", "/foo.pdb/AB1/foo.pd_", "/{name}/{id}/{file} file=foo.pd_ id=AB1 name=foo.pdb"},
      {"GET", "/foo.pdb//AB1//foo.pd_", "/{name}/{id}/{file} file=foo.pd_ id=AB1 name=foo.pdb"},
      {"GET", "/libstdc%2B%2B.so/A/x+y", "/{name}/{id}/{file} file=x+y id=A name=libstdc++.so"},
      {"PUT", "/a/b/c", "/{name}/{id}/{file} file=c id=b name=a"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(routed(router, Request::of(row.method, row.target)), row.expected)
        << row.method << " " << row.target;
  }
}

TEST(Router, ARouteForBodiesLeavesRequestsWithoutOneToOthers) {
  Router router;
  Route asking = route("GET", "/**");
  asking.needs_body = true;
  router.add(std::move(asking));
  router.add(route("GET", "/"));
  Request request = Request::of("GET", "/");
  EXPECT_EQ(routed(router, request), "/");
  request.headers.set("Content-Length", "0");
  EXPECT_EQ(routed(router, request), "/");
  request.headers.set("Content-Length", "10");
  EXPECT_EQ(routed(router, request), "/** **=");
  EXPECT_EQ(routed(router, Request::of("GET", "/else")), "none");
  Request chunked = Request::of("GET", "/else");
  chunked.headers.set("Transfer-Encoding", "chunked");
  EXPECT_EQ(routed(router, chunked), "/** **=else");
}

TEST(SplitTarget, TakesOriginAndAbsoluteForm) {
  std::string path, query;
  ASSERT_TRUE(split_target("http://host:80/a%20b?c=%20d", path, query));
  EXPECT_EQ(path, "/a b");
  EXPECT_EQ(query, "c=%20d");
  ASSERT_TRUE(split_target("http://host?x", path, query));
  EXPECT_EQ(path, "/");
  EXPECT_EQ(query, "x");
  ASSERT_TRUE(split_target("*", path, query));
  EXPECT_EQ(path, "*");
}

TEST(SplitTarget, RefusesWhatIsNoTarget) {
  std::string path, query;
  for (const std::string_view bad :
       {"", "a/b", "host:443", "/a%2", "/%zz", "/a%00b", "/a b", "ftp://h/", "http:///x"}) {
    EXPECT_FALSE(split_target(bad, path, query)) << bad;
  }
}

TEST(Headers, AreFoundWithoutCase) {
  Headers headers;
  headers.add("Content-Type", "a");
  headers.add("X", "1");
  headers.add("x", "2");
  EXPECT_EQ(headers.find("content-TYPE"), "a");
  EXPECT_EQ(headers.find("X"), "1");
  headers.set("X", "3");
  EXPECT_EQ(headers.find("x"), "3");
  EXPECT_EQ(headers.all().size(), 2u);
  EXPECT_FALSE(headers.find("Y"));
}

TEST(Request, QueryValuesAreDecoded) {
  const Request request = Request::of("GET", "/x?code_file=libstdc%2B%2B.so&a+b=c+d&empty&bad=%zz");
  EXPECT_EQ(request.query_value("code_file"), "libstdc++.so");
  EXPECT_EQ(request.query_value("a b"), "c d");
  EXPECT_EQ(request.query_value("empty"), "");
  EXPECT_EQ(request.query_value("bad"), "%zz");
  EXPECT_FALSE(request.query_value("none"));
}

// 64 seconds apart: what was written for one must not be said of the other.
TEST(HttpDate, EachTimeHasItsOwnText) {
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(http_date(784'111'777'000'000), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(http_date(784'111'841'999'999), "Sun, 06 Nov 1994 08:50:41 GMT");
    EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_EQ(http_date(-1'000'000), "Wed, 31 Dec 1969 23:59:59 GMT");
  }
}

TEST(Percent, EncodesAndDecodes) {
  EXPECT_EQ(percent_encode("a b/c+~"), "a%20b%2Fc%2B~");
  EXPECT_EQ(percent_encode("a/b", "/"), "a/b");
  EXPECT_EQ(percent_decode("a%20b%2fc"), "a b/c");
  EXPECT_FALSE(percent_decode("%2"));
}

}  // namespace
}  // namespace net
