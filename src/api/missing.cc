#include "api/missing.h"

#include <memory>

#include "api/actions.h"
#include "api/clients.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "ident/scope.h"
#include "net/percent.h"
#include "statistics/missing_query.h"

namespace api {

using base::Error;
using base::Fault;
using base::JsonWriter;
using base::Result;
using net::Answer;
using net::Request;
using statistics::MissingQuery;
using statistics::MissingSymbol;
using statistics::Statistics;

namespace {

constexpr std::uint64_t kBodySizeMax = 16 * 1024;
constexpr std::int64_t kDayUs = 86'400'000'000;

Answer uncached(Answer answer) {
  answer.headers.set("Cache-Control", "no-store");
  return answer;
}

Answer json_error_answer(const Error& error) {
  JsonWriter out;
  out.begin_object().key("error").string(error.what).end_object();
  return uncached(
      with_note(Answer::json(base::policy_of(error.fault).http_status, out.take()), error.what));
}

// A field as Python's csv writes it.
void append_field(std::string& out, std::string_view field) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_line(std::string& out, std::initializer_list<std::string_view> fields) {
  const char* separator = "";
  for (const std::string_view field : fields) {
    out += separator;
    append_field(out, field);
    separator = ",";
  }
  out += "\r\n";
}

bool ends_with(std::string_view name, std::string_view end) {
  return name.size() >= end.size() &&
         base::equal_ignoring_case(name.substr(name.size() - end.size()), end);
}

// What Microsoft's server could have: a PDB, from which a .sym was wanted.
bool is_told_of(const MissingSymbol& symbol) {
  return ends_with(symbol.name, ".pdb") && ends_with(symbol.file, ".sym");
}

Result<Answer> csv(const Request& request, Statistics* statistics) {
  base::Time day = base::now();
  if (request.query_value("today").value_or("").empty()) day.us -= kDayUs;
  std::string text;
  append_line(text, {"debug_file", "debug_id", "code_file", "code_id"});
  if (statistics != nullptr) {
    TRY(statistics->save_soon());
    TRY(statistics->missing().list_day(statistics::day_of(day), [&](const MissingSymbol& symbol) {
      if (!is_told_of(symbol)) return;
      append_line(text, {symbol.name, symbol.debug_id, symbol.code_file, symbol.code_id});
    }));
  }
  Answer answer = Answer::text(200, text);
  answer.headers.set("Content-Type", "text/csv");
  answer.headers.set("Content-Disposition", "attachment; filename=\"missing-symbols-" +
                                                base::iso8601(day).substr(0, 10) + ".csv\"");
  answer.headers.set("X-Content-Type-Options", "nosniff");
  answer.compressible = true;
  return uncached(std::move(answer));
}

void write_symbol(JsonWriter& out, const MissingSymbol& symbol) {
  out.begin_object();
  out.key("id").integer(symbol.id);
  out.key("symbol").string(symbol.name).key("debugid").string(symbol.debug_id);
  out.key("filename").string(symbol.file);
  out.key("code_file").string(symbol.code_file).key("code_id").string(symbol.code_id);
  out.key("count").integer(symbol.times);
  out.key("modified_at").string(base::iso8601(symbol.modified_at));
  out.key("created_at").string(base::iso8601(symbol.created_at)).end_object();
}

std::string list_json(const MissingQuery& query, const statistics::MissingPage& page) {
  JsonWriter out;
  out.begin_object().key("order_by").begin_object();
  out.key("sort").string(statistics::name_of(query.order));
  out.key("reverse").boolean(query.descending).end_object();
  out.key("batch_size").unsigned_integer(query.limit);
  out.key("page").unsigned_integer(query.offset / query.limit + 1);
  out.key("total_count").unsigned_integer(page.total);
  out.key("records").begin_array();
  for (const MissingSymbol& symbol : page.rows) write_symbol(out, symbol);
  return out.end_array().end_object().take();
}

// Django's words for a parameter that is no good.
Answer answer_bad_query(const Error& error) {
  const std::string name = error.what.substr(0, error.what.find(':'));
  JsonWriter out;
  out.begin_object().key("errors").begin_object();
  out.key(name).begin_array().string(error.what).end_array().end_object().end_object();
  return uncached(Answer::json(400, out.take()));
}

// NAME/ID/FILE, or /buildid/ID/FILE without a name.
Result<ident::SymbolRequest> wish_of(const ident::StorePath& path) {
  MissingSymbol symbol;
  symbol.name = path.name;
  symbol.debug_id = path.id;
  symbol.file = path.file;
  auto request = statistics::request_of(symbol);
  if (!request) {
    return Error{Fault::malformed, "symbol, debugid and filename are not the path of a file"};
  }
  return *std::move(request);
}

Result<FetchedNow> fetch(const ident::StorePath& path, Statistics* statistics,
                         const MissingActions& actions) {
  const ident::SymbolRequest request = TRY(wish_of(path));
  FetchedNow fetched = actions.fetch(request);
  if (fetched.state == FetchedNow::State::here && statistics != nullptr) {
    TRY(statistics->save_soon());
    TRY(statistics->missing().remove(path));
  }
  return fetched;
}

Result<Answer> post_fetch(const Request& request, Statistics* statistics,
                          const MissingActions& actions) {
  const base::JsonValue wanted = TRY(base::JsonValue::parse(request.body));
  const ident::StorePath path{std::string(wanted["symbol"].text_or("")),
                              std::string(wanted["debugid"].text_or("")),
                              std::string(wanted["filename"].text_or(""))};
  const FetchedNow fetched = TRY(fetch(path, statistics, actions));
  JsonWriter out;
  out.begin_object().key("state").string(name_of(fetched.state));
  out.key("reason").string(fetched.why).end_object();
  const bool is_working = fetched.state == FetchedNow::State::working;
  return uncached(Answer::json(is_working ? 202 : 200, out.take()));
}

std::string form_value(const Request& request, std::string_view name) {
  for (auto& [field, value] : net::parse_form(request.body)) {
    if (field == name) return std::move(value);
  }
  return "";
}

// The page again, which says what came of it.
Result<Answer> post_fetch_form(const Request& request, Statistics* statistics,
                               const MissingActions& actions) {
  const ident::StorePath path{form_value(request, "symbol"), form_value(request, "debugid"),
                              form_value(request, "filename")};
  const FetchedNow fetched = TRY(fetch(path, statistics, actions));
  const std::string asked = path.name + "/" + path.id + "/" + path.file;
  return uncached(Answer::redirect(303, "/missingsymbols/?asked=" + net::percent_encode(asked) +
                                            "&state=" + std::string(name_of(fetched.state))));
}

void add_action(net::Router& router, const Gate& gate, std::string_view pattern,
                std::function<Result<Answer>(const Request&)> handler) {
  const auto refuse = [&gate](const Request& request) { return refuse_action(request, gate); };
  router.add_post_on_pool(pattern, kBodySizeMax, refuse,
                          [refuse, handler = std::move(handler)](Request& request) -> net::Reply {
                            if (auto refused = refuse(request)) return *std::move(refused);
                            auto answer = handler(request);
                            return answer.ok() ? std::move(answer).value()
                                               : json_error_answer(answer.error());
                          });
}

}  // namespace

std::string_view name_of(FetchedNow::State state) {
  switch (state) {
    case FetchedNow::State::here:
      return "here";
    case FetchedNow::State::working:
      return "working";
    case FetchedNow::State::missing:
      break;
  }
  return "missing";
}

Answer answer_missing(const Request& request, Statistics* statistics) {
  const auto query = statistics::parse_missing_query(
      [&](std::string_view name) { return request.query_value(name); });
  if (!query.ok()) return answer_bad_query(query.error());
  statistics::MissingPage page;
  if (statistics != nullptr) {
    if (const auto saved = statistics->save_soon(); !saved.ok()) {
      return json_error_answer(saved.error());
    }
    auto listed = statistics->missing().list(*query);
    if (!listed.ok()) return json_error_answer(listed.error());
    page = *std::move(listed);
  }
  Answer answer = Answer::json(200, list_json(*query, page));
  answer.compressible = true;
  return uncached(std::move(answer));
}

void add_missing_routes(net::Router& router, const Gate& gate, Statistics* statistics,
                        MissingActions actions) {
  const auto shared = std::make_shared<const MissingActions>(std::move(actions));
  router.add_get_on_pool("/missingsymbols.csv", [statistics](Request& request) -> net::Reply {
    auto answer = csv(request, statistics);
    return answer.ok() ? std::move(answer).value() : json_error_answer(answer.error());
  });
  router.add_get_on_pool("/api/v1/missing", [statistics](Request& request) -> net::Reply {
    return answer_missing(request, statistics);
  });
  add_action(router, gate, "/api/v1/missing/fetch", [statistics, shared](const Request& request) {
    return post_fetch(request, statistics, *shared);
  });
  add_action(router, gate, "/missingsymbols/", [statistics, shared](const Request& request) {
    return post_fetch_form(request, statistics, *shared);
  });
  const auto clear = [shared](const Request& request) {
    shared->clear();
    base::log::info("{} made us forget all remembered misses", request.peer);
  };
  add_action(router, gate, "/api/v1/misses/clear",
             [clear](const Request& request) -> Result<Answer> {
               clear(request);
               return uncached(Answer::json(200, "{}"));
             });
  add_action(router, gate, "/status/symbols", [clear](const Request& request) -> Result<Answer> {
    clear(request);
    return uncached(Answer::redirect(303, "/status/symbols?cleared=1"));
  });
}

}  // namespace api
