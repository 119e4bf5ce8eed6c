#include "net/forwarded.h"

#include <gtest/gtest.h>

namespace net {
namespace {

AddressSet set_of(const std::vector<std::string>& entries) {
  return AddressSet::parse(entries).value();
}

TEST(AddressSet, HoldsAddressesAndRanges) {
  const AddressSet set = set_of({"10.0.0.0/8", "192.0.2.7", "fd00::/8", "172.16.0.0/12", "::1"});
  for (const char* in : {"10.1.2.3", "10.255.255.255", "192.0.2.7", "fdff::1", "172.31.0.1", "::1",
                         "::ffff:10.0.0.1"}) {
    EXPECT_TRUE(set.contains(in)) << in;
  }
  for (const char* out : {"11.0.0.1", "192.0.2.8", "fc00::1", "172.32.0.1", "::2", "", "x",
                          "10.0.0", "::ffff:11.0.0.1"}) {
    EXPECT_FALSE(set.contains(out)) << out;
  }
  EXPECT_TRUE(set_of({"0.0.0.0/0"}).contains("8.8.8.8"));
  EXPECT_FALSE(set_of({"0.0.0.0/0"}).contains("2001:db9::1"));
}

TEST(AddressSet, SaysWhatIsNoAddress) {
  for (const char* wrong : {"10.0.0.0/33", "10.0.0/8", "fd00::/129", "proxy.example.com",
                            "1.2.3.4/", "1.2.3.4/x", ""}) {
    const auto set = AddressSet::parse({wrong});
    ASSERT_FALSE(set.ok()) << wrong;
    EXPECT_TRUE(set.error().what.starts_with(wrong)) << set.error().what;
  }
}

struct Row {
  std::string peer;
  std::vector<std::string> forwarded;  // one header each
  std::string expected;
};

TEST(Forwarded, TheClientIsWhoNoTrustedProxyIs) {
  const AddressSet trusted = set_of({"127.0.0.0/8", "10.0.0.0/8", "::1"});
  const std::vector<Row> rows{
      {"127.0.0.1:5", {"203.0.113.9"}, "203.0.113.9:0"},
      {"127.0.0.1:5", {"203.0.113.9, 10.0.0.4"}, "203.0.113.9:0"},
      {"127.0.0.1:5", {"203.0.113.9", "10.0.0.4"}, "203.0.113.9:0"},
      // What the client wrote itself stands before the address that the first proxy saw.
      {"127.0.0.1:5", {"127.0.0.1, 203.0.113.9"}, "203.0.113.9:0"},
      {"127.0.0.1:5", {"unknown, 10.0.0.4"}, "10.0.0.4:0"},
      {"127.0.0.1:5", {"10.0.0.9"}, "10.0.0.9:0"},
      {"127.0.0.1:5", {"2001:db8::7"}, "[2001:db8::7]:0"},
      {"[::1]:5", {"[2001:db8::7]:443"}, "[2001:db8::7]:0"},
      {"127.0.0.1:5", {"203.0.113.9:1234"}, "203.0.113.9:0"},
      {"127.0.0.1:5", {"junk"}, "127.0.0.1:5"},
      {"127.0.0.1:5", {", ,"}, "127.0.0.1:5"},
      {"127.0.0.1:5", {}, "127.0.0.1:5"},
      {"203.0.113.1:5", {"198.51.100.1"}, "203.0.113.1:5"},  // trusted by nobody
  };
  for (const Row& row : rows) {
    Request request = Request::of("GET", "/");
    request.peer = row.peer;
    for (const std::string& value : row.forwarded) request.headers.add("x-forwarded-for", value);
    apply_forwarded(request, trusted);
    EXPECT_EQ(request.peer, row.expected);
  }
}

TEST(Forwarded, TheProxySaysWhetherItWasEncrypted) {
  const AddressSet trusted = set_of({"127.0.0.1"});
  Request request = Request::of("GET", "/");
  request.headers.add("X-Forwarded-Proto", "https");
  apply_forwarded(request, AddressSet());
  EXPECT_FALSE(request.secure);
  apply_forwarded(request, trusted);
  EXPECT_TRUE(request.secure);
}

}  // namespace
}  // namespace net
