// A program that links libfaultline-client, starts a second thread, and crashes on it.
//   crashing-app [--url URL] [--spool DIR] [--handler PATH]
// The crash is a write through a null pointer at the end of a chain of calls that the compiler
// inlines (see inventory.h and ledger.h), so its report shows what inline frames are.
// expected.txt lists the frames that the report must name.
#include <faultline/client.hpp>

#include <cstdio>
#include <cstring>
#include <thread>

#include "inventory.h"

namespace {

struct Arguments {
  const char* url = nullptr;
  const char* spool = "crashing-app-spool";
  const char* handler = nullptr;
};

bool read_arguments(int count, char** values, Arguments& out) {
  for (int i = 1; i + 1 < count; i += 2) {
    if (std::strcmp(values[i], "--url") == 0) {
      out.url = values[i + 1];
    } else if (std::strcmp(values[i], "--spool") == 0) {
      out.spool = values[i + 1];
    } else if (std::strcmp(values[i], "--handler") == 0) {
      out.handler = values[i + 1];
    } else {
      return false;
    }
  }
  return count % 2 == 1;
}

}  // namespace

// Not static and not inlined: the frame that a walker finds below the inline ones.
[[gnu::noinline]] int close_the_books(Inventory& inventory) {
  inventory.count += 1;
  const int total = take_stock(inventory);
  return total + inventory.count;
}

[[gnu::noinline]] void run_shop() {
  Inventory inventory{3, nullptr};
  std::printf("%d\n", close_the_books(inventory));
}

int main(int count, char** values) {
  Arguments arguments;
  if (!read_arguments(count, values, arguments)) {
    std::fprintf(stderr, "crashing-app [--url URL] [--spool DIR] [--handler PATH]\n");
    return 2;
  }
  faultline_config config{};
  config.size = sizeof config;
  config.spool = arguments.spool;
  config.url = arguments.url;
  config.handler_path = arguments.handler;
  config.product = "crashing-app";
  config.version = "1.0";
  const faultline::Guard guard(config);
  if (!guard.ok()) {
    std::fprintf(stderr, "crashing-app: %s\n", faultline_error_text(guard.answer()));
    return 1;
  }
  faultline_set("example", "an inlined call chain that ends in a null write");

  std::thread shop([] {
    const faultline::ThreadGuard thread("shop");
    run_shop();
  });
  shop.join();
  return 0;
}
