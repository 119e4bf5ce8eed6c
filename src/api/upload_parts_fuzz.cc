// Files without a path, packages by name and in the form, and uploads in parts: any name, any
// bytes. Parts may be cut anywhere and come at a wrong place in between; what was received is what
// was sent, and what was taken is known the second time.
#include "api/upload_house_fuzz.h"

namespace {

using api::FuzzInput;
using api::UploadHouse;

net::Answer offer(UploadHouse& house, std::string_view method, const std::string& target,
                  std::string_view body) {
  net::Request request = api::request_of(method, "/");
  if (!net::split_target(target, request.path, request.query)) return net::Answer::text(400, "");
  return house.offer(std::move(request), body);
}

void put_by_name(UploadHouse& house, FuzzInput input) {
  const std::string target = "/api/v1/files/" + std::string(input.line());
  const int status = offer(house, "PUT", target, input.rest()).status;
  if (status == 201) ASSERT(offer(house, "PUT", target, input.rest()).status < 300);
}

void post_package(UploadHouse& house, FuzzInput input) {
  const std::string name(input.line());
  const std::string form =
      api::form_part("name=\"f\"; filename=\"" + name + "\"", input.rest()) + api::end_of_form();
  house.offer(api::form_request("POST", "/upload/"), form);
}

std::uint64_t received(UploadHouse& house, const std::string& place) {
  const auto answer = UploadHouse::json_of(offer(house, "GET", place, ""));
  return static_cast<std::uint64_t>(answer["received"].integer_or(0));
}

// The query of the last request, a cut, a wrong offset, the content.
void in_parts(UploadHouse& house, FuzzInput input) {
  const std::string query(input.line());
  const std::uint64_t cut = std::max<std::uint64_t>(input.byte(), 1), wrong = input.byte();
  const std::string_view whole = input.rest();
  const std::string place = "/api/v1/uploads/" + base::sha256_of(base::bytes_of(whole)).hex();
  std::uint64_t have = received(house, place);  // of the same input, refused before
  ASSERT(have <= whole.size());
  while (have < whole.size()) {
    const std::string at = place + "?offset=";
    if (wrong != have) ASSERT(offer(house, "PUT", at + std::to_string(wrong), "x").status == 409);
    const std::string_view piece = whole.substr(have, have == 0 ? cut : whole.size());
    ASSERT(offer(house, "PUT", at + std::to_string(have), piece).status == 200);
    have += piece.size();
    ASSERT(received(house, place) == have);
  }
  const int status = offer(house, "POST", place + "?" + query, "").status;
  if (status == 200 || status == 201) ASSERT(received(house, place) == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzInput input(data, size);
  UploadHouse& house = UploadHouse::get();
  switch (input.byte() % 3) {
    case 0:
      put_by_name(house, input);
      break;
    case 1:
      post_package(house, input);
      break;
    default:
      in_parts(house, input);
  }
  return 0;
}
