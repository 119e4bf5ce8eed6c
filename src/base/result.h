// Result<T>: a value, or an Error that says what went wrong and what to do.
// It may not be ignored. TRY passes an error upward:
//
//   const Header head = TRY(read_header(file));
//
// TRY stands only as the whole right side of a declaration, an assignment or a return,
// or as a whole statement: inside a larger expression g++ 12 leaks temporaries.
// A Result is a plain value; threads share one no more than they share an int.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/assert.h"
#include "base/fault.h"

namespace base {

struct Error {
  Fault fault = Fault::internal;
  std::string what;  // one sentence: which file, which offset, what was expected
};

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(*-explicit-*)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(*-explicit-*)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // REQUIRES: ok()
  T& value() & {
    ASSERT(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    ASSERT(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    ASSERT(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }

  // REQUIRES: !ok()
  const Error& error() const& {
    ASSERT(!ok());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    ASSERT(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

  T value_or(T other) && { return ok() ? std::move(*std::get_if<0>(&state_)) : std::move(other); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : failed_(true), error_(std::move(error)) {}  // NOLINT(*-explicit-*)

  bool ok() const { return !failed_; }
  explicit operator bool() const { return ok(); }
  void value() const { ASSERT(ok()); }
  const Error& error() const& {
    ASSERT(!ok());
    return error_;
  }
  Error&& error() && {
    ASSERT(!ok());
    return std::move(error_);
  }

 private:
  bool failed_ = false;
  Error error_;
};

// "while doing X: what" for errors that pass through a level that knows more.
Error with_context(std::string_view context, Error error);

}  // namespace base

#define TRY(...)                            \
  __extension__({                           \
    auto&& try_result = (__VA_ARGS__);      \
    if (!try_result.ok()) [[unlikely]]      \
      return std::move(try_result).error(); \
    std::move(try_result).value();          \
  })
