// `faultline list-sources`: which source files a debug file names, for the server, which runs this
// with limits on files that strangers sent. Not in the list of commands.
#include "cli/commands.h"
#include "cli/options.h"
#include "sources/named_lists.h"
#include "supply/extract_in_child.h"

namespace cli {

int run_list_sources(int argc, char** argv) {
  std::string in;
  std::string out;
  Options options(argv[0], "Lists the source files that a debug file names, for the server.");
  options.positional("FILE", in, "the debug file");
  options.positional("OUT", out, "where the list goes");
  if (const auto code = options.parse(argc, argv)) return *code;
  const auto done = sources::list_sources(in, out);
  if (done.ok()) return kDone;
  fail(done.error().what);
  return supply::exit_code_of(done.error().fault);
}

}  // namespace cli
