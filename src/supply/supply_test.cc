#include "supply/supply.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <future>

#include "extract/identify.h"
#include "net/round_trips.h"
#include "supply/supply_fixture.h"

namespace supply {
namespace {

using ident::Artifact;
using ident::StorePath;

constexpr const char* kId = "0403020106050807090A0B0C0D0E0F100";

std::string sym_text() {
  return std::string("MODULE Linux x86_64 ") + kId +
         " libfoo.so\nFUNC 1000 10 0 main\n1000 10 3 0\n";
}

StorePath sym_path() { return {"libfoo.so", kId, "libfoo.so.sym"}; }

TEST(Supply, KnowsNothingUntilAskedAndThenRemembers) {
  Place place;
  const auto request = ident::request_of(sym_path());
  EXPECT_EQ(place.supply->local(request).state(), Found::State::unknown);
  EXPECT_EQ(place.supply->wait_for(request, soon()).miss().fault, base::Fault::not_found);
  EXPECT_EQ(place.supply->local(request).state(), Found::State::missing);
  EXPECT_EQ(place.supply->counts().lookups, 1u);
}

TEST(Supply, ForgetsAMissTheMomentTheFileArrives) {
  Place place;
  const auto request = ident::request_of(sym_path());
  EXPECT_FALSE(place.supply->wait_for(request, soon()).here());
  place.must_put(sym_text(), sym_path());
  EXPECT_EQ(place.supply->local(request).state(), Found::State::unknown);
  EXPECT_EQ(place.content_of(place.supply->wait_for(request, soon())), sym_text());
}

TEST(Supply, NeedsNoLookupForAnIdThatTheCatalogueHasNot) {
  Place place;
  ASSERT_TRUE(place.supply->learn_ids().ok());
  const auto request = ident::request_of(sym_path());
  EXPECT_EQ(place.supply->local(request).state(), Found::State::missing);
  EXPECT_EQ(place.supply->counts().lookups, 0u);
  place.must_put(sym_text(), sym_path());
  EXPECT_EQ(place.content_of(place.supply->wait_for(request, soon())), sym_text());
  // Learned anew, as after a restart.
  ASSERT_TRUE(place.supply->learn_ids().ok());
  EXPECT_TRUE(place.supply->wait_for(request, soon()).here());
}

TEST(KnownIds, HaveWhatWasAddedByItsKind) {
  KnownIds known;
  for (int i = 0; i < 100'000; ++i) known.add(ident::KeyKind::build_id, std::to_string(i));
  EXPECT_EQ(known.size(), 100'000u);
  for (int i = 0; i < 100'000; ++i) {
    const auto key = ident::SymbolKey::from_text(ident::KeyKind::build_id, "", std::to_string(i));
    EXPECT_TRUE(known.may_have({key}));
  }
  EXPECT_FALSE(known.may_have({ident::SymbolKey::from_text(ident::KeyKind::code_id, "", "7")}));
  EXPECT_FALSE(known.may_have({}));
}

TEST(Supply, FindsTheFileInAnyCaseOfTheId) {
  Place place;
  place.must_put(sym_text(), sym_path());
  const auto request =
      ident::request_of({"LIBFOO.so", "0403020106050807090a0b0c0d0e0f100", "LibFoo.so.SYM"});
  EXPECT_TRUE(place.supply->wait_for(request, soon()).here());
}

TEST(Supply, LooksUpOnceHoweverManyAsk) {
  Place place;
  std::atomic<int> answered = 0;
  const auto request = ident::request_of(sym_path());
  std::promise<void> all;
  for (int i = 0; i < 100; ++i) {
    place.supply->want({request}, soon(), [&] {
      if (++answered == 100) all.set_value();
    });
  }
  ASSERT_EQ(all.get_future().wait_for(10s), std::future_status::ready);
  EXPECT_LE(place.supply->counts().lookups, 2u);
}

TEST(Supply, MakesTheIndexByItselfOnce) {
  Place place;
  place.must_put(sym_text(), sym_path());
  const auto request =
      ident::module_request(Artifact::index, "libfoo.so", *ident::DebugId::parse(kId));
  EXPECT_EQ(place.content_of(place.supply->wait_for(request, soon())), "index of " + sym_text());
  EXPECT_EQ(place.extractions, 1);
  EXPECT_EQ(place.threads_given, 4u);  // it is made alone
}

TEST(Supply, AFileInConversionIsNoMiss) {
  Place place;
  place.gate = false;
  place.must_put(sym_text(), sym_path());
  const auto request =
      ident::module_request(Artifact::index, "libfoo.so", *ident::DebugId::parse(kId));
  EXPECT_EQ(place.supply->wait_for(request, soon(50ms)).state(), Found::State::working);
  place.gate = true;
  EXPECT_TRUE(place.supply->wait_for(request, soon()).here());
}

TEST(Supply, AFailedConversionIsSettledWithItsCause) {
  Place place;
  place.must_put(sym_text() + "bad\n", sym_path());
  const auto request =
      ident::module_request(Artifact::index, "libfoo.so", *ident::DebugId::parse(kId));
  const Found found = place.supply->wait_for(request, soon());
  ASSERT_EQ(found.state(), Found::State::missing);
  EXPECT_EQ(found.miss().what, "bad input");
}

TEST(Supply, AnUploadedSymServesWhenABetterOneCannotBeMade) {
  Place place;
  const std::string elf = base::read_file("/proc/self/exe").value();
  const auto identity = extract::identify(base::bytes_of(elf));
  ASSERT_TRUE(identity.has_debug_info);
  const std::string id = identity.debug_id.breakpad();
  place.must_put(elf + "bad", {"me", "1", "me"});
  const std::string sym = "MODULE Linux x86_64 " + id + " me\nPUBLIC 1000 0 main\n";
  const StorePath path{"me", id, "me.sym"};
  place.must_put(sym, path);
  EXPECT_EQ(place.content_of(place.supply->wait_for(ident::request_of(path), soon())), sym);
}

TEST(Supply, ACommitDuringAConversionIsSeenByThoseWhoWait) {
  Place place;
  place.gate = false;
  place.must_put(sym_text(), sym_path());
  const auto request =
      ident::module_request(Artifact::index, "libfoo.so", *ident::DebugId::parse(kId));
  std::promise<void> done;
  place.supply->want({request}, soon(), [&] { done.set_value(); });
  while (place.extractions == 0) std::this_thread::sleep_for(1ms);
  // Fuller: the older one had no PUBLIC.
  const std::string fuller = sym_text() + "PUBLIC 2000 0 other\n";
  place.must_put(fuller, sym_path());
  place.gate = true;
  ASSERT_EQ(done.get_future().wait_for(10s), std::future_status::ready);
  EXPECT_EQ(place.content_of(place.supply->local(request)), "index of " + fuller);
}

// A file of the catalogue whose bytes went, and a supply that may have them brought.
struct LostFile : Place {
  const StorePath path{"app.bin", "1", "app.bin"};
  const ident::SymbolRequest request = ident::request_of(path);
  const std::string content = "the file";
  Supply::Options::Arrives arrives;  // of the last bringing
  base::Result<void> brought;        // is told of every one

  LostFile() {
    must_put(content, path);
    EXPECT_TRUE(base::remove_file(blob()).ok());
  }
  std::string blob() const { return blobs.path_of(base::sha256_of(base::bytes_of(content))); }
  void put_back() const {
    EXPECT_TRUE(base::write_file_durably(blob(), base::bytes_of(content)).ok());
  }
  // `bring` is called for each bringing, on some thread.
  void start(const std::function<void()>& bring, decltype(Supply::Options::ask) ask = nullptr) {
    Supply::Options options;
    options.derived = {data.index(), data.tmp(), 1,
                       [this](const ExtractJob& job, const std::atomic<bool>& stop) {
                         return extract(job, stop);
                       }};
    options.bring = [this, bring](const std::vector<base::Sha256>&, Supply::Options::Arrives told,
                                  const Supply::Options::Brought& done) {
      arrives = std::move(told);
      bring();
      done(brought);
    };
    if (ask) {
      options.may_ask = [](const ident::SymbolRequest&) { return true; };
      options.ask = std::move(ask);
    }
    supply.reset();
    supply = std::make_unique<Supply>(blobs, catalog, std::move(options));
  }
};

TEST(Supply, WhatIsBroughtIsReadWhileItComes) {
  LostFile place;
  std::promise<void> arrived, read;
  place.start([&] {
    const auto coming = base::PendingFile::create(place.root.path()).value();
    place.arrives(std::make_shared<const Arriving>(
        Arriving{net::GrowingFile::create(coming).value(), "executable"}));
    EXPECT_EQ(read.get_future().wait_for(10s), std::future_status::ready);
    place.put_back();
  });
  place.supply->want(
      {place.request}, soon(), [&] { arrived.set_value(); }, Supply::Takes::arriving);
  ASSERT_EQ(arrived.get_future().wait_for(10s), std::future_status::ready);
  const auto arriving = place.supply->arriving(place.request);
  ASSERT_TRUE(arriving);
  EXPECT_EQ(arriving->name, "app.bin");  // as the catalogue calls it
  EXPECT_TRUE(arriving->is_known);
  EXPECT_EQ(place.supply->local(place.request).state(), Found::State::working);
  read.set_value();
  EXPECT_EQ(place.content_of(place.supply->wait_for(place.request, soon())), place.content);
  EXPECT_FALSE(place.supply->arriving(place.request));
}

TEST(Supply, WhatIsMadeOfSomethingIsNotReadWhileThatComes) {
  LostFile place;
  place.start([&] {
    EXPECT_FALSE(place.arrives);
    place.put_back();
  });
  const auto packed = ident::request_of({"app.bin", "1", "app.bi_"});
  EXPECT_TRUE(place.supply->wait_for(packed, soon()).here());
}

TEST(Supply, WhatIsMadeOfSomethingThatCannotBeBroughtIsNoMiss) {
  LostFile place;
  place.start([] {});
  const auto packed = ident::request_of({"app.bin", "1", "app.bi_"});
  EXPECT_EQ(place.supply->wait_for(packed, soon()).miss().fault, base::Fault::unavailable);
}

TEST(Supply, OthersAreAskedForWhatItsServerDoesNotGiveAgain) {
  LostFile place;
  std::atomic<int> asked = 0;
  place.start([] {},
              [&](const ident::SymbolRequest&, const Supply::Options::Hearer& hearer) {
                ++asked;
                place.put_back();
                hearer.done({true, {}, soon()});
              });
  EXPECT_EQ(place.content_of(place.supply->wait_for(place.request, soon())), place.content);
  EXPECT_EQ(asked, 1);
}

// A row that stays is damage, which is said; one that goes meanwhile is not.
TEST(Supply, AFileThatGoesFromTheCatalogueWhileItIsBroughtIsAMiss) {
  for (const bool row_goes : {false, true}) {
    LostFile place;
    place.brought = base::Error{base::Fault::not_found, "lies nowhere any more"};
    place.start([&] {
      if (!row_goes) return;
      const auto gone = place.database->write([](db::Session& session) -> base::Result<void> {
        TRY(session.execute("DELETE FROM symbol_key", {}));
        return {};
      });
      EXPECT_TRUE(gone.ok());
    });
    EXPECT_EQ(place.supply->wait_for(place.request, soon()).miss().fault,
              row_goes ? base::Fault::not_found : base::Fault::internal);
  }
}

// A fetched text that goes as often as is said, each time just before it is read.
struct FleetingCopy : Place {
  const ident::SymbolRequest index =
      ident::module_request(Artifact::index, "libfoo.so", *ident::DebugId::parse(kId));
  std::atomic<int> goes = 0;
  std::atomic<int> brought = 0;

  explicit FleetingCopy(int times) : goes(times) {
    gate = false;  // nothing is made before it is lost
    must_put(sym_text(), sym_path());
    supply.reset();
    gate = true;
    lose();
    Supply::Options options;
    options.derived = {data.index(), data.tmp(), 1,
                       [this](const ExtractJob& job, const std::atomic<bool>& stop) {
                         if (goes-- > 0) lose();
                         return extract(job, stop);
                       }};
    options.bring = [this](const std::vector<base::Sha256>&, const Supply::Options::Arrives&,
                           const Supply::Options::Brought& done) {
      ++brought;
      EXPECT_TRUE(base::write_file_durably(blob(), base::bytes_of(sym_text())).ok());
      done({});
    };
    supply = std::make_unique<Supply>(blobs, catalog, std::move(options));
  }
  std::string blob() const { return blobs.path_of(base::sha256_of(base::bytes_of(sym_text()))); }
  void lose() const { EXPECT_TRUE(base::remove_file(blob()).ok()); }
};

TEST(Supply, ACopyThatGoesBeforeItIsReadIsBroughtAgain) {
  FleetingCopy place(2);
  EXPECT_EQ(place.content_of(place.supply->wait_for(place.index, soon())),
            "index of " + sym_text());
  EXPECT_EQ(place.brought, 3);
}

TEST(Supply, ACopyThatGoesEachTimeIsNoMiss) {
  FleetingCopy place(1000);
  EXPECT_EQ(place.supply->wait_for(place.index, soon()).miss().fault, base::Fault::unavailable);
  EXPECT_EQ(place.brought, 4);
  place.goes = 0;
  place.supply->refresh(place.index);
  EXPECT_TRUE(place.supply->wait_for(place.index, soon()).here());
}

// Somebody has it: that others do not is no reason to say that nobody does.
TEST(Supply, WhatCannotBeBroughtNowIsNoMiss) {
  LostFile place;
  std::atomic<int> asked = 0;
  place.start([] {},
              [&](const ident::SymbolRequest&, const Supply::Options::Hearer& hearer) {
                ++asked;
                hearer.done({false, {base::Fault::not_found, "not here"}, soon(1h)});
              });
  EXPECT_EQ(place.supply->wait_for(place.request, soon()).miss().fault, base::Fault::unavailable);
  EXPECT_EQ(asked, 1);
}

// Two servers that ask one another for the same: one of them is told at once, and nobody remembers.
TEST(Supply, WhoWouldWaitInVainIsToldAndTheOthersWait) {
  Place place;
  std::promise<Supply::Options::Hearer> asked;
  std::promise<std::string> joined;
  Supply::Options options;
  options.derived = {place.data.index(), place.data.tmp(), 1, nullptr};
  options.may_ask = [](const ident::SymbolRequest&) { return true; };
  options.ask = [&](const ident::SymbolRequest&, const Supply::Options::Hearer& hearer) {
    asked.set_value(hearer);
  };
  options.joined = [&](const ident::SymbolRequest& request) { joined.set_value(request.asked_by); };
  place.supply.reset();
  place.supply = std::make_unique<Supply>(place.blobs, place.catalog, std::move(options));
  const auto ours = ident::request_of(sym_path());
  auto theirs = ours;
  theirs.asked_by = "other";
  std::promise<void> our_end, their_end;
  place.supply->want({ours}, soon(), [&] { our_end.set_value(); });
  const Supply::Options::Hearer hearer = asked.get_future().get();
  place.supply->want({theirs}, soon(), [&] { their_end.set_value(); });
  EXPECT_EQ(joined.get_future().get(), "other");
  EXPECT_EQ(hearer.joined(), std::vector<std::string>{"other"});
  hearer.came_round("other");
  their_end.get_future().get();
  EXPECT_TRUE(net::says_came_round(place.supply->local(theirs).miss()));
  EXPECT_EQ(place.supply->local(ours).state(), Found::State::working);
  hearer.done({false, {base::Fault::not_found, "not here"}, soon(1h)});
  our_end.get_future().get();
  EXPECT_EQ(place.supply->local(theirs).miss().what, "not here");
}

// Asking again later does not help, so nobody is told to.
TEST(Supply, WhatItsServerRefusesNowIsAMissThatSaysSo) {
  LostFile place;
  place.brought = base::Error{base::Fault::denied, "401"};
  place.start([] {},
              [&](const ident::SymbolRequest&, const Supply::Options::Hearer& hearer) {
                hearer.done({false, {base::Fault::not_found, "not here"}, soon(1h)});
              });
  EXPECT_EQ(place.supply->wait_for(place.request, soon()).miss().fault, base::Fault::denied);
  const auto packed = ident::request_of({"app.bin", "1", "app.bi_"});
  EXPECT_EQ(place.supply->wait_for(packed, soon()).miss().fault, base::Fault::denied);
}

// Which servers may have a file is a matter of many names and expressions.
TEST(Supply, WhatOthersSaidIsRememberedWithoutALookAtWhoThatIs) {
  Place place;
  std::atomic<int> looks = 0;
  Supply::Options options;
  options.derived = {place.data.index(), place.data.tmp(), 1, nullptr};
  options.may_ask = [&](const ident::SymbolRequest&) {
    ++looks;
    return true;
  };
  options.ask = [](const ident::SymbolRequest&, const Supply::Options::Hearer& hearer) {
    hearer.done({false, {base::Fault::not_found, "not here"}, soon(1h)});
  };
  place.supply.reset();
  place.supply = std::make_unique<Supply>(place.blobs, place.catalog, std::move(options));
  ASSERT_TRUE(place.supply->learn_ids().ok());
  const auto request = ident::request_of(sym_path());
  EXPECT_EQ(place.supply->wait_for(request, soon()).miss().what, "not here");
  const int before = looks;
  EXPECT_GT(before, 0);
  EXPECT_EQ(place.supply->local(request).miss().what, "not here");
  EXPECT_EQ(looks, before);
}

TEST(Supply, StopsInTheMiddleOfAConversion) {
  Place place;
  place.gate = false;
  place.must_put(sym_text(), sym_path());
  bool called = false;
  place.supply->want({ident::module_request(Artifact::index, "", *ident::DebugId::parse(kId))},
                     soon(1h), [&] { called = true; });
  place.supply.reset();
  EXPECT_TRUE(called);
}

TEST(Supply, ASpellingLeadsToWhatItStandsForAsLongAsThatIsRemembered) {
  Place place;
  const auto request = ident::request_of(sym_path());
  place.supply->add_spelling("/x", request);
  EXPECT_EQ(place.supply->local_by_spelling("/x").state(), Found::State::unknown);
  place.must_put(sym_text(), sym_path());
  ASSERT_TRUE(place.supply->wait_for(request, soon()).here());
  place.supply->add_spelling("/x", request);
  EXPECT_TRUE(place.supply->local_by_spelling("/x").here());
  place.supply->refresh(request);
  EXPECT_EQ(place.supply->local_by_spelling("/x").state(), Found::State::unknown);
}

// Who maps it needs none, and whoever sends it opens it for the while.
TEST(Supply, AnIndexIsRememberedWithoutADescriptor) {
  Place place;
  place.must_put(sym_text(), sym_path());
  const auto id = ident::DebugId::parse(kId);
  const auto request = ident::module_request(Artifact::index, "", *id, {});
  const Found found = place.supply->wait_for(request, soon());
  ASSERT_TRUE(found.here());
  EXPECT_NE(found.fd(), nullptr);
  EXPECT_EQ(place.supply->local(request, Needs::path).fd(), nullptr);
  EXPECT_EQ(place.supply->counts().remembered.open, 0u);
  ASSERT_TRUE(base::remove_file(found.file()->path).ok());
  EXPECT_TRUE(place.supply->local(request, Needs::path).here()) << "the disk is not asked";
  EXPECT_EQ(place.supply->local(request).state(), Found::State::unknown);
}

}  // namespace
}  // namespace supply
