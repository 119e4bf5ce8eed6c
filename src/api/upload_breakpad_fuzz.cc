// sym_upload: any form of its first version, and the four requests of its second with any names,
// bytes and JSON.
#include "api/upload_house_fuzz.h"

namespace {

using api::FuzzInput;
using api::UploadHouse;

// The form that sym_upload makes: name, id, then the file.
void post_fields(UploadHouse& house, FuzzInput input) {
  std::string form = api::form_part("name=\"debug_file\"", input.line());
  form += api::form_part("name=\"debug_identifier\"", input.line());
  form += api::form_part("name=\"symbol_file\"; filename=\"x\"", input.rest());
  const net::Answer answer =
      house.offer(api::form_request("POST", "/upload/"), form + api::end_of_form());
  ASSERT(answer.status == 200 || answer.status == 400 || answer.status == 413);
}

// First line: the module that is asked for. Second: the symbol_id. Then the bytes.
void create_and_complete(UploadHouse& house, FuzzInput input) {
  house.offer(api::request_of("GET", "/v1/symbols/" + std::string(input.line()) + ":checkStatus"),
              "");
  const auto created =
      UploadHouse::json_of(house.offer(api::request_of("POST", "/v1/uploads:create"), ""));
  const std::string session = "/v1/uploads/" + std::string(created["uploadKey"].text_or("?"));
  const std::string_view symbol_id = input.line();
  ASSERT(house.offer(api::request_of("PUT", session), input.rest()).status == 200);
  const net::Answer done = house.offer(api::request_of("POST", session + ":complete"), symbol_id);
  if (done.status != 200) return;
  // An upload ends once.
  ASSERT(house.offer(api::request_of("POST", session + ":complete"), symbol_id).status == 404);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzInput input(data, size);
  UploadHouse& house = UploadHouse::get();
  switch (input.byte() % 3) {
    case 0: {
      const std::string form = api::form_part("name=\"symbol_file\"; filename=\"x\"", "MODULE ");
      house.offer(api::form_request("POST", "/upload/"), form + std::string(input.rest()));
      break;
    }
    case 1:
      post_fields(house, input);
      break;
    default:
      create_and_complete(house, input);
  }
  return 0;
}
