// What a symbolication request with a header "Debug" is told beside its answer, in Eliot's words:
// how long it took, how many stacks each module is in, whose symbols were here when it came and
// whose had to be brought.
// Not for metrics: those count all requests (api/http_figures.h).
// A value of one request; one thread at a time. Never fails.
// Format: docs/protocols/symbolicate.md
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "symbolicate/question.h"

namespace api {

class RequestStatistics {
 public:
  using Clock = std::chrono::steady_clock;

  // So many modules were looked for among what is here; that took until now.
  void looked(std::size_t modules, Clock::time_point from);
  void was_here() { ++here_; }
  // It was not: it came, or did not, since the request came. `size`: of the index made from it.
  void brought(const symbolicate::AskedModule& module, Clock::time_point from, std::uint64_t size);
  void missed(const symbolicate::AskedModule& module, Clock::time_point from);

  // `begun`: when the request came.
  std::string text(const symbolicate::Question& question, Clock::time_point begun) const;

 private:
  std::size_t modules_ = 0;
  std::size_t here_ = 0;
  double lookup_seconds_ = 0;
  // By NAME/ID, in seconds and bytes.
  std::map<std::string, double> brought_, missed_;
  std::map<std::string, std::uint64_t> sizes_;
};

}  // namespace api
