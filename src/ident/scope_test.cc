#include "ident/scope.h"

#include <gtest/gtest.h>

namespace ident {
namespace {

std::string text_of(std::string_view path) {
  const auto found = split_scope(path);
  if (!found) return "none";
  return "project=" + found->scope.project + (found->scope.include_try ? " try" : "") +
         " token=" + std::string(found->token) + " rest=" + std::string(found->rest);
}

TEST(Scope, IsWhatThePrefixesSay) {
  struct Row {
    const char* path;
    const char* expected;
  };
  for (const Row& row : {
           Row{"/a/1/b", "project= token= rest=a/1/b"},
           Row{"//symbols//a/1/b", "project= token= rest=a/1/b"},
           Row{"/symbols./a/1/b", "project= token= rest=a/1/b"},
           Row{"/firefox/a/1/b", "project= token= rest=a/1/b"},
           Row{"/proxy/a/1/b", "project= token= rest=a/1/b"},
           Row{"/proxy/1/proxy", "project= token= rest=proxy/1/proxy"},
           Row{"/try/a/1/b", "project= try token= rest=a/1/b"},
           Row{"/try/aa/a/1/b", "project= try token= rest=aa/a/1/b"},
           Row{"/symbols/1/symbols", "project= token= rest=symbols/1/symbols"},
           Row{"/try/1/try", "project= token= rest=try/1/try"},
           Row{"/symbols/ab/cdef0123.debug", "project= token= rest=ab/cdef0123.debug"},
           Row{"/try/ab/cdef0123", "project= try token= rest=ab/cdef0123"},
           Row{"/symbols/ab/symbols", "project= token= rest=symbols/ab/symbols"},
           Row{"/p/Big-Game/a/1/b", "project=big-game token= rest=a/1/b"},
           Row{"/p/game/symbols/a/1/b", "project=game token= rest=a/1/b"},
           Row{"/p/game/try/a/1/b", "project=game try token= rest=a/1/b"},
           Row{"/p/game/t/s3cret/a/1/b", "project=game token=s3cret rest=a/1/b"},
           Row{"/p/game/t/s3cret/try/a/1/b", "project=game try token=s3cret rest=a/1/b"},
           Row{"/p/game/buildid/ab/debuginfo", "project=game token= rest=buildid/ab/debuginfo"},
           Row{"/p/game", "project=game token= rest="},
           Row{"/p/.game/a/1/b", "none"},
           Row{"/p/", "none"},
           Row{"/p/a b/a/1/b", "none"},
           Row{"/p/game/t/", "none"},
           Row{"/p/game/t/a b/a/1/b", "none"},
           Row{"", "project= token= rest="},
       }) {
    EXPECT_EQ(text_of(row.path), row.expected) << row.path;
  }
}

TEST(Scope, ATokenIsNotForTheLog) {
  EXPECT_EQ(without_token("/p/game/t/s3cret/a/1/b"), "/p/game/t/***/a/1/b");
  EXPECT_EQ(without_token("//p//game//t//s3cret"), "//p//game//t//***/");
  EXPECT_EQ(without_token("/p/game/t"), "/p/game/t");
  EXPECT_EQ(without_token("/a/1/t"), "/a/1/t");
  EXPECT_EQ(without_token("/p/game/x"), "/p/game/x");
}

}  // namespace
}  // namespace ident
