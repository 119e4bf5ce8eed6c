#include "api/schemas.h"

#include <string_view>

extern "C" {
extern const char faultline_v4_request_begin[];
extern const char faultline_v4_request_end[];
extern const char faultline_v4_answer_begin[];
extern const char faultline_v4_answer_end[];
extern const char faultline_v5_request_begin[];
extern const char faultline_v5_request_end[];
extern const char faultline_v5_answer_begin[];
extern const char faultline_v5_answer_end[];
}

namespace api {

void add_schema_routes(net::Router& router) {
  const auto add = [&](const char* path, const char* begin, const char* end) {
    const std::string_view text(begin, static_cast<std::size_t>(end - begin));
    net::Route route;
    route.method = "GET";
    route.pattern = path;
    route.handler = [text](net::Request&) -> net::Reply {
      net::Answer answer = net::Answer::text(200, text);
      answer.headers.set("Content-Type", "application/schema+json");
      answer.headers.set("Access-Control-Allow-Origin", "*");
      answer.headers.set("Cache-Control", "no-cache");
      answer.compressible = true;
      return answer;
    };
    router.add(std::move(route));
  };
  add("/symbolicate/v4/schema/request.json", faultline_v4_request_begin, faultline_v4_request_end);
  add("/symbolicate/v4/schema/answer.json", faultline_v4_answer_begin, faultline_v4_answer_end);
  add("/symbolicate/v5/schema/request.json", faultline_v5_request_begin, faultline_v5_request_end);
  add("/symbolicate/v5/schema/answer.json", faultline_v5_answer_begin, faultline_v5_answer_end);
}

}  // namespace api
