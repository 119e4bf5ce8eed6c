// Hostile forms with a crash in them, and the members beside it: the boundary is fixed, all else is
// the fuzzer's. The file is what one of the parts holds, as it stands in the body.
#include "api/crash_form.h"
#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  net::Request request = net::Request::of("POST", "/minidump");
  request.headers.set("Content-Type", "multipart/form-data; boundary=b");
  request.body = base::text_of(base::Bytes(data, size));
  const auto form = api::read_crash_form(request, "upload_file_minidump", "minidump");
  if (!form.ok()) return 0;
  ASSERT(form->file.empty() || request.body.find(base::text_of(form->file)) != std::string::npos);
  return 0;
}
