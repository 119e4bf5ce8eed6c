// Mozilla's servers as one container: what the programs in it are told, and the words with which
// podman or docker makes it. In there everything has a place of its own: the cache lies in /data,
// directories of symbols in /symbols, and what is not published listens for the others alone.
// Not who runs the engine (container_engine.h) and not the order of things
// (quickstart_in_container.h).
// Plain values; pure functions but for one. Fails with malformed what no container can have.
// Format: docs/mozilla-symbolication-server.md
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "server/mozilla_config.h"

namespace server {

enum class EngineKind : unsigned char { podman, docker };

// Who starts it: the servers in there are that user, so that what they write is the user's.
struct ContainerUser {
  uid_t user = 0;
  gid_t group = 0;
};

struct ContainerDirectory {
  enum class Use : unsigned char { read, written };
  std::string here;    // absolute
  std::string inside;  // absolute
  Use use = Use::read;
};

// The user who asks.
ContainerUser container_user();

struct PublishedPort {
  std::string server;
  std::uint16_t port = 0;  // the same on both sides
};

struct MozillaContainer {
  std::string name;
  std::string network;  // none: one of its own
  std::string address;  // of this machine, where ports are published
  std::vector<ContainerDirectory> directories;
  std::vector<PublishedPort> published;
  std::string configuration;  // JSON: what quickstart in there is told

  // `directory` is where relative paths begin.
  static base::Result<MozillaContainer> plan(const MozillaConfig& config,
                                             const std::string& directory);

  // Directories of symbols that are not there: DiskCache says so again. It looks for them.
  std::vector<std::string> leave_out_missing();

  // What follows `podman create`; `image` is an image's id.
  std::vector<std::string> words(EngineKind engine, ContainerUser user,
                                 const std::string& image) const;
  // Of all these words, as it stands in the container's label: another one, another container.
  std::string fingerprint(EngineKind engine, ContainerUser user, const std::string& image) const;
  // The command line of quickstart in there, with an action: "wait", "status".
  std::vector<std::string> inner_words(const std::string& action) const;

 private:
  std::vector<std::string> words_without_label(EngineKind engine, ContainerUser user,
                                               const std::string& image) const;
};

// Ours, in there.
inline constexpr const char* kContainerProgram = "/usr/bin/faultline";
// The label by which a container is known to be made with these very words.
inline constexpr const char* kContainerLabel = "faultline.quickstart";

}  // namespace server
