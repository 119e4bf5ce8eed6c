// Text put together from many short pieces. Faster than std::string: nothing is cleared before it
// is written, no length is kept up to date, and what a literal costs is known to the compiler. A
// buffer keeps its memory for the next text, unless that was long. It belongs to one thread.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "base/json.h"

namespace base {

class TextBuffer {
 public:
  void add(char c) {
    make_room(1);
    *at_++ = c;
  }
  void add(std::string_view text) {
    make_room(text.size());
    at_ = std::copy(text.begin(), text.end(), at_);
  }
  void add_decimal(std::uint64_t value) { add_digits(value, 10); }
  void add_hex(std::uint64_t value) { add_digits(value, 16); }  // without a prefix
  void add_json_string(std::string_view text) {
    make_room(json_string_room(text));
    at_ = write_json_string(at_, text);
  }
  void remove_last() { --at_; }               // REQUIRES: a text
  void replace_last(char c) { at_[-1] = c; }  // REQUIRES: a text

  std::string_view text() const {
    return {memory_.get(), static_cast<std::size_t>(at_ - memory_.get())};
  }
  void clear() {
    if (static_cast<std::size_t>(end_ - memory_.get()) > kKept) {
      memory_.reset();
      end_ = nullptr;
    }
    at_ = memory_.get();
  }

 private:
  static constexpr std::size_t kKept = 256 * 1024;

  void add_digits(std::uint64_t value, int base) {
    make_room(20);
    at_ = std::to_chars(at_, end_, value, base).ptr;
  }
  void make_room(std::size_t size) {
    if (static_cast<std::size_t>(end_ - at_) < size) [[unlikely]]
      grow(size);
  }
  void grow(std::size_t size) {
    const std::string_view before = text();
    const std::size_t capacity = std::max<std::size_t>(4096, 2 * before.size() + size);
    std::unique_ptr<char[]> larger(new char[capacity]);
    std::copy(before.begin(), before.end(), larger.get());
    at_ = larger.get() + before.size();
    end_ = larger.get() + capacity;
    memory_ = std::move(larger);
  }

  std::unique_ptr<char[]> memory_;
  char* at_ = nullptr;
  char* end_ = nullptr;
};

}  // namespace base
