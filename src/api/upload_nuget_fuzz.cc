// NuGet's push: any form; any bytes as the package; packages of any names and contents.
#include "api/upload_house_fuzz.h"
#include "api/zip_of_lines_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  api::FuzzInput input(data, size);
  std::string form;
  switch (input.byte() % 3) {
    case 0:
      form = input.rest();
      break;
    case 1:
      form = api::form_part("name=package; filename=package.nupkg", input.rest());
      break;
    default:
      form =
          api::form_part("name=package; filename=package.nupkg", api::zip_of_lines(input.rest()));
  }
  api::UploadHouse::get().offer(api::form_request("PUT", "/api/v2/symbolpackage"),
                                form + api::end_of_form());
  return 0;
}
