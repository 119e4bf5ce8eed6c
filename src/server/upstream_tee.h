// Lets clients read a file while it comes from an upstream server: what is fetched goes to disk,
// and what is on disk is shown to who waits for it.
//   - It is shown when enough has come to be worth it: a small file that comes at once is better
//     answered whole, with its tag. A web page is not shown.
//   - Its last byte is held back until the file was judged and is in the catalogue.
// For one thread at a time: the one that fetches, then the one that judges.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "supply/arriving.h"
#include "upstream/server.h"

namespace server {

class UpstreamTee final : public upstream::Watcher {
 public:
  using Arrives = std::function<void(std::shared_ptr<const supply::Arriving>)>;
  // Told of every place that is asked.
  using Asks = std::function<void(upstream::Server& server, const upstream::Place& place)>;
  explicit UpstreamTee(Arrives arrives, Asks asks = nullptr)
      : arrives_(std::move(arrives)), asks_(std::move(asks)) {}
  ~UpstreamTee() override { ended(false); }  // nobody is left waiting, however the fetching ended
  UpstreamTee(const UpstreamTee&) = delete;
  UpstreamTee& operator=(const UpstreamTee&) = delete;

  void asks(upstream::Server& server, const upstream::Place& place) override {
    if (asks_) asks_(server, place);
  }
  void began(const upstream::Place& place, const base::PendingFile& file,
             std::optional<std::uint64_t> total) override;
  void grew_to(std::uint64_t size) override;
  void ended(bool is_good) override;

 private:
  bool is_worth_showing() const;
  void show();

  const Arrives arrives_;
  const Asks asks_;
  std::shared_ptr<net::GrowingFile> growing_;  // null: nothing to show
  std::string name_;
  std::uint64_t size_ = 0;
  std::chrono::steady_clock::time_point started_;
  bool is_shown_ = false;
};

}  // namespace server
