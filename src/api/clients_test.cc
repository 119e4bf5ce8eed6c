#include "api/clients.h"

#include <gtest/gtest.h>

namespace api {
namespace {

using base::Fault;

net::Request request_from(std::string_view agent) {
  net::Request request = net::Request::of("GET", "/x");
  request.headers.set("User-Agent", agent);
  return request;
}

constexpr std::string_view kSymsrv = "Microsoft-Symbol-Server/10.0.22621.1";
constexpr std::string_view kElfutils = "elfutils/0.188,Linux/x86_64,debian,12";

TEST(Clients, AMissIs404ForEverybody) {
  for (const std::string_view agent : {kSymsrv, kElfutils, std::string_view("curl/8")}) {
    for (const Fault fault : {Fault::not_found, Fault::denied, Fault::malformed, Fault::unsupported,
                              Fault::too_large}) {
      const net::Answer answer = answer_miss(request_from(agent), {fault, "w"}, "");
      EXPECT_EQ(answer.status, 404) << agent;
      EXPECT_FALSE(answer.reset);
    }
  }
}

TEST(Clients, OurTroubleIsNothingThatAClientRemembersAsAMiss) {
  for (const Fault fault : {Fault::unavailable, Fault::internal, Fault::timed_out}) {
    EXPECT_TRUE(answer_miss(request_from(kElfutils), {fault, "w"}, "").reset);
    const net::Answer symsrv = answer_miss(request_from(kSymsrv), {fault, "w"}, "");
    EXPECT_EQ(symsrv.headers.find("Symbol-Agent-Status"), "0x80070512");
    const net::Answer other = answer_miss(request_from("curl/8"), {fault, "w"}, "");
    EXPECT_EQ(other.status, 503);
    EXPECT_TRUE(other.headers.find("Retry-After"));
  }
}

// Who would ask for ever, or give us up, goes on; who remembers misses is told of none.
TEST(Clients, ServersThatAreDownAreAMissForThoseWhoForgetIt) {
  const base::Error down{Fault::unavailable, "down"};
  const auto told = [&](std::string_view agent) {
    return answer_nobody_answers(request_from(agent), down, "");
  };
  const net::Answer symsrv = told(kSymsrv);
  EXPECT_EQ(symsrv.status, 404);
  EXPECT_FALSE(symsrv.headers.find("Symbol-Agent-Status"));
  EXPECT_EQ(symsrv.headers.find("Cache-Control"), "no-store");
  EXPECT_EQ(symsrv.headers.find("X-Faultline-Reason"), "unavailable: down");
  EXPECT_EQ(told("LLVM-HTTPClient/1.0").status, 404);
  EXPECT_TRUE(told(kElfutils).reset);
  EXPECT_EQ(told("symbolicator/25.1.0").status, 503);
  EXPECT_EQ(told("curl/8").status, 503);
}

TEST(Clients, AreKnownByWhatOnlyTheySend) {
  struct Row {
    const char* target;
    std::string_view agent;
    const char* header;
    const char* expected;
  };
  for (const Row& row :
       {Row{"/x", kSymsrv, nullptr, "symsrv"}, Row{"/x", kSymsrv, "SymbolChecksum", "symsrv"},
        Row{"/x", kElfutils, nullptr, "debuginfod"},
        Row{"/x", "valgrind elfutils/0.190", nullptr, "debuginfod"},
        Row{"/x", "symbolicator/25.1.0", nullptr, "symbolicator"},
        Row{"/x", "FirefoxProfiler/1.0 (+https://x)", nullptr, "profiler"},
        Row{"/x", "", "X-TFS-FedAuthRedirect", "dotnet"},
        Row{"/x", "Tool/1", "SymbolChecksum", "dotnet"},
        Row{"/a/1/a.sym?code_file=a&code_id=1", "Tool/1", nullptr, "breakpad"},
        Row{"/a/1/a.sym", "", nullptr, "breakpad"}, Row{"/a/1/a.sym", "curl/8", nullptr, "other"},
        Row{"/buildid/aabb/debuginfo", "", nullptr, "lldb"},
        Row{"/buildid/aabb/debuginfo", "LLVM-HTTPClient/1.0", nullptr, "lldb"},
        Row{"/a.pdb/1/a.pdb", "lldb/23.0.0", nullptr, "lldb"},
        Row{"/buildid/aabb/debuginfo", "our-debugger", nullptr, "debuginfod"},
        Row{"/p/x/buildid/aabb/debuginfo", "our-debugger", nullptr, "debuginfod"},
        Row{"/buildid/aabb/debuginfo", "curl/8", nullptr, "other"},
        Row{"/x", "our-debugger", nullptr, "other"}, Row{"/x", "Mozilla/5.0", nullptr, "other"}}) {
    net::Request request = net::Request::of("GET", row.target);
    if (!row.agent.empty()) request.headers.set("User-Agent", row.agent);
    if (row.header != nullptr) request.headers.set(row.header, "x");
    EXPECT_EQ(name_of(client_of(request)), row.expected) << row.target << " " << row.agent;
  }
}

TEST(Clients, SymsrvIsHeldAsLongAsItSaysThatItWaits) {
  using namespace std::chrono_literals;
  net::Request request = request_from(kSymsrv);
  EXPECT_EQ(patience_of(request), 25s);
  request.headers.set("Symbol-Agent-Receive-Timeout", "12000");
  EXPECT_EQ(patience_of(request), 10s);
  for (const char* odd : {"0", "-1", "soon"}) {
    request.headers.set("Symbol-Agent-Receive-Timeout", odd);
    EXPECT_EQ(patience_of(request), 25s) << odd;
  }
  request.headers.set("Symbol-Agent-Receive-Timeout", "99999999999");
  EXPECT_EQ(patience_of(request), 55s);
}

// docs/protocols/answers.md: what each client can be told without dropping us.
TEST(Clients, ARefusalIsSaidInTheClientsWords) {
  struct Row {
    const char* agent;
    const char* header;
    int without_token;
    int with_token;
  };
  for (const Row& row :
       {Row{"Microsoft-Symbol-Server/10.0", "X", 401, 404},
        Row{"Tool/1", "X-TFS-FedAuthRedirect", 404, 404}, Row{"", "X", 404, 404},
        Row{"elfutils/0.190", "X", 401, 404}, Row{"symbolicator/25.1.0", "X", 401, 404},
        Row{"FirefoxProfiler/1.0", "X", 401, 403}, Row{"curl/8", "X", 401, 403}}) {
    net::Request request = net::Request::of("GET", "/p/lamp/x");
    if (*row.agent != 0) request.headers.set("User-Agent", row.agent);
    request.headers.set(row.header, "x");
    const net::Answer first = answer_denied(request, false, "this needs a token");
    EXPECT_EQ(first.status, row.without_token) << row.agent;
    EXPECT_EQ(first.headers.find("WWW-Authenticate").has_value(), first.status == 401);
    const net::Answer second = answer_denied(request, true, "the token has expired");
    EXPECT_EQ(second.status, row.with_token) << row.agent;
    EXPECT_EQ(second.headers.find("X-Faultline-Reason"), "denied: the token has expired");
    EXPECT_EQ(second.headers.find("Cache-Control"), "no-store");
    EXPECT_EQ(second.note, "denied: the token has expired");
  }
}

TEST(Clients, TheReasonIsOneLineOfPlainText) {
  const net::Answer answer =
      answer_miss(request_from("curl/8"), {Fault::not_found, "a\r\nX-Evil: \xc3\xa4"}, "");
  EXPECT_EQ(answer.headers.find("X-Faultline-Reason"), "not_found: a??X-Evil: ??");
}

TEST(Clients, PatienceIsShorterThanTheirs) {
  EXPECT_LE(patience_of(request_from(kElfutils)).count(), 5'000);
  EXPECT_LT(patience_of(request_from(kSymsrv)).count(), 30'000);
  EXPECT_LE(patience_of(request_from("symbolicator/25.1.0")).count(), 10'000);
  EXPECT_LT(patience_of(request_from("minidump-stackwalk")).count(), 60'000);
}

struct LocalRow {
  const char* peer;
  const char* host;
  const char* header;
  bool local;
};

TEST(Clients, LocalIsWhoNobodyStandsBehind) {
  for (const LocalRow& row : {LocalRow{"127.0.0.1:5", "localhost:7070", nullptr, true},
                              LocalRow{"127.0.0.1:5", "127.0.0.1:7070", nullptr, true},
                              LocalRow{"127.8.9.1:5", "LOCALHOST", nullptr, true},
                              LocalRow{"[::1]:5", "[::1]:7070", nullptr, true},
                              LocalRow{"[::ffff:127.0.0.1]:5", "localhost", nullptr, true},
                              LocalRow{"10.0.0.1:5", "localhost", nullptr, false},
                              LocalRow{"[2001:db8::1]:5", "localhost", nullptr, false},
                              LocalRow{"127.0.0.1:5", "symbols.example", nullptr, false},
                              LocalRow{"127.0.0.1:5", "127.evil.example", nullptr, false},
                              LocalRow{"127.0.0.1:5", "localhost.evil.example", nullptr, false},
                              LocalRow{"127.0.0.1:5", "", nullptr, false},
                              LocalRow{"127.0.0.1:5", "localhost", "Forwarded", false},
                              LocalRow{"127.0.0.1:5", "localhost", "x-forwarded-for", false},
                              LocalRow{"127.0.0.1:5", "localhost", "X-Forwarded-Anything", false},
                              LocalRow{"127.0.0.1:5", "localhost", "via", false},
                              LocalRow{"127.0.0.1:5", "localhost", "Origin", false}}) {
    net::Request request = net::Request::of("PUT", "/a/1/a");
    request.peer = row.peer;
    request.headers.set("Host", row.host);
    if (row.header != nullptr) request.headers.add(row.header, "x");
    EXPECT_EQ(is_local(request), row.local)
        << row.peer << " " << row.host << " " << (row.header == nullptr ? "" : row.header);
  }
}

TEST(Clients, LocalIsNoPageOfAnotherSite) {
  for (const auto& [site, local] :
       {std::pair{"none", true}, std::pair{"same-origin", true}, std::pair{"same-site", false},
        std::pair{"cross-site", false}, std::pair{"Cross-Site", false}}) {
    net::Request request = net::Request::of("POST", "/upload/");
    request.peer = "127.0.0.1:5";
    request.headers.set("Host", "localhost");
    request.headers.set("Sec-Fetch-Site", site);
    EXPECT_EQ(is_local(request), local) << site;
  }
}

}  // namespace
}  // namespace api
