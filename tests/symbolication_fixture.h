// A real server that is asked for symbols, with or without those of the corpus.
// For tests only: what fails is an EXPECT. One thread.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/child.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "testing/server_process.h"
#include "upload_dialects.h"

namespace symbolication {

using testing_support::ServerProcess;

inline std::string must_read(const std::string& path) {
  const auto text = base::read_file(path);
  EXPECT_TRUE(text.ok()) << path;
  return text.ok() ? *text : "";
}

inline base::JsonValue must_parse(std::string_view text) {
  auto value = base::JsonValue::parse(text);
  EXPECT_TRUE(value.ok()) << text.substr(0, 200);
  return value.ok() ? std::move(*value) : base::JsonValue();
}

inline std::string text_of(const base::JsonValue& value) {
  base::JsonWriter out;
  value.write(out);
  return out.take();
}

class Symbolication : public testing::Test {
 protected:
  void start(std::vector<std::string> environment = {}) {
    server_.emplace(ServerProcess::start({root_.path() + "/data", {}, {}, std::move(environment)}));
    ASSERT_NE(server_->url(), "");
  }
  // NAME/ID/FILE beneath a directory, put under their own paths.
  void upload_tree(const std::string& directory) {
    const auto found =
        base::run_child("/bin/sh", {"sh", "-c", "cd " + directory + " && find * -type f"});
    ASSERT_TRUE(found.ok() && found->ok());
    for (const std::string_view line : base::split(found->output, '\n')) {
      if (line.empty()) continue;
      const std::string path(line);
      const auto answer = uploads::send(server_->url(), "PUT", std::string("/").append(path),
                                        must_read(base::join_path(directory, path)));
      ASSERT_EQ(answer.status / 100, 2) << path << answer.body;
    }
  }
  // A server with the corpus' symbols, and the requests of a file beside them.
  base::JsonValue start_with_cases(const std::string& corpus, const std::string& file) {
    const std::string directory = corpus + "/symbols/symbolicate";
    start();
    upload_tree(directory + "/symbols");
    return must_parse(must_read(base::join_path(directory, file)));
  }
  net::ClientAnswer post(const std::string& path, const std::string& body,
                         const uploads::Fields& headers = {}) const {
    return uploads::send(server_->url(), "POST", path, body, headers);
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("symbolication").value();
  std::optional<ServerProcess> server_;
};

}  // namespace symbolication
