// Content-Encoding of answers: which one the client wants most, and the encoders, piece by piece.
// Fast levels: an answer is packed for one client on the fly, not for the ages.
// Negotiation is a pure function. A Producer belongs to one answer; it fails with unavailable when
// there is no memory, or as the producer behind it does.
// Source: RFC 9110 section 12.5.3, RFC 1952, RFC 7932, RFC 8878; docs/protocols/http.md
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "net/http.h"

namespace net {

enum class ContentCoding : std::uint8_t { identity, gzip, brotli, zstd };
std::string_view name_of(ContentCoding coding);  // "br"

// By an Accept-Encoding header: the highest weight wins; of equal ones zstd, then br, then gzip,
// which is the order of their speed at a size. "*" stands for all that are not named. identity
// when the header is absent, empty, weighs identity highest, or accepts none of ours.
ContentCoding choose_coding(std::string_view accept_encoding);

// The pieces of another producer, encoded.
Producer encoded_pieces(ContentCoding coding, Producer plain);
// The same of one whose pieces come later: a thread of the pool waits for each.
Producer encoded_pieces(ContentCoding coding, LaterProducer plain);
// A small text at once.
base::Result<std::string> encode_text(ContentCoding coding, std::string_view plain);

}  // namespace net
