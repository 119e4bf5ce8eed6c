// What the debug actions of Mozilla's DiskCache do to the symbols that were brought from other
// servers: who wires the server says how. Uploads are no cache: nothing here touches them.
// `name` and `id` are a module's, as a client spelled them. Any thread may call; calls block, but
// get(), which calls back once, on any thread.
// Format: docs/mozilla-symbolication-server.md
#pragma once

#include <functional>
#include <string>

namespace api {

struct SymbolCache {
  std::function<bool()> is_there;  // what is in it can be asked
  std::function<bool(const std::string& name, const std::string& id)> exists;
  // True when it is not there now.
  std::function<bool(const std::string& name, const std::string& id)> evict;
  // Where the symbols lie as text, byte for byte as they came, brought if need be; "" when nobody
  // has them.
  using Told = std::function<void(std::string path)>;
  std::function<void(const std::string& name, const std::string& id, Told told)> get;
};

}  // namespace api
