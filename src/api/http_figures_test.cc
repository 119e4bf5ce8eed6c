#include "api/http_figures.h"

#include <gtest/gtest.h>

#include "api/metric_family.h"

namespace api {
namespace {

using namespace std::chrono_literals;

TEST(HttpFigures, KnowWhatAPathIsAbout) {
  struct Row {
    const char* method;
    const char* path;
    const char* type;
  };
  for (const Row& row :
       {Row{"GET", "/buildid/aabb/debuginfo", "debuginfo"},
        Row{"GET", "//buildid/aabb/executable", "executable"},
        Row{"GET", "/buildid/aabb/source/usr/a.c", "source"},
        Row{"GET", "/buildid/aabb/section/.text", "section"},
        Row{"GET", "/buildid/aabb/nothing", "other"}, Row{"GET", "/metrics", "metrics"},
        Row{"GET", "/metadata?key=glob", "metadata"}, Row{"GET", "/", "/"},
        Row{"GET", "/foo.pdb/1/foo.pdb", "symbol"},
        Row{"GET", "/p/game/foo.pdb/1/foo.pdb", "symbol"},
        Row{"PUT", "/foo.pdb/1/foo.pdb", "upload"}, Row{"POST", "/upload/", "upload"},
        Row{"GET", "/crashes", "page"}, Row{"GET", "/status/symbols", "page"},
        Row{"GET", "/settings/files", "page"}, Row{"GET", "/healthz", "health"},
        Row{"GET", "/api/v1/reports", "other"}, Row{"GET", "/favicon.ico", "other"}}) {
    const auto type = HttpFigures::type_of(net::Request::of(row.method, row.path));
    EXPECT_EQ(HttpFigures::kTypes.at(static_cast<std::size_t>(type)), row.type) << row.path;
  }
}

TEST(HttpFigures, AreWrittenUnderDebuginfodsNames) {
  HttpFigures figures;
  const net::Request request = net::Request::of("GET", "/buildid/aabb/debuginfo");
  figures.note(request, {200, "", 1000, 1500us, false});
  figures.note(request, {200, "", 500, 500us, false});
  figures.note(request, {404, "", 10, 1us, false});
  figures.note(request, {503, "", 0, 1us, true});
  figures.note(net::Request::of("GET", "/crashes"), {418, "", 1, 1us, false});
  std::string text;
  figures.write(text);
  for (const char* line :
       {"# TYPE http_requests_total counter\n", "http_requests_total{type=\"debuginfo\"} 4\n",
        "http_requests_total{type=\"page\"} 1\n", "http_responses_total{result=\"file\"} 2\n",
        "http_responses_total{result=\"error\"} 2\n",
        "http_responses_duration_milliseconds_count{code=\"200\",type=\"debuginfo\"} 2\n",
        "http_responses_duration_milliseconds_sum{code=\"200\",type=\"debuginfo\"} 2\n",
        "http_responses_transfer_bytes_sum{code=\"200\",type=\"debuginfo\"} 1500\n",
        "http_responses_transfer_bytes_count{code=\"reset\",type=\"debuginfo\"} 1\n",
        "http_responses_transfer_bytes_count{code=\"other\",type=\"page\"} 1\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

TEST(MetricFamily, KeepsALabelBetweenItsQuotationMarks) {
  EXPECT_EQ(metric_label("upstream", "a\"b\\c\nd"), "upstream=\"a\\\"b\\\\c\\nd\"");
}

}  // namespace
}  // namespace api
