// How many requests of which type were answered with which status, how long that took and how many
// bytes went out: under the names that debuginfod gives its own, so that dashboards made for it
// work here.
// note() costs a few atomic additions, on any thread, seldom in one that another thread changes,
// too; write() adds them up. Format: docs/protocols/health.md
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/http.h"
#include "net/server.h"

namespace api {

class HttpFigures {
 public:
  HttpFigures() = default;
  HttpFigures(const HttpFigures&) = delete;
  HttpFigures& operator=(const HttpFigures&) = delete;

  void note(const net::Request& request, const net::Ending& ending);
  void write(std::string& out) const;  // Prometheus' text, appended

  enum class Type : std::uint8_t {
    debuginfo,
    executable,
    source,
    section,
    metadata,
    metrics,
    root,
    symbol,
    upload,
    submit,
    symbolicate,
    health,
    page,
    other
  };
  static constexpr std::array<std::string_view, 14> kTypes{
      "debuginfo", "executable", "source", "section",     "metadata", "metrics", "/",
      "symbol",    "upload",     "submit", "symbolicate", "health",   "page",    "other"};
  static Type type_of(const net::Request& request);

 private:
  static constexpr std::size_t kCodes = 22;
  static constexpr std::size_t kParts = 8;
  struct Cell {
    std::atomic<std::uint64_t> requests = 0;
    std::atomic<std::uint64_t> us = 0;
    std::atomic<std::uint64_t> bytes = 0;
  };
  using Cells = std::array<std::array<Cell, kCodes>, kTypes.size()>;
  static std::size_t code_of(const net::Ending& ending);
  static std::size_t part_of_thread();

  std::array<Cells, kParts> parts_;  // a thread has one of these
};

}  // namespace api
