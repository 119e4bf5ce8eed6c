// The symbol indexes of a server that has stopped: a test damages them, and sees whether they are
// made again. For tests only: what fails is an EXPECT. One thread.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "base/file.h"

namespace testing_support {

class IndexFiles {
 public:
  explicit IndexFiles(const std::string& data) {
    const auto files = base::list_files(data + "/index");
    EXPECT_TRUE(files.ok());
    if (!files.ok()) return;
    for (const std::string& path : *files) {
      if (path.ends_with(".idx")) sound_[path] = base::read_file(path).value_or("");
    }
    EXPECT_FALSE(sound_.empty());
  }

  // One bit of each, so many quarters of the way through it: 0 is its head, 3 within a page.
  void damage(std::size_t quarters) const {
    for (const auto& [path, sound] : sound_) {
      std::string bytes = sound;
      char& byte = bytes.at(bytes.size() * quarters / 4);
      byte = static_cast<char>(byte ^ 0x10);
      EXPECT_TRUE(base::write_file_durably(path, base::bytes_of(bytes)).ok());
    }
  }

  // How many are as they were.
  std::ptrdiff_t count_sound() const {
    return std::count_if(sound_.begin(), sound_.end(), [](const auto& file) {
      return base::read_file(file.first).value_or("") == file.second;
    });
  }

 private:
  std::map<std::string, std::string> sound_;  // by path
};

}  // namespace testing_support
