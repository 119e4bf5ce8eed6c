// What others have not got under one spelling of a name they may have under another.
#include <condition_variable>
#include <future>
#include <mutex>

#include "supply/supply_fixture.h"

namespace supply {
namespace {

// Asks others that tell spellings apart.
struct Spelled {
  struct Question {
    std::string spelling;
    Supply::Options::Hearer hearer;
  };

  Spelled() {
    Supply::Options options;
    options.derived = {place.data.index(), place.data.tmp(), 1, nullptr};
    options.may_ask = [](const ident::SymbolRequest& request) {
      return !request.asked->name.starts_with("DENIED");
    };
    options.ask = [this](const ident::SymbolRequest& request,
                         const Supply::Options::Hearer& hearer) {
      const std::lock_guard lock(mutex);
      asked.push_back({request.asked->name, hearer});
      came.notify_all();
    };
    place.supply = std::make_unique<Supply>(place.blobs, place.catalog, std::move(options));
  }
  static ident::SymbolRequest request_as(const std::string& name) {
    return ident::request_of({name, "1", name});
  }
  // The question that comes as the `number`th, from 1 on.
  Question must_hear(std::size_t number) {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(came.wait_for(lock, 10s, [&] { return asked.size() >= number; }));
    return asked.size() >= number ? asked[number - 1] : Question();
  }
  std::future<void> must_want(const std::string& name) {
    const auto end = std::make_shared<std::promise<void>>();
    place.supply->want({request_as(name)}, soon(), [end] { end->set_value(); });
    return end->get_future();
  }
  static void miss(const Question& question) {
    question.hearer.done({false, {base::Fault::not_found, "no " + question.spelling}, soon(1h)});
  }
  std::string known_of(const std::string& name) {
    const Found found = place.supply->local(request_as(name));
    return found.settled() ? found.miss().what : "";
  }
  std::size_t times_asked() {
    const std::lock_guard lock(mutex);
    return asked.size();
  }

  std::mutex mutex;
  std::condition_variable came;
  std::vector<Question> asked;
  Place place{Place::WithoutSupply()};  // goes first: it calls back
};

TEST(Supply, WhatOthersHaveNotGotHoldsForTheSpellingThatTheyWereAskedFor) {
  Spelled spelled;
  auto first = spelled.must_want("FOO.PDB");
  Spelled::miss(spelled.must_hear(1));
  first.get();
  EXPECT_EQ(spelled.known_of("FOO.PDB"), "no FOO.PDB");
  EXPECT_EQ(spelled.known_of("foo.pdb"), "");
  auto second = spelled.must_want("foo.pdb");
  EXPECT_EQ(spelled.must_hear(2).spelling, "foo.pdb");
  Spelled::miss(spelled.must_hear(2));
  second.get();
  for (const std::string& name : std::vector<std::string>{"FOO.PDB", "foo.pdb"}) {
    spelled.must_want(name).get();
    EXPECT_EQ(spelled.known_of(name), "no " + name);
  }
  EXPECT_EQ(spelled.times_asked(), 2u);
  // That a name may not be asked for says nothing about its other spellings.
  spelled.must_want("DENIED.PDB").get();
  auto third = spelled.must_want("denied.pdb");
  Spelled::miss(spelled.must_hear(3));
  third.get();
  EXPECT_EQ(spelled.times_asked(), 3u);
}

TEST(Supply, WhoJoinsInAnotherSpellingHasThatTriedAfterwards) {
  Spelled spelled;
  auto first = spelled.must_want("FOO.PDB");
  const Spelled::Question question = spelled.must_hear(1);
  std::vector<std::future<void>> joined;
  for (const char* name : {"Foo.pdb", "Foo.pdb", "FOO.PDB", "foo.pdb"}) {
    joined.push_back(spelled.must_want(name));
  }
  EXPECT_EQ(spelled.times_asked(), 1u);
  Spelled::miss(question);
  first.get();
  joined[2].get();
  EXPECT_EQ(spelled.known_of("FOO.PDB"), "no FOO.PDB");
  EXPECT_EQ(spelled.must_hear(2).spelling, "Foo.pdb");
  EXPECT_EQ(joined[0].wait_for(0s), std::future_status::timeout);
  Spelled::miss(spelled.must_hear(2));
  joined[0].get();
  joined[1].get();
  EXPECT_EQ(spelled.must_hear(3).spelling, "foo.pdb");
  // It is there: that holds for all of them.
  spelled.place.must_put("the file", {"foo.pdb", "1", "foo.pdb"});
  spelled.must_hear(3).hearer.done({true, {}, {}});
  joined[3].get();
  for (const char* name : {"FOO.PDB", "Foo.pdb", "foo.pdb"}) {
    const Found found = spelled.place.supply->wait_for(Spelled::request_as(name), soon());
    EXPECT_EQ(spelled.place.content_of(found), "the file") << name;
  }
  EXPECT_EQ(spelled.times_asked(), 3u);
}

// Who does not answer would not in another spelling either.
TEST(Supply, TroubleOfOthersHoldsForEverySpelling) {
  Spelled spelled;
  auto first = spelled.must_want("FOO.PDB");
  auto joined = spelled.must_want("foo.pdb");
  spelled.must_hear(1).hearer.done({false, {base::Fault::unavailable, "down"}, soon(1h)});
  first.get();
  joined.get();
  EXPECT_EQ(spelled.known_of("foo.pdb"), "down");
  EXPECT_EQ(spelled.times_asked(), 1u);
}

}  // namespace
}  // namespace supply
