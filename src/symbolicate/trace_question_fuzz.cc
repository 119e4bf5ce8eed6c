// Any bytes as a question of Symbolicator's protocol; the answer, without symbols, is JSON, and the
// same whether made at once or in pieces.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/json.h"
#include "symbolicate/trace_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body = base::text_of(base::Bytes{data + 1, size - 1});
  symbolicate::TraceQuestion parts;
  (void)symbolicate::read_trace_sources(body, parts);
  (void)symbolicate::read_trace_options(body, parts);
  const auto question = data[0] % 2 == 0 ? symbolicate::parse_trace_question(body)
                                         : symbolicate::parse_trace_question_with_facts(body);
  if (!question.ok()) return 0;
  const std::vector<symbolicate::TraceModuleAnswer> answers(question->modules.size());
  const std::string whole = symbolicate::TraceAnswerWriter(*question, answers).write_all();
  ASSERT(base::JsonValue::parse(whole).ok());
  symbolicate::TraceAnswerWriter writer(*question, answers);
  std::string pieces;
  while (writer.write_some(pieces, 1 + data[0] / 4)) {
  }
  ASSERT(pieces == whole);
  return 0;
}
