#include "server/serve.h"

#include "base/log.h"
#include "cli/options.h"
#include "server/config_files.h"
#include "server/options.h"
#include "server/reachable_upstreams.h"
#include "server/room_options.h"
#include "server/wire.h"

namespace server {
namespace {

base::Result<Options> options_for(const std::vector<std::string>& configs,
                                  const std::vector<Setting>& flags) {
  Options options = TRY(load_options(configs, flags));
  return with_reachable_upstreams(std::move(options), Caches::made);
}

base::Result<void> log_to_file(const Options& options) {
  if (options.log_file.empty()) return {};
  return base::log::add_file({options.log_file, options.log_file_size, options.log_file_count});
}

}  // namespace

int run_serve(int argc, char** argv) {
  std::vector<std::string> configs;
  std::string data;
  std::string listen;
  std::string log_level;
  cli::Options flags(argv[0], "The server: symbols, crash reports and pages on one port.");
  std::vector<std::string> shares;
  flags.list("-c,--config", configs,
             "faultline.toml, or pySymProxy's JSON as it is; of several the later wins (default: "
             "faultline.toml here, else where pySymProxy looked)");
  flags.text("-d,--data", data, "directory for everything we keep (default: faultline-data)");
  flags.text("-l,--listen", listen, "HOST:PORT (default: 127.0.0.1:7070)");
  flags.list("--unc", shares, "\\\\server\\share=/directory: where a Windows share is mounted");
  flags.text("--log-level", log_level, "debug, info, warning, error or off (default: info)");
  flags.footer("Every key of the TOML file: docs/configuration.md. SIGTERM drains and stops.");
  if (const auto code = flags.parse(argc, argv)) return *code;

  std::vector<Setting> given;
  if (!data.empty()) given.push_back({"data", data, "--data"});
  if (!listen.empty()) given.push_back({"listen", listen, "--listen"});
  if (!log_level.empty()) given.push_back({"log_level", log_level, "--log-level"});
  for (Setting& share : share_settings(shares, "--unc")) given.push_back(std::move(share));
  return serve_with(options_for(configs, given), [&] { return options_for(configs, given); });
}

int refuse_to_start(const base::Error& wrong) {
  cli::fail(wrong.what);
  return wrong.fault == base::Fault::malformed ? cli::kBadUsage : cli::kFailed;
}

int serve_with(const base::Result<Options>& options, const Reread& reread) {
  if (!options.ok()) {
    cli::fail(options.error().what);
    return cli::kBadUsage;
  }
  if (const auto checked = check_rooms(*options); !checked.ok())
    return refuse_to_start(checked.error());
  base::log::set_level(log_level(*options).value());
  const base::log::Format format = log_format(*options).value();
  if (format != base::log::Format::text) base::log::set_format(format);
  const auto logging = log_to_file(*options);
  if (!logging.ok()) return cli::fail(logging.error().what);
  for (const std::string& warning : options->warnings) base::log::warning("{}", warning);
  const auto served = serve(*options, reread);
  return served.ok() ? cli::kDone : cli::fail(served.error().what);
}

}  // namespace server
