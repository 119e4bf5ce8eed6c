#include "server/upstream_tee.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/log.h"
#include "ingest/fetched_files.h"

namespace server {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kHeadSize = 512;             // tells what is no file
constexpr std::uint64_t kShownAtOnce = 64 * 1024;    // whoever has come so far
constexpr std::chrono::milliseconds kShownAfter{2};  // …or is slower than this

}  // namespace

void UpstreamTee::began(const upstream::Place& place, const base::PendingFile& file,
                        std::optional<std::uint64_t> total) {
  auto growing = net::GrowingFile::create(file, total);
  if (!growing.ok()) base::log::warning("{}", growing.error().what);
  growing_ = growing.ok() ? *growing : nullptr;
  name_ = place.name;
  size_ = 0;
  is_shown_ = false;
  started_ = Clock::now();
}

void UpstreamTee::grew_to(std::uint64_t size) {
  if (!growing_) return;
  size_ = size;
  growing_->grew_to(growing_->total() && size > 0 ? std::min(size, *growing_->total() - 1) : size);
  if (!is_shown_ && is_worth_showing()) show();
}

bool UpstreamTee::is_worth_showing() const {
  if (size_ < kHeadSize) return false;
  // The rest of a small file is about to come.
  if (growing_->total() && *growing_->total() <= size_) return false;
  return size_ >= kShownAtOnce || Clock::now() - started_ >= kShownAfter;
}

void UpstreamTee::show() {
  std::array<std::uint8_t, kHeadSize> head{};
  const ssize_t n = ::pread(growing_->fd()->get(), head.data(), head.size(), 0);
  if (n < 0 || !ingest::find_stand_in({head.data(), static_cast<std::size_t>(n)}).empty()) {
    growing_ = nullptr;
    return;
  }
  is_shown_ = true;
  arrives_(std::make_shared<const supply::Arriving>(supply::Arriving{growing_, name_}));
}

void UpstreamTee::ended(bool is_good) {
  if (!growing_) return;
  if (is_good) {
    growing_->grew_to(size_);
    growing_->finish();
  } else {
    // In this order: who is reset and asks again does not get the same one.
    if (is_shown_) arrives_(nullptr);
    growing_->fail();
  }
  growing_ = nullptr;
}

}  // namespace server
