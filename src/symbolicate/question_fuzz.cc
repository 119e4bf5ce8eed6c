// Any bytes as a question in each dialect; the answer, without symbols, is JSON and the same
// whether made at once or in pieces.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/json.h"
#include "symbolicate/answer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using symbolicate::Dialect;
  if (size == 0) return 0;
  const std::string_view body = base::text_of(base::Bytes{data + 1, size - 1});
  const auto debugging =
      (data[0] & 4) != 0 ? symbolicate::Debugging::taken : symbolicate::Debugging::ignored;
  const auto question =
      symbolicate::find_question(body, Dialect{static_cast<std::uint8_t>(data[0] % 4)}, debugging);
  if (!question.ok()) return 0;
  if (question->debug) {
    ASSERT(question->jobs.empty() && debugging == symbolicate::Debugging::taken);
    return 0;
  }
  std::vector<symbolicate::JobAnswer> answers;
  for (const symbolicate::Job& job : question->jobs) {
    ASSERT(job.ends.empty() ? job.frames.empty() : job.ends.back() == job.frames.size());
    (void)symbolicate::wanted_modules(job, question->dialect);
    answers.emplace_back(job.modules.size());
  }
  const std::string whole = symbolicate::AnswerWriter(*question, answers).write_all();
  ASSERT(base::JsonValue::parse(whole).ok());
  symbolicate::AnswerWriter writer(*question, answers);
  std::string pieces;
  while (!writer.is_done()) pieces += writer.next(1 + data[0] / 4);
  ASSERT(pieces == whole);
  return 0;
}
