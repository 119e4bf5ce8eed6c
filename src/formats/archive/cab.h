// Microsoft cabinets: `foo.pd_` and its like, read from memory member by member, and written.
// The reader takes what libarchive takes: MSZIP, LZX and stored, several folders, reserved
// fields. Not read: Quantum, and cabinets that go on in another file. Names are as the cabinet
// spells them, maybe hostile. The writer makes what symstore's /compress makes: one cabinet, one
// folder, one member, packed with MSZIP.
// A CabReader views the bytes given to open(); keep those alive; one thread; once, front to back.
// Fails with malformed (no cabinet, damaged, a wrong checksum), unsupported (Quantum, spanned)
// or too_large (a limit; for the writer more than kCabPlainMax).
// Format: docs/formats/cab.md
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"

namespace archive {

struct CabLimits {
  std::uint64_t members_max = 1'000;
  std::uint64_t member_size_max = 8ull << 30;
  // Once this much has come out, the whole may not be larger than `ratio_max` times the cabinet.
  std::uint64_t ratio_free_size = 64ull << 20;
  std::uint64_t ratio_max = 200;
};

struct CabMember {
  std::string name;
  std::uint64_t size = 0;  // as the directory says
};

bool is_cab(base::Bytes bytes);  // by its first bytes

class CabReader {
 public:
  static base::Result<CabReader> open(base::Bytes bytes, const CabLimits& limits = {});
  CabReader(CabReader&&) noexcept;
  CabReader& operator=(CabReader&&) noexcept;
  ~CabReader();

  // How many the head promises.
  std::uint64_t member_count() const;
  // The next member, or nothing at the end.
  base::Result<std::optional<CabMember>> next();
  // The bytes of the member that next() gave, in pieces: as many as the directory says, or a
  // fault. Once, or not at all.
  using Sink = std::function<base::Result<void>(base::Bytes piece)>;
  base::Result<void> read(const Sink& sink);

 private:
  struct State;
  explicit CabReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The one member of a cabinet that holds one file, as compressed symbol stores have them.
// Fails as the reader does; malformed when there are several.
base::Result<CabMember> expand_cab(base::Bytes cab, const CabLimits& limits,
                                   const CabReader::Sink& sink);

// "foo.pd_" for "foo.pdb": the last letter gives way. "foo" becomes "foo_".
std::string cab_name_of(std::string_view name);
// Whether `name` is how symstore calls the compressed form of `plain`; case does not matter.
bool is_cab_name_of(std::string_view name, std::string_view plain);

// A cabinet counts blocks of 32 KiB in 16 bits.
constexpr std::uint64_t kCabPlainMax = 65'535ull * 32'768;

// Writes a cabinet with the member `name` to the end of `out`, which must be empty: memory is
// bounded, whatever the size of `plain`. `modified` is kept as UTC.
base::Result<void> write_cab(std::string_view name, base::Bytes plain, base::Time modified,
                             base::PendingFile& out);

}  // namespace archive
