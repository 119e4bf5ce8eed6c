#include "api/syminfo.h"

#include <unistd.h>

#include <array>

#include "api/clients.h"
#include "api/dispatch.h"
#include "api/read_access.h"
#include "base/json.h"
#include "base/text.h"
#include "extract/identify.h"
#include "net/percent.h"

namespace api {

using base::JsonWriter;
using net::Answer;
using net::Request;
using supply::Found;

namespace {

constexpr std::size_t kHeadSize = 16 * 1024;  // MODULE and INFO records come first

// The .sym of NAME/ID; "" as id when no path can be made of them.
ident::StorePath sym_path(std::string_view name, std::string_view id) {
  if (!ident::is_allowed_name(name) || !ident::is_allowed_id(id)) return {};
  return {std::string(name), std::string(id), ident::sym_file_name(name)};
}

std::string head_of(const Found& found) {
  if (found.content()) return *found.content();
  std::string head(kHeadSize, '\0');
  const ssize_t size = ::pread(found.fd()->get(), head.data(), head.size(),
                               static_cast<off_t>(found.file()->offset));
  head.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return head;
}

std::string_view generator_of(std::string_view head) {
  constexpr std::string_view kRecord = "\nINFO GENERATOR ";
  const std::size_t at = head.find(kRecord);
  if (at == std::string_view::npos) return "";
  const std::string_view rest = head.substr(at + kRecord.size());
  return base::trim(rest.substr(0, rest.find('\n')));
}

void text_or_null(JsonWriter& out, std::string_view key, std::string_view value) {
  out.key(key);
  if (value.empty()) {
    out.null();
  } else {
    out.string(base::to_valid_utf8(value));
  }
}

std::string url_of(const Request& request, const extract::Identity& sym) {
  std::string url = request.secure ? "https://" : "http://";
  url += request.header("Host");
  // Whoever asked below a project finds the file there only.
  if (!request.path_parameter("project").empty()) {
    url.append("/p/").append(request.path_parameter("project"));
    const std::string_view token = request.path_parameter("token");
    if (!token.empty()) url.append("/t/").append(token);
  }
  const ident::StorePath path = sym_path(sym.name, sym.debug_id.breakpad());
  for (const std::string_view part : {path.name, path.id, path.file}) {
    url.append("/").append(net::percent_encode(part, "+()"));
  }
  return url;
}

Answer answer_sym(const Request& request, const Found& found, std::int64_t started) {
  const std::string head = head_of(found);
  const extract::Identity sym = extract::identify(base::bytes_of(head));
  if (sym.debug_id.is_nil()) {
    return answer_miss(request, {base::Fault::not_found, "the file there is no Breakpad text"}, "");
  }
  JsonWriter out;
  out.begin_object();
  out.key("debug_id").string(sym.debug_id.breakpad());
  out.key("debug_filename").string(base::to_valid_utf8(sym.name));
  text_or_null(out, "code_file", sym.code_file);
  text_or_null(out, "code_id", base::upper_ascii(sym.code_id));
  text_or_null(out, "generator", generator_of(head));
  out.key("url").string(url_of(request, sym));
  out.key("time").number(static_cast<double>(base::monotonic_us() - started) / 1e6);
  out.end_object();
  Answer answer = Answer::json(200, out.take());
  answer.headers.add("Access-Control-Allow-Origin", "*");
  return answer;
}

using Allows = std::function<std::optional<Answer>(const Request&)>;

Outcome get_syminfo(const Request& request, supply::Supply& supply, Pass pass,
                    const Allows& allows) {
  const std::int64_t started = base::monotonic_us();
  ident::Scope scope;
  if (auto refused = refuse_scope(request, allows, scope)) return *std::move(refused);
  ident::StorePath path = sym_path(request.path_parameter("file"), request.path_parameter("id"));
  const base::Error miss{base::Fault::not_found, "Code file / id Not Found"};
  // A code id leads to the debug id, and that to the file.
  for (int step = 0; step < 2 && !path.id.empty(); ++step) {
    const ident::SymbolRequest wanted = ident::request_of(path, scope);
    const Found found = supply.local(wanted);
    if (!found.settled()) {
      if (pass == Pass::kFinal) return answer_still_working(request);
      return Missing{{wanted}};
    }
    if (!found.here()) {
      const bool nobody = found.miss().fault == base::Fault::not_found;
      return answer_miss(request, nobody ? miss : found.miss(), "");
    }
    if (!found.file()->is_moved()) return answer_sym(request, found, started);
    path = sym_path(found.file()->moved_to_name, found.file()->moved_to_id);
  }
  return answer_miss(request, miss, "");
}

}  // namespace

void add_syminfo_route(net::Router& router, supply::Supply& supply, Allows allows) {
  const auto shared = std::make_shared<const Allows>(std::move(allows));
  for (const char* prefix : kScopePrefixes) {
    net::Route route;
    route.method = "GET";
    route.pattern = std::string(prefix) + "/api/syminfo/{file}/{id}";
    route.handler =
        dispatch([shared](const Request& request, supply::Supply& from,
                          Pass pass) { return get_syminfo(request, from, pass, *shared); },
                 supply, patience_of);
    router.add(std::move(route));
  }
}

}  // namespace api
