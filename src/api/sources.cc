#include "api/sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <mutex>

#include "api/brief_retries.h"
#include "api/clients.h"
#include "api/for_strangers.h"
#include "api/profiler.h"
#include "api/source_question.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "net/round_trips.h"

namespace api {

using base::Error;
using base::Fault;
using base::JsonWriter;
using base::Result;
using net::Answer;
using net::Request;
using sources::Source;

namespace {

using Shared = std::shared_ptr<const SourcesOptions>;

std::string http_date(base::Time time) {
  const auto seconds = static_cast<std::time_t>(time.us / 1'000'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[64];
  const std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, size};
}

// Who read what: in the log, since sources are what a company guards most.
std::string log_read(const std::string& peer, const Reader& reader, std::string_view module,
                     const Source& source) {
  std::string what = base::to_valid_utf8(source.path);
  what.append(" of ").append(module).append(" from ").append(source.origin);
  base::log::info("source read: {} by {} {}", what, peer, reader.name);
  return what;
}

void note_read(const std::string& peer, const SourcesOptions& options, const Reader& reader,
               std::string_view module, const Source& source) {
  const std::string what = log_read(peer, reader, module, source);
  if (options.note) options.note(reader, peer, what);
}

// What one question has read: a line of the audit log, however many files that were.
class ReadTogether {
 public:
  ReadTogether(Shared options, Reader reader, const Request& request, std::string module)
      : options_(std::move(options)),
        reader_(std::move(reader)),
        peer_(request.peer),
        module_(std::move(module)) {}

  void add(const Source& source) {
    std::string what = log_read(peer_, reader_, module_, source);
    const std::lock_guard lock(mutex_);
    if (count_++ == 0) first_ = std::move(what);
  }
  void note() {
    const std::lock_guard lock(mutex_);
    if (!options_->note || count_ == 0) return;
    if (count_ > 1) first_ += fmt::format(", and {} more", count_ - 1);
    options_->note(reader_, peer_, first_);
    count_ = 0;
  }

 private:
  const Shared options_;
  const Reader reader_;
  const std::string peer_;
  const std::string module_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::string first_;
  std::size_t count_ = 0;
};

std::string module_text(const Request& request, std::string_view id) {
  const std::string project = scope_of(request).project;
  return project.empty() ? std::string(id) : std::string(id) + " in " + project;
}

// ---- debuginfod ----

// "usr/src/a.c" behind /source/ is "/usr/src/a.c"; "C:/x" and "hg:…" stay.
std::string wanted_path(std::string_view rest) {
  if (rest.starts_with('/')) return std::string(rest);
  const auto colon = rest.find(':');
  if (colon != std::string_view::npos && colon < rest.find('/')) return std::string(rest);
  return "/" + std::string(rest);
}

Answer answer_source(const Request& request, Source source) {
  const bool for_all = request.path_parameter("project").empty();
  const auto size_max = base::parse_decimal(request.header("X-DEBUGINFOD-MAXSIZE"));
  if (size_max && *size_max > 0 && source.bytes.size() > *size_max) {
    Answer answer = Answer::text(
        406,
        "File too large, max size=" + std::string(request.header("X-DEBUGINFOD-MAXSIZE")) + "\n");
    return with_reason(std::move(answer), {Fault::too_large, fmt::format("the file has {} bytes",
                                                                         source.bytes.size())});
  }
  Answer answer;
  answer.headers.set("Content-Type", "application/octet-stream");
  answer.headers.set("X-DEBUGINFOD-SIZE", std::to_string(source.bytes.size()));
  std::string name(base::basename_of(source.path));
  std::replace_if(name.begin(), name.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  answer.headers.set("X-DEBUGINFOD-FILE", name);
  answer.headers.set("X-Faultline-Source",
                     std::string(source.origin) + (source.is_verified ? "; checksum fits" : ""));
  if (source.modified.us != 0) answer.headers.set("Last-Modified", http_date(source.modified));
  answer.headers.set("Cache-Control", for_all ? "public" : "private");
  answer.headers.set("Access-Control-Allow-Origin", "*");
  answer.etag = "\"" + base::sha256_of(base::bytes_of(source.bytes)).hex().substr(0, 40) + "\"";
  answer.compressible = true;
  answer.body = std::move(source.bytes);
  return answer;
}

net::Reply get_source(const Request& request, sources::Sources& sources, const Shared& options,
                      const std::shared_ptr<BriefRetries>& retries) {
  const std::string_view id = request.path_parameter("id");
  const auto reader = options->find_reader(request);
  if (!reader) {
    return answer_miss(request, {Fault::not_found, "sources are read with a token here"}, "");
  }
  if (!options->own_name.empty() && net::comes_round(request, options->own_name)) {
    return answer_miss(request, {Fault::not_found, "we have asked for it ourselves"}, "");
  }
  const std::string path = wanted_path(request.path_rest());
  auto debuginfo = ident::find_buildid_request(id, "debuginfo", scope_of(request));
  if (!debuginfo || path.size() > kSourcePathMax || path.size() < 2 ||
      path.find('\0') != std::string::npos) {
    return answer_miss(
        request,
        {Fault::not_found, "expected an even number of hexadecimal digits and the path of a file"},
        "");
  }
  debuginfo->asked_by = request.header(net::kAskedBy);
  sources::Question question{{*debuginfo}, path, {}, {}};
  const auto deadline =
      std::min(request.deadline, std::chrono::steady_clock::now() + retries->patience_of(request));
  return net::Later{[&sources, &request, options, retries, deadline, reader = *reader,
                     module = module_text(request, id),
                     question = std::move(question)](std::shared_ptr<net::Completer> completer) {
    sources.ask(question, deadline,
                [&request, options, retries, reader, module,
                 completer = std::move(completer)](Result<Source> found) {
                  if (!found.ok()) {
                    Answer answer = answer_miss(request, for_strangers(found.error()), "");
                    if (found.error().fault == Fault::timed_out) retries->note(request, answer);
                    completer->complete(std::move(answer));
                    return;
                  }
                  note_read(request.peer, *options, reader, module, *found);
                  completer->complete(answer_source(request, std::move(*found)));
                });
  }};
}

// ---- the profiler ----

// samply's answer; the two times are its, and null there, too.
Answer profiler_source(const std::string& file, const Source& source) {
  JsonWriter out;
  out.begin_object();
  out.key("symbolsLastModified").null();
  out.key("sourceLastModified").null();
  out.key("file").string(file);
  out.key("source").string(source.bytes);
  out.end_object();
  return Answer::json(200, out.take());
}

net::Reply post_source(const Request& request, sources::Sources& sources, const Shared& options) {
  const auto finish = [options](const Request& asked, Answer answer) {
    allow_page(asked, options->allowed_origin, answer);
    return answer;
  };
  const auto reader = options->find_reader(request);
  if (!reader || !may_page_ask(request, options->allowed_origin)) {
    return finish(request, profiler_error(403, "sources are not for this page or this client"));
  }
  auto question = parse_source_question(request.body, scope_of(request));
  if (!question.ok()) return finish(request, profiler_error(400, question.error().what));
  const auto deadline =
      std::min(request.deadline, std::chrono::steady_clock::now() + kProfilerPatience);
  return net::Later{[&sources, &request, options, deadline, finish, reader = *reader,
                     question = std::move(*question)](std::shared_ptr<net::Completer> completer) {
    sources.ask(question, deadline,
                [&request, options, finish, reader, file = question.path,
                 completer = std::move(completer)](Result<Source> found) {
                  if (!found.ok()) {
                    completer->complete(finish(request, profiler_failure(found.error())));
                    return;
                  }
                  note_read(request.peer, *options, reader, module_text(request, "a profile"),
                            *found);
                  completer->complete(finish(request, profiler_source(file, *found)));
                });
  }};
}

// ---- by content ----

Answer get_uploaded(const Request& request, sources::Sources& sources,
                    const SourcesOptions& options) {
  const auto reader = options.find_reader(request);
  if (!reader) {
    return answer_miss(request, {Fault::not_found, "sources are read with a token here"}, "");
  }
  const auto hash = store::find_sha256(base::lower_ascii(request.path_parameter("id")));
  if (!hash) {
    return answer_miss(request, {Fault::not_found, "a source's id is its SHA-256 in hex"}, "");
  }
  auto found = sources.uploaded().find(*hash);
  if (!found.ok()) return answer_miss(request, for_strangers(found.error()), "");
  if (!*found) {
    return answer_miss(request, {Fault::not_found, "nobody has uploaded this content"}, "");
  }
  auto bytes = sources.uploaded().read(**found, options.file_size_max);
  if (!bytes.ok()) return answer_miss(request, for_strangers(bytes.error()), "");
  Source source{std::move(*bytes), (*found)->name, "upload", (*found)->added_at, true};
  note_read(request.peer, options, *reader, hash->hex(), source);
  return answer_source(request, std::move(source));
}

// ?module=ID&path=PATH, again for each place.
Result<std::vector<sources::Place>> places_of(const Request& request) {
  std::vector<sources::Place> places;
  std::optional<std::string> module;
  for (const std::string_view part : base::split(request.query, '&')) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    Request one;
    one.query = part;
    const std::string_view name = part.substr(0, equals);
    const std::string value = one.query_value(name).value_or("");
    if (name == "module") {
      module = sources::find_module_id(value);
      if (!module) return Error{Fault::malformed, "module= wants a build id or debug id in hex"};
    } else if (name == "path") {
      if (!module || value.empty() || value.size() > kSourcePathMax || !base::is_utf8(value)) {
        return Error{Fault::malformed, "path= wants a path, behind the module= that names it"};
      }
      places.push_back({*module, value});
    }
  }
  return places;
}

Answer put_uploaded(Request& request, sources::Sources& sources) {
  const auto hash = store::find_sha256(base::lower_ascii(request.path_parameter("id")));
  const std::string name(request.path_parameter("name"));
  if (!hash || !ident::is_allowed_name(name)) {
    return profiler_error(400, "a source is put to /artifacts/src/SHA256/NAME");
  }
  const auto places = places_of(request);
  if (!places.ok()) return profiler_error(400, places.error().what);
  std::optional<base::PendingFile> body;
  if (request.body_file && request.body_file->file.size() > 0) {
    if (auto synced = request.body_file->file.sync(); !synced.ok()) {
      return profiler_error(503, synced.error().what);
    }
    body = std::move(request.body_file->file);
  }
  const auto kept = sources.uploaded().add(*hash, name, request.peer, std::move(body), *places);
  if (!kept.ok()) {
    return profiler_error(base::policy_of(kept.error().fault).http_status, kept.error().what);
  }
  base::log::info("source upload: {} ({} places) by {}", name, places->size(), request.peer);
  JsonWriter out;
  out.begin_object().key("sha256").string(hash->hex()).key("size").unsigned_integer(kept->size);
  out.key("places").unsigned_integer(places->size()).end_object();
  return Answer::json(200, out.take());
}

net::Route route_of(const char* method, std::string pattern, net::Handler handler) {
  net::Route route;
  route.method = method;
  route.pattern = std::move(pattern);
  route.handler = std::move(handler);
  return route;
}

// Of the default project, or of the one in the prefix.
void add_reading_routes(net::Router& router, const std::string& prefix, sources::Sources& sources,
                        const Shared& options) {
  router.add(
      route_of("GET", prefix + "/buildid/{id}/source/**",
               [&sources, options, retries = std::make_shared<BriefRetries>()](Request& request) {
                 return get_source(request, sources, options, retries);
               }));
  net::Route profiler = route_of(
      "POST", prefix + "/source/v1",
      [&sources, options](Request& request) { return post_source(request, sources, options); });
  profiler.body = net::BodyPolicy::memory(64 * 1024);
  router.add(std::move(profiler));
  router.add(route_of("OPTIONS", prefix + "/source/v1", [options](Request& request) -> net::Reply {
    Answer answer = Answer::text(204, "");
    allow_page(request, options->allowed_origin, answer);
    return answer;
  }));
}

}  // namespace

SourceReading source_reading(const Request& request, sources::Sources& sources,
                             const std::shared_ptr<const SourcesOptions>& options) {
  auto reader = options->find_reader(request);
  if (!reader || !may_page_ask(request, options->allowed_origin)) return {};
  const auto read = std::make_shared<ReadTogether>(options, *std::move(reader), request,
                                                   module_text(request, "a stack trace"));
  SourceReading reading;
  reading.find = [&sources, read](sources::Question question,
                                  std::chrono::steady_clock::time_point deadline,
                                  std::function<void(Result<Source>)> done) {
    sources.ask(std::move(question), deadline,
                [read, done = std::move(done)](Result<Source> found) {
                  if (found.ok()) read->add(*found);
                  done(std::move(found));
                });
  };
  reading.note = [read] { read->note(); };
  return reading;
}

void add_source_routes(net::Router& router, sources::Sources& sources,
                       const SourcesOptions& given) {
  const auto options = std::make_shared<const SourcesOptions>(given);
  for (const char* prefix : {"", "/p/{project}", "/p/{project}/t/{token}"}) {
    add_reading_routes(router, prefix, sources, options);
  }

  net::Route get = route_of("GET", "/artifacts/src/{id}/{name}",
                            [&sources, options](Request& request) -> net::Reply {
                              return get_uploaded(request, sources, *options);
                            });
  get.runs = net::Runs::pool;
  router.add(std::move(get));

  net::Route put = route_of(
      "PUT", "/artifacts/src/{id}/{name}",
      [&sources](Request& request) -> net::Reply { return put_uploaded(request, sources); });
  put.runs = net::Runs::pool;
  put.body = net::BodyPolicy::file(options->file_size_max);
  put.admit = options->refuse_upload;
  router.add(std::move(put));
}

}  // namespace api
