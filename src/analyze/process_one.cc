#include "analyze/process_one.h"

#include "analyze/analyze.h"
#include "analyze/report_json.h"
#include "analyze/report_text.h"
#include "analyze/traces_json.h"
#include "base/file.h"
#include "base/json.h"
#include "base/pool.h"

namespace analyze {
namespace {

using base::JsonValue;
using base::JsonWriter;

void write_key(JsonWriter& out, const ModuleKey& key) {
  out.key("debug_file").string(key.debug_file);
  out.key("debug_id").string(key.debug_id);
  out.key("code_file").string(key.code_file);
  out.key("code_id").string(key.code_id);
}

ModuleKey read_key(const JsonValue& value) {
  ModuleKey key;
  key.debug_file = value["debug_file"].text_or("");
  key.debug_id = value["debug_id"].text_or("");
  key.code_file = value["code_file"].text_or("");
  key.code_id = value["code_id"].text_or("");
  return key;
}

base::Fault fault_named(std::string_view name) {
  using base::Fault;
  for (const Fault fault :
       {Fault::not_found, Fault::malformed, Fault::unsupported, Fault::too_large, Fault::denied,
        Fault::timed_out, Fault::unavailable}) {
    if (base::name_of(fault) == name) return fault;
  }
  return Fault::internal;
}

base::Error malformed(std::string_view what) {
  return {base::Fault::malformed, "process-one: " + std::string(what)};
}

bool is_true(const JsonValue& value) { return value.boolean() != nullptr && *value.boolean(); }

}  // namespace

std::string text_of_request(const Request& request) {
  JsonWriter out;
  out.begin_object();
  out.key("dump").string(request.dump);
  out.key("final").boolean(request.is_final);
  if (request.form == Form::traces) out.key("form").string("traces");
  out.key("modules").begin_array();
  for (const auto& [key, index] : request.indexes) {
    out.begin_object();
    write_key(out, key);
    out.key("index").string(index);
    out.end_object();
  }
  out.end_array();
  out.key("text").boolean(request.with_text);
  out.key("threads").unsigned_integer(request.threads);
  out.end_object();
  return out.take();
}

base::Result<Request> parse_request(std::string_view text) {
  const JsonValue document = TRY(JsonValue::parse(text));
  Request request;
  if (document["dump"].string() == nullptr) return malformed("the request names no dump");
  request.dump = document["dump"].text_or("");
  request.is_final = is_true(document["final"]);
  request.with_text = is_true(document["text"]);
  if (document["form"].text_or("") == "traces") request.form = Form::traces;
  const std::int64_t threads = document["threads"].integer_or(1);
  request.threads = threads >= 0 && threads <= 1024 ? static_cast<unsigned>(threads) : 1;
  const JsonValue& modules = document["modules"];
  for (std::size_t i = 0; i < modules.size(); ++i) {
    const JsonValue& module = modules.at(i);
    request.indexes.insert_or_assign(read_key(module), std::string(module["index"].text_or("")));
  }
  return request;
}

std::string text_of_response(const Response& response) {
  JsonWriter out;
  out.begin_object();
  switch (response.kind) {
    case Response::Kind::lacks:
      out.key("kind").string("lacks");
      out.key("modules").begin_array();
      for (const ModuleKey& key : response.lacking) {
        out.begin_object();
        write_key(out, key);
        out.end_object();
      }
      out.end_array();
      break;
    case Response::Kind::report:
      out.key("kind").string("report");
      out.key("json_bytes").unsigned_integer(response.json.size());
      out.key("text_bytes").unsigned_integer(response.text.size());
      break;
    case Response::Kind::error:
      out.key("kind").string("error");
      out.key("fault").string(base::name_of(response.error.fault));
      out.key("what").string(response.error.what);
      break;
  }
  out.end_object();
  return out.take() + "\n" + response.json + response.text;
}

base::Result<Response> parse_response(std::string_view text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return malformed("the child's answer has no line end");
  const JsonValue head = TRY(JsonValue::parse(text.substr(0, end)));
  const std::string_view rest = text.substr(end + 1);
  const std::string_view kind = head["kind"].text_or("");
  Response response;
  if (kind == "lacks") {
    response.kind = Response::Kind::lacks;
    const JsonValue& modules = head["modules"];
    for (std::size_t i = 0; i < modules.size(); ++i) {
      response.lacking.push_back(read_key(modules.at(i)));
    }
    if (response.lacking.empty()) return malformed("the child lacks nothing, and no report");
    return response;
  }
  if (kind == "error") {
    response.error = {fault_named(head["fault"].text_or("")),
                      std::string(head["what"].text_or(""))};
    return response;
  }
  if (kind != "report") return malformed("the child's answer is of no known kind");
  response.kind = Response::Kind::report;
  const auto json_bytes = static_cast<std::uint64_t>(head["json_bytes"].integer_or(-1));
  const auto text_bytes = static_cast<std::uint64_t>(head["text_bytes"].integer_or(-1));
  const auto json = base::find_slice(base::bytes_of(rest), 0, json_bytes);
  const auto report = base::find_slice(base::bytes_of(rest), json_bytes, text_bytes);
  if (!json || !report) return malformed("the child's report is cut short");
  response.json = base::text_of(*json);
  response.text = base::text_of(*report);
  return response;
}

namespace {

base::Result<Response> try_to_answer(const Request& request) {
  const auto find = [&](const ModuleKey& key, const snapshot::Module&) -> unwind::ModuleSymbols {
    const auto known = request.indexes.find(key);
    if (known != request.indexes.end() && !known->second.empty()) {
      return symbols_from_index(known->second);
    }
    const bool settled = request.is_final || known != request.indexes.end();
    return {settled ? unwind::SymbolState::missing : unwind::SymbolState::lacking, nullptr};
  };
  AnalyzeOptions options;
  options.threads = request.threads == 0 ? base::default_thread_count() : request.threads;
  auto dump = TRY(base::MappedFile::open(request.dump));
  Analysis analysis = TRY(analyze_dump(std::move(dump), find, options));

  Response response;
  if (!analysis.lacking.empty()) {
    response.kind = Response::Kind::lacks;
    response.lacking = std::move(analysis.lacking);
    return response;
  }
  response.kind = Response::Kind::report;
  if (request.form == Form::traces) {
    response.json = traces_json(analysis.report);
    return response;
  }
  response.json = report_json(analysis.report);
  if (request.with_text) response.text = report_text(analysis.report);
  return response;
}

}  // namespace

Response answer(const Request& request) {
  auto response = try_to_answer(request);
  if (response.ok()) return std::move(*response);
  Response failed;
  failed.error = std::move(response).error();
  return failed;
}

}  // namespace analyze
