#include "ident/pointer_place.h"

#include <gtest/gtest.h>

namespace ident {
namespace {

TEST(PointerPlace, IsTheDirectoryOfAFilePtr) {
  const auto text_of = [](std::string_view path) {
    const auto place = find_pointer_place(path);
    return place ? place->text() : "none";
  };
  EXPECT_EQ(text_of("/w/la/lantern.pdb/ABC1/file.ptr"), "lantern.pdb/ABC1/file.ptr");
  EXPECT_EQ(text_of("/lantern.pdb/ABC1/FILE.PTR"), "lantern.pdb/ABC1/file.ptr");
  for (const char* path : {"", "file.ptr", "/file.ptr", "/ABC1/file.ptr", "lantern.pdb/A/file.ptr",
                           "/lantern.pdb/ABC1/refs.ptr", "/lantern.pdb//file.ptr", "/../A/file.ptr",
                           "/lantern.pdb/A B/file.ptr", "/lantern.pdb/A/file.ptr/"}) {
    EXPECT_EQ(text_of(path), "none") << path;
  }
}

}  // namespace
}  // namespace ident
