// A body as simdjson sees it: for the files of this room whose names say so.
// One document at a time for each thread; what it gives lasts as long as the Document, and until
// the thread reads the next.
// read() fails with malformed.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace symbolicate {

// Integers beyond 64 bits, which simdjson refuses.
enum class LongIntegers : std::uint8_t {
  refused,  // to who asks for an integer they are fractions
  kept,     // they are numbers from kFirstLong on, which find_long() explains
};

class Document {
 public:
  // Longer ones are refused all the same: where Python's own readers stop.
  static constexpr std::size_t kLongDigitsMax = 4300;
  // Up to here numbers are what they say.
  static constexpr std::uint64_t kFirstLong = 0xffff'ffff'0000'0000;

  struct Long {
    bool is_negative = false;
    std::string_view hex;  // without a prefix; lasts as long as the Document
  };

  base::Result<void> read(std::string_view body, LongIntegers integers = LongIntegers::refused);
  simdjson::dom::element root() const { return root_; }
  // What an integer of the body really is, for one that is kFirstLong or more. Nothing: itself.
  std::optional<Long> find_long(std::uint64_t number) const;

 private:
  simdjson::error_code parse(std::string_view text);
  std::string without_long_integers(std::string_view text, LongIntegers integers);
  std::string number_for(std::string_view digits, bool is_negative);

  struct KeptLong {
    std::size_t end;  // of its digits in long_digits_
    bool is_negative;
  };
  std::unique_ptr<simdjson::dom::parser> own_;
  simdjson::dom::element root_;
  std::vector<KeptLong> longs_;
  std::string long_digits_;
};

}  // namespace symbolicate
