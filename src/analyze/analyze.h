// From the bytes of a dump to a report, or to what the report lacks.
// Fetches nothing: `find` answers at once, if need be that it is lacking a module, and the
// analysis says which (like a handler that answers Missing). It is then worth something already:
// stacks are walked and named as far as the symbols at hand go.
// The Report keeps the dump and the symbol maps alive. Any thread; `find` is called from several.
// Fails as snapshot_from_minidump does. Bad symbols or a wild stack only make the report poorer.
#pragma once

#include <memory>
#include <vector>

#include "analyze/module_key.h"
#include "analyze/module_source.h"
#include "analyze/report.h"
#include "base/file.h"
#include "base/result.h"
#include "unwind/walker.h"

namespace analyze {

struct AnalyzeOptions {
  unsigned threads = 1;
  unwind::Limits limits;
  Extra extra;
};

struct Analysis {
  Report report;
  std::vector<ModuleKey> lacking;  // fetch these and analyze again for a fuller report
};

base::Result<Analysis> analyze_dump(std::shared_ptr<const base::MappedFile> dump,
                                    const FindSymbols& find, const AnalyzeOptions& options = {});

}  // namespace analyze
