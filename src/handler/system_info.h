// The machine and the process around a crash: SystemInfo, MiscInfo and the Linux texts.
// Never fails: what cannot be read stays empty. One thread.
#pragma once

#include <sys/types.h>

#include "handler/crash_page.h"
#include "handler/proc_files.h"
#include "snapshot/crash.h"

namespace handler {

snapshot::SystemInfo read_system_info();
// Uptime-based start of the process, seconds since 1970.
std::uint32_t start_time_of(const ProcessStat& stat);
// Texts of /proc and /etc; command line and environment only if the settings ask for them.
void read_linux_texts(snapshot::Crash& crash, pid_t pid, const Settings& settings);

// "6.1.0-18-amd64 #1 SMP" → 6, 1, 0 and the rest.
struct KernelVersion {
  std::uint32_t major = 0, minor = 0, build = 0;
  std::string rest;
};
KernelVersion parse_kernel_release(std::string_view release);
// The fields of /etc/os-release under lsb_release's names: id, release, codename, description.
std::map<std::string, std::string> parse_os_release(std::string_view text);

}  // namespace handler
