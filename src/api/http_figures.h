// How many requests of which type were answered with which status, how long that took and how many
// bytes went out: under the names that debuginfod gives its own, so that dashboards made for it
// work here.
// note() costs a few atomic additions, on any thread; write() reads them.
// Format: docs/protocols/health.md
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

  static constexpr std::array<std::string_view, 14> kTypes{
      "debuginfo", "executable", "source", "section",     "metadata", "metrics", "/",
      "symbol",    "upload",     "submit", "symbolicate", "health",   "page",    "other"};
  // As an index of kTypes.
  static std::size_t type_of(const net::Request& request);

 private:
  static constexpr std::size_t kCodes = 22;
  struct Cell {
    std::atomic<std::uint64_t> requests = 0;
    std::atomic<std::uint64_t> us = 0;
    std::atomic<std::uint64_t> bytes = 0;
  };
  static std::size_t code_of(const net::Ending& ending);

  std::array<std::array<Cell, kCodes>, kTypes.size()> cells_;
};

}  // namespace api
