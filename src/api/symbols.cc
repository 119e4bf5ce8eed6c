#include "api/symbols.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "api/arriving.h"
#include "api/brief_retries.h"
#include "api/clients.h"
#include "api/count_symbols.h"
#include "api/dispatch.h"
#include "api/wanted.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "ident/nil_id.h"
#include "net/percent.h"
#include "net/round_trips.h"
#include "supply/choose.h"

namespace api {

using base::Error;
using base::Fault;
using ident::SymbolRequest;
using net::Answer;
using net::Request;
using supply::Found;
using supply::Supplied;

namespace {

// Looked at by their sizes first, on every request.
constexpr std::array<std::string_view, 24> kReserved{
    "__heartbeat__", "__lbheartbeat__", "__version__", "api",      "artifacts",
    "buildid",       "crashes",         "healthz",     "metadata", "metrics",
    "modules",       "nuget",           "p",           "readyz",   "search",
    "settings",      "signatures",      "static",      "status",   "submit",
    "symbolicate",   "tools",           "upload",      "v1"};

// Of these, the words that begin a request for a file.
bool begins_a_request(std::string_view first_segment) {
  return first_segment == "buildid" || first_segment == "artifacts" || first_segment == "p";
}

bool is_text(const Supplied& file) { return file.format == "sym" || file.format == "breakpad_sym"; }

// What is packed already gains nothing by a coding.
bool is_packed(const Supplied& file) {
  constexpr std::array<std::string_view, 8> kPacked{"cab",  "msfz", "zip", "gzip",
                                                    "zstd", "xz",   "rpm", "sourcebundle"};
  return std::find(kPacked.begin(), kPacked.end(), file.format) != kPacked.end();
}

Answer answer_file(const Found& found) {
  const Supplied& file = *found.file();
  Answer answer;
  if (found.content()) {
    answer.body = *found.content();
  } else {
    answer.body = net::FileBody{found.fd(), file.size, file.offset};
  }
  answer.etag = "\"" + file.content_tag + "\"";
  answer.headers.add("Content-Type",
                     is_text(file) ? "text/plain; charset=utf-8" : "application/octet-stream");
  answer.compressible = !is_packed(file);
  answer.headers.add("Access-Control-Allow-Origin", "*");
  // The same key may get a fuller file tomorrow: whoever keeps it asks again by its tag.
  answer.headers.add("Cache-Control", "public, max-age=300");
  if (file.modified.us != 0) answer.headers.add("Last-Modified", net::http_date(file.modified.us));
  return answer;
}

// What an uploader would type; Host is what the asker called us.
std::string upload_advice(const Request& request) {
  std::string host(request.header("Host"));
  if (host.empty() || !std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view(".:-[]_").find(c) != std::string_view::npos;
      })) {
    host = "HOST:PORT";
  }
  return "To add it: faultline upload-symbols --url http://" + host + " FILE-OR-DIRECTORY\n";
}

// The last part is asked for by the same name there if it names a .sym, and the query goes along:
// it holds the module's code file and code id. Relative to the scope that was asked.
Answer answer_moved(const Request& request, const Supplied& file) {
  std::string_view path = request.path;
  while (path.ends_with('/')) path.remove_suffix(1);
  std::string third(path.substr(path.rfind('/') + 1));
  if (!base::lower_ascii(third).ends_with(".sym")) {
    third = ident::sym_file_name(file.moved_to_name);
  }
  const auto scoped = ident::split_scope(request.path);
  // A plain prefix stands before two more parts than are kept here; only the scope matters.
  std::string target;
  if (scoped && !scoped->scope.project.empty()) target = "/p/" + scoped->scope.project;
  if (scoped && !scoped->token.empty()) target.append("/t/").append(scoped->token);
  if (scoped && scoped->scope.include_try) target += "/try";
  for (const std::string_view part :
       {std::string_view(file.moved_to_name), std::string_view(file.moved_to_id),
        std::string_view(third)}) {
    target.append("/").append(net::percent_encode(part, "+()"));
  }
  if (!request.query.empty()) target.append("?").append(request.query);
  Answer answer = Answer::redirect(302, target);
  answer.headers.set("Access-Control-Allow-Origin", "*");
  return answer;
}

std::string_view rest_of(const Request& request) {
  std::string_view path = request.path;
  const auto scoped = ident::split_scope(path);
  return scoped ? scoped->rest : path;
}

// In words, made for those who wait for nothing more.
std::string words_for(const Request& request, const SymbolRequest& wanted) {
  if (const auto path = ident::find_store_path(request.path);
      path && !wanted.keys.empty() && wanted.keys.front().kind == ident::KeyKind::path) {
    return path->file + " of " + path->name + " with the id " + path->id;
  }
  return std::string(ident::name_of(wanted.artifact)) + " of " +
         base::to_valid_utf8(rest_of(request));
}

// What clients ask of every store without meaning a file of ours: symsrv its pointer, some tools a
// module that has no id.
bool is_asked_by_habit(const Request& request) {
  const auto path = ident::find_store_path(request.path);
  return path && (ident::is_nil_id(path->id) || base::equal_ignoring_case(path->file, "file.ptr"));
}

// A miss in Tecken's words, ours behind them.
Answer answer_not_found(const Request& request, const Error& miss) {
  Answer answer = answer_miss(request, miss, upload_advice(request));
  auto* body = std::get_if<std::string>(&answer.body);
  if (answer.status != 404 || body == nullptr || !ident::find_store_path(request.path)) {
    return answer;
  }
  if (is_asked_by_habit(request)) {
    *body = "Symbol Not Found (and ignored)";
  } else {
    body->insert(0, "Symbol Not Found\n");
  }
  return answer;
}

Answer answer_here(const Request& request, const Found& found) {
  return found.file()->is_moved() ? answer_moved(request, *found.file()) : answer_file(found);
}

Outcome answer_found(const Request& request, Pass pass, const SymbolRequest& wanted,
                     const Found& found) {
  switch (found.state()) {
    case Found::State::here:
      return answer_here(request, found);
    case Found::State::missing:
      if (supply::says_nobody_has(found.miss())) {
        const Error miss{Fault::not_found, "nobody has uploaded " + words_for(request, wanted)};
        return answer_not_found(request, miss);
      }
      if (supply::says_nobody_answers(found.miss())) {
        return answer_nobody_answers(request, found.miss(), upload_advice(request));
      }
      return answer_not_found(request, found.miss());
    case Found::State::unknown:
    case Found::State::working:
      break;
  }
  if (pass == Pass::kFinal) return answer_still_working(request);
  return Missing{{wanted}};
}

// The file as it is asked for; what is on its way is read while it comes. A client that does not
// take what arrives, or not yet, waits for all of it.
Outcome answer_wanted(const Request& request, supply::Supply& supply, Pass pass,
                      const SymbolRequest& wanted, const Found& found) {
  if (found.settled()) return answer_found(request, pass, wanted, found);
  if (auto arriving = answer_arriving(request, wanted, supply)) return *std::move(arriving);
  Outcome outcome = answer_found(request, pass, wanted, found);
  auto* missing = std::get_if<Missing>(&outcome);
  if (missing != nullptr && !supply.arriving(wanted)) missing->takes = takes_of(request, wanted);
  return outcome;
}

// The compressed container for who reads it, else the plain one; under one path, so that a cache
// between must look at the header, too.
Outcome answer_either(const Request& request, supply::Supply& supply, Pass pass,
                      const SymbolRequest& plain, const SymbolRequest& packed) {
  Outcome outcome = answer_found(request, pass, packed, supply.local(packed));
  auto* answer = std::get_if<Answer>(&outcome);
  if (answer == nullptr) return outcome;
  if (answer->status == 200) {
    answer->headers.set("Content-Type", "application/msfz0");
  } else {
    outcome = answer_found(request, pass, plain, supply.local(plain));
    answer = std::get_if<Answer>(&outcome);
  }
  if (answer != nullptr) answer->headers.add("Vary", "Accept");
  return outcome;
}

Answer no_such_page(const Request& request) {
  const Error miss{Fault::not_found, base::to_valid_utf8(ident::without_token(request.path)) +
                                         " is no page here and not the path of a symbol file "
                                         "(NAME/ID/FILE)"};
  return answer_miss(request, miss, "");
}

std::string_view first_segment_of(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  return path.substr(0, path.find('/'));
}

bool is_control_file(std::string_view path, std::string_view name) {
  return path.size() >= name.size() &&
         base::equal_ignoring_case(path.substr(path.size() - name.size()), name) &&
         (path.size() == name.size() || path[path.size() - name.size() - 1] == '/');
}

// debuginfod's clients say how much they would take.
bool is_too_large_for(const Request& request, std::uint64_t size) {
  const auto size_max = base::parse_decimal(request.header("X-DEBUGINFOD-MAXSIZE"));
  return size_max && *size_max > 0 && size > *size_max;
}

// Not remembered: the same client may take more the next time.
Answer answer_too_large(const Request& request, std::uint64_t size) {
  const std::string_view size_max = request.header("X-DEBUGINFOD-MAXSIZE");
  Answer answer = Answer::text(406, fmt::format("File too large, max size={}\n", size_max));
  return with_reason(std::move(answer),
                     {Fault::too_large, fmt::format("the file has {} bytes", size)});
}

// As the reference server has it: the base name of a file, the whole name of the member that a
// section is from.
std::string_view name_to_show(const Supplied& file) {
  if (file.member.empty()) return file.name;
  return file.format == "section" ? std::string_view(file.member) : base::basename_of(file.member);
}

Outcome add_debuginfod_headers(const Request& request, Outcome outcome, const Found& found) {
  auto* answer = std::get_if<Answer>(&outcome);
  if (answer == nullptr || answer->status != 200 || !found.here()) return outcome;
  const Supplied& file = *found.file();
  if (is_too_large_for(request, file.size)) return answer_too_large(request, file.size);
  answer->headers.set("X-DEBUGINFOD-SIZE", std::to_string(file.size));
  answer->headers.set("X-DEBUGINFOD-FILE", header_text(name_to_show(file)));
  if (!file.archive.empty()) {
    answer->headers.set("X-DEBUGINFOD-ARCHIVE", header_text(file.archive));
  }
  if (!file.ima_signature.empty()) {
    answer->headers.set("X-DEBUGINFOD-IMASIGNATURE", file.ima_signature);
  }
  answer->headers.set("Cache-Control", "public");
  if (file.depends_on_agent) answer->headers.add("Vary", "User-Agent");
  return outcome;
}

// 404 unless the project is two-tier: a 200 would switch symsrv to two-tier names.
Answer answer_index2(const Request& request, bool two_tier) {
  if (two_tier) return Answer::text(200, "");
  return answer_miss(request, {Fault::not_found, "this store has one tier"}, "");
}

// A path that was answered before is not taken apart again.
std::optional<Outcome> find_remembered(const Request& request, supply::Supply& supply,
                                       const std::string& spelling) {
  if (spelling.empty()) return std::nullopt;
  const Found found = supply.local_by_spelling(spelling);
  if (!found.here()) return std::nullopt;
  Answer answer = answer_here(request, found);
  if (!is_buildid_path(request.path)) return answer;
  return add_debuginfod_headers(request, std::move(answer), found);
}

Outcome get_path(const Request& request, supply::Supply& supply, Pass pass,
                 const StoreOptions& options) {
  const std::string spelling = spelling_of(request);
  if (auto remembered = find_remembered(request, supply, spelling)) return *std::move(remembered);
  const auto scoped = ident::split_scope(request.path);
  const std::string_view rest = scoped ? scoped->rest : std::string_view(request.path);
  const std::string_view first = first_segment_of(request.path);
  if (is_reserved(first) && !begins_a_request(first)) return no_such_page(request);
  if (first == "p") {
    if (!options.allows) return no_such_page(request);
    if (auto refused = options.allows(request)) return std::move(*refused);
  }
  if (is_control_file(rest, "pingme.txt")) return Answer::text(200, "");
  const Layout layout = options.layout(scoped ? scoped->scope.project : "");
  if (is_control_file(rest, "index2.txt") && std::count(rest.begin(), rest.end(), '/') < 2) {
    return answer_index2(request, layout.two_tier);
  }
  auto wanted = find_wanted(request, {layout.cabinets});
  const bool is_buildid = rest.starts_with("buildid/");
  if (!wanted && is_buildid) {
    return answer_miss(request,
                       {Fault::not_found,
                        "no such path: /buildid/ID/debuginfo, executable or section/NAME, where "
                        "ID is an even number of hexadecimal digits"},
                       "");
  }
  if (!wanted) return no_such_page(request);
  if (const auto packed = find_wanted_msfz(request, *wanted)) {
    return answer_either(request, supply, pass, *wanted, *packed);
  }
  if (is_buildid && client_of(request) == Client::lldb) {
    wanted = ident::for_lldb(*std::move(wanted));
  }
  const Found found = supply.local(*wanted);
  if (!spelling.empty() && found.here() && is_whole_wish(request.path, *wanted)) {
    supply.add_spelling(spelling, *wanted);
  }
  Outcome outcome = answer_wanted(request, supply, pass, *wanted, found);
  if (!is_buildid) return outcome;
  return add_debuginfod_headers(request, std::move(outcome), found);
}

// A project's files are for those who may read it: no cache between may hand them to others. What
// nobody may keep, a miss or a refusal, stays so.
Outcome for_readers_only(Outcome outcome) {
  auto* answer = std::get_if<Answer>(&outcome);
  if (answer == nullptr) return outcome;
  const auto kept = answer->headers.find("Cache-Control");
  if (kept && *kept != "no-store") answer->headers.set("Cache-Control", "private, max-age=300");
  return outcome;
}

Outcome get_file(const Request& request, supply::Supply& supply, Pass pass,
                 const StoreOptions& options) {
  Outcome outcome = get_path(request, supply, pass, options);
  if (first_segment_of(request.path) == "p") return for_readers_only(std::move(outcome));
  return outcome;
}

// Tecken's clients ask with a header how long it took: all of it, with the waiting.
Outcome get_timed(const Request& request, supply::Supply& supply, Pass pass,
                  const StoreOptions& options, std::int64_t started) {
  Outcome outcome = get_file(request, supply, pass, options);
  if (auto* answer = std::get_if<Answer>(&outcome)) {
    const std::int64_t us = base::monotonic_us() - started;
    if (answer->status == 404 && is_asked_by_habit(request)) {
      answer->headers.set("Debug-Time", "0.0");
      return outcome;
    }
    answer->headers.set("Debug-Time", fmt::format("{:.6f}", static_cast<double>(us) / 1e6));
  }
  return outcome;
}

// ?_refresh: what is remembered about the file is forgotten before it is looked for, once.
void refresh(const Request& request, supply::Supply& supply, const StoreOptions& options) {
  if (first_segment_of(request.path) == "p" && (!options.allows || options.allows(request))) return;
  const auto wanted = find_wanted(request, {});
  if (!wanted) return;
  if (options.forget) options.forget(*wanted);
  supply.refresh(*wanted);
}

// Who waits for us to answer is who we wait for.
Answer answer_circle(const Request& request) {
  return answer_miss(request,
                     {Fault::not_found,
                      "we have asked for it ourselves: servers that ask one "
                      "another in a circle have not what nobody of them has"},
                     "");
}

net::Handler without_circles(net::Handler handler, std::string own_name) {
  return [handler = std::move(handler), own_name = std::move(own_name)](Request& request) {
    if (net::comes_round(request, own_name)) return net::Reply(answer_circle(request));
    return handler(request);
  };
}

// A page of another site may read symbol files: they are asked for without credentials.
Answer preflight() {
  Answer answer;
  answer.status = 204;
  answer.headers.set("Access-Control-Allow-Origin", "*");
  answer.headers.set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS");
  answer.headers.set("Access-Control-Allow-Headers", "*, range, user-agent");
  answer.headers.set("Access-Control-Max-Age", "86400");
  return answer;
}

}  // namespace

bool is_reserved(std::string_view first_segment) {
  return std::find(kReserved.begin(), kReserved.end(), first_segment) != kReserved.end();
}

void add_store_routes(net::Router& router, supply::Supply& supply, StoreOptions options) {
  net::Route route;
  route.method = "GET";
  route.pattern = "/**";
  const auto shared = std::make_shared<const StoreOptions>(std::move(options));
  const auto retries = std::make_shared<BriefRetries>();
  const net::Handler plain = dispatch(
      [shared, retries](const Request& request, supply::Supply& from, Pass pass) {
        Outcome outcome = get_file(request, from, pass, *shared);
        const auto* answer = std::get_if<Answer>(&outcome);
        if (pass == Pass::kFinal && answer != nullptr) retries->note(request, *answer);
        return outcome;
      },
      supply, [retries](const Request& request) { return retries->patience_of(request); });
  route.handler = [shared, plain, &supply](Request& request) -> net::Reply {
    if (has_query_name(request.query, "_refresh")) refresh(request, supply, *shared);
    if (request.header("Debug").empty()) return plain(request);
    return dispatch([shared, started = base::monotonic_us()](
                        const Request& asked, supply::Supply& from,
                        Pass pass) { return get_timed(asked, from, pass, *shared, started); },
                    supply, patience_of)(request);
  };
  if (shared->statistics != nullptr) {
    route.handler = count_symbols(std::move(route.handler), *shared->statistics);
  }
  if (!shared->own_name.empty()) {
    route.handler = without_circles(std::move(route.handler), shared->own_name);
  }
  router.add(std::move(route));

  net::Route cors;
  cors.method = "OPTIONS";
  cors.pattern = "/**";
  cors.handler = [](Request&) -> net::Reply { return preflight(); };
  router.add(std::move(cors));
}

}  // namespace api
