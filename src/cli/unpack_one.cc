// `faultline unpack-one`: one package's members, for the server, which runs this with limits on
// what strangers packed. Not in the list of commands.
#include "base/file.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "ingest/unpack.h"
#include "ingest/unpack_in_child.h"

namespace cli {
namespace {

constexpr std::uint64_t kAll = UINT64_MAX;

base::Result<void> run(const ingest::UnpackJob& job) {
  const ingest::Unpacked unpacked = TRY(ingest::unpack(job));
  base::PendingFile list = TRY(base::PendingFile::create(job.directory));
  TRY(list.append(base::bytes_of(ingest::json_of(unpacked))));
  return list.rename_to(base::join_path(job.directory, ingest::kListName));
}

}  // namespace

int run_unpack_one(int argc, char** argv) {
  ingest::UnpackJob job;
  std::uint64_t only = kAll;
  Options options(argv[0], "Unpacks one package's debug files and sources, for the server.");
  options.text("--archive", job.archive, "the package");
  options.text("--directory", job.directory, "where the files go");
  options.number("--only", only, "the member with this ordinal alone");
  options.number("--disk-free", job.disk_free_min, "bytes that stay free on the disk");
  if (const auto code = options.parse(argc, argv)) return *code;
  if (only != kAll) job.only = only;
  const auto done = run(job);
  if (done.ok()) return kDone;
  fail(done.error().what);
  return ingest::exit_code_of_unpack(done.error().fault);
}

}  // namespace cli
