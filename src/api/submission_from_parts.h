// The parts of a multipart crash report → what reports::Intake keeps.
//
//   name starts with upload_file_minidump, or the bytes with MDMP    → a dump
//   application/json and named extra, or without a file name         → annotations, one a member
//   any other part with a file name                                  → an attachment
//   the rest                                                         → one annotation
//
// A dump that is packed (gzip, zstd) or itself a multipart body (Electron on Linux, once) is
// unpacked; both hashes are kept. One that would pass the limit is kept as sent. Annotations that
// come twice: the later one counts, with a note. Views point into the parts and into `unpacked`.
// Pure. Fails with a Refusal in the words of Socorro's collector. Format: docs/protocols/submit.md
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "net/multipart.h"
#include "reports/report.h"

namespace api {

struct SubmissionLimits {
  std::size_t annotation_size_max = 1u << 20;      // longer values are cut, and marked
  std::uint64_t unpacked_size_max = 200ull << 20;  // of all dumps together
};

struct TakenApart {
  reports::Submission submission;
  std::list<std::vector<std::uint8_t>> unpacked;  // what the submission's views may point into
};

struct Refusal {
  int status = 400;
  std::string reason;  // "malformed_no_annotations"
};

std::variant<TakenApart, Refusal> submission_from_parts(const std::vector<net::Part>& parts,
                                                        const SubmissionLimits& limits = {});

}  // namespace api
