// Opens any bytes as a minidump and reads every stream of it.
#include <cstddef>
#include <cstdint>

#include "formats/minidump/context.h"
#include "formats/minidump/streams.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto dump = minidump::Minidump::open({data, size});
  if (!dump.ok()) return 0;
  std::uint16_t architecture = minidump::kAmd64;
  if (const auto system = minidump::parse_system_info(*dump); system.ok()) {
    architecture = system->architecture;
  }
  if (const auto threads = minidump::parse_thread_list(*dump); threads.ok()) {
    const auto* layout = minidump::find_context_layout(architecture);
    for (const minidump::Thread& thread : *threads) {
      const auto context = dump->find_bytes(thread.context);
      if (layout != nullptr && context) {
        (void)minidump::is_context(*layout, *context, dump->endian());
      }
    }
  }
  (void)minidump::parse_thread_names(*dump);
  (void)minidump::parse_module_list(*dump);
  (void)minidump::parse_unloaded_modules(*dump);
  (void)minidump::parse_memory_list(*dump);
  (void)minidump::parse_memory64_list(*dump);
  (void)minidump::parse_memory_info_list(*dump);
  (void)minidump::parse_exception(*dump);
  (void)minidump::parse_misc_info(*dump);
  (void)minidump::parse_breakpad_info(*dump);
  (void)minidump::parse_handle_data(*dump);
  (void)minidump::parse_mac_crash_info(*dump);
  (void)minidump::parse_mac_boot_args(*dump);
  (void)minidump::parse_crashpad_info(*dump);
  (void)minidump::parse_text_stream(*dump, minidump::kLinuxMaps);
  return 0;
}
