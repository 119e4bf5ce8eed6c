// The vendors' names for stream types, as reports print them.
#include "formats/minidump/minidump.h"

namespace minidump {

namespace {

struct Name {
  std::uint32_t type;
  std::string_view name;
  bool read;  // some reader of streams.h understands it
};

constexpr Name kNames[] = {
    {0, "UnusedStream", false},
    {1, "ReservedStream0", false},
    {2, "ReservedStream1", false},
    {kThreadList, "ThreadListStream", true},
    {kModuleList, "ModuleListStream", true},
    {kMemoryList, "MemoryListStream", true},
    {kException, "ExceptionStream", true},
    {kSystemInfo, "SystemInfoStream", true},
    {kThreadExList, "ThreadExListStream", false},
    {kMemory64List, "Memory64ListStream", true},
    {kCommentA, "CommentStreamA", false},
    {kCommentW, "CommentStreamW", false},
    {kHandleData, "HandleDataStream", true},
    {kFunctionTable, "FunctionTable", false},
    {kUnloadedModuleList, "UnloadedModuleListStream", true},
    {kMiscInfo, "MiscInfoStream", true},
    {kMemoryInfoList, "MemoryInfoListStream", true},
    {kThreadInfoList, "ThreadInfoListStream", true},
    {kHandleOperationList, "HandleOperationListStream", false},
    {kToken, "TokenStream", false},
    {kJavaScriptData, "JavaScriptDataStream", false},
    {kSystemMemoryInfo, "SystemMemoryInfoStream", false},
    {kProcessVmCounters, "ProcessVmCountersStream", false},
    {kIptTrace, "IptTraceStream", false},
    {kThreadNames, "ThreadNamesStream", true},
    {0x8000, "ceStreamNull", false},
    {0x8001, "ceStreamSystemInfo", false},
    {0x8002, "ceStreamException", false},
    {0x8003, "ceStreamModuleList", false},
    {0x8004, "ceStreamProcessList", false},
    {0x8005, "ceStreamThreadList", false},
    {0x8006, "ceStreamThreadContextList", false},
    {0x8007, "ceStreamThreadCallStackList", false},
    {0x8008, "ceStreamMemoryVirtualList", false},
    {0x8009, "ceStreamMemoryPhysicalList", false},
    {0x800a, "ceStreamBucketParameters", false},
    {0x800b, "ceStreamProcessModuleMap", false},
    {0x800c, "ceStreamDiagnosisList", false},
    {kLastReserved, "LastReservedStream", false},
    {kCrashpadInfo, "CrashpadInfoStream", true},
    {kBreakpadInfo, "BreakpadInfoStream", true},
    {kAssertionInfo, "AssertionInfoStream", true},
    {kLinuxCpuInfo, "LinuxCpuInfo", true},
    {kLinuxProcStatus, "LinuxProcStatus", true},
    {kLinuxLsbRelease, "LinuxLsbRelease", true},
    {kLinuxCmdLine, "LinuxCmdLine", false},
    {kLinuxEnviron, "LinuxEnviron", true},
    {kLinuxAuxv, "LinuxAuxv", false},
    {kLinuxMaps, "LinuxMaps", true},
    {kLinuxDsoDebug, "LinuxDsoDebug", false},
    {kChromiumStabilityReport, "ChromiumStabilityReport", true},
    {kMozMacosCrashInfo, "MozMacosCrashInfoStream", true},
    {kMozMacosBootargs, "MozMacosBootargsStream", true},
    {kMozLinuxLimits, "MozLinuxLimits", true},
    {kMozSoftErrors, "MozSoftErrors", true},
};

const Name* find_name(std::uint32_t type) {
  for (const Name& entry : kNames) {
    if (entry.type == type) return &entry;
  }
  return nullptr;
}

}  // namespace

std::string_view stream_name(std::uint32_t type) {
  const Name* entry = find_name(type);
  return entry == nullptr ? std::string_view() : entry->name;
}

StreamSupport stream_support(std::uint32_t type) {
  const Name* entry = find_name(type);
  if (entry == nullptr) return StreamSupport::unknown;
  return entry->read ? StreamSupport::read : StreamSupport::unimplemented;
}

std::string_view stream_vendor(std::uint32_t type) {
  if (type <= kLastReserved) return "Official";
  switch (type >> 16) {
    case 0x4767:
      return "Google Extension";
    case 0x4d7a:
      return "Mozilla Extension";
    default:
      return "Unknown Extension";
  }
}

}  // namespace minidump
