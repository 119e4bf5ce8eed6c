#include "api/symbolicate_debug.h"

#include "base/json.h"

namespace api {

using net::Answer;
using symbolicate::DebugRequest;

namespace {

// What was settled may be forgotten again before it is seen.
constexpr int kRoundsMax = 4;

Answer with_flag(const char* name, bool value) {
  std::string text = "{\"";
  return Answer::json(200, text.append(name).append(value ? "\": true}" : "\": false}"));
}

Answer with_path(const std::string& path) {
  std::string text = "{\"path\": ";
  if (path.empty()) {
    text += "null";
  } else {
    base::append_json_string(text, path);
  }
  return Answer::json(200, text.append("}"));
}

bool is_of_cache(const std::string& action) {
  return action == "cacheAddRaw" || action == "cacheGet" || action == "cacheExists" ||
         action == "cacheEvict";
}

}  // namespace

void SymbolicationDebug::run(const DebugRequest& request,
                             const std::shared_ptr<net::Completer>& completer, const Want& want) {
  const bool evicts_frame =
      request.action == "cacheEvict" &&
      (of_ == Of::sym_server || (of_ == Of::both && request.offset.has_value()));
  if (evicts_frame) return evict_frame(request, completer, want);
  if (request.action == "outputCacheHits" && of_ != Of::disk_cache) {
    return completer->complete(switch_cache_hits(request));
  }
  if (request.action == "heartbeat") {
    const bool is_there = !cache_.is_there || cache_.is_there();
    return completer->complete(Answer::json(is_there ? 200 : 500, is_there ? "{}" : ""));
  }
  if (is_of_cache(request.action) && of_ != Of::sym_server) {
    return run_on_cache(request, completer);
  }
  completer->complete(Answer::json(200, R"j({"message": "Invalid action"})j"));
}

// DiskCache failed where SymServer refused.
Answer SymbolicationDebug::lacks_something() const {
  return Answer::json(of_ == Of::disk_cache ? 500 : 400, "");
}

Answer SymbolicationDebug::switch_cache_hits(const DebugRequest& request) {
  if (!request.enabled) return lacks_something();
  tells_cache_hits_ = *request.enabled;
  return with_flag("success", true);
}

void SymbolicationDebug::evict_frame(const DebugRequest& request,
                                     const std::shared_ptr<net::Completer>& completer,
                                     const Want& want, int rounds) {
  if (!request.name || !request.id || !request.offset) {
    return completer->complete(lacks_something());
  }
  const std::optional<bool> success = take_out(request);
  if (success || rounds == kRoundsMax) {
    return completer->complete(with_flag("success", success.value_or(false)));
  }
  want(supply::SymbolMaps::request_for(*request.name, *request.id, {}),
       [this, request, completer, want, rounds] {
         evict_frame(request, completer, want, rounds + 1);
       });
}

// Its key ends with the content of the module's index: nobody has one for a module that is not
// there, but that it cannot be had now says nothing.
std::optional<bool> SymbolicationDebug::take_out(const DebugRequest& request) {
  if (frames_ == nullptr) return true;
  const symbolicate::AskedModule module{*request.name, *request.id};
  if (frames_->has_bare_keys()) return frames_->remove(module, *request.offset, "");
  const auto found = maps_.open(module.name, module.id, {});
  using State = supply::SymbolMaps::Answer::State;
  if (found.state == State::missing) return found.miss.fault == base::Fault::not_found;
  if (found.state != State::open) return std::nullopt;
  return frames_->remove(module, *request.offset, content_of(*found.map));
}

void SymbolicationDebug::run_on_cache(const DebugRequest& request,
                                      const std::shared_ptr<net::Completer>& completer) {
  if (!request.name || !request.id) return completer->complete(lacks_something());
  const std::string& name = *request.name;
  const std::string& id = *request.id;
  if (request.action == "cacheExists") {
    return completer->complete(with_flag("exists", cache_.exists && cache_.exists(name, id)));
  }
  if (request.action == "cacheEvict") {
    return completer->complete(with_flag("success", !cache_.evict || cache_.evict(name, id)));
  }
  const auto tell = [completer](const std::string& path) { completer->complete(with_path(path)); };
  if (!cache_.get) return tell("");
  // Raw means as it came, which is how we keep all of them: it comes anew.
  if (request.action == "cacheAddRaw" && cache_.evict) cache_.evict(name, id);
  cache_.get(name, id, tell);
}

}  // namespace api
