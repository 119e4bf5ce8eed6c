// `faultline config check|import`: is a configuration right, and an old one as TOML.
#pragma once

namespace server {

int run_config(int argc, char** argv);

}  // namespace server
