// Which web servers may be asked for source files, and what is said to each to be let in.
// A list of entries "host", "host:port", "*.domain" (https) or "http://host:port" (plain); and
// credentials, one a line: ENTRY HEADER: VALUE, where ENTRY has no star.
// Immutable after parse(); any thread may read. Fails with malformed; errors never show a value.
// Format: docs/protocols/sources.md
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/http.h"

namespace sources {

// Where a URL leads: scheme, host in lower case, port.
struct Origin {
  bool secure = false;
  std::string host;
  unsigned port = 0;

  friend bool operator==(const Origin&, const Origin&) = default;
};
// Nothing for what is no http or https URL, and for one with a user name in it.
std::optional<Origin> find_origin(std::string_view url);

enum class Trust : unsigned char {
  none,      // not on the list
  by_name,   // the operator named this very server, wherever it is
  by_domain  // it is one of a domain's: only if its address is public
};

class HostRules {
 public:
  static base::Result<HostRules> parse(std::string_view hosts, std::string_view credentials);

  Trust trust_in(const Origin& origin) const;
  net::Headers headers_for(const Origin& origin) const;
  bool empty() const { return entries_.empty(); }

 private:
  struct Entry {
    Origin origin;
    bool whole_domain = false;
  };
  struct Credential {
    Origin origin;
    std::string name, value;
  };
  std::vector<Entry> entries_;
  std::vector<Credential> credentials_;
};

}  // namespace sources
