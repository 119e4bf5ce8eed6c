// The first servers' frames as memcached shares them with other servers: what one of them has
// looked up, the others are told.
//   content keys   asked for when a module's index is open, since the key ends with what it was
//                  made from (symbolicate/shared_frames.h)
//   bare keys      asked for first of all; a module all of whose frames are there is not looked for
// Bounded memory for a question: few large ones, very long texts and what comes after many are not
// shared, nor known here; the answer's writer looks them up.
// Never fails: what memcached does not tell is looked up. Any thread may call; calls block for no
// longer than memcached's time-outs (net/memcached.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/memcached.h"
#include "symbolicate/answer.h"

namespace api {

class FrameCache {
 public:
  enum class Keys : std::uint8_t { content, bare };
  FrameCache(std::unique_ptr<net::Memcached> memcached, Keys keys)
      : memcached_(std::move(memcached)), keys_(keys) {}

  // With bare keys: what is known before any module is. `known` has nothing, or the job's size.
  void find_first(const symbolicate::Job& job, symbolicate::KnownFrames& known);
  // With the modules at hand: asks for what has not been asked for, looks up what nobody knows and
  // tells the others. What a damaged index said is neither known nor told.
  void complete(const symbolicate::Job& job, const symbolicate::JobAnswer& modules,
                symbolicate::KnownFrames& known);
  // Takes the frame out; true when it is not there now. `content`: of the module's index, if known.
  bool remove(const symbolicate::AskedModule& module, const symbolicate::AskedFrame& frame,
              std::string_view content);

  bool has_bare_keys() const { return keys_ == Keys::bare; }
  net::Memcached::Counts counts() const { return memcached_->counts(); }

 private:
  void find(const std::vector<std::size_t>& frames, const std::vector<std::string>& keys,
            symbolicate::KnownFrames& known);

  const std::unique_ptr<net::Memcached> memcached_;
  const Keys keys_;
};

// What names the content of an open index; "" when it came from no file.
std::string content_of(const symbols::Map& map);

}  // namespace api
