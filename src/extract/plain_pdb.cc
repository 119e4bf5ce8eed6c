#include "extract/plain_pdb.h"

#include "formats/pdb/container.h"
#include "formats/pdb/write_msf.h"

namespace extract {

base::Result<void> write_plain_pdb(base::Bytes msfz, base::PendingFile& out) {
  const auto container = TRY(pdb::open_container(msfz));
  if (container->kind() != pdb::Container::Kind::msfz) {
    return base::Error{base::Fault::unsupported, "the PDB is not in the compressed container"};
  }
  return pdb::write_msf7(*container, [&](base::Bytes pages) { return out.append(pages); });
}

}  // namespace extract
