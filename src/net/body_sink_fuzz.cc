#include "base/assert.h"
#include "net/body_sink.h"

// The first byte picks the coding and how the rest is cut.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto coding = static_cast<net::Coding>(data[0] % 4);
  const std::size_t piece = 1 + static_cast<std::size_t>(data[0] / 4) * 16;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  net::BodyPolicy policy = net::BodyPolicy::memory(1 << 20);
  auto sink = net::BodySink::create(coding, policy, "");
  ASSERT(sink.ok());
  while (!rest.empty() || (*sink)->has_rest()) {
    const std::string_view now = rest.substr(0, piece);
    rest.remove_prefix(now.size());
    std::uint64_t room = piece;
    if (!(*sink)->write(now, room).ok()) return 0;
  }
  net::Request request;
  if (!(*sink)->finish(request).ok()) return 0;
  ASSERT(request.body.size() <= policy.size_max);
  return 0;
}
