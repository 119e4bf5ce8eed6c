// `faultline extract-one`: one module's symbols, for the server, which runs this with limits on
// files that strangers sent. Not in the list of commands; dump-syms is the one for people.
#include "cli/commands.h"
#include "cli/options.h"
#include "supply/extract_in_child.h"
#include "supply/extract_job.h"

namespace cli {

int run_extract_one(int argc, char** argv) {
  supply::ExtractJob job;
  std::uint64_t threads = 1;
  Options options(argv[0], "Makes one module's .sym and symbol index, for the server.");
  options.text("--image", job.image, "the executable or library");
  options.text("--debug", job.debug, "its separate debug file");
  options.text("--sym", job.sym, "or a Breakpad .sym");
  options.text("--name", job.module_name, "what the module is called");
  options.text("--sym-out", job.sym_out, "where the .sym goes");
  options.text("--index-out", job.index_out, "where the index goes");
  options.text("--msfz", job.msfz, "or a PDB in its compressed container");
  options.text("--pdb-out", job.pdb_out, "where the plain PDB goes");
  options.number("--threads", threads, "threads to use");
  if (const auto code = options.parse(argc, argv)) return *code;
  job.threads = static_cast<unsigned>(threads);
  const auto done = supply::run_extract_job(job);
  if (done.ok()) return kDone;
  fail(done.error().what);
  return supply::exit_code_of(done.error().fault);
}

}  // namespace cli
