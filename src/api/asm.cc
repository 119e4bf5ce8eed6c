#include "api/asm.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "api/asm_question.h"
#include "api/door.h"
#include "api/profiler.h"
#include "api/read_access.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "disassemble/disassemble.h"
#include "extract/code_bytes.h"
#include "extract/identify.h"
#include "ident/paths.h"
#include "symbols/map.h"
#include "symstore/foreign_file.h"

// A request's way: its executable is wanted; when supply has it, a thread of ours finds the code;
// then its symbols are wanted; when they are there, or will not come, a thread of ours writes the
// answer. Without symbols there are no names behind jumps, and a function ends where `size` says.
namespace api {

using base::Error;
using base::Fault;
using base::Result;
using base::Rva;
using disassemble::Cpu;
using ident::Artifact;
using net::Answer;
using net::Request;

struct AsmWork::State {
  State(supply::Supply& from, supply::SymbolMaps& open, unsigned threads)
      : supply(from), maps(open), door(threads) {}

  supply::Supply& supply;
  supply::SymbolMaps& maps;
  std::atomic<std::size_t> taken{0};
  Door door;
};

AsmWork::AsmWork(supply::Supply& supply, supply::SymbolMaps& maps, unsigned threads)
    : state_(std::make_shared<State>(supply, maps, threads)) {}

AsmWork::~AsmWork() { state_->door.close(); }

namespace {

using Clock = std::chrono::steady_clock;
using Shared = std::shared_ptr<const SourcesOptions>;

// Left to net for sending the answer before its own deadline.
constexpr std::chrono::milliseconds kMargin{500};
constexpr std::uint64_t kForeignSizeMax = 1ull << 30;
// How often symbols are asked for that were forgotten or damaged when they were opened.
constexpr int kRoundsMax = 8;

// One request on its way.
struct Job {
  std::shared_ptr<AsmWork::State> work;
  Shared options;
  const Request* request = nullptr;  // there until the completer is
  std::shared_ptr<net::Completer> completer;
  Clock::time_point deadline;
  AsmQuestion question;
  std::shared_ptr<const base::MappedFile> file;
  extract::CodeBytes code;  // of `file`
  int rounds = 0;           // in which its symbols were asked for

  Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  ~Job() {
    if (work) --work->taken;
  }

  void complete(Answer answer) const {
    allow_page(*request, options->allowed_origin, answer);
    completer->complete(std::move(answer));
  }
  void fail(const Error& error) const { complete(profiler_failure(error)); }
  bool may_ask_again() const { return rounds < kRoundsMax && Clock::now() < deadline; }
};

// ---- the code ----

// The very file that supply has open; one of somebody else's share is read, since it may be cut
// short while it is mapped.
Result<std::shared_ptr<const base::MappedFile>> open_found(const supply::Found& found) {
  if (found.content()) {
    const base::Bytes bytes = base::bytes_of(*found.content());
    return base::MappedFile::from_bytes({bytes.begin(), bytes.end()});
  }
  if (found.file()->is_moved()) return Error{Fault::not_found, "only its symbols are here"};
  const base::Fd& fd = *found.fd();
  if (found.file()->is_foreign) {
    std::vector<std::uint8_t> bytes =
        TRY(symstore::read_foreign(fd, found.file()->path, kForeignSizeMax));
    return base::MappedFile::from_bytes(std::move(bytes));
  }
  return base::MappedFile::open("/proc/self/fd/" + std::to_string(fd.get()));
}

// Symbols go by the debug id, which who knows only the code id has not told.
std::optional<ident::SymbolRequest> index_of_file(const Job& job) {
  for (const extract::Identity& identity : extract::identify_all(job.file->bytes())) {
    if (identity.debug_id.is_nil()) continue;
    if (!identity.uuid.empty() && identity.uuid != job.question.uuid) continue;
    return ident::module_request(Artifact::index, "", identity.debug_id,
                                 job.question.executable.scope);
  }
  return std::nullopt;
}

std::optional<Cpu> cpu_of(const extract::CodeBytes& code) {
  if (code.arch == "x86") return Cpu::x86;
  if (code.arch == "x86_64") return Cpu::x86_64;
  if (code.arch == "arm64") return Cpu::arm64;
  if (code.arch == "arm") return code.is_thumb ? Cpu::thumb : Cpu::arm;
  return std::nullopt;
}

// ---- the answer ----

std::string_view arch_name(Cpu cpu) {
  switch (cpu) {
    case Cpu::x86:
      return "i686";
    case Cpu::x86_64:
      return "x86_64";
    case Cpu::arm64:
      return "aarch64";
    default:
      return "arm";
  }
}

std::string hex_text(std::uint64_t value) { return fmt::format("0x{:x}", value); }

// Names of places, for an answer about one section.
class Names {
 public:
  Names(std::shared_ptr<const symbols::Map> map, const extract::CodeBytes& code)
      : map_(std::move(map)), section_(code.section_start) {}

  // " <function+0x8>", or nothing.
  std::string text_of(Rva place, Rva section_end) {
    place.value &= kAsmAddressMax;
    if (!map_ || !map_->find(place, hit_)) return "";
    // A public symbol does not say where it ends: not behind its section.
    const bool is_in_section = section_ <= hit_.start && place < section_end;
    if (hit_.is_public && hit_.start != place && !is_in_section) return "";
    std::string text = " <" + std::string(hit_.physical.function);
    if (place != hit_.start) text.append("+").append(hex_text(place.value - hit_.start.value));
    return text.append(">");
  }

  // How far the function at `start` goes on; at most kAsmSizeMax.
  std::uint64_t size_to_end(Rva start, unsigned step) {
    if (!map_ || !map_->find(start, hit_)) return 0;
    const Rva function = hit_.start;
    std::array<Rva, 256> places;
    for (std::uint64_t size = 0; size < kAsmSizeMax;) {
      for (std::size_t i = 0; i < places.size(); ++i) {
        places[i] = Rva{start.value + size + i * step};
      }
      std::size_t inside = places.size();
      map_->find_many(places, [&](std::size_t index, const symbols::Hit* hit) {
        if (hit == nullptr || hit->start != function) inside = std::min(inside, index);
      });
      size += inside * step;
      if (inside != places.size()) return size;
    }
    return kAsmSizeMax;
  }

 private:
  std::shared_ptr<const symbols::Map> map_;
  Rva section_;
  symbols::Hit hit_;
};

Result<Answer> answer_of(const Job& job, std::shared_ptr<const symbols::Map> map) {
  const auto cpu = cpu_of(job.code);
  if (!cpu) {
    return Error{Fault::unsupported,
                 "there is no disassembler for the architecture " + job.code.arch};
  }
  const unsigned step = disassemble::alignment_of(*cpu);
  const Rva start = job.question.start;
  const Rva section_end{start.value + job.code.bytes.size()};
  Names names(std::move(map), job.code);
  std::uint64_t size = job.question.size;
  if (job.question.continues) size = std::max(size, names.size_to_end(start, step));
  size = std::min(size, kAsmSizeMax);
  const disassemble::Listing listing =
      TRY(disassemble::disassemble(*cpu, job.code.bytes, start, size));

  base::JsonWriter out;
  out.begin_object();
  out.key("startAddress").string(hex_text(start.value));
  out.key("size").string(hex_text(listing.size));
  out.key("arch").string(arch_name(*cpu));
  const bool is_x86 = *cpu == Cpu::x86 || *cpu == Cpu::x86_64;
  const bool has_c = *cpu == Cpu::x86_64;
  out.key("syntax").begin_array().string(is_x86 ? "Intel" : "ARM");
  if (has_c) out.string("C style");
  out.end_array();
  out.key("instructions").begin_array();
  for (const disassemble::Instruction& instruction : listing.instructions) {
    std::string name;
    if (instruction.target) name = names.text_of(*instruction.target, section_end);
    out.begin_array().unsigned_integer(instruction.offset);
    out.string(base::to_valid_utf8(instruction.text + name));
    if (has_c) out.string(base::to_valid_utf8(instruction.c_text + name));
    out.end_array();
  }
  out.end_array().end_object();
  Answer answer = Answer::json(200, out.take());
  answer.compressible = true;
  return answer;
}

// ---- the way ----

void ask_symbols(const std::shared_ptr<Job>& job);

// A damaged index is made again: when it is opened, or is known to be by what it lacked.
void write_answer(const std::shared_ptr<Job>& job) {
  using MapState = supply::SymbolMaps::Answer::State;
  supply::SymbolMaps::Answer found;
  if (job->question.index) {
    found = job->work->maps.open(*job->question.index);
    if (found.state == MapState::unknown && job->may_ask_again()) return ask_symbols(job);
  }
  Result<Answer> answer = answer_of(*job, found.map);
  if (found.map && found.map->is_damaged() && job->may_ask_again()) return ask_symbols(job);
  if (answer.ok()) {
    job->complete(*std::move(answer));
  } else {
    job->fail(answer.error());
  }
}

void ask_symbols(const std::shared_ptr<Job>& job) {
  ++job->rounds;
  job->work->supply.want({*job->question.index}, job->deadline,
                         [job] { job->work->door.post([job] { write_answer(job); }); });
}

Result<void> find_code(Job& job) {
  const supply::Found found = job.work->supply.local(job.question.executable);
  if (!found.settled()) return Error{Fault::timed_out, "the module's file is still on its way"};
  if (!found.here()) return found.miss();
  job.file = TRY(open_found(found));
  const auto bytes =
      found.content() || found.file()->is_foreign
          ? std::optional(job.file->bytes())
          : base::find_slice(job.file->bytes(), found.file()->offset, found.file()->size);
  if (!bytes) return Error{Fault::unavailable, "the module's file was cut short"};
  job.code = TRY(extract::find_code(*bytes, job.question.start, job.question.uuid));
  // A place in an instruction is none: the profiler names what it sampled.
  if (const auto cpu = cpu_of(job.code); cpu && disassemble::alignment_of(*cpu) > 1) {
    const std::uint64_t back = job.question.start.value % disassemble::alignment_of(*cpu);
    if (back != 0) {
      job.question.start = job.question.start - base::Size{back};
      job.code = TRY(extract::find_code(*bytes, job.question.start, job.question.uuid));
    }
  }
  if (!job.question.index) job.question.index = index_of_file(job);
  return {};
}

void ask_index(const std::shared_ptr<Job>& job) {
  if (auto found = find_code(*job); !found.ok()) {
    job->fail(found.error());
  } else if (job->question.index) {
    ask_symbols(job);
  } else {
    write_answer(job);
  }
}

void ask_executable(const std::shared_ptr<Job>& job) {
  job->work->supply.want({job->question.executable}, job->deadline,
                         [job] { job->work->door.post([job] { ask_index(job); }); });
}

net::Reply post_asm(const Request& request, const std::shared_ptr<AsmWork::State>& work,
                    const Shared& options) {
  const auto refuse = [&](int status, std::string_view what) {
    Answer answer = profiler_error(status, what);
    allow_page(request, options->allowed_origin, answer);
    return answer;
  };
  if (!options->find_reader(request) || !may_page_ask(request, options->allowed_origin)) {
    return refuse(403, "code is not for this page or this client");
  }
  auto question = parse_asm_question(request.body, scope_of(request));
  if (!question.ok()) return refuse(400, question.error().what);
  auto job = std::make_shared<Job>();
  job->work = work;
  if (++work->taken > kAsmTakenMax) {
    Answer answer = refuse(503, "too much is being disassembled: ask again in a moment");
    answer.headers.set("Retry-After", "2");
    return answer;
  }
  job->options = options;
  job->request = &request;
  job->question = *std::move(question);
  job->deadline = std::min(request.deadline - kMargin, Clock::now() + kProfilerPatience);
  return net::Later{[job](std::shared_ptr<net::Completer> completer) {
    job->completer = std::move(completer);
    ask_executable(job);
  }};
}

}  // namespace

void add_asm_routes(net::Router& router, const AsmWork& work, const SourcesOptions& given) {
  const auto options = std::make_shared<const SourcesOptions>(given);
  for (const char* const prefix : kScopePrefixes) {
    net::Route post;
    post.method = "POST";
    post.pattern = std::string(prefix) + "/asm/v1";
    post.body = net::BodyPolicy::memory(64 * 1024);
    post.handler = [state = work.state(), options](Request& request) {
      return post_asm(request, state, options);
    };
    router.add(std::move(post));

    net::Route preflight;
    preflight.method = "OPTIONS";
    preflight.pattern = std::string(prefix) + "/asm/v1";
    preflight.handler = [options](Request& request) -> net::Reply {
      Answer answer = Answer::text(204, "");
      allow_page(request, options->allowed_origin, answer);
      return answer;
    };
    router.add(std::move(preflight));
  }
}

}  // namespace api
