#include "api/submission_from_parts.h"

#include <algorithm>
#include <optional>

#include "api/json_members.h"
#include "base/codec.h"
#include "base/sha256.h"
#include "base/text.h"

namespace api {
namespace {

using base::Bytes;
using reports::FileKind;

constexpr std::string_view kDumpName = "upload_file_minidump";
constexpr int kLayersMax = 3;  // packed in packed in packed: enough for honest clients
constexpr std::size_t kNotesMax = 100;
// All that may be unpacked, of what may be kept: for dumps that pass the limit, or prove damaged.
constexpr std::uint64_t kWorkRatio = 3;
constexpr std::uint64_t kBestRatio = 32 * 1024;  // zstd's: a block of 128 KiB in four bytes

bool starts_with(Bytes bytes, std::string_view start) {
  return base::text_of(bytes).substr(0, start.size()) == start;
}

bool is_dump(const net::Part& part) {
  return part.name.substr(0, kDumpName.size()) == kDumpName || starts_with(part.body, "MDMP");
}

bool is_json_annotations(const net::Part& part) {
  return net::parse_media_type(part.content_type).type == "application/json" &&
         (part.name == "extra" || !part.filename);
}

// What may stand in lists and links: UTF-8 without control characters.
std::string clean_name(std::string_view name) {
  std::string clean;
  for (const char c : base::to_valid_utf8(name)) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if (control) {
      clean += "\xef\xbf\xbd";
    } else {
      clean += c;
    }
  }
  return clean;
}

// A file name is text for people and never a path of ours. One that climbs loses its folders all
// the same: the next program it meets may be less careful.
std::string harmless_file_name(const std::string& name) {
  std::string clean = clean_name(name);
  if (clean.find("..") != std::string::npos || clean.find('/') != std::string::npos) {
    clean = base::basename_of(clean);
  }
  return clean == "." || clean == ".." ? "" : clean;
}

// ISO 8859-1 is Unicode's first page; other charsets keep their bytes.
std::string decode_charset(const net::Part& part) {
  const std::string_view bytes = base::text_of(part.body);
  const net::MediaType type = net::parse_media_type(part.content_type);
  const std::string charset = base::lower_ascii(type.find("charset").value_or(""));
  if (charset != "iso-8859-1" && charset != "latin1") return std::string(bytes);
  std::string text;
  for (const char c : bytes) base::append_utf8(text, static_cast<unsigned char>(c));
  return text;
}

class Taking {
 public:
  explicit Taking(const SubmissionLimits& limits)
      : limits_(limits),
        room_left_(limits.unpacked_size_max),
        work_left_(kWorkRatio * limits.unpacked_size_max) {}

  std::optional<Refusal> take(const std::vector<net::Part>& parts, int layer) {
    for (const net::Part& part : parts) {
      if (part.name.empty()) {
        note("a part without a name was dropped");
      } else if (is_dump(part)) {
        if (auto refused = take_dump(part, layer)) return refused;
      } else if (is_json_annotations(part)) {
        if (auto refused = take_json(part)) return refused;
      } else if (part.filename) {
        take_file(FileKind::attachment, part, part.body, "");
      } else {
        had_text_ = true;
        add_annotation(part.name, decode_charset(part));
      }
    }
    return std::nullopt;
  }

  std::variant<TakenApart, Refusal> finish() {
    for (const reports::Annotation& annotation : taken_.submission.annotations) {
      // Only an authenticated forwarder may choose the id; there is none yet.
      if (annotation.name == "uuid") return Refusal{401, "unauthorized_uuid"};
    }
    if (taken_.submission.annotations.empty()) return Refusal{400, "malformed_no_annotations"};
    if (had_text_ && had_json_) note("annotations came both as JSON and as text parts");
    return std::move(taken_);
  }

 private:
  void note(std::string text) {
    auto& notes = taken_.submission.notes;
    if (notes.size() < kNotesMax) notes.push_back(std::move(text));
  }

  void add_annotation(std::string_view sent_name, std::string value) {
    const std::string name = clean_name(sent_name);
    if (value.size() > limits_.annotation_size_max) {
      note("annotation " + name + " was cut from " + std::to_string(value.size()) + " to " +
           std::to_string(limits_.annotation_size_max) + " bytes");
      value.resize(limits_.annotation_size_max);
    }
    auto& all = taken_.submission.annotations;
    const auto same = [&](const reports::Annotation& other) { return other.name == name; };
    const auto known = std::find_if(all.begin(), all.end(), same);
    if (known == all.end()) {
      all.push_back({name, std::move(value)});
    } else {
      note("annotation " + name + " came twice; the later value counts");
      known->value = std::move(value);
    }
  }

  // Socorro's way: JSON replaces what came before it, text parts after it are added.
  std::optional<Refusal> take_json(const net::Part& part) {
    auto members = split_json_object(base::text_of(part.body));
    if (!members.ok()) {
      return Refusal{400, members.error().fault == base::Fault::unsupported
                              ? "malformed_invalid_json_value"
                              : "malformed_invalid_json"};
    }
    taken_.submission.annotations.clear();
    had_json_ = true;
    for (JsonMember& member : *members) add_annotation(member.name, std::move(member.value));
    return std::nullopt;
  }

  void take_file(FileKind kind, const net::Part& part, Bytes bytes, std::string sent_sha256) {
    taken_.submission.files.push_back(
        {kind, clean_name(part.name), harmless_file_name(part.filename.value_or("")),
         clean_name(part.content_type), bytes, std::move(sent_sha256)});
  }

  std::optional<Refusal> take_dump(const net::Part& part, int layer) {
    Bytes bytes = part.body;
    for (int packed = 0; packed < kLayersMax && !starts_with(bytes, "MDMP"); ++packed) {
      auto plain = unpack(bytes);
      if (!plain) break;
      if (packed > 0) drop_last_unpacked();  // the layer around it
      room_left_ -= plain->size();
      taken_.unpacked.push_back(std::move(*plain));
      bytes = taken_.unpacked.back();
    }
    if (starts_with(bytes, "--") && layer == 0) {
      if (auto inner = parse_nested(bytes)) return take_nested(part, *inner, layer);
    }
    const bool changed = bytes.data() != part.body.data();
    take_file(FileKind::dump, part, bytes, changed ? base::sha256_of(part.body).hex() : "");
    return std::nullopt;
  }

  void drop_last_unpacked() {
    room_left_ += taken_.unpacked.back().size();
    taken_.unpacked.pop_back();
  }

  // Nothing when the bytes are not packed, or pass the limit: then they are kept as sent.
  std::optional<std::vector<std::uint8_t>> unpack(Bytes bytes) {
    const std::uint64_t size_max = std::min(room_left_, work_left_);
    auto plain = base::Result<std::vector<std::uint8_t>>(base::Error{});
    if (starts_with(bytes, "\x1f\x8b")) {
      plain = base::gunzip(bytes, size_max);
    } else if (starts_with(bytes, "\x28\xb5\x2f\xfd")) {
      plain = base::decompress_zstd(bytes, size_max);
    } else {
      return std::nullopt;
    }
    work_left_ -= plain.ok() ? plain->size() : std::min(size_max, bytes.size() * kBestRatio);
    if (!plain.ok()) {
      note("a packed dump was kept as sent: " + plain.error().what);
      return std::nullopt;
    }
    return std::move(plain).value();
  }

  static std::optional<std::vector<net::Part>> parse_nested(Bytes bytes) {
    const std::string_view text = base::text_of(bytes);
    const auto line_end = text.find("\r\n");
    if (line_end == std::string_view::npos || line_end <= 2) return std::nullopt;
    auto parts = net::parse_multipart(text.substr(2, line_end - 2), bytes);
    if (!parts.ok()) return std::nullopt;
    return std::move(parts).value();
  }

  std::optional<Refusal> take_nested(const net::Part& outer, const std::vector<net::Part>& inner,
                                     int layer) {
    note("the dump came inside a multipart body of its own");
    const std::size_t before = taken_.submission.files.size();
    if (auto refused = take(inner, layer + 1)) return refused;
    const std::string sent = base::sha256_of(outer.body).hex();
    for (std::size_t i = before; i < taken_.submission.files.size(); ++i) {
      taken_.submission.files[i].sent_sha256 = sent;
    }
    return std::nullopt;
  }

  const SubmissionLimits& limits_;
  std::uint64_t room_left_;  // for what is unpacked and kept
  std::uint64_t work_left_;  // for all that is unpacked
  TakenApart taken_;
  bool had_text_ = false;
  bool had_json_ = false;
};

}  // namespace

std::variant<TakenApart, Refusal> submission_from_parts(const std::vector<net::Part>& parts,
                                                        const SubmissionLimits& limits) {
  Taking taking(limits);
  if (auto refused = taking.take(parts, 0)) return *refused;
  return taking.finish();
}

}  // namespace api
