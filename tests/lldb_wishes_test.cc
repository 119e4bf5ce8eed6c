// What LLDB's developers wished for when they first talked about symbol servers, each wish with a
// test of its name; and LLDB itself, where it has the hook.
#include <gtest/gtest.h>

#include "debuggers.h"

namespace {

using testing_support::Debuggers;
using testing_support::faultline_program;
using testing_support::have_command;
using testing_support::kLampSource;
using testing_support::kUuid;
using testing_support::must_read;

class LldbWishes : public Debuggers {};

// ---- the thread's wishes ----

TEST_F(LldbWishes, OneServerForAllPlatforms) {
  REQUIRE_CORPUS(corpus);
  build_and_upload();
  ASSERT_TRUE(upload_dsym(corpus));
  const std::string pdb = must_read(corpus + "/symbols/objects/pe-pdb/lantern-win-x64/lantern.pdb");
  EXPECT_LT(send("PUT", "/lantern.pdb/0/lantern.pdb", pdb).status, 300);
  const auto id = extract::identify(base::bytes_of(pdb)).debug_id.breakpad();
  EXPECT_EQ(send("GET", "/buildid/" + identity_.build_id + "/debuginfo").status, 200);
  EXPECT_EQ(send("GET", "/_.dwarf/mach-uuid-sym-cb63147ac9dc308b8ca1ee92a5042e8e/_.dwarf").status,
            200);
  EXPECT_EQ(send("GET", "/lantern.pdb/" + id + "/lantern.pdb").status, 200);
}

TEST_F(LldbWishes, AnArtifactHasATypeAnIdAndAPath) {
  build_and_upload();
  upload_source();
  const std::string hash = base::sha256_of(base::bytes_of(kLampSource)).hex();
  EXPECT_EQ(send("GET", "/artifacts/src/" + hash + "/lamp.c").body, kLampSource);
}

TEST_F(LldbWishes, SourcesComeFromTheServerToo) {
  build_and_upload();
  upload_source();
  EXPECT_EQ(send("GET", "/buildid/" + identity_.build_id + "/source" + source_path()).body,
            kLampSource);
}

// 3: a tree that was written as symstore writes it, and every path by which Windows asks.
TEST_F(LldbWishes, MicrosoftsStoreLayoutIsSpoken) {
  REQUIRE_CORPUS(corpus);
  const std::string objects = corpus + "/symbols/objects/pe-pdb/lantern-win-x64/";
  const std::string pdb = must_read(objects + "lantern.pdb");
  must_run(faultline_program() + " store add --two-tier --compress --product lamp --store " +
           root_ + "/tree " + objects + "lantern.pdb && " + faultline_program() +
           " store import --store " + server_->url() + " " + root_ + "/tree");
  const auto identity = extract::identify(base::bytes_of(pdb));
  const std::string id = identity.debug_id.breakpad();
  const std::string guid = id.substr(0, 32);
  for (const std::string& path : std::vector<std::string>{
           "/lantern.pdb/" + id + "/lantern.pdb", "/la/lantern.pdb/" + id + "/lantern.pdb",
           "/LANTERN.PDB/" + base::lower_ascii(id) + "/Lantern.pdb",
           // As LLDB spells a PDB's id to a debuginfod: the age has 8 digits.
           "/buildid/" + base::lower_ascii(guid) + "0000000" + id.substr(32) + "/debuginfo"}) {
    EXPECT_TRUE(send("GET", path).body == pdb) << path;
  }
  EXPECT_TRUE(send("GET", "/lantern.pdb/" + id + "/lantern.pd_").body.starts_with("MSCF"));
  EXPECT_EQ(send("GET", "/lantern.pdb/" + guid + "F/lantern.pdb").status, 404);
  EXPECT_EQ(send("GET", "/index2.txt").status, 404);  // else symsrv would ask for two tiers only
}

// 4: wherever the compiler put it.
TEST_F(LldbWishes, EveryFormOfDebugInformationIsServed) {
  REQUIRE_OR_SKIP(have_command("clang-22") && have_command("llvm-dwp-22"), "no clang-22");
  REQUIRE_CORPUS(corpus);
  write("/split/lamp.c", kLampSource);
  must_run(
      "cd " + root_ + "/split && clang-22 -g -O0 -gsplit-dwarf -c lamp.c && cc -Wl,--build-id " +
      "-o split lamp.o && llvm-dwp-22 -e split -o split.dwp && cc -g -O0 -Wl,--build-id -o whole " +
      "lamp.c && mv lamp.dwo unit.dwo && rm lamp.o lamp.c");
  const std::string macho = corpus + "/symbols/objects/macho/electron-dsym/Electron";
  const std::string pdb = corpus + "/symbols/objects/pe-pdb/lantern-win-x64/lantern.pdb";
  must_run(faultline_program() + " upload-symbols --url " + server_->url() + " " + root_ +
           "/split " + macho + " " + pdb);
  const auto identify = [&](const std::string& file) {
    return extract::identify(base::bytes_of(must_read(file)));
  };
  const std::string split = root_ + "/split/";
  const std::string split_id = identify(split + "split").build_id;
  const auto unit = identify(split + "unit.dwo");
  ASSERT_EQ(unit.dwo_ids.size(), 1u);
  const std::vector<std::pair<std::string, std::string>> forms = {
      {"/buildid/" + identify(split + "whole").build_id + "/debuginfo", split + "whole"},
      {"/buildid/" + split_id + "/executable", split + "split"},
      {"/artifacts/dwp/" + split_id + "/split.dwp", split + "split.dwp"},
      {"/artifacts/dwo/" + unit.dwo_ids.front() + "/unit.dwo", split + "unit.dwo"},
      {"/artifacts/pdb/" + identify(pdb).debug_id.breakpad() + "/lantern.pdb", pdb},
      {"/artifacts/dsym/cb63147ac9dc308b8ca1ee92a5042e8e/Electron", macho}};
  for (const auto& [path, file] : forms) {
    EXPECT_TRUE(send("GET", path).body == must_read(file)) << path;
  }
}

// 6: in the object, beside it, in directories; and the external tool fills a cache, so that the
// next look stays here. (LLDB 22 asks a debuginfod before it looks into directories: only a server
// that is gone shows what it finds by itself.)
TEST_F(LldbWishes, NearerPlacesNeedNoServer) {
  REQUIRE_OR_SKIP(have_command("lldb-22"), "no lldb-22");
  build_and_upload();
  must_run("mkdir " + root_ + "/near && cd " + root_ + "/near && cp ../lamp.debug . && " +
           "cp ../stripped lamp && objcopy --add-gnu-debuglink=lamp.debug lamp");
  const auto is_found = [&](const std::string& program, const std::string& more = "") {
    const std::string said =
        lldb(more + " -o 'image lookup -v -n flicker' " + root_ + "/" + program);
    return said.find("lamp.c:1") != std::string::npos;
  };
  EXPECT_TRUE(is_found("run/lamp")) << "at the server";
  const std::string told = dsym(identity_.build_id);
  EXPECT_EQ(server_->stop(), 0);
  EXPECT_TRUE(is_found("run/lamp")) << "in the cache that LLDB filled";
  EXPECT_EQ(dsym(identity_.build_id), told) << "in the cache that our tool filled";
  must_run("rm -r " + root_ + "/debuginfod");
  EXPECT_FALSE(is_found("run/lamp")) << "nowhere";
  EXPECT_TRUE(is_found("lamp")) << "in the object";
  EXPECT_TRUE(is_found("near/lamp")) << "beside it";
  EXPECT_TRUE(
      is_found("run/lamp", "-O 'settings append target.debug-file-search-paths " + cache() + "'"))
      << "in a directory named";
}

// A client that meets a 5xx drops the server; what nobody has is a 404 on every path.
TEST_F(LldbWishes, WhatIsAbsentIsAlways404) {
  build_and_upload();
  const std::string& here = identity_.build_id;
  const std::string no_id = "00112233445566778899aabbccddeeff00112233";
  const std::string no_uuid = "00112233445566778899aabbccddeeff";
  const std::string no_guid = "0123456789ABCDEF0123456789ABCDEF1";
  std::vector<std::string> paths;
  for (const char* what : {"debuginfo", "executable", "source/no/such.c", "source", "section/.text",
                           "dwp", "nothing", ""}) {
    paths.push_back("/buildid/" + no_id + "/" + what);
    paths.push_back("/buildid/" + no_uuid + "/" + what);
    paths.push_back("/buildid/nonsense/" + std::string(what));
  }
  for (const char* what : {"source/no/such.c", "source/%2e%2e/%2e%2e/etc/passwd", "section/.none",
                           "section/", "nothing", "dwp"}) {
    paths.push_back("/buildid/" + here + "/" + what);
  }
  for (const char* type : {"elf", "macho", "pe", "debug", "pdb", "dwp", "dwo", "sym", "index",
                           "file", "src", "none"}) {
    for (const std::string& id :
         {no_id, no_uuid, no_guid, std::string("0"), std::string("x%20y")}) {
      paths.push_back("/artifacts/" + std::string(type) + "/" + id + "/x");
    }
  }
  for (const std::string& id :
       {no_guid, no_id, std::string("5A0BC0C6c83000"), std::string("nonsense"),
        "elf-buildid-" + no_id, "mach-uuid-" + no_uuid, "r2rmap-v1-" + no_uuid, "sha1-" + no_id,
        here}) {
    for (const char* file : {"no.pdb", "no.pd_", "no.sym", "file.ptr"}) {
      paths.push_back("/no.pdb/" + id + "/" + file);
      paths.push_back("/no/no.pdb/" + id + "/" + file);
    }
  }
  for (const char* path :
       {"/_.dwarf/mach-uuid-sym-00112233445566778899aabbccddeeff/_.dwarf", "/index2.txt",
        "/.build-id/00/112233.debug", "/00/112233445566778899aabbccddeeff00112233/debuginfo",
        "/0011/2233/4455/6677/8899/AABBCCDDEEFF", "/0011/2233/4455/6677/8899/AABBCCDDEEFF.app",
        "/p/none/no.pdb/1/no.pdb", "/try/no.pdb/1/no.pdb", "/a/b/..%2f..%2fetc"}) {
    paths.emplace_back(path);
  }
  for (const std::string& path : paths) {
    if (path.starts_with("/no.pdb/" + here) || path.starts_with("/no/no.pdb/" + here)) {
      EXPECT_LT(send("GET", path).status, 500) << path;  // a build id finds it under any name
      continue;
    }
    EXPECT_EQ(send("GET", path).status, 404) << path;
    EXPECT_EQ(send("HEAD", path).status, 404) << path;
  }
}

TEST_F(LldbWishes, AnExternalToolAnswersWithAPropertyList) {
  REQUIRE_CORPUS(corpus);
  ASSERT_TRUE(upload_dsym(corpus));
  const std::string plist = dsym("--ignoreNegativeCache " + std::string(kUuid));
  const std::string path = value(plist, std::string(kUuid) + "|DBGDSYMPath");
  EXPECT_TRUE(path.ends_with(".dSYM/Contents/Resources/DWARF/Electron")) << plist;
  EXPECT_EQ(must_read(path), must_read(corpus + "/symbols/objects/macho/electron-dsym/Electron"));
  EXPECT_EQ(value(plist, std::string(kUuid) + "|DBGArchitecture"), "x86_64");
  EXPECT_EQ(value(plist, std::string(kUuid) + "|DBGError"), "");
}

TEST_F(LldbWishes, WhatIsCachedNeedsNoServer) {
  REQUIRE_CORPUS(corpus);
  ASSERT_TRUE(upload_dsym(corpus));
  const std::string first = dsym(kUuid);
  EXPECT_EQ(server_->stop(), 0);
  EXPECT_EQ(dsym(kUuid), first);
  // And none of our programs: the file-mapped tree leads to the file.
  const std::string link = cache() + "/uuids/CB63/147A/C9DC/308B/8CA1/EE92A5042E8E";
  EXPECT_EQ(must_read(link), must_read(value(first, std::string(kUuid) + "|DBGDSYMPath")));
}

TEST_F(LldbWishes, SourcePathsAreRemapped) {
  REQUIRE_CORPUS(corpus);
  ASSERT_TRUE(upload_dsym(corpus));
  const std::string plist =
      dsym("--source-map '/build/a & b=/src/a' --source-map /x=/y " + std::string(kUuid));
  EXPECT_EQ(value(plist, std::string(kUuid) + "|DBGBuildSourcePath"), "/build/a & b");
  EXPECT_EQ(value(plist, std::string(kUuid) + "|DBGSourcePath"), "/src/a");
  EXPECT_EQ(value(plist, std::string(kUuid) + "|DBGVersion"), "3");
  // LLDB honours the dictionary only in the bundle's own list.
  const std::string path = value(plist, std::string(kUuid) + "|DBGDSYMPath");
  const std::string own = must_read(path.substr(0, path.find("/DWARF/")) + "/" + kUuid + ".plist");
  EXPECT_EQ(value(own, "DBGSourcePathRemapping|/x"), "/y");
  EXPECT_EQ(value(own, "DBGSourcePathRemapping|/build/a & b"), "/src/a");
}

TEST_F(LldbWishes, TheSameUuidIsStoredOnce) {
  REQUIRE_CORPUS(corpus);
  ASSERT_TRUE(upload_dsym(corpus));
  const std::string bytes = must_read(corpus + "/symbols/objects/macho/electron-dsym/Electron");
  const auto again = send("PUT", "/Other/CB63147AC9DC308B8CA1EE92A5042E8E0/Other", bytes);
  EXPECT_NE(again.body.find("\"was_known\":true"), std::string::npos) << again.body;
}

// ---- LLDB itself ----

TEST_F(LldbWishes, LldbFindsSymbolsByDebuginfod) {
  REQUIRE_OR_SKIP(have_command("lldb-22"), "no lldb-22");
  build_and_upload();
  const std::string said = lldb("-o 'image lookup -v -n flicker' " + root_ + "/run/lamp");
  EXPECT_NE(said.find("lamp.c:1"), std::string::npos) << said;
}

TEST_F(LldbWishes, LldbFindsSymbolsInTheCachesBuildIdTree) {
  REQUIRE_OR_SKIP(have_command("lldb-22"), "no lldb-22");
  build_and_upload();
  dsym(identity_.build_id);
  EXPECT_EQ(server_->stop(), 0);
  const std::string said = lldb("-O 'settings append target.debug-file-search-paths " + cache() +
                                "' -o 'image lookup -v -n flicker' " + root_ + "/run/lamp");
  EXPECT_NE(said.find("lamp.c:1"), std::string::npos) << said;
}

TEST_F(LldbWishes, GdbFindsSymbolsInTheCachesBuildIdTree) {
  REQUIRE_OR_SKIP(have_command("gdb"), "no gdb");
  build_and_upload();
  dsym(identity_.build_id);
  EXPECT_EQ(server_->stop(), 0);
  const std::string said = run("gdb -nx -batch -iex 'set debug-file-directory " + cache() +
                               "' -ex 'info line flicker' " + root_ + "/run/lamp 2>&1")
                               .output;
  EXPECT_NE(said.find("Line 1 of"), std::string::npos) << said;
}

TEST_F(LldbWishes, DebuggersSearchAnExportedTree) {
  build_and_upload();
  const std::string tree = root_ + "/tree";
  const std::string command =
      faultline_program() + " export-tree " + tree + " " + root_ + "/data/blobs";
  must_run(command);
  EXPECT_NE(must_run(command).output.find("2 files"), std::string::npos);  // again: the same
  const std::string place =
      tree + "/.build-id/" + identity_.build_id.substr(0, 2) + "/" + identity_.build_id.substr(2);
  EXPECT_EQ(must_read(place + ".debug"), must_read(root_ + "/lamp.debug"));
  EXPECT_EQ(must_read(place), must_read(root_ + "/stripped"));
  EXPECT_EQ(server_->stop(), 0);
  if (have_command("gdb")) {
    const std::string said = run("gdb -nx -batch -iex 'set debug-file-directory " + tree +
                                 "' -ex 'info line flicker' " + root_ + "/run/lamp 2>&1")
                                 .output;
    EXPECT_NE(said.find("Line 1 of"), std::string::npos) << said;
  }
  if (have_command("lldb-22")) {
    const std::string said = lldb("-O 'settings append target.debug-file-search-paths " + tree +
                                  "' -o 'image lookup -v -n flicker' " + root_ + "/run/lamp");
    EXPECT_NE(said.find("lamp.c:1"), std::string::npos) << said;
  }
}

TEST_F(LldbWishes, AnExportedTreeOfUuidsHoldsDsyms) {
  REQUIRE_CORPUS(corpus);
  const std::string dsym_file = corpus + "/symbols/objects/macho/electron-dsym/Electron";
  must_run(faultline_program() + " export-tree --layout lldb-uuid " + root_ + "/tree " + dsym_file);
  EXPECT_EQ(must_read(root_ + "/tree/CB63/147A/C9DC/308B/8CA1/EE92A5042E8E"), must_read(dsym_file));
}

TEST_F(LldbWishes, LldbShowsSourcesThroughOurScript) {
  REQUIRE_OR_SKIP(have_command("lldb-22"), "no lldb-22");
  build_and_upload();
  upload_source();
  write("/faultline_lldb.py", send("GET", "/tools/faultline_lldb.py").body);
  const std::string import = "-O 'command script import " + root_ + "/faultline_lldb.py' " +
                             "-O 'faultline setup " + server_->url() + "' ";
  const std::string said =
      lldb(import + "-o 'faultline sources' -o 'source list -n flicker' " + root_ + "/run/lamp");
  EXPECT_NE(said.find("faultline: 1 source files"), std::string::npos) << said;
  EXPECT_NE(said.find("int flicker(int a) { return a * 3; }"), std::string::npos) << said;
}

TEST_F(LldbWishes, LldbShowsTheSourceWhereItStops) {
  REQUIRE_OR_SKIP(have_command("lldb-22"), "no lldb-22");
  build_and_upload();
  upload_source();
  write("/faultline_lldb.py", send("GET", "/tools/faultline_lldb.py").body);
  const std::string said =
      lldb("-O 'command script import " + root_ +
           "/faultline_lldb.py' -o 'faultline setup' "
           "-o 'breakpoint set -n flicker' -o run -o 'source list -l 1' -o kill " +
           root_ + "/run/lamp");
  if (said.find("stop reason = breakpoint") == std::string::npos) {
    GTEST_SKIP() << "LLDB cannot run programs here: " << said;
  }
  EXPECT_NE(said.find("int flicker(int a) { return a * 3; }"), std::string::npos) << said;
}

// Newer LLDBs register the class; its methods are called here as they would.
TEST_F(LldbWishes, TheScriptedLocatorFindsModulesSymbolsAndSources) {
  build_and_upload();
  upload_source();
  write("/faultline_lldb.py", send("GET", "/tools/faultline_lldb.py").body);
  write("/ask.py",
        "import faultline_lldb as f\n"
        "class Module:\n"
        "  def GetUUIDString(self): return '" +
            base::upper_ascii(identity_.build_id) +
            "'\n"
            "l = f.Locator({'url': '" +
            server_->url() + "', 'cache': '" + cache() +
            "'})\n"
            "print(open(l.locate_source_file(Module(), '" +
            source_path() + "')).read() == '''" + kLampSource +
            "''')\n"
            "print(l.locate_source_file(Module(), '/etc/passwd'))\n"
            "a = l.locate_executable_symbol_file(Module())\n"
            "b = l.locate_executable_object_file(Module())\n"
            "print(open(a,'rb').read() == open('" +
            root_ +
            "/lamp.debug','rb').read())\n"
            "print(open(b,'rb').read() == open('" +
            root_ + "/stripped','rb').read())\n");
  const auto end = must_run("cd " + root_ + " && " + environment() + "python3 ask.py");
  EXPECT_EQ(end.output, "True\nNone\nTrue\nTrue\n");
}

// ---- others who read DEBUGINFOD_URLS ----

TEST_F(LldbWishes, ElfutilsReadsLinesThroughTheServer) {
  REQUIRE_OR_SKIP(have_command("eu-addr2line"), "no eu-addr2line");
  build_and_upload();
  const std::string said =
      run(environment() + "eu-addr2line -e " + root_ + "/run/lamp flicker 2>&1").output;
  const std::string address =
      std::string(base::trim(must_run("nm " + root_ + "/lamp | sed -n 's/ T flicker//p'").output));
  const std::string line =
      run(environment() + "eu-addr2line -e " + root_ + "/run/lamp 0x" + address + " 2>&1").output;
  EXPECT_NE((said + line).find("lamp.c:1"), std::string::npos) << said << line;
}

TEST_F(LldbWishes, ValgrindReadsLinesThroughTheServer) {
  REQUIRE_OR_SKIP(have_command("valgrind") && have_command("debuginfod-find"), "no valgrind");
  write("/build/src/lamp.c",
        "#include <stdlib.h>\n"
        "int* lose(void) { return malloc(40); }\n"
        "int main(void) { return lose() == 0; }\n");
  must_run("cd " + root_ + "/build/src && cc -g -O0 -Wl,--build-id -o ../../lamp lamp.c && cd " +
           root_ +
           " && objcopy --only-keep-debug lamp lamp.debug && mkdir run && "
           "strip -o run/lamp lamp");
  identity_ = extract::identify(base::bytes_of(must_read(root_ + "/lamp")));
  EXPECT_LT(send("PUT", "/lamp/" + identity_.debug_id.breakpad() + "/lamp.debug",
                 must_read(root_ + "/lamp.debug"))
                .status,
            300);
  const std::string said = run("mkdir -p " + root_ + "/home && " + environment() +
                               "valgrind --leak-check=full " + root_ + "/run/lamp 2>&1")
                               .output;
  if (said.find("A must-be-redirected function") != std::string::npos) {
    GTEST_SKIP() << "valgrind needs libc6-dbg here";
  }
  EXPECT_NE(said.find("lose (lamp.c:2)"), std::string::npos) << said;
}

}  // namespace
