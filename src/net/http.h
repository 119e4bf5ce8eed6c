// A request as a handler sees it, and what it may answer. No sockets here, and no word of
// symbols or crashes: net/server.h moves these over the wire.
// A Request owns its text; a file body is removed when the last reference to it goes.
// Plain values; a handler gets one to itself.
// Source: RFC 9110 (semantics), RFC 9112 (HTTP/1.1)
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/fault.h"
#include "base/file.h"

namespace net {

enum class Method : std::uint8_t { get, head, post, put, delete_, options, other };
std::string_view name_of(Method method);

class Headers {
 public:
  void add(std::string_view name, std::string_view value);
  void set(std::string_view name, std::string_view value);  // replaces all of that name
  // The first of that name, names compared without case; nothing if there is none.
  std::optional<std::string_view> find(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// A request body that was too large for memory, or that a route wants as a file: complete, in
// the server's spool directory, not fsynced; a handler may take it over (move it) instead.
struct BodyFile {
  base::PendingFile file;
};

struct Request {
  Method method = Method::get;
  std::string method_text;
  std::string target;  // as sent
  std::string path;    // before '?', percent-decoded once; "/" at least
  std::string query;   // after '?', as sent
  Headers headers;
  std::string body;                       // when the route keeps it in memory
  std::shared_ptr<BodyFile> body_file;    // when the route wants a file
  std::string peer;                       // "127.0.0.1:5123"
  std::chrono::steady_clock::time_point deadline;
  std::map<std::string, std::string> path_parameters;  // {name} parts of the route's pattern

  std::optional<std::string> query_value(std::string_view name) const;  // percent-decoded
  // The whole body, wherever it is: mapped or a view of `body`. Valid while the Request lives.
  base::Result<base::Bytes> body_bytes() const;

 private:
  mutable std::shared_ptr<const base::MappedFile> mapped_;
};

// A file being written by someone else: whoever follows it sends what is there and waits for
// more. The writer ends it with finish() or fail(); a failed stream resets its followers.
// Thread-safe.
class GrowingFile;

struct FileBody {
  std::shared_ptr<const base::Fd> fd;
  std::uint64_t size = 0;  // of the whole file; net cuts out the Range itself
};

// Yields the next piece, empty at the end. Called on the worker pool; may block.
using Producer = std::function<base::Result<std::string>()>;

struct Answer {
  int status = 200;
  Headers headers;
  std::variant<std::string, FileBody, std::shared_ptr<GrowingFile>, Producer> body;
  // For files: lets net answer Range, If-None-Match and gzip. Quoted, as in the header.
  std::string etag;
  bool compressible = false;  // net may gzip it when the client accepts that
  bool reset = false;         // send nothing and reset the connection (debuginfod's overload)

  static Answer text(int status, std::string_view text);  // text/plain; charset=utf-8
  static Answer html(int status, std::string text);
  static Answer json(int status, std::string text);
  static Answer file(FileBody file, std::string_view content_type, std::string_view etag);
  static Answer fault(base::Fault fault, std::string_view what);  // default status of the fault
  static Answer redirect(int status, std::string_view location);
};

// For an answer that comes later, from any thread: complete() once; later calls are ignored.
class Completer {
 public:
  virtual ~Completer() = default;
  virtual void complete(Answer answer) = 0;
};

// A handler that cannot answer yet hands over what is to be started; net parks the connection
// and calls `start` at once on the loop, where it must not block.
struct Later {
  std::function<void(std::shared_ptr<Completer>)> start;
};

using Reply = std::variant<Answer, Later>;
using Handler = std::function<Reply(Request&)>;

struct BodyPolicy {
  enum class Where : std::uint8_t { none, memory, file };
  Where where = Where::none;
  std::uint64_t size_max = 0;       // as sent; 413 from the head when Content-Length says more
  // Content-Encoding gzip/deflate/zstd is undone by net before the handler sees the body;
  // at most this many plain bytes come out (0: 200 × size as sent once past 64 MiB).
  std::uint64_t plain_size_max = 0;

  static BodyPolicy none() { return {}; }
  static BodyPolicy memory(std::uint64_t limit) { return {Where::memory, limit, 0}; }
  static BodyPolicy file(std::uint64_t limit) { return {Where::file, limit, 0}; }
};

enum class Runs : std::uint8_t { loop, pool };  // pool: the handler may block

struct Route {
  std::string method;   // "GET" also serves HEAD; "*" is any
  std::string pattern;  // "/crashes/{id}", "/buildid/{id}/debuginfo", "/{name}/{id}/{file}", "/static/**"
  BodyPolicy body;
  Runs runs = Runs::loop;
  Handler handler;
  // Looks at the head alone and may refuse before the body is read; nothing means go on.
  std::function<std::optional<Answer>(const Request&)> admit;
};

// The first route, in order of registration, whose pattern fits. {name} is one path segment,
// ** the rest. A path that fits only other methods is answered 405 with Allow.
class Router {
 public:
  void add(Route route);
  struct Match {
    const Route* route = nullptr;
    std::vector<std::string> allowed;  // when route is null: methods that would fit
  };
  Match match(Request& request) const;  // fills request.path_parameters

 private:
  std::vector<Route> routes_;
};

}  // namespace net
