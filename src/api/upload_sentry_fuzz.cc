// sentry-cli: any form of chunks, any list to assemble; and whole exchanges in which the names
// are right and the contents, their cuts and their packing are the fuzzer's.
#include "api/upload_house_fuzz.h"
#include "base/codec.h"
#include "base/digest.h"

namespace {

using api::FuzzInput;
using api::UploadHouse;

constexpr const char* kChunks = "/api/0/organizations/o/chunk-upload/";
constexpr const char* kAssemble = "/api/0/projects/o/p/files/difs/assemble/";

std::string sha1_of(std::string_view text) {
  return base::hex_digest_of(base::bytes_of(text), base::DigestKind::sha1);
}

std::string list_of(std::string_view name, std::string_view whole,
                    const std::vector<std::string_view>& chunks) {
  base::JsonWriter out;
  out.begin_object().key(sha1_of(whole)).begin_object();
  out.key("name").string(name).key("debug_id").null().key("chunks").begin_array();
  for (const std::string_view chunk : chunks) out.string(sha1_of(chunk));
  out.end_array().end_object().end_object();
  return out.take();
}

void exchange(UploadHouse& house, FuzzInput input) {
  const std::string_view name = input.line();
  const std::size_t cut = input.byte();
  const bool packed = input.byte() % 2 != 0;
  const std::string_view whole = input.rest();
  if (whole.empty() || whole.find("--b") != std::string_view::npos) return;
  std::vector<std::string_view> chunks{whole.substr(0, std::max<std::size_t>(cut, 1))};
  if (chunks[0].size() < whole.size()) chunks.push_back(whole.substr(chunks[0].size()));
  const std::string list = list_of(name, whole, chunks);
  house.offer(api::request_of("POST", kAssemble), list);
  std::string form;
  for (const std::string_view chunk : chunks) {
    const auto gzip = base::gzip(base::bytes_of(chunk));
    const std::string field = packed ? "name=\"file_gzip\"" : "name=\"file\"";
    form += api::form_part(field + "; filename=\"" + sha1_of(chunk) + "\"",
                           packed ? base::text_of(gzip) : chunk);
  }
  form += api::end_of_form();
  ASSERT(house.offer(api::form_request("POST", kChunks), form).status == 200);
  const auto state = UploadHouse::json_of(house.offer(api::request_of("POST", kAssemble), list));
  ASSERT(state[sha1_of(whole)]["state"].text_or("") == "ok");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzInput input(data, size);
  UploadHouse& house = UploadHouse::get();
  switch (input.byte() % 3) {
    case 0:
      house.offer(api::form_request("POST", kChunks), input.rest());
      break;
    case 1:
      house.offer(api::request_of("POST", kAssemble), input.rest());
      break;
    default:
      exchange(house, input);
  }
  return 0;
}
