// The debug protocol of Mozilla's symbolication server: POST / with {"debug": true, "action": …},
// for local requests alone (clients.h); who else sends one has sent a body like any other.
//   SymServer's   outputCacheHits (enabled), cacheEvict (libName, breakpadId, offset)
//   DiskCache's   cacheAddRaw, cacheGet, cacheEvict, cacheExists (libName, breakpadId)
//   both          heartbeat
// A server that is both tells the two cacheEvict by the offset.
// Any thread may call; run() blocks, for no longer than a disk and memcached: what takes longer is
// wanted of supply.
// Format: docs/mozilla-symbolication-server.md
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>

#include "api/frame_cache.h"
#include "api/symbol_cache.h"
#include "net/http.h"
#include "supply/symbol_maps.h"
#include "symbolicate/question.h"

namespace api {

class SymbolicationDebug {
 public:
  enum class Of : std::uint8_t { both, sym_server, disk_cache };
  // `frames`: null without memcached. `cache` may lack everything: then nothing is cached.
  SymbolicationDebug(Of of, SymbolCache cache, supply::SymbolMaps& maps, FrameCache* frames)
      : of_(of), cache_(std::move(cache)), maps_(maps), frames_(frames) {}

  // Finds out about a module, then calls `then` once, on a thread that may block. What is told
  // lasts as long as this does.
  using Want = std::function<void(const ident::SymbolRequest&, std::function<void()> then)>;
  void run(const symbolicate::DebugRequest& request,
           const std::shared_ptr<net::Completer>& completer, const Want& want);
  // Local requests get "cacheHits" from now on.
  bool tells_cache_hits() const { return tells_cache_hits_.load(std::memory_order_relaxed); }

 private:
  using Request = symbolicate::DebugRequest;
  net::Answer switch_cache_hits(const Request& request);
  void evict_frame(const Request& request, const std::shared_ptr<net::Completer>& completer,
                   const Want& want, int rounds = 0);
  // Nothing: the module has to be wanted first. Else whether the frame is not there now.
  std::optional<bool> take_out(const Request& request);
  net::Answer lacks_something() const;
  void run_on_cache(const Request& request, const std::shared_ptr<net::Completer>& completer);

  const Of of_;
  const SymbolCache cache_;
  supply::SymbolMaps& maps_;
  FrameCache* const frames_;
  std::atomic<bool> tells_cache_hits_ = false;
};

}  // namespace api
