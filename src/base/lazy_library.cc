#include "base/lazy_library.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

extern "C" void* faultline_lazy_function(const char* library, const char* function) {
  // Loading one that is loaded already only counts up, and it is never unloaded.
  void* const handle = ::dlopen(library, RTLD_NOW | RTLD_LOCAL);
  void* const address = handle == nullptr ? nullptr : ::dlsym(handle, function);
  if (address == nullptr) {
    std::fprintf(stderr, "faultline: error: %s of %s: %s\n", function, library, ::dlerror());
    std::_Exit(127);
  }
  return address;
}
