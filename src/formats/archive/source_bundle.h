// A source bundle: the source files of one module in a zip behind a head of eight bytes, with a
// manifest that says whose they are and which path each had when it was compiled.
// Not a proof that the module names those paths: `sources` asks the symbols for that.
// Values own their memory; a bundle opened once may be read by any thread.
// open() fails with malformed (no bundle, damaged), too_large (a limit below) or unsupported.
// Format: docs/formats/source-bundle.md
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace archive {

constexpr std::uint64_t kBundleMembersMax = 200'000;
constexpr std::uint64_t kBundleManifestSizeMax = 32ull << 20;
// Brackets and commas of the manifest: some five of them for each file.
constexpr std::uint64_t kBundleManifestValuesMax = 1'200'000;

struct BundledFile {
  std::string member;  // its name in the zip
  std::string path;    // where the compiler read it
};

// What the manifest says of the module, in its own spelling; "" for what it does not say.
struct SourceBundle {
  std::string debug_id;
  std::string code_id;
  std::string object_name;
  std::string arch;
  std::vector<BundledFile> files;  // source files with a path; in the order of their names

  static bool has_magic(base::Bytes bytes);
  static base::Result<SourceBundle> open(base::Bytes bytes);
};

// The bytes of one member, of which nothing but itself is unpacked; not_found when there is none
// of that name, too_large when it has more than `size_max` bytes.
base::Result<std::string> read_bundled(base::Bytes bundle, std::string_view member,
                                       std::uint64_t size_max);

}  // namespace archive
