// For identify.cc: one function for each family of formats. Each fills in the identity of bytes
// whose kind is known; what cannot be read goes to `problem`.
// Format: docs/formats/identity.md
#pragma once

#include "extract/identify.h"

namespace extract {

void identify_elf(base::Bytes bytes, Identity& identity);
void identify_pe(base::Bytes bytes, Identity& identity);
void identify_pdb(base::Bytes bytes, Identity& identity);
void identify_portable_pdb(base::Bytes bytes, Identity& identity);
void identify_perf_map(base::Bytes bytes, Identity& identity);
void identify_wasm(base::Bytes bytes, Identity& identity);
void identify_sym(base::Bytes bytes, Identity& identity);
void identify_cab(base::Bytes bytes, Identity& identity);
std::vector<Identity> identify_macho(base::Bytes bytes);

}  // namespace extract
