// The bytes of a symbol index: what index_writer.cc writes and map.cc reads.
// Only layout; docs/formats/symbol-index.md tells the whole story.
// All numbers are little-endian. A file is a Head, a table of Sections, and their payloads.
#pragma once

#include <cstdint>

namespace symbols::index {

constexpr std::uint8_t kMagic[8] = {'F', 'L', 'T', 'S', 'Y', 'M', 'I', 'X'};
constexpr std::uint32_t kVersion = 3;
constexpr std::uint32_t kFlagCorrupt = 1;
constexpr std::size_t kHeadSize = 64;
constexpr std::size_t kSectionEntrySize = 32;
constexpr std::uint32_t kMaxSections = 64;
constexpr std::size_t kAlignment = 64;

// Every byte after the PAGE section belongs to one page, verified when it is first touched.
constexpr unsigned kPageBits = 14;
constexpr std::size_t kPageSize = std::size_t{1} << kPageBits;

constexpr std::uint32_t tag(const char (&text)[5]) {
  return static_cast<std::uint32_t>(static_cast<unsigned char>(text[0])) |
         static_cast<std::uint32_t>(static_cast<unsigned char>(text[1])) << 8 |
         static_cast<std::uint32_t>(static_cast<unsigned char>(text[2])) << 16 |
         static_cast<std::uint32_t>(static_cast<unsigned char>(text[3])) << 24;
}

// Sections. "packed" is a packed table (packed_table.h) with the fields named.
constexpr std::uint32_t kInfo = tag("INFO");           // the module: texts, see write_info()
constexpr std::uint32_t kPages = tag("PAGE");          // u64 hash of each page
constexpr std::uint32_t kFunctions = tag("FUNC");      // packed: FunctionField
constexpr std::uint32_t kFunctionNames = tag("FMNG");  // packed: mangled+1, one per function
constexpr std::uint32_t kBuckets = tag("BUCK");  // u64 first, u64 end, u32 shift, packed: block
constexpr std::uint32_t kBlocks = tag("BLKS");   // packed: BlockField
constexpr std::uint32_t kRows = tag("ROWS");     // bytes: blocks of rows
constexpr std::uint32_t kNodes = tag("NODE");    // packed: NodeField
constexpr std::uint32_t kPublics = tag("PUBL");  // packed: PublicField
constexpr std::uint32_t kNearest = tag("NEAR");  // packed: NearestField
constexpr std::uint32_t kFiles = tag("FILE");    // packed: name
constexpr std::uint32_t kStrings = tag("STRX");  // packed: StringField, sorted by text
constexpr std::uint32_t kStringBlocks = tag("STRB");      // packed: StringBlockField
constexpr std::uint32_t kStringData = tag("STRD");        // bytes
constexpr std::uint32_t kStringDictionary = tag("STRC");  // bytes
constexpr std::uint32_t kUnwind = tag("UNWX");            // packed: UnwindField
constexpr std::uint32_t kUnwindRows = tag("UNWR");        // bytes
constexpr std::uint32_t kRuleSets = tag("RSET");          // packed: offset into kRuleSetData
constexpr std::uint32_t kRuleSetData = tag("RSED");       // bytes: uleb rule numbers
constexpr std::uint32_t kRules = tag("RULE");             // packed: offset into kRuleData
constexpr std::uint32_t kRuleData = tag("RULD");          // bytes: target, ops
constexpr std::uint32_t kFrameData = tag("WIN4");         // packed: StackWinField
constexpr std::uint32_t kFpo = tag("WIN0");               // packed: StackWinField

enum FunctionField : unsigned {
  kFunctionStart,
  kFunctionSize,
  kFunctionName,
  kFunctionParameters,
  kFunctionFirstNode,
  kFunctionFlags
};
constexpr std::uint64_t kFunctionMultiple = 1;

enum BlockField : unsigned { kBlockStart, kBlockOffset };
enum NodeField : unsigned { kNodeParent, kNodeName, kNodeFile, kNodeLine };
enum PublicField : unsigned {
  kPublicStart,
  kPublicName,
  kPublicParameters,
  kPublicMangled,
  kPublicFlags
};
enum NearestField : unsigned { kNearestStart, kNearestName };
enum StringField : unsigned { kStringBlock, kStringOffset };
enum StringBlockField : unsigned { kStringBlockOffset, kStringBlockPlainSize };
enum UnwindField : unsigned { kUnwindStart, kUnwindOffset };
enum StackWinField : unsigned {
  kWinStart,
  kWinSize,
  kWinParameters,
  kWinSaved,
  kWinLocals,
  kWinProgram,
  kWinBasePointer
};

// Row blocks. Each row: uleb(address delta << 2 | kind), then what the kind says.
constexpr unsigned kRowsPerBlock = 16;
constexpr unsigned kUnwindRowsPerSegment = 32;
enum RowKind : unsigned {
  kRowLine,     // uleb zigzag(line delta)
  kRowFile,     // uleb file+1, uleb zigzag(line delta)
  kRowNode,     // uleb(zigzag(node delta) << 1 | new file), [uleb file+1], uleb zigzag(line delta)
  kRowSpecial,  // uleb SpecialRow, …
};
enum SpecialRow : unsigned {
  kSpecialHole,            // nothing covers this
  kSpecialFunction,        // uleb function delta, uleb node, uleb file+1, uleb line
  kSpecialNoLine,          // uleb node: code without a line record
  kSpecialFunctionNoLine,  // uleb function delta, uleb node
};

// String blocks hold this much text, or one longer text alone.
constexpr std::size_t kStringBlockSize = 4 * 1024;
constexpr std::size_t kMaxStringBlockPlainSize = 4 * 1024 * 1024;
constexpr std::size_t kMaxDictionarySize = 112 * 1024;

}  // namespace symbols::index
