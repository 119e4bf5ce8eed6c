#include "api/frame_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "base/file.h"
#include "base/sha256.h"
#include "symbols/index_writer.h"
#include "testing/commands.h"
#include "testing/free_port.h"
#include "testing/peer_process.h"

namespace api {
namespace {

using symbolicate::Job;
using symbolicate::JobAnswer;
using symbolicate::KnownFrames;
using symbols::Map;

constexpr std::uint64_t kFunctions = 3000;

// Names that take more than one block of texts.
std::vector<std::uint8_t> index_bytes() {
  symbols::Model model;
  for (std::uint64_t i = 0; i < kFunctions; ++i) {
    symbols::Function f;
    f.rva = 0x1000 + i * 0x10;
    f.size = 0x10;
    std::string name = "f" + std::to_string(i * 7919 % 10007);
    name.append(base::sha256_of(base::bytes_of(name)).hex());
    f.name = model.strings.intern(name);
    model.functions.push_back(f);
  }
  return symbols::write_index(model, {}).value();
}

std::shared_ptr<const Map> open(std::vector<std::uint8_t> bytes) {
  auto map = Map::open(base::MappedFile::from_bytes(std::move(bytes)));
  return map.ok() ? *map : nullptr;
}

// With a byte that makes some lookups find nothing, while others still find their names.
std::shared_ptr<const Map> half_damaged() {
  const std::vector<std::uint8_t> sound = index_bytes();
  for (std::size_t at = sound.size() - 1; at > 4096; at -= 4096) {
    std::vector<std::uint8_t> bytes = sound;
    bytes[at] ^= 0x10;
    const auto map = open(std::move(bytes));
    std::uint64_t found = 0;
    for (std::uint64_t i = 0; map != nullptr && i < kFunctions; ++i) {
      found += map->find_nearest_name(base::Rva{0x1000 + i * 0x10}) ? 1 : 0;
    }
    if (found != 0 && found != kFunctions) return map;
  }
  return nullptr;
}

// Modules a.pdb, b.pdb, … with one frame in each function.
Job job_of(std::size_t modules) {
  Job job;
  for (std::uint32_t module = 0; module < modules; ++module) {
    job.modules.push_back({std::string(1, static_cast<char>('a' + module)) + ".pdb", "B"});
    for (std::uint64_t i = 0; i < kFunctions; ++i) {
      job.frames.push_back({module, false, false, 0x1000 + i * 0x10});
    }
  }
  job.ends = {job.frames.size()};
  return job;
}

JobAnswer answer_of(std::vector<std::shared_ptr<const Map>> maps) {
  JobAnswer answer(maps.size());
  for (std::size_t i = 0; i < maps.size(); ++i) {
    answer[i].state = symbolicate::ModuleAnswer::State::found;
    answer[i].map = std::move(maps[i]);
  }
  return answer;
}

std::size_t count_texts(const KnownFrames& known) {
  return static_cast<std::size_t>(
      std::count_if(known.texts.begin(), known.texts.end(), [](const auto& text) { return text; }));
}

// A memcached where there is one; else the port of nobody, and what the others would be told is
// not seen.
class FrameCaches : public testing::Test {
 protected:
  FrameCaches() {
    if (testing_support::have_command("memcached")) {
      memcached_ = std::make_unique<testing_support::PeerProcess>(
          std::vector<std::string>{"memcached", "-u", "nobody", "-U", "0", "-l", "127.0.0.1", "-p",
                                   std::to_string(port_)},
          port_, place_.path() + "/log");
      EXPECT_TRUE(memcached_->is_up());
    }
  }
  std::unique_ptr<net::Memcached> client() const {
    return net::Memcached::make({{"127.0.0.1:" + std::to_string(port_)},
                                 std::chrono::milliseconds(3000),
                                 std::chrono::hours(1)})
        .value();
  }
  FrameCache cache() const { return {client(), FrameCache::Keys::bare}; }

  const std::uint16_t port_ = testing_support::free_port();
  base::TemporaryDirectory place_ = base::TemporaryDirectory::create("frame-cache").value();
  std::unique_ptr<testing_support::PeerProcess> memcached_;
};

TEST_F(FrameCaches, WhatADamagedIndexSaidIsNeitherKnownNorTold) {
  const auto damaged = half_damaged();
  ASSERT_NE(damaged, nullptr);
  const Job job = job_of(2);
  KnownFrames known;
  FrameCache frames = cache();
  frames.complete(job, answer_of({damaged, open(index_bytes())}), known);
  ASSERT_EQ(known.texts.size(), 2 * kFunctions);
  EXPECT_EQ(count_texts(known), kFunctions);
  EXPECT_FALSE(known.texts[0]);
  EXPECT_TRUE(known.texts[kFunctions]);
  if (!memcached_) return;
  KnownFrames others;
  frames.find_first(job, others);
  EXPECT_EQ(count_texts(others), kFunctions);
  EXPECT_FALSE(others.texts[0]);
}

// An index with the one name.
std::shared_ptr<const Map> map_of(const std::string& name) {
  symbols::Model model;
  symbols::Function f;
  f.rva = 0x1000;
  f.size = 0x10;
  f.name = model.strings.intern(name);
  model.functions.push_back(f);
  return open(symbols::write_index(model, {}).value());
}

Job job_with(std::size_t frames, const std::string& module = "a.pdb") {
  Job job;
  job.modules = {{module, "B"}};
  for (std::size_t i = 0; i < frames; ++i) job.frames.push_back({0, false, false, 0x1000 + i});
  job.ends = {frames};
  return job;
}

TEST_F(FrameCaches, AQuestionWithTooManyFramesTakesNoMemory) {
  const Job job = job_with(64 * 1024 + 1);
  KnownFrames known;
  FrameCache frames = cache();
  frames.find_first(job, known);
  frames.complete(job, answer_of({map_of("f")}), known);
  EXPECT_TRUE(known.texts.empty());
  EXPECT_TRUE(known.hits.empty());
}

TEST_F(FrameCaches, LongTextsAreLeftToTheWriter) {
  KnownFrames known;
  FrameCache frames = cache();
  frames.complete(job_with(1), answer_of({map_of(std::string(4000, 'f'))}), known);
  EXPECT_EQ(count_texts(known), 1u);
  known = {};
  frames.complete(job_with(1, "b.pdb"), answer_of({map_of(std::string(5000, 'f'))}), known);
  EXPECT_EQ(count_texts(known), 0u);
  known = {};
  const std::string module(5000, 'm');
  frames.complete(job_with(1, module), answer_of({map_of("f")}), known);
  EXPECT_EQ(count_texts(known), 0u);
}

TEST_F(FrameCaches, TheTextsOfAQuestionHaveABound) {
  const Job job = job_with(20'000);
  const auto size_of = [](const KnownFrames& known) {
    std::size_t size = 0;
    for (const auto& text : known.texts) size += text ? text->size() : 0;
    return size;
  };
  KnownFrames known;
  FrameCache frames = cache();
  frames.complete(job, answer_of({map_of(std::string(4000, 'f'))}), known);
  EXPECT_GT(size_of(known), 15u << 20);
  EXPECT_LE(size_of(known), 16u << 20);
  if (!memcached_) return;
  KnownFrames others;
  frames.find_first(job, others);
  EXPECT_GT(size_of(others), 15u << 20);
  EXPECT_LE(size_of(others), 16u << 20);
}

}  // namespace
}  // namespace api
