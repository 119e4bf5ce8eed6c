// A server with a data directory of its own that `faultline admin` looks after while it runs, and
// when it does not: for tests of operating one.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "base/child.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/text.h"
#include "testing/commands.h"
#include "testing/server_process.h"
#include "upload_dialects.h"

namespace uploads {

class ServedPlace : public testing::Test {
 protected:
  void start(std::vector<std::string> environment = {}) {
    server_.emplace(
        testing_support::ServerProcess::start({data(), {}, {}, std::move(environment)}));
    ASSERT_NE(server_->url(), "");
  }
  void stop() {
    EXPECT_EQ(server_->stop(), 0);
    server_.reset();
  }
  std::string data() const { return root_.path() + "/data"; }
  std::string blob_of(const File& file) const {
    const std::string hash = hash_of(file);
    return data() + "/blobs/" + hash.substr(0, 2) + "/" + hash;
  }
  static std::string hash_of(const File& file) {
    return base::sha256_of(base::bytes_of(file.content)).hex();
  }
  base::ChildEnd admin(const std::string& arguments) const {
    return testing_support::run(testing_support::faultline_program() + " admin " + arguments +
                                " --data " + data());
  }
  std::string must_admin(const std::string& arguments) const {
    const auto end = admin(arguments);
    EXPECT_EQ(end.exit_code, 0) << arguments << ": " << end.errors << end.output;
    return std::string(base::trim(end.output));
  }
  File must_upload(const std::string& name, std::size_t size = 3000) const {
    File file = sym_file(name, size);
    const Outcome outcome = dialects().front().upload(server_->url(), file);
    EXPECT_TRUE(outcome.acknowledged) << outcome.status << " " << outcome.said;
    return file;
  }
  net::ClientAnswer get(const std::string& path) const { return send(server_->url(), "GET", path); }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("served").value();
  std::optional<testing_support::ServerProcess> server_;
};

}  // namespace uploads
