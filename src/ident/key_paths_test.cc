#include "ident/key_paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ident {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> texts_of(const ModuleNames& module) {
  std::vector<std::string> texts;
  for (const KeyPath& p : key_paths(module)) {
    texts.push_back(std::string(name_of(p.protocol)) + " " + std::string(name_of(p.role)) + " " +
                    p.path);
  }
  return texts;
}

DebugId id_of(std::string_view text) { return *DebugId::parse(text); }

TEST(KeyPaths, OfAnImageWithTwoPdbs) {
  ModuleNames m;
  m.form = Form::pe;
  m.name = "Lib.dll";
  m.code_id = "5CB7AC29b000";
  m.debug_id = id_of("3ED9F1335F2B74FDDC09C50A1C590219a");
  m.debug_files = {{"Lib.ni.pdb", m.debug_id, "", false},
                   {"Lib.pdb", id_of("A43B38726E6A4B3CB1691F35F0D6CC48ffffffff"), "", true},
                   {"Old.pdb", {}, "3dd60cfb2", false}};
  EXPECT_THAT(texts_of(m),
              ElementsAre("breakpad sym Lib.ni.pdb/3ED9F1335F2B74FDDC09C50A1C590219a/Lib.ni.sym",
                          "symstore code Lib.dll/5CB7AC29b000/Lib.dll",
                          "symstore debug Lib.ni.pdb/3ED9F1335F2B74FDDC09C50A1C590219a/Lib.ni.pdb",
                          "symstore debug Old.pdb/3DD60CFB2/Old.pdb",
                          "ssqp code lib.dll/5CB7AC29b000/lib.dll",
                          "ssqp debug lib.ni.pdb/3ed9f1335f2b74fddc09c50a1c590219a/lib.ni.pdb",
                          "ssqp debug lib.pdb/a43b38726e6a4b3cb1691f35f0d6cc48FFFFFFFF/lib.pdb",
                          "ssqp debug old.pdb/3dd60cfb2/old.pdb",
                          "unified code 3e/d9f1335f2b74fddc09c50a1c590219a/executable",
                          "unified sym 3e/d9f1335f2b74fddc09c50a1c590219a/breakpad",
                          "unified debug 3e/d9f1335f2b74fddc09c50a1c590219a/debuginfo"));
}

TEST(KeyPaths, OfAnElfFileWithAShortBuildId) {
  ModuleNames m;
  m.form = Form::elf;
  m.name = "libA.so";
  m.build_id = "1234";
  m.debug_id = id_of("00003412000000000000000000000000");
  m.has_code = true;
  EXPECT_THAT(
      texts_of(m),
      ElementsAre("breakpad sym libA.so/000034120000000000000000000000000/libA.so.sym",
                  "ssqp code liba.so/elf-buildid-1234000000000000000000000000000000000000/liba.so",
                  "ssqp debug "
                  "_.debug/elf-buildid-sym-1234000000000000000000000000000000000000/_.debug",
                  "debuginfod code /buildid/1234/executable", "native_tree code 12/34",
                  "native_tree debug 12/34.debug",
                  "unified sym 00/0034120000000000000000000000000/breakpad",
                  "unified code 12/34/executable"));
}

TEST(KeyPaths, WithoutIdsThereAreNone) {
  for (const Form form : {Form::elf, Form::pe, Form::pdb, Form::portable_pdb, Form::macho,
                          Form::wasm, Form::perf_map, Form::sym, Form::other}) {
    ModuleNames m;
    m.form = form;
    m.name = "x";
    EXPECT_THAT(key_paths(m), IsEmpty());
  }
}

}  // namespace
}  // namespace ident
