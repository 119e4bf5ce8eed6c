// Any Accept-Encoding: one of our codings, never one that the client refuses by name; and what
// that coding makes of the text is what it was, as far as we can undo it ourselves.
#include "net/content_coding.h"

#include "base/assert.h"
#include "base/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const net::ContentCoding coding = net::choose_coding(text);
  ASSERT(coding <= net::ContentCoding::zstd);
  ASSERT(net::choose_coding("") == net::ContentCoding::identity);
  ASSERT(coding == net::ContentCoding::identity || !text.empty());
  if (coding == net::ContentCoding::identity) return 0;
  const auto packed = net::encode_text(coding, text);
  ASSERT(packed.ok());
  if (coding == net::ContentCoding::gzip) {
    ASSERT(base::text_of(base::gunzip(base::bytes_of(*packed), size).value()) == text);
  }
  if (coding == net::ContentCoding::zstd) {
    ASSERT(base::text_of(base::decompress_zstd(base::bytes_of(*packed), size).value()) == text);
  }
  return 0;
}
