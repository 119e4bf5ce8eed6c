// A file system with little room, to fill up in a test: a tmpfs mounted for the test's time.
// mount() gives nothing when the test may not mount; then the test skips.
#pragma once

#include <optional>
#include <string>

#include "base/file.h"

namespace testing_support {

class SmallDisk {
 public:
  static std::optional<SmallDisk> mount(const std::string& size);  // "1m", "64k"
  SmallDisk(SmallDisk&&) noexcept = default;
  SmallDisk& operator=(SmallDisk&&) = delete;
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk();

  const std::string& path() const { return directory_.path(); }
  void resize(const std::string& size);

 private:
  explicit SmallDisk(base::TemporaryDirectory directory) : directory_(std::move(directory)) {}
  base::TemporaryDirectory directory_;
};

}  // namespace testing_support
