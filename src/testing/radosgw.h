// Ceph's radosgw, a real and strict S3 server, on loopback: started at the first use in a test
// program (that takes a quarter of a minute), and gone with it. One thread.
// find() gives null, and fails the test, when it does not come up.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace testing_support {

bool have_radosgw();  // its programs; tools/install-deps test brings them

class Radosgw {
 public:
  static const Radosgw* find();

  std::string url() const;  // "http://127.0.0.1:43210"
  static std::string access_key() { return "AKIATESTTESTTEST"; }
  static std::string secret_key() { return "the/secret+of/the+tests"; }
  // Makes a bucket ("/bucket") or an object ("/bucket/key"), signed by another signer than ours.
  void must_put(const std::string& path, const std::string& body = "",
                const std::vector<std::string>& headers = {}) const;

 private:
  std::uint16_t port_ = 0;
};

}  // namespace testing_support
