// A server on loopback that answers whatever a test wants: an upstream server's good and bad days.
// The handler runs on one of eight threads and may block. Questions for index2.txt, whether it is a
// symbol store of two tiers, are not among those that it answers and that count.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/pool.h"
#include "net/server.h"

namespace testing_support {

class ScriptedServer {
 public:
  using Handler = std::function<net::Answer(net::Request&)>;
  // `spool`: a directory for bodies of requests. `on_index2` null: it has one tier.
  ScriptedServer(const std::string& spool, Handler handler, Handler on_index2 = nullptr) {
    net::Router router;
    net::Route route;
    route.method = "*";
    route.pattern = "/**";
    route.body = net::BodyPolicy::memory(1 << 20);
    route.runs = net::Runs::pool;
    route.handler = [this, handler = std::move(handler),
                     on_index2 = std::move(on_index2)](net::Request& request) -> net::Reply {
      if (request.path.ends_with("/index2.txt")) {
        ++asked_for_tiers;
        return on_index2 ? on_index2(request) : net::Answer::text(404, "");
      }
      ++asked;
      return handler(request);
    };
    router.add(std::move(route));
    net::ServerOptions options;
    options.listen = "127.0.0.1:0";
    options.spool_directory = spool;
    server_ = net::Server::start(options, std::move(router), pool_).value();
  }

  std::string url() const { return "http://" + server_->address(); }
  // Of a configuration that asks it, with `more` keys.
  std::string table(const std::string& more = "") const {
    return "[[upstream]]\nurl = \"" + url() + "/store\"\n" + more;
  }

  std::atomic<int> asked{0}, asked_for_tiers{0};

 private:
  base::WorkerPool pool_{8};
  std::unique_ptr<net::Server> server_;
};

}  // namespace testing_support
