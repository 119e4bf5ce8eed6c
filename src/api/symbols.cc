#include "api/symbols.h"

#include <algorithm>
#include <array>

#include "api/clients.h"
#include "api/dispatch.h"
#include "base/text.h"

namespace api {

using base::Error;
using base::Fault;
using ident::SymbolRequest;
using net::Answer;
using net::Request;
using supply::Found;
using supply::Supplied;

namespace {

constexpr std::array<std::string_view, 22> kReserved{
    "buildid",         "artifacts", "api",        "upload",      "submit",
    "symbolicate",     "crashes",   "signatures", "search",      "modules",
    "status",          "settings",  "p",          "metadata",    "metrics",
    "healthz",         "readyz",    "static",     "__version__", "__heartbeat__",
    "__lbheartbeat__", "tools"};

bool is_text(const Supplied& file) { return file.format == "sym" || file.format == "breakpad_sym"; }

Answer answer_file(const Supplied& file) {
  const bool text = is_text(file);
  Answer answer = Answer::file({file.fd, file.size},
                               text ? "text/plain; charset=utf-8" : "application/octet-stream",
                               "\"" + file.content_tag + "\"");
  answer.compressible = text;
  answer.headers.set("Access-Control-Allow-Origin", "*");
  // The same key may get a fuller file tomorrow: whoever keeps it asks again by its tag.
  answer.headers.set("Cache-Control", "public, max-age=300");
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

Outcome answer_request(const Request& request, supply::Supply& supply, Pass pass,
                       const SymbolRequest& wanted, const std::string& asked_for) {
  const Found found = supply.local(wanted);
  switch (found.state()) {
    case Found::State::here:
      return answer_file(*found.file());
    case Found::State::missing: {
      Error miss = found.miss();
      if (miss.fault == Fault::not_found) miss.what = "nobody has uploaded " + asked_for;
      return answer_miss(request, miss, upload_advice(request));
    }
    case Found::State::unknown:
    case Found::State::working:
      break;
  }
  if (pass == Pass::kFinal) return answer_still_working(request);
  return Missing{{wanted}};
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

Outcome get_store_path(const Request& request, supply::Supply& supply, Pass pass) {
  if (is_reserved(first_segment_of(request.path))) return no_such_page(request);
  const auto scoped = ident::split_scope(request.path);
  const auto path = ident::find_store_path(request.path);
  if (!scoped || !path) return no_such_page(request);
  return answer_request(request, supply, pass, ident::request_of(*path, scoped->scope),
                        path->file + " of " + path->name + " with the id " + path->id);
}

// debuginfod's clients say how much they would take.
bool is_too_large_for(const Request& request, std::uint64_t size) {
  const auto size_max = base::parse_decimal(request.header("X-DEBUGINFOD-MAXSIZE"));
  return size_max && *size_max > 0 && size > *size_max;
}

Outcome get_buildid(const Request& request, supply::Supply& supply, Pass pass,
                    std::string_view what) {
  const std::string_view id = request.path_parameter("id");
  const auto wanted = ident::find_buildid_request(id, what);
  if (!wanted) {
    return answer_miss(request,
                       {Fault::not_found,
                        "a build id is an even number of "
                        "hexadecimal digits"},
                       "");
  }
  Outcome outcome = answer_request(request, supply, pass, *wanted,
                                   std::string(what) + " for the build id " + std::string(id));
  auto* answer = std::get_if<Answer>(&outcome);
  const Found found = supply.local(*wanted);
  if (answer == nullptr || answer->status != 200 || !found.here()) return outcome;
  const Supplied& file = *found.file();
  if (is_too_large_for(request, file.size)) {
    return Answer::text(406, "File too large, max size=" +
                                 std::string(request.header("X-DEBUGINFOD-MAXSIZE")) + "\n");
  }
  answer->headers.set("X-DEBUGINFOD-SIZE", std::to_string(file.size));
  answer->headers.set("X-DEBUGINFOD-FILE", file.name);
  answer->headers.set("Cache-Control", "public");
  return outcome;
}

}  // namespace

bool is_reserved(std::string_view first_segment) {
  return std::find(kReserved.begin(), kReserved.end(), first_segment) != kReserved.end();
}

void add_debuginfod_routes(net::Router& router, supply::Supply& supply) {
  for (const std::string_view what : {"debuginfo", "executable"}) {
    net::Route route;
    route.method = "GET";
    route.pattern = "/buildid/{id}/" + std::string(what);
    route.handler = dispatch([what](const Request& request, supply::Supply& from,
                                    Pass pass) { return get_buildid(request, from, pass, what); },
                             supply, patience_of);
    router.add(std::move(route));
  }
}

void add_store_routes(net::Router& router, supply::Supply& supply) {
  net::Route ping;
  ping.method = "GET";
  ping.pattern = "/pingme.txt";
  ping.handler = [](Request&) -> net::Reply { return Answer::text(200, ""); };
  router.add(std::move(ping));

  net::Route route;
  route.method = "GET";
  route.pattern = "/**";
  route.handler = dispatch(get_store_path, supply, patience_of);
  router.add(std::move(route));
}

}  // namespace api
