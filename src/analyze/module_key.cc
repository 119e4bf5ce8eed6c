#include "analyze/module_key.h"

#include "base/file.h"

namespace analyze {

ModuleKey key_of(const snapshot::Module& module) {
  ModuleKey key;
  key.debug_file = base::basename_of(module.debug_file);
  if (module.debug_id && !module.debug_id->is_nil()) key.debug_id = module.debug_id_text;
  key.code_file = base::basename_of(module.code_file);
  key.code_id = module.code_id;
  return key;
}

}  // namespace analyze
