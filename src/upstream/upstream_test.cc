#include <gtest/gtest.h>

#include "base/file.h"
#include "base/text.h"
#include "upstream/breaker.h"
#include "upstream/file_filter.h"
#include "upstream/layout.h"
#include "upstream/pattern.h"
#include "upstream/upstreams.h"

namespace upstream {
namespace {

using namespace std::chrono_literals;

std::string paths_of(Layout layout, const std::string& asked, const AlsoAsked& also = {}) {
  const auto request = ident::find_request(asked);
  EXPECT_TRUE(request.has_value()) << asked;
  std::string all;
  for (const Place& place : places_of(layout, *request, also)) {
    all += (all.empty() ? "" : " ") + place.path + (place.is_cabinet ? "*" : "");
  }
  return all;
}

TEST(Layout, WhatElseIsAskedForIsAMatterOfChoice) {
  const std::string asked = "app.pdb/946967C36ED4F5254C4C44205044422E1/app.pdb";
  const std::string folder = asked.substr(0, asked.rfind('/') + 1);
  EXPECT_EQ(paths_of(Layout::symstore, asked, {false, false}), asked);
  EXPECT_EQ(paths_of(Layout::symstore, asked, {true, true}),
            asked + " " + folder + "app.pd_* " + folder + "file.ptr");
}

TEST(Layout, ARequestSaysWhatKindOfFileItWants) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"app.pdb/946967C36ED4F5254C4C44205044422E1/app.pd_", "pdb"},
      {"app.pdb/946967C36ED4F5254C4C44205044422E1/app.sym", "breakpad"},
      {"a.dll/5f0c1d2eab000/a.dll", "pe"},
      {"buildid/0123456789abcdef0123456789abcdef01234567/debuginfo", "elf"},
      {"a/mach-uuid-0123456789abcdef0123456789abcdef/a", "macho"},
  };
  for (const auto& [asked, kind] : rows) {
    EXPECT_EQ(kind_of(ident::find_request(asked).value()), kind) << asked;
  }
}

TEST(Layout, SaysWhereAFileLies) {
  const std::string upper = "946967C36ED4F5254C4C44205044422E1";
  const std::string lower = base::lower_ascii(upper);
  const std::string build_id = "0123456789abcdef0123456789abcdef01234567";
  struct Row {
    Layout layout;
    std::string asked, places;
  };
  const std::vector<Row> rows{
      {Layout::symstore, "App.pdb/" + upper + "/App.pdb",
       "App.pdb/" + upper + "/App.pdb App.pdb/" + upper + "/App.pd_*"},
      {Layout::symstore, "App.pdb/" + lower + "/App.pdb",
       "App.pdb/" + lower + "/App.pdb App.pdb/" + lower + "/App.pd_* App.pdb/" + upper +
           "/App.pdb App.pdb/" + upper + "/App.pd_*"},
      {Layout::symstore, "App.pdb/" + upper + "/App.pd_",
       "App.pdb/" + upper + "/App.pdb App.pdb/" + upper + "/App.pd_*"},
      // An age with a letter: symstore.exe writes it in lower case, others do not.
      {Layout::ssqp, "a.pdb/" + lower + "a/a.pdb", "a.pdb/" + lower + "a/a.pdb"},
      {Layout::symstore_two_tier, "a.pdb/" + upper + "A/a.pdb",
       "a./a.pdb/" + upper + "A/a.pdb a./a.pdb/" + upper + "A/a.pd_* a./a.pdb/" + upper +
           "a/a.pdb a./a.pdb/" + upper + "a/a.pd_*"},
      {Layout::symstore_two_tier, "..a.pdb/" + upper + "/..a.pdb", ""},
      {Layout::symstore_two_tier, ".a.pdb/" + upper + "/.a.pdb",
       ".a/.a.pdb/" + upper + "/.a.pdb .a/.a.pdb/" + upper + "/.a.pd_*"},
      {Layout::symstore, "App.pdb/" + upper + "/file.ptr", ""},
      {Layout::symstore, "App.pdb/" + upper + "/App.sym", ""},
      {Layout::symstore, "App.pdb/" + std::string(33, '0') + "/App.pdb", ""},
      {Layout::breakpad, "App.pdb/" + std::string(33, '0') + "/App.sym", ""},
      {Layout::symstore, "a.dll/5f0c1d2eAB000/a.dll",
       "a.dll/5f0c1d2eAB000/a.dll a.dll/5f0c1d2eAB000/a.dl_* a.dll/5F0C1D2Eab000/a.dll "
       "a.dll/5F0C1D2Eab000/a.dl_*"},
      {Layout::symstore_two_tier, "App.pdb/" + upper + "/App.pdb",
       "Ap/App.pdb/" + upper + "/App.pdb Ap/App.pdb/" + upper + "/App.pd_* ap/App.pdb/" + upper +
           "/App.pdb ap/App.pdb/" + upper + "/App.pd_*"},
      {Layout::ssqp, "App.pdb/" + upper + "/App.pdb",
       "App.pdb/" + upper + "/App.pdb app.pdb/" + lower + "/app.pdb"},
      {Layout::ssqp, "buildid/" + build_id + "/debuginfo",
       "_.debug/elf-buildid-sym-" + build_id + "/_.debug"},
      {Layout::ssqp, "buildid/" + build_id + "/executable", ""},
      {Layout::breakpad, "App.pdb/" + lower + "/App.sym",
       "App.pdb/" + lower + "/App.sym App.pdb/" + upper + "/App.sym"},
      {Layout::breakpad, "App.pdb/" + upper + "/App.pdb", ""},
      {Layout::debuginfod, "buildid/" + build_id + "/debuginfo",
       "buildid/" + build_id + "/debuginfo"},
      {Layout::debuginfod, "a.so/elf-buildid-" + build_id + "/a.so",
       "buildid/" + build_id + "/executable buildid/" + build_id + "/debuginfo"},
      {Layout::debuginfod, "App.pdb/" + upper + "/App.sym", ""},
      {Layout::native, "buildid/" + build_id + "/debuginfo",
       "01/23456789abcdef0123456789abcdef01234567.debug"},
      {Layout::native, "buildid/" + build_id + "/executable",
       "01/23456789abcdef0123456789abcdef01234567"},
      {Layout::native, "App.pdb/" + upper + "/App.pdb",
       "App.pdb/" + upper + "/App.pdb App.pdb/" + upper + "/App.pd_*"},
      {Layout::native, "App.pdb/" + upper + "/App.sym", "App.pdb/" + upper + "/App.sym"},
      {Layout::slashsymbols, "a.so/elf-buildid-" + build_id + "/a.so",
       "a.so/" + build_id + "/symbols a.so/" + base::upper_ascii(build_id) + "/symbols"},
      {Layout::slashsymbols, "buildid/" + build_id + "/debuginfo", ""},
      {Layout::slashsymbols, "App.pdb/" + upper + "/App.pdb", ""},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(paths_of(row.layout, row.asked), row.places)
        << name_of(row.layout) << " " << row.asked;
  }
}

// Who asks for symbols calls a module as they like.
TEST(Layout, ANameLeadsNowhereElse) {
  const auto id = *ident::DebugId::parse("946967C36ED4F5254C4C44205044422E1");
  const auto paths = [&](std::string_view name) {
    ident::SymbolRequest request;
    request.artifact = ident::Artifact::index;
    request.keys.push_back(ident::SymbolKey::from_debug_id(name, id));
    return places_of(Layout::breakpad, request, {}).size();
  };
  EXPECT_EQ(paths("{a}.pdb"), 1u);
  for (const std::string_view name : {"../a.pdb", "..", ".", "a/b", "a\\b", "a\nb", ""}) {
    EXPECT_EQ(paths(name), 0u) << name;
  }
  EXPECT_EQ(paths(std::string_view("a\0b", 3)), 0u);
}

TEST(Layout, AServerMaySpellAllItsPathsAlike) {
  const std::vector<Place> places{{"Ab/C/a.Pdb", "a.Pdb"}, {"aB/c/A.pdb", "A.pdb"}};
  EXPECT_EQ(in_casing(places, Casing::of_layout), places);
  EXPECT_EQ(in_casing({places[0]}, Casing::lower), (std::vector<Place>{{"ab/c/a.pdb", "a.Pdb"}}));
  EXPECT_EQ(in_casing({places[0]}, Casing::upper), (std::vector<Place>{{"AB/C/A.PDB", "a.Pdb"}}));
  const std::vector<Place> twice{{"Ab/c", "x"}, {"aB/c", "x"}};
  EXPECT_EQ(in_casing(twice, Casing::lower), (std::vector<Place>{{"ab/c", "x"}}));
  EXPECT_EQ(in_casing({{"buildid/ab/debuginfo", "x"}}, Casing::upper),
            (std::vector<Place>{{"buildid/AB/DEBUGINFO", "x"}}));
}

TEST(Layout, APathSaysWhatLiesThere) {
  EXPECT_EQ(place_at("foo.pdb/1/foo.pdb"), (Place{"foo.pdb/1/foo.pdb", "foo.pdb"}));
  EXPECT_EQ(place_at("fo/Foo.pdb/1/foo.pd_"), (Place{"fo/Foo.pdb/1/foo.pd_", "Foo.pdb", true}));
  EXPECT_EQ(place_at("foo.pdb/1/file.ptr"), (Place{"foo.pdb/1/file.ptr", "foo.pdb", false, true}));
  EXPECT_EQ(place_at("buildid/abcd/executable"), (Place{"buildid/abcd/executable", "executable"}));
  EXPECT_EQ(place_at("x"), (Place{"x", "x"}));
}

TEST(Layout, APathMayBeMovedToOtherTiers) {
  EXPECT_EQ(path_in_tiers("Foo.pdb/1/foo.pd_", true), "Fo/Foo.pdb/1/foo.pd_");
  EXPECT_EQ(path_in_tiers("fo/Foo.pdb/1/foo.pd_", true), "Fo/Foo.pdb/1/foo.pd_");
  EXPECT_EQ(path_in_tiers("fo/Foo.pdb/1/foo.pd_", false), "Foo.pdb/1/foo.pd_");
  EXPECT_EQ(path_in_tiers("a/1/a", true), "a/a/1/a");
  EXPECT_EQ(path_in_tiers("x", true), "x");
  EXPECT_EQ(path_in_tiers("..a.pdb/1/a.pdb", true), "..a.pdb/1/a.pdb") << "not beside the store";
}

TEST(Layout, OnlyDebuginfodHasSources) {
  const auto place = find_source_place(Layout::debuginfod, "aabb", "/src/a.c");
  ASSERT_TRUE(place.has_value());
  EXPECT_EQ(place->path, "buildid/aabb/source/src/a.c");
  EXPECT_EQ(place->name, "a.c");
  EXPECT_FALSE(find_source_place(Layout::debuginfod, "aabb", "src/a.c").has_value());
  EXPECT_FALSE(find_source_place(Layout::debuginfod, "../x", "/src/a.c").has_value());
  EXPECT_FALSE(find_source_place(Layout::debuginfod, "", "/src/a.c").has_value());
  EXPECT_FALSE(find_source_place(Layout::symstore, "aabb", "/src/a.c").has_value());
}

// Out of a directory that is laid out so; refused ones are not looked for.
TEST(Upstreams, TheFirstThatHasAFittingSourceGivesIt) {
  const auto root = base::TemporaryDirectory::create("source-wishes").value();
  const auto write = [&](const std::string& name, std::string_view text) {
    EXPECT_TRUE(base::write_file_durably(root.path() + name, base::bytes_of(text)).ok());
  };
  write("/one/buildid/aabb/source/src/a.c", "another a");
  write("/two/buildid/aabb/source/src/a.c", "the a");
  write("/two/buildid/aabb/source/src/refused.c", "refused");
  std::vector<std::unique_ptr<Server>> servers;
  for (const std::string& name : std::vector<std::string>{"/one", "/two"}) {
    ServerOptions options;
    options.name = name;
    options.layout = Layout::debuginfod;
    options.transport.location = root.path() + name;
    options.deny = {"refused"};
    servers.push_back(Server::make(options).value());
  }
  Upstreams upstreams(std::move(servers), root.path(), {});
  const auto get = [&](const SourceWish& wish) {
    std::string text;
    const auto got = upstreams.fetch(wish, [&](Fetched fetched) -> base::Result<void> {
      text = base::read_file(fetched.file.path()).value_or("");
      struct stat now{};
      EXPECT_EQ(::stat(fetched.from.c_str(), &now), 0);
      EXPECT_TRUE(fetched.found && fetched.found->st_ino == now.st_ino) << "as it lay there";
      if (text.starts_with("the ")) return {};
      return base::Error{base::Fault::malformed, "another file"};
    });
    return got.ok() ? text : std::string(base::name_of(got.error().fault));
  };
  EXPECT_EQ(get({"", "aabb", "/src/a.c"}), "the a");
  EXPECT_EQ(get({"", "aabb", "/src/b.c"}), "not_found");
  EXPECT_EQ(get({"", "aabb", "/src/refused.c"}), "not_found");
  EXPECT_FALSE(upstreams.may_have(SourceWish{"", "aabb", "/src/refused.c"}));
  EXPECT_FALSE(upstreams.may_have(SourceWish{"games", "aabb", "/src/a.c"})) << "not their server";
  EXPECT_EQ(get({"games", "aabb", "/src/a.c"}), "not_found");
}

TEST(Upstreams, ASourceThatIsTooLargeIsNotFetched) {
  const auto root = base::TemporaryDirectory::create("large-sources").value();
  const std::string text(100, 'x');
  ASSERT_TRUE(
      base::write_file_durably(root.path() + "/buildid/aabb/source/src/a.c", base::bytes_of(text))
          .ok());
  ServerOptions options;
  options.name = "sources";
  options.layout = Layout::debuginfod;
  options.transport.location = root.path();
  options.retry_after = 0s;
  std::vector<std::unique_ptr<Server>> servers;
  servers.push_back(Server::make(options).value());
  Upstreams upstreams(std::move(servers), root.path(), {});
  int came = 0;
  const auto take = [&](const Fetched&) -> base::Result<void> {
    ++came;
    return {};
  };
  EXPECT_FALSE(upstreams.fetch(SourceWish{"", "aabb", "/src/a.c", 99}, take).ok());
  EXPECT_EQ(came, 0);
  EXPECT_TRUE(upstreams.fetch(SourceWish{"", "aabb", "/src/a.c", 100}, take).ok());
  EXPECT_EQ(came, 1);
}

// Who demands a content that is not there is not asked for again, and hides the file from nobody.
TEST(Upstreams, AnotherContentIsAMissOfTheOneThatWasDemanded) {
  const auto root = base::TemporaryDirectory::create("contents").value();
  ASSERT_TRUE(base::write_file_durably(root.path() + "/a.bin/1/a.bin", base::bytes_of("x")).ok());
  ServerOptions options;
  options.name = "store";
  options.transport.location = root.path();
  std::vector<std::unique_ptr<Server>> servers;
  servers.push_back(Server::make(options).value());
  Upstreams upstreams(std::move(servers), root.path(), {});
  const auto plain = ident::find_request("a.bin/1/a.bin");
  ASSERT_TRUE(plain.has_value());
  ident::SymbolRequest demanding = *plain;
  ident::demand_content(demanding, {std::string(64, 'a')});
  int came = 0;
  const auto refuse = [&](const Fetched&) -> base::Result<void> {
    ++came;
    return base::Error{base::Fault::malformed, "another content"};
  };
  EXPECT_TRUE(std::holds_alternative<Missed>(upstreams.fetch(demanding, refuse)));
  EXPECT_TRUE(std::holds_alternative<Missed>(upstreams.fetch(demanding, refuse)));
  EXPECT_EQ(came, 1);
  const auto take = [](const Fetched&) -> base::Result<void> { return {}; };
  EXPECT_TRUE(std::holds_alternative<std::monostate>(upstreams.fetch(*plain, take)));
}

// Our disk fills while it comes: that ends, and is not the server's failure.
TEST(Upstreams, WhatFillsTheDiskIsGivenUp) {
  const auto root = base::TemporaryDirectory::create("full-disk").value();
  const std::string text(2'000'000, 'x');
  ASSERT_TRUE(base::write_file_durably(root.path() + "/a.bin/1/a.bin", base::bytes_of(text)).ok());
  int left = 2;
  ServerOptions options;
  options.name = "store";
  options.transport.location = root.path();
  options.breaker.failures_max = 1;
  options.has_room = [&left] { return left-- > 0; };
  std::vector<std::unique_ptr<Server>> servers;
  servers.push_back(Server::make(options).value());
  Upstreams upstreams(std::move(servers), root.path(), {});
  const auto request = ident::find_request("a.bin/1/a.bin");
  ASSERT_TRUE(request.has_value());
  std::size_t size = 0;
  const auto fetch = [&] {
    return upstreams.fetch(*request, [&](const Fetched& fetched) -> base::Result<void> {
      size = fetched.file.size();
      return {};
    });
  };
  const auto missed = fetch();
  ASSERT_TRUE(std::holds_alternative<Missed>(missed));
  EXPECT_EQ(std::get<Missed>(missed).error.fault, base::Fault::unavailable);
  EXPECT_EQ(size, 0u);
  left = 1000;
  EXPECT_TRUE(std::holds_alternative<std::monostate>(fetch())) << "it is not left alone";
  EXPECT_EQ(size, text.size());
  EXPECT_EQ(base::list_files(root.path()).value().size(), 1u) << "nothing of it stays";
}

// Nothing is wrong with what the server has: it is not remembered as a miss of the server's.
TEST(Upstreams, WhatIsBarredIsNotAskedForAndWhatIsRefusedHereIsNoOtherFile) {
  const auto root = base::TemporaryDirectory::create("barred").value();
  const std::string at = "app.bin/0123456789ABCDEF0123456789ABCDEF1/app.bin";
  const std::string store = root.path() + "/store";
  ASSERT_TRUE(base::write_file_durably(store + "/" + at, base::bytes_of("the file")).ok());
  bool is_barred = true;
  ServerOptions options;
  options.name = "store";
  options.transport.location = store;
  options.bars = [&](const Place& place) {
    EXPECT_EQ(place.name, "app.bin");
    return is_barred;
  };
  std::vector<std::unique_ptr<Server>> servers;
  servers.push_back(Server::make(options).value());
  Upstreams upstreams(std::move(servers), root.path(), {});
  int judged = 0;
  bool is_refused = true;
  const Upstreams::Judge judge = [&](const Fetched&) -> base::Result<void> {
    ++judged;
    if (is_refused) return base::Error{base::Fault::denied, "purged"};
    return {};
  };
  const auto request = ident::find_request(at).value();
  const auto fetch = [&] { return upstreams.fetch(request, judge); };
  auto fetched = fetch();
  ASSERT_TRUE(std::holds_alternative<Missed>(fetched));
  EXPECT_EQ(std::get<Missed>(fetched).error.fault, base::Fault::denied);
  EXPECT_EQ(judged, 0);
  EXPECT_EQ(upstreams.servers().front()->counts().requests, 0u);
  // The content that came from there before is known by its hash.
  EXPECT_TRUE(
      upstreams.fetch_again(store + "/" + at, [](const Fetched&) { return base::Result<void>(); })
          .ok());

  is_barred = false;
  fetched = fetch();
  ASSERT_TRUE(std::holds_alternative<Missed>(fetched));
  EXPECT_EQ(std::get<Missed>(fetched).error.fault, base::Fault::denied);
  EXPECT_EQ(judged, 1);
  is_refused = false;
  EXPECT_TRUE(std::holds_alternative<std::monostate>(fetch()));
  EXPECT_EQ(judged, 2);
}

TEST(Layout, EachHasAName) {
  for (const Layout layout :
       {Layout::symstore, Layout::symstore_two_tier, Layout::ssqp, Layout::breakpad,
        Layout::debuginfod, Layout::unified, Layout::native, Layout::slashsymbols}) {
    EXPECT_EQ(find_layout(name_of(layout)), layout);
  }
  EXPECT_FALSE(find_layout("symstoer"));
}

TEST(FileFilter, IsAnchoredAtTheStartAlone) {
  const auto filter = FileFilter::make({".*"}, {"mso", "(?i)^SYMSRV"}).value();
  EXPECT_FALSE(filter.allows("mso20.pdb"));
  EXPECT_TRUE(filter.allows("MSO20.pdb"));
  EXPECT_TRUE(filter.allows("xmso.pdb"));
  EXPECT_FALSE(filter.allows("symsrv.dll"));
  EXPECT_FALSE(FileFilter::make({}, {}).value().allows("a"));
}

TEST(FileFilter, NamesAPatternThatIsNone) {
  for (const auto& pattern : std::vector<std::string>{"(", "(?!a", "(?<=a*)b", "[z-a]"}) {
    const auto filter = FileFilter::make({pattern}, {});
    ASSERT_FALSE(filter.ok());
    EXPECT_NE(filter.error().what.find("the pattern " + pattern + ": "), std::string::npos);
  }
}

// What RE2 refuses. Answers are those of Python's re.match.
TEST(FileFilter, LooksAroundAsPythonDoes) {
  struct Row {
    std::string pattern, name;
    bool matches;
  };
  const std::vector<Row> rows{
      {"(?!mso|vba)", "kernel32.pdb", true},
      {"(?!mso|vba)", "mso20.pdb", false},
      {"(?!mso|vba)", "xmso.pdb", true},
      {"(?i)(?!SYM)[a-z]+", "symsrv.dll", false},
      {"app(?=\\.pdb)", "app.pdb", true},
      {"app(?=\\.pdb)", "app.dll", false},
      {"app(?=\\.pdb)", "my app.pdb", false},
      {"(a|b)\\1", "aa.pdb", true},
      {"(a|b)\\1", "ab.pdb", false},
      {".*(?<!_d)\\.dll\\Z", "core.dll", true},
      {".*(?<!_d)\\.dll\\Z", "core_d.dll", false},
      {"(?P<n>a)(?P=n)", "aab", true},
      {"(?!x)\xc3.", "\xc3\xa4.pdb", true},
  };
  for (const Row& row : rows) {
    const auto filter = FileFilter::make({row.pattern}, {});
    ASSERT_TRUE(filter.ok()) << filter.error().what;
    EXPECT_EQ(filter->allows(row.name), row.matches) << row.pattern << " " << row.name;
    EXPECT_EQ(FileFilter::make({".*"}, {row.pattern})->allows(row.name), !row.matches)
        << row.pattern << " " << row.name;
  }
}

// The pattern would take longer than we live. Whatever list it is in, nobody is asked.
TEST(FileFilter, GivesUpWhatComesToNoEnd) {
  const std::string endless = "(?=x?)(a+)+b";
  const std::string name = std::string(64, 'a') + "c.pdb";
  EXPECT_EQ(Pattern::compile(endless)->match(name), Match::unknown);
  EXPECT_FALSE(FileFilter::make({endless}, {})->allows(name));
  EXPECT_FALSE(FileFilter::make({".*"}, {endless})->allows(name));
  EXPECT_TRUE(FileFilter::make({endless, ".*"}, {})->allows(name));
  EXPECT_TRUE(FileFilter::make({endless}, {})->allows("aaab"));
  EXPECT_EQ(Pattern::compile("(?=a)a(?R)?b")->match(std::string(100'000, 'a') + "b"),
            Match::unknown);
}

TEST(Breaker, RestsAfterFailuresInARowAndTriesOnce) {
  const auto now = Breaker::Clock::now();
  Breaker breaker({2, 60s});
  breaker.failed(now);
  breaker.succeeded();
  breaker.failed(now);
  EXPECT_TRUE(breaker.may_ask(now));
  breaker.failed(now);
  EXPECT_FALSE(breaker.may_ask(now + 59s));
  EXPECT_EQ(breaker.rest_left(now), 60s);
  EXPECT_EQ(breaker.state(now + 59s), Breaker::State::open);
  EXPECT_EQ(breaker.state(now + 60s), Breaker::State::half_open);
  EXPECT_TRUE(breaker.may_ask(now + 60s));   // the probe
  EXPECT_FALSE(breaker.may_ask(now + 60s));  // nobody else meanwhile
  breaker.failed(now + 60s);
  EXPECT_FALSE(breaker.may_ask(now + 61s));
  EXPECT_TRUE(breaker.may_ask(now + 120s));
  breaker.succeeded();
  EXPECT_TRUE(breaker.may_ask(now + 120s));
  EXPECT_EQ(breaker.state(now + 120s), Breaker::State::closed);
}

// Days between failures are none of it, and an answer now and then does not save who fails mostly.
TEST(Breaker, RestsAfterFailuresWithinATime) {
  const auto now = Breaker::Clock::now();
  Breaker slow({2, 60s, 600s});
  slow.failed(now);
  slow.failed(now + 600s);
  EXPECT_EQ(slow.state(now + 600s), Breaker::State::closed);
  Breaker bad({3, 60s, 600s});
  for (const auto after : {0s, 100s, 200s}) {
    EXPECT_TRUE(bad.may_ask(now + after));
    bad.failed(now + after);
    bad.succeeded();
  }
  EXPECT_FALSE(bad.may_ask(now + 259s));
  EXPECT_TRUE(bad.may_ask(now + 260s));  // the probe
  bad.succeeded();
  EXPECT_EQ(bad.state(now + 260s), Breaker::State::closed);
  bad.failed(now + 261s);
  EXPECT_TRUE(bad.may_ask(now + 261s)) << "it begins anew";
}

TEST(Breaker, OurOwnTroubleIsNotTheServers) {
  const auto now = Breaker::Clock::now();
  Breaker breaker({1, 60s});
  breaker.unknown();
  EXPECT_TRUE(breaker.may_ask(now));
  breaker.failed(now);
  EXPECT_TRUE(breaker.may_ask(now + 60s));
  breaker.unknown();
  EXPECT_TRUE(breaker.may_ask(now + 60s));  // the next one may try
}

TEST(Breaker, NeverRestsWhenToldSo) {
  Breaker breaker({0, 60s});
  for (int i = 0; i < 100; ++i) breaker.failed();
  EXPECT_TRUE(breaker.may_ask());
}

}  // namespace
}  // namespace upstream
