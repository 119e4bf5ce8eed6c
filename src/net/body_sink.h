// Where a request's body goes while it arrives: its Content-Encoding is undone, its size held
// against the route's policy, the bytes kept in memory or written to a file.
// Memory stays constant for files however large they are. Belongs to one connection.
// Fails with too_large (a limit: 413), malformed (damaged or incomplete coding: 400), or
// unavailable (the disk, or the routes' budget is spent: 503). Source: RFC 9110 section 8.4
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/sha256.h"
#include "net/body_budget.h"
#include "net/http.h"
#include "net/request_head.h"

namespace net {

class Decoder;  // a stream of gzip, deflate or zstd

class BodySink {
 public:
  static base::Result<std::unique_ptr<BodySink>> create(Coding coding, const BodyPolicy& policy,
                                                        const std::string& spool_directory);
  ~BodySink();
  // Unpacks no more than about `room`, which becomes so much less: what is left of `sent` then is
  // the rest. A small piece may unpack to much, and who calls has others to serve.
  base::Result<void> write(std::string_view sent, std::uint64_t& room);
  bool has_rest() const { return !rest_.empty(); }  // write() goes on with it first
  // The body is complete: moves it into the request. Once. REQUIRES: no rest.
  base::Result<void> finish(Request& request);
  std::uint64_t sent_size() const { return sent_; }
  bool has_share() const { return share_ && share_->size() > 0; }  // of a budget

 private:
  BodySink(Coding coding, const BodyPolicy& policy);
  base::Result<std::size_t> unpack(std::string_view packed, std::uint64_t& room);
  base::Result<void> keep(std::string_view plain);

  Coding coding_;
  BodyPolicy policy_;
  std::unique_ptr<Decoder> decoder_;
  std::uint64_t sent_ = 0;
  std::uint64_t plain_ = 0;
  std::string rest_;  // sent, not yet unpacked
  std::string memory_;
  std::shared_ptr<BodyShare> share_;  // null: no budget
  std::optional<base::PendingFile> file_;
  std::optional<base::Sha256Stream> hash_;
};

}  // namespace net
