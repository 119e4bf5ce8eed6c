// The page that the crashing program shares with us, copied and checked: the program may have
// scribbled over it, so texts are cut at their array, counts are ours, states are compared.
// Copies own their bytes. One thread.
// Layout: client/wire.h, docs/protocols/client-monitor.md
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/wire.h"
#include "snapshot/crash.h"

namespace handler {

struct Settings {
  std::string spool, url, product, version, build, channel;
  std::uint32_t flags = 0;
  std::uint64_t max_dump_bytes = 0;
};

// malformed when this is no page of our version.
base::Result<Settings> settings_of(const client::WirePage& page);

struct CrashRequest {
  client::CrashKind kind = client::CrashKind::crash;
  pid_t pid = 0, tid = 0;  // as the client knows itself
  int signal_number = 0;
  std::array<std::uint8_t, 128> info{};
  std::array<std::uint64_t, client::kGeneralRegisters> registers{};
  std::vector<std::uint8_t> floats;
  std::string note;
};
CrashRequest copy_request(const client::WireCrash& crash);

// Those that are set, the latest of each key, in the order of their slots.
std::vector<snapshot::Annotation> copy_annotations(const client::WirePage& page);

// Product, version and the like under the names that crash servers know: prod, ver, …
std::vector<snapshot::Annotation> annotations_of(const Settings& settings);

}  // namespace handler
