#include "ingest/unpack.h"

#include <sys/stat.h>

#include <array>
#include <functional>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "extract/identify.h"
#include "formats/archive/cab.h"
#include "ingest/debian_source.h"
#include "ingest/source_pack.h"
#include "store/data_directory.h"

namespace ingest {

using archive::ArchiveReader;
using archive::Member;
using base::Bytes;
using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::size_t kHeadSize = 4096;  // enough to know what kind of file a member is

// One member while it comes: its first bytes decide whether it goes to a file of its own, waits
// in memory as a source, or is let go.
class Intake {
 public:
  Intake(const UnpackJob& job, std::string file, bool may_be_source)
      : job_(job), file_name_(std::move(file)), may_be_source_(may_be_source) {}

  Result<void> take(Bytes piece) {
    if (file_) return append(piece);
    held_.insert(held_.end(), piece.begin(), piece.end());
    if (!decided_ && held_.size() >= kHeadSize) TRY(decide());
    if (decided_ && !file_ && held_.size() > kSourceSizeMax) may_be_source_ = false;
    if (decided_ && !file_ && !may_be_source_) return Error{Fault::too_large, kEnough};
    return {};
  }
  Result<void> end() { return decided_ ? Result<void>() : decide(); }

  bool is_file() const { return file_.has_value(); }
  bool is_source() const { return !file_ && may_be_source_; }
  Bytes held() const { return held_; }
  // The member's time goes along: it is what Last-Modified tells.
  Result<void> keep(std::int64_t modified_s) {
    const std::array<timespec, 2> times{{{modified_s, 0}, {modified_s, 0}}};
    if (modified_s > 0 && ::futimens(file_->fd(), times.data()) != 0) {
      return base::error_from_errno(errno, "cannot set the time of", file_name_);
    }
    return file_->rename_to(base::join_path(job_.directory, file_name_));
  }

  static constexpr const char* kEnough = "enough was read";

 private:
  Result<void> decide() {
    decided_ = true;
    if (!job_.only && !may_be_debug_file(held_)) return {};
    if (store::free_bytes(job_.directory) < job_.disk_free_min) {
      return Error{Fault::unavailable, std::string(kTooFullToUnpack) + job_.archive};
    }
    file_ = TRY(base::PendingFile::create(job_.directory));
    return append(held_);
  }
  Result<void> append(Bytes piece) { return file_->append(piece); }

  const UnpackJob& job_;
  std::string file_name_;
  bool may_be_source_;
  bool decided_ = false;
  std::vector<std::uint8_t> held_;
  std::optional<base::PendingFile> file_;
};

// The directory that holds all members so far, and this one.
void narrow_root(const std::string& name, bool is_directory, bool is_first, std::string& root) {
  if (name.empty()) return;
  const auto end = name.find('/', 1);
  const bool is_inside = end != std::string::npos || is_directory;
  const std::string own = is_inside ? name.substr(0, end) : "";
  if (is_first || root != own) root = is_first ? own : "";
}

using Read = std::function<Result<void>(const ArchiveReader::Sink& sink)>;

// True: go on with the next member.
Result<bool> take_member(const UnpackJob& job, const Read& read, const Member& member,
                         SourcePack& sources, Unpacked& unpacked) {
  if (member.kind != Member::Kind::file) return true;
  if (job.only && *job.only != member.ordinal) return true;
  const std::string name = fold_member_name(member.name);
  Intake intake(job, std::to_string(member.ordinal), !job.only && is_source_path(name));
  const Result<void> done = read([&](Bytes piece) { return intake.take(piece); });
  if (!done.ok() && done.error().what == Intake::kEnough) return true;
  TRY(std::move(done));
  TRY(intake.end());
  if (intake.is_file()) {
    TRY(intake.keep(member.modified_s));
    const bool is_hostile = name.empty() && !member.name.empty();
    unpacked.members.push_back({is_hostile ? "/" + std::to_string(member.ordinal) : name,
                                member.ordinal, std::to_string(member.ordinal)});
  } else if (intake.is_source()) {
    TRY(sources.add(name, intake.held()));
  }
  return !job.only;
}

Result<void> read_members(const UnpackJob& job, ArchiveReader& reader, SourcePack& sources,
                          Unpacked& unpacked) {
  const Read read = [&](const ArchiveReader::Sink& sink) { return reader.read(sink); };
  bool is_first = true;
  for (;;) {
    const std::optional<Member> member = TRY(reader.next());
    if (!member) return {};
    const std::string name = fold_member_name(member->name);
    narrow_root(name, member->kind == Member::Kind::directory, is_first, unpacked.root);
    is_first = is_first && name.empty();
    const bool more = TRY(take_member(job, read, *member, sources, unpacked));
    if (!more) return {};
  }
}

archive::CabLimits cab_limits(const archive::Limits& limits) {
  archive::CabLimits cab;
  cab.member_size_max = limits.member_size_max;
  cab.ratio_free_size = limits.ratio_free_size;
  cab.ratio_max = limits.ratio_max;
  return cab;
}

Result<void> read_cabinet(const UnpackJob& job, archive::CabReader& reader, SourcePack& sources,
                          Unpacked& unpacked) {
  const Read read = [&](const ArchiveReader::Sink& sink) { return reader.read(sink); };
  for (std::uint64_t ordinal = 0;; ++ordinal) {
    const std::optional<archive::CabMember> member = TRY(reader.next());
    if (!member) return {};
    const Member file{Member::Kind::file, member->name, ordinal, 0};
    const bool more = TRY(take_member(job, read, file, sources, unpacked));
    if (!more) return {};
  }
}

// A fault before the first member is the archive's; a later one is `done`, and what came counts.
Result<void> read_all(const UnpackJob& job, Bytes bytes, const archive::Limits& limits,
                      SourcePack& sources, Unpacked& unpacked, Result<void>& done) {
  if (archive::is_cab(bytes)) {
    archive::CabReader reader = TRY(archive::CabReader::open(bytes, cab_limits(limits)));
    done = read_cabinet(job, reader, sources, unpacked);
    return {};
  }
  ArchiveReader reader = TRY(ArchiveReader::open(bytes, limits, archive::Reads::single_files_too));
  done = read_members(job, reader, sources, unpacked);
  return {};
}

}  // namespace

bool is_too_full_to_unpack(const Error& error) {
  return error.fault == Fault::unavailable &&
         error.what.find(kTooFullToUnpack) != std::string::npos;
}

bool may_be_debug_file(Bytes head) {
  using Kind = extract::FileKind;
  const Kind kind = extract::identify(head).kind;
  return kind == Kind::elf || kind == Kind::pe || kind == Kind::pdb || kind == Kind::macho ||
         kind == Kind::portable_pdb || kind == Kind::wasm || kind == Kind::perf_map ||
         kind == Kind::breakpad_sym;
}

std::string fold_member_name(std::string_view name) {
  std::string folded;
  for (const std::string_view part : base::split(name, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return "";
    folded.append("/").append(base::to_valid_utf8(part));
  }
  return folded;
}

Result<Unpacked> unpack(const UnpackJob& job, const archive::Limits& limits) {
  const auto file = TRY(base::MappedFile::open(job.archive));
  SourcePack sources = TRY(SourcePack::create(job.directory));
  Unpacked unpacked;
  Result<void> done;
  if (!job.only) {
    if (const auto control = archive::find_package_control(file->bytes(), limits)) {
      TRY(sources.add(std::string(kDebianControl), base::bytes_of(*control)));
    }
  }
  TRY(read_all(job, file->bytes(), limits, sources, unpacked, done));
  if (!done.ok()) {
    const Fault fault = done.error().fault;
    if (fault == Fault::unavailable || fault == Fault::internal) return done.error();
    const bool is_limit = fault == Fault::unsupported || fault == Fault::too_large;
    if (is_limit && unpacked.members.empty()) return done.error();
    unpacked.problem = done.error().what;
  }
  unpacked.sources = TRY(sources.finish(base::join_path(job.directory, kPackName)));
  return unpacked;
}

std::string json_of(const Unpacked& unpacked) {
  base::JsonWriter out;
  out.begin_object().key("problem").string(unpacked.problem);
  out.key("root").string(unpacked.root);
  out.key("members").begin_array();
  for (const UnpackedMember& member : unpacked.members) {
    out.begin_object().key("name").string(member.name);
    out.key("ordinal").unsigned_integer(member.ordinal);
    out.key("file").string(member.file).end_object();
  }
  out.end_array().key("sources").begin_array();
  for (const store::PackedSource& source : unpacked.sources) {
    out.begin_array().string(source.path);
    for (const std::uint64_t number :
         {source.at, source.packed_size, source.plain_size, source.skip, source.size}) {
      out.unsigned_integer(number);
    }
    out.end_array();
  }
  out.end_array().end_object();
  return out.take();
}

Result<Unpacked> unpacked_from_json(std::string_view json) {
  const base::JsonValue list = TRY(base::JsonValue::parse(json));
  Unpacked unpacked;
  unpacked.problem = std::string(list["problem"].text_or(""));
  unpacked.root = std::string(list["root"].text_or(""));
  const auto number = [](const base::JsonValue& value) {
    return static_cast<std::uint64_t>(value.integer_or(0));
  };
  for (std::size_t i = 0; i < list["members"].size(); ++i) {
    const base::JsonValue& member = list["members"].at(i);
    UnpackedMember one;
    one.name = std::string(member["name"].text_or(""));
    one.ordinal = number(member["ordinal"]);
    one.file = std::string(member["file"].text_or(""));
    if (!base::parse_decimal(one.file)) {
      return Error{Fault::internal, "unpack-one: a file is called " + one.file};
    }
    unpacked.members.push_back(std::move(one));
  }
  for (std::size_t i = 0; i < list["sources"].size(); ++i) {
    const base::JsonValue& source = list["sources"].at(i);
    unpacked.sources.push_back({std::string(source.at(0).text_or("")), number(source.at(1)),
                                number(source.at(2)), number(source.at(3)), number(source.at(4)),
                                number(source.at(5))});
  }
  return unpacked;
}

}  // namespace ingest
