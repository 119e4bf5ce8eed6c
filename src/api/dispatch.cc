#include "api/dispatch.h"

#include <algorithm>
#include <memory>

#include "base/assert.h"

namespace api {
namespace {

using Clock = std::chrono::steady_clock;

// Left to net for sending the last answer before its own deadline.
constexpr std::chrono::milliseconds kMargin{500};
// What was settled may be forgotten again before the handler sees it (an upload, a full cache):
// after this many rounds it answers with what there is.
constexpr int kRoundsMax = 8;

// One parked request. net keeps `request` until the completer is answered or dropped.
struct Parked {
  SupplyHandler handler;
  supply::Supply* supply;
  const net::Request* request;
  Clock::time_point deadline;
  std::shared_ptr<net::Completer> completer;
  int rounds = 0;
};

net::Answer answer_finally(const Parked& parked) {
  Outcome outcome = parked.handler(*parked.request, *parked.supply, Pass::kFinal);
  auto* answer = std::get_if<net::Answer>(&outcome);
  ASSERT(answer != nullptr);
  return std::move(*answer);
}

void wait_for(const std::shared_ptr<Parked>& parked, const Missing& missing);

void run_again(const std::shared_ptr<Parked>& parked) {
  if (++parked->rounds >= kRoundsMax || Clock::now() >= parked->deadline) {
    parked->completer->complete(answer_finally(*parked));
    return;
  }
  Outcome outcome = parked->handler(*parked->request, *parked->supply, Pass::kMayWait);
  if (auto* answer = std::get_if<net::Answer>(&outcome)) {
    parked->completer->complete(std::move(*answer));
  } else {
    wait_for(parked, std::get<Missing>(outcome));
  }
}

void wait_for(const std::shared_ptr<Parked>& parked, const Missing& missing) {
  parked->supply->want(
      missing.requests, parked->deadline, [parked] { run_again(parked); }, missing.takes);
}

}  // namespace

net::Handler dispatch(SupplyHandler handler, supply::Supply& supply, Patience patience) {
  return [handler = std::move(handler), supply = &supply,
          patience = std::move(patience)](net::Request& request) -> net::Reply {
    Outcome outcome = handler(request, *supply, Pass::kMayWait);
    if (auto* answer = std::get_if<net::Answer>(&outcome)) return std::move(*answer);

    auto parked = std::make_shared<Parked>();
    parked->handler = handler;
    parked->supply = supply;
    parked->request = &request;
    parked->deadline = std::min(request.deadline - kMargin, Clock::now() + patience(request));
    return net::Later{[parked, missing = std::get<Missing>(std::move(outcome))](
                          std::shared_ptr<net::Completer> completer) {
      parked->completer = std::move(completer);
      wait_for(parked, missing);
    }};
  };
}

}  // namespace api
