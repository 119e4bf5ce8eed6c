#include "testing/small_disk.h"

#include <gtest/gtest.h>
#include <sys/mount.h>

namespace testing_support {

std::optional<SmallDisk> SmallDisk::mount(const std::string& size) {
  auto directory = base::TemporaryDirectory::create("small-disk");
  if (!directory.ok()) return std::nullopt;
  const std::string options = "size=" + size;
  if (::mount("none", directory->path().c_str(), "tmpfs", 0, options.c_str()) != 0) {
    return std::nullopt;
  }
  return SmallDisk(std::move(directory).value());
}

void SmallDisk::resize(const std::string& size) {
  const std::string options = "size=" + size;
  EXPECT_EQ(::mount("none", path().c_str(), "tmpfs", MS_REMOUNT, options.c_str()), 0);
}

SmallDisk::~SmallDisk() {
  if (!path().empty()) ::umount2(path().c_str(), MNT_DETACH);
}

}  // namespace testing_support
