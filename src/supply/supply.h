// The only one who decides where a wanted file comes from: memory, the store, or making it from
// other files; and who remembers that nobody has it.
//   local()  what is known now, from memory alone: for handlers on a network loop
//   want()   find out, off the loop, once however many ask; tells when all is settled
//   arriving()  what is coming from somebody else this moment, to be read while it comes
// A request in conversion is `working` until its file is made, never a miss. Misses are
// remembered as long as their fault's policy says, and forgotten at once when a commit to the
// catalogue brings one of their ids; that commit also starts the making of the module's files.
// What others have not got they have not got in the spelling that they were asked for: who spells
// the same question otherwise has that asked, too, after it if he waits for it already.
// Any thread may call. local() and want() never touch a database, nor a disk but to open a file
// again that was remembered and closed; wait_for() blocks and must not be called on a loop or
// from a want() callback.
// REQUIRES: what the constructor is given outlives it; callbacks may come until the destructor
// has returned; nobody commits to the catalogue from then on.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "ident/paths.h"
#include "store/blobs.h"
#include "store/catalog.h"
#include "store/containers.h"
#include "supply/answer_cache.h"
#include "supply/arriving.h"
#include "supply/derived_files.h"
#include "supply/known_ids.h"
#include "supply/spellings.h"

namespace supply {

class Supply {
 public:
  using Clock = std::chrono::steady_clock;

  struct Options {
    AnswerCache::Limits cache;
    DerivedFiles::Options derived;
    // Told, on any thread, of what begins to come; null: what came was not it after all. As often
    // as it happens.
    using Arrives = std::function<void(std::shared_ptr<const Arriving>)>;
    // Makes contents readable that lie elsewhere, or takes them out of the catalogue; calls `done`
    // once, on any thread, with why one was not brought: denied when who gave it lets us have it no
    // more. `arrives` is null where nobody could read them while they come. Null: every content is
    // a blob.
    using Brought = std::function<void(base::Result<void> brought)>;
    std::function<void(std::vector<base::Sha256>, Arrives arrives, Brought done)> bring = nullptr;
    // Opens what a file.ptr leads to, if that is allowed; may block. Null: none is followed.
    std::function<base::Result<Supplied>(const Pointer& pointer)> follow = nullptr;
    store::Containers* containers = nullptr;  // says where such contents lie
    struct Asked {
      bool found = false;  // the catalogue has it now
      base::Error miss;    // otherwise; when it may be worth asking again:
      Clock::time_point until;
    };
    // What is told, on any thread, to who asked others.
    struct Hearer {
      Arrives arrives;
      std::function<void(Asked)> done;  // once, and then nothing more
      // The servers that wait for it by now (SymbolRequest::asked_by), and that those wait for us
      // in vain, since whom we ask waits for them. Any thread.
      std::function<std::vector<std::string>()> joined = nullptr;
      std::function<void(const std::string& asked_by)> came_round = nullptr;
    };
    // Asks others for what nobody here has. Null, and no answer for a request: nobody else is
    // asked.
    std::function<bool(const ident::SymbolRequest&)> may_ask = nullptr;
    // may_ask tells faster than the memory of what was said before.
    bool may_ask_is_quick = false;
    std::function<void(const ident::SymbolRequest&, Hearer)> ask = nullptr;
    // Told, on any thread, that another server waits for what others are asked for. Memory only.
    std::function<void(const ident::SymbolRequest&)> joined = nullptr;
  };
  Supply(store::Blobs& blobs, store::Catalog& catalog, Options options);

  // Reads all ids of the catalogue; from then on a wish for another is answered from memory. Once,
  // before anybody asks or commits, and only if no other process writes this catalogue.
  base::Result<void> learn_ids();

  Supply(const Supply&) = delete;
  Supply& operator=(const Supply&) = delete;
  ~Supply();  // calls the callbacks that are still waiting

  // A file that is here is open, or in memory, but for who needs its path alone.
  Found local(const ident::SymbolRequest& request, Needs needs = Needs::descriptor);
  // The same by what a client wrote, when that alone says what is wanted: unknown until
  // add_spelling() has told which request it stands for.
  Found local_by_spelling(std::string_view spelling, Needs needs = Needs::descriptor);
  void add_spelling(std::string_view spelling, const ident::SymbolRequest& request);

  // Calls `done` once: when each request is settled, or, for who takes that, arriving; or at the
  // deadline. On another thread, or at once when all is known.
  enum class Takes : std::uint8_t { settled, arriving };
  void want(const std::vector<ident::SymbolRequest>& requests, Clock::time_point deadline,
            std::function<void()> done, Takes takes = Takes::settled);
  // Null: it is not on its way, or has come.
  std::shared_ptr<const Arriving> arriving(const ident::SymbolRequest& request) const;

  // working when the deadline has come first.
  Found wait_for(const ident::SymbolRequest& request, Clock::time_point deadline);
  std::vector<Found> wait_for_all(const std::vector<ident::SymbolRequest>& requests,
                                  Clock::time_point deadline);

  // Forgets what is remembered about the ids of a request: the next one is looked up again.
  void refresh(const ident::SymbolRequest& request);
  void forget_misses();                             // all of them
  void close_surplus() { cache_.close_surplus(); }  // when cache.open_room has become smaller
  void close_removed() { cache_.close_removed(); }  // when copies were removed: frees their room

  // Whether somebody waits for this content or for what is made of it, or reads it as it is, or was
  // told of it since the last time that this was asked.
  bool is_in_use(const base::Sha256& content);

  // The ids under which files were asked for, and found, since the last call. What a commit made
  // ready counts as well.
  std::vector<std::string> take_asked() { return cache_.take_asked(); }

  struct Counts {
    AnswerCache::Sizes remembered;
    DerivedFiles::Counts derived;
    std::uint64_t lookups = 0;  // requests taken to the catalogue
    std::uint64_t under_way = 0;
  };
  Counts counts() const;

 private:
  struct Waiter;
  using Deadlines = std::multimap<Clock::time_point, std::shared_ptr<Waiter>>;
  // Somebody who waits for one request or several.
  struct Waiter {
    std::size_t missing = 0;  // requests not yet settled; 0 once done was called
    Takes takes = Takes::settled;
    std::string asked_by;  // the servers on whose behalf; "": a client of ours
    std::function<void()> done;
    Deadlines::iterator deadline;
  };
  struct Waiting {
    std::shared_ptr<Waiter> who;
    std::string spelling;  // of the request
  };
  // One request that is being looked up or made.
  struct Flight {
    ident::SymbolRequest request;              // in the spelling that is tried now
    std::vector<ident::SymbolRequest> others;  // in those to be tried when it is a miss
    std::vector<std::string> ids;
    bool is_outdated = false;                 // a commit came meanwhile: look again before settling
    std::optional<Options::Asked> elsewhere;  // what the others said
    bool is_asked = false;                    // …or are about to say
    std::optional<base::Error> lost;          // the catalogue has it, but it could not be brought
    int brought_again = 0;                    // what it is made of went before it was read
    std::vector<base::Sha256> contents;       // that answer it, or that the answer is made of
    std::shared_ptr<const Arriving> arriving;
    std::vector<Waiting> waiters;
    std::set<std::string> joined;      // other servers' asked_by that wait for it
    std::set<std::string> came_round;  // …and those that would wait in vain
  };
  struct Wanted {
    std::string key;
    ident::SymbolRequest request;
  };

  void look_up_forever();
  void watch_deadlines();
  void look_up(const std::vector<Wanted>& batch);
  void look_up_in(const ident::Scope& scope, const std::vector<Wanted>& batch);
  void follow_pointers(const ident::Scope& scope, const std::vector<Wanted>& batch,
                       std::vector<Choice>& choices);
  base::Result<Supplied> open_pointed(const Follow& follow, const std::string& project) const;
  void carry_out(const Wanted& wanted, const Choice& choice);
  void carry_out_here(const Wanted& wanted, const Choice& choice);
  void carry_out_brought(const Wanted& wanted, const Choice& choice,
                         const base::Result<void>& brought);
  void settle_made(const Wanted& wanted, const Choice& choice, base::Result<Supplied> made);
  void note_contents(const std::string& key, const Choice& choice);
  void settle_lost(const Wanted& wanted, const Choice& choice, const base::Error& lost);
  bool bring_again(const std::string& key, int times_max);
  void pass_turn(const std::string& key);  // REQUIRES: mutex_ held
  Options::Arrives reader_of(const Wanted& wanted, const Choice& choice);
  std::vector<base::Sha256> lacking_of(const Choice& choice) const;
  bool is_listed(const ident::SymbolRequest& request, const store::FileRecord& file) const;
  void settle(const std::string& key, const Found& found,
              std::optional<Clock::time_point> expires = std::nullopt);
  void settle_missed(const std::string& key, const Options::Asked& asked);
  void settle_unheard_of(const std::string& key, const Options::Asked& asked);
  using Calls = std::vector<std::function<void()>>;
  Found remembered(const AnswerKey& key, const ident::SymbolRequest& request, Needs needs);
  static void add_other_spelling(Flight& flight, const ident::SymbolRequest& request);
  bool must_look_again(const std::string& key, const Flight& flight);    // REQUIRES: mutex_ held
  void try_next_spelling(const std::string& key, Flight& flight);        // REQUIRES: mutex_ held
  bool join(Flight& flight, const ident::SymbolRequest& request) const;  // REQUIRES: mutex_ held
  void count_down(Waiter& waiter, Calls& ready);                         // REQUIRES: mutex_ held
  void ask_or_settle(const Wanted& wanted, const base::Error& miss, bool is_lost = false);
  void hear_from_others(const std::string& key, const Options::Asked& asked);
  void hear_arrival(const std::string& key, std::shared_ptr<const Arriving> arriving);
  void hear_round(const std::string& key, const std::string& asked_by);
  std::vector<std::string> joined_by_now(const std::string& key) const;
  // Lets those go who need not wait any longer. REQUIRES: mutex_ held
  template <typename Goes>
  void release(Flight& flight, const Goes& goes, Calls& ready);
  bool nobody_can_have(const ident::SymbolRequest& request) const;
  void hear_commit(const std::vector<store::NewFile>& files);
  void hear_removal(const std::vector<std::string>& ids);
  void forget(const std::set<std::string>& ids);  // REQUIRES: mutex_ held
  std::vector<Wanted> take_batch();

  store::Blobs& blobs_;
  store::Catalog& catalog_;
  AnswerCache cache_;
  Spellings spellings_;
  std::unique_ptr<KnownIds> known_ids_;  // null: other processes write, too

  mutable std::mutex mutex_;
  std::condition_variable work_came_;
  std::condition_variable deadline_came_;
  // All guarded by mutex_.
  std::unordered_map<std::string, Flight> flights_;  // by cache key
  std::deque<std::string> queue_;                    // flights to look up
  std::deque<std::string> again_;                    // flights that wait to be brought again
  std::string turn_;                                 // the one whose turn it is; "": nobody's
  Deadlines deadlines_;                              // of those who still wait
  bool stopping_ = false;

  std::atomic<std::uint64_t> lookups_ = 0;
  std::atomic<std::uint64_t> arrivals_ = 0;  // files for which others may have had to go
  const decltype(Options::bring) bring_;
  const decltype(Options::follow) follow_;
  store::Containers* const containers_;
  const std::function<bool(const ident::SymbolRequest&)> may_ask_;
  const bool looks_before_asking_;  // in memory: to ask may_ask_ takes longer
  const decltype(Options::ask) ask_;
  const decltype(Options::joined) joined_;
  std::unique_ptr<DerivedFiles> derived_;
  std::thread lookup_thread_;
  std::thread deadline_thread_;
};

}  // namespace supply
