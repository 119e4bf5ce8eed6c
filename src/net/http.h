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
#include "base/result.h"

namespace net {

enum class Method : std::uint8_t { get, head, post, put, delete_, options, other };
std::string_view name_of(Method method);
Method find_method(std::string_view text);  // other, when it is none of the named

class Headers {
 public:
  void add(std::string_view name, std::string_view value);
  void set(std::string_view name, std::string_view value);  // replaces all of that name
  void remove(std::string_view name);
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

class BodyBudget;  // net/body_budget.h
class BodyShare;

struct Request {
  Method method = Method::get;
  std::string method_text;
  std::string target;                     // as sent
  std::string path;                       // before '?', percent-decoded once; "/" at least
  std::string query;                      // after '?', as sent
  unsigned version_minor = 1;             // of HTTP/1.x
  Headers headers;                        // without Content-Encoding when net has undone it
  std::string body;                       // when the route keeps it in memory
  std::shared_ptr<BodyFile> body_file;    // when the route wants a file
  std::shared_ptr<BodyShare> body_share;  // of the route's budget, when it has one
  std::string peer;                       // "127.0.0.1:5123"
  bool secure = false;                    // it came over TLS
  std::chrono::steady_clock::time_point deadline;
  std::map<std::string, std::string> path_parameters;  // {name} parts of the route's pattern
  std::size_t rest_begin = 0;  // of the path: where what the route's ** matched begins

  // A request as the server would make it: for tests of handlers. The target must be good.
  static Request of(std::string_view method, std::string_view target, std::string body = {});

  std::optional<std::string> query_value(std::string_view name) const;  // decoded, '+' is a space
  std::string_view path_parameter(std::string_view name) const;         // "" if there is none
  std::string_view path_rest() const;                                   // what ** matched
  std::string_view header(std::string_view name) const;                 // "" if there is none
  // The whole body, wherever it is: mapped or a view of `body`. Valid while the Request lives.
  base::Result<base::Bytes> body_bytes() const;

 private:
  mutable std::shared_ptr<const base::MappedFile> mapped_;
};

// Splits a request target (origin or absolute form, or "*") into path and query; false when it
// is none of these, or holds a broken %-escape, a space, a control character or %00.
bool split_target(std::string_view target, std::string& path, std::string& query);

// "Sun, 06 Nov 1994 08:49:37 GMT" for headers, of microseconds since 1970.
std::string http_date(std::int64_t us);
// Seconds since 1970 of such a date; nothing for any other form.
std::optional<std::int64_t> find_http_date(const std::string& text);

// A file being written by someone else: whoever follows it sends what is there and waits for
// more. The writer ends it with finish() or fail(); a failed stream resets its followers.
// Thread-safe. net/growing_file.h
class GrowingFile;

struct FileBody {
  std::shared_ptr<const base::Fd> fd;
  std::uint64_t size = 0;    // of what is served; net cuts out the Range itself
  std::uint64_t offset = 0;  // where that begins in the file, as for one section of an ELF file
};

// Yields the next piece, empty at the end. Called on the worker pool; may block. An error
// resets the connection before the declared end.
using Producer = std::function<base::Result<std::string>()>;

// The same of somebody with threads of their own. Called on the loop, or by a thread of the pool
// when the answer is coded; must not block. Has `then` called with the next piece, at once or
// later, from any thread, and is not called again before.
using LaterProducer = std::function<void(std::function<void(base::Result<std::string>)> then)>;

struct Answer {
  int status = 200;
  Headers headers;
  std::variant<std::string, FileBody, std::shared_ptr<GrowingFile>, Producer, LaterProducer> body;
  // Lets net answer If-None-Match, and Range for files and bytes. Quoted, as in the header; net
  // sends it (with "-gzip" or the like inside for a coded body). If-Modified-Since is answered when
  // `headers` has a Last-Modified with the same text.
  std::string etag;
  bool compressible = false;  // net may code it (gzip, br, zstd) when the client accepts that
  bool reset = false;         // send nothing and reset the connection (debuginfod's overload)
  bool close = false;         // close the connection after this answer
  std::string note;           // why, for the server's log (ServerOptions::on_end)

  static Answer text(int status, std::string_view text);  // text/plain; charset=utf-8
  static Answer html(int status, std::string text);
  static Answer json(int status, std::string text);
  static Answer file(FileBody file, std::string_view content_type, std::string_view etag);
  static Answer fault(base::Fault fault, std::string_view what);  // default status of the fault
  static Answer redirect(int status, std::string_view location);
};

// For an answer that comes later, from any thread: complete() once; later calls are ignored, and
// so are all when the client has gone. One that is dropped without an answer answers 500.
// The handler's Request stays valid until complete() is called or the Completer is dropped.
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
  std::uint64_t size_max = 0;  // as sent; 413 from the head when Content-Length says more
  // Content-Encoding gzip/deflate/zstd is undone by net before the handler sees the body; at most
  // this many plain bytes come out, and once past 64 MiB at most 200 × the size as sent (0: that
  // alone; in memory never more than size_max). What would pass a limit is answered 413.
  std::uint64_t plain_size_max = 0;
  // What all bodies of the routes that name it may take in memory together; what would pass it is
  // answered 503. Null: no bound.
  std::shared_ptr<BodyBudget> budget = {};
  // A file's hash is taken while it arrives, and told by PendingFile::hash().
  bool hashes_file = false;

  static BodyPolicy none() { return {}; }
  static BodyPolicy memory(std::uint64_t limit) { return {Where::memory, limit}; }
  static BodyPolicy file(std::uint64_t limit) { return {Where::file, limit}; }
};

enum class Runs : std::uint8_t { loop, pool };  // pool: the handler may block

struct Route {
  std::string method;  // "GET" also serves HEAD; "*" is any
  std::string
      pattern;  // "/crashes/{id}", "/buildid/{id}/debuginfo", "/{name}/{id}/{file}", "/static/**"
  BodyPolicy body;
  bool needs_body = false;  // requests without one are another route's
  Runs runs = Runs::loop;
  Handler handler;
  // Looks at the head alone and may refuse before the body is read; nothing means go on.
  std::function<std::optional<Answer>(const Request&)> admit;
  // Words the answer to a body that could not be taken (too_large; unavailable: there is no room;
  // malformed: its coding or framing is damaged) in the dialect of the route's clients; without it
  // net answers itself.
  std::function<Answer(const Request&, const base::Error&)> refuse_body;
};

// The first route, in order of registration, whose pattern fits. {name} is one path segment,
// ** the rest. A segment may have text around its parameter, as in
// "/{id}:complete". Doubled slashes before a segment count as one; what ** matches is kept as it
// is. A path that fits only other methods is answered 405 with Allow.
class Router {
 public:
  void add(Route route);
  using Admit = std::function<std::optional<Answer>(const Request&)>;  // as of a Route
  // Asked before the own `admit` of each route that is added from here on; null: nobody is.
  void guard(Admit guard) { guard_ = std::move(guard); }
  // A GET without a body whose handler may block.
  void add_get_on_pool(std::string_view pattern, Handler handler);
  // Likewise a POST of a small body, kept in memory.
  void add_post_on_pool(std::string_view pattern, std::uint64_t size_max, Admit admit,
                        Handler handler);
  struct Match {
    const Route* route = nullptr;
    std::vector<std::string> allowed;  // when route is null: methods that would fit
  };
  Match match(Request& request) const;  // fills path_parameters and rest_begin

 private:
  struct Segment {
    std::string before, name, after;  // "" as name: a literal, all in `before`
  };
  struct Entry {
    Route route;
    std::vector<Segment> segments;
    bool rest = false;  // ends in **
  };
  // Fills the request's parameters, if there is one.
  static bool fits(const Entry& entry, std::string_view path, Request* request);
  template <class Use>
  void for_candidates(std::string_view path, const Use& use) const;

  std::vector<std::shared_ptr<const Entry>> routes_;
  std::map<std::string, std::vector<std::size_t>, std::less<>> by_first_;  // literal first segment
  std::vector<std::size_t> others_;
  Admit guard_;
};

}  // namespace net
