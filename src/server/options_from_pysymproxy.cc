#include "server/options_from_pysymproxy.h"

#include <algorithm>
#include <array>

#include "base/base64.h"
#include "base/text.h"
#include "net/percent.h"
#include "server/foreign_logging.h"
#include "server/foreign_paths.h"
#include "server/foreign_reader.h"

namespace server {

using base::JsonValue;
using base::JsonWriter;
using base::Result;

namespace {

// It knew no other.
constexpr std::string_view kListen = "0.0.0.0:8080";
constexpr std::string_view kHidden = "***";

bool has_scheme(std::string_view location) {
  return location.find("://") != std::string_view::npos;
}

// Where the user and password of a URL begin and end, with the @; the same when there are none.
std::pair<std::size_t, std::size_t> credentials_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {0, 0};
  const std::size_t begin = scheme + 3;
  const std::size_t host_end = std::min(url.find_first_of("/?#", begin), url.size());
  const std::size_t at = url.substr(0, host_end).rfind('@');
  return at == std::string_view::npos || at < begin ? std::pair(begin, begin)
                                                    : std::pair(begin, at + 1);
}

// A list setting has a line for each item, and none for what is blank: an expression that is empty
// matches everything there, and has to here.
std::string patterns_as_lines(const std::vector<std::string>& patterns) {
  std::string lines;
  for (const std::string& pattern : patterns) {
    if (!lines.empty()) lines += '\n';
    lines += base::trim(pattern).empty() ? "(?:" + pattern + ")" : pattern;
  }
  return lines;
}

class PySymProxy {
 public:
  PySymProxy(std::string file_name, std::string directory)
      : reader_(std::move(file_name)), directory_(std::move(directory)) {}

  Result<ForeignSettings> read(const Placed& config) {
    reader_.set("listen", std::string(kListen), {config.value, "(its only address)"});
    TRY(read_identity(config.member("identity")));
    TRY(read_general(config.member("general")));
    TRY(read_servers(config.member("servers")));
    TRY(read_logging(config.member("logging"), directory_, reader_));
    reader_.warn_of_others(config, {"identity", "general", "servers", "logging"});
    return ForeignSettings{reader_.take_settings(), reader_.take_warnings()};
  }

 private:
  Result<void> read_identity(const Placed& identity) {
    TRY(reader_.must_be_object(identity));
    TRY(set_text("site.name", identity.member("name")));
    TRY(set_text("site.administrator", identity.member("administrator")));
    TRY(set_text("site.default_sympath", identity.member("default_sympath")));
    // `host` it demanded and never read.
    reader_.warn_of_others(identity, {"name", "host", "administrator", "default_sympath"});
    return {};
  }

  Result<void> read_general(const Placed& general) {
    TRY(reader_.must_be_object(general));
    const Placed statistics = general.member("enableStatistics");
    const std::optional<bool> flag = TRY(reader_.flag(statistics));
    if (flag) {
      reader_.set("site.statistics", *flag ? "1" : "0", statistics);
    }
    const Placed cache = general.member("cacheLocation");
    TRY(reader_.require(cache));
    TRY(set_path("upstreams.cache", cache));
    const Placed blacklist = general.member("blacklist");
    TRY(reader_.require(blacklist));
    TRY(set_patterns("upstreams.deny", blacklist));
    reader_.warn_of_others(general, {"enableStatistics", "cacheLocation", "blacklist"});
    return {};
  }

  Result<void> read_servers(const Placed& servers) {
    TRY(reader_.require(servers));
    TRY(reader_.must_be_list(servers));
    for (std::size_t i = 0; i < servers.value.size(); ++i) {
      TRY(read_server(servers.element(i), "upstream." + std::to_string(i) + "."));
    }
    return {};
  }

  Result<void> read_server(const Placed& server, const std::string& prefix) {
    TRY(reader_.must_be_object(server));
    TRY(set_text(prefix + "identifier", server.member("identifier")));
    TRY(read_remote(server.member("remote"), prefix));
    // Without a name it is the identifier that people know it by.
    const bool has_name = !server.member("name").is_absent();
    TRY(set_text(prefix + "name", server.member(has_name ? "name" : "identifier")));
    TRY(set_path(prefix + "cache", server.member("cacheLocation")));
    TRY(set_number(prefix + "requests_max", server.member("maxRequests")));
    // symsrv found out itself how many tiers there are, and looked for pointers everywhere, web
    // servers included.
    reader_.set(prefix + "layout", "symstore-any", server);
    reader_.set(prefix + "pointers", "1", server);
    TRY(read_retry(server, prefix));
    TRY(set_patterns(prefix + "allow", server.member("whitelist")));
    TRY(set_patterns(prefix + "deny", server.member("blacklist")));
    reader_.warn_of_others(server, {"name", "identifier", "remote", "cacheLocation", "retryTimeout",
                                    "retryTimout", "maxRequests", "whitelist", "blacklist"});
    return {};
  }

  // Its documentation has the one spelling and its program the other.
  Result<void> read_retry(const Placed& server, const std::string& prefix) {
    const Placed right = server.member("retryTimeout");
    const Placed typo = server.member("retryTimout");
    if (!typo.is_absent()) {
      reader_.warn(typo, right.is_absent()
                             ? "is read as retryTimeout; pySymProxy ignored it and waited 60 s"
                             : "is ignored, since there is a retryTimeout");
    }
    return set_number(prefix + "retry_seconds", right.is_absent() ? typo : right);
  }

  // A user and a password in the URL go into a header: addresses stand in logs and on pages.
  Result<void> read_remote(const Placed& remote, const std::string& prefix) {
    TRY(reader_.require(remote));
    const std::optional<std::string> given = TRY(reader_.text(remote));
    if (!has_scheme(*given)) return set_path(prefix + "url", remote);
    const auto [begin, end] = credentials_of(*given);
    if (end > begin) {
      const std::string coded = given->substr(begin, end - begin - 1);
      const std::string plain = net::percent_decode(coded).value_or(coded);
      reader_.set(prefix + "headers",
                  "Authorization: Basic " + base::base64_of(base::bytes_of(plain)), remote);
    }
    reader_.set(prefix + "url", given->substr(0, begin) + given->substr(end), remote);
    return {};
  }

  // identity and servers have texts that must be there; only a server's name may be absent, and is
  // asked for when it is not.
  Result<void> set_text(std::string key, const Placed& from) {
    TRY(reader_.require(from));
    const std::optional<std::string> text = TRY(reader_.text(from));
    reader_.set(std::move(key), *text, from);
    return {};
  }

  Result<void> set_number(std::string key, const Placed& from) {
    const std::optional<std::uint64_t> number = TRY(reader_.number(from));
    if (number) reader_.set(std::move(key), std::to_string(*number), from);
    return {};
  }

  Result<void> set_path(std::string key, const Placed& from) {
    const std::optional<std::string> path = TRY(reader_.text(from));
    if (path) reader_.set(std::move(key), absolute_path(*path, directory_), from);
    return {};
  }

  Result<void> set_patterns(std::string key, const Placed& from) {
    const std::optional<std::vector<std::string>> patterns = TRY(reader_.texts(from));
    if (patterns) reader_.set(std::move(key), patterns_as_lines(*patterns), from);
    return {};
  }

  ForeignReader reader_;
  const std::string directory_;
};

bool is_secret_key(std::string_view name) {
  constexpr std::array<std::string_view, 6> kSecret{"password",   "secret",        "token",
                                                    "credential", "authorization", "headers"};
  const std::string folded = base::lower_ascii(name);
  return std::any_of(kSecret.begin(), kSecret.end(),
                     [&](std::string_view word) { return folded.find(word) != std::string::npos; });
}

JsonValue redacted(const JsonValue& value) {
  if (const std::string* text = value.string()) {
    const auto [begin, end] = credentials_of(*text);
    if (end == begin) return value;
    return JsonValue(text->substr(0, begin) + std::string(kHidden) + "@" + text->substr(end));
  }
  if (const auto* items = value.array()) {
    JsonValue::Array out;
    for (const JsonValue& item : *items) out.push_back(redacted(item));
    return JsonValue(std::move(out));
  }
  if (const auto* members = value.object()) {
    JsonValue::Object out;
    for (const auto& [name, member] : *members) {
      out.emplace(name, is_secret_key(name) ? JsonValue(std::string(kHidden)) : redacted(member));
    }
    return JsonValue(std::move(out));
  }
  return value;
}

}  // namespace

bool is_pysymproxy(const JsonValue& config) {
  if (config.object() == nullptr) return false;
  return config.size() == 0 || !config["identity"].is_null() || !config["general"].is_null() ||
         !config["servers"].is_null();
}

Result<ForeignSettings> settings_from_pysymproxy(const JsonValue& config,
                                                 const std::string& file_name,
                                                 const std::string& directory) {
  return PySymProxy(file_name, directory).read({config, ""});
}

std::string redacted_json(const JsonValue& config) {
  JsonWriter out(JsonWriter::Style::pretty);
  redacted(config).write(out);
  return out.take() + "\n";
}

}  // namespace server
