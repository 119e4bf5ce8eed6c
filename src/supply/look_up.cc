// From a wish to what becomes of it: batches go to the catalogue, choose.h decides, and the choice
// is carried out here; where nobody here has it, others are asked.
#include <algorithm>
#include <map>

#include "base/log.h"
#include "net/round_trips.h"
#include "supply/open_stored.h"
#include "supply/origin.h"
#include "supply/supply.h"

namespace supply {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::size_t kBatchMax = 256;
constexpr std::uint64_t kPointerSizeMax = 64ull << 10;
// How often one flight brings again what went before it was read.
constexpr int kBringAgainMax = 3;

Found found_of(Result<Supplied> supplied) {
  if (!supplied.ok()) return Found::miss(supplied.error());
  return Found::file(std::move(*supplied));
}

std::vector<base::Sha256> contents_of(const Choice& choice) {
  std::vector<base::Sha256> contents;
  const auto add = [&](const store::FileRecord& file) { contents.push_back(file.sha256); };
  if (const auto* serve = std::get_if<Serve>(&choice)) {
    add(serve->file);
  } else if (const auto* make = std::get_if<Make>(&choice)) {
    for (const auto* file : {&make->sources.image, &make->sources.debug, &make->sources.sym}) {
      if (*file) add(**file);
    }
  } else if (const auto* pack = std::get_if<Pack>(&choice)) {
    add(pack->file);
  } else if (const auto* unpack = std::get_if<Unpack>(&choice)) {
    add(unpack->file);
  } else if (const auto* follow = std::get_if<Follow>(&choice)) {
    add(follow->pointer);
  } else if (const auto* cut = std::get_if<Cut>(&choice)) {
    for (const store::FileRecord& file : cut->files) add(file);
  } else if (const auto* move = std::get_if<Move>(&choice)) {
    add(move->file);
  }
  return contents;
}

Error nobody_gives_it() {
  return {Fault::unavailable, "the file is known, but nobody gives it now"};
}

// Who gave it may let us have it no more: no time helps with that, so it is no trouble either.
Error lost_since(const Result<void>& brought) {
  if (brought.ok() || brought.error().fault != Fault::denied) return nobody_gives_it();
  return {Fault::denied,
          "the file is known, but the server that it came from refuses it to us now"};
}

}  // namespace

std::vector<Supply::Wanted> Supply::take_batch() {
  std::unique_lock lock(mutex_);
  work_came_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  std::vector<Wanted> batch;
  if (stopping_) return batch;
  while (!queue_.empty() && batch.size() < kBatchMax) {
    const auto at = flights_.find(queue_.front());
    if (at != flights_.end()) {
      at->second.is_outdated = false;
      batch.push_back({queue_.front(), at->second.request});
    }
    queue_.pop_front();
  }
  return batch;
}

void Supply::look_up_forever() {
  for (;;) {
    const std::vector<Wanted> batch = take_batch();
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    if (!batch.empty()) look_up(batch);
  }
}

// The whole batch in one read of the catalogue; a second one for the modules of those requests
// that want a derived file, since a module's other files may bear other ids.
void Supply::look_up(const std::vector<Wanted>& batch) {
  lookups_ += batch.size();
  std::map<ident::Scope, std::vector<Wanted>> by_scope;
  for (const Wanted& wanted : batch) by_scope[wanted.request.scope].push_back(wanted);
  for (const auto& [scope, of_scope] : by_scope) look_up_in(scope, of_scope);
}

void Supply::look_up_in(const ident::Scope& scope, const std::vector<Wanted>& batch) {
  std::vector<ident::SymbolKey> keys;
  for (const Wanted& wanted : batch) {
    keys.insert(keys.end(), wanted.request.keys.begin(), wanted.request.keys.end());
  }
  auto rows = catalog_.find(keys, scope);
  if (!rows.ok()) {
    base::log::error("the catalogue does not answer: {}", rows.error().what);
    for (const Wanted& wanted : batch) settle(wanted.key, Found::miss(rows.error()));
    return;
  }
  std::vector<std::vector<std::vector<store::Found>>> found(batch.size());
  std::vector<ident::SymbolKey> modules;
  std::size_t at = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    for (std::size_t k = 0; k < batch[i].request.keys.size(); ++k) {
      found[i].push_back(std::move(rows->at(at++)));
    }
    const bool derived = wants_derived(batch[i].request.artifact);
    modules.push_back(ident::SymbolKey::from_text(ident::KeyKind::debug_id, "",
                                                  derived ? module_of(found[i]) : ""));
  }
  const auto module_files = catalog_.find(modules, scope);
  if (!module_files.ok()) {
    for (const Wanted& wanted : batch) settle(wanted.key, Found::miss(module_files.error()));
    return;
  }
  std::vector<Choice> choices;
  choices.reserve(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    choices.push_back(choose(batch[i].request, found[i], module_files->at(i)));
  }
  if (follow_) follow_pointers(scope, batch, choices);
  for (std::size_t i = 0; i < batch.size(); ++i) carry_out(batch[i], choices[i]);
}

// Where no row answers there may be a file.ptr in the place of the file: one more read of the
// catalogue, for the misses alone.
void Supply::follow_pointers(const ident::Scope& scope, const std::vector<Wanted>& batch,
                             std::vector<Choice>& choices) {
  std::vector<ident::SymbolKey> keys;
  std::vector<std::size_t> ends;  // in keys, for each of the batch
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (std::holds_alternative<Error>(choices[i])) {
      const auto of_one = pointer_keys(batch[i].request);
      keys.insert(keys.end(), of_one.begin(), of_one.end());
    }
    ends.push_back(keys.size());
  }
  if (keys.empty()) return;
  auto rows = catalog_.find(keys, scope);
  for (std::size_t i = 0, at = 0; i < batch.size(); ++i) {
    if (at == ends[i]) continue;
    if (!rows.ok()) {
      choices[i] = rows.error();
      at = ends[i];
      continue;
    }
    std::vector<std::vector<store::Found>> of_one;
    for (; at < ends[i]; ++at) of_one.push_back(std::move(rows->at(at)));
    if (auto pointer = find_pointer(of_one)) choices[i] = std::move(*pointer);
  }
}

// Where it leads is the follower's to judge; what may not be followed is a miss like any other.
Result<Supplied> Supply::open_pointed(const Follow& follow, const std::string& project) const {
  Pointer pointer{"", follow.name, follow.id, project,
                  files_here(containers_, follow.pointer.sha256, project)};
  pointer.text = TRY(base::read_file(blobs_.place_of(follow.pointer.sha256), kPointerSizeMax));
  auto opened = follow_(pointer);
  if (opened.ok() || opened.error().fault == Fault::unavailable) return opened;
  return Error{Fault::not_found, opened.error().what};
}

// Bytes that are not here, but lie in a watched package, are brought first; then the choice is
// carried out whatever came of it. Whoever brings takes out of the catalogue what is gone, which
// sends the request back to its lookup.
void Supply::carry_out(const Wanted& wanted, const Choice& choice) {
  note_contents(wanted.key, choice);
  std::vector<base::Sha256> lacking = lacking_of(choice);
  if (lacking.empty() || !bring_) {
    carry_out_here(wanted, choice);
  } else {
    const std::uint64_t before = arrivals_;
    const auto done = [this, wanted, choice, before](const Result<void>& brought) {
      const bool others_came = arrivals_.fetch_add(1) != before;
      const bool may_have_gone =
          others_came && !std::holds_alternative<Serve>(choice) && !lacking_of(choice).empty();
      if (may_have_gone && bring_again(wanted.key, kBringAgainMax)) return;
      carry_out_brought(wanted, choice, brought);
      cache_.close_removed();  // to make room for these, others may have gone
    };
    bring_(std::move(lacking), reader_of(wanted, choice), done);
  }
}

void Supply::note_contents(const std::string& key, const Choice& choice) {
  std::vector<base::Sha256> contents = contents_of(choice);
  const std::lock_guard lock(mutex_);
  const auto at = flights_.find(key);
  if (at != flights_.end()) at->second.contents = std::move(contents);
}

// What is served as it is can be read while it comes; what something is made of cannot.
Supply::Options::Arrives Supply::reader_of(const Wanted& wanted, const Choice& choice) {
  const auto* serve = std::get_if<Serve>(&choice);
  if (serve == nullptr) return nullptr;
  return [this, key = wanted.key,
          name = serve->file.name](const std::shared_ptr<const Arriving>& arriving) {
    hear_arrival(key, arriving
                          ? std::make_shared<const Arriving>(Arriving{arriving->bytes, name, true})
                          : nullptr);
  };
}

// What where it came from does not give again another server may have, if it is the very file that
// is asked for. That it cannot be had now is no miss, nor is it the end of what is made of it.
void Supply::carry_out_brought(const Wanted& wanted, const Choice& choice,
                               const Result<void>& brought) {
  if (lacking_of(choice).empty()) return carry_out_here(wanted, choice);
  const Error lost = lost_since(brought);
  const auto* serve = std::get_if<Serve>(&choice);
  if (serve == nullptr) return settle_lost(wanted, choice, lost);
  if (ask_ && may_ask_(wanted.request)) return ask_or_settle(wanted, lost, true);
  // Its row may have gone with where it came from, and then nothing is wrong with the catalogue.
  is_listed(wanted.request, serve->file) ? carry_out_here(wanted, choice) : look_up({wanted});
}

bool Supply::is_listed(const ident::SymbolRequest& request, const store::FileRecord& file) const {
  const auto rows = catalog_.find(request.keys, request.scope);
  if (!rows.ok()) return true;  // what becomes of it says why
  for (const std::vector<store::Found>& of_key : *rows) {
    for (const store::Found& found : of_key) {
      if (found.file.sha256 == file.sha256) return true;
    }
  }
  return false;
}

void Supply::settle_lost(const Wanted& wanted, const Choice& choice, const Error& lost) {
  const auto* make = std::get_if<Make>(&choice);
  if (make == nullptr || !make->otherwise) return settle(wanted.key, Found::miss(lost));
  settle(wanted.key, found_of(open_stored(blobs_, *make->otherwise)),
         Clock::now() + base::policy_of(lost.fault).remember);
}

// A copy may go between its coming and its reading, when others need its room meanwhile: that is no
// miss, it is brought again. (The same content may have been brought by another flight since then:
// so what says that a file is not there is made once more in any case.)
void Supply::settle_made(const Wanted& wanted, const Choice& choice, Result<Supplied> made) {
  ++arrivals_;
  if (bring_ && !made.ok() && made.error().fault == Fault::not_found) {
    const bool has_gone = !lacking_of(choice).empty();
    if (bring_again(wanted.key, has_gone ? kBringAgainMax : 1)) return;
    if (has_gone) return settle_lost(wanted, choice, nobody_gives_it());
  }
  const bool never = !made.ok() && made.error().fault != Fault::unavailable &&
                     made.error().fault != Fault::internal;
  const auto* make = std::get_if<Make>(&choice);
  if (never && make != nullptr && make->otherwise) made = open_stored(blobs_, *make->otherwise);
  settle(wanted.key, found_of(std::move(made)));
}

// One at a time, from its lookup until it is settled: so these do not drive each other out.
bool Supply::bring_again(const std::string& key, int times_max) {
  const std::lock_guard lock(mutex_);
  const auto at = flights_.find(key);
  if (at == flights_.end() || stopping_ || at->second.brought_again >= times_max) return false;
  ++at->second.brought_again;
  again_.push_back(key);
  pass_turn(key);
  return true;
}

// From that flight, if it had it.
void Supply::pass_turn(const std::string& key) {
  if (key == turn_) turn_.clear();
  while (turn_.empty() && !again_.empty()) {
    const std::string next = std::move(again_.front());
    again_.pop_front();
    if (!flights_.contains(next)) continue;
    turn_ = next;
    queue_.push_back(next);
    work_came_.notify_one();
  }
}

std::vector<base::Sha256> Supply::lacking_of(const Choice& choice) const {
  std::vector<base::Sha256> lacking;
  const auto* make = std::get_if<Make>(&choice);
  if (make != nullptr && derived_->find(make->sources, make->artifact)) return lacking;
  const auto* unpack = std::get_if<Unpack>(&choice);
  if (unpack != nullptr && derived_->find_plain_pdb(unpack->file)) return lacking;
  for (const base::Sha256& content : contents_of(choice)) {
    if (!base::file_exists(blobs_.place_of(content))) lacking.push_back(content);
  }
  return lacking;
}

void Supply::carry_out_here(const Wanted& wanted, const Choice& choice) {
  const auto settle_found = [this, &wanted](Result<Supplied> found) {
    settle(wanted.key, found_of(std::move(found)));
  };
  const auto when_made = [this, wanted, choice](Result<Supplied> made) {
    settle_made(wanted, choice, std::move(made));
  };
  if (const auto* serve = std::get_if<Serve>(&choice)) {
    Result<Supplied> stored = open_stored(blobs_, serve->file);
    if (stored.ok()) {
      stored->depends_on_agent = serve->depends_on_agent;
      add_origin(containers_, serve->file.sha256, wanted.request.scope, *stored);
    }
    settle_found(std::move(stored));
  } else if (const auto* make = std::get_if<Make>(&choice)) {
    if (auto ready = derived_->find(make->sources, make->artifact)) {
      settle_found(std::move(*ready));
    } else {
      derived_->make(make->sources, make->artifact, when_made);
    }
  } else if (const auto* pack = std::get_if<Pack>(&choice)) {
    if (auto ready = derived_->find_cabinet(pack->file)) {
      settle_found(std::move(*ready));
    } else {
      derived_->make_cabinet(pack->file, when_made);
    }
  } else if (const auto* unpack = std::get_if<Unpack>(&choice)) {
    if (auto ready = derived_->find_plain_pdb(unpack->file)) {
      settle_found(std::move(*ready));
    } else {
      derived_->make_plain_pdb(unpack->file, when_made);
    }
  } else if (const auto* follow = std::get_if<Follow>(&choice)) {
    settle_found(open_pointed(*follow, wanted.request.scope.project));
  } else if (const auto* cut = std::get_if<Cut>(&choice)) {
    settle_found(open_section(blobs_, containers_, cut->files, wanted.request));
  } else if (const auto* move = std::get_if<Move>(&choice)) {
    settle_found(find_new_place(blobs_, move->file));
  } else {
    ask_or_settle(wanted, std::get<Error>(choice));
  }
}

// Others are asked once in a flight; what they said last holds when the catalogue still has
// nothing.
void Supply::ask_or_settle(const Wanted& wanted, const Error& miss, bool is_lost) {
  const bool may_help = is_lost || miss.fault == Fault::not_found;
  if (!ask_ || !may_help) return settle(wanted.key, Found::miss(miss));
  if (!may_ask_(wanted.request)) {
    if (is_lost) return settle(wanted.key, Found::miss(miss));
    // In another spelling they may be asked.
    return settle_unheard_of(wanted.key,
                             {false, miss, Clock::now() + base::policy_of(miss.fault).remember});
  }
  std::optional<Options::Asked> said;
  {
    const std::lock_guard lock(mutex_);
    const auto at = flights_.find(wanted.key);
    if (at == flights_.end()) return;
    if (is_lost) at->second.lost = miss;
    said = at->second.elsewhere;
    if (!std::exchange(at->second.is_asked, true)) {
      said.reset();
    } else if (!said) {
      return;  // they have not answered yet
    }
  }
  if (!said) {
    ask_(wanted.request,
         {[this, key = wanted.key](std::shared_ptr<const Arriving> arriving) {
            hear_arrival(key, std::move(arriving));
          },
          [this, key = wanted.key](const Options::Asked& asked) { hear_from_others(key, asked); },
          [this, key = wanted.key] { return joined_by_now(key); },
          [this, key = wanted.key](const std::string& asked_by) { hear_round(key, asked_by); }});
  } else if (said->found || is_lost) {
    settle(wanted.key, Found::miss(miss));
  } else {
    settle_missed(wanted.key, *said);
  }
}

void Supply::hear_from_others(const std::string& key, const Options::Asked& asked) {
  if (asked.found) {
    ++arrivals_;
    cache_.close_removed();  // to make room for it, others may have gone
  }
  std::optional<Error> lost;
  {
    const std::lock_guard lock(mutex_);
    const auto at = flights_.find(key);
    if (at == flights_.end()) return;
    at->second.elsewhere = asked;
    if (!asked.found) at->second.arriving = nullptr;
    if (asked.found) {
      queue_.push_back(key);
      work_came_.notify_one();
      return;
    }
    lost = at->second.lost;
  }
  // That they have it not is no miss when the catalogue says that there is one.
  if (lost && asked.miss.fault == Fault::not_found) return settle(key, Found::miss(*lost));
  settle_missed(key, asked);
}

// Trouble, and a question that came round, would be the same in any other spelling.
void Supply::settle_missed(const std::string& key, const Options::Asked& asked) {
  if (asked.miss.fault == Fault::not_found && !net::says_came_round(asked.miss)) {
    settle_unheard_of(key, asked);
  } else {
    settle(key, Found::miss(asked.miss), asked.until);
  }
}

}  // namespace supply
