#include "formats/minidump/minidump.h"

#include <gtest/gtest.h>

#include "formats/minidump/streams.h"
#include "testing/assembler.h"

namespace {

using testing_support::Assembler;
using testing_support::Label;

// A dump with one stream, whose bytes `fill` puts down.
template <class Fill>
std::vector<std::uint8_t> dump_with(std::uint32_t type, Fill fill,
                                    base::Endian endian = base::Endian::little) {
  Assembler a(endian);
  Label start, size;
  a.u32(0x504d444d).u32(0xa793).u32(1).u32(32).u32(0).u32(0x50000000).u64(0);
  a.u32(type).u32(size).u32(start).mark(start);
  const std::uint64_t before = a.here();
  fill(a);
  size.set(a.here() - before);
  return a.finish();
}

std::string error_of(const std::vector<std::uint8_t>& bytes) {
  const auto dump = minidump::Minidump::open(bytes);
  return dump.ok() ? "" : dump.error().what.substr(0, dump.error().what.find(' '));
}

TEST(Minidump, RefusalsHaveTheNamesThatConsumersKnow) {
  const auto good = dump_with(3, [](Assembler& a) { a.u32(0); });
  EXPECT_EQ("", error_of(good));
  EXPECT_EQ("MissingHeader", error_of({}));
  EXPECT_EQ("MissingHeader", error_of({good.begin(), good.begin() + 31}));
  EXPECT_EQ("MissingDirectory", error_of({good.begin(), good.begin() + 43}));
  auto bytes = good;
  bytes[0] = 'X';
  EXPECT_EQ("HeaderMismatch", error_of(bytes));
  bytes = good;
  bytes[4] = 0;
  EXPECT_EQ("VersionMismatch", error_of(bytes));
  bytes = good;
  bytes[11] = 0xff;  // four billion streams
  EXPECT_EQ("MissingDirectory", error_of(bytes));
}

TEST(Minidump, TheHighHalfOfTheVersionIsTheWriters) {
  auto bytes = dump_with(3, [](Assembler& a) { a.u32(0); });
  bytes[6] = 0x12;
  EXPECT_EQ("", error_of(bytes));
}

TEST(Minidump, TheLastStreamOfATypeWins) {
  Assembler a;
  Label first, second;
  a.u32(0x504d444d).u32(0xa793).u32(2).u32(32).u64(0).u64(0);
  a.u32(9).u32(1).u32(first).u32(9).u32(1).u32(second);
  a.mark(first).u8('a').mark(second).u8('b');
  const auto bytes = a.finish();
  const auto dump = minidump::Minidump::open(bytes);
  ASSERT_TRUE(dump.ok());
  EXPECT_EQ("b", base::text_of(dump->find_stream(9).value()));
}

// A thread as its record has it, with no stack and no context.
void put_thread(Assembler& a, std::uint32_t id) {
  a.u32(id).u32(0).u32(0).u32(0).u64(0).u64(0).u64(0).u64(0);
}

TEST(MinidumpLists, FourBytesOfPaddingAreAllowedAndNothingElse) {
  struct Row {
    const char* name;
    std::size_t before, after;  // bytes of padding
    bool accepted;
  };
  for (const Row& row :
       {Row{"none", 0, 0, true}, Row{"four before", 4, 0, true}, Row{"three before", 3, 0, false},
        Row{"eight before", 8, 0, false}, Row{"one after", 0, 1, false}}) {
    const auto bytes = dump_with(minidump::kThreadList, [&](Assembler& a) {
      a.u32(1).repeat(0, row.before);
      put_thread(a, 7);
      a.repeat(0, row.after);
    });
    const auto dump = minidump::Minidump::open(bytes);
    ASSERT_TRUE(dump.ok());
    const auto threads = minidump::parse_thread_list(*dump);
    EXPECT_EQ(row.accepted, threads.ok()) << row.name;
    if (threads.ok()) {
      EXPECT_EQ(7u, threads->front().id) << row.name;
    }
  }
}

TEST(MinidumpLists, AHugeCountIsRefusedBeforeAnythingIsAllocated) {
  const auto bytes = dump_with(minidump::kThreadList, [](Assembler& a) { a.u32(0xffffffff); });
  const auto dump = minidump::Minidump::open(bytes);
  ASSERT_TRUE(dump.ok());
  EXPECT_FALSE(minidump::parse_thread_list(*dump).ok());
}

TEST(MinidumpLists, ExListsAcceptALongerHeaderAndOnlyTheKnownEntrySize) {
  const auto count_of = [](std::uint32_t header, std::uint32_t entry) {
    const auto bytes = dump_with(minidump::kMemoryInfoList, [&](Assembler& a) {
      a.u32(header).u32(entry).u64(1).repeat(0, header < 16 ? 0 : header - 16).repeat(0, entry);
    });
    const auto dump = minidump::Minidump::open(bytes);
    const auto list = minidump::parse_memory_info_list(*dump);
    return list.ok() ? static_cast<int>(list->size()) : -1;
  };
  EXPECT_EQ(1, count_of(16, 48));
  EXPECT_EQ(1, count_of(24, 48));
  EXPECT_EQ(-1, count_of(15, 48));
  EXPECT_EQ(-1, count_of(16, 56));
  EXPECT_EQ(-1, count_of(16, 0));
}

TEST(MinidumpHandles, ADescriptorOfNoSizeIsRefused) {
  const auto bytes = dump_with(minidump::kHandleData,
                               [](Assembler& a) { a.u32(16).u32(0).u32(0x56000000).u32(0); });
  const auto dump = minidump::Minidump::open(bytes);
  EXPECT_FALSE(minidump::parse_handle_data(*dump).ok());
}

TEST(MinidumpStrings, StringsFromOneDumpHaveABudget) {
  Assembler a;
  a.u32(0x504d444d).u32(0xa793).u32(0).u32(32).u64(0).u64(0);
  const std::uint64_t place = a.here();
  a.u32(1u << 20).repeat('x', 1u << 20);
  const auto bytes = a.finish();
  const auto dump = minidump::Minidump::open(bytes);
  ASSERT_TRUE(dump.ok());
  int read = 0;
  while (read < 1000 && dump->find_utf16(place)) ++read;
  EXPECT_EQ(64, read);
}

TEST(Minidump, BothByteOrdersSayTheSame) {
  for (const auto endian : {base::Endian::little, base::Endian::big}) {
    const auto bytes = dump_with(
        minidump::kSystemInfo,
        [](Assembler& a) {
          Label csd;
          a.u16(5).u16(7).u16(0x102).u8(4).u8(1).u32(10).u32(1).u32(2).u32(0x8203).u32(csd).u32(0);
          a.u32(0x4100c080).u32(0x3).repeat(0, 16).mark(csd).u32(4).utf16("SP");
        },
        endian);
    const auto dump = minidump::Minidump::open(bytes);
    ASSERT_TRUE(dump.ok());
    EXPECT_EQ(endian, dump->endian());
    const auto info = minidump::parse_system_info(*dump);
    ASSERT_TRUE(info.ok());
    EXPECT_EQ(5, info->architecture);
    EXPECT_EQ(0x8203u, info->platform);
    EXPECT_EQ("SP", info->csd);
    EXPECT_EQ(0x80, info->cpu[0]);
    EXPECT_EQ(0x41, info->cpu[3]);
    EXPECT_EQ(3, info->cpu[4]);
  }
}

TEST(MinidumpException, MoreParametersThanThereIsRoomForAreNotRead) {
  const auto bytes = dump_with(minidump::kException, [](Assembler& a) {
    a.u32(1).u32(0).u32(0xc0000005).u32(0).u64(0).u64(0x1234).u32(99).u32(0);
    for (std::uint64_t i = 0; i < 15; ++i) a.u64(i);
    a.u64(0);
  });
  const auto dump = minidump::Minidump::open(bytes);
  const auto exception = minidump::parse_exception(*dump);
  ASSERT_TRUE(exception.ok());
  EXPECT_EQ(99u, exception->parameter_count);
  EXPECT_EQ(14u, exception->parameters.back());
}

}  // namespace
