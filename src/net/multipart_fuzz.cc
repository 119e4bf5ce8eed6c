#include "net/multipart.h"

#include "base/assert.h"

// The first line of the input is the Content-Type, the rest the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(text.find('\n'), text.size());
  const net::MediaType type = net::parse_media_type(text.substr(0, line));
  const std::string_view body = text.substr(std::min(line + 1, text.size()));
  const auto parts =
      net::parse_multipart(type.find("boundary").value_or("x"), base::bytes_of(body));
  if (!parts.ok()) return 0;
  for (const net::Part& part : *parts) {
    ASSERT(part.offset <= body.size() && part.body.size() <= body.size() - part.offset);
    ASSERT(part.body.empty() ||
           reinterpret_cast<const char*>(part.body.data()) == body.data() + part.offset);
  }
  return 0;
}
