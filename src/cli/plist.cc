#include "cli/plist.h"

#include "base/text.h"

namespace cli {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : base::to_valid_utf8(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (byte < 0x20 && c != '\t' && c != '\n') {
      out += "\xef\xbf\xbd";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

void Plist::add(std::string_view key, Plist value) {
  keys.emplace_back(key);
  values.push_back(std::move(value));
}

void Plist::write(std::string& out, int depth) const {
  const std::string indent(static_cast<std::size_t>(depth), '\t');
  if (!is_dictionary) {
    out.append(indent).append("<string>").append(escaped(text)).append("</string>\n");
    return;
  }
  out.append(indent).append("<dict>\n");
  for (std::size_t i = 0; i < keys.size(); ++i) {
    out.append(indent).append("\t<key>").append(escaped(keys[i])).append("</key>\n");
    values[i].write(out, depth + 1);
  }
  out.append(indent).append("</dict>\n");
}

std::string Plist::document() const {
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
      "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
      "<plist version=\"1.0\">\n";
  write(out, 0);
  return out + "</plist>\n";
}

}  // namespace cli
