#include "analyze/process_one.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace analyze {
namespace {

TEST(ProcessOne, RequestsReadAsTheyWereWritten) {
  Request request;
  request.dump = "/tmp/a \"dump\".dmp";
  request.indexes[{"a.pdb", "AB1", "a.exe", "12"}] = "/index/a";
  request.indexes[{"b", "CD0", "b", ""}] = "";
  request.is_final = true;
  request.threads = 3;
  const auto read = parse_request(text_of_request(request));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->dump, request.dump);
  EXPECT_EQ(read->indexes, request.indexes);
  EXPECT_TRUE(read->is_final);
  EXPECT_FALSE(read->with_text);
  EXPECT_EQ(read->threads, 3u);
  EXPECT_EQ(read->form, Form::report);
  request.form = Form::traces;
  const auto traces = parse_request(text_of_request(request));
  ASSERT_TRUE(traces.ok());
  EXPECT_EQ(traces->form, Form::traces);
}

TEST(ProcessOne, ResponsesReadAsTheyWereWritten) {
  Response report;
  report.kind = Response::Kind::report;
  report.json = "{\"a\":\n1}";
  report.text = "Crash\nreason";
  const auto read_report = parse_response(text_of_response(report));
  ASSERT_TRUE(read_report.ok());
  EXPECT_EQ(read_report->json, report.json);
  EXPECT_EQ(read_report->text, report.text);

  Response lacks;
  lacks.kind = Response::Kind::lacks;
  lacks.lacking = {{"a.pdb", "AB1", "a.exe", "12"}};
  const auto read_lacks = parse_response(text_of_response(lacks));
  ASSERT_TRUE(read_lacks.ok());
  EXPECT_EQ(read_lacks->lacking, lacks.lacking);

  Response failed;
  failed.error = {base::Fault::too_large, "that big"};
  const auto read_error = parse_response(text_of_response(failed));
  ASSERT_TRUE(read_error.ok());
  EXPECT_EQ(read_error->error.fault, base::Fault::too_large);
  EXPECT_EQ(read_error->error.what, "that big");
}

TEST(ProcessOne, OddAnswersAreMalformed) {
  for (const char* text : {"", "{}", "{}\n", "nonsense\n", "{\"kind\":\"lacks\"}\n",
                           "{\"kind\":\"report\",\"json_bytes\":5,\"text_bytes\":0}\n1234",
                           "{\"kind\":\"report\",\"json_bytes\":-1}\n1234"}) {
    EXPECT_FALSE(parse_response(text).ok()) << text;
  }
}

TEST(ProcessOne, ADumpThatCannotBeReadIsAnErrorInWords) {
  Request request;
  request.dump = "/nonexistent.dmp";
  EXPECT_EQ(answer(request).error.fault, base::Fault::not_found);
  auto directory = base::TemporaryDirectory::create("process-one");
  ASSERT_TRUE(directory.ok());
  request.dump = directory->path() + "/x.dmp";
  ASSERT_TRUE(base::write_file_durably(request.dump, base::bytes_of("no dump")).ok());
  const Response response = answer(request);
  EXPECT_EQ(response.kind, Response::Kind::error);
  EXPECT_FALSE(response.error.what.empty());
}

}  // namespace
}  // namespace analyze
