#include "net/content_coding.h"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <future>
#include <memory>

#include "base/text.h"

namespace net {
namespace {

using base::Error;
using base::Fault;
using base::Result;

constexpr int kGzipLevel = 1;
constexpr int kBrotliQuality = 2;
constexpr int kBrotliWindowBits = 20;
constexpr int kZstdLevel = 1;
constexpr std::size_t kOutSize = 64 * 1024;

Error no_memory() { return {Fault::unavailable, "no memory for the coding of an answer"}; }

// Feeds pieces in, gives what came out; one for each coding.
class Encoder {
 public:
  Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  virtual ~Encoder() = default;
  // Appends to `out`. With `last` the coding is ended.
  virtual Result<void> feed(std::string_view plain, bool last, std::string& out) = 0;
};

class GzipEncoder final : public Encoder {
 public:
  GzipEncoder() {
    ok_ = deflateInit2(&stream_, kGzipLevel, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~GzipEncoder() override {
    if (ok_) deflateEnd(&stream_);
  }
  Result<void> feed(std::string_view plain, bool last, std::string& out) override {
    if (!ok_) return no_memory();
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
    stream_.avail_in = static_cast<uInt>(plain.size());
    do {
      const std::size_t at = out.size();
      out.resize(at + kOutSize);
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + at);
      stream_.avail_out = kOutSize;
      deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH);
      out.resize(at + kOutSize - stream_.avail_out);
    } while (stream_.avail_out == 0);
    return {};
  }

 private:
  z_stream stream_{};
  bool ok_ = false;
};

class BrotliEncoder final : public Encoder {
 public:
  BrotliEncoder() : state_(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr)) {
    if (state_ == nullptr) return;
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_QUALITY, kBrotliQuality);
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_LGWIN, kBrotliWindowBits);
  }
  ~BrotliEncoder() override {
    if (state_ != nullptr) BrotliEncoderDestroyInstance(state_);
  }
  Result<void> feed(std::string_view plain, bool last, std::string& out) override {
    if (state_ == nullptr) return no_memory();
    std::size_t left = plain.size();
    const auto* from = reinterpret_cast<const std::uint8_t*>(plain.data());
    const auto operation = last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_PROCESS;
    do {
      std::size_t none = 0;
      if (!BrotliEncoderCompressStream(state_, operation, &left, &from, &none, nullptr, nullptr)) {
        return no_memory();
      }
      std::size_t size = 0;
      const std::uint8_t* const made = BrotliEncoderTakeOutput(state_, &size);
      out.append(reinterpret_cast<const char*>(made), size);
    } while (left > 0 || BrotliEncoderHasMoreOutput(state_));
    return {};
  }

 private:
  BrotliEncoderState* state_;
};

class ZstdEncoder final : public Encoder {
 public:
  ZstdEncoder() : context_(ZSTD_createCCtx()) {
    if (context_ != nullptr) {
      ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, kZstdLevel);
    }
  }
  ~ZstdEncoder() override { ZSTD_freeCCtx(context_); }
  Result<void> feed(std::string_view plain, bool last, std::string& out) override {
    if (context_ == nullptr) return no_memory();
    ZSTD_inBuffer in{plain.data(), plain.size(), 0};
    for (;;) {
      const std::size_t at = out.size();
      out.resize(at + kOutSize);
      ZSTD_outBuffer made{out.data() + at, kOutSize, 0};
      const std::size_t left =
          ZSTD_compressStream2(context_, &made, &in, last ? ZSTD_e_end : ZSTD_e_continue);
      out.resize(at + made.pos);
      if (ZSTD_isError(left) != 0) return no_memory();
      const bool done = last ? left == 0 : in.pos == in.size;
      if (done) return {};
    }
  }

 private:
  ZSTD_CCtx* context_;
};

std::unique_ptr<Encoder> encoder_of(ContentCoding coding) {
  switch (coding) {
    case ContentCoding::brotli:
      return std::make_unique<BrotliEncoder>();
    case ContentCoding::zstd:
      return std::make_unique<ZstdEncoder>();
    case ContentCoding::gzip:
    case ContentCoding::identity:
      break;
  }
  return std::make_unique<GzipEncoder>();
}

constexpr std::array kOurs{ContentCoding::zstd, ContentCoding::brotli, ContentCoding::gzip,
                           ContentCoding::identity};

// "q=0.25" → 250; 1000 without a weight, or with one that cannot be read.
unsigned weight_of(std::string_view parameters) {
  for (std::string_view one : base::split(parameters, ';')) {
    one = base::trim(one);
    if (one.size() < 3 || (one[0] != 'q' && one[0] != 'Q') || one[1] != '=') continue;
    const std::string_view number = one.substr(2);
    if (number[0] != '0') return 1000;
    unsigned weight = 0;
    unsigned unit = 100;
    for (const char c : number.substr(std::min<std::size_t>(2, number.size()))) {
      if (c < '0' || c > '9') break;
      weight += static_cast<unsigned>(c - '0') * unit;
      unit /= 10;
    }
    return weight;
  }
  return 1000;
}

}  // namespace

std::string_view name_of(ContentCoding coding) {
  switch (coding) {
    case ContentCoding::gzip:
      return "gzip";
    case ContentCoding::brotli:
      return "br";
    case ContentCoding::zstd:
      return "zstd";
    case ContentCoding::identity:
      break;
  }
  return "identity";
}

ContentCoding choose_coding(std::string_view accept_encoding) {
  if (accept_encoding.empty()) return ContentCoding::identity;
  constexpr unsigned kUnnamed = ~0u;
  std::array<unsigned, kOurs.size()> weights{kUnnamed, kUnnamed, kUnnamed, kUnnamed};
  unsigned star = kUnnamed;
  while (!accept_encoding.empty()) {
    const std::string_view one = accept_encoding.substr(0, accept_encoding.find(','));
    accept_encoding.remove_prefix(std::min(one.size() + 1, accept_encoding.size()));
    const std::size_t end = std::min(one.find(';'), one.size());
    std::string_view name = base::trim(one.substr(0, end));
    if (base::equal_ignoring_case(name, "x-gzip")) name = "gzip";
    const unsigned weight = weight_of(one.substr(end));
    if (name == "*") star = weight;
    for (std::size_t i = 0; i < kOurs.size(); ++i) {
      if (base::equal_ignoring_case(name, name_of(kOurs[i]))) weights[i] = weight;
    }
  }
  std::size_t best = kOurs.size() - 1;
  // Not named, identity is accepted, but least of all that is.
  unsigned best_weight = weights[best] == kUnnamed ? 0 : weights[best];
  for (std::size_t i = kOurs.size() - 1; i-- > 0;) {
    const unsigned weight = weights[i] == kUnnamed ? (star == kUnnamed ? 0 : star) : weights[i];
    if (weight == 0 || weight < best_weight) continue;
    best = i;
    best_weight = weight;
  }
  return kOurs[best];
}

Producer encoded_pieces(ContentCoding coding, Producer plain) {
  struct State {
    Producer plain;
    std::unique_ptr<Encoder> encoder;
    bool ended = false;
  };
  auto state = std::make_shared<State>();
  state->plain = std::move(plain);
  state->encoder = encoder_of(coding);
  return [state]() -> Result<std::string> {
    std::string packed;  // empty only at the end
    while (packed.empty() && !state->ended) {
      const std::string piece = TRY(state->plain());
      state->ended = piece.empty();
      TRY(state->encoder->feed(piece, state->ended, packed));
    }
    return packed;
  };
}

Producer encoded_pieces(ContentCoding coding, LaterProducer plain) {
  // Said, too, when who was asked forgets it.
  struct Asked {
    ~Asked() {
      if (!is_told) promise.set_value(base::Error{base::Fault::unavailable, "a piece was dropped"});
    }
    void tell(Result<std::string> piece) {
      is_told = true;
      promise.set_value(std::move(piece));
    }
    std::promise<Result<std::string>> promise;
    bool is_told = false;
  };
  const auto wait = [plain = std::move(plain)] {
    auto asked = std::make_shared<Asked>();
    auto piece = asked->promise.get_future();
    plain([asked = std::move(asked)](Result<std::string> came) { asked->tell(std::move(came)); });
    return piece.get();
  };
  return encoded_pieces(coding, Producer(wait));
}

Result<std::string> encode_text(ContentCoding coding, std::string_view plain) {
  std::string packed;
  TRY(encoder_of(coding)->feed(plain, true, packed));
  return packed;
}

}  // namespace net
