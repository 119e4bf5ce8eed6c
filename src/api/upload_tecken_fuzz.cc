// Tecken's form: any body; any bytes as the zip in it; zips of any names and contents. And the
// resumable uploads of its second version: any pieces, in any order, of a file announced before.
#include "api/upload_house_fuzz.h"
#include "api/zip_of_lines_fuzz.h"
#include "base/digest.h"

namespace {

using api::FuzzInput;
using api::UploadHouse;

void post_zip(UploadHouse& house, std::string_view zip) {
  const std::string form = api::form_part("name=\"f\"; filename=\"f.zip\"", zip);
  house.offer(api::form_request("POST", "/upload/"), form + api::end_of_form());
}

std::string manifest_of(std::string_view key, std::string_view content) {
  base::JsonWriter out;
  out.begin_object().key("files").begin_array().begin_object();
  out.key("key").string(key).key("size").unsigned_integer(content.size());
  out.key("md5_hash");
  out.string(base::hex_digest_of(base::bytes_of(content), base::DigestKind::md5));
  out.end_object().end_array().end_object();
  return out.take();
}

// Lines of Content-Range, TAB, piece; the first line is the key, the second the whole content.
void resume(UploadHouse& house, FuzzInput input) {
  const std::string_view key = input.line();
  const std::string manifest = manifest_of(key, input.line());
  const auto answer =
      UploadHouse::json_of(house.offer(api::request_of("POST", "/upload/v2/"), manifest));
  const std::string_view url = answer["files"].at(0)["action"]["url"].text_or("");
  const auto path = url.find("/upload/v2/session/");
  if (path == std::string_view::npos) return;
  while (!input.empty()) {
    const std::string_view line = input.line();
    const std::string_view range = line.substr(0, line.find('\t'));
    net::Request put = api::request_of("PUT", url.substr(path));
    if (!range.empty()) put.headers.set("Content-Range", range);
    house.offer(std::move(put), line.substr(std::min(range.size() + 1, line.size())));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzInput input(data, size);
  UploadHouse& house = UploadHouse::get();
  switch (input.byte() % 4) {
    case 0:
      house.offer(api::form_request("POST", "/upload/"), input.rest());
      break;
    case 1:
      post_zip(house, input.rest());
      break;
    case 2:
      post_zip(house, api::zip_of_lines(input.rest()));
      break;
    default:
      resume(house, input);
  }
  return 0;
}
