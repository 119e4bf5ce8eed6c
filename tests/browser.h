// Debian's Chromium without a window: what it makes of a page, with the page's script running.
// Each Browser has a profile of its own, removed with it. A page that takes over a minute fails the
// test. One thread.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/child.h"
#include "base/file.h"

namespace clients {

// What every Chromium here is started with, its name first.
inline std::vector<std::string> browser_arguments(const std::string& profile) {
  return {"chromium",
          "--headless",
          "--no-sandbox",
          "--disable-gpu",
          "--disable-quic",
          "--no-first-run",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync",
          "--disable-dev-shm-usage",
          "--user-data-dir=" + profile + "/profile"};
}

inline std::optional<std::string> find_browser() {
  for (const char* path : {"/usr/bin/chromium", "/usr/bin/chromium-browser"}) {
    if (base::file_exists(path)) return path;
  }
  return std::nullopt;
}

class Browser {
 public:
  explicit Browser(std::string program) : program_(std::move(program)) {}

  // The document after the page's own script has run.
  std::string dump_dom(const std::string& url, int after_ms = 3000) {
    return run({"--dump-dom", "--virtual-time-budget=" + std::to_string(after_ms), url}).output;
  }
  std::string screenshot(const std::string& url, bool dark, int width) {
    const std::string path =
        profile_.path() + (dark ? "/dark" : "/light") + std::to_string(width) + ".png";
    std::vector<std::string> arguments = {"--screenshot=" + path, "--hide-scrollbars",
                                          "--window-size=" + std::to_string(width) + ",900"};
    if (dark) arguments.push_back("--blink-settings=preferredColorScheme=0");
    arguments.push_back(url);
    run(std::move(arguments));
    return base::read_file(path).value_or("");
  }

 private:
  base::ChildEnd run(std::vector<std::string> more) {
    std::vector<std::string> arguments = browser_arguments(profile_.path());
    arguments.insert(arguments.end(), more.begin(), more.end());
    base::ChildLimits limits;
    limits.wall = std::chrono::seconds(60);
    limits.data_bytes_max = 64ull << 30;
    limits.open_files_max = 4096;
    limits.text_bytes_max = 8u << 20;
    const auto end = base::run_child(program_, arguments, limits);
    EXPECT_TRUE(end.ok() && end->ok()) << (end.ok() ? end->describe() : end.error().what);
    return end.ok() ? *end : base::ChildEnd{};
  }

  std::string program_;
  base::TemporaryDirectory profile_ = base::TemporaryDirectory::create("browser").value();
};

}  // namespace clients
