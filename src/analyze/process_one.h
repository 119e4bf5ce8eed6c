// Both sides of `faultline process-one`: the request and the response, and how one is made from
// the other. process_in_child.h drives it.
// Values; pure functions but for answer(), which reads the files that the request names.
// A request or response that cannot be read is malformed.
// Protocol: docs/protocols/process-one.md
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/module_key.h"
#include "base/result.h"

namespace analyze {

// What is made of a dump: the report, or its stacks as a question of Symbolicator's protocol.
enum class Form : unsigned char { report, traces };

struct Request {
  std::string dump;                          // path
  std::map<ModuleKey, std::string> indexes;  // path of the symbol index; "": nobody has it
  bool is_final = false;                     // name nothing as lacking
  bool with_text = false;
  Form form = Form::report;
  unsigned threads = 1;  // 0: as many as there are processors
};

struct Response {
  enum class Kind : unsigned char { lacks, report, error };
  Kind kind = Kind::error;
  std::vector<ModuleKey> lacking;  // lacks
  std::string json, text;          // report; of traces there is no text
  base::Error error;               // error
};

std::string text_of_request(const Request& request);
base::Result<Request> parse_request(std::string_view text);
std::string text_of_response(const Response& response);
base::Result<Response> parse_response(std::string_view text);

// The child's whole work.
Response answer(const Request& request);

}  // namespace analyze
