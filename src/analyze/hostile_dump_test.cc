// Damaged dumps: whatever is cut off or overwritten, there is a report or an error, soon.
#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "analyze/analyze.h"
#include "analyze/reference_fixture.h"
#include "analyze/report_json.h"
#include "analyze/report_text.h"
#include "base/file.h"
#include "snapshot/minidump_from_snapshot.h"
#include "testing/corpus.h"

namespace {

// What became of it: a report that is JSON, or an error that says which part is lacking.
bool is_answered(std::vector<std::uint8_t> bytes) {
  const auto analysis =
      analyze::analyze_dump(base::MappedFile::from_bytes(std::move(bytes)), analyze::no_symbols);
  if (!analysis.ok()) return analysis.error().what.find(" - Error ") != std::string::npos;
  if (analyze::report_text(analysis->report).empty()) return false;
  return base::JsonValue::parse(analyze::report_json(analysis->report)).ok();
}

// A small crash with something in every stream that we write.
std::vector<std::uint8_t> must_make_dump() {
  static const std::vector<std::uint8_t> stack(128, 0x41);
  snapshot::Crash crash;
  crash.system.cpu = snapshot::Cpu::amd64;
  crash.system.os = snapshot::Os::linux;
  crash.system.service_pack = "Linux 6.1.0 #1 SMP x86_64";
  crash.has_misc_info = true;
  crash.process_id = 77;
  snapshot::Module module;
  module.base = {0x400000};
  module.size = 0x10000;
  module.code_file = "/usr/bin/example";
  module.build_id.assign(20, 0x5a);
  crash.modules.push_back(module);
  snapshot::Thread thread;
  thread.id = 7;
  thread.name = "main";
  thread.registers.emplace();
  thread.registers->cpu = snapshot::Cpu::amd64;
  thread.registers->set("rip", 0x401000);
  thread.registers->set("rsp", 0x10000);
  thread.stack = {{0x10000}, stack};
  crash.threads.push_back(thread);
  crash.exception.emplace();
  crash.exception->thread_id = 7;
  crash.exception->code = 11;
  crash.exception->parameters = {1, 2, 3};
  crash.exception->registers = thread.registers;
  crash.unloaded_modules.push_back({{0x900000}, 0x1000, "gone.so", 1});
  crash.memory_info.push_back({{0x10000}, 0x1000, true, true, false, true, false, ""});
  crash.handles.emplace();
  crash.handles->push_back({3, "File", "/tmp/x", 0, 0});
  crash.linux_maps = "00010000-00011000 rw-p 00000000 00:00 0 \n";
  crash.linux_limits = "Limit  Soft  Hard  Units\nMax cpu time  1  2  seconds\n";
  crash.linux_lsb_release = "ID=debian\n";
  crash.linux_cpu_info = "microcode : 0x12\n";
  crash.soft_errors = "[]";
  crash.annotations.push_back({"key", "value", ""});
  crash.annotations.push_back({"", "message", "/usr/bin/example"});
  const auto bytes = snapshot::minidump_from_snapshot(crash);
  EXPECT_TRUE(bytes.ok());
  return *bytes;
}

TEST(HostileDump, EveryPrefixOfASmallDumpIsAnswered) {
  const std::vector<std::uint8_t> whole = must_make_dump();
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    ASSERT_TRUE(is_answered({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}))
        << size;
  }
}

TEST(HostileDump, EveryWordOverwrittenIsAnswered) {
  const std::vector<std::uint8_t> whole = must_make_dump();
  for (const std::uint8_t byte : {std::uint8_t{0x00}, std::uint8_t{0x7f}, std::uint8_t{0xff}}) {
    for (std::size_t at = 0; at + 4 <= whole.size(); at += 4) {
      std::vector<std::uint8_t> damaged = whole;
      std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(at), 4, byte);
      ASSERT_TRUE(is_answered(std::move(damaged))) << at << " with " << int{byte};
    }
  }
}

TEST(HostileDump, PrefixesOfRealDumpsAreAnswered) {
  REQUIRE_CORPUS(corpus);
  constexpr std::size_t kCuts = 24;
  std::mt19937_64 random(1);
  const auto files = base::list_files(corpus + "/minidumps/dumps");
  ASSERT_TRUE(files.ok());
  for (const std::string& path : *files) {
    if (!path.ends_with(".dmp")) continue;
    const auto file = base::MappedFile::open(path);
    ASSERT_TRUE(file.ok());
    const base::Bytes whole = (*file)->bytes();
    for (std::size_t i = 0; i < kCuts; ++i) {
      const std::size_t size = random() % whole.size();
      ASSERT_TRUE(is_answered({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}))
          << path << " cut after " << size;
    }
  }
}

TEST(HostileDump, TheCorpusOfDamagedDumpsIsAnsweredSoon) {
  REQUIRE_CORPUS(corpus);
  int answered = 0;
  const auto files = base::list_files(corpus + "/minidumps/hostile");
  ASSERT_TRUE(files.ok());
  for (const std::string& path : *files) {
    if (!path.ends_with(".dmp")) continue;
    const auto file = base::MappedFile::open(path);
    ASSERT_TRUE(file.ok());
    const base::Bytes whole = (*file)->bytes();
    const auto start = std::chrono::steady_clock::now();
    EXPECT_TRUE(is_answered({whole.begin(), whole.end()})) << path;
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2)) << path;
    ++answered;
  }
  EXPECT_GE(answered, 20);
}

}  // namespace
