// Many addresses in many modules → frames. The one way in which commands and protocols look up
// more than one address: places are sorted by module and address, so that a module's blocks are
// read once and in order.
// Modules stay the caller's; a module may be missing (null): its places find nothing.
// Pure but for the order of the calls; any thread, with its own sink.
// Nothing fails: what is not found comes as null.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/units.h"
#include "symbols/map.h"

namespace symbolicate {

struct Place {
  std::uint32_t module = 0;  // into `modules`
  base::Rva rva;
};

// Calls sink(i, hit) once for each place, in no particular order of i. `hit` lasts for the call.
void find_all(std::span<const std::shared_ptr<const symbols::Map>> modules,
              std::span<const Place> places,
              const std::function<void(std::size_t index, const symbols::Hit* hit)>& sink,
              symbols::Map::Mangled mangled = symbols::Map::Mangled::wanted);

}  // namespace symbolicate
