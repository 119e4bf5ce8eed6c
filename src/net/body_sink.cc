#include "net/body_sink.h"

#include <fmt/core.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <functional>

#include "base/assert.h"
#include "base/text.h"

namespace net {
namespace {

using base::Error;
using base::Fault;
using base::Result;

constexpr std::uint64_t kFreeExpansion = 64ull << 20;
constexpr std::uint64_t kExpansionRatioMax = 200;
constexpr std::uint64_t kIgnoredBodyMax = 64 * 1024;  // of requests whose route wants none
constexpr std::size_t kPieceSize = 64 * 1024;
constexpr int kZstdWindowLogMax = 23;  // 8 MiB, as RFC 9659 says

Error damaged(std::string_view coding) {
  return {Fault::malformed, fmt::format("the body's {} coding is damaged", coding)};
}
Error ended_early(std::string_view coding) {
  return {Fault::malformed, fmt::format("the body's {} coding ends early", coding)};
}

}  // namespace

// False: unpack no more for now.
using Keep = std::function<Result<bool>(std::string_view)>;

class Decoder {
 public:
  virtual ~Decoder() = default;
  // How much of `packed` is done with: all, or what came before `keep` said that it is enough.
  virtual Result<std::size_t> write(std::string_view packed, const Keep& keep) = 0;
  virtual Result<void> finish() = 0;
};

namespace {

// gzip with any number of members; deflate as zlib or, as some send it, raw.
class ZlibDecoder : public Decoder {
 public:
  explicit ZlibDecoder(Coding coding) : coding_(coding) {}
  ~ZlibDecoder() override {
    if (started_) inflateEnd(&stream_);
  }

  Result<std::size_t> write(std::string_view packed, const Keep& keep) override {
    if (!started_ && !packed.empty()) TRY(start(packed[0]));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream_.avail_in = static_cast<uInt>(packed.size());
    unsigned char piece[kPieceSize];
    bool full = false;
    bool enough = false;
    // What is left in the stream when nothing is left of `packed` is little: it comes at once.
    while ((stream_.avail_in > 0 && !enough) || (stream_.avail_in == 0 && full)) {
      if (ended_) TRY(next_member());
      stream_.next_out = piece;
      stream_.avail_out = kPieceSize;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) return damaged(name());
      const std::size_t size = kPieceSize - stream_.avail_out;
      const bool goes_on = TRY(keep({reinterpret_cast<const char*>(piece), size}));
      ended_ = status == Z_STREAM_END;
      full = stream_.avail_out == 0 && !ended_;
      enough = !goes_on;
    }
    return packed.size() - stream_.avail_in;
  }

  Result<void> finish() override {
    if (started_ && ended_) return {};
    return ended_early(name());
  }

 private:
  std::string_view name() const { return coding_ == Coding::gzip ? "gzip" : "deflate"; }

  Result<void> start(char first) {
    int window = 15 + 16;
    // A zlib stream begins with method 8 and a window of at most 32 KiB: 0x08 to 0x78.
    if (coding_ == Coding::deflate) window = (first & 0x8f) == 0x08 ? 15 : -15;
    if (inflateInit2(&stream_, window) != Z_OK) {
      return Error{Fault::unavailable, "no memory to undo the body's coding"};
    }
    started_ = true;
    return {};
  }

  Result<void> next_member() {
    if (coding_ != Coding::gzip) return damaged(name());
    if (inflateReset(&stream_) != Z_OK) return damaged(name());
    ended_ = false;
    return {};
  }

  Coding coding_;
  z_stream stream_{};
  bool started_ = false;
  bool ended_ = false;
};

class ZstdDecoder : public Decoder {
 public:
  ZstdDecoder() : stream_(ZSTD_createDCtx()) {
    if (stream_ != nullptr) {
      ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kZstdWindowLogMax);
    }
  }
  ~ZstdDecoder() override { ZSTD_freeDCtx(stream_); }
  ZstdDecoder(const ZstdDecoder&) = delete;
  ZstdDecoder& operator=(const ZstdDecoder&) = delete;

  Result<std::size_t> write(std::string_view packed, const Keep& keep) override {
    if (stream_ == nullptr) return Error{Fault::unavailable, "no memory to undo the body's coding"};
    unsigned char piece[kPieceSize];
    ZSTD_inBuffer in{packed.data(), packed.size(), 0};
    bool full = false;
    bool enough = false;
    while ((in.pos < in.size && !enough) || (in.pos == in.size && full)) {  // as above
      ZSTD_outBuffer out{piece, kPieceSize, 0};
      const std::size_t status = ZSTD_decompressStream(stream_, &out, &in);
      if (ZSTD_isError(status) != 0) return damaged("zstd");
      const bool goes_on = TRY(keep({reinterpret_cast<const char*>(piece), out.pos}));
      complete_ = status == 0;
      full = out.pos == kPieceSize && !complete_;
      enough = !goes_on;
    }
    return in.pos;
  }

  Result<void> finish() override {
    if (complete_) return {};
    return ended_early("zstd");
  }

 private:
  ZSTD_DCtx* stream_;
  bool complete_ = false;
};

}  // namespace

BodySink::BodySink(Coding coding, const BodyPolicy& policy) : coding_(coding), policy_(policy) {}
BodySink::~BodySink() = default;

Result<std::unique_ptr<BodySink>> BodySink::create(Coding coding, const BodyPolicy& policy,
                                                   const std::string& spool_directory) {
  std::unique_ptr<BodySink> sink(new BodySink(coding, policy));
  if (policy.where == BodyPolicy::Where::none) {
    sink->coding_ = Coding::identity;
    sink->policy_.size_max = kIgnoredBodyMax;
  }
  if (policy.budget != nullptr && policy.where == BodyPolicy::Where::memory) {
    sink->share_ = std::make_shared<BodyShare>(policy.budget);
  }
  if (policy.where == BodyPolicy::Where::file) {
    sink->file_ = TRY(base::PendingFile::create(spool_directory));
    if (policy.hashes_file) sink->hash_.emplace();
  }
  switch (sink->coding_) {
    case Coding::identity:
      break;
    case Coding::gzip:
    case Coding::deflate:
      sink->decoder_ = std::make_unique<ZlibDecoder>(coding);
      break;
    case Coding::zstd:
      sink->decoder_ = std::make_unique<ZstdDecoder>();
      break;
  }
  return sink;
}

Result<void> BodySink::write(std::string_view sent, std::uint64_t& room) {
  sent_ += sent.size();
  if (sent_ > policy_.size_max) {
    return Error{Fault::too_large, fmt::format("the body is larger than {}, the limit here",
                                               base::human_size(policy_.size_max))};
  }
  if (!decoder_) return keep(sent);
  if (rest_.empty()) {
    const std::size_t done = TRY(unpack(sent, room));
    rest_ = sent.substr(done);
  } else {
    rest_.append(sent);
    const std::size_t done = TRY(unpack(rest_, room));
    rest_.erase(0, done);
  }
  return {};
}

Result<std::size_t> BodySink::unpack(std::string_view packed, std::uint64_t& room) {
  if (room == 0) return std::size_t{0};
  return decoder_->write(packed, [&](std::string_view plain) -> Result<bool> {
    TRY(keep(plain));
    room -= std::min<std::uint64_t>(room, plain.size());
    return room > 0;
  });
}

Result<void> BodySink::keep(std::string_view plain) {
  if (policy_.where == BodyPolicy::Where::none) return {};
  plain_ += plain.size();
  std::uint64_t limit = std::max(kFreeExpansion, sent_ * kExpansionRatioMax);
  if (policy_.plain_size_max != 0) limit = std::min(limit, policy_.plain_size_max);
  const bool in_memory = policy_.where == BodyPolicy::Where::memory;
  if (policy_.plain_size_max == 0 && in_memory) limit = std::min(limit, policy_.size_max);
  // What was sent plain has met its limit already.
  if (decoder_ && plain_ > limit) {
    return Error{Fault::too_large, fmt::format("the body unpacks to more than {}, the limit here",
                                               base::human_size(limit))};
  }
  if (share_ != nullptr && !share_->grow_to(plain_)) {
    return Error{Fault::unavailable, "too many large requests at a time: ask again"};
  }
  if (in_memory) {
    memory_.append(plain);
    return {};
  }
  if (hash_) hash_->update(base::bytes_of(plain));
  return file_->append(base::bytes_of(plain));
}

Result<void> BodySink::finish(Request& request) {
  ASSERT(rest_.empty());
  if (decoder_) {
    TRY(decoder_->finish());
    request.headers.remove("Content-Encoding");
  }
  request.body = std::move(memory_);
  request.body_share = std::move(share_);
  if (file_) {
    if (hash_) file_->set_hash(hash_->finish());
    request.body_file = std::make_shared<BodyFile>(BodyFile{std::move(*file_)});
    file_.reset();
  }
  return {};
}

}  // namespace net
