// Metrics of one name, appended to a text as Prometheus reads them.
//   MetricFamily busy(out, "faultline_upstream_busy", "gauge", "Requests that are under way.");
//   busy.add(metric_label("upstream", name), 3);
// One thread. `name` must outlive it.
// Format: docs/protocols/health.md
#pragma once

#include <fmt/format.h>

#include <iterator>
#include <string>
#include <string_view>

namespace api {

// name="value", with the value's quotation marks, backslashes and line ends escaped.
std::string metric_label(std::string_view name, std::string_view value);

class MetricFamily {
 public:
  MetricFamily(std::string& out, std::string_view name, std::string_view type,
               std::string_view help)
      : out_(out), name_(name) {
    fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
  }
  // `labels` without braces; "": none.
  template <class Number>
  void add(std::string_view labels, Number value) {
    if (labels.empty()) {
      fmt::format_to(std::back_inserter(out_), "{} {}\n", name_, value);
    } else {
      fmt::format_to(std::back_inserter(out_), "{}{{{}}} {}\n", name_, labels, value);
    }
  }

 private:
  std::string& out_;
  const std::string_view name_;
};

}  // namespace api
