// The numbers of the minidump format that reader and writer share: magic, stream types, sizes.
// Not the reader: minidump.h opens a file, streams.h reads its streams.
// Format: docs/formats/minidump.md
#pragma once

#include <cstdint>

namespace minidump {

constexpr std::uint32_t kSignature = 0x504d444d;  // "MDMP"
constexpr std::uint16_t kVersion = 0xa793;        // in the low half of the version word
constexpr std::uint32_t kHeaderSize = 32;
constexpr std::uint32_t kDirectoryEntrySize = 12;

enum StreamType : std::uint32_t {
  kUnused = 0,
  kThreadList = 3,
  kModuleList = 4,
  kMemoryList = 5,
  kException = 6,
  kSystemInfo = 7,
  kThreadExList = 8,
  kMemory64List = 9,
  kCommentA = 10,
  kCommentW = 11,
  kHandleData = 12,
  kFunctionTable = 13,
  kUnloadedModuleList = 14,
  kMiscInfo = 15,
  kMemoryInfoList = 16,
  kThreadInfoList = 17,
  kHandleOperationList = 18,
  kToken = 19,
  kJavaScriptData = 20,
  kSystemMemoryInfo = 21,
  kProcessVmCounters = 22,
  kIptTrace = 23,
  kThreadNames = 24,
  kCeNull = 0x8000,
  kCeBucketParameters = 0x800c,
  kLastReserved = 0xffff,
  kCrashpadInfo = 0x43500001,
  kBreakpadInfo = 0x47670001,
  kAssertionInfo = 0x47670002,
  kLinuxCpuInfo = 0x47670003,
  kLinuxProcStatus = 0x47670004,
  kLinuxLsbRelease = 0x47670005,
  kLinuxCmdLine = 0x47670006,
  kLinuxEnviron = 0x47670007,
  kLinuxAuxv = 0x47670008,
  kLinuxMaps = 0x47670009,
  kLinuxDsoDebug = 0x4767000a,
  kChromiumStabilityReport = 0x4b6b0002,
  kMozMacosCrashInfo = 0x4d7a0001,
  kMozMacosBootargs = 0x4d7a0002,
  kMozLinuxLimits = 0x4d7a0003,
  kMozSoftErrors = 0x4d7a0004,
};

constexpr std::uint32_t kThreadSize = 48;
constexpr std::uint32_t kModuleSize = 108;
constexpr std::uint32_t kUnloadedModuleSize = 24;
constexpr std::uint32_t kMemoryDescriptorSize = 16;  // of either list
constexpr std::uint32_t kMemoryInfoSize = 48;
constexpr std::uint32_t kThreadNameSize = 12;
constexpr std::uint32_t kExceptionSize = 168;
constexpr std::uint32_t kExceptionParametersMax = 15;
constexpr std::uint32_t kSystemInfoSize = 56;
constexpr std::uint32_t kBreakpadInfoSize = 12;
constexpr std::uint32_t kMiscInfoSizeMin = 24;
constexpr std::uint32_t kMiscInfo2Size = 44;
constexpr std::uint32_t kHandleSize = 32, kHandle2Size = 40;
constexpr std::uint32_t kCrashpadInfoSize = 52;

constexpr std::uint32_t kFixedFileInfoSignature = 0xfeef04bd;
constexpr std::uint32_t kFixedFileInfoVersion = 0x00010000;
constexpr std::uint32_t kFixedFileInfoSize = 52;

constexpr std::uint32_t kCodeViewPdb70 = 0x53445352;  // "RSDS"
constexpr std::uint32_t kCodeViewPdb20 = 0x3031424e;  // "NB10"
constexpr std::uint32_t kCodeViewElf = 0x4270454c;    // "LEpB": a build id of any length follows

constexpr std::uint32_t kMiscProcessId = 1, kMiscProcessTimes = 2;         // MiscInfo's flags1
constexpr std::uint32_t kDumpThreadValid = 1, kRequestingThreadValid = 2;  // BreakpadInfo

// processor_architecture of SystemInfo. It alone chooses the layout of contexts.
enum Architecture : std::uint16_t {
  kX86 = 0,
  kMips = 1,
  kPpc = 3,
  kArm = 5,
  kAmd64 = 9,
  kX86OnWin64 = 10,
  kArm64 = 12,
  kSparc = 0x8001,
  kPpc64 = 0x8002,
  kArm64Old = 0x8003,  // Breakpad's layout of before Microsoft had one
  kMips64 = 0x8004,
  kRiscv32 = 0x8005,
  kRiscv64 = 0x8006,
};

// platform_id of SystemInfo. 3 is what rust-minidump's enum calls Windows NT.
enum Platform : std::uint32_t {
  kWindowsNt = 2,
  kWindowsNtToo = 3,
  kMacOs = 0x8101,
  kIos = 0x8102,
  kLinux = 0x8201,
  kSolaris = 0x8202,
  kAndroid = 0x8203,
  kPs3 = 0x8204,
  kNacl = 0x8205,
  kFuchsia = 0x8206,
};

// MEMORY_BASIC_INFORMATION's words.
constexpr std::uint32_t kMemCommit = 0x1000, kMemReserve = 0x2000, kMemFree = 0x10000;
constexpr std::uint32_t kMemPrivate = 0x20000, kMemMapped = 0x40000, kMemImage = 0x1000000;

// Limits: more than any honest writer needs, little enough for a reader of strangers' files.
// A count that passes one refuses the list (or, for streams, the file) as too large.
constexpr std::uint32_t kMaxStreams = 1u << 20;
constexpr std::uint32_t kMaxThreads = 1u << 16;
constexpr std::uint32_t kMaxModules = 1u << 17;
constexpr std::uint32_t kMaxMemoryRegions = 1u << 20;
constexpr std::uint32_t kMaxHandles = 1u << 18;
constexpr std::uint32_t kMaxStringBytes = 1u << 20;
constexpr std::uint64_t kMaxStringsTotal = 64u << 20;  // all strings of one dump together
constexpr std::uint64_t kMaxTextStream = 16u << 20;
constexpr std::uint32_t kMaxAnnotations = 1u << 16;
constexpr std::uint32_t kMaxMacCrashRecords = 20;

}  // namespace minidump
