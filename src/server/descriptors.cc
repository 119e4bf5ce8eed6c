#include "server/descriptors.h"

#include <sys/resource.h>

#include <algorithm>

namespace server {
namespace {

constexpr std::uint64_t kOpenFilesMin = 512, kOpenFilesMax = 32'768;
constexpr std::uint64_t kOtherDescriptors = 2048;

}  // namespace

void raise_descriptor_limit(std::uint64_t connections_max) {
  const rlim_t wanted = connections_max + kOtherDescriptors + kOpenFilesMax;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlimit more{wanted, wanted};
  if (limit.rlim_max < wanted && ::setrlimit(RLIMIT_NOFILE, &more) == 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::uint64_t descriptor_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

std::size_t open_files_max(std::uint64_t limit, std::uint64_t connections) {
  const std::uint64_t taken = 2 * connections + kOtherDescriptors;
  return std::clamp(limit > taken ? limit - taken : 0, kOpenFilesMin, kOpenFilesMax);
}

}  // namespace server
