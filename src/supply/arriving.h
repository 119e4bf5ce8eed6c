// A file that is still on its way to us from somebody else, for those who want it at once: they
// read what has come, and wait for more. Nobody has looked at all of it yet. If it turns out to be
// broken or another file, whoever reads it is reset before its end (net/growing_file.h); the last
// byte comes only when it is in the catalogue.
#pragma once

#include <memory>
#include <string>

#include "net/growing_file.h"

namespace supply {

struct Arriving {
  std::shared_ptr<net::GrowingFile> bytes;
  std::string name;  // base name
  // It was here before, and the catalogue says that it is the answer, whatever it is asked for as.
  bool is_known = false;
};

}  // namespace supply
