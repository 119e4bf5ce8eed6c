// Reads a JSON configuration of another program into settings, and knows for each value where it
// stands: "servers[1].remote". null is as good as absent.
// One thread. What fails does so with malformed and names file and key.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "server/options.h"

namespace server {

// A value and where it stands.
struct Placed {
  const base::JsonValue& value;
  std::string place;  // "" is the document itself

  bool is_absent() const { return value.is_null(); }
  Placed member(std::string_view name) const;
  Placed element(std::size_t index) const;
};

class ForeignReader {
 public:
  explicit ForeignReader(std::string file_name) : file_(std::move(file_name)) {}

  // Each fails when the value is there and is no such thing; an absent one gives nothing.
  base::Result<std::optional<std::string>> text(const Placed& at) const;
  base::Result<std::optional<std::uint64_t>> number(const Placed& at) const;  // fractions go up
  base::Result<std::optional<bool>> flag(const Placed& at) const;
  base::Result<std::optional<std::vector<std::string>>> texts(const Placed& at) const;
  base::Result<void> must_be_object(const Placed& at) const;
  base::Result<void> must_be_list(const Placed& at) const;
  // Fails when it is absent.
  base::Result<void> require(const Placed& at) const;

  void set(std::string key, std::string value, const Placed& from);
  void warn(const Placed& about, std::string_view what);
  // Says of members that nobody knows that they are ignored.
  void warn_of_others(const Placed& object, std::initializer_list<std::string_view> known);

  std::vector<Setting> take_settings() { return std::move(settings_); }
  std::vector<std::string> take_warnings() { return std::move(warnings_); }

 private:
  base::Error wrong(const Placed& at, std::string_view expected) const;

  const std::string file_;
  std::vector<Setting> settings_;
  std::vector<std::string> warnings_;
};

}  // namespace server
