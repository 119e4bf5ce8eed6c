// The streams of minidump_from_snapshot.cc beyond threads and memory. Part of that converter.
// Each writes nothing when the crash has nothing to say.
#pragma once

#include "formats/minidump/writer.h"
#include "snapshot/crash.h"

namespace snapshot {

void write_modules(minidump::Writer& out, const Crash& crash);
void write_unloaded_modules(minidump::Writer& out, const Crash& crash);
void write_memory_info(minidump::Writer& out, const Crash& crash);
void write_handles(minidump::Writer& out, const Crash& crash);
void write_linux_texts(minidump::Writer& out, const Crash& crash);
void write_crashpad_info(minidump::Writer& out, const Crash& crash);

}  // namespace snapshot
