#include "api/trace_work.h"

#include <utility>

#include "base/text.h"
#include "ident/debug_id.h"

namespace api {

using base::Error;
using base::Fault;
using base::Result;
using net::Answer;
using symbolicate::TraceCandidate;
using symbolicate::TraceStatus;
using MapState = supply::SymbolMaps::Answer::State;

namespace {

// What is answered in one piece, and the size of the pieces of longer answers.
constexpr std::size_t kFramesWhole = 4096;
constexpr std::size_t kFramesAtOnce = 1024;
// What was settled may be forgotten again before it is seen (an upload, a damaged index).
constexpr std::size_t kRoundsMax = 8;

std::string leaf_of(std::string_view path) {
  const std::size_t at = path.find_last_of("/\\");
  return std::string(at == std::string_view::npos ? path : path.substr(at + 1));
}

std::string id_of_code(std::string_view type, const std::string& code_id) {
  if (type == "macho") return code_id + "0";
  if (type != "elf") return code_id;
  const auto bytes = base::bytes_from_hex(code_id);
  return bytes ? ident::DebugId::from_build_id(*bytes).breakpad() : code_id;
}

// A server that could not say is worse news than one that has nothing.
bool is_worse(const Error& error, const Error& than) {
  return than.fault == Fault::not_found && error.fault != Fault::not_found;
}

}  // namespace

std::optional<TraceModuleName> find_trace_module_name(const symbolicate::TraceModule& module) {
  TraceModuleName name;
  if (module.debug_id) {
    name.id = *module.debug_id;
  } else if (module.code_id) {
    name.id = id_of_code(module.type, *module.code_id);
  } else {
    return std::nullopt;
  }
  name.name = leaf_of(module.debug_file.value_or(""));
  if (name.name.empty()) name.name = leaf_of(module.code_file.value_or(""));
  if (name.name.empty()) name.name = "unknown";
  return name;
}

TraceWork::TraceWork(const Rooms& rooms, symbolicate::TraceQuestion question,
                     std::vector<TraceLookup> lookups, Clock::time_point deadline, bool is_unwound)
    : rooms_(rooms),
      question_(std::move(question)),
      lookups_(std::move(lookups)),
      deadline_(deadline),
      is_unwound_(is_unwound),
      answers_(question_.modules.size()) {
  const std::vector<bool> used = symbolicate::TraceModules(question_).used();
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (is_unwound_) answers_[i].unwind = TraceStatus::unused;
    if (!used[i]) continue;
    Pending pending{i, {}, 0, {Fault::not_found, ""}};
    if (auto name = find_trace_module_name(question_.modules[i])) {
      pending.name = *std::move(name);
      pending_.push_back(std::move(pending));
    } else {
      settle(pending, TraceStatus::missing);
    }
  }
}

void TraceWork::find(std::function<void()> done) {
  done_ = std::move(done);
  rooms_.door->post([self = shared_from_this()] { self->advance(); });
}

void TraceWork::advance() {
  std::erase_if(pending_, [&](Pending& pending) { return find_module(pending); });
  if (pending_.empty()) return finish();
  if (Clock::now() >= deadline_ || ++rounds_ > kRoundsMax + lookups_.size()) {
    give_up();
    return finish();
  }
  std::vector<ident::SymbolRequest> requests;
  requests.reserve(pending_.size());
  for (const Pending& pending : pending_) {
    requests.push_back(supply::SymbolMaps::request_for(pending.name.name, pending.name.id,
                                                       lookups_[pending.lookup].scope));
  }
  rooms_.supply.want(requests, deadline_, [self = shared_from_this()] {
    self->rooms_.door->post([self] { self->advance(); });
  });
}

// Whether it is settled; else `pending.lookup` has to be asked.
bool TraceWork::find_module(Pending& pending) {
  for (; pending.lookup < lookups_.size(); ++pending.lookup) {
    const TraceLookup& lookup = lookups_[pending.lookup];
    if (lookup.refusal) {
      note(pending, lookup, symbolicate::trace_download_of(lookup.refusal->fault),
           lookup.refusal->what);
      continue;
    }
    if (!find_there(pending, lookup)) return false;
    if (answers_[pending.module].map) return true;
  }
  settle(pending, symbolicate::trace_status_of(pending.miss.fault));
  return true;
}

// False: it has to be asked first.
bool TraceWork::find_there(Pending& pending, const TraceLookup& lookup) {
  auto found = rooms_.maps.open(pending.name.name, pending.name.id, lookup.scope);
  if (found.state == MapState::open) {
    answers_[pending.module].map = std::move(found.map);
    note(pending, lookup, TraceCandidate::Download::ok, "");
    settle(pending, TraceStatus::found);
    return true;
  }
  if (found.state != MapState::missing) return false;
  note(pending, lookup, symbolicate::trace_download_of(found.miss.fault), found.miss.what);
  if (is_worse(found.miss, pending.miss)) pending.miss = found.miss;
  return true;
}

void TraceWork::note(const Pending& pending, const TraceLookup& lookup,
                     TraceCandidate::Download download, const std::string& details) {
  if (!question_.wants_candidates) return;
  TraceCandidate candidate;
  candidate.source = lookup.source;
  candidate.location = lookup.location;
  candidate.location.append(pending.name.name).append("/").append(pending.name.id);
  candidate.download = download;
  candidate.details = details;
  answers_[pending.module].candidates.push_back(std::move(candidate));
}

void TraceWork::settle(const Pending& pending, TraceStatus status) {
  answers_[pending.module].debug = status;
  if (is_unwound_) answers_[pending.module].unwind = status;
}

void TraceWork::give_up() {
  for (const Pending& pending : pending_) {
    note(pending, lookups_[pending.lookup], TraceCandidate::Download::error,
         "the symbols did not come in time: ask again");
    settle(pending, TraceStatus::timeout);
  }
  pending_.clear();
}

void TraceWork::finish() {
  const auto done = std::exchange(done_, nullptr);
  done();
}

Answer TraceWork::answer() {
  Answer answer = Answer::json(200, "");
  auto writer = std::make_shared<symbolicate::TraceAnswerWriter>(question_, answers_);
  std::string first;
  writer->write_some(first, kFramesWhole);
  if (writer->is_done()) {
    answer.body = std::move(first);
    return answer;
  }
  answer.body = net::Producer([self = shared_from_this(), writer,
                               piece = std::move(first)]() mutable -> Result<std::string> {
    std::string next = std::exchange(piece, {});
    if (next.empty()) writer->write_some(next, kFramesAtOnce);
    return next;
  });
  return answer;
}

}  // namespace api
