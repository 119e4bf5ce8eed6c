// PUT of one file: any path, any coding, any bytes. What was taken is found under its path's hash
// again: the second time it is known.
#include "api/upload_house_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  api::FuzzInput input(data, size);
  api::UploadHouse& house = api::UploadHouse::get();
  const auto coding = static_cast<net::Coding>(input.byte() % 4);
  net::Request request = net::Request::of("PUT", "/");
  const std::string target = "/" + std::string(input.line());
  if (!net::split_target(target, request.path, request.query)) return 0;
  const net::Answer first = house.offer(request, input.rest(), coding);
  if (first.status != 201) return 0;
  ASSERT(house.offer(request, input.rest(), coding).status == 200);
  return 0;
}
