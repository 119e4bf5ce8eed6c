#include "api/request_statistics.h"

#include <algorithm>
#include <vector>

#include "base/json.h"

namespace api {

using base::JsonWriter;
using symbolicate::AskedFrame;
using symbolicate::AskedModule;
using symbolicate::Job;

namespace {

using Clock = RequestStatistics::Clock;

// Of modules that are named one by one: more were made up by somebody.
constexpr std::size_t kNamedMax = 10'000;

double seconds_since(Clock::time_point from) {
  return std::chrono::duration<double>(Clock::now() - from).count();
}

std::string key_of(const AskedModule& module) { return module.name + "/" + module.id; }

// Names may be as long as a body, and stacks as many as it holds: each name is written once.
void count_stacks(const Job& job, std::map<std::string, std::size_t>& stacks) {
  std::vector<std::size_t> counts(job.modules.size());
  std::vector<std::size_t> seen_in(job.modules.size());  // the last stack's number, from 1
  std::size_t frame = 0;
  for (std::size_t stack = 1; stack <= job.ends.size(); ++stack) {
    for (; frame < job.ends[stack - 1]; ++frame) {
      const std::uint32_t module = job.frames[frame].module;
      if (module == AskedFrame::kNoModule || seen_in[module] == stack) continue;
      seen_in[module] = stack;
      ++counts[module];
    }
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] != 0) stacks[key_of(job.modules[i])] += counts[i];
  }
}

// They came side by side: the last one's time is that of all.
double longest(const std::map<std::string, double>& times) {
  double seconds = 0;
  for (const auto& [module, one] : times) seconds = std::max(seconds, one);
  return seconds;
}

void write_times(JsonWriter& out, const char* name, const std::map<std::string, double>& times) {
  out.key(name).begin_object();
  for (const auto& [module, seconds] : times) out.key(module).number(seconds);
  out.end_object();
}

void write_counts(JsonWriter& out, const char* name, const auto& counts) {
  out.key(name).begin_object();
  for (const auto& [module, count] : counts) out.key(module).unsigned_integer(count);
  out.end_object();
}

}  // namespace

void RequestStatistics::looked(std::size_t modules, Clock::time_point from) {
  modules_ = std::max(modules_, modules);
  lookup_seconds_ += seconds_since(from);
}

void RequestStatistics::brought(const AskedModule& module, Clock::time_point from,
                                std::uint64_t size) {
  if (brought_.size() == kNamedMax) return;
  brought_[key_of(module)] = seconds_since(from);
  sizes_[key_of(module)] = size;
}

void RequestStatistics::missed(const AskedModule& module, Clock::time_point from) {
  if (missed_.size() == kNamedMax) return;
  missed_[key_of(module)] = seconds_since(from);
}

std::string RequestStatistics::text(const symbolicate::Question& question,
                                    Clock::time_point begun) const {
  std::map<std::string, std::size_t> stacks;
  for (const Job& job : question.jobs) count_stacks(job, stacks);
  std::uint64_t size = 0;
  for (const auto& [module, one] : sizes_) size += one;
  JsonWriter out;
  out.begin_object();
  out.key("time").number(seconds_since(begun));
  out.key("modules").begin_object().key("count").unsigned_integer(stacks.size());
  write_counts(out, "stacks_per_module", stacks);
  out.end_object();
  out.key("cache_lookups").begin_object();
  out.key("count").unsigned_integer(modules_);
  out.key("hits").unsigned_integer(here_);
  out.key("time").number(lookup_seconds_);
  out.end_object();
  out.key("downloads").begin_object();
  out.key("count").unsigned_integer(brought_.size() + missed_.size());
  out.key("time").number(std::max(longest(brought_), longest(missed_)));
  out.key("size").unsigned_integer(size);
  write_counts(out, "size_per_module", sizes_);
  write_times(out, "time_per_module", brought_);
  write_times(out, "fail_time_per_module", missed_);
  out.end_object();
  // Indexes are made for all who wait, as part of bringing: no request has a time of its own.
  out.key("parse_sym").begin_object().key("time").unsigned_integer(0);
  write_times(out, "time_per_module", {});
  write_times(out, "fail_time_per_module", {});
  out.end_object();
  out.key("save_symcache").begin_object().key("time").unsigned_integer(0);
  write_times(out, "time_per_module", {});
  out.end_object();
  return out.end_object().take();
}

}  // namespace api
