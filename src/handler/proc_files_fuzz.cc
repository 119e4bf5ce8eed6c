// Texts of /proc, records of the spool, and an ELF image as it lies in memory: the input is put
// into a mapping of our own and read back the way a crashed process is.
#include <elf.h>
#include <unistd.h>

#include <string_view>

#include "handler/modules_from_memory.h"
#include "handler/proc_files.h"
#include "handler/spool.h"
#include "handler/system_info.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace handler;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 4) {
    case 0:
      for (const Mapping& mapping : parse_maps(text)) {
        if (mapping.begin >= mapping.end) __builtin_trap();
      }
      break;
    case 1:
      parse_stat(text);
      parse_auxv(text);
      innermost_pid(text);
      parse_os_release(text);
      parse_kernel_release(text);
      break;
    case 2:
      static_cast<void>(parse_report(text));
      break;
    default: {
      Mapping mapping;
      mapping.begin = reinterpret_cast<std::uintptr_t>(text.data());
      mapping.end = mapping.begin + text.size();
      if (mapping.begin >= mapping.end) return 0;
      mapping.path = "/fuzzed";
      mapping.readable = mapping.executable = true;
      static const ProcessMemory memory(::getpid());
      modules_from_memory({mapping}, {{AT_PHDR, mapping.begin + 64}}, memory);
    }
  }
  return 0;
}
