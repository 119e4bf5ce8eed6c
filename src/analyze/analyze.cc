#include "analyze/analyze.h"

#include "snapshot/snapshot_from_minidump.h"

namespace analyze {

base::Result<Analysis> analyze_dump(std::shared_ptr<const base::MappedFile> dump,
                                    const FindSymbols& find, const AnalyzeOptions& options) {
  // The dump, whoever wrote it, becomes the neutral crash: threads, modules, memory.
  auto crash = std::make_shared<const snapshot::Crash>(
      TRY(snapshot::snapshot_from_minidump(std::move(dump))));

  // Walk every stack. Symbols are asked for on the way, only for modules that a walk touches,
  // and once for each.
  ModuleSource source(*crash, find);
  unwind::Walk walk = unwind::walk_all(*crash, source, options.threads, options.limits);

  // From here on every frame has its module and, where symbols were at hand, its function,
  // file, line and inlined calls; what was not at hand is known by name.
  std::vector<ModuleKey> lacking = source.lacking();

  // Explain the crash: the reason, the instruction, what it touched.
  Report report = make_report(std::move(crash), std::move(walk), options.extra);
  return Analysis{std::move(report), std::move(lacking)};
}

}  // namespace analyze
