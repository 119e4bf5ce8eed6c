#include "server/options_from_symproxy.h"

#include <gtest/gtest.h>

#include <map>

#include "base/file.h"
#include "server/config_files.h"

namespace server {
namespace {

constexpr std::string_view kHead =
    "Windows Registry Editor Version 5.00\r\n\r\n"
    "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Symbol Server Proxy]\r\n";
constexpr std::string_view kDirectories =
    "\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Symbol Server Proxy\\Web Directories]\r\n"
    "\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Symbol Server Proxy\\Web "
    "Directories\\Symbols]\r\n"
    "\"SymbolPath\"=\"\\\\\\\\files\\\\drop;https://msdl.microsoft.com/download/symbols\"\r\n"
    "\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Symbol Server Proxy\\Web "
    "Directories\\Partners]\r\n"
    "\"SymbolPath\"=\"https://partners.example.com/symbols\"\r\n";

using Values = std::map<std::string, std::string>;

base::Result<ForeignSettings> read(std::string_view text) {
  const auto keys = read_registry_export(base::bytes_of(text), "symproxy.reg");
  if (!keys.ok()) return keys.error();
  return settings_from_symproxy(*keys, "symproxy.reg");
}

Values values_of(std::string_view text) {
  Values values;
  const ForeignSettings settings = read(text).value();
  for (const Setting& setting : settings.settings) values[setting.key] = setting.value;
  return values;
}

std::string export_with(std::string_view options) {
  return std::string(kHead).append(options).append(kDirectories);
}

// Without options a miss holds five minutes, a store that is down is asked all the same, and its
// tiers and its pointers are looked for on web servers, too.
TEST(SymProxy, DirectoriesAreListsOfServers) {
  Values wanted{{"virtual_directories", "Symbols\nPartners=partners"},
                {"upstream.0.url", "\\\\files\\drop"},
                {"upstream.1.url", "https://msdl.microsoft.com/download/symbols"},
                {"upstream.2.url", "https://partners.example.com/symbols"},
                {"upstream.2.projects", "partners"}};
  for (const char* server : {"upstream.0.", "upstream.1.", "upstream.2."}) {
    const std::string prefix = server;
    wanted[prefix + "retry_seconds"] = "300";
    wanted[prefix + "failures_max"] = "0";
    wanted[prefix + "layout"] = "symstore-any";
    wanted[prefix + "pointers"] = "1";
  }
  EXPECT_EQ(values_of(export_with("")), wanted);
}

TEST(SymProxy, MissesMayBeForgottenAtOnce) {
  Values values = values_of(
      export_with("\"MissTimeout\"=dword:00000000\r\n\"RequestTimeout\"=dword:00000000\r\n"
                  "\"NoFilePointers\"=dword:00000001\r\n"));
  EXPECT_EQ(values["upstream.1.retry_seconds"], "0");
  EXPECT_EQ(values["upstream.1.stall_seconds"], "");
  EXPECT_EQ(values["upstream.1.pointers"], "0");
}

TEST(SymProxy, OptionsHoldForEveryServer) {
  Values values = values_of(
      export_with("\"MissTimeout\"=dword:0000012c\r\n\"RequestTimeout\"=dword:00000019\r\n"
                  "\"UriFilter\"=dword:00000073\r\n\"UriTiers\"=dword:00000002\r\n"
                  "\"FailureCount\"=dword:00000004\r\n\"FailurePeriod\"=dword:00000078\r\n"
                  "\"FailureBlackout\"=dword:00000384\r\n"));
  for (const char* server : {"upstream.0.", "upstream.1.", "upstream.2."}) {
    const std::string prefix = server;
    EXPECT_EQ(values[prefix + "retry_seconds"], "300");
    EXPECT_EQ(values[prefix + "stall_seconds"], "25");
    EXPECT_EQ(values[prefix + "failures_max"], "4");
    EXPECT_EQ(values[prefix + "failures_seconds"], "120");
    EXPECT_EQ(values[prefix + "rest_seconds"], "900");
    EXPECT_EQ(values[prefix + "cabinets"], "");
  }
  EXPECT_EQ(values["upstream.0.pointers"], "1");
  EXPECT_EQ(values["upstream.1.pointers"], "0");
  EXPECT_EQ(values["store.two_tier"], "1");
}

TEST(SymProxy, WhatIsSwitchedOffIsReadOver) {
  EXPECT_EQ(values_of(export_with("\"xMissTimeout\"=dword:00000e10\r\n\"xUriTiers\"=dword:2\r\n"
                                  "\"Available Settings\"=\"Remove the x\"\r\n")),
            values_of(export_with("")));
}

TEST(SymProxy, StoresThatAreDownAreLeftAloneInMinutes) {
  const std::string timeouts =
      "\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Symbol Server\\Timeouts]\r\n"
      "\"trigger\"=dword:0000000a\r\n\"count\"=dword:00000005\r\n";
  Values values = values_of(export_with(timeouts + "\"blackout\"=dword:0000000f\r\n"));
  EXPECT_EQ(values["upstream.0.failures_max"], "5");
  EXPECT_EQ(values["upstream.0.failures_seconds"], "600");
  EXPECT_EQ(values["upstream.0.rest_seconds"], "900");
  for (const char* last : {"", "\"blackout\"=dword:00000000\r\n"}) {
    Values off = values_of(export_with(timeouts + last));
    EXPECT_EQ(off["upstream.0.failures_max"], "0") << last;
    EXPECT_EQ(off["upstream.0.rest_seconds"], "") << last;
  }
}

TEST(SymProxy, ExclusionsAreWholeNamesWithoutCase) {
  Values values = values_of(
      export_with("\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Symbol Server\\Exclusions]\r\n"
                  "\"mso*\"=\"\"\r\n\"1\"=\"symsrv.?ll\"\r\n"));
  EXPECT_EQ(values["upstreams.deny"], "(?i)mso.*$\n(?i)symsrv\\..ll$");
}

TEST(SymProxy, WhatHasNoMeaningHereIsAWarning) {
  const auto settings =
      read(export_with("\"NoCache\"=dword:00000001\r\n\"NoInternetProxy\"=dword:00000000\r\n"));
  ASSERT_EQ(settings->warnings.size(), 2u);
  EXPECT_TRUE(settings->warnings[0].starts_with("symproxy.reg: NoCache is ignored"));
}

TEST(SymProxy, AnExportWithoutDirectoriesIsAnError) {
  EXPECT_NE(read(kHead).error().what.find("symproxy.reg: has no key"), std::string::npos);
}

TEST(RegistryExport, IsUtf16AsTheEditorWritesIt) {
  std::string text = "\xff\xfe";
  for (const char c : export_with("\"List\"=hex(7):61,00,00,00,\\\r\n  62,00,00,00,00,00\r\n")) {
    text += c;
    text += '\0';
  }
  const auto keys = read_registry_export(base::bytes_of(text), "a.reg");
  ASSERT_TRUE(keys.ok()) << keys.error().what;
  EXPECT_EQ(keys->at(0).values.at(0).text, "a\nb");
  EXPECT_EQ(keys->size(), 4u);
  const auto root = base::TemporaryDirectory::create("registry").value();
  const std::string path = root.path() + "/any.name";
  ASSERT_TRUE(base::write_file_durably(path, base::bytes_of(text)).ok());
  EXPECT_EQ(read_config(path)->kind, "SymProxy's");
  EXPECT_EQ(load_options({path}, {})->upstreams.size(), 3u);
}

TEST(RegistryExport, ErrorsNameTheLine) {
  struct Row {
    const char* line;
    const char* what;
  };
  for (const Row& row :
       {Row{"[KEY", "f.reg:2: a key's ] is missing"},
        Row{"\"a\"=\"b\"", "f.reg:2: a value without a key"},
        Row{"[K]\na=1", "f.reg:3: a value's name stands between quotation marks"},
        Row{"[K]\n\"a\"1", "f.reg:3: a value has a = behind its name"},
        Row{"[K]\n\"a\"=\"b", "f.reg:3: a text has no end"},
        Row{"[K]\n\"a\"=dword:g", "f.reg:3: dword: is followed by a number in hex"},
        Row{"[K]\n\"a\"=hex(2):1", "f.reg:3: these bytes are no text"}}) {
    const auto keys =
        read_registry_export(base::bytes_of(std::string("REGEDIT4\n") + row.line), "f.reg");
    ASSERT_FALSE(keys.ok()) << row.line;
    EXPECT_EQ(keys.error().what, row.what);
  }
}

}  // namespace
}  // namespace server
