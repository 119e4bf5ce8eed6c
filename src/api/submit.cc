#include "api/submit.h"

#include "base/log.h"

namespace api {
namespace {

using base::Fault;
using net::Answer;

Answer discarded(int status, std::string_view reason) {
  return Answer::text(status, "Discarded=" + std::string(reason) + "\n");
}

// From the head alone: what Content-Type would make us refuse whatever the body is.
std::optional<Answer> refuse_head(const net::Request& request) {
  const auto header = request.headers.find("Content-Type");
  if (!header) return discarded(400, "malformed_no_content_type");
  const net::MediaType type = net::parse_media_type(*header);
  if (type.type != "multipart/form-data" && type.type != "multipart/mixed") {
    return discarded(400, "malformed_wrong_content_type");
  }
  if (type.find("boundary").value_or("").empty()) return discarded(400, "malformed_no_boundary");
  return std::nullopt;
}

// The body was too large, or its coding damaged: net says so, we word it.
Answer refuse_body(const net::Request&, const base::Error& error) {
  switch (error.fault) {
    case Fault::too_large:
      return discarded(413, "malformed_too_large");
    case Fault::malformed:
      return discarded(400, "malformed_bad_gzip");
    default:
      return Answer::fault(error.fault, error.what);
  }
}

// Nothing was stored: the client keeps the report and comes again.
Answer try_again(const base::Error& error) {
  base::log::error("submit: {}", error.what);
  Answer answer = Answer::text(error.fault == Fault::internal ? 500 : 503,
                               "the report could not be stored; try again later\n");
  answer.headers.set("Retry-After", "60");
  return answer;
}

Answer submit(const net::Request& request, reports::Intake& intake, const SubmitOptions& options) {
  if (auto refused = refuse_head(request)) return *refused;
  const auto body = request.body_bytes();
  if (!body.ok()) return try_again(body.error());
  if (body->empty()) return discarded(400, "malformed_no_content_length");

  const auto parts = net::parse_multipart(request, options.multipart);
  if (!parts.ok()) {
    return parts.error().fault == Fault::too_large
               ? discarded(413, "malformed_too_large")
               : discarded(400, "malformed_invalid_payload_structure");
  }
  const auto taken = submission_from_parts(*parts, options.submission);
  if (const auto* refusal = std::get_if<Refusal>(&taken)) {
    return discarded(refusal->status, refusal->reason);
  }
  const auto id = intake.accept(std::get<TakenApart>(taken).submission);
  if (!id.ok()) return try_again(id.error());
  // The report is on disk: only now may the client forget it.
  return Answer::text(200, "CrashID=bp-" + *id + "\n");
}

}  // namespace

void add_submit_routes(net::Router& router, reports::Intake& intake, const SubmitOptions& options) {
  net::Route route;
  route.method = "POST";
  route.pattern = "/submit";
  route.body = net::BodyPolicy::file(options.body_size_max);
  route.body.plain_size_max = options.plain_size_max;
  route.runs = net::Runs::pool;
  route.admit = refuse_head;
  route.refuse_body = refuse_body;
  route.handler = [&intake, options](net::Request& request) -> net::Reply {
    return submit(request, intake, options);
  };
  router.add(std::move(route));

  // Without this the catch-all for symbol files would answer other methods.
  net::Route others;
  others.method = "*";
  others.pattern = "/submit";
  others.handler = [](net::Request&) -> net::Reply {
    Answer answer = Answer::text(405, "crash reports come by POST\n");
    answer.headers.set("Allow", "POST");
    return answer;
  };
  router.add(std::move(others));
}

}  // namespace api
