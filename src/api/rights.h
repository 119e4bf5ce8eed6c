// Who sent a request and what they may do: the token in its headers or its path, against the
// tokens that were made. Not the wording of a refusal: each protocol has its own.
//   Auth-Token: TOKEN[-label]         Tecken
//   Authorization: Bearer TOKEN       sentry-cli and others
//   Authorization: Basic              the password, or the name when that is empty
//   X-NuGet-ApiKey: TOKEN             NuGet
//   /p/PROJECT/t/TOKEN/…              clients that cannot send headers
// Without a token, requests from this very machine may upload until the first token that can
// upload is made (clients.h says what local is).
// Who is let in with a token has used it, which is noted. Memory only: network loops may call. Any
// thread.
// Format: docs/protocols/upload.md
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "net/http.h"
#include "store/access.h"

namespace api {

struct Who {
  std::string name;  // the token's label; "" for a local request
  std::int64_t token = 0;
  store::Project project;  // where what they bring goes
  bool only_try = false;   // their uploads are try symbols
};

struct Denial {
  enum class Why : std::uint8_t { no_token, unknown_token, expired, lacks_right, no_project };
  Why why = Why::no_token;
  std::string what;  // for a person
};
using Admission = std::variant<Who, Denial>;

// The secret that a request shows; "" for none.
std::string token_of(const net::Request& request);

class Gate {
 public:
  struct Options {
    std::string upload_token;  // of the configuration; "": none
    std::string admin_key;     // in the data directory, for the command line; "": none
    std::vector<std::string> open_projects;  // names of those that everybody may read
  };
  // `access` must outlive it.
  Gate(store::Access& access, Options options) : access_(access), options_(std::move(options)) {}

  // `project` as the request's path names it, nothing when the protocol has no place for one;
  // `secret` when it stands where only that protocol has it.
  Admission admit_upload(const net::Request& request,
                         const std::optional<std::string>& project = {},
                         std::string_view secret = {}) const;
  Admission admit(const net::Request& request, store::Right right,
                  const std::optional<std::string>& project = {}) const;

  // Whether a request may read the files of the project in its path: everybody those of the
  // default one and of open projects; those of others local requests, and tokens that may read or
  // upload there.
  Admission admit_read(const net::Request& request) const;

  // Whether the request shows the secret of the data directory, which only who may read that
  // knows: no token does, whatever its rights.
  bool shows_admin_key(const net::Request& request) const;

  // Whether everybody may read that project: the default one, and the open ones.
  bool is_open(std::string_view project) const;
  // Whether local requests may upload without a token.
  bool is_open_to_local() const;

 private:
  Admission admit_any(const net::Request& request, std::initializer_list<store::Right> rights,
                      const std::optional<std::string>& project, std::string secret) const;
  bool is_admin_key(std::string_view secret) const;
  Admission who_is(const store::Token& token, const std::optional<std::string>& project) const;

  store::Access& access_;
  const Options options_;
};

}  // namespace api
