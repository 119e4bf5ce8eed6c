#include "net/address.h"

#include <gtest/gtest.h>

namespace net {
namespace {

TEST(Address, KnowsWhatIsPublic) {
  for (const char* text :
       {"1.1.1.1", "93.184.216.34", "172.15.255.255", "172.32.0.0", "11.0.0.0", "100.63.255.255",
        "2606:4700::1111", "::ffff:1.1.1.1", "2002:0101:0101::", "64:ff9b::1.1.1.1"}) {
    EXPECT_TRUE(is_public_address(text)) << text;
  }
}

TEST(Address, OurOwnNetworksAreNot) {
  for (const char* text : {"0.0.0.0",
                           "10.1.2.3",
                           "100.64.0.1",
                           "127.0.0.1",
                           "127.255.255.255",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.168.0.1",
                           "198.18.0.1",
                           "224.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "fe80::1",
                           "fc00::1",
                           "fd12::1",
                           "ff02::1",
                           "::ffff:127.0.0.1",
                           "::ffff:10.0.0.1",
                           "2002:7f00:0001::",
                           "64:ff9b::10.0.0.1",
                           "2001:db8::1",
                           "2001::1",
                           "",
                           "localhost",
                           "1.1.1",
                           "0x7f.1",
                           "1.1.1.1:80"}) {
    EXPECT_FALSE(is_public_address(text)) << text;
  }
}

}  // namespace
}  // namespace net
