// `faultline dsym-for-uuid` and the portable script that stands for it, as LLDB on macOS calls
// them.
#include <gtest/gtest.h>

#include <filesystem>

#include "debuggers.h"

namespace {

using testing_support::Debuggers;
using testing_support::faultline_program;
using testing_support::have_command;
using testing_support::kUuid;
using testing_support::must_read;

class DsymForUuid : public Debuggers {
 protected:
  // The script as it is served, run by dash: its output, and whatever it says on stderr.
  std::string script(const std::string& arguments, const std::string& variables = "") {
    const auto served = send("GET", "/tools/dsymForUUID");
    EXPECT_NE(served.body.find(server_->url()), std::string::npos);
    write("/dsymForUUID", served.body);
    const auto end = must_run("HOME=" + root_ + " FAULTLINE_DSYM_CACHE='" + root_ + "/a cache' " +
                              variables + " dash " + root_ + "/dsymForUUID " + arguments);
    EXPECT_EQ(end.errors, "");
    return end.output;
  }
  void upload(const std::string& file, const std::string& name) {
    EXPECT_EQ(send("PUT", "/api/v1/files/" + name, must_read(file)).status, 201) << file;
  }
};

TEST_F(DsymForUuid, SeveralUuidsAndErrorsStandInOneList) {
  build_and_upload();
  const std::string absent = "00112233-4455-6677-8899-AABBCCDDEEFF";
  const std::string plist =
      dsym("--copyExecutable " + root_ + "/stripped " + absent + " /does/not/exist");
  const std::string id = base::upper_ascii(identity_.build_id);
  EXPECT_EQ(must_read(value(plist, id + "|DBGDSYMPath")), must_read(root_ + "/lamp.debug"));
  EXPECT_EQ(must_read(value(plist, id + "|DBGSymbolRichExecutable")),
            must_read(root_ + "/stripped"));
  EXPECT_NE(value(plist, absent + "|DBGError").find("404"), std::string::npos) << plist;
  EXPECT_NE(value(plist, "/does/not/exist|DBGError"), "");
}

TEST_F(DsymForUuid, AMissIsRememberedUnlessItIsIgnored) {
  REQUIRE_CORPUS(corpus);
  EXPECT_NE(value(dsym(kUuid), std::string(kUuid) + "|DBGError"), "");
  ASSERT_TRUE(upload_dsym(corpus));
  EXPECT_NE(value(dsym(kUuid), std::string(kUuid) + "|DBGError"), "");
  EXPECT_EQ(
      value(dsym("--ignoreNegativeCache " + std::string(kUuid)), std::string(kUuid) + "|DBGError"),
      "");
  EXPECT_EQ(value(dsym(kUuid), std::string(kUuid) + "|DBGError"), "");
}

TEST_F(DsymForUuid, RunsThatWantTheSameFileFetchItOnce) {
  build_and_upload();
  const std::string one = environment() + faultline_program() + " dsym-for-uuid " +
                          identity_.build_id + " > " + root_ + "/";
  must_run(one + "1 & " + one + "2 & " + one + "3 & wait");
  EXPECT_EQ(must_read(root_ + "/1"), must_read(root_ + "/2"));
  EXPECT_EQ(must_read(root_ + "/1"), must_read(root_ + "/3"));
  for (const auto& entry : std::filesystem::directory_iterator(cache() + "/tmp")) {
    ADD_FAILURE() << "left behind: " << entry.path();
  }
}

TEST_F(DsymForUuid, ThePortableScriptSaysTheSame) {
  REQUIRE_OR_SKIP(have_command("curl"), "no curl");
  REQUIRE_CORPUS(corpus);
  ASSERT_TRUE(upload_dsym(corpus));
  const auto script = send("GET", "/tools/dsymForUUID");
  ASSERT_EQ(script.status, 200);
  EXPECT_NE(script.body.find(server_->url()), std::string::npos);
  write("/dsymForUUID", script.body);
  // Its own address, not FAULTLINE_URL, and a path with a space.
  const std::string plist =
      must_run("HOME=" + root_ + " FAULTLINE_DSYM_CACHE='" + root_ + "/a cache' sh " + root_ +
               "/dsymForUUID --ignoreNegativeCache " + kUuid +
               " 00112233-4455-6677-8899-AABBCCDDEEFF")
          .output;
  EXPECT_EQ(must_read(value(plist, std::string(kUuid) + "|DBGDSYMPath")),
            must_read(corpus + "/symbols/objects/macho/electron-dsym/Electron"));
  EXPECT_NE(value(plist, "00112233-4455-6677-8899-AABBCCDDEEFF|DBGError"), "");
  EXPECT_EQ(send("GET", "/tools/dsymForUUID.ps1").status, 200);
  EXPECT_EQ(send("GET", "/tools/nothing").status, 404);
}

constexpr const char* kFatX86 = "4C4C447B-5555-3144-A167-EAEB74AF3D29";
constexpr const char* kFatArm = "4C4C441E-5555-3144-A162-4A1D847F4071";

TEST_F(DsymForUuid, EachSliceOfAFatFileHasItsMachine) {
  REQUIRE_CORPUS(corpus);
  const std::string fat = corpus + "/symbols/objects/macho/lantern-fat/liblantern.dylib";
  upload(fat + ".dwarf", "liblantern.dylib");
  const std::string by_uuid = dsym(std::string(kFatArm) + " " + kFatX86);
  EXPECT_EQ(value(by_uuid, std::string(kFatArm) + "|DBGArchitecture"), "arm64") << by_uuid;
  EXPECT_EQ(value(by_uuid, std::string(kFatX86) + "|DBGArchitecture"), "x86_64") << by_uuid;
  const std::string symbols = value(by_uuid, std::string(kFatArm) + "|DBGDSYMPath");
  const std::string own =
      must_read(symbols.substr(0, symbols.find("/DWARF/")) + "/" + kFatArm + ".plist");
  EXPECT_EQ(value(own, "DBGArchitecture"), "arm64");
  // A path means all of them.
  EXPECT_EQ(dsym("'" + fat + "'"), dsym(std::string(kFatX86) + " " + kFatArm));
}

TEST_F(DsymForUuid, TheScriptReadsFilesByItself) {
  REQUIRE_OR_SKIP(have_command("curl") && have_command("dash"), "no curl or dash");
  REQUIRE_CORPUS(corpus);
  build_and_upload();
  const std::string fat = corpus + "/symbols/objects/macho/lantern-fat/liblantern.dylib";
  upload(fat + ".dwarf", "liblantern.dylib");
  const std::string plist = script(root_ + "/stripped '" + fat + "' /does/not/exist /bin");
  const std::string lamp = base::upper_ascii(identity_.build_id);
  EXPECT_EQ(must_read(value(plist, lamp + "|DBGDSYMPath")), must_read(root_ + "/lamp.debug"));
  EXPECT_EQ(value(plist, lamp + "|DBGArchitecture"), "x86_64") << plist;
  EXPECT_EQ(value(plist, std::string(kFatArm) + "|DBGArchitecture"), "arm64") << plist;
  EXPECT_EQ(value(plist, std::string(kFatX86) + "|DBGArchitecture"), "x86_64") << plist;
  EXPECT_EQ(must_read(value(plist, std::string(kFatX86) + "|DBGDSYMPath")),
            must_read(fat + ".dwarf"));
  EXPECT_NE(value(plist, "/does/not/exist|DBGError"), "") << plist;
  EXPECT_NE(value(plist, "/bin|DBGError"), "") << plist;
  // The same trees that our program makes, for debuggers that run nothing.
  const std::string trees = root_ + "/a cache";
  EXPECT_EQ(must_read(trees + "/.build-id/" + identity_.build_id.substr(0, 2) + "/" +
                      identity_.build_id.substr(2) + ".debug"),
            must_read(root_ + "/lamp.debug"));
  EXPECT_EQ(must_read(trees + "/uuids/4C4C/441E/5555/3144/A162/4A1D847F4071"),
            must_read(fat + ".dwarf"));
}

TEST_F(DsymForUuid, TheScriptRemapsSources) {
  REQUIRE_OR_SKIP(have_command("curl") && have_command("dash"), "no curl or dash");
  REQUIRE_CORPUS(corpus);
  ASSERT_TRUE(upload_dsym(corpus));
  const std::string plist =
      script(kUuid, "FAULTLINE_SOURCE_MAP='/build/a & b=/src/a\n/x=/y=z\nnone\n'");
  const std::string uuid = kUuid;
  EXPECT_EQ(value(plist, uuid + "|DBGBuildSourcePath"), "/build/a & b") << plist;
  EXPECT_EQ(value(plist, uuid + "|DBGSourcePath"), "/src/a");
  EXPECT_EQ(value(plist, uuid + "|DBGVersion"), "3");
  EXPECT_EQ(value(plist, uuid + "|DBGSourcePathRemapping"), "['/build/a & b', '/x']");
  EXPECT_EQ(value(plist, uuid + "|DBGSourcePathRemapping|/x"), "/y=z");
  const std::string symbols = value(plist, uuid + "|DBGDSYMPath");
  const std::string own =
      must_read(symbols.substr(0, symbols.find("/DWARF/")) + "/" + kUuid + ".plist");
  EXPECT_EQ(value(own, "DBGSourcePathRemapping|/build/a & b"), "/src/a");
  EXPECT_EQ(value(own, "DBGVersion"), "3");
  EXPECT_EQ(value(own, "DBGArchitecture"), "x86_64");
}

// Everybody on the machine can read those.
TEST_F(DsymForUuid, TheScriptsTokenStandsInNoCommandLine) {
  REQUIRE_OR_SKIP(have_command("curl") && have_command("dash"), "no curl or dash");
  // A curl that writes down how it was called.
  write("/bin/curl", "#!/bin/sh\nprintf '%s\\n' \"$@\" >>" + root_ +
                         "/calls\nfor one; do case $one in @*) cat \"${one#@}\" >>" + root_ +
                         "/headers ;; esac; done\nPATH=${PATH#*:}\nexec curl \"$@\"\n");
  must_run("chmod +x " + root_ + "/bin/curl");
  script("00112233-4455-6677-8899-AABBCCDDEEFF",
         "FAULTLINE_TOKEN=sesame PATH=" + root_ + "/bin:$PATH");
  EXPECT_EQ(must_read(root_ + "/calls").find("sesame"), std::string::npos);
  EXPECT_TRUE(must_read(root_ + "/headers").starts_with("Authorization: Bearer sesame\n"));
  for (const auto& entry : std::filesystem::directory_iterator(root_ + "/a cache/tmp")) {
    ADD_FAILURE() << "left behind: " << entry.path();
  }
}

// A curl that takes its time and writes down that it ran.
TEST_F(DsymForUuid, RunsOfTheScriptThatWantTheSameFileFetchItOnce) {
  REQUIRE_OR_SKIP(have_command("curl") && have_command("dash"), "no curl or dash");
  build_and_upload();
  write("/bin/curl", "#!/bin/sh\necho ran >>" + root_ + "/ran\nsleep 0.5\nPATH=" +
                         std::string(std::getenv("PATH")) + " exec curl \"$@\"\n");
  must_run("chmod +x " + root_ + "/bin/curl");
  const std::string path = "PATH=" + root_ + "/bin:$PATH";
  const std::string first = script(identity_.build_id + " & dash " + root_ + "/dsymForUUID " +
                                       identity_.build_id + " >" + root_ + "/second; wait",
                                   "FAULTLINE_DSYM_CACHE=" + cache() +
                                       "; export FAULTLINE_DSYM_CACHE; " + path + "; export PATH;");
  EXPECT_EQ(must_read(root_ + "/second"), first);
  EXPECT_NE(first.find("DBGDSYMPath"), std::string::npos) << first;
  EXPECT_EQ(must_read(root_ + "/ran"), "ran\n");
  // Nothing is left behind, and a lock of a run that died holds nobody up.
  for (const std::string& directory : {cache() + "/tmp", cache() + "/locks"}) {
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      ADD_FAILURE() << "left behind: " << entry.path();
    }
  }
  must_run("rm -r " + cache() + "/dsyms && ln -s 999999999 " + cache() + "/locks/" +
           base::upper_ascii(identity_.build_id) + ".lock");
  EXPECT_NE(script(identity_.build_id, "FAULTLINE_DSYM_CACHE=" + cache()).find("DBGDSYMPath"),
            std::string::npos);
}

}  // namespace
