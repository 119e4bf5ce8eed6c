#include "cli/report_text.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

base::JsonValue parsed(std::string_view text) { return base::JsonValue::parse(text).value(); }

TEST(ReportText, ShowsTheCrashingThreadWithInlinedCalls) {
  const auto report = parsed(R"json({
    "id": "2f1a7f0e-7b0c-4c3e-9a55-1d2e30261124", "state": "done", "received": "2026-11-24T19:30:07Z",
    "product": "Demo", "version": "1", "system": "Linux 6.1 amd64", "error": "",
    "reason": "SIGSEGV / SEGV_MAPERR", "address": "0x0000000000000000",
    "processed": {"crash_info": {"type": "SIGSEGV / SEGV_MAPERR"},
      "modules": [{"debug_file": "libx.so", "debug_id": "ABC0", "missing_symbols": true}],
      "crashing_thread": {"threads_index": 1, "thread_name": "worker", "frames": [
        {"frame": 0, "function": "outer(int)", "file": "/src/crash.cc", "line": 20, "module": "demo",
         "module_offset": "0x0000000000001234", "trust": "context",
         "inlines": [{"function": "inner()", "file": "/src/crash.cc", "line": 12}]},
        {"frame": 1, "function": null, "module": "libx.so", "module_offset": "0x0000000000000010",
         "trust": "scan", "inlines": null}]}}})json");
  EXPECT_EQ(report_as_text(report),
            "bp-2f1a7f0e-7b0c-4c3e-9a55-1d2e30261124  done\n"
            "SIGSEGV / SEGV_MAPERR at 0x0\n"
            "Demo, 1, Linux 6.1 amd64, received 2026-11-24T19:30:07Z\n"
            "\n"
            "Thread 1 worker (crashed)\n"
            "  0  inner() at /src/crash.cc:12  (inlined)\n"
            "  0  outer(int) at /src/crash.cc:20  [demo+0x1234] context\n"
            "  1  (no symbols)  [libx.so+0x10] scan\n"
            "\n"
            "no symbols for libx.so ABC0\n");
}

TEST(ReportText, KeepsControlCharactersFromTheTerminal) {
  EXPECT_EQ(printable("a\x1b[31mb\n\x7f"), "a?[31mb??");
}

TEST(ReportText, ShowsAReportThatWaits) {
  EXPECT_EQ(report_as_text(
                parsed(R"({"id": "x", "state": "queued", "received": "now", "processed": null})")),
            "bp-x  queued\nreceived now\n");
}

}  // namespace
}  // namespace cli
