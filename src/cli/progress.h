// How far a long command is: one line that is drawn again on a terminal, nothing elsewhere (there
// each finished thing has its own plain line).
// On stderr, so that it never mixes with a result. Any thread may call.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace cli {

class Progress {
 public:
  // `total` in bytes; shown together with things done of `count`. 0: not known. Without a total the
  // bar shows things; without either there is no bar.
  Progress(std::string verb, std::uint64_t count, std::uint64_t total, std::string noun = "files");
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();  // wipes the bar

  void advance(std::uint64_t bytes);
  void finish_one();
  // A line of its own, above the bar: always on a pipe; on a terminal only if it is a problem.
  enum class Line : std::uint8_t { routine, problem };
  void print(std::string_view text, Line kind = Line::routine);

 private:
  void draw(bool now);  // REQUIRES: mutex_ held
  void wipe();
  double part() const;  // done, 0 to 1; REQUIRES: mutex_ held

  const std::string verb_;
  const std::uint64_t count_;
  const std::uint64_t total_;
  const std::string noun_;
  const bool on_terminal_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::uint64_t done_count_ = 0;
  std::uint64_t done_bytes_ = 0;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point drawn_;
  bool visible_ = false;
};

}  // namespace cli
