#include "cli/refusal.h"

#include "base/json.h"
#include "base/text.h"

namespace cli {

constexpr std::size_t kMaxSaid = 300;  // of a proxy's page

base::Error refusal_of(const std::string& url, const net::ClientAnswer& answer) {
  std::string what = url + ": answered " + std::to_string(answer.status);
  const auto json = base::JsonValue::parse(answer.body);
  const std::string_view said = json.ok() ? (*json)["error"].text_or("") : base::trim(answer.body);
  if (!said.empty()) what += ": " + std::string(said.substr(0, kMaxSaid));
  return {net::fault_of_status(answer.status), std::move(what)};
}

}  // namespace cli
