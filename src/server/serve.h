// `faultline serve`: options from file, environment and flags, then server/wire.h.
#pragma once

namespace server {

int run_serve(int argc, char** argv);

}  // namespace server
