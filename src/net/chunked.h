// The chunked transfer coding, taken apart while it arrives.
// Strict: exact line ends, hexadecimal sizes, bounded extensions and trailers; trailers are
// checked for form and dropped. Views point into the bytes given to next().
// Belongs to one connection.
// Source: RFC 9112 section 7.1
#pragma once

#include <cstdint>
#include <string_view>

namespace net {

class ChunkDecoder {
 public:
  enum class Status : std::uint8_t { more, data, done, bad };
  struct Step {
    Status status = Status::more;
    std::size_t used = 0;   // bytes of the input that are done with
    std::string_view data;  // with Status::data
  };
  // Call again with the rest of the input until it is used up or the status is done or bad.
  Step next(std::string_view input);

 private:
  enum class State : std::uint8_t {
    size_first,
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_first,
    trailer,
    trailer_lf,
    end_lf,
    done,
    bad
  };
  bool take(unsigned char byte);
  bool take_size_line(unsigned char byte);
  bool take_trailer(unsigned char byte);
  bool end_of_size_line();

  State state_ = State::size_first;
  std::uint64_t size_ = 0;      // of this chunk, what is left of it
  std::uint32_t line_ = 0;      // bytes in this line
  std::uint32_t trailers_ = 0;  // bytes in all trailers
  bool colon_ = false;          // seen in this trailer line
  std::int64_t overhead_ = 0;   // what is no data, over what is reasonable
};

}  // namespace net
