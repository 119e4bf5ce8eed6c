#include "api/trace_work.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>

#include "api/empty_store_fixture.h"
#include "base/json.h"

namespace api {
namespace {

using Clock = TraceWork::Clock;

symbolicate::TraceModule module_at(std::string code_file) {
  symbolicate::TraceModule module;
  module.code_file = std::move(code_file);
  return module;
}

TraceLookup lookup_for(std::vector<std::string> patterns) {
  TraceLookup lookup;
  lookup.patterns = std::move(patterns);
  return lookup;
}

bool may_have(const TraceLookup& lookup, const symbolicate::TraceModule& module) {
  std::uint64_t steps_left = kPatternStepsMax;
  return lookup.may_have(module, steps_left);
}

TEST(TraceLookup, IsAskedForThePathsThatItsPatternsMatch) {
  const TraceLookup lookup = lookup_for({"?:/windows/**", "/usr/*/x.so"});
  EXPECT_TRUE(may_have(lookup, module_at("C:\\Windows\\System32\\ntdll.dll")));
  EXPECT_TRUE(may_have(lookup, module_at("/usr/lib/deep/x.so")));
  EXPECT_FALSE(may_have(lookup, module_at("/usr/lib/y.so")));
  EXPECT_FALSE(may_have(lookup, {}));
  EXPECT_TRUE(may_have(lookup_for({}), {}));
  TraceLookup checked;
  checked.requires_checksum = true;
  EXPECT_FALSE(may_have(checked, module_at("/x")));
  symbolicate::TraceModule with_checksum = module_at("/x");
  with_checksum.debug_checksum = "SHA256:00";
  EXPECT_TRUE(may_have(checked, with_checksum));
  EXPECT_TRUE(may_have(lookup_for({"*"}), {}));
  symbolicate::TraceModule by_debug_file = module_at("/else");
  by_debug_file.debug_file = "c:/windows/a.pdb";
  EXPECT_TRUE(may_have(lookup, by_debug_file));
}

TEST(TraceLookup, PathsThatAreNoneMatchNothing) {
  const TraceLookup lookup = lookup_for({"*"});
  EXPECT_TRUE(may_have(lookup, module_at(std::string(kMatchedPathMax, 'a'))));
  symbolicate::TraceModule module = module_at(std::string(kMatchedPathMax + 1, 'a'));
  module.debug_file = module.code_file;
  EXPECT_FALSE(may_have(lookup, module));
}

TEST(TraceLookup, MatchingCostsAQuestionOnlySoMuch) {
  const std::string slow = "*" + std::string(1000, 'a') + "b";
  const TraceLookup lookup = lookup_for({slow, "/*"});
  const symbolicate::TraceModule module = module_at(std::string(kMatchedPathMax, 'a'));
  std::uint64_t steps_left = 1'000'000;
  EXPECT_FALSE(lookup.may_have(module, steps_left));
  EXPECT_EQ(steps_left, 0u);
  EXPECT_FALSE(lookup.may_have(module_at("/x"), steps_left));
  EXPECT_TRUE(may_have(lookup, module_at("/x")));
}

symbolicate::TraceQuestion must_ask(std::string_view body) {
  auto question = symbolicate::parse_trace_question(body);
  EXPECT_TRUE(question.ok()) << (question.ok() ? "" : question.error().what);
  return question.ok() ? std::move(*question) : symbolicate::TraceQuestion{};
}

// All pieces, until the one that ends a body.
std::string body_of(net::Answer answer) {
  if (const auto* text = std::get_if<std::string>(&answer.body)) return *text;
  auto& next = std::get<net::Producer>(answer.body);
  std::string all;
  for (;;) {
    const auto piece = next();
    EXPECT_TRUE(piece.ok());
    if (!piece.ok() || piece->empty()) return all;
    all += *piece;
  }
}

// One that looks among our own files alone.
std::shared_ptr<TraceWork> work_on(EmptyStore& store, symbolicate::TraceQuestion question,
                                   const std::shared_ptr<Door>& door) {
  return std::make_shared<TraceWork>(TraceWork::Rooms{*store.supply, *store.maps, door},
                                     std::move(question), std::vector<TraceLookup>(1),
                                     Clock::now() + std::chrono::seconds(60), false);
}

TEST(TraceWork, PiecesOfWhichNothingIsLeftDoNotEndTheAnswer) {
  EmptyStore store;
  std::string frames;
  for (int i = 0; i < 6000; ++i) frames += R"({"instruction_addr":"0x10","trust":"scan"},)";
  const auto work = work_on(store,
                            must_ask(std::string(R"({"stacktraces":[{"frames":[)")
                                         .append(frames)
                                         .append(R"({"instruction_addr":"0x20000"}]}]})")),
                            std::make_shared<Door>(1u));
  const std::string body = body_of(work->answer());
  const auto answer = base::JsonValue::parse(body);
  ASSERT_TRUE(answer.ok()) << body.substr(0, 300);
  const base::JsonValue& left = (*answer)["stacktraces"].at(0)["frames"];
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left.at(0)["original_index"].integer_or(0), 6000);
}

// Fifty sources that may not be asked about a hundred modules, each with a reason of 2 KB.
TEST(TraceWork, CandidatesShareTheirTexts) {
  constexpr std::size_t kModules = 100;
  constexpr std::size_t kText = 2000;
  EmptyStore store;
  std::string frames;
  std::string modules;
  for (std::size_t i = 0; i < kModules; ++i) {
    const std::string at = std::to_string(0x10000 * (i + 1));
    frames.append(i == 0 ? "" : ",").append(R"({"instruction_addr":)").append(at).append("}");
    modules.append(i == 0 ? "" : ",").append(R"({"type":"elf","debug_file":"a","image_size":16,)");
    modules.append(R"("debug_id":"000000000000000000000000000000AA0","image_addr":)");
    modules.append(at).append("}");
  }
  std::vector<TraceLookup> lookups(50);
  for (TraceLookup& lookup : lookups) {
    lookup.source = std::string(kText, 's');
    lookup.location = std::string(kText, 'l') + "/";
    lookup.refusal = base::Error{base::Fault::denied, std::string(kText, 'd')};
  }
  const auto work = std::make_shared<TraceWork>(
      TraceWork::Rooms{*store.supply, *store.maps, std::make_shared<Door>(1u)},
      must_ask(std::string(R"({"options":{"dif_candidates":true},"stacktraces":[{"frames":[)")
                   .append(frames)
                   .append(R"(]}],"modules":[)")
                   .append(modules)
                   .append("]}")),
      lookups, Clock::now() + std::chrono::seconds(60), false);
  const std::uint64_t before = work->memory_size();
  std::promise<void> done;
  work->find([&](TraceWork&) { done.set_value(); });
  ASSERT_EQ(done.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
  EXPECT_GE(work->memory_size(), before + kModules * lookups.size() * 12);
  EXPECT_LT(work->memory_size(), 4 * lookups.size() * 3 * kText);
  const std::string body = body_of(work->answer());
  const auto answer = base::JsonValue::parse(body);
  ASSERT_TRUE(answer.ok()) << body.substr(0, 300);
  const base::JsonValue& candidates = (*answer)["modules"].at(kModules - 1)["candidates"];
  ASSERT_EQ(candidates.size(), lookups.size());
  EXPECT_EQ(candidates.at(0)["location"].text_or(""),
            lookups[0].location + "a/000000000000000000000000000000AA0");
  EXPECT_EQ(candidates.at(0)["download"]["details"].text_or(""), lookups[0].refusal->what);
}

// Those who are asked, and do not answer until they are let go; then they have nothing.
class Held {
 public:
  void add(supply::Supply::Options::Hearer hearer) {
    std::unique_lock lock(mutex_);
    if (is_open_) {
      lock.unlock();
      return tell(hearer);
    }
    hearers_.push_back(std::move(hearer));
    changed_.notify_all();
  }
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60),
                             [&] { return hearers_.size() >= count; });
  }
  void let_go() {
    std::vector<supply::Supply::Options::Hearer> hearers;
    {
      const std::lock_guard lock(mutex_);
      is_open_ = true;
      hearers = std::move(hearers_);
    }
    for (const auto& hearer : hearers) tell(hearer);
  }

 private:
  static void tell(const supply::Supply::Options::Hearer& hearer) {
    hearer.done({false,
                 {base::Fault::not_found, "nobody has it"},
                 supply::Supply::Clock::now() + std::chrono::hours(1)});
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  // Both guarded by mutex_.
  std::vector<supply::Supply::Options::Hearer> hearers_;
  bool is_open_ = false;
};

TEST(TraceWork, LooksForOnlySoManyModulesAtATime) {
  constexpr std::size_t kModules = kTraceModulesAtOnce + 500;
  Held held;
  EmptyStore store([&](const ident::SymbolRequest&, supply::Supply::Options::Hearer hearer) {
    held.add(std::move(hearer));
  });
  std::string frames;
  std::string modules;
  for (std::size_t i = 0; i < kModules; ++i) {
    frames += fmt::format("{}{{\"instruction_addr\":{}}}", i == 0 ? "" : ",", (i + 1) * 0x1000);
    modules += fmt::format(
        R"({}{{"type":"elf","debug_file":"a","debug_id":"{:032X}0","image_addr":{},"image_size":16}})",
        i == 0 ? "" : ",", i + 1, (i + 1) * 0x1000);
  }
  const auto door = std::make_shared<Door>(1u);
  const auto work =
      work_on(store,
              must_ask(fmt::format(R"({{"stacktraces":[{{"frames":[{}]}}],"modules":[{}]}})",
                                   frames, modules)),
              door);
  std::promise<void> done;
  work->find([&](TraceWork&) { done.set_value(); });
  ASSERT_TRUE(held.wait_for(kTraceModulesAtOnce));
  EXPECT_EQ(store.supply->counts().under_way, kTraceModulesAtOnce);
  held.let_go();
  ASSERT_EQ(done.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
  const auto answer = base::JsonValue::parse(body_of(work->answer()));
  ASSERT_TRUE(answer.ok());
  for (const std::size_t at : {std::size_t{0}, kModules - 1}) {
    EXPECT_EQ((*answer)["modules"].at(at)["debug_status"].text_or(""), "missing") << at;
  }
}

}  // namespace
}  // namespace api
