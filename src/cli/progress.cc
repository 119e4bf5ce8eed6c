#include "cli/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/text.h"

namespace cli {
namespace {

constexpr std::size_t kBarWidth = 30;
// Anything shorter needs no bar.
constexpr std::chrono::milliseconds kQuietAtFirst{1000};
constexpr std::chrono::milliseconds kBetweenDrawings{100};

}  // namespace

Progress::Progress(std::string verb, std::uint64_t count, std::uint64_t total, std::string noun)
    : verb_(std::move(verb)),
      count_(count),
      total_(total),
      noun_(std::move(noun)),
      on_terminal_(::isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  const std::lock_guard lock(mutex_);
  wipe();
}

void Progress::advance(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  done_bytes_ += bytes;
  draw(false);
}

void Progress::finish_one() {
  const std::lock_guard lock(mutex_);
  ++done_count_;
  draw(false);
}

void Progress::print(std::string_view text, Line kind) {
  const std::lock_guard lock(mutex_);
  if (on_terminal_ && kind == Line::routine) return;
  wipe();
  fmt::print(stderr, "{}\n", text);
  draw(true);
}

double Progress::part() const {
  const std::uint64_t done = total_ == 0 ? done_count_ : done_bytes_;
  const std::uint64_t all = total_ == 0 ? count_ : total_;
  return all == 0 ? 1.0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(all));
}

void Progress::draw(bool now) {
  const auto time = std::chrono::steady_clock::now();
  if (!on_terminal_ || time - started_ < kQuietAtFirst) return;
  if (!now && time - drawn_ < kBetweenDrawings) return;
  drawn_ = time;
  std::string bar;
  if (count_ != 0 || total_ != 0) {
    const auto filled = static_cast<std::size_t>(part() * static_cast<double>(kBarWidth));
    bar = " [" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "]";
  }
  const std::string of_count = count_ == 0 ? "" : "/" + std::to_string(count_);
  const std::string of_total = total_ == 0 ? "" : " of " + base::human_size(total_);
  fmt::print(stderr, "\r\x1b[K{}{} {}{} {}, {}{}", verb_, bar, done_count_, of_count, noun_,
             base::human_size(done_bytes_), of_total);
  std::fflush(stderr);
  visible_ = true;
}

void Progress::wipe() {
  if (!visible_) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  visible_ = false;
}

}  // namespace cli
